"""A Rag for tests of the page: six invented papers, answers by keyword, and timing in the test's hands.

Words in the question choose what happens: "wifi" abstains, "listed" answers in lists, "tabled" in a table and code, "broken" raises a ModelError, "crash" raises something
unexpected, "long" writes many words, "partly" gives an answer of mixed verdicts, a leading "and" is understood as a
stand-alone question; anything else is answered from LanternNet. A blank or over-long question is a BadQuestion.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from rag.balance import STANCES, Balance, Stance, Weighed
from rag.drafts import draft_sentences
from rag.errors import BadFilter, BadQuestion, ModelError
from rag.schema import (
    Answer,
    Citation,
    Claim,
    Event,
    Evidence,
    EvidenceFound,
    Hit,
    Paper,
    Passage,
    Sentence,
    TextPiece,
)
from rag.trace import ClaimTrace, Ranked, Trace
from rag.wording import abstention_text

LANTERN = Paper(
    id="lantern",
    title="LanternNet: Low-Light Video Restoration with Learned Exposure Fields",
    abstract=(
        "Videos taken at night are noisy and lose colour. We present LanternNet, a network that restores low-light "
        "video by predicting an exposure field for every frame. The field is shared between neighbouring frames, "
        "which removes flicker without an explicit motion model. On the DuskClips benchmark LanternNet improves "
        "the signal-to-noise ratio by 1.8 dB over the strongest baseline while running at 42 frames per second. "
        "Training needs only pairs of short and long exposures, $x_s$ and $x_l$, from a fixed tripod."
    ),
    authors=("Ida Holm", "Peter Vance", "Mei Tanaka", "Omar Reyes"),
    year=2024,
    venue="Journal of Night Imaging",
    url="https://papers.example/lanternnet",
)
TIDE = Paper(
    id="tide",
    title="TideCache: Reusing Attention Across Turns of a Dialogue",
    abstract=(
        "Dialogue systems recompute attention for text that has not changed. TideCache keeps keys and values of "
        "earlier turns and checks them with a short fingerprint. It halves the time to the first token on long "
        "dialogues. Quality is unchanged on four public sets."
    ),
    authors=("Rosa Lind",),
    year=2023,
    doi="10.5555/tide.2023",
)
MOSS = Paper(
    id="moss",
    title="MossBench: Measuring How Language Models Handle Missing Units",
    abstract="MossBench collects 3,200 questions whose numbers lack units. Models guess in 71% of cases.",
    year=2022,
    venue="Workshop on Measurement",
)
QUARRY = Paper(id="quarry", title="Quarry: Mining Hard Negatives", abstract="Quarry finds hard negatives by rank.")
ROWAN = Paper(id="rowan", title="On Sampling Trees Uniformly", abstract="We sample trees uniformly in linear time.")
HOSTILE = Paper(
    id="hostile",
    title="<img src=x onerror=window.hacked=1>Injected: A Title",
    abstract='An abstract with <script>window.hacked=1</script> and <b onclick="window.hacked=1">markup</b>.',
    url="javascript:window.hacked=1",
)
PAPERS = (LANTERN, TIDE, MOSS, QUARRY, ROWAN, HOSTILE)


def sentences_of(paper: Paper) -> list[Sentence]:
    """The sentences of an abstract, split at a full stop and a blank; enough for these papers."""
    found, start = [], 0
    for index, part in enumerate(paper.abstract.split(". ")):
        end = min(start + len(part) + 1, len(paper.abstract))
        found.append(Sentence(paper.id, index, start, end, paper.abstract[start:end]))
        start = end + 1
    return found


def citation(marker: int, paper: Paper, index: int) -> Citation:
    """A citation of the sentence at `index`."""
    sentence = sentences_of(paper)[index]
    return Citation(marker, paper, sentence.text, sentence.start, sentence.end)


def hit(paper: Paper, rank: int) -> Hit:
    """A hit whose passage is the whole abstract."""
    return Hit(paper, Passage(paper.id, 0, 0, len(paper.abstract), paper.abstract), 1.0 / rank, rank)


CANDIDATES = (
    Ranked(LANTERN, 1, 0.18, 1, 0.71, 1, 7.2),
    Ranked(TIDE, 2, 0.09, 2, 0.41, None, None),
    Ranked(HOSTILE, 3, 0.08, None, None, 2, 1.1),
)
"""What a search considers."""


@dataclass
class FakeRag:
    """Stands in for `rag.Rag`. `pace_s` is the pause between pieces; a cleared gate holds the stream until set."""

    papers: tuple[Paper, ...] = PAPERS
    pace_s: float = 0.01
    check_s: float = 0.0
    """How long it takes to check a draft that was stopped."""
    data_folder: Path | None = None
    """Where conversations are kept; in memory if None."""
    changes: dict[str, dict[str, object]] = field(default_factory=dict)
    """The settings that it was last asked with."""
    asked: list[tuple[str, list[dict[str, str]]]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    """Questions whose stream was closed before its end."""
    before_first_token: threading.Event = field(default_factory=threading.Event)
    before_answer: threading.Event = field(default_factory=threading.Event)
    before_check: threading.Event = field(default_factory=threading.Event)
    """Of a draft that was stopped."""

    def __post_init__(self) -> None:
        self.open_gates()
        self.settings = SimpleNamespace(data_folder=self.data_folder)
        self.description = SimpleNamespace(
            model="Pebble-1B-Instruct",
            device="cpu",
            dtype="int8",
            reason="No GPU was found, so the smallest model that answers well was taken.",
            index=f"{len(self.papers)} papers, 9 passages, tiny-embedder",
            line=f"Pebble-1B-Instruct on cpu (int8) · {len(self.papers)} papers",
        )

    other_models: tuple[str, ...] = ("tests/Boulder-7B",)

    def with_settings(self, **sections: dict[str, object]) -> FakeRag:
        """This very Rag; notes what was wanted."""
        self.changes = sections
        return self

    def trace(self, answer: Answer, history: list[dict[str, str]] | tuple[()] = ()) -> Trace:
        """Two candidates and a short prompt."""
        prompts = ((("system", "Answer from the evidence."), ("user", answer.question)),) if answer.raw_text else ()
        return Trace(answer, CANDIDATES, 0.83, 0.5, prompts, answer.standalone_question or answer.question)

    def trace_claim(self, balance: Balance) -> ClaimTrace:
        """The same candidates, and a short prompt for each paper that was read."""
        asked = tuple(
            (("system", "Does the evidence support the claim?"), ("user", f"{balance.claim}\n{one.words}"))
            for one in balance.papers
        )
        return ClaimTrace(balance, CANDIDATES, {LANTERN.id: 0.91, TIDE.id: 0.55, HOSTILE.id: 0.07}, 0.5, 0.6, asked)

    def open_gates(self) -> None:
        """Let everything through."""
        self.before_first_token.set()
        self.before_answer.set()
        self.before_check.set()

    def stream(
        self,
        question: str,
        history: list[dict[str, str]] | None = None,
        where: dict | None = None,
        stopped: object = None,
    ) -> Iterator[Event]:
        """Evidence, pieces, and an Answer, as the keywords of the question say."""
        self.asked.append((question, list(history or [])))
        if where and set(where) != {"year"}:
            raise BadFilter(f"There is no field {min(where)!r}.", "Filter by year.")
        if not question.strip():
            raise BadQuestion("The question is empty.", "Type a question.")
        if len(question) > 4000:
            raise BadQuestion(f"The question has {len(question)} characters.", "Ask in at most 4000 characters.")
        return self._events(question)

    def partial_answer(self, found: EvidenceFound, draft: str) -> Answer | None:
        """Of a question for what "holds", the first sentence once it is there; of any other, nothing holds."""
        if "holds" not in found.question or "." not in draft:
            return None
        time.sleep(self.check_s)
        self.before_check.wait(20)
        claims = _claims("")[:1]
        return Answer(
            question=found.question,
            standalone_question=found.standalone_question,
            text=f"{claims[0].text} [1]",
            status="answered",
            claims=claims,
            citations=claims[0].citations,
            hits=found.hits,
            evidence=found.evidence,
            notice="It was stopped here: more may have followed.",
            raw_text=draft,
        )

    def retrieve(self, question: str, k: int | None = None, where: dict | None = None) -> tuple[Hit, ...]:
        """The first `k` papers, whatever the question."""
        if not question.strip():
            raise BadQuestion("The question is empty.", "Type a question.")
        return tuple(hit(paper, rank) for rank, paper in enumerate(self.papers[: k or 5], 1))

    def weighing(self, claim: str, k: int = 10) -> Iterator[Balance]:
        """LanternNet supports the claim, TideCache contradicts it, MossBench is silent; "wifi" is near to nothing.

        The first paper comes when the first gate is open, the others when the second one is.
        """
        self.asked.append((claim, []))
        if not claim.strip():
            raise BadQuestion("The claim is empty.", "Type a claim.")
        return self._weighing(claim)

    def _weighing(self, claim: str) -> Iterator[Balance]:
        stances = () if "wifi" in claim.lower() else self.stances
        read: tuple[Weighed, ...] = ()
        try:
            for place, (paper, stance, indexes) in enumerate(stances):
                yield Balance(claim, read, len(self.papers), len(stances))
                (self.before_answer if place else self.before_first_token).wait(20)
                if "broken" in claim.lower():
                    raise ModelError("A remote model's probabilities cannot be read.", "Weigh with a local model.")
                time.sleep(self.pace_s)
                found = [Evidence(n, paper, sentences_of(paper)[at], 0.9 - n / 10) for n, at in enumerate(indexes, 1)]
                told = tuple(0.83 if stance == other else 0.085 for other in STANCES)
                read = (*read, Weighed(paper, stance, 0.83, tuple(found), told, 0.31))
            timings = {"evidence_s": 0.12, "total_s": 1.05}
            yield Balance(claim, read, len(self.papers), len(stances), "tests/pebble", "verdict@1:0", timings)
        except GeneratorExit:
            self.closed.append(claim)
            raise

    @property
    def stances(self) -> tuple[tuple[Paper, Stance, tuple[int, ...]], ...]:
        """What each paper says to any claim, and by which sentences, best first."""
        return ((LANTERN, "supports", (2, 1)), (TIDE, "contradicts", (2, 0)), (MOSS, "silent", (1,)))

    def _events(self, question: str) -> Iterator[Event]:
        words = question.lower()
        standalone = f"What is the speed of LanternNet, {question}?" if words.startswith("and ") else question
        try:
            yield from self._found(question, standalone, words)
        except GeneratorExit:
            self.closed.append(question)
            raise

    def _found(self, question: str, standalone: str, words: str) -> Iterator[Event]:
        began = time.monotonic()
        evidence = tuple(
            Evidence(number, paper, sentence, 0.8)
            for number, (paper, sentence) in enumerate(
                [(LANTERN, s) for s in sentences_of(LANTERN)[1:4]] + [(TIDE, s) for s in sentences_of(TIDE)[1:3]], 1
            )
        )
        hits = tuple(hit(paper, rank) for rank, paper in enumerate((LANTERN, TIDE, MOSS, HOSTILE), 1))
        common = {"question": question, "standalone_question": standalone, "hits": hits}
        if "wifi" in words:
            common["hits"] = nearest = tuple(hit(paper, rank) for rank, paper in enumerate((MOSS, TIDE, HOSTILE), 1))
            text = abstention_text(nearest)
            yield EvidenceFound(evidence=(), **common)
            yield Answer(text=text, status="abstained", timings={"evidence_s": 0.1, "total_s": 0.1}, **common)
            return
        yield EvidenceFound(evidence=evidence, **common)
        self.before_first_token.wait(20)
        if "broken" in words:
            raise ModelError("The model ran out of memory.", "Choose a smaller one: footnote chat --model small")
        if "crash" in words:
            raise RuntimeError("secret internals at /srv/private/model.bin")
        for piece in _draft(words):
            yield TextPiece(piece)
            time.sleep(self.pace_s)
        self.before_answer.wait(20)
        claims = _claims(words)
        citations = tuple({c.marker: c for claim in claims for c in claim.citations}.values())
        yield Answer(
            text=" ".join(claim.text + "".join(f" [{c.marker}]" for c in claim.citations) for claim in claims),
            status="answered",
            claims=claims,
            citations=citations,
            evidence=evidence,
            notice="One sentence was left out: nothing in the library supports it." if "partly" in words else "",
            raw_text="".join(_draft(words)),
            timings={"evidence_s": 0.21, "first_token_s": 0.9, "total_s": time.monotonic() - began},
            **common,
        )


LISTED = f"""## What it does
LanternNet removes **flicker**:

