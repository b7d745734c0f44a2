"""The kernel's own session: one at a time, shared by the magics, the panel and the Python API."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from typing import TYPE_CHECKING

from jido_jupyter.assistants.conversation import Nowhere, Session
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Assistant
from jido_jupyter.connection import Connection, connect, this_process
from jido_jupyter.core.session import SessionState, Summary
from jido_jupyter.errors import (
    AmbiguousTarget,
    Conflict,
    IllegalTransition,
    InvalidRequest,
    JidoError,
    SessionNotFound,
    SessionOpen,
)
from jido_jupyter.notebook import context, surroundings
from jido_jupyter.notebook.surroundings import NotebookSurroundings
from jido_jupyter.services import where
from jido_jupyter.services.briefing import Briefing, Here
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.folder import Folder, read_file, replace_file

if TYPE_CHECKING:
    from jido_jupyter.assistants.models import ModelChoice

_CHOSEN = "model"  # a file in the config folder: the model that the user confirmed


class Kernel:
    """What this kernel works with.

    Args:
        around: its notebook; None in a program that is none.
    """

    def __init__(self, connection: Connection, around: NotebookSurroundings | None = None) -> None:
        self.connection = connection
        self.engine = Engine()
        self.session: Session | None = None
        self.was_offered = False  # a local model that was found, once per kernel
        self._assistant: Assistant | None = None
        self._around = around
        self._lock = threading.RLock()  # the panel works in other threads than the magics
        atexit.register(self._leave)

    @property
    def sessions(self) -> Sessions:
        return self.connection.sessions

    def new(self, title: str | None = None) -> Session:
        """Start a session and make it the current one; the one before is closed, and stays stored."""
        with self._lock:
            self._save_rest()
            return self._take_up(self.sessions.new(this_process("kernel", context.notebook_path()), title))

    def resume(
        self, target: str | None = None, *, take_over: bool = False, trust: bool = False
    ) -> tuple[Session, Briefing]:
        """Open a stored session and make it the current one.

        Args:
            target: None takes the session of this notebook. When the notebook is a copy, the session stays with the
                original, and the briefing offers a fork.

        Raises:
            InvalidRequest: this notebook has no session, and no target is given.
            JidoError: as `Sessions.resume`.
        """
        is_pointed_to = target is None
        owner = this_process("kernel", context.notebook_path())

        def look(state: SessionState) -> Here | None:
            return self._around.here(state, is_pointed_to=is_pointed_to) if self._around else None

        with self._lock:
            target = self.of_this_notebook() if target is None else target
            self._save_rest()
            try:
                live, briefing = self.sessions.resume(target, owner, take_over=take_over, trust=trust, look=look)
            except SessionOpen as error:
                if self.session is None or self.session.id != error.session_id or not self.session.live.is_open:
                    raise
                return self.session, self.sessions.describe(self.session.live, look)  # it is open right here
            session = self._take_up(live, briefing)
            is_copy = is_pointed_to and surroundings.other_notebook(live.state) is not None
            if owner.notebook and not is_copy:
                live.link(owner.notebook)
            return session, briefing

    def of_this_notebook(self) -> str:
        """Return the id of the session that the notebook points to, else of the last one that went on in it.

        Raises:
            InvalidRequest: there is none.
        """
        if pointer := context.pointer():
            with contextlib.suppress(SessionNotFound, AmbiguousTarget):  # it was deleted, or is somebody else's
                if self.sessions.resolve(pointer) == pointer:
                    return pointer
        path = context.notebook_path()
        if path and (found := where.sessions_of(self.sessions, path)):
            return found[0].id
        raise InvalidRequest(
            "No session belongs to this notebook. "
            "Say which session: '%jido resume 1', or its id, or the start of its title."
        )

    def rebuild(self) -> tuple[str, ...]:
        """Return the code of the cells that bring back what the current session knew and this kernel lacks, in order."""
        if self._around is None or (briefing := self._around.briefing) is None:
            return ()
        return () if self._around.names().issuperset(briefing.rebuilt) else briefing.rebuild

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
            StoreError: it holds turns that cannot be saved now; it stays open.
        """
        with self._lock:
            session = self.opened()
            self._save_rest()
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
        from jido_jupyter.assistants import models

        choice = self.model()
        if self._assistant is None or self._assistant.model_id != choice.model_id:
            self._assistant = models.build(choice, os.environ)
        return self._assistant

    def model(self) -> ModelChoice:
        """Return which model answers in the open session, and who decided so."""
        from jido_jupyter.assistants import models

        own = None if self.session is None else self.session.live.state.assistant
        return models.choose(self.connection.settings.model, self._chosen_model(), own)

    def choose_model(self, model_id: str, *, for_session: bool = False) -> ModelChoice:
        """Use ``model_id`` from now on, here and in kernels to come, and return which model answers now.

        Args:
            for_session: only in the open session, wherever it is resumed; an empty ``model_id`` undoes that.

        Raises:
            InvalidSetting: it is no model id.
            IllegalTransition: ``JIDO_MODEL`` decides already, or no session is open that could have a model of its own.
        """
        from jido_jupyter.assistants import models

        if model_id or not for_session:
            models.parse_model_id(model_id, "%jido model")
        if self.connection.settings.model:
            raise IllegalTransition(
                f"answered by {self.connection.settings.model} because JIDO_MODEL (or jido.toml) says so",
                "get another model here",
                "Unset it and restart the kernel first.",
            )
        self._assistant = None
        if for_session:
            self.opened().live.choose_assistant(model_id)
        else:
            with Folder(self.connection.config).opened() as folder_fd:
                replace_file(folder_fd, _CHOSEN, model_id.encode())
        return self.model()

    def _chosen_model(self) -> str | None:
        with contextlib.suppress(FileNotFoundError, UnicodeDecodeError), Folder(self.connection.config).opened() as fd:
            return read_file(fd, _CHOSEN).decode().strip() or None
        return None

    def _take_up(self, live: LiveSession, briefing: Briefing | None = None) -> Session:
        if self.session is not None:
            self._close(self.session)
        if self._around is not None:
            self._around.attach()
            self._around.briefing = briefing
        around = self._around or Nowhere()
        context_tokens = self.connection.settings.context_tokens
        self.session = Session(live, self.engine, self.assistant, self.sessions.mint_id, around, context_tokens)
        return self.session

    def _save_rest(self) -> None:
        """Save what the current session holds in memory only, before it is given up.

        Raises:
            StoreError: that is not possible now; the session stays current, and keeps it.
        """
        if self.session is not None and not self.session.live.is_saved and self.session.live.is_open:
            with contextlib.suppress(Conflict, SessionNotFound):  # it never will be: no reason to stay in it
                self.session.save()

    def _close(self, session: Session) -> None:
        try:
            session.close()
        except JidoError:  # what could be stored is; the note that it was closed may be missing
            session.live.abandon()

    def _leave(self) -> None:
        if self.session is not None:
            self._close(self.session)

    def assistant_named(self, model_id: str) -> Assistant:
        """Return what answers as ``model_id``, for one question; what answers otherwise stays as it is.

        Raises:
            InvalidSetting, AssistantUnavailable
        """
        from jido_jupyter.assistants import models

        models.parse_model_id(model_id, "--model")
        return models.build(models.ModelChoice(model_id, "chosen"), os.environ)


_kernel: Kernel | None = None


def kernel() -> Kernel:
    """Return this kernel's state, connecting to the store at the first call."""
    global _kernel
    if _kernel is None:
        _kernel = Kernel(connect(), surroundings.of_this_process())
    return _kernel


def new(title: str | None = None) -> Session:
    """Start a session, and make it the kernel's current one."""
    return kernel().new(title)


def resume(target: str | None = None, *, take_over: bool = False, trust: bool = False) -> Session:
    """Open a stored session and make it the kernel's current one.

    Args:
        target: a number in the list, an id, or the start of an id or title; None takes the one of this notebook.
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
