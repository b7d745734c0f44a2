"""The panel: the kernel's session and all stored ones, as a widget in the notebook.

The browser sends requests and gets one reply each; what changes by itself is pushed. Everything is worked on in the
engine, because a callback may run in any thread and must not keep a busy kernel waiting. The panel is drawn from the
store, never from widget state, so that it is right again after a reload.

::

    browser -> kernel  {kind: "request", id, method, params}
    kernel -> browser  {kind: "reply", id, result}  or  {kind: "reply", id, problem}  (RFC 9457)
    kernel -> browser  {kind: "event", event, ...}

    method     params                      result
    hello      view                        {current, turn, consent, notebook}; the view exists from now on
    here       view                        null; it still does (asked for while a consent waits)
    gone       view                        null; with the last view goes what waits for the user
    find       query, cursor, limit        {hits: [{session, snippet}], next_cursor, count}; pinned ones first
    show       id                          head: summary, todos, usage; for the current one is_busy, is_here
    messages   id, revision, before, limit {messages, start, total}: those before number ``before`` (null: the last ones)
    new        title                       head
    resume     id, take_over, trust        {session: head, briefing}
    fork       id, message                 {session: head, briefing}; the copy is open here
    edit       id; title, tags, pinned ... head
    delete     id                          null; to the trash
    restore    id                          null; out of it
    save, close                            head, null
    ask        prompt                      {user_message_id, message_id}
    retry                                  the same: the last question again; what it led to stays in the log only
    rewind     message                     head
    todos      todos                       head
    consent    id, allow, always           null
    stop                                   null

    event      members
    changed    current (head or null)      something in the store; the browser asks for what it shows
    asked      message                     a turn begins
    began      message_id                  a step of it: what follows belongs to this answer
    reasoning  message_id, text            the next piece
    delta      message_id, text            the next piece
    call       call {id, name, arguments}  a tool runs
    said       message                     an answer, or the results of tools, whole
    notice     text                        something the user should know about the turn
    turn_end                               no more comes
    consent    id, tool, summary, code     the user is asked
    consent_over id                        it needs no answer any more
    waiting    is_waiting                  code that was allowed waits for a running cell
    problem    problem                     something went wrong outside any request

A question that can only be answered in a page is denied when the last page is closed, or falls silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anywidget

from jido_jupyter.assistants.conversation import Request, Session, Started
from jido_jupyter.core import messages
from jido_jupyter.core.messages import Message, Part, text_part
from jido_jupyter.core.query import parse
from jido_jupyter.core.records import START
from jido_jupyter.errors import IllegalTransition, InvalidField, InvalidRequest, JidoError
from jido_jupyter.notebook import context, turns
from jido_jupyter.notebook.desk import Consent, MainThread
from jido_jupyter.notebook.stream import Stream
from jido_jupyter.services import wire
from jido_jupyter.services.sessions import Sessions, Shown
from jido_jupyter.store.contract import Hit

if TYPE_CHECKING:
    from jido_jupyter.notebook.kernel import Kernel

T = TypeVar("T")
_log = logging.getLogger(__name__)

STATIC: Final = Path(__file__).parent / "static"
LOOK_S: Final = 1.0  # between two looks at the store
PATIENCE_S: Final = 150.0  # a page in the background says once a minute that it is there, at best
BUG: Final = "This is a bug of jido_jupyter; the kernel's log has its traceback. Nothing that was saved is lost."
MOST: Final = 500  # sessions or messages in one reply


class PanelWidget(anywidget.AnyWidget):
    """A chat with the kernel's current session, and the list of all.

    Args:
        kernel: whose session it shows.
        main: where code runs that the user allows; None where there is no kernel loop.
    """

    _esm = STATIC / "panel.js"
    _css = STATIC / "panel.css"

    def __init__(self, kernel: Kernel, main: MainThread | None = None) -> None:
        super().__init__()
        self._kernel = kernel
        self._main = main
        self._views: dict[str, float] = {}  # when each was heard of last [s, monotonic]
        self._consent = Consent(self.send, lambda: bool(self._views), kernel.sessions.mint_id)
        self._stream: Stream | None = None  # of the turn that runs now
        self._turns: set[asyncio.Task[None]] = set()
        self._read: tuple[str, Shown] | None = None  # the session that is being read, so that its pages need one load
        self.on_msg(self._received)
        self._watching = kernel.engine.submit(self._watch())

    def close(self) -> None:
        self._watching.cancel()
        super().close()

    def _received(self, _: Any, content: Any, __: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "request":
            self._kernel.engine.submit(self._reply(content))

    async def _reply(self, request: dict[str, Any]) -> None:
        method, params = request.get("method"), request.get("params") or {}
        reply: dict[str, Any] = {"kind": "reply", "id": request.get("id")}
        try:
            if method not in _METHODS:
                raise InvalidRequest(
                    f"The panel has no method {method!r}. Reload the page to get the panel of this version."
                )
            reply["result"] = await _METHODS[method](self, params)
        except JidoError as error:
            reply["problem"] = wire.problem(error)
        except Exception as error:  # a bug of ours, and no reason to let the page wait for ever
            _log.exception("The panel's request %r failed", method)
            reply["problem"] = _bug(error)
        self.send(reply)
        if method in _CHANGING:
            await self._tell_changed()

    async def _watch(self) -> None:
        """Tell what other doors and kernels changed, and notice when nobody looks any more."""
        seen = ""
        while self.comm is not None:
            with contextlib.suppress(JidoError):  # a store that is away now may be back at the next look
                changes = await asyncio.to_thread(self._kernel.sessions.changes)
                if changes != seen:
                    seen = changes
                    await self._tell_changed()
            if self._consent.asked is not None and not self._is_watched():
                self._consent.deny()
            await asyncio.sleep(LOOK_S)

    def _is_watched(self) -> bool:
        return any(time.monotonic() - heard < PATIENCE_S for heard in self._views.values())

    async def _tell_changed(self) -> None:
        self._tell("changed", current=await self._current())

    def _tell(self, event: str, **members: Any) -> None:
        self.send({"kind": "event", "event": event, **members})

    # Views

    async def _hello(self, params: dict[str, Any]) -> dict[str, Any]:
        await self._here(params)
        return {
            "current": await self._current(),
            "turn": None if self._stream is None else self._stream.so_far,
            "consent": self._consent.asked,
            "notebook": context.notebook_path(),
        }

    async def _here(self, params: dict[str, Any]) -> None:
        self._views[str(params.get("view"))] = time.monotonic()

    async def _gone(self, params: dict[str, Any]) -> None:
        self._views.pop(str(params.get("view")), None)
        if not self._views:
            self._consent.deny()

    # Reading

    async def _find(self, params: dict[str, Any]) -> dict[str, Any]:
        query, cursor = str(params.get("query") or ""), params.get("cursor")
        limit = _count(params, "limit", 50)
        return await asyncio.to_thread(page, self._kernel.sessions, query, cursor, limit)

    async def _show(self, params: dict[str, Any]) -> dict[str, Any]:
        session_id = str(params.get("id"))
        if self._is_current(session_id) and (current := await self._current()):
            return current
        shown = await asyncio.to_thread(self._kernel.sessions.show, session_id)
        self._read = (session_id, shown)
        return wire.head(shown)

    async def _messages(self, params: dict[str, Any]) -> dict[str, Any]:
        shown = await self._shown(str(params.get("id")), params.get("revision"))
        said = shown.state.messages
        end = _count(params, "before", len(said), most=len(said))
        start = max(0, end - _count(params, "limit", 100))
        found = [messages.to_wire(message) for message in said[start:end]]
        return {"messages": found, "start": start, "total": len(said)}

    async def _shown(self, session_id: str, revision: object) -> Shown:
        """Return a session: the open one as it is in memory, another one as it was read last when that is ``revision``."""
        session = self._kernel.session
        if session is not None and session.id == session_id and session.live.is_open:
            return Shown(session.live.state, session.live.revision)
        if self._read is None or self._read[0] != session_id or str(self._read[1].revision) != revision:
            self._read = (session_id, await asyncio.to_thread(self._kernel.sessions.show, session_id))
        return self._read[1]

    async def _current(self) -> dict[str, Any] | None:
        session = self._kernel.session
        if session is None:
            return None
        live = session.live
        if live.is_open:
            head = wire.head(Shown(live.state, live.revision)) | {"state": "open"}
        else:  # taken over elsewhere: the store knows more than we do
            head = wire.head(await asyncio.to_thread(self._kernel.sessions.show, session.id))
        return head | {"is_here": live.is_open, "is_busy": session.is_busy, "is_saved": live.is_saved}

    def _is_current(self, session_id: str) -> bool:
        return self._kernel.session is not None and self._kernel.session.id == session_id

    # Sessions

    async def _new(self, params: dict[str, Any]) -> dict[str, Any] | None:
        await asyncio.to_thread(self._kernel.new, params.get("title"))
        return await self._current()

    async def _resume(self, params: dict[str, Any]) -> dict[str, Any]:
        take_over, trust = (params.get(name) is True for name in ("take_over", "trust"))
        _, briefing = await asyncio.to_thread(
            functools.partial(self._kernel.resume, str(params.get("id")), take_over=take_over, trust=trust)
        )
        return {"session": await self._current(), "briefing": briefing.to_wire()}

    async def _fork(self, params: dict[str, Any]) -> dict[str, Any]:
        message_id = params.get("message")
        copy = await asyncio.to_thread(
            self._kernel.sessions.fork, str(params.get("id")), None if message_id is None else str(message_id)
        )
        return await self._resume({"id": copy.state.id})

    async def _edit(self, params: dict[str, Any]) -> dict[str, Any] | None:
        session_id = str(params.get("id"))
        changes = {name: value for name, value in params.items() if name != "id"}
        session = self._kernel.session
        if session is not None and session.id == session_id and session.live.is_open:
            await asyncio.to_thread(functools.partial(session.live.edit, **changes))
            return await self._current()
        return wire.head(await asyncio.to_thread(functools.partial(self._kernel.sessions.edit, session_id, **changes)))

    async def _delete(self, params: dict[str, Any]) -> None:
        session_id = str(params.get("id"))
        if self._is_current(session_id):
            await self._close({})
        await asyncio.to_thread(self._kernel.sessions.trash, session_id)

    async def _restore(self, params: dict[str, Any]) -> None:
        await asyncio.to_thread(self._kernel.sessions.restore, str(params.get("id")))

    async def _save(self, params: dict[str, Any]) -> dict[str, Any] | None:
        await asyncio.to_thread(self._kernel.opened().save)
        return await self._current()

    async def _close(self, params: dict[str, Any]) -> None:
        await asyncio.to_thread(self._kernel.close)

    # The conversation

    async def _ask(self, params: dict[str, Any]) -> dict[str, Any]:
        prompt = str(params.get("prompt") or "").strip()
        if not prompt:
            raise InvalidRequest("There is no question. Write one first.")
        await asyncio.to_thread(self._kernel.assistant)  # the first call imports a model library
        session = await asyncio.to_thread(self._kernel.current)
        return self._begin(session, prompt)

    async def _retry(self, params: dict[str, Any]) -> dict[str, Any]:
        session = self._idle()
        said = session.messages
        place = turns.start_of_last(said)
        await asyncio.to_thread(self._kernel.assistant)  # before anything is taken back
        await asyncio.to_thread(session.rewind, said[place - 1].id if place else START)
        await self._tell_changed()
        return self._begin(session, *turns.asked_with(said[place]))

    def _begin(self, session: Session, prompt: str, attached: tuple[Part, ...] = ()) -> dict[str, Any]:
        stream = Stream(self.send)
        desk = _Desk(session.id, self._consent, self._main, lambda waits: self._tell("waiting", is_waiting=waits))
        started = session.start(prompt, stream.add, desk, attached=attached)
        question = Message(started.question_id, "user", (text_part(prompt), *attached), session.live.now())
        self._tell("asked", message=messages.to_wire(question))  # before the turn's first event: this loop runs both
        self._stream = stream
        turn = asyncio.create_task(self._finish(started, stream))
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        return {"user_message_id": started.question_id, "message_id": started.answer_id}

    async def _finish(self, started: Started, stream: Stream) -> None:
        try:
            async with stream.flowing():
                taken = await asyncio.wrap_future(started.turn)
            if taken.unsaved is not None:
                self._tell("problem", problem=wire.problem(taken.unsaved))
        except JidoError as error:
            self._tell("problem", problem=wire.problem(error))
        except Exception as error:  # a bug, ours or the assistant's; what had arrived is stored
            _log.exception("A turn failed")
            self._tell("problem", problem=_bug(error))
        finally:
            self._stream = None
            self._tell("turn_end")
        await self._tell_changed()

    async def _stop(self, params: dict[str, Any]) -> None:
        if self._kernel.session is not None:
            self._kernel.session.stop()

    async def _rewind(self, params: dict[str, Any]) -> dict[str, Any] | None:
        await asyncio.to_thread(self._idle().rewind, str(params.get("message")))
        return await self._current()

    async def _todos(self, params: dict[str, Any]) -> dict[str, Any] | None:
        todos = params.get("todos")
        if not isinstance(todos, list) or not all(isinstance(todo, dict) for todo in todos):
            raise InvalidField("todos", "must be a list of objects with text and status")
        await asyncio.to_thread(self._kernel.opened().live.set_todos, todos)
        return await self._current()

    async def _settle(self, params: dict[str, Any]) -> None:
        self._consent.settle(
            str(params.get("id")), is_allowed=params.get("allow") is True, always=params.get("always") is True
        )

    def _idle(self) -> Session:
        session = self._kernel.opened()
        if session.is_busy:
            raise IllegalTransition("answering", "be changed", "Wait for the answer or stop it first.")
        return session


_panels: weakref.WeakKeyDictionary[Kernel, PanelWidget] = weakref.WeakKeyDictionary()


def panel_of(kernel: Kernel) -> PanelWidget:
    """Return the kernel's panel: one, shown wherever it is displayed, so that only one looks at the store."""
    if kernel not in _panels or _panels[kernel].comm is None:
        _panels[kernel] = PanelWidget(kernel, _main_thread())
    return _panels[kernel]


