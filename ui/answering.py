"""One question from the end of the line to its Answer, for every door that lives in the server's event loop.

Gives where the question stands, then the Rag's events; leaves line and model whatever becomes of the caller. Knows
nothing of pages or HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

from rag import Answer, Event
from ui.asking import LETTING_GO_S, Asking
from ui.markup import ordinal
from ui.serving.line import Line

T = TypeVar("T")

_END = object()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The question waits; `ahead` of it are so many. Comes again every second while nothing changes."""

    ahead: int

    @property
    def text(self) -> str:
        """`3rd in the queue`: the one at the model is the first."""
        return f"{ordinal(self.ahead + 1)} in the queue"


async def events(
    rag: Any,
    line: Line,
    question: str,
    history: Sequence[dict[str, str]] = (),
    where: Mapping[str, Any] | None = None,
    who: str = "",
) -> AsyncGenerator[Waiting | Event]:
    """Waiting, as often as there is reason to say so, then what `Rag.stream` gives. Closing it stops the model.

    Raises:
        Refused: `line` does not let `who` in.
        FootnoteError: as `Rag.stream`.
    """
    with line.enter(who) as place:
        async for ahead in place.wait():
            yield Waiting(ahead)
        asking = Asking(rag, question, history, where)
        try:
            async with aclosing(in_threads(asking.batches(every_s=0.0))) as batches:
                async for batch in batches:
                    for event in batch:
                        yield event
        finally:
            asking.stop()
            await let_go(asking)


async def answer(rag: Any, line: Line, question: str, **more: Any) -> Answer:
    """The last of `events`."""
    last: Any = None
    async with aclosing(events(rag, line, question, **more)) as stream:
        async for event in stream:
            last = event
    assert isinstance(last, Answer)
    return last


async def let_go(asking: Asking) -> None:
    """Wait until a stopped question has let go of the model, LETTING_GO_S at most, even if the caller is cancelled."""
    with CancelScope(shield=True):
        await to_thread.run_sync(asking.join, LETTING_GO_S)


async def in_threads(items: Iterator[T]) -> AsyncGenerator[T]:
    """`items`, each computed in a thread outside the common limit, so that a slow one holds up nobody else."""
    limiter = CapacityLimiter(1)
    while True:
        item: Any = await to_thread.run_sync(next, items, _END, limiter=limiter, abandon_on_cancel=True)
        if item is _END:
            return
        yield item
