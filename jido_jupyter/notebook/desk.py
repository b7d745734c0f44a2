"""The panel's desk: leave to do something comes from the page, and user code runs in the kernel's main thread.

Consent lives on the engine's loop. Main-thread work waits until no cell runs, because a running cell and it would see each
other's half-done changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from jido_jupyter.assistants.conversation import Request
from jido_jupyter.assistants.port import Interrupted
from jido_jupyter.core.text import printable

T = TypeVar("T")
Send = Callable[[dict[str, Any]], None]

GRACE_S: Final = 0.3  # a wait shorter than this is not worth a word


class Consent:
    """What the page is asked, one thing at a time, and what the user said.

    Args:
        send: takes an event for the page.
        is_shown: whether a page is there that could answer.
        mint_id: returns a fresh id.
    """

    def __init__(self, send: Send, is_shown: Callable[[], bool], mint_id: Callable[[], str]) -> None:
        self._send = send
        self._is_shown = is_shown
        self._mint_id = mint_id
        self._asked: dict[str, Any] | None = None
        self._answer: asyncio.Future[bool] | None = None
        self._always: set[tuple[str, str]] = set()  # session and tool; gone with the panel, never stored

    @property
    def asked(self) -> dict[str, Any] | None:
        """What waits for an answer now."""
        return self._asked

    async def ask(self, session_id: str, request: Request) -> bool:
        """Return whether the user allows it; False where no page is there to ask, or goes away before it is answered."""
        if (session_id, request.tool) in self._always:
            return True
        if not self._is_shown():
            return False
        consent_id = self._mint_id()
        self._answer = asyncio.get_running_loop().create_future()
        self._asked = {
            "id": consent_id,
            "session": session_id,
            "tool": request.tool,
            "summary": printable(request.summary),
            "code": None if request.code is None else printable(request.code),  # nothing in it may disguise the rest
        }
        self._send({"kind": "event", "event": "consent", **self._asked})
        try:
            return await self._answer
        finally:
            self._asked = self._answer = None
            self._send({"kind": "event", "event": "consent_over", "id": consent_id})

    def settle(self, consent_id: str, *, is_allowed: bool, always: bool) -> None:
        """Take the user's answer; one to a question that is over already changes nothing."""
        if self._asked is None or self._asked["id"] != consent_id:
            return
        if is_allowed and always:
            self._always.add((self._asked["session"], self._asked["tool"]))
        self._settle(is_allowed)

    def deny(self) -> None:
        """Answer what is asked with no: nobody is there any more."""
        self._settle(False)

    def _settle(self, is_allowed: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(is_allowed)


class MainThread:
    """The kernel's main thread, where user code runs.

    Args:
        ip: the kernel's shell.
    """

    def __init__(self, ip: Any) -> None:
        self._add_callback = ip.kernel.io_loop.add_callback
        self._waiting: deque[_Errand] = deque()
        self._cell_runs = False
        ip.events.register("pre_execute", self._begin_cell)
        ip.events.register("post_execute", self._end_cell)

    async def run(self, work: Callable[[], T], tell_waiting: Callable[[bool], None]) -> T:
        """Run ``work`` there and return what it returns; called from the engine's loop.

        Args:
            tell_waiting: called with True when a cell keeps it waiting, and with False when it begins.

        Raises:
            Interrupted: the user interrupted the kernel.
        """
        errand = _Errand(work)
        self._add_callback(self._put, errand)
        begun = asyncio.wrap_future(errand.begun)
        told = False
        try:
            await asyncio.wait([begun], timeout=GRACE_S)
            if not begun.done():
                told = True
                tell_waiting(True)
                await begun
        except asyncio.CancelledError:
            errand.cancel()
            raise
        finally:
            if told:
                tell_waiting(False)
        try:
            found: T = await asyncio.wrap_future(errand.done)
        except asyncio.CancelledError:
            errand.cancel()
            raise
        return found

    def _put(self, errand: _Errand) -> None:
        self._waiting.append(errand)
        self._work_off()

    def _begin_cell(self) -> None:
        self._cell_runs = True

    def _end_cell(self) -> None:
        self._cell_runs = False
        if self._waiting:
            self._add_callback(self._work_off)

    def _work_off(self) -> None:
        while self._waiting and not self._cell_runs:
            self._waiting.popleft().run()


class _Errand:
    """Something to do in the main thread; it can be stopped from another one."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._runs = False
        self.begun: Future[None] = Future()
        self.done: Future[Any] = Future()

    def run(self) -> None:
        if not self.begun.set_running_or_notify_cancel() or self.done.cancelled():
            return
        self.begun.set_result(None)
        # Nothing may leave here: an interrupt in a callback of the kernel's loop would end the kernel.
        found: Any = None
        failed: Exception | None = None
        try:
            with _interruptible():
                found = self._run_interruptibly()
        except Exception as error:
            failed = error
        except BaseException:
            failed = Interrupted()
        if self.done.cancelled():
            return
        if failed is None:
            self.done.set_result(found)
        else:
            self.done.set_exception(failed)

    def _run_interruptibly(self) -> Any:
        with self._lock:
            self._runs = True
        try:
            return self._work()
        finally:
            with self._lock:
                self._runs = False

    def cancel(self) -> None:
        """Do not begin; what runs already is interrupted as the kernel's own button does it."""
        self.begun.cancel()
        with self._lock:
            if self._runs and hasattr(signal, "pthread_kill"):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt reach the code inside; between cells ipykernel ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
