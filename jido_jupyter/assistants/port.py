"""The port to whatever answers: one coroutine that streams events and says how the turn ended.

Adapters implement `Assistant`; nothing else of this package knows a model library.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from jido_jupyter.core.messages import Message, Usage


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what the model thinks before it answers."""

    text: str


Event = TextDelta | ReasoningDelta
Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How a turn ended. Only ``complete`` means that the model said it was done.

    ``truncated``: the answer stopped without the model saying so, or at its length limit; ``failed``: an error, told in
    ``error`` as one sentence with the next step; ``interrupted``: the user stopped it.
    """

    how: Literal["complete", "interrupted", "failed", "truncated"]
    error: str | None = None
    usage: Usage | None = None  # None: the server did not say
    model_name: str | None = None  # as the server names it; may differ from the one asked


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
    """Something that answers a prompt."""

    @property
    def model_id(self) -> str:
        """``provider:name``; what is stored with each answer."""

    @property
    def label(self) -> str:
        """How answers are headed; an assistant that is no language model says so here."""

    async def turn(self, history: Sequence[Message], prompt: str, emit: Emit, stop: StopToken) -> TurnEnd:
        """Answer ``prompt`` after ``history``, calling ``emit`` for each event as it comes.

        ``history`` ends before the prompt and may hold unfinished answers. Errors of the model, its server or the network
        come back as a `TurnEnd`; they are not raised.
        """
