"""The tools search, ask and verify for programs that speak the Model Context Protocol.

Each gives text for the model that reads it and the whole result as structured content. Knows nothing of how it is
served: see `ui.doors.mcp`. Needs the extra `mcp`.

Source: Model Context Protocol, https://modelcontextprotocol.io; its Python SDK, version 2.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from anyio import to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations

from rag import Answer, EvidenceFound, FootnoteError, __version__, verify
from rag.cli import answer_text, hit_text
from ui.answering import Waiting, events
from ui.doors.message import Message, as_history
from ui.serving.line import Line

INSTRUCTIONS = (
    "Footnote answers from one library of paper abstracts. `ask` gives an answer in which every sentence carries a "
    "[marker] to a verbatim sentence of an abstract, already checked; keep the markers with their sentences when you "
    "pass it on, and say so when it declines. `search` finds papers without a language model. `verify` checks the "
    "structured content of an earlier `ask` again."
)


class Tools:
    """The three tools over a Rag that may still be opening."""

    def __init__(self, opening: Future[Any]) -> None:
        self._opening = opening
        self._line = Line()

    async def search(self, question: str, k: int = 5, where: dict[str, Any] | None = None) -> CallToolResult:
        """Find the papers of the library nearest to a question or a few words, best first, without a language model.

        Args:
            question: what to look for.
            k: how many papers, 1 to 50.
            where: a filter on fields of a paper, such as {"year": {"gte": 2023}}.
        """
        rag = await self._rag()
        if not 1 <= k <= 50:
            raise ToolError(f"k is 1 to 50, not {k}.")
        hits = await _or_tool_error(lambda: rag.retrieve(question, k=k, where=where))
        text = "\n\n".join(hit_text(hit) for hit in hits) or "No paper fits."
        return _result(text, {"hits": [asdict(hit) for hit in hits]})

    async def ask(
        self,
        question: str,
        ctx: Context,
        history: list[Message] | None = None,
        where: dict[str, Any] | None = None,
    ) -> CallToolResult:
        """Answer a question from the library; every sentence has a footnote to the sentence of an abstract it rests on.

        Declines where the library does not say. The structured content is the whole receipt, fit for `verify`.

        Args:
            question: the question, in English.
            ctx: given by the server.
            history: earlier messages, oldest first: {"role": "user" or "assistant", "content": text}.
            where: a filter on fields of a paper, such as {"year": {"gte": 2023}}.
        """
        rag = await self._rag()
        found: Any = None
        steps = 0
        try:
            async with aclosing(events(rag, self._line, question, as_history(history or []), where)) as stream:
                async for event in stream:
                    found = event
                    if isinstance(event, (Waiting, EvidenceFound)):
                        steps += 1
                        waits = event.text if isinstance(event, Waiting) else f"{len(event.evidence)} sentences found"
                        await ctx.report_progress(steps, message=waits)
        except FootnoteError as error:
            raise ToolError(str(error)) from error
        assert isinstance(found, Answer)
        return _result(answer_text(found), found.to_dict())

    async def verify(self, receipt: dict[str, Any]) -> CallToolResult:
        """Check every citation of an earlier answer again, without a language model, and against the library.

        Args:
            receipt: the structured content that `ask` gave, unchanged.
        """
        rag = await self._rag()
        problems = await to_thread.run_sync(lambda: list(verify(receipt, rag.papers)))
        return _result("\n".join(problems) or "Every citation holds.", {"holds": not problems, "problems": problems})

    async def _rag(self) -> Any:
        return await _or_tool_error(self._opening.result)


def server(tools: Tools) -> MCPServer:
    """An MCP server with these tools."""
    made = MCPServer("footnote", title="Footnote", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING")
    reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    for tool in (tools.search, tools.ask, tools.verify):
        made.add_tool(tool, annotations=reads, structured_output=False)
    return made


async def _or_tool_error(work: Callable[[], Any]) -> Any:
    try:
        return await to_thread.run_sync(work, abandon_on_cancel=True)
    except FootnoteError as error:
        raise ToolError(str(error)) from error


def _result(text: str, data: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=data)