def Panel() -> PanelWidget:  # noqa: N802 - reads as the widget that it returns
    """Return the kernel's panel, to be placed anywhere: in a layout, a tab, a sidecar."""
    from jido_jupyter.notebook.kernel import kernel

    return panel_of(kernel())


def _bug(error: Exception) -> dict[str, Any]:
    return wire.problem(JidoError(f"{BUG} ({type(error).__name__}: {error})"))


def page(sessions: Sessions, query: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """Return a page of the list: pinned sessions stand before all others, archived ones only where they are asked for."""
    asked = parse(query)
    is_sorted = not (asked.is_pinned or asked.is_trashed)
    found = sessions.find(query, limit=limit, cursor=cursor)
    hits = found.hits
    if is_sorted:
        hits = [hit for hit in hits if not hit.summary.pinned]
        if cursor is None:
            hits = sessions.find(f"{query} is:pinned", limit=MOST).hits + hits
    if not (asked.is_archived or asked.is_pinned or asked.is_trashed or asked.has_text):
        hits = [hit for hit in hits if not hit.summary.archived]
    return {"hits": [_hit(hit) for hit in hits], "next_cursor": found.next_cursor, "count": sessions.room().count}


def _hit(hit: Hit) -> dict[str, Any]:
    return {"session": wire.summary(hit.summary), "snippet": hit.snippet}


def _count(params: Mapping[str, Any], name: str, default: int, most: int = MOST) -> int:
    value = params.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidField(name, "must be a whole number of at least 0")
    return min(value, most)


def _main_thread() -> MainThread | None:
    from IPython.core.getipython import get_ipython

    ip = get_ipython()
    return MainThread(ip) if getattr(getattr(ip, "kernel", None), "io_loop", None) is not None else None


class _Desk:
    """What the tools of one turn need of the panel."""

    def __init__(
        self, session_id: str, consent: Consent, main: MainThread | None, tell_waiting: Callable[[bool], None]
    ) -> None:
        self._session_id = session_id
        self._consent = consent
        self._main = main
        self._tell_waiting = tell_waiting

    async def allows(self, request: Request) -> bool:
        return await self._consent.ask(self._session_id, request)

    async def in_main(self, work: Callable[[], T]) -> T:
        return work() if self._main is None else await self._main.run(work, self._tell_waiting)


_METHODS: Final[dict[str, Callable[[PanelWidget, dict[str, Any]], Awaitable[Any]]]] = {
    "hello": PanelWidget._hello,
    "here": PanelWidget._here,
    "gone": PanelWidget._gone,
    "find": PanelWidget._find,
    "show": PanelWidget._show,
    "messages": PanelWidget._messages,
    "new": PanelWidget._new,
    "resume": PanelWidget._resume,
    "fork": PanelWidget._fork,
    "edit": PanelWidget._edit,
    "delete": PanelWidget._delete,
    "restore": PanelWidget._restore,
    "save": PanelWidget._save,
    "close": PanelWidget._close,
    "ask": PanelWidget._ask,
    "retry": PanelWidget._retry,
    "stop": PanelWidget._stop,
    "rewind": PanelWidget._rewind,
    "todos": PanelWidget._todos,
    "consent": PanelWidget._settle,
}
_CHANGING: Final = {"new", "resume", "fork", "edit", "delete", "restore", "save", "close", "rewind", "todos"}
