"""The session that users hold in Python: an open session together with whatever answers in it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from jido_jupyter.assistants import turn
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Assistant, Emit, Event, StopToken
from jido_jupyter.assistants.turn import Turn
from jido_jupyter.core.messages import Message, Origin, Role, Usage, text_part
from jido_jupyter.errors import IllegalTransition
from jido_jupyter.services.live import LiveSession

POLL_S = 0.1  # without it an interrupt is not seen on every system while the thread waits


@dataclass(frozen=True, slots=True)
class Started:
    """A question that is being answered."""

    question_id: str
    answer_id: str
    turn: Future[Turn]


class Session:
    """An open session. Each turn is durable when the call that made it returns.

    Args:
        assistant: returns what answers next; asked at each turn, so that the model can change in between.
        mint_id: returns a fresh id.
    """

    def __init__(
        self, live: LiveSession, engine: Engine, assistant: Callable[[], Assistant], mint_id: Callable[[], str]
    ) -> None:
        self.live = live
        self._engine = engine
        self._assistant = assistant
        self._mint_id = mint_id
        self._stop: StopToken | None = None  # of the turn that runs now
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        return self.live.id

    @property
    def title(self) -> str:
        return self.live.state.title

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.live.state.messages

    @property
    def todos(self) -> tuple[Mapping[str, Any], ...]:
        return self.live.state.todos

    @property
    def usage(self) -> Usage:
        """Tokens of the whole session; None where no server said."""
        known = [message.usage for message in self.messages if message.usage is not None]
        return Usage(_total(usage.input_tokens for usage in known), _total(usage.output_tokens for usage in known))

    @property
    def is_busy(self) -> bool:
        """Whether an answer is streaming."""
        return self._stop is not None

    def record(self, role: Role, text: str) -> Message:
        """Add a message that was said elsewhere, to any assistant, and make it durable."""
        message = Message(self._mint_id(), role, (text_part(text),), self.live.now())
        self.live.record([message])
        return message

    def ask(
        self,
        prompt: str,
        *,
        show: Callable[[Event], None] | None = None,
        rest: Callable[[], None] | None = None,
        origin: Origin | None = None,
    ) -> Turn:
        """Ask and wait for the answer. An interrupt (^C, the stop button) ends it; what had come is kept and marked.

        Args:
            show: called in this thread with each piece as it comes.
            rest: called in this thread whenever nothing has come for a moment.
            origin: the cell that asks.

        Raises:
            AssistantUnavailable: there is nothing to ask; nothing was stored.
            IllegalTransition: an answer is streaming already, or the session was closed.
            PayloadTooLarge: the session is full.
        """
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        running = self.start(prompt, events.put, origin=origin).turn
        presses = 0
        while not (running.done() and events.empty()):
            try:
                try:
                    event = events.get(timeout=POLL_S)
                except queue.Empty:
                    if rest:
                        rest()
                    continue
                if show:
                    show(event)
            except KeyboardInterrupt:
                presses += 1
                self.stop()
                if presses > 1:  # a second one never waits; the turn ends and is stored without us
                    raise
        return running.result()

    def start(self, prompt: str, emit: Emit, *, origin: Origin | None = None) -> Started:
        """Ask without waiting. ``emit`` is called in the engine's thread.

        Raises: as `ask`.
        """
        assistant = self._assistant()
        question = turn.ask_message(self._mint_id(), prompt, self.live.now(), origin)
        with self._lock:
            self._check_ready()
            self._stop = stop = StopToken()
        answer_id = self._mint_id()
        running = self._engine.submit(self._take(assistant, question, answer_id, emit, stop))
        return Started(question.id, answer_id, running)

    def stop(self) -> None:
        """End the answer that is streaming; what has come is kept."""
        if self._stop is not None:
            self._stop.stop()

    def save(self) -> str:
        """Make everything durable and return the revision. Turns are saved by themselves; this repeats one that was not."""
        return str(self.live.save())

    def rename(self, title: str) -> None:
        """Give the session a title; it is never replaced by an automatic one."""
        self.live.edit(title=title)

    def tag(self, *tags: str) -> None:
        """Set the session's tags."""
        self.live.edit(tags=tags)

    def pin(self, pinned: bool = True) -> None:
        self.live.edit(pinned=pinned)

    def rewind(self, message_id: str) -> None:
        """Go on after an earlier message; what came later is no part of the conversation any more."""
        self.live.rewind(message_id)

    def close(self) -> None:
        """Give the session up; it stays stored."""
        self.stop()
        self.live.close()

    def __repr__(self) -> str:
        return f"<Session {self.id[:8]} {self.title!r}, {len(self.messages)} messages>"

    def _check_ready(self) -> None:
        if self._stop is not None:
            raise IllegalTransition("answering", "take another question", "Wait for the answer or stop it first.")
        if not self.live.is_open:
            raise IllegalTransition(
                "closed here, or taken over elsewhere",
                "take a question",
                f"'%jido resume {self.id[:8]} --take-over' opens it here; '%jido new' starts another.",
            )

    async def _take(self, assistant: Assistant, question: Message, answer_id: str, emit: Emit, stop: StopToken) -> Turn:
        try:
            return await turn.take(self.live, assistant, question, answer_id, emit, stop)
        finally:
            self._stop = None  # before the future is done, so that the next question is never refused by a hair


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
