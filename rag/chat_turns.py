"""LangChain's messages as the turns that a chat template takes. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from rag.errors import ModelError

_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}


def turns_of(messages: Sequence[BaseMessage], control_texts: Sequence[str]) -> list[dict[str, str]]:
    """Messages as the template's dictionaries; neighbours of one role are joined, for many templates refuse them.

    The texts of control tokens (`<|im_end|>` and the like) are broken up: an abstract or a question that holds
    one must not be able to end its turn and speak as the system.
    """
    turns: list[dict[str, str]] = []
    for message in messages:
        role = _ROLES.get(message.type) or str(getattr(message, "role", "user"))
        content = _text(message)
        content = broken_up(content, control_texts)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{content}"
        else:
            turns.append({"role": role, "content": content})
    if not turns:
        raise ModelError("There is no message to answer.", "Give at least one.")
    return turns


def broken_up(text: str, control_texts: Sequence[str]) -> str:
    """`text` as it stands in a prompt: without the texts of control tokens."""
    for control in control_texts:
        text = text.replace(control, f"{control[0]} {control[1:]}")
    return text


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    parts = []
    for block in message.content:
        if isinstance(block, str):
            parts.append(block)
        elif block.get("type") == "text":
            parts.append(str(block["text"]))
        else:
            raise ModelError(f"A message holds {block.get('type')!r}; this model reads text alone.", "Leave it out.")
    return "".join(parts)
