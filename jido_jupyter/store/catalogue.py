"""Which sessions the folders hold: the index, kept in step with the files before each answer.

The files are the truth. Before it answers, the catalogue compares three cheap signs with what the index has seen - the end
of the change file, and the times of the two folders - and reads again what they name. Every `SCAN_S` it looks at all files,
for what other hosts and other programs did in place.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import Final, TypeVar

from jido_jupyter.core.ids import is_valid
from jido_jupyter.core.query import Query, snippet
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import Summary
from jido_jupyter.errors import InvalidField
from jido_jupyter.store import changes
from jido_jupyter.store.contract import Hit, Page
from jido_jupyter.store.folder import ABANDONED_S, Folder, is_temporary
from jido_jupyter.store.index import Index, Key, Read, Row, State

SUFFIX: Final = ".jsonl"
SCAN_S: Final = 30.0  # s between two looks at all files
_TICK_NS: Final = 50_000_000  # a folder time as young as this may hide a change in the same tick

_FOLDERS: Final = ("sessions", "trash")  # 0 and 1 of "trashed"; names of their times in the index's state

T = TypeVar("T")


class Catalogue:
    """Answers about all sessions of a file store.

    Args:
        path: of the index; ``:memory:`` keeps it in this process.
        read: reads one session for the index; never raises.
        owners: returns who has which session open.
    """

    def __init__(
        self,
        root: Folder,
        sessions: Folder,
        trash: Folder,
        path: str,
        read: Read,
        owners: Callable[[], dict[str, Owner]],
    ) -> None:
        self._root = root
        self._folders = (sessions, trash)
        self._index = Index(path, read)
        self._owners = owners

    def find(self, query: Query, *, by_rank: bool, limit: int, cursor: str | None) -> Page:
        owners = self._owners()
        before = None if cursor is None else _document(cursor)
        ids = list(owners) if query.is_open else None

        def ask(db: sqlite3.Connection, _: State) -> list[tuple[int, Summary, str]]:
            if query.has_text:
                self._index.update_words(db)
            return self._index.find(db, query, by_rank=by_rank, limit=limit + 1, before=before, ids=ids)

        rows = self._asked(ask)
        hits = [
            Hit(replace(summary, owner=owners[summary.id]) if summary.id in owners else summary, snippet(query, text))
            for _, summary, text in rows[:limit]
        ]
        more = len(rows) > limit and not (by_rank and query.has_text)
        return Page(hits, str(rows[limit - 1][0]) if more else None)

    def named(self, start: str, limit: int) -> list[Summary]:
        owners = self._owners()
        found = self._asked(lambda db, _: self._index.named(db, start.casefold(), limit))
        return [replace(summary, owner=owners.get(summary.id)) for summary in found]

    def count(self) -> int:
        return self._asked(lambda _, state: int(state["count"]))

    def changes(self) -> str:
        held = sorted((session_id, str(owner)) for session_id, owner in self._owners().items())
        state = self._asked(lambda _, state: state)
        return blake2b(f"{state['born']} {state['version']} {held}".encode(), digest_size=12).hexdigest()

    def _asked(self, ask: Callable[[sqlite3.Connection, State], T]) -> T:
        """Return what ``ask`` answers from an index in step with the files; a broken one is built anew, then given up."""
        for mend in (self._index.forget, self._index.give_up):
            try:
                with self._index.opened() as db:
                    return ask(db, self._refreshed(db))
            except sqlite3.Error:
                mend()
        with self._index.opened() as db:
            return ask(db, self._refreshed(db))

    def _refreshed(self, db: sqlite3.Connection) -> State:
        """Bring the index in step with the files, and return its state."""
        state = self._index.state(db)
        signs = self._signs()
        scanned = float(state.get("scanned", 0))
        is_due = not 0 <= time.time() - scanned < SCAN_S
        if not is_due and all(state.get(name) == value for name, value in signs.items()):
            return state
        marked = None if is_due else self._marked(state)
        if marked is None:
            self._index.update(db, set(self._rows()), {**signs, "scanned": str(time.time())})
            return self._index.state(db)
        only: set[Key] = {(session_id, trashed) for session_id in marked for trashed in (0, 1)}
        for trashed, name in enumerate(_FOLDERS):
            if state.get(name) != signs[name]:
                only |= {(session_id, trashed) for session_id in self._moved(db, trashed)}
        self._index.update(db, {row for key in only for row in self._row(key)}, signs, only)
        return self._index.state(db)

    def _signs(self) -> dict[str, str]:
        """Return what differs after a change; read before the change is looked for, so that none falls between."""
        with self._root.opened() as fd:
            place = changes.end(fd)
        signs = {"inode": str(place.inode), "offset": str(place.offset)}
        for name, folder in zip(_FOLDERS, self._folders, strict=True):
            with folder.opened() as fd:
                moved_ns = os.fstat(fd).st_mtime_ns
            # A time that the next change may still share proves nothing: give it a name that no later look repeats.
            is_settled = time.time_ns() - moved_ns > _TICK_NS
            signs[name] = str(moved_ns) if is_settled else f"{moved_ns} at {time.time_ns()}"
        return signs

    def _marked(self, state: State) -> set[str] | None:
        """Return the ids that the change file names since the index was refreshed; None when that is not known."""
        if "inode" not in state:
            return None
        with self._root.opened() as fd:
            marked = changes.since(fd, changes.Place(int(state["inode"]), int(state["offset"])))
        return None if marked is None else {session_id for session_id in marked if is_valid(session_id)}

    def _rows(self) -> Iterator[Row]:
        for trashed, folder in enumerate(self._folders):
            with folder.opened() as fd, os.scandir(fd) as entries:
                for entry in entries:
                    session_id = id_of(entry.name)
                    if session_id is None and not is_temporary(entry.name):
                        continue
                    with contextlib.suppress(FileNotFoundError):  # moved since the folder was read
                        found = entry.stat(follow_symlinks=False)
                        if session_id is not None:
                            yield session_id, trashed, _stamp(found)
                        elif time.time() - found.st_mtime > ABANDONED_S:  # its writer was killed
                            os.unlink(entry.name, dir_fd=fd)

    def _row(self, key: Key) -> Iterator[Row]:
        session_id, trashed = key
        with self._folders[trashed].opened() as fd, contextlib.suppress(FileNotFoundError):
            found = os.stat(session_id + SUFFIX, dir_fd=fd, follow_symlinks=False)
            yield session_id, trashed, _stamp(found)

    def _moved(self, db: sqlite3.Connection, trashed: int) -> Iterator[str]:
        """Yield the ids of files that the index does not know, and of those it knows that are gone."""
        with self._folders[trashed].opened() as fd:
            names = set(os.listdir(fd))
        # Compared by name, so that only what differs is looked at closely.
        for name in names ^ {session_id + SUFFIX for session_id in self._index.ids(db, trashed)}:
            if (session_id := id_of(name)) is not None:
                yield session_id


def _stamp(found: os.stat_result) -> str:
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


def id_of(name: str) -> str | None:
    """Return the id of a session file's name; other files in the folder are left alone."""
    session_id, suffix = name[: -len(SUFFIX)], name[-len(SUFFIX) :]
    return session_id if suffix == SUFFIX and is_valid(session_id) else None


def _document(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 20):
        raise InvalidField("cursor", "take it from the page before, as it is")
    return int(cursor)
