"""The nouns that every other module speaks: papers, sentences, passages, hits, evidence, claims, answers.

Frozen dataclasses over the standard library alone. They hold facts and convert themselves to and from
JSON-ready dictionaries; they know nothing of models, indexes, files or pages.

Offsets are character offsets into `Paper.abstract`, half open, so `abstract[start:end]` is the text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["supported", "partly", "unsupported"]
Status = Literal["answered", "abstained"]


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: what the library knows of it. `id` is the same whatever file it came from."""

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str | None = None
    url: str | None = None
    doi: str | None = None
    keywords: tuple[str, ...] = ()
    source: str | None = None
    """Name of the file it was read from."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an abstract; `index` counts from 0 within the abstract."""

    paper_id: str
    index: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one abstract, short enough for the embedder; `abstract[start:end] == text`."""

    paper_id: str
    index: int
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        """Unique within a library: `paper_id#index`."""
        return f"{self.paper_id}#{self.index}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved paper with its best passage. `score`: larger is better. `rank` counts from 1."""

    paper: Paper
    passage: Passage
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A numbered sentence that the model was shown and may cite. `number` counts from 1."""

    number: int
    paper: Paper
    sentence: Sentence
    score: float
    """How well it bears on the question, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A pointer from an answer to one sentence: `paper.abstract[start:end] == quote`. `marker` counts from 1."""

    marker: int
    paper: Paper
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer with what it rests on.

    `text` is the sentence without its markers, `score` in [0, 1] says how well the citations support it: how likely
    they do wholly where the model was asked (`rag.trained.opinion`), else how near they are in words and meaning.
    `is_quote` marks words taken over from the abstract by Footnote itself rather than written by the model. `subject`
    is what the paper is called, on the first claim about it, where an answer goes through several papers. `doubt` says
    in words why the verdict is no better than "partly"; "" where it is "supported".
    """

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict
    score: float
    is_quote: bool = False
    subject: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, what is shown, and what every sentence of it rests on."""

    question: str
    text: str
    status: Status
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    standalone_question: str = ""
    surveyed: int = 0
    """How many papers were gone through for a question about the whole library; 0 for any other question."""
    notice: str = ""
    """What the reader should know about this answer: something was left out, it was stopped, and so on."""
    raw_text: str = ""
    model_id: str = ""
    prompt_id: str = ""
    settings_id: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds since the question came in: `evidence_s`, `first_token_s`, `total_s`."""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary from which `from_dict` makes an equal Answer, and `rag.verify` re-checks it."""
        values = asdict(self)
        return {**values, "digest": digest(values)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Answer:
        """The Answer that `to_dict` described.

        Raises:
            KeyError, TypeError: the dictionary does not describe an Answer.
        """
        values = {name: value for name, value in data.items() if name != "digest"}
        values["claims"] = tuple(
            Claim(**{**claim, "citations": tuple(_citation(c) for c in claim["citations"])})
            for claim in values.get("claims", ())
        )
        values["citations"] = tuple(_citation(c) for c in values.get("citations", ()))
        values["hits"] = tuple(
            Hit(**{**hit, "paper": paper_from(hit["paper"]), "passage": Passage(**hit["passage"])})
            for hit in values.get("hits", ())
        )
        values["evidence"] = evidence_from(values.get("evidence", ()))
        return cls(**values)


def evidence_from(items: Sequence[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    """Evidence as `Answer.to_dict` writes it.

    Raises:
        KeyError, TypeError: an item is no evidence.
    """
    return tuple(
        Evidence(**{**item, "paper": paper_from(item["paper"]), "sentence": Sentence(**item["sentence"])})
        for item in items
    )


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON-ready dictionary, in hexadecimal, whatever its key "digest" says and however it is laid out."""
    rest = {name: value for name, value in values.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Subject:
    """One of several papers that a question is about. `label` tells it from the others in an answer; `name` is how the
    question names it, in lower case without punctuation, or empty where it does not.
    """

    paper: Paper
    label: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """First event of a stream: what was looked up, before the model has said anything.

    `subjects` are the papers that the question is about where it is about several; each is answered by itself. `parts`
    are the questions that it asks where it asks several of one paper, `missing` those of them that nothing answers;
    `silent` are papers that it asks about, beside `subjects`, and that do not answer it.
    `earlier` is the question and the answer that a follow-up leans on, `followup` what it asks itself, `searched_for`
    by what words papers were searched, "" where they were not. `is_survey`: it is answered by going through the
    library. `is_spelled_out`: it asks what abbreviations stand for, and these sentences say that; of several each is a
    part that is answered by itself. A second such event replaces the first where more had to be read.
    """

    question: str
    standalone_question: str
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    subjects: tuple[Subject, ...] = ()
    earlier: tuple[str, str] | None = None
    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    silent: tuple[Paper, ...] = ()
    is_survey: bool = False
    is_spelled_out: bool = False
    followup: str = ""
    searched_for: str = ""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of the model's draft as it comes; not checked yet."""

    text: str


Event = EvidenceFound | TextPiece | Answer
"""What `Rag.stream` yields: an EvidenceFound, sometimes a wider one, any number of TextPiece, one Answer."""


def paper_from(data: Mapping[str, Any]) -> Paper:
    """The Paper that `asdict` described, also after JSON."""
    values = dict(data)
    values["authors"] = tuple(values.get("authors", ()))
    values["keywords"] = tuple(values.get("keywords", ()))
    return Paper(**values)


def _citation(data: Mapping[str, Any]) -> Citation:
    return Citation(**{**data, "paper": paper_from(data["paper"])})
