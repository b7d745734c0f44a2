"""`jido.watch` and `jido.wrap`: what other assistants say, recorded in this kernel's sessions."""

from __future__ import annotations

import atexit
import sys
from typing import Any, TypeVar

from jido_jupyter.adapters.recorder import Recorder
from jido_jupyter.adapters.watching import Watch, history_of, opening
from jido_jupyter.adapters.wrapping import wrapped
from jido_jupyter.assistants.conversation import Session
from jido_jupyter.core.messages import Origin
from jido_jupyter.notebook import context
from jido_jupyter.notebook.kernel import kernel

C = TypeVar("C")


def watch(history: Any, title: str | None = None, *, session: Session | None = None) -> Watch:
    """Follow a list of messages that some library appends to, or a chat that holds one.

    In a notebook what is new is recorded after each cell; elsewhere, and in between, by `Watch.sync`.

    Args:
        title: of the session that is made for it; None takes the first question.
        session: records there instead; what stands in it already is not recorded again.

    Raises:
        InvalidField: ``history`` is no list and holds none.
        JidoError: as `Watch.sync`.
    """
    items = history_of(history)
    opened = opening(kernel().sessions, title, _origin) if session is None else lambda: session.live
    found = Watch(items, opened, origin=_origin, is_own=session is None)
    found.sync()
    if (ip := _shell()) is not None:
        found.follow_cells(ip)
    atexit.register(found.stop)
    return found


def wrap(client: C, session: Session | None = None) -> C:
    """Return a client of OpenAI or Anthropic that does the same, and records each question and answer.

    Args:
        session: records there; None takes the kernel's current session at each call.

    Raises:
        InvalidField: it is no such client.
    """
    return wrapped(client, Recorder(lambda: (session or kernel().current()).live, _origin))


def _origin() -> Origin | None:
    ip = _shell()
    return context.origin(ip) if ip is not None else None


def _shell() -> Any:
    """Return the shell that runs here; None in a program without one, for which IPython is not imported."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
