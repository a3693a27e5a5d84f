"""One question on its way through a Rag, in a thread of its own.

Gradio runs an event handler as a generator and can only stop it between two of its steps, and closing it while the
model computes would wait. So the Rag is read in a thread here: pieces that come faster than a page can draw are
handed on together, and a stop is shown at once while the thread closes the Rag's iterator, which stops the model.

Knows nothing of Gradio, of turns or of HTML.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag import Event, FootnoteError

log = logging.getLogger(__name__)

UPDATE_EVERY_S = 0.08
"""Twelve redraws a second: text seems to flow, and a redraw of the current answer still fits in between."""

LETTING_GO_S = 10.0
"""How long the next question waits for a stopped one to let go of the model."""
ENDING_S = 5.0
"""How long the end of the process waits for all of them."""

_END = object()
_RUNNING: weakref.WeakSet[Asking] = weakref.WeakSet()


def stop_all(timeout_s: float = ENDING_S) -> None:
    """Stop every running question and wait until its Rag has let go, at most this long in all: for a clean end."""
    until = time.monotonic() + timeout_s
    running = list(_RUNNING)
    for asking in running:
        asking.stop()
    for asking in running:
        asking.join(max(0.0, until - time.monotonic()))


def is_anyone_asking() -> bool:
    """Whether a question is being answered now: what else needs the model can wait for it."""
    return any(asking.is_alive for asking in list(_RUNNING))


class Asking:
    """A running question. `batches()` gives its events; `stop()` may be called from any thread, at any time."""

    def __init__(
        self,
        rag: Any,
        question: str,
        history: Sequence[dict[str, str]] = (),
        where: Mapping[str, Any] | None = None,
    ) -> None:
        self._rag = rag
        self._question = question
        self._stopped = threading.Event()
        self._options: dict[str, Any] = {"history": list(history), "stopped": self._stopped.is_set}
        if where:
            self._options["where"] = dict(where)
        self._arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="footnote-answer", daemon=True)
        _RUNNING.add(self)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the Rag still works on it."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End `batches` now and the Rag's work at its next piece or reading."""
        self._stopped.set()
        self._arrived.put(_END)

    def join(self, timeout_s: float) -> None:
        """Wait until the Rag has really let go, at most this long."""
        self._thread.join(timeout_s)

    def batches(self, every_s: float = UPDATE_EVERY_S) -> Iterator[list[Event]]:
        """The events in order, those of `every_s` seconds together. Ends early after `stop`.

        Raises:
            Exception: whatever the Rag raised, after the events that came before it.
        """
        while not self._stopped.is_set():
            began = time.monotonic()
            arrived = [self._arrived.get()]
            while not self._arrived.empty():
                arrived.append(self._arrived.get())
            events = [item for item in arrived if item is not _END and not isinstance(item, Exception)]
            if events and not self._stopped.is_set():
                yield events
            for item in arrived:
                if isinstance(item, Exception):
                    raise item
                if item is _END:
                    return
            self._stopped.wait(max(0.0, every_s - (time.monotonic() - began)))

    def _work(self) -> None:
        try:
            self._read()
        except FootnoteError as error:
            self._arrived.put(error)
        except Exception as error:  # the edge: the reader gets a plain sentence, the log gets it whole
            log.exception("Answering %r failed", self._question)
            self._arrived.put(error)
        finally:
            self._arrived.put(_END)

    def _read(self) -> None:
        stream = self._rag.stream(self._question, **self._options)
        try:
            for event in stream:
                if self._stopped.is_set():
                    break
                self._arrived.put(event)
        finally:
            close = getattr(stream, "close", None)  # an iterator that is no generator has none
            if close is not None:
                close()
