"""One turn: the question is durable before it is asked, the answer while it streams and when it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from jido_jupyter.assistants.port import Assistant, Emit, Event, ReasoningDelta, StopToken, TextDelta
from jido_jupyter.core.messages import Message, Origin, Part, text_part
from jido_jupyter.errors import StoreError
from jido_jupyter.services.live import LiveSession

JOURNAL_S: Final = 0.5  # a killed process loses at most this much of an answer, plus one write


@dataclass(frozen=True, slots=True)
class Turn:
    question: Message
    answer: Message
    unsaved: StoreError | None = None  # why a part is in memory only; `save` writes it later


async def take(
    live: LiveSession,
    assistant: Assistant,
    question: Message,
    answer_id: str,
    emit: Emit,
    stop: StopToken,
) -> Turn:
    """Ask ``question`` in an open session, and return it with its answer, both stored.

    Raises:
        PayloadTooLarge, Conflict: the session takes no more; nothing was asked.
    """
    history = live.state.messages
    unsaved: StoreError | None = None
    try:
        live.record([question])
    except StoreError as error:  # the disk is full, say: the answer is still worth having
        unsaved = error
    arrived = _Arrived(emit)
    async with _journal(lambda text: live.record_partial(answer_id, text, assistant.model_id), arrived):
        end = await assistant.turn(history, question.text, arrived, stop)
    answer = Message(
        id=answer_id,
        role="assistant",
        parts=arrived.parts(),
        created_at=live.now(),
        status=end.how,
        error=end.error,
        model=assistant.model_id,
        origin=question.origin,
        usage=end.usage,
        ext={"model_name": end.model_name} if end.model_name else {},
    )
    try:
        live.record([answer], ends_turn=True)
        unsaved = None  # with it went whatever waited
    except StoreError as error:
        unsaved = error
    return Turn(question, answer, unsaved)


def ask_message(message_id: str, prompt: str, created_at: str, origin: Origin | None) -> Message:
    return Message(message_id, "user", (text_part(prompt),), created_at, origin=origin)


class _Arrived:
    """What has arrived of an answer; passes each event on."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._journalled = 0

    def __call__(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
        self._emit(event)

    def since_last(self) -> str:
        """Return the text that came since the last call."""
        new = "".join(self._text[self._journalled :])
        self._journalled = len(self._text)
        return new

    def parts(self) -> tuple[Part, ...]:
        reasoning, text = "".join(self._reasoning), "".join(self._text)
        thought: tuple[Part, ...] = ({"type": "reasoning", "content": reasoning},) if reasoning else ()
        return (*thought, text_part(text))


@contextlib.asynccontextmanager
async def _journal(write: Callable[[str], None], arrived: _Arrived) -> AsyncIterator[None]:
    """Write what arrives to the session twice a second, whether or not more comes."""

    async def keep_writing() -> None:
        while True:
            await asyncio.sleep(JOURNAL_S)
            if new := arrived.since_last():
                with contextlib.suppress(StoreError):  # told at the end of the turn, when the whole answer is stored
                    write(new)

    writing = asyncio.create_task(keep_writing())
    try:
        yield
    finally:
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
