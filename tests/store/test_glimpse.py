"""A look into the index that opens no store: right, or nothing at all, and never long."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jido_jupyter.core import records
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.glimpse import Glimpse, glimpse
from jido_jupyter.testing.store_conformance import AT, created, said
from tests.store.test_index import ids, index_of, opened


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = opened(tmp_path)
    for number, notebook in enumerate(("a.ipynb", "a.ipynb", "b.ipynb")):
        at = f"2026-11-0{number + 1}T09:00:00.000Z"
        created(store, f"s{number}", said(number, at=at), records.meta({"notebook": notebook}, AT))
    ids(store)
    return store


def look(tmp_path: Path, notebook: str = "a.ipynb", session_id: str | None = None) -> Glimpse | None:
    return glimpse(str(tmp_path / "home"), str(tmp_path / "cache"), notebook, session_id)


@pytest.mark.usefixtures("store")
def test_the_newest_session_of_a_notebook_is_seen(tmp_path: Path) -> None:
    """By its path, whatever its case; of another notebook there is another one, or none."""
    assert look(tmp_path) == Glimpse("s1", "text 1", "2026-11-02T09:00:00.000Z", 1)
    assert look(tmp_path, "A.ipynb") == look(tmp_path)
    assert look(tmp_path, "nowhere.ipynb") is None


@pytest.mark.usefixtures("store")
def test_a_session_is_seen_by_its_id(tmp_path: Path) -> None:
    """Then the notebook does not matter."""
    found = look(tmp_path, "a.ipynb", "s2")

    assert found is not None
    assert found.session_id == "s2"
    assert look(tmp_path, "a.ipynb", "nobody") is None


def test_what_is_not_stored_is_not_seen(store: FileStore, tmp_path: Path) -> None:
    """A session that was trashed since the index saw it is none, and one that the index knows as trashed."""
    store.trash("s1")
    assert look(tmp_path) is None

    ids(store)
    found = look(tmp_path)
    assert found is not None
    assert found.session_id == "s0"


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff"])
def test_any_doubt_is_nothing(store: FileStore, tmp_path: Path, content: bytes | None) -> None:
    """Without a store, or with a damaged one, nothing is seen and nothing is made."""
    path = tmp_path / "home" / "store.json"
    path.unlink() if content is None else path.write_bytes(content)

    assert look(tmp_path) is None


def test_without_an_index_nothing_is_seen_or_made(store: FileStore, tmp_path: Path) -> None:
    """Nor with one that is damaged."""
    path = index_of(tmp_path)
    for left in (tmp_path / "cache").iterdir():
        left.unlink()
    assert look(tmp_path) is None
    assert os.listdir(tmp_path / "cache") == []

    path.write_bytes(b"not a database at all")
    assert look(tmp_path) is None


def test_a_look_that_takes_long_is_given_up(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint that comes late is no hint."""
    with store._catalogue._index.opened() as db:
        names = "doc, id, trashed, stamp, has_words, title, updated, pinned, archived, notebook, model, tags, summary"
        rows = ((number, f"x{number}") for number in range(5000))
        db.executemany(f"INSERT INTO session ({names}) VALUES (?, ?, 0, '', 0, '', '', 0, 0, '', '', '', '')", rows)
    clock = iter(range(10**6))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))

    assert look(tmp_path, "nowhere.ipynb") is None
    assert next(clock) > 1  # the handler asked for the time
