"""The session that users hold in Python: an open session together with whatever answers in it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast, overload

from jido_jupyter.assistants import turn
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Assistant, Emit, Event, Interrupted, StopToken, Tool
from jido_jupyter.assistants.turn import Asked, Turn
from jido_jupyter.core.messages import ROLES, Message, Origin, Part, Role, Usage, text_part
from jido_jupyter.errors import IllegalTransition, InvalidField
from jido_jupyter.services.live import LiveSession

POLL_S = 0.1  # without it an interrupt is not seen on every system while the thread waits


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """What a tool wants to do, for the user to allow or deny."""

    tool: str
    summary: str  # one line
    code: str | None = None  # that would run


class Desk(Protocol):
    """What tools need of the door that a question came through: a user to ask, and the kernel's main thread."""

    async def allows(self, request: Request) -> bool:
        """Return whether the user allows it; False where nobody can answer."""

    async def in_main(self, work: Callable[[], T]) -> T:
        """Run ``work`` in the kernel's main thread, where user code runs, and return what it returns."""


class Surroundings(Protocol):
    """What a session works in: a notebook, or nothing."""

    def instruction(self) -> str:
        """Return what a model is told before the conversation."""

    def tools(self, session: Session, desk: Desk) -> Sequence[Tool]:
        """Return what a model may ask for."""

    def look(self) -> Mapping[str, Any] | None:
        """Return what the notebook looks like now; None where there is none."""


class Nowhere:
    """Surroundings without a notebook: there is only the conversation."""

    def instruction(self) -> str:
        return ""

    def tools(self, session: Session, desk: Desk) -> Sequence[Tool]:
        return ()

    def look(self) -> Mapping[str, Any] | None:
        return None


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
        around: what it works in.
        context_tokens: of a conversation that a model is sent at most; None takes what is usual for the model.
    """

    def __init__(
        self,
        live: LiveSession,
        engine: Engine,
        assistant: Callable[[], Assistant],
        mint_id: Callable[[], str],
        around: Surroundings | None = None,
        context_tokens: int | None = None,
    ) -> None:
        self.live = live
        self._engine = engine
        self._assistant = assistant
        self._mint_id = mint_id
        self._around = around or Nowhere()
        self._context_tokens = context_tokens
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
        return turn.total_usage(message.usage for message in self.messages)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is streaming."""
        return self._stop is not None

    @overload
    def record(self, said: Role, text: str, /, *, origin: Origin | None = None) -> Message: ...

    @overload
    def record(self, said: object, /, *, origin: Origin | None = None) -> tuple[Message, ...]: ...

    def record(
        self, said: object, text: str | None = None, /, *, origin: Origin | None = None
    ) -> Message | tuple[Message, ...]:
        """Add what was said elsewhere, to any assistant, and make it durable: ``record("user", "How many rows?")``.

        Args:
            said: who said ``text``; or, without one, a message as OpenAI, Anthropic, pydantic-ai, LangChain or chatlas
                write it, an object of theirs, a whole answer of a client, or a list of these.
            origin: the cell in which it was said.

        Returns:
            The message; for anything but a role and a text all messages that came of it.

        Raises:
            InvalidField: it has no shape that is known, and the error says what was expected; nothing was added.
            PayloadTooLarge: the session is full; nothing was added.
            StoreError, StaleRevision: it could not be stored now, and is kept in memory for `save`.
        """
        if isinstance(said, str):
            message = Message(
                self._mint_id(), _role(said, text), (text_part(text or ""),), self.live.now(), origin=origin
            )
            self.live.record([message])
            return self.live.message(message.id) or message  # as it is stored
        from jido_jupyter.services import shapes  # a kernel that records nothing does not read them

        now = self.live.now()
        added = tuple(draft.as_message(self._mint_id(), now, origin) for draft in shapes.read(said))
        if not added:
            return ()
        self.live.record(added)
        ids = {message.id for message in added}
        return tuple(message for message in self.messages if message.id in ids)  # as they are stored

    def ask(
        self,
        prompt: str,
        *,
        show: Callable[[Event], None] | None = None,
        rest: Callable[[], None] | None = None,
        consent: Callable[[Request], bool] | None = None,
        origin: Origin | None = None,
        with_tools: bool = True,
        attached: Sequence[Part] = (),
        assistant: Assistant | None = None,
    ) -> Turn:
        """Ask and wait for the answer. An interrupt (^C, the stop button) ends it; what had come is kept and marked.

        Args:
            show: called in this thread with each event as it comes.
            rest: called in this thread whenever nothing has come for a moment.
            consent: called in this thread when a tool needs the user's leave; None denies all of them.
            origin: the cell that asks.
            with_tools: whether the model may ask for tools.
            attached: what goes with the question.
            assistant: answers this one question; None: the one that answers in this session.

        Raises:
            AssistantUnavailable: there is nothing to ask; nothing was stored.
            IllegalTransition: an answer is streaming already, or the session was closed.
            PayloadTooLarge: the session is full.
        """
        items: queue.SimpleQueue[Event | _Errand] = queue.SimpleQueue()
        desk = _WaitingThread(items, consent or _deny)
        running = self.start(
            prompt, items.put, desk, origin=origin, with_tools=with_tools, attached=attached, assistant=assistant
        ).turn
        presses = 0
        while not (running.done() and items.empty()):
            try:
                try:
                    item = items.get(timeout=POLL_S)
                except queue.Empty:
                    if rest:
                        rest()
                    continue
                if isinstance(item, _Errand):
                    item.run()
                elif show:
                    show(item)
            except KeyboardInterrupt:
                presses += 1
                self.stop()
                if presses > 1:  # a second one never waits; the turn ends and is stored without us
                    raise
        return running.result()

    def start(
        self,
        prompt: str,
        emit: Emit,
        desk: Desk | None = None,
        *,
        origin: Origin | None = None,
        with_tools: bool = True,
        attached: Sequence[Part] = (),
        assistant: Assistant | None = None,
    ) -> Started:
        """Ask without waiting. ``emit`` is called in the engine's thread; without a ``desk`` no tool is allowed anything.

        Raises: as `ask`.
        """
        assistant = assistant or self._assistant()
        question = turn.ask_message(self._mint_id(), prompt, self.live.now(), origin, attached)
        asked = Asked(
            question,
            self._around.instruction(),
            self._around.tools(self, desk or _Nobody()) if with_tools else (),
            context_tokens=self._context_tokens,
            look=self._around.look,
        )
        with self._lock:
            self._check_ready()
            self._stop = stop = StopToken()
        answer_id = self._mint_id()
        running = self._engine.submit(self._take(assistant, asked, answer_id, emit, stop))
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

    async def _take(self, assistant: Assistant, asked: Asked, answer_id: str, emit: Emit, stop: StopToken) -> Turn:
        try:
            return await turn.take(self.live, assistant, asked, answer_id, self._mint_id, emit, stop)
        finally:
            self._stop = None  # before the future is done, so that the next question is never refused by a hair


