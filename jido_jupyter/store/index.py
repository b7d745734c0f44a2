"""The index: a disposable SQLite cache of what lists and searches need. It may be lost, stale or broken; it hides nothing.

Each session is one row, and one document of the full-text table with the same number: the time of its last turn, so that
walking numbers downwards is newest first, in a list and in a search alike. Texts are folded here (`core.query`), which
makes a search by the index mean what `core.query.matches` says.

What is fresh is the catalogue's to know. Sessions are read for it once per change, their texts at the first search after.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from jido_jupyter.core.query import Query, fold
from jido_jupyter.core.session import Summary

VERSION: Final = 1
BUSY_S: Final = 60.0  # s; another process may be building the index of many thousand sessions
_LAST_MS: Final = 2**43 - 1  # the year 2248; later stamps are nobody's
_NOT_WORDS: Final = re.compile(r"\W+")

_SCHEMA: Final = """
CREATE TABLE session (
    doc INTEGER PRIMARY KEY, id TEXT NOT NULL, trashed INTEGER NOT NULL, stamp TEXT NOT NULL, has_words INTEGER NOT NULL,
    title TEXT NOT NULL, updated TEXT NOT NULL, pinned INTEGER NOT NULL, archived INTEGER NOT NULL,
    notebook TEXT NOT NULL, model TEXT NOT NULL, tags TEXT NOT NULL, summary BLOB NOT NULL,
    UNIQUE (id, trashed)
);
CREATE INDEX listed ON session (trashed, doc);
CREATE INDEX unread ON session (doc) WHERE has_words = 0;
CREATE TABLE seen (id TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE text (doc INTEGER PRIMARY KEY, raw TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (folded, tokenize = "ascii tokenchars '_'", prefix = '2 3');
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

Key = tuple[str, int]  # id, whether it is trashed
Row = tuple[str, int, str]  # the same, and a stamp that differs after each change of the file
State = Mapping[str, str]  # what the last look compared, and what it counted
Read = Callable[[str, bool], tuple[Summary, Sequence[str]]]  # id, is trashed -> what it holds


class Index:
    """The cache of one store, shared by the processes of a host.

    Args:
        path: of the database; ``:memory:`` for one of this process alone.
        read: reads a session; never raises, a damaged one has a summary that says so.
    """

    def __init__(self, path: str, read: Read) -> None:
        self._path = path
        self._read = read
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._pid = 0

    @contextlib.contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Yield the database; a broken one is thrown away, and where none can be written one in memory stands in."""
        with self._lock:
            if self._db is None or self._pid != os.getpid():  # a connection must not be used after a fork
                self._db, self._pid = self._connect(), os.getpid()
            yield self._db

    def forget(self) -> None:
        """Throw the database away; the next use builds it anew."""
        with self._lock:
            if self._db is not None and self._pid == os.getpid():
                self._db.close()
            self._db = None
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    os.unlink(self._path + suffix)

    def give_up(self) -> None:
        """Go on in memory: the file cannot be used."""
        with self._lock:
            self._db, self._path = None, ":memory:"

    def state(self, db: sqlite3.Connection) -> State:
        return dict(db.execute("SELECT name, value FROM state"))

    def ids(self, db: sqlite3.Connection, trashed: int) -> Iterator[str]:
        for (session_id,) in db.execute("SELECT id FROM session WHERE trashed = ?", (trashed,)):
            yield session_id

    def update(
        self, db: sqlite3.Connection, present: set[Row], state: State, only: Iterable[Key] | None = None
    ) -> None:
        """Make the rows agree with the files.

        Args:
            present: the files that there are, of all or of ``only``.
            state: what the next look compares with.
            only: what may have changed; None: anything.
        """
        if only is None:
            known = set(db.execute("SELECT id, trashed, stamp FROM session"))
        else:
            one = "SELECT id, trashed, stamp FROM session WHERE id = ? AND trashed = ?"
            known = {row for key in only for row in db.execute(one, key)}
        gone, new = known - present, present - known
        with db:
            db.execute("BEGIN IMMEDIATE")
            for session_id, trashed, _ in gone:
                self._remove(db, session_id, trashed)
            for session_id, trashed, stamp in new:
                summary, _ = self._read(session_id, bool(trashed))
                self._insert(db, (session_id, trashed), stamp, self._compared(db, summary))
            if gone or new:
                count = db.execute("SELECT count(*) FROM session WHERE trashed = 0").fetchone()[0]
                version = int(self.state(db)["version"]) + 1
                state = {**state, "count": str(count), "version": str(version)}
            db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", state.items())

    def update_words(self, db: sqlite3.Connection) -> None:
        """Index the texts of sessions that changed since they were searched last."""
        stale = db.execute("SELECT doc, id, trashed FROM session WHERE has_words = 0 ORDER BY doc").fetchall()
        if not stale:
            return
        with db:
            db.execute("BEGIN IMMEDIATE")
            for doc, session_id, trashed in stale:
                summary, texts = self._read(session_id, bool(trashed))
                db.execute("DELETE FROM words WHERE rowid = ?", (doc,))
                folded = _BREAK.join(_NOT_WORDS.sub(" ", fold(text)) for text in (summary.title, *texts))
                db.execute("INSERT INTO words (rowid, folded) VALUES (?, ?)", (doc, folded))
                db.execute("INSERT OR REPLACE INTO text VALUES (?, ?)", (doc, "\n".join(texts)))
                db.execute("UPDATE session SET has_words = 1 WHERE doc = ?", (doc,))

    def find(
        self,
        db: sqlite3.Connection,
        query: Query,
        *,
        by_rank: bool,
        limit: int,
        before: int | None,
        ids: Sequence[str] | None,
    ) -> list[tuple[int, Summary, str]]:
        """Return documents that fit, newest or best first.

        Args:
            before: only documents with a lower number, for the next page.
            ids: only these sessions; None: all.
        """
        tables, where, values = _conditions(query)
        if before is not None:
            where.append("s.doc < ?")
            values.append(before)
        if ids is not None:
            where.append(f"s.id IN ({','.join('?' * len(ids))})")
            values.extend(ids)
        order = "words.rank" if by_rank and query.has_text else "words.rowid DESC" if query.has_text else "s.doc DESC"
        raw = "(SELECT raw FROM text WHERE text.doc = s.doc)" if query.has_text else "''"
        sql = f"SELECT s.doc, s.summary, {raw} FROM {tables} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
        return [(doc, _summary(blob), text) for doc, blob, text in db.execute(sql, [*values, limit])]

    def named(self, db: sqlite3.Connection, start: str, limit: int) -> list[Summary]:
        """Return sessions whose id or title begins with ``start``, exact ones first, then newest first."""
        sql = (
            "SELECT summary FROM session WHERE trashed = 0 AND (substr(id, 1, ?) = ? OR substr(title, 1, ?) = ?) "
            "ORDER BY id = ? OR title = ? DESC, doc DESC LIMIT ?"
        )
        size = len(start)
        rows = db.execute(sql, (size, start, size, start, start, start, limit))
        return [_summary(blob) for (blob,) in rows]

    def _insert(self, db: sqlite3.Connection, key: Key, stamp: str, summary: Summary) -> None:
        self._remove(db, *key)  # another process may have been quicker
        doc = _document(summary)
        while db.execute("SELECT 1 FROM session WHERE doc = ?", (doc,)).fetchone():
            doc += 1
        tags = "\n".join(["", *map(fold, summary.tags), ""])
        row = (
            doc, *key, stamp, summary.title.casefold(), summary.updated_at, summary.pinned,
            summary.archived, fold(summary.notebook or ""), fold(summary.model or ""), tags, orjson.dumps(summary),
        )  # fmt: skip
        names = "doc, id, trashed, stamp, has_words, title, updated, pinned, archived, notebook, model, tags, summary"
        db.execute(f"INSERT INTO session ({names}) VALUES (?,?,?,?,0,?,?,?,?,?,?,?,?)", row)

    def _compared(self, db: sqlite3.Connection, summary: Summary) -> Summary:
        """Tell when a session has fewer records than were seen in it before: a cut, or an older state put back."""
        number = summary.revision.partition("-")[0]
        if summary.is_damaged or not number.isdecimal():
            return summary
        row = db.execute("SELECT n FROM seen WHERE id = ?", (summary.id,)).fetchone()
        if row is not None and int(number) < row[0]:
            told = f"It ends at record {number}, and was at {row[0]} before: it was cut, or put back to an older state."
            return replace(summary, problems=(*summary.problems, told))
        db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (summary.id, int(number)))
        return summary

    def _remove(self, db: sqlite3.Connection, session_id: str, trashed: int) -> None:
        found = db.execute("SELECT doc FROM session WHERE id = ? AND trashed = ?", (session_id, trashed)).fetchone()
        if found:
            for table, column in (("session", "doc"), ("text", "doc"), ("words", "rowid")):
                db.execute(f"DELETE FROM {table} WHERE {column} = ?", found)

    def _connect(self) -> sqlite3.Connection:
        for pause_s in (0.05, 0.2, 0.0):  # first openers get in each other's way for a moment
            try:
                return self._prepared(self._path)
            except sqlite3.OperationalError:
                time.sleep(pause_s)
            except (sqlite3.Error, OSError):
                break
        self.forget()
        try:
            return self._prepared(self._path)
        except (sqlite3.Error, OSError):
            self._path = ":memory:"
            return self._prepared(self._path)

    def _prepared(self, path: str) -> sqlite3.Connection:
        if path != ":memory:":
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            found = os.lstat(os.path.dirname(path))
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise PermissionError("the index would lie in a folder that others can change")
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")  # what a power cut breaks is thrown away
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version != VERSION:
                with db:
                    db.execute("BEGIN IMMEDIATE")
                    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                        for statement in _SCHEMA.split(";\n"):
                            db.execute(statement)
                        born = [("born", secrets.token_hex(8)), ("version", "0"), ("count", "0")]
                        db.executemany("INSERT INTO state VALUES (?, ?)", born)
                        db.execute(f"PRAGMA user_version = {VERSION}")
                if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                    raise sqlite3.DatabaseError("another version's index")
            db.execute("SELECT count(*) FROM state").fetchone()
        except BaseException:
            db.close()
            raise
        return db


_BREAK: Final = " \ue000 "  # a word between texts that nobody can ask for, so that no phrase reaches across


def _conditions(query: Query) -> tuple[str, list[str], list[Any]]:
    """Return tables, conditions and values of an SQL query."""
    where: list[str] = ["s.trashed = ?"]
    values: list[Any] = [query.is_trashed]
    tables = "session s"
    if query.has_text:
        tables = "words JOIN session s ON s.doc = words.rowid"
        where.append("words MATCH ?")
        values.append(_match(query))
    for tag in query.tags:
        where.append("instr(s.tags, ?) > 0")
        values.append(f"\n{tag}\n")
    for column, part in (("notebook", query.notebook), ("model", query.model)):
        if part is not None:
            where.append(f"instr(s.{column}, ?) > 0")
            values.append(part)
    if query.after is not None:
        where.append("s.updated >= ?")
        values.append(query.after)
    if query.before is not None:
        where.append("s.updated < ?")
        values.append(query.before)
    for column, is_wanted in (("archived", query.is_archived), ("pinned", query.is_pinned)):
        if is_wanted:
            where.append(f"s.{column} = 1")
    return tables, where, values


def _match(query: Query) -> str:
    """Return the full-text expression; folded words hold nothing that has a meaning there once quoted."""
    return " AND ".join(
        f'"{" ".join(phrase)}"{" *" if is_open_ended else ""}'
        for phrase, is_open_ended in zip(query.phrases, query.is_open_ended, strict=True)
    )


def _document(summary: Summary) -> int:
    """Return a number that is larger for a later last turn; the session's id spreads those of the same moment."""
    try:
        at_ms = int(datetime.fromisoformat(summary.updated_at).timestamp() * 1000)
    except (ValueError, OverflowError):
        at_ms = 0
    spread = int.from_bytes(blake2b(summary.id.encode(), digest_size=2).digest(), "big")
    return min(max(at_ms, 0), _LAST_MS) << 20 | spread


def _summary(blob: bytes) -> Summary:
    found = orjson.loads(blob)
    return Summary(**{**found, "tags": tuple(found["tags"]), "problems": tuple(found["problems"]), "owner": None})
