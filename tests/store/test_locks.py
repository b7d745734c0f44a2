"""Locks, and the files that stand in for them: who waits, for how long, and what is left behind."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jido_jupyter.errors import StoreBusy
from jido_jupyter.store import locks
from jido_jupyter.store.folder import Descriptor, Folder

STAND_IN = ".one.lock"


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path))


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[Descriptor]:
    found = Descriptor().open(str(tmp_path / "one"), os.O_RDWR | os.O_CREAT)
    yield found
    found.close()


class Sleeper:
    """A clock that sleeping moves, and that does something at a moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int = -1, act=None) -> None:
        self.now, self.pauses = 1000.0, []
        self._at, self._act = at, act
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if len(self.pauses) == self._at:
            self._act()


def refusing(code: int):
    def refuse(fd: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


def is_locked(tmp_path: Path) -> bool:
    other = os.open(tmp_path / "one", os.O_RDWR)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(other)
    return False


def test_a_lock_is_held_for_the_block_and_ends_with_the_file(fd: Descriptor, place: Folder, tmp_path: Path) -> None:
    """Nobody else gets it before the descriptor is closed; no other file is made."""
    with locks.exclusive(fd, place, "one"):
        assert is_locked(tmp_path)

    fd.close()

    assert not is_locked(tmp_path)
    assert os.listdir(tmp_path) == ["one"]


def test_a_lock_that_gets_free_is_taken(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short wait, in pauses that double up to 20 ms, ends as soon as the other one is done."""
    other = os.open(tmp_path / "one", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    sleeper = Sleeper(monkeypatch, 9, lambda: os.close(other))

    with locks.exclusive(fd, place, "one"):
        pass

    assert sleeper.pauses == pytest.approx([0.0002 * 2**step for step in range(7)] + [0.02, 0.02])


def test_a_lock_that_stays_taken_is_told(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten seconds the error names the file; the one who waited does nothing in the block."""
    other = os.open(tmp_path / "one", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    sleeper = Sleeper(monkeypatch)

    with pytest.raises(StoreBusy) as refusal, locks.exclusive(fd, place, "one"):
        pytest.fail("the lock was not ours")

    assert refusal.value.path == str(tmp_path / "one")
    assert 10.0 < sleeper.now - 1000.0 <= 10.02 + 1e-9
    os.close(other)


def test_patience_ends_after_its_last_moment(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the deadline itself there is one more try."""
    other = os.open(tmp_path / "one", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    sleeper = Sleeper(monkeypatch)
    sleeper.now = 0.0
    monkeypatch.setattr(locks, "PATIENCE_S", 0.0002)

    with pytest.raises(StoreBusy), locks.exclusive(fd, place, "one"):
        pytest.fail("the lock was not ours")

    assert sleeper.pauses == [0.0002, 0.0004]
    os.close(other)


def test_a_lock_that_fails_is_told(fd: Descriptor, place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that means neither 'taken' nor 'no locks here' is passed on."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.EIO))

    with pytest.raises(OSError, match="Input/output"), locks.exclusive(fd, place, "one"):
        pytest.fail("the lock was not ours")


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_stands_in_where_there_are_no_locks(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It is private, there for the block, and gone after it, also when the block fails."""
    monkeypatch.setattr(fcntl, "flock", refusing(code))

    with locks.exclusive(fd, place, "one"):
        assert stat.S_IMODE((tmp_path / STAND_IN).stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["one"]

    with pytest.raises(KeyError), locks.exclusive(fd, place, "one"):
        raise KeyError
    assert os.listdir(tmp_path) == ["one"]


def test_a_stand_in_that_somebody_removed_is_no_error(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is done; that its lock is gone changes nothing."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))

    with locks.exclusive(fd, place, "one"):
        (tmp_path / STAND_IN).unlink()


def test_a_stand_in_of_another_process_is_waited_for(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second waits until it is gone, and does not remove it."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    (tmp_path / STAND_IN).write_bytes(b"theirs")
    sleeper = Sleeper(monkeypatch, 3, (tmp_path / STAND_IN).unlink)

    with locks.exclusive(fd, place, "one"):
        assert (tmp_path / STAND_IN).read_bytes() == b""

    assert sleeper.pauses == pytest.approx([0.0002, 0.0004, 0.0008])


@pytest.mark.parametrize(("age_s", "is_abandoned"), [(30.5, True), (30, False)])
def test_an_abandoned_stand_in_is_passed(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_s: float, is_abandoned: bool
) -> None:
    """One that is older than half a minute was left by a process that was killed; a younger one is respected."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    (tmp_path / STAND_IN).write_bytes(b"")
    os.utime(tmp_path / STAND_IN, (1000, 1000))
    monkeypatch.setattr(time, "time", lambda: 1000 + age_s)
    Sleeper(monkeypatch)

    if is_abandoned:
        with locks.exclusive(fd, place, "one"):
            pass
    else:
        with pytest.raises(StoreBusy) as refusal, locks.exclusive(fd, place, "one"):
            pytest.fail("the lock was not ours")
        assert refusal.value.path == str(tmp_path / "one")
        assert (tmp_path / STAND_IN).exists()


def test_a_stand_in_that_goes_while_it_is_looked_at_is_tried_again(
    fd: Descriptor, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between 'it exists' and the look at its age the other one may be done."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    (tmp_path / STAND_IN).write_bytes(b"")
    stat_of = os.stat

    def remove_first(path, **options):
        if path == STAND_IN:
            (tmp_path / STAND_IN).unlink(missing_ok=True)
        return stat_of(path, **options)

    monkeypatch.setattr(os, "stat", remove_first)

    with locks.exclusive(fd, place, "one"):
        assert STAND_IN in os.listdir(tmp_path)
