"""One turn: the question is durable before it is asked, each answer while it streams and when it ends, each tool call
before it runs and each result before the model is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jido_jupyter.assistants import window
from jido_jupyter.assistants.port import (
    Assistant,
    Began,
    Emit,
    Event,
    Interrupted,
    ReasoningDelta,
    Said,
    StepEnd,
    StopToken,
    TextDelta,
    Tool,
    ToolCall,
    ToolEnd,
    ToolResult,
)
from jido_jupyter.core.messages import Message, Origin, Part, Usage, text_part
from jido_jupyter.errors import JidoError, StoreError
from jido_jupyter.services.live import LiveSession

_MOST_PAUSE_S: Final = 30.0  # between two tries to write to a store that does not answer
JOURNAL_S: Final = 0.5  # a killed process loses at most this much of an answer, plus one write
MAX_STEPS: Final = 25  # requests to a model that answer one question
_TOO_MANY: Final = f"The model asked for tools {MAX_STEPS} times without an end. Ask it to go on, or ask for less."
_UNKNOWN: Final = Usage()
_INTERRUPTED: Final = ToolResult("interrupted", "interrupted")


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that a turn is asked with."""

    question: Message
    instruction: str = ""
    tools: Sequence[Tool] = ()
    context_tokens: int | None = None  # that are sent at most; None: what is usual for the model
    look: Callable[[], Mapping[str, Any] | None] = lambda: None  # what the notebook looks like when the turn ends


@dataclass(frozen=True, slots=True)
class Turn:
    question: Message
    said: tuple[Message, ...]  # what came of it: answers and results of tools
    unsaved: StoreError | None = None  # why a part is in memory only; `save` writes it later
    usage: Usage = _UNKNOWN  # tokens of all its requests; None where no server said
    redacted: int = 0  # keys and passwords that were taken out of it

    @property
    def answer(self) -> Message:
        """The last answer."""
        return next(message for message in reversed(self.said) if message.role == "assistant")


async def take(
    live: LiveSession,
    assistant: Assistant,
    asked: Asked,
    answer_id: str,
    mint_id: Callable[[], str],
    emit: Emit,
    stop: StopToken,
) -> Turn:
    """Ask in an open session, and return what came of it, all stored.

    Args:
        answer_id: of the first answer.
        mint_id: returns the ids of what comes after.

    Raises:
        PayloadTooLarge, Conflict: the session takes no more; nothing was asked.
    """
    said: list[Message] = []
    unsaved: StoreError | None = None

    def keep(message: Message, *, ends_turn: bool, context: Mapping[str, Any] | None = None) -> Message:
        nonlocal unsaved
        try:
            live.record([message], context=context, ends_turn=ends_turn)
            unsaved = None  # with it went whatever waited
        except StoreError as error:  # the disk is full, say: the answer is still worth having
            unsaved = error
        return live.message(message.id) or message

    question = keep(asked.question, ends_turn=False)
    tokens = window.limit(assistant.model_id, asked.context_tokens)
    sight = window.Window(live, assistant, tokens, emit, stop)
    for number in range(MAX_STEPS):
        emit(Began(answer_id))
        arrived = _Arrived(emit)
        messages = await sight.messages()
        async with _journal(live, answer_id, assistant.model_id, arrived):
            end = await assistant.step(messages, asked.instruction, asked.tools, arrived, stop)
        if end.how == "calls" and number == MAX_STEPS - 1:
            end = StepEnd("failed", _TOO_MANY, end.usage, end.model_name)
        is_last = end.how != "calls"
        answer = _answer(answer_id, live.now(), assistant, asked.question.origin, arrived, end)
        answer = keep(answer, ends_turn=True, context=asked.look() if is_last else None)
        said.append(answer)
        emit(Said(answer))
        if is_last:
            break
        results = await _run(end.calls, asked.tools, emit, stop)
        told = Message(mint_id(), "tool", results, live.now(), origin=asked.question.origin)
        told = keep(told, ends_turn=True)
        said.append(told)
        emit(Said(told))
        answer_id = mint_id()
    usage = total_usage([sight.usage, *(message.usage for message in said)])
    return Turn(question, tuple(said), unsaved, usage, redacted_of([question, *said]))


