"""Exports as files and files to be imported: names, whole or no writes, bounded reads."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from typing import Final

from jido_jupyter.core.query import fold
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.services import exchange
from jido_jupyter.services.sessions import Shown

_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")


def format_of(path: str | None) -> str:
    """Return the export format that a file's name asks for; ``json`` where it asks for none."""
    found = (name for name, known in exchange.EXPORTS.items() if path and path.lower().endswith(known.suffix))
    return next(found, "json")


def name_of(shown: Shown) -> str:
    """Return a file's name that any system takes and that two sessions do not share."""
    title = _NOT_IN_NAMES.sub("-", fold(shown.state.title)).strip("-")[:60].rstrip("-")
    return f"{title}-{shown.state.id}" if title else shown.state.id


def is_folder(path: str) -> bool:
    return os.path.isdir(path) or path.endswith(os.sep)


def write(path: str, pieces: Iterable[str], *, force: bool) -> None:
    """Write a private file, whole or not at all; one that is there already is left alone unless ``force`` is set.

    Raises:
        InvalidRequest: it is there already.
        OSError
    """
    if not force and os.path.lexists(path):
        raise InvalidRequest(f"{path} is there already, and was left alone. --force writes over it.")
    temporary = os.path.join(os.path.dirname(path), f".{secrets.token_hex(6)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as file:
            for piece in pieces:
                file.write(piece.encode())
            file.flush()
            os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def content(path: str) -> bytes:
    """Return a file's bytes, but no more of them than can be imported."""
    with open(path, "rb") as file:
        return file.read(exchange.MAX_FILE + 1)
