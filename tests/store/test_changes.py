"""The change file: what is known since a place, and when that cannot be known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jido_jupyter.store import changes
from jido_jupyter.store.changes import Place
from jido_jupyter.store.folder import Descriptor, Folder


@pytest.fixture
def folder_fd(tmp_path: Path) -> Iterator[Descriptor]:
    with Folder(str(tmp_path)).opened() as fd:
        yield fd


def test_what_was_marked_since(folder_fd: Descriptor) -> None:
    """Each id once, whatever came before the place."""
    changes.mark(folder_fd, "old")
    place = changes.end(folder_fd)
    for session_id in ("one", "two", "one"):
        changes.mark(folder_fd, session_id)

    assert changes.since(folder_fd, place) == {"one", "two"}
    assert changes.since(folder_fd, changes.end(folder_fd)) == set()


def test_nothing_was_ever_marked(folder_fd: Descriptor) -> None:
    """A store without a change file has no changes, for one who knows that; another one cannot tell."""
    assert changes.end(folder_fd) == Place(0, 0)
    assert changes.since(folder_fd, Place(0, 0)) == set()
    assert changes.since(folder_fd, Place(5, 10)) is None


def test_another_or_shorter_file_tells_nothing(folder_fd: Descriptor, tmp_path: Path) -> None:
    """Whoever knows another file, or one that was longer, looks at everything."""
    changes.mark(folder_fd, "one")
    end = changes.end(folder_fd)

    assert changes.since(folder_fd, Place(end.inode + 1, 0)) is None
    assert changes.since(folder_fd, Place(end.inode, end.offset + 1)) is None


def test_a_file_that_is_too_long_goes(folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit it stays, beyond it a new one is begun."""
    monkeypatch.setattr(changes, "MAX_BYTES", 10)
    changes.mark(folder_fd, "one")
    changes.mark(folder_fd, "two")
    assert (tmp_path / "changes").read_bytes() == b"\none\n\ntwo\n"

    changes.mark(folder_fd, "x")

    assert not (tmp_path / "changes").exists()
