"""The IPython shell that a magic was typed in: where it shows, whom it can ask, and the kernel's sessions behind it."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook import context, view

if TYPE_CHECKING:
    from jido_jupyter.assistants.conversation import Session
    from jido_jupyter.core.session import SessionState
    from jido_jupyter.notebook.kernel import Kernel
    from jido_jupyter.notebook.options import Arguments
    from jido_jupyter.services.sessions import Sessions, Shown


class Changeable(Protocol):
    """A session that a verb changes, whether or not it is open here."""

    @property
    def id(self) -> str: ...

    @property
    def state(self) -> SessionState: ...

    def edit(self, **changes: Any) -> Any: ...

    def rewind(self, message_id: str) -> Any: ...


class Stored:
    """A session that is not open here.

    Args:
        session_id: of a stored session.
    """

    def __init__(self, sessions: Sessions, session_id: str) -> None:
        self._sessions = sessions
        self.id = session_id

    @property
    def state(self) -> SessionState:
        return self._sessions.show(self.id).state

    def edit(self, **changes: Any) -> None:
        self._sessions.edit(self.id, **changes)

    def rewind(self, message_id: str) -> None:
        self._sessions.rewind(self.id, message_id)


class Shell:
    """What verbs work with.

    Args:
        ip: the shell.
    """

    def __init__(self, ip: Any) -> None:
        self.ip = ip
        # What the user allows for as long as a session stays open; keyed by the object, so that no resume inherits it.
        self.allowed: weakref.WeakKeyDictionary[Session, set[str]] = weakref.WeakKeyDictionary()

    @property
    def kernel(self) -> Kernel:
        from jido_jupyter.notebook.kernel import kernel

        return kernel()

    @property
    def renders(self) -> bool:
        """Whether output goes to a front end that renders; a terminal only prints."""
        return context.shows_html(self.ip)

    def say(self, text: str) -> None:
        view.show(view.note(text))

    def changed(self, arguments: Arguments) -> Changeable:
        """Return the session that a verb is to change: the one that is named, else the open one.

        Raises:
            IllegalTransition: none is named, and none is open.
            SessionNotFound, AmbiguousTarget
        """
        if (target := arguments.target()) is None:
            return self.kernel.opened().live
        session_id = self.kernel.sessions.resolve(target)
        here = self.open_here
        return here.live if here is not None and here.id == session_id else Stored(self.kernel.sessions, session_id)

    def read(self, arguments: Arguments) -> Shown:
        """Return the session that a verb is to read: the one that is named, else the open one.

        Raises:
            InvalidRequest: none is named, and none is open.
            SessionNotFound, AmbiguousTarget, CorruptSession, UnsupportedFormat
        """
        sessions, here = self.kernel.sessions, self.kernel.session
        if (target := arguments.target()) is not None:
            session_id = sessions.resolve(target)
        elif here is not None:
            session_id = here.id
        else:
            raise InvalidRequest(
                f"Say which session: '{arguments.verb.spelled} 1', or its id, or the start of its title. "
                "None is open here."
            )
        shown = sessions.show(session_id)
        is_behind = here is not None and here.id == session_id and not here.live.is_saved
        return replace(shown, state=here.live.state) if here is not None and is_behind else shown

    @property
    def open_here(self) -> Session | None:
        """The kernel's session, as long as nobody took it over."""
        session = self.kernel.session
        return session if session is not None and session.live.is_open else None

    def agrees(self, question: str) -> bool:
        """Ask the user; where nobody can answer, the answer is no."""
        return self.answer(f"{question} [y/N] ").strip().casefold() in ("y", "yes")

    def answer(self, question: str) -> str:
        """Return what the user types; nothing where nobody can (nbclient, papermill, a closed terminal)."""
        from IPython.core.error import StdinNotImplementedError

        try:
            return input(question)
        except (StdinNotImplementedError, EOFError):
            return ""
