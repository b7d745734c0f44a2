"""The port to whatever answers: one coroutine that streams a step of a turn and says how it ended.

A turn is a question and the steps that answer it; a step is one request to a model. It ends the turn, or asks for tools,
whose results the next step is given. Adapters implement `Assistant`; nothing else of this package knows a model library.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from jido_jupyter.core.messages import Message, Usage


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool; stored before the tool runs."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    problem: str | None = None  # why it cannot run; told to the model


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """A tool has ended. What it gave back comes with `Said`, once all tools of its step have ended."""

    id: str  # of its call
    outcome: str
    is_shown: bool = False  # the user saw all of it while the tool ran


@dataclass(frozen=True, slots=True)
class Began:
    """A step begins: what follows belongs to this message."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message is whole and stored, as far as that was possible: an answer, or the results of tools."""

    message: Message


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know about this turn; no part of the conversation."""

    text: str  # whole sentences


Event = Began | TextDelta | ReasoningDelta | ToolCall | ToolEnd | Said | Notice
Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ended. Only ``complete`` means that the model said it was done.

    ``calls``: it waits for the tools in ``calls``; ``truncated``: the answer stopped without the model saying so, or at its
    length limit; ``failed``: an error, told in ``error`` as one sentence with the next step; ``interrupted``: the user
    stopped it.
    """

    how: Literal["complete", "calls", "interrupted", "failed", "truncated"]
    error: str | None = None
    usage: Usage | None = None  # None: the server did not say
    model_name: str | None = None  # as the server names it; may differ from the one asked
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back, or why it did not."""

    response: str  # what the model is told
    outcome: Literal["done", "denied", "failed", "interrupted"] = "done"
    is_shown: bool = False  # the user saw all of it while the tool ran


class Interrupted(Exception):
    """The user stopped a tool that ran in the kernel's main thread."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may ask for."""

    name: str
    description: str  # for the model
    parameters: Mapping[str, Any]  # JSON schema of an object
    run: Callable[[Mapping[str, Any]], Awaitable[ToolResult]]  # never raises for wrong arguments


class StopToken:
    """A request to stop a running turn; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._stopped = False

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` at `stop`, in the thread that stops; at once when that was already."""
        with self._lock:
            if not self._stopped:
                self._callbacks.append(callback)
                return
        callback()


class Assistant(Protocol):
    """Something that answers."""

    @property
    def model_id(self) -> str:
        """``provider:name``; what is stored with each answer."""

    @property
    def label(self) -> str:
        """How answers are headed; an assistant that is no language model says so here."""

    async def step(
        self, said: Sequence[Message], instruction: str, tools: Sequence[Tool], emit: Emit, stop: StopToken
    ) -> StepEnd:
        """Go on after ``said``, calling ``emit`` for each piece as it comes; ``tools`` may be asked for, and are not run.

        ``said`` ends with a question or the results of tools, and may hold unfinished answers. ``instruction`` is what the
        model is told before all of it. Errors of the model, its server or the network come back as a `StepEnd`.
        """
