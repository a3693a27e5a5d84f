"""The few settings that a reader may turn for one conversation, in words, and what they mean for a Rag.

Each is a choice among few, because a reader can judge "answers more readily" and not 0.35. `None` leaves what the
Rag was opened with. Which models there are is asked of the Rag: they come and go. Knows nothing of Gradio, and never
changes a Rag: it asks for one with other settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ui.markup import text


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a knob: how it is called, and the setting it stands for (None: as the Rag was opened)."""

    key: str
    label: str
    value: float | int | str | None


@dataclass(frozen=True, slots=True)
class Knob:
    """A setting in words. `section.name` is where `rag.Settings` keeps it."""

    key: str
    label: str
    explained: str
    section: str
    name: str
    choices: tuple[Choice, ...]

    def choice(self, key: str) -> Choice:
        """The choice of that key, or the usual one."""
        return next((choice for choice in self.choices if choice.key == key), self.choices[0])


KNOBS = (
    Knob(
        "papers",
        "Papers looked up",
        "How many papers of the library are taken up for a question. More finds what is spread over several papers "
        "and leaves more to skim below the answer.",
        "retrieval",
        "k",
        (Choice("", "as usual", None), Choice("3", "3", 3), Choice("10", "10", 10), Choice("20", "20", 20)),
    ),
    Knob(
        "strictness",
        "When to decline",
        "How sure Footnote has to be that the evidence states the answer before it gives one. Stricter declines more "
        "questions that the library does answer; more readily answers some that it does not.",
        "answer",
        "abstain_threshold",
        (
            Choice("", "as usual", None),
            Choice("readily", "answer more readily", 0.3),
            Choice("strict", "decline sooner", 0.7),
        ),
    ),
    Knob(
        "length",
        "Length of answers",
        "The most that the model may write. A short answer also comes sooner.",
        "model",
        "max_new_tokens",
        (Choice("", "as usual", None), Choice("short", "short", 80), Choice("long", "long", 320)),
    ),
)


@dataclass(frozen=True, slots=True)
class Knobs:
    """The choices of one conversation, by key; an empty key leaves the setting as it is."""

    papers: str = ""
    strictness: str = ""
    length: str = ""
    model: str = ""
    """A name of `Rag.other_models`; left alone once that model is gone."""

    @classmethod
    def from_dict(cls, chosen: Mapping[str, Any]) -> Knobs:
        """The known choices of `chosen`; anything else is left out."""
        known = {field.name for field in fields(cls)}
        wanted = {key: str(value) for key, value in chosen.items() if key in known}
        chosen_now = {knob.key: knob.choice(wanted.get(knob.key, "")).key for knob in KNOBS}
        return cls(**chosen_now, model=wanted.get("model", "")[:_LONGEST_NAME])

    def to_dict(self) -> dict[str, str]:
        """The choices by key, for JSON."""
        return asdict(self)

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """The settings that differ from what the Rag was opened with, but for the model: section, name, value."""
        return self._changes(KNOBS)

    def _changes(self, knobs: Sequence[Knob]) -> dict[str, dict[str, Any]]:
        changes: dict[str, dict[str, Any]] = {}
        for knob in knobs:
            value = knob.choice(getattr(self, knob.key)).value
            if value is not None:
                changes.setdefault(knob.section, {})[knob.name] = value
        return changes

    def applied(self, rag: Any) -> Any:
        """`rag`, or one like it with these settings."""
        changes = self._changes((*KNOBS, model_knob(other_models(rag))) if self.model else KNOBS)
        return rag.with_settings(**changes) if changes else rag


_LONGEST_NAME = 300


def other_models(rag: Any) -> tuple[str, ...]:
    """Models that `rag` could answer with beside its usual one."""
    return tuple(getattr(rag, "other_models", ()))


def model_knob(models: Sequence[str]) -> Knob:
    """The choice of a model among those on this machine."""
    explained = (
        "Which of the models on this machine answers. A larger one is more often right and slower; the first answer "
        "after a change waits until it is loaded. "
        + ("" if models else "No other is here. ")
        + "“footnote models fetch NAME” gets others."
    )
    choices = (Choice("", "as usual", None), *(Choice(name, name.rsplit("/", 1)[-1], name) for name in models))
    return Knob("model", "Model", explained, "model", "name", choices)


def render_knobs(chosen: Knobs, models: Sequence[str] = ()) -> str:
    """The knobs as a form, with the choice among `models`; `sheets.js` sends every change at once."""
    fields_drawn = "".join(_field(knob, getattr(chosen, knob.key)) for knob in (*KNOBS, model_knob(models)))
    return (
        f'<form class="fn-knobs">{fields_drawn}'
        '<button type="reset" class="fn-chip" data-reset="knobs">Back to usual</button></form>'
    )


def _field(knob: Knob, chosen: str) -> str:
    chosen = knob.choice(chosen).key  # a model may be gone
    options = "".join(
        f'<option value="{text(choice.key)}"{" selected" if choice.key == chosen else ""}>{text(choice.label)}</option>'
        for choice in knob.choices
    )
    key = f"fn-knob-{knob.key}"
    return (
        f'<p class="fn-knob"><label for="{key}">{text(knob.label)}</label>'
        f'<select id="{key}" name="{knob.key}" aria-describedby="{key}-why">{options}</select>'
        f'<span id="{key}-why" class="fn-hint">{text(knob.explained)}</span></p>'
    )
