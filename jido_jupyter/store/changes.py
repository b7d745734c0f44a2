"""The change file: one line per write, so that an index need not look at every session to learn what changed.

An append changes a session's file in place, which moves no folder time. So every writer on this host adds the session's id
here when it is done, unsynced: a hint, never the truth. One that is killed in between is noticed at the next look at all
files. Who reads a change file that is not the one it knows looks at all files at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from jido_jupyter.store import folder as files

NAME: Final = "changes"
MAX_BYTES: Final = 2**20  # then a new one is begun


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reader has read."""

    inode: int
    offset: int  # bytes


def mark(folder_fd: int, session_id: str) -> None:
    """Tell that ``session_id`` has changed."""
    fd = files.open_or_create(folder_fd, NAME, os.O_APPEND)
    try:
        os.write(fd, f"\n{session_id}\n".encode())  # what a full disk cut off before it ends here
        if os.fstat(fd).st_size > MAX_BYTES:
            os.unlink(NAME, dir_fd=folder_fd)  # readers notice another inode
    finally:
        fd.close()


def end(folder_fd: int) -> Place:
    """Return the present end."""
    try:
        found = os.stat(NAME, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return Place(0, 0)
    return Place(found.st_ino, found.st_size)


def since(folder_fd: int, place: Place) -> set[str] | None:
    """Return the ids that were marked after ``place``; None when that cannot be known."""
    try:
        fd = files.open_file(folder_fd, NAME)
    except FileNotFoundError:
        return set() if place == Place(0, 0) else None
    try:
        found = os.fstat(fd)
        if found.st_ino != place.inode or found.st_size < place.offset:
            return None
        data = os.pread(fd, found.st_size - place.offset, place.offset)
    finally:
        fd.close()
    return {line.decode("ascii", "replace") for line in data.split(b"\n") if line}
