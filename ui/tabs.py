"""The tabs of the page, in the order in which they stand. A new one is one line in `TABS`.

A tab's view is a function that adds its components to the Blocks being built. It is given by name and imported when
a page is built, so that the list is cheap to import and a tab may need what others do not.

From any tab, an element with `data-ask="a question"` asks it in the chat when it is clicked (see `page.js`).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ui.serving.line import Line


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its label, and `module:function` of the view, which is called with the Rag.

    One that asks questions is also given the line in which they take their places.
    """

    label: str
    view: str
    takes_line: bool = False
    needs: str = ""
    """What a Rag must have for the tab to be there: one of the tests' may answer and no more."""

    @property
    def key(self) -> str:
        """Its id on the page: `fn-tab-chat`."""
        return f"fn-tab-{self.label.lower()}"

    def show(self, rag: Any, line: Line) -> None:
        """Add the tab's components to the Blocks that is being built."""
        module, name = self.view.split(":")
        view = getattr(import_module(module), name)
        view(rag, line) if self.takes_line else view(rag)


TABS = (
    Tab("Chat", "ui.chat:chat_view", takes_line=True),
    Tab("Library", "ui.library:library_view", needs="library"),
    Tab("Eval", "ui.evals:eval_view", takes_line=True, needs="library"),
)


def tabbed(rag: Any, line: Line) -> None:
    """Add every tab to the Blocks that is being built. Only the open one is in the page's document."""
    import gradio as gr

    with gr.Tabs(elem_id="fn-tabs"):
        for tab in (tab for tab in TABS if not tab.needs or hasattr(rag, tab.needs)):
            with gr.Tab(tab.label, id=tab.key, elem_id=tab.key, elem_classes="fn-tab"):
                tab.show(rag, line)
