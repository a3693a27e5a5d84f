"""The page's endpoint for Gradio's own client: `Client(url).predict("a question", api_name="/ask")`.

Gives `Answer.to_dict()`. Takes its place in the same line as everybody; a question that cannot be answered raises
`gradio_client.exceptions.AppError` there, with the reason.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from rag import FootnoteError
from ui.answering import answer
from ui.conversations.conversation import UNEXPECTED_PROBLEM, UNEXPECTED_REMEDY
from ui.doors.message import read_history
from ui.serving.line import Line


def named_endpoint(rag: Any, line: Line) -> None:
    """Add the endpoint `ask` to the Blocks that is being built."""

    async def ask(
        question: str,
        history: list[dict[str, Any]] | None = None,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> dict[str, Any]:
        """Answer a question from the library.

        Args:
            question: the question.
            history: earlier messages, oldest first: {"role": "user" or "assistant", "content": text}.
            request: given by Gradio.
        """
        who = request.username or request.session_hash or ""
        try:
            found = await answer(rag, line, question, history=read_history(history), who=who)
        except FootnoteError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except Exception as error:  # `ui.asking` has logged it
            raise gr.Error(f"{UNEXPECTED_PROBLEM} {UNEXPECTED_REMEDY}", print_exception=False) from error
        return found.to_dict()

    api(ask, api_name="ask", concurrency_limit=None)
