"""Everything that Footnote raises on purpose, in one tree.

    FootnoteError             base: catch this to catch all of them
    ├── BadQuestion           the question is empty, too long, or unreadable
    ├── BadFilter             a `where` filter names an unknown field or operator
    ├── SettingsError         an unknown or out-of-range setting, wherever it was given
    ├── CorpusError           a library file is missing, unreadable, or holds no paper
    ├── IndexProblem          anything wrong with the index on disk
    │   ├── IndexMissing      there is none yet
    │   ├── IndexCorrupt      it is damaged or incomplete
    │   └── IndexMismatch     it was built with another embedder or metric
    │       └── IndexOutdated   by an earlier version of this code: the next build renews it
    ├── WeightsError          anything wrong with model weights
    │   ├── WeightsMissing    not on this machine, and not to be had
    │   └── WeightsCorrupt    they do not match their pinned SHA-256
    ├── ModelError            the language model failed
    │   └── ContextOverflow   the prompt does not fit its context
    └── MissingExtra          an optional part is not installed

Each error is one sentence on what happened and, in `remedy`, the one thing that mends it. `str(error)`
gives both, so that a command line can print it as it is. Knows nothing of the rest of the package.
"""

from __future__ import annotations


class FootnoteError(Exception):
    """Base of every error raised on purpose; `problem` says what happened, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}".strip())


class BadQuestion(FootnoteError, ValueError):
    """The question is empty, too long, or holds nothing that can be read."""


class BadFilter(FootnoteError, ValueError):
    """A `where` filter names an unknown field or operator."""


class SettingsError(FootnoteError, ValueError):
    """A setting is unknown or out of range, in an argument, the environment or footnote.toml."""


class CorpusError(FootnoteError):
    """A library file is missing, unreadable, or holds no paper."""


class IndexProblem(FootnoteError):
    """Base of what can be wrong with the index on disk."""


class IndexMissing(IndexProblem):
    """There is no index yet at the place where one was expected."""


class IndexCorrupt(IndexProblem):
    """The index on disk is damaged or incomplete."""


class IndexMismatch(IndexProblem):
    """The index was built with another embedder or metric than the settings ask for."""


class IndexOutdated(IndexMismatch):
    """The index was built with an earlier splitter or tokenizer of Footnote's own; its vectors still hold."""


class WeightsError(FootnoteError):
    """Base of what can be wrong with model weights."""


class WeightsMissing(WeightsError):
    """Weights are neither on this machine nor to be had from the hub or the mirror."""


class WeightsCorrupt(WeightsError):
    """Weights do not match their pinned SHA-256."""


class ModelError(FootnoteError):
    """The language model failed, or was asked for more than it can do."""


class ContextOverflow(ModelError, ValueError):
    """The prompt does not fit the model's context."""


class MissingExtra(FootnoteError, ImportError):
    """An optional part is not installed."""
