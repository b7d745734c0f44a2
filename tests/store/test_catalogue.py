"""The catalogue: an index that breaks is mended, then given up; what is not an id is nobody's."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from jido_jupyter.core.query import parse
from jido_jupyter.errors import InvalidField
from jido_jupyter.store import catalogue, changes
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.index import Index
from jido_jupyter.testing.store_conformance import all_summaries, created, said
from tests.store.test_index import ids, index_of, opened


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return opened(tmp_path)


def failing(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the next searches of the index fail."""
    find, failures = Index.find, iter(range(times))

    def fail(self, *arguments, **options):
        if next(failures, None) is not None:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return find(self, *arguments, **options)

    monkeypatch.setattr(Index, "find", fail)


def test_an_index_that_fails_once_is_built_anew(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is thrown away and made again; the answer is complete."""
    created(store, "one", said(1))
    ids(store)
    before = index_of(tmp_path).stat().st_ino
    assert index_of(tmp_path).name == f"index-{store.id}.sqlite"
    with index_of(tmp_path).open("rb"):  # so that its number is not used again
        failing(monkeypatch, 1)

        assert ids(store, "text") == ["one"]

        assert index_of(tmp_path).stat().st_ino != before
        assert store._catalogue._index._path == str(index_of(tmp_path))


def test_an_index_that_fails_again_is_given_up(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process goes on with one in memory."""
    created(store, "one", said(1))
    failing(monkeypatch, 2)

    assert ids(store, "text") == ["one"]
    assert store._catalogue._index._path == ":memory:"


def test_an_index_that_fails_in_memory_too_is_told(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third failure is no damage that could be mended."""
    failing(monkeypatch, 3)

    with pytest.raises(sqlite3.DatabaseError):
        ids(store)


def test_an_index_without_its_place_looks_at_all_files(store: FileStore) -> None:
    """Where the state was lost, nothing is taken for known."""
    created(store, "one", said(1))
    ids(store)
    with store._catalogue._index.opened() as db:
        db.execute("DELETE FROM state WHERE name = 'inode'")
        db.execute("DELETE FROM session")

    assert ids(store) == ["one"]


def test_nothing_that_changed_costs_no_look(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While no sign of the folders has moved, the index answers as it is."""
    created(store, "one", said(1))
    for place in ("sessions", "trash"):
        os.utime(tmp_path / "home" / place, (1000, 1000))
    assert ids(store) == ["one"]
    monkeypatch.setattr(Index, "update", lambda *arguments: pytest.fail("looked again"))

    assert ids(store) == ["one"]


def test_a_clock_that_was_set_back_makes_nothing_stale(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A last look that lies in the future is no reason to wait for that moment."""
    revision = created(store, "one", said(1))
    ids(store)
    with store._catalogue._index.opened() as db:
        db.execute("UPDATE state SET value = '99999999999' WHERE name = 'scanned'")
    monkeypatch.setattr(changes, "mark", lambda *arguments: None)
    store.append("one", [said(2, "needle")], revision)

    assert ids(store, "needle") == ["one"]


def test_what_stands_in_the_change_file_is_checked(store: FileStore, tmp_path: Path) -> None:
    """A line that is no id reaches no path."""
    created(store, "one", said(1))
    ids(store)
    with (tmp_path / "home" / "changes").open("ab") as file:
        file.write(b"../../etc/passwd\nONE\n\xff\none\n")

    assert ids(store) == ["one"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jsonl", "a"), ("a.json", None), (".jsonl", None), ("A.jsonl", None), ("a.jsonl.bak", None), ("a", None)],
)
def test_ids_of_files(name: str, expected: str | None) -> None:
    """Only an id with our ending is a session."""
    assert catalogue.id_of(name) == expected


@pytest.mark.parametrize("cursor", ["", "-1", "1" * 20, "\u0661", "1.5"])
def test_a_cursor_that_is_none_is_refused(store: FileStore, cursor: str) -> None:
    """What did not come from a page leads nowhere."""
    with pytest.raises(InvalidField):
        store.find(parse(""), cursor=cursor)


def test_the_last_page_is_the_last(store: FileStore) -> None:
    """A page that is just full has no next one; the best hits come on one page."""
    for number in range(3):
        created(store, f"s{number}", said(number))

    assert store.find(parse(""), limit=3).next_cursor is None
    assert store.find(parse(""), limit=2).next_cursor is not None
    assert store.find(parse("text"), limit=2, by_rank=True).next_cursor is None
    assert store.find(parse(""), limit=2, by_rank=True).next_cursor is not None


def test_a_page_has_fifty_unless_said_otherwise(store: FileStore) -> None:
    """Newest first, and with a cursor to the rest; names come fifty at a time, too."""
    for number in range(51):
        created(store, f"s{number}", said(number, "text"))

    for page in (store.find(parse("")), store.find(parse("text"))):
        assert len(page.hits) == 50
        assert page.next_cursor is not None
    assert len(store.named("s")) == 50


def test_a_locked_index_is_waited_for(tmp_path: Path, store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """First openers get in each other's way for a moment; nothing is thrown away for that."""
    created(store, "one", said(1))
    ids(store)
    before = index_of(tmp_path).stat().st_ino
    connect, failures, pauses = sqlite3.connect, iter(range(2)), []

    def refuse(*arguments, **options):
        if next(failures, None) is not None:
            raise sqlite3.OperationalError("database is locked")
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", refuse)
    monkeypatch.setattr("jido_jupyter.store.index.time.sleep", pauses.append)

    assert ids(opened(tmp_path)) == ["one"]
    assert pauses == [0.05, 0.2]
    assert index_of(tmp_path).stat().st_ino == before


def test_an_index_that_stays_locked_is_done_without(
    tmp_path: Path, store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three tries and a new file one in memory answers."""
    created(store, "one", said(1))
    connect = sqlite3.connect

    def refuse(path, *arguments, **options):
        if path != ":memory:":
            raise sqlite3.OperationalError("database is locked")
        return connect(path, *arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", refuse)
    monkeypatch.setattr("jido_jupyter.store.index.time.sleep", lambda seconds: None)
    other = opened(tmp_path)

    assert ids(other) == ["one"]
    assert other._catalogue._index._path == ":memory:"


@pytest.mark.parametrize("odd", ["mode", "link", "owner"])
def test_an_index_that_others_could_change_is_not_used(
    tmp_path: Path, store: FileStore, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    """A cache folder that is writable by others, a link or somebody else's is left alone."""
    created(store, "one", said(1))
    cache = tmp_path / "cache"
    if odd == "mode":
        cache.mkdir(exist_ok=True)
        cache.chmod(0o777)
    elif odd == "link":
        (tmp_path / "elsewhere").mkdir()
        os.symlink(tmp_path / "elsewhere", cache)
    else:
        cache.mkdir(mode=0o700)
        lstat = os.lstat

        def theirs(path):
            found = lstat(path)
            return os.stat_result((*found[:4], found.st_uid + 1, *found[5:])) if stat.S_ISDIR(found.st_mode) else found

        monkeypatch.setattr(os, "lstat", theirs)
    other = opened(tmp_path)

    assert ids(other) == ["one"]
    assert list(cache.iterdir()) == []


def test_an_index_that_another_opener_made_is_taken(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the version and the lock another process may have made the tables."""
    created(store, "one", said(1))
    ids(store)
    path = store._catalogue._index._path
    with store._catalogue._index.opened() as db:
        db.execute("PRAGMA user_version = 0")
    connect = sqlite3.connect

    class Late(sqlite3.Connection):
        def execute(self, sql, *arguments):
            if sql == "BEGIN IMMEDIATE":
                other = connect(path, isolation_level=None)
                other.execute("PRAGMA user_version = 1")
                other.close()
            return super().execute(sql, *arguments)

    monkeypatch.setattr(sqlite3, "connect", lambda *arguments, **options: connect(*arguments, factory=Late, **options))
    other = Index(path, store._for_index)

    with other.opened() as db:
        assert [*other.ids(db, trashed=0)] == ["one"]


def test_a_session_with_a_time_of_its_own_is_listed(store: FileStore) -> None:
    """A stamp that is none, or lies past all calendars, sorts to an end and hides nothing."""
    for session_id, at in (("past", "yesterday"), ("future", "9999-12-31T23:59:59.999Z"), ("early", "0001-01-01")):
        store.create({"t": "header", "v": 1, "id": session_id, "created_at": at}, [])
    created(store, "one", said(1))

    assert {summary.id for summary in all_summaries(store)} == {"past", "future", "early", "one"}
    assert all_summaries(store)[0].id == "future"


def test_sessions_of_the_same_moment_and_number_are_all_listed(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two sessions would get one number in the index, the second gets the next."""
    monkeypatch.setattr("jido_jupyter.store.index._document", lambda summary: 5)

    for number in range(3):
        created(store, f"s{number}", said(number))

    assert len(ids(store)) == 3
