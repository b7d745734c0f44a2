"""The panel: the kernel's session and all stored ones, as a widget in the notebook.

The browser sends requests and gets one reply each; what changes by itself is pushed. Everything is worked on in the
engine, because a callback may run in any thread and must not keep a busy kernel waiting. The panel is drawn from the
store, never from widget state, so that it is right again after a reload.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget

from jido_jupyter.assistants.port import Event, TextDelta
from jido_jupyter.core import messages
from jido_jupyter.errors import InvalidRequest, JidoError
from jido_jupyter.services import wire

if TYPE_CHECKING:
    from jido_jupyter.notebook.kernel import Kernel

STATIC: Final = Path(__file__).parent / "static"
LOOK_S: Final = 1.0  # between two looks at the store
BATCH_S: Final = 0.05  # between two pieces of an answer on their way to the browser


class Panel(anywidget.AnyWidget):
    """A chat with the kernel's current session, and the list of all.

    Args:
        kernel: whose session it shows.
    """

    _esm = STATIC / "panel.js"
    _css = STATIC / "panel.css"

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self._kernel = kernel
        self._answering: set[asyncio.Task[None]] = set()
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
        self.send(reply)
        if method in _CHANGING:
            await self._push_all()

    async def _watch(self) -> None:
        """Push what other doors and kernels changed."""
        seen = ""
        while self.comm is not None:
            with contextlib.suppress(JidoError):  # a store that is away now may be back at the next look
                changes = await asyncio.to_thread(self._kernel.sessions.changes)
                if changes != seen:
                    seen = changes
                    await self._push_all()
            await asyncio.sleep(LOOK_S)

    async def _push_all(self) -> None:
        self.send({"kind": "event", "event": "sessions", **await self._list({})})
        if self._kernel.session is None or not self._kernel.session.is_busy:  # while it streams, the pieces tell more
            self.send({"kind": "event", "event": "current", "session": await self._current({})})

    async def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        listed = await asyncio.to_thread(self._kernel.sessions.list)
        return {"sessions": [wire.summary(summary) for summary in listed]}

    async def _show(self, params: dict[str, Any]) -> dict[str, Any]:
        return await self._detail(str(params.get("id")))

    async def _current(self, params: dict[str, Any]) -> dict[str, Any] | None:
        session = self._kernel.session
        return None if session is None else await self._detail(session.id)

    async def _new(self, params: dict[str, Any]) -> dict[str, Any]:
        session = await asyncio.to_thread(self._kernel.new, params.get("title"))
        return await self._detail(session.id)

    async def _resume(self, params: dict[str, Any]) -> dict[str, Any]:
        take_over = params.get("take_over") is True
        session, briefing = await asyncio.to_thread(
            functools.partial(self._kernel.resume, str(params.get("id")), take_over=take_over)
        )
        return {"session": await self._detail(session.id), "briefing": briefing.to_wire()}

    async def _save(self, params: dict[str, Any]) -> dict[str, Any]:
        session = self._kernel.opened()
        await asyncio.to_thread(session.save)
        return await self._detail(session.id)

    async def _close(self, params: dict[str, Any]) -> None:
        await asyncio.to_thread(self._kernel.close)

    async def _delete(self, params: dict[str, Any]) -> None:
        session_id = str(params.get("id"))
        if self._kernel.session is not None and self._kernel.session.id == session_id:
            await self._close({})
        await asyncio.to_thread(self._kernel.sessions.trash, session_id)

    async def _ask(self, params: dict[str, Any]) -> dict[str, Any]:
        prompt = str(params.get("prompt") or "").strip()
        if not prompt:
            raise InvalidRequest("There is no question. Write one first.")
        await asyncio.to_thread(self._kernel.assistant)  # the first call imports a model library
        session = await asyncio.to_thread(self._kernel.current)
        pieces = _Pieces(self.send)
        started = session.start(prompt, pieces.add)
        pieces.message_id = started.answer_id
        task = asyncio.create_task(self._finish(asyncio.wrap_future(started.turn), pieces))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return {"user_message_id": started.question_id, "message_id": started.answer_id}

    async def _finish(self, turn: Awaitable[Any], pieces: _Pieces) -> None:
        async with pieces.flowing():
            try:
                taken = await turn
            except JidoError as error:
                self.send({"kind": "event", "event": "problem", "problem": wire.problem(error)})
                return
        self.send({"kind": "event", "event": "turn_end", "message": messages.to_wire(taken.answer)})
        if taken.unsaved is not None:
            self.send({"kind": "event", "event": "problem", "problem": wire.problem(taken.unsaved)})
        await self._push_all()

    async def _stop(self, params: dict[str, Any]) -> None:
        if self._kernel.session is not None:
            self._kernel.session.stop()

    async def _detail(self, session_id: str) -> dict[str, Any]:
        return wire.detail(await asyncio.to_thread(self._kernel.sessions.show, session_id))


_panels: weakref.WeakKeyDictionary[Kernel, Panel] = weakref.WeakKeyDictionary()


def panel_of(kernel: Kernel) -> Panel:
    """Return the kernel's panel: one, shown wherever it is displayed, so that only one looks at the store."""
    if kernel not in _panels or _panels[kernel].comm is None:
        _panels[kernel] = Panel(kernel)
    return _panels[kernel]


class _Pieces:
    """Pieces of an answer, sent a few at a time."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.message_id = ""
        self._send = send
        self._waiting: list[str] = []

    def add(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._waiting.append(event.text)

    def flush(self) -> None:
        if self._waiting:
            text, self._waiting = "".join(self._waiting), []
            self._send({"kind": "event", "event": "delta", "message_id": self.message_id, "text": text})

    @contextlib.asynccontextmanager
    async def flowing(self) -> Any:
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


_METHODS: Final[dict[str, Callable[[Panel, dict[str, Any]], Awaitable[Any]]]] = {
    "list": Panel._list,
    "show": Panel._show,
    "current": Panel._current,
    "new": Panel._new,
    "resume": Panel._resume,
    "save": Panel._save,
    "close": Panel._close,
    "delete": Panel._delete,
    "ask": Panel._ask,
    "stop": Panel._stop,
}
_CHANGING: Final = {"new", "resume", "close", "delete", "save"}
