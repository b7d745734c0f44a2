"""The quiet line at start-up: this notebook has a session, and how to go on with it.

Cheap for everybody, also for those who never ask anything: it imports next to nothing, reads one row of the index, and the
end of the notebook's file. It is never an error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from jido_jupyter.errors import JidoError
from jido_jupyter.services.folders import folders_of, read_settings
from jido_jupyter.store.glimpse import Glimpse, glimpse

if TYPE_CHECKING:
    from datetime import datetime

LARGE: Final = (
    2_000_000  # bytes; a larger notebook is not parsed for its pointer: that takes longer than the line is worth
)
_END: Final = 20_000  # bytes; the metadata stand behind the cells
_OURS: Final = b'"jido_jupyter"'


def make(notebook: str) -> None:
    """Show the line where a notebook has a session."""
    if (found := find(notebook)) is not None:
        from datetime import UTC, datetime

        from jido_jupyter.notebook import view

        view.show(view.quiet(told(found, datetime.now(UTC))))


def find(notebook: str) -> Glimpse | None:
    """Return the session of a notebook, as far as that is known without opening the store.

    Args:
        notebook: its path as the server names it.
    """
    try:
        settings = read_settings()
        folders = folders_of(settings)
    except JidoError:  # told by the first magic
        return None
    if settings.url is not None:  # asking a server costs too much for a line
        return None
    if not os.path.exists(os.path.join(folders.home, "store.json")):
        return None
    return glimpse(folders.home, folders.cache, notebook, _pointer(notebook))


def told(found: Glimpse, now: datetime) -> str:
    from jido_jupyter.core.text import one_line
    from jido_jupyter.core.times import age, seconds_between

    seconds = seconds_between(found.updated_at, now)
    facts = [
        f"“{one_line(found.title, 80)}”",
        *([] if seconds is None else [age(max(0.0, seconds))]),
        f"{found.message_count} message{'' if found.message_count == 1 else 's'}",
    ]
    return f"This notebook has a session: {', '.join(facts)}. %jido resume goes on with it."


def _pointer(notebook: str) -> str | None:
    """Return what the notebook's file points to; most files are told to have no pointer by a look at their end."""
    try:
        with open(notebook, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _END))
            if size > LARGE or _OURS not in file.read(_END):
                return None
    except (OSError, ValueError):  # ValueError: a path that no system has
        return None
    from jido_jupyter.notebook import context

    return context.pointer()
