"""AI-assistant sessions in Jupyter that are never lost.

``import jido_jupyter as jido``, then `new`, `resume`, `sessions`, `current`; or in a notebook ``%load_ext jido_jupyter``.
Everything is imported when it is first used: a kernel that loads the extension in its profile starts no slower.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jido_jupyter._version import __version__

if TYPE_CHECKING:
    from jido_jupyter.assistants.conversation import Session
    from jido_jupyter.connection import connect
    from jido_jupyter.errors import JidoError
    from jido_jupyter.notebook.kernel import current, new, resume, sessions
    from jido_jupyter.notebook.panel import Panel
    from jido_jupyter.notebook.recording import watch, wrap

__all__ = [
    "JidoError",
    "Panel",
    "Session",
    "__version__",
    "connect",
    "current",
    "new",
    "resume",
    "sessions",
    "watch",
    "wrap",
]

_HOME_OF = {
    "JidoError": "errors",
    "Panel": "notebook.panel",
    "Session": "assistants.conversation",
    "connect": "connection",
    "current": "notebook.kernel",
    "new": "notebook.kernel",
    "resume": "notebook.kernel",
    "sessions": "notebook.kernel",
    "watch": "notebook.recording",
    "wrap": "notebook.recording",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def load_ipython_extension(ip: Any) -> None:
    """Register ``%jido`` and ``%%jido``; called by ``%load_ext jido_jupyter``."""
    from jido_jupyter.notebook.magics import register

    register(ip)


def unload_ipython_extension(ip: Any) -> None:
    from jido_jupyter.notebook.magics import unregister
    from jido_jupyter.notebook.surroundings import leave

    unregister(ip)
    leave(ip)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jido-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from jido_jupyter.server.app import JidoExtension

    return [{"module": "jido_jupyter", "app": JidoExtension}]
