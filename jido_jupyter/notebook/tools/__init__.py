"""What a model may ask for in a notebook: reading is free, running code needs the user's leave each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jido_jupyter.assistants.conversation import Desk, Session
from jido_jupyter.assistants.port import Tool
from jido_jupyter.notebook.tools import cells, run, todos, variables
from jido_jupyter.services.project import ProjectFolder


def of(ip: Any, session: Session, desk: Desk, folder: Callable[[], ProjectFolder | None]) -> Sequence[Tool]:
    """Return the tools of a notebook; the one without effects that needs no arguments comes first.

    Args:
        ip: the kernel's shell.
        desk: asks the user, and reaches the kernel's main thread.
        folder: returns the folder that the kernel works in.
    """
    return (variables.tool(ip, desk), cells.tool(), run.tool(ip, session, desk, folder), todos.tool(session))