def total_usage(counts: Iterable[Usage | None]) -> Usage:
    """Return the sum of what servers counted; None where none did."""
    known = [usage for usage in counts if usage is not None]
    return Usage(_total(usage.input_tokens for usage in known), _total(usage.output_tokens for usage in known))


def redacted_of(said: Iterable[Message]) -> int:
    """Return how many keys and passwords were taken out of stored messages."""
    return sum(count for message in said if isinstance(count := message.ext.get("redacted"), int))


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def ask_message(
    message_id: str, prompt: str, created_at: str, origin: Origin | None, attached: Sequence[Part] = ()
) -> Message:
    return Message(message_id, "user", (text_part(prompt), *attached), created_at, origin=origin)


async def _run(calls: Sequence[ToolCall], tools: Sequence[Tool], emit: Emit, stop: StopToken) -> tuple[Part, ...]:
    """Run tools one after the other, as their model asked; after a stop the rest is told to be interrupted."""
    by_name = {tool.name: tool for tool in tools}
    parts: list[Part] = []
    for call in calls:
        emit(call)
        if stop.is_stopped:
            result = _INTERRUPTED
        elif call.problem is not None:
            result = ToolResult(call.problem, "failed")
        elif call.name not in by_name:
            known = ", ".join(by_name) or "none"
            result = ToolResult(f"There is no tool {call.name!r}; there is: {known}.", "failed")
        else:
            result = await _stoppable(by_name[call.name], call, stop)
        emit(ToolEnd(call.id, result.outcome, result.is_shown))
        part = {"type": "tool_call_response", "id": call.id, "response": result.response}
        parts.append(part if result.outcome == "done" else {**part, "outcome": result.outcome})
    return tuple(parts)


async def _stoppable(tool: Tool, call: ToolCall, stop: StopToken) -> ToolResult:
    running = asyncio.ensure_future(tool.run(call.arguments))
    loop = asyncio.get_running_loop()
    stop.on_stop(lambda: cancel(loop, running))
    try:
        return await running
    except asyncio.CancelledError:
        if not stop.is_stopped:
            raise
        return _INTERRUPTED
    except Interrupted:
        return _INTERRUPTED
    except Exception as error:  # a tool must not take the turn, and what was said in it, down
        return ToolResult(f"The tool failed: {type(error).__name__}: {error}", "failed")


def cancel(loop: asyncio.AbstractEventLoop, running: asyncio.Future[Any]) -> None:
    """Cancel from any thread; what is over, with its loop perhaps, stays as it is."""
    try:
        loop.call_soon_threadsafe(running.cancel)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _answer(
    message_id: str, now: str, assistant: Assistant, origin: Origin | None, arrived: _Arrived, end: StepEnd
) -> Message:
    calls = [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": dict(call.arguments)} for call in end.calls
    ]
    return Message(
        id=message_id,
        role="assistant",
        parts=(*arrived.parts(has_calls=bool(calls)), *calls),
        created_at=now,
        status="complete" if end.how == "calls" else end.how,
        error=end.error,
        model=assistant.model_id,
        origin=origin,
        usage=end.usage,
        ext={"model_name": end.model_name} if end.model_name else {},
    )


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

    def parts(self, *, has_calls: bool) -> tuple[Part, ...]:
        reasoning, text = "".join(self._reasoning), "".join(self._text)
        thought: tuple[Part, ...] = ({"type": "reasoning", "content": reasoning},) if reasoning else ()
        return thought if has_calls and not text else (*thought, text_part(text))


@contextlib.asynccontextmanager
async def _journal(live: LiveSession, answer_id: str, model_id: str, arrived: _Arrived) -> AsyncIterator[None]:
    """Write what arrives to the session twice a second, whether or not more comes."""

    over = asyncio.Event()

    async def keep_writing() -> None:
        pause_s = JOURNAL_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await over.wait()
                    return
            if new := arrived.since_last():
                try:
                    # In a thread: a store that hangs must not hold up what streams.
                    await asyncio.to_thread(live.record_partial, answer_id, new, model_id)
                    pause_s = JOURNAL_S
                except JidoError:  # told at the end of the turn, when the whole answer is stored
                    pause_s = min(2 * pause_s, _MOST_PAUSE_S)

    writing = asyncio.create_task(keep_writing())
    try:
        yield
    finally:
        over.set()  # not cancelled: a piece on its way must not come after the answer
        await writing
