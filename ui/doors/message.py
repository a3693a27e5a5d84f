"""An earlier message of a conversation, as every door reads it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from rag.errors import BadQuestion

LONGEST_HISTORY = 200


class Message(BaseModel):
    """Who said what; other fields are not read."""

    model_config = ConfigDict(strict=True, extra="ignore")

    role: Literal["user", "assistant"]
    content: str


def as_history(messages: list[Message]) -> list[dict[str, str]]:
    """Messages as `Rag.stream` takes them."""
    return [message.model_dump() for message in messages]


def read_history(value: Any) -> list[dict[str, str]]:
    """The history in a JSON value; None is none.

    Raises:
        BadQuestion: it is no list of messages, or too long a one.
    """
    try:
        messages = _MESSAGES.validate_python(value or [])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("history", *first["loc"]))
        remedy = 'Give {"role": "user" or "assistant", "content": text} for each earlier message.'
        raise BadQuestion(f"{where}: {first['msg']}.", remedy) from error
    if len(messages) > LONGEST_HISTORY:
        raise BadQuestion(f"The history has {len(messages)} messages.", f"Give the last {LONGEST_HISTORY}.")
    return as_history(messages)


_MESSAGES = TypeAdapter(list[Message])
