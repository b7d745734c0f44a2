"""The kernel's own session: one at a time, shared by the magics, the panel and the Python API."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from typing import TYPE_CHECKING

from jido_jupyter.assistants.conversation import Session
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Assistant
from jido_jupyter.connection import Connection, connect, this_process
from jido_jupyter.core.session import Summary
from jido_jupyter.errors import IllegalTransition, JidoError, SessionOpen
from jido_jupyter.notebook import context
from jido_jupyter.services.briefing import Briefing
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.folder import Folder, read_file, replace_file

if TYPE_CHECKING:
    from jido_jupyter.assistants.models import ModelChoice

_CHOSEN = "model"  # a file in the config folder: the model that the user confirmed


class Kernel:
    """What this kernel works with."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.engine = Engine()
        self.session: Session | None = None
        self.was_offered = False  # a local model that was found, once per kernel
        self._assistant: Assistant | None = None
        self._lock = threading.RLock()  # the panel works in other threads than the magics
        atexit.register(self._leave)

    @property
    def sessions(self) -> Sessions:
        return self.connection.sessions

    def new(self, title: str | None = None) -> Session:
        """Start a session and make it the current one; the one before is closed, and stays stored."""
        with self._lock:
            return self._take_up(self.sessions.new(this_process("kernel", context.notebook_path()), title))

    def resume(self, target: str, *, take_over: bool = False, trust: bool = False) -> tuple[Session, Briefing]:
        """Open a stored session and make it the current one.

        Raises:
            JidoError: as `Sessions.resume`.
        """
        owner = this_process("kernel", context.notebook_path())
        with self._lock:
            try:
                live, briefing = self.sessions.resume(target, owner, take_over=take_over, trust=trust)
            except SessionOpen as error:
                if self.session is None or self.session.id != error.session_id or not self.session.live.is_open:
                    raise
                return self.session, self.sessions.describe(self.session.live)  # it is open right here
            session = self._take_up(live)
            if owner.notebook:
                live.link(owner.notebook)
            return session, briefing

    def current(self) -> Session:
        """Return the current session; start one where there is none.

        One that was taken over stays current, so that the next question says so instead of starting anew unheard.
        """
        with self._lock:
            return self.new() if self.session is None else self.session

    def close(self) -> Session:
        """Close the current session and return it.

        Raises:
            IllegalTransition: there is none.
        """
        with self._lock:
            session = self.opened()
            self._close(session)
            self.session = None
            return session

    def opened(self) -> Session:
        """Return the current session.

        Raises:
            IllegalTransition: there is none.
        """
        if self.session is None:
            raise IllegalTransition(
                "not open",
                "be saved, renamed or closed",
                "'%%jido' and a question start one, '%jido resume' opens one.",
            )
        return self.session

    def assistant(self) -> Assistant:
        """Return what answers next. The model library is imported here, at the first question."""
        if self._assistant is None:
            from jido_jupyter.assistants import models

            self._assistant = models.build(self.model(), os.environ)
        return self._assistant

    def model(self) -> ModelChoice:
        """Return which model answers, and who decided so."""
        from jido_jupyter.assistants import models

        return models.choose(self.connection.settings.model, self._chosen_model())

    def choose_model(self, model_id: str) -> ModelChoice:
        """Use ``model_id`` from now on, here and in kernels to come.

        Raises:
            InvalidSetting: it is no model id, or ``JIDO_MODEL`` decides already.
        """
        from jido_jupyter.assistants import models

        models.parse_model_id(model_id, "%jido model")
        if self.connection.settings.model:
            raise IllegalTransition(
                f"answered by {self.connection.settings.model} because JIDO_MODEL (or jido.toml) says so",
                "get another model here",
                "Unset it and restart the kernel first.",
            )
        with Folder(self.connection.config).opened() as folder_fd:
            replace_file(folder_fd, _CHOSEN, model_id.encode())
        self._assistant = None
        return self.model()

    def _chosen_model(self) -> str | None:
        with contextlib.suppress(FileNotFoundError, UnicodeDecodeError), Folder(self.connection.config).opened() as fd:
            return read_file(fd, _CHOSEN).decode().strip() or None
        return None

    def _take_up(self, live: LiveSession) -> Session:
        if self.session is not None:
            self._close(self.session)
        self.session = Session(live, self.engine, self.assistant, self.sessions.mint_id)
        return self.session

    def _close(self, session: Session) -> None:
        with contextlib.suppress(JidoError):  # it is stored; only the note that it was closed may be missing
            session.close()

    def _leave(self) -> None:
        if self.session is not None:
            self._close(self.session)


_kernel: Kernel | None = None


def kernel() -> Kernel:
    """Return this kernel's state, connecting to the store at the first call."""
    global _kernel
    if _kernel is None:
        _kernel = Kernel(connect())
    return _kernel


def new(title: str | None = None) -> Session:
    """Start a session, and make it the kernel's current one."""
    return kernel().new(title)


def resume(target: str, *, take_over: bool = False, trust: bool = False) -> Session:
    """Open a stored session and make it the kernel's current one.

    Args:
        target: a number in the list, an id, or the start of an id or title.
        take_over: take it from the process that has it open.
        trust: seal it anew when it is not verified.

    Raises:
        RateLimited, SessionNotFound, AmbiguousTarget, SessionOpen, StoreError
    """
    return kernel().resume(target, take_over=take_over, trust=trust)[0]


def sessions(text: str = "") -> list[Summary]:
    """Return the stored sessions, newest turn first; ``text`` holds words and filters (`jido_jupyter.core.query`)."""
    return kernel().sessions.list(text)


def current() -> Session | None:
    """Return the kernel's current session."""
    return kernel().session
