"""The map of a library: places, clusters and their names."""

import numpy as np
import pytest
from fakes import HashedEncoder

from rag.library.atlas import draw_atlas
from rag.schema import Paper

TOPICS = ("whales songs ocean deep", "robots arms grasping tools", "trains rails mountains snow")


def papers(count):
    return [
        Paper(f"p{i}", f"Study {i} of {TOPICS[i % 3]}", f"We study {TOPICS[i % 3]} with method {i}.")
        for i in range(count)
    ]


def vectors(some):
    return HashedEncoder().encode([f"{p.title} {p.abstract}" for p in some], "document")


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 40])
def test_every_paper_has_a_place_within_the_plane(count):
    some = papers(count)
    atlas = draw_atlas(some, vectors(some))
    assert [point.paper_id for point in atlas.points] == [paper.id for paper in some]
    assert all(0 <= value <= 1 for point in atlas.points for value in (point.x, point.y))
    assert atlas.n_papers == count
    assert sum(cluster.size for cluster in atlas.clusters) == count
    assert [c.size for c in atlas.clusters] == sorted((c.size for c in atlas.clusters), reverse=True)


def test_no_papers_give_an_empty_map():
    assert draw_atlas([], np.zeros((0, 4), dtype=np.float32)).points == ()


def test_papers_all_alike_do_not_break_it():
    same = [Paper(f"p{i}", "One title", "One abstract.") for i in range(12)]
    atlas = draw_atlas(same, vectors(same))
    assert len(atlas.clusters) == 1
    assert len(atlas.points) == 12


def test_the_nearest_point_is_mostly_of_the_same_topic():
    some = papers(42)
    atlas = draw_atlas(some, vectors(some))
    places = np.array([(point.x, point.y) for point in atlas.points])
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(len(places)) * 9
    same = [distances[i].argmin() % 3 == i % 3 for i in range(len(places))]
    assert np.mean(same) > 0.9


def test_clusters_do_not_mix_topics_and_are_named_by_their_words():
    some = papers(42)
    atlas = draw_atlas(some, vectors(some))
    for number, cluster in enumerate(atlas.clusters):
        topics = {int(point.paper_id[1:]) % 3 for point in atlas.points if point.cluster == number}
        assert len(topics) == 1
        assert set(cluster.words) <= set(TOPICS[topics.pop()].split())


def test_the_same_library_gives_the_same_map():
    some = papers(30)
    assert draw_atlas(some, vectors(some)) == draw_atlas(some, vectors(some))


def test_a_large_library_is_shown_by_an_even_sample_and_says_so():
    some = papers(60)
    atlas = draw_atlas(some, vectors(some), most_points=20)
    assert len(atlas.points) == 20
    assert atlas.n_papers == 60
    assert (atlas.points[0].paper_id, atlas.points[-1].paper_id) == ("p0", "p59")
    assert sum(cluster.size for cluster in atlas.clusters) == 60


def test_parts_of_web_addresses_name_no_cluster():
    some = [
        Paper(f"p{i}", "Bees", "Bees dance. See https://hive.example.com/bees or apiary.github.io/x.") for i in range(9)
    ]
    names = [word for cluster in draw_atlas(some, vectors(some)).clusters for word in cluster.words]
    assert set(names) <= {"bees", "dance", "see"}