class _Errand:
    """Something that the waiting thread is asked to do in between."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self.done: Future[Any] = Future()

    def run(self) -> None:
        try:
            self.done.set_result(self._work())
        except Exception as error:
            self.done.set_exception(error)
        except BaseException:  # an interrupt: as such it would take the engine down with the tool
            self.done.set_exception(Interrupted())
            raise


class _WaitingThread:
    """The desk of the thread that waits in `Session.ask`."""

    def __init__(self, items: queue.SimpleQueue[Event | _Errand], consent: Callable[[Request], bool]) -> None:
        self._items = items
        self._consent = consent

    async def allows(self, request: Request) -> bool:
        return await self.in_main(lambda: self._consent(request))

    async def in_main(self, work: Callable[[], T]) -> T:
        errand = _Errand(work)
        self._items.put(errand)
        found: T = await asyncio.wrap_future(errand.done)
        return found


class _Nobody:
    """The desk where nobody can answer."""

    async def allows(self, request: Request) -> bool:
        return False

    async def in_main(self, work: Callable[[], T]) -> T:
        return work()


def _role(said: str, text: object) -> Role:
    if not isinstance(text, str):
        raise InvalidField("said", f"a text needs to say who said it, as in record('user', {said[:40]!r})")
    if said not in ROLES:
        raise InvalidField("role", f"expected one of {', '.join(ROLES)}, found {said[:40]!r}")
    return cast(Role, said)


def _deny(request: Request) -> bool:
    return False
