"""The notebook as it is saved on disk; None on any doubt: it may be half written, huge, or no notebook at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jido_jupyter.core import ids
from jido_jupyter.notebook.manifest import digest

MAX_BYTES: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Glance:
    """What a look at the file tells without its outputs."""

    cells: tuple[tuple[str, str], ...]  # id and hash of the source
    session: str | None  # that its metadata point to
    texts: frozenset[str] = frozenset()  # ids of the cells that no kernel runs


def glance(path: str) -> Glance | None:
    """Return the cells of a notebook and its pointer to a session; reads the file once for each of its versions."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: a path that no system has
        return None
    return _glance(path, found.st_mtime_ns, found.st_size, found.st_ino)


def load(path: str) -> Mapping[str, Any] | None:
    """Return a notebook as its JSON is."""
    import orjson

    try:
        with open(path, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
                return None
            notebook = orjson.loads(file.read(MAX_BYTES + 1))
    except (OSError, ValueError):
        return None
    return notebook if isinstance(notebook, dict) and isinstance(notebook.get("cells"), list) else None


def source(cell: Mapping[str, Any]) -> str:
    """Return what is written in a cell: one text, or a list of its lines."""
    return text(cell.get("source"))


def text(value: Any) -> str:
    """Return one text of what a notebook keeps as a text or as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=4)
def _glance(path: str, mtime_ns: int, size: int, inode: int) -> Glance | None:
    notebook = load(path)
    if notebook is None:
        return None
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict) and isinstance(cell.get("id"), str)]
    return Glance(
        tuple((cell["id"], digest(source(cell))) for cell in cells),
        _session(notebook.get("metadata")),
        frozenset(cell["id"] for cell in cells if cell.get("cell_type") in ("markdown", "raw")),
    )


def _session(metadata: Any) -> str | None:
    ours = metadata.get("jido_jupyter") if isinstance(metadata, dict) else None
    session_id = ours.get("session") if isinstance(ours, dict) else None
    return session_id if isinstance(session_id, str) and ids.is_valid(session_id) else None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a named pipe would wait for its writer
