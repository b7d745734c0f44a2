"""Asking the user before a tool does something: what it is stands there whole, and silence means no."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from jido_jupyter.core.text import printable
from jido_jupyter.notebook import view
from jido_jupyter.notebook.code import highlighted
from jido_jupyter.notebook.view import Bundle

if TYPE_CHECKING:
    from jido_jupyter.assistants.conversation import Request, Session
    from jido_jupyter.notebook.shell import Shell
    from jido_jupyter.notebook.streaming import View

QUESTION: Final = "Run this? [y/N/a=always in this session] "
_YES: Final = ("y", "yes")
_ALWAYS: Final = ("a", "always")


def ask(shell: Shell, session: Session, request: Request, live: View) -> bool:
    """Return whether the user allows a tool what it wants to do. "Always" holds for that tool, until the session is left.

    Raises:
        KeyboardInterrupt: the user stops the turn instead.
    """
    live.pause()  # also where nothing is asked: the tool may show something
    allowed = shell.allowed.setdefault(session, set())
    if request.tool in allowed:
        return True
    view.show(shown(request))
    said = shell.answer(QUESTION).strip().casefold()
    if said in _ALWAYS:
        allowed.add(request.tool)
    return said in (*_YES, *_ALWAYS)


def shown(request: Request) -> Bundle:
    """Show what a tool wants to do."""
    head = f"{request.tool}: {request.summary}"
    html = f"<div><b>{escape(printable(request.tool))}</b> {view.lines(request.summary)}</div>"
    if request.code is not None:
        html += f"<pre class='jido-box'>{highlighted(request.code, 'python')}</pre>"
    return view.bundle(html, f"{head}\n{request.code}" if request.code is not None else head)
