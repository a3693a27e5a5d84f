"""Turns tokens into text piece by piece: whole characters only, and never a part of a stop sequence.

Knows a tokenizer's `decode` and nothing else of models.

Source of the two-offset decoding: text-generation-inference and vLLM decode a short window with and without
its newest tokens, because a token's text may depend on the token before it (spaces, bytes of one character).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

REPLACEMENT = "\ufffd"
MAX_HELD_TOKENS = 8
"""A character takes at most four bytes, so at most four tokens; after twice that the replacement is real."""


class TextStream:
    """Feed it tokens with `push`; what it returns may be shown at once and is never taken back.

    After `push` has seen a stop sequence, `stopped` is true, and the text ends right before the sequence.
    """

    def __init__(self, decode: Callable[[list[int]], str], stop: Sequence[str] = ()) -> None:
        self._decode = decode
        self._stop = tuple(text for text in stop if text)
        self._tokens: list[int] = []
        self._window = 0  # first token of the decoding window
        self._read = 0  # first token whose text has not been taken yet
        self._pending = ""  # taken, but it may be the beginning of a stop sequence
        self.stopped = False

    def push(self, token: int) -> str:
        """The text that has become certain with `token`; often empty."""
        if self.stopped:
            return ""
        self._tokens.append(token)
        return self._release(self._new_text(is_last=False), is_last=False)

    def flush(self) -> str:
        """What was still held back, once no token follows. Half a character is dropped."""
        if self.stopped:
            return ""
        return self._release(self._new_text(is_last=True), is_last=True)

    def _new_text(self, *, is_last: bool) -> str:
        before = self._decode(self._tokens[self._window : self._read])
        now = self._decode(self._tokens[self._window :])
        if now.endswith(REPLACEMENT) and len(self._tokens) - self._read < MAX_HELD_TOKENS:
            if not is_last:
                return ""
            now = now.rstrip(REPLACEMENT)
        self._window, self._read = self._read, len(self._tokens)
        return now[len(before) :]

    def _release(self, text: str, *, is_last: bool) -> str:
        text = self._pending + text
        found = [place for place in (text.find(stop) for stop in self._stop) if place >= 0]
        if found:
            self.stopped = True
            self._pending = ""
            return text[: min(found)]
        held = 0 if is_last else self._beginning_of_stop(text)
        self._pending = text[len(text) - held :]
        return text[: len(text) - held]

    def _beginning_of_stop(self, text: str) -> int:
        """Length of the longest end of `text` that a stop sequence begins with."""
        longest = max((len(stop) for stop in self._stop), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stop):
                return length
        return 0
