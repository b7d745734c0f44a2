"""A turn on its way to the page: pieces are collected for a moment, so that few messages travel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from jido_jupyter.assistants.port import Began, Event, Notice, ReasoningDelta, Said, TextDelta, ToolCall
from jido_jupyter.core import messages

BATCH_S: Final = 0.05  # between two pieces of an answer


class Stream:
    """Takes the events of one turn, and keeps what a page that is opened in the middle of it needs.

    Args:
        send: takes an event for the page.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._message_id = ""  # of the answer that is being written
        self._arrived: dict[str, list[str]] = {"delta": [], "reasoning": []}  # of it, by kind
        self._kind = ""
        self._pieces: list[str] = []  # of one kind, not sent yet

    @property
    def so_far(self) -> dict[str, Any]:
        """What has arrived of the answer that is being written."""
        text, reasoning = ("".join(self._arrived[kind]) for kind in ("delta", "reasoning"))
        return {"message_id": self._message_id, "text": text, "reasoning": reasoning}

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._add_piece("delta", text)
            case ReasoningDelta(text):
                self._add_piece("reasoning", text)
            case Began(message_id):
                self._message_id, self._arrived = message_id, {"delta": [], "reasoning": []}
                self._tell("began", message_id=message_id)
            case ToolCall(call_id, name, arguments):
                self._tell("call", call={"id": call_id, "name": name, "arguments": dict(arguments)})
            case Said(message):
                self._tell("said", message=messages.to_wire(message))
            case Notice(text):
                self._tell("notice", text=text)

    def flush(self) -> None:
        if self._pieces:
            text, self._pieces = "".join(self._pieces), []
            self._arrived[self._kind].append(text)
            self._send({"kind": "event", "event": self._kind, "message_id": self._message_id, "text": text})

    @contextlib.asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Keep sending what comes; the rest goes at the end."""

        async def keep_flushing() -> None:
            while True:
                await asyncio.sleep(BATCH_S)
                self.flush()

        flushing = asyncio.create_task(keep_flushing())
        try:
            yield
        finally:
            flushing.cancel()
            self.flush()

    def _add_piece(self, kind: str, text: str) -> None:
        if kind != self._kind:
            self.flush()
            self._kind = kind
        self._pieces.append(text)

    def _tell(self, event: str, **members: Any) -> None:
        self.flush()
        self._send({"kind": "event", "event": event, **members})
