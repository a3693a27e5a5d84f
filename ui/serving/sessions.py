"""What the server remembers of each open page: no more after a hundred questions than after one.

Works around Gradio 6.31.0. Expected: a component that an event leaves out stays what it is. Actual: it is made anew
under another id, and from the next event on it is kept under that id, too, with its value, which is the HTML of a
conversation. Cause: `Blocks.postprocess_data` stores the new one under the old id and later asks it for its own. Here
it is given the id that it is stored under.
"""

from __future__ import annotations

from typing import Any

from gradio.blocks import Block, Blocks
from gradio.state_holder import SessionState, StateHolder

MOST = 1000
"""Pages remembered, the last used; Gradio would remember 10,000, closed ones too. One forgotten begins a new chat."""


class Session(SessionState):
    """One page's components and state."""

    def __setitem__(self, key: int, value: Any) -> None:
        if isinstance(value, Block):
            value._id = key
        super().__setitem__(key, value)


class Sessions(StateHolder):
    """Every page's Session, by its hash."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)


def remember_little(page: Any, blocks: Blocks) -> None:
    """Have the application of Gradio's that serves `blocks` keep its sessions here. Before anybody has asked for it."""
    blocks.state_session_capacity = MOST
    page.state_holder = Sessions()  # type: ignore[no-untyped-call]  # Gradio's own is not annotated
    page.state_holder.set_blocks(blocks)