- by sharing the field [2]
- without a *motion* model

A line that nothing supports.
1. {sentences_of(LANTERN)[3].text} [3]
2. Trains with `pairs` of exposures, $x_s$ and $x_l$. <b onclick=window.hacked=1>Bold</b>
"""


TABLED = """LanternNet beside TideCache:

| Paper | What it keeps | Gain |
|-------|:-------------:|-----:|
| LanternNet [1] | an exposure **field** for every frame, shared between neighbouring frames | 1.8 dB |
| TideCache | keys and values of `a|b` and $x_s$ <img src=x onerror=window.hacked=1> | half |

```python
def restore(frames):
    field = predict(frames[0])  # </code></pre><script>window.hacked=1</script>
    return [frame * field for frame in frames if frame is not None and field is not None]
```

It runs at 42 frames.
"""


def _draft(words: str) -> list[str]:
    if "tabled" in words:  # in pieces that end anywhere
        return [TABLED[at : at + 7] for at in range(0, len(TABLED), 7)]
    if "listed" in words:
        return [f"{line}\n" for line in LISTED.splitlines()]
    draft = "LanternNet restores low-light video by predicting an exposure field [1]. It runs at 42 frames [3]."
    return [f"{word} " for word in draft.split()] * (30 if "long" in words else 1)


def _claims(words: str) -> tuple[Claim, ...]:
    if "listed" in words:
        said = (
            ("## What it does", 0),
            ("LanternNet removes flicker: by sharing the field; without a *motion* model", 2),
            (sentences_of(LANTERN)[3].text, 3),
            ("Trains with `pairs` of exposures, $x_s$ and $x_l$. <b onclick=window.hacked=1>Bold</b>", 4),
        )
        return tuple(
            Claim(claim, (citation(marker, LANTERN, at),), "supported", 0.9)
            for marker, (claim, at) in enumerate(said, start=1)
        )
    if "tabled" in words:
        said = draft_sentences(TABLED)
        cited = [(citation(marker, LANTERN, marker % 4),) for marker in range(1, len(said) + 1)]
        return tuple(
            Claim(text, one, "partly" if "TideCache |" in text else "supported", 0.6)
            for text, one in zip(said, cited, strict=True)
        )
    first = Claim(
        "LanternNet restores videos taken at night by predicting an exposure field for every frame.",
        (citation(1, LANTERN, 1),),
        "supported",
        0.93,
    )
    second = Claim(
        "It gains 1.8 dB on DuskClips and runs at 42 frames per second.", (citation(2, LANTERN, 3),), "supported", 0.9
    )
    if "partly" in words:
        half = Claim(
            "Sharing work between neighbours, as TideCache does for dialogue, also removes flicker.",
            (citation(3, LANTERN, 2), citation(4, TIDE, 1)),
            "partly",
            0.55,
        )
        quote = Claim(sentences_of(TIDE)[2].text, (citation(5, TIDE, 2),), "supported", 1.0, is_quote=True)
        return first, second, half, quote
    if "<" in words:
        hostile = Claim(HOSTILE.abstract, (citation(2, HOSTILE, 0),), "partly", 0.5)
        return first, hostile
    return first, second
