"""The line before the model: order, places, the rate, and the end."""

from __future__ import annotations

import asyncio

import pytest

from ui.markup import ordinal
from ui.serving.line import Closing, Line, LineFull, TooMany


async def test_places_are_served_in_order_and_everybody_hears_of_each_step():
    line = Line()
    heard: dict[int, list[int]] = {}
    served = []

    async def come(number):
        with line.enter() as place:
            heard[number] = [ahead async for ahead in place.wait()]
            assert place.ahead == 0
            served.append(number)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(come(number) for number in range(20)))
    assert served == list(range(20))
    assert heard == {number: list(range(number, 0, -1)) for number in range(20)}
    assert (line.running, line.waiting) == (0, 0)


async def test_two_at_once_leave_the_third_waiting():
    line = Line(at_once=2)
    places = [line.enter() for _ in range(3)]
    assert [place.ahead for place in places] == [0, 0, 2]
    assert (line.running, line.waiting) == (2, 1)
    places[0].leave()
    places[0].leave()
    assert places[2].ahead == 0


async def test_who_leaves_the_line_moves_those_behind_and_a_thread_may_take_them_out():
    line = Line()
    first, second, third = (line.enter() for _ in range(3))
    waiting = asyncio.ensure_future(anext(third.wait()))
    assert await waiting == 2
    await asyncio.to_thread(second.leave)
    assert third.ahead == 1
    first.leave()
    assert [ahead async for ahead in third.wait()] == []


async def test_somebody_who_waits_is_heard_of_again_while_nothing_changes():
    line = Line()
    _first, second = line.enter(), line.enter()
    stream = second.wait(look_again_s=0.01)
    assert [await anext(stream) for _ in range(3)] == [1, 1, 1]


async def test_a_closed_line_lets_the_running_one_finish_sends_the_others_away_and_lets_nobody_in():
    line = Line()
    first, second = line.enter(), line.enter()
    stream = second.wait()
    assert await anext(stream) == 1
    line.close()
    with pytest.raises(Closing):
        await anext(stream)
    with pytest.raises(Closing):
        line.enter()
    assert first.ahead == 0


async def test_a_full_line_says_so():
    line = Line(longest=1)
    line.enter(), line.enter()
    with pytest.raises(LineFull, match="Too many questions wait"):
        line.enter()


async def test_the_rate_allows_ten_at_once_then_one_every_few_seconds_for_each_person_alone():
    now = [100.0]
    line = Line(longest=1000, questions_a_minute=6, now=lambda: now[0])
    for _ in range(10):
        line.enter("ida")
    with pytest.raises(TooMany) as caught:
        line.enter("ida")
    assert caught.value.retry_after_s == 10
    line.enter("omar")
    now[0] += 9.5
    with pytest.raises(TooMany):
        line.count("ida")
    now[0] += 0.5
    line.count("ida")
    with pytest.raises(TooMany):
        line.enter("ida")


def test_places_are_written_as_people_write_them():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111)] == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th".split()
    )
