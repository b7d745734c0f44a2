"""Leases: what happens between open and lock, and where the system has no locks."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from jido_jupyter.core.records import Owner
from jido_jupyter.errors import SessionOpen, StoreError, StoreUnavailable
from jido_jupyter.store import folder as files
from jido_jupyter.store import leases
from jido_jupyter.store.folder import Folder
from tests.support.descriptors import open_descriptors

OWNER = Owner("kernel", "here", 1, "a.ipynb")
OTHER = Owner("kernel", "there", 2, "b.ipynb")
UNKNOWN = Owner("another program", "this host", 0)


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path))


@contextmanager
def held_elsewhere(tmp_path: Path, content: bytes) -> Iterator[None]:
    """Hold the lock of session "one" in another process, with ``content`` in its file."""
    code = f"""
        import fcntl, os, time
        fd = os.open({str(tmp_path / "one")!r}, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.lockf(fd, fcntl.LOCK_EX)
        os.write(fd, {content!r})
        print("held", flush=True)
        time.sleep(60)
    """
    other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
    finally:
        other.kill()
        other.wait()


def refusing(code: int):
    def refuse(*arguments, **options):
        raise OSError(code, os.strerror(code))

    return refuse


def test_a_lease_is_a_private_file_that_says_whose_it_is(place: Folder, tmp_path: Path) -> None:
    """The file holds the owner as JSON, on the disk before the lease counts, and goes with the lease."""
    lease = leases.take(place, "one", OWNER, take_over=False)

    assert orjson.loads((tmp_path / "one").read_bytes()) == OWNER.to_wire()
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    assert (lease.session_id, lease.owner, lease.path) == ("one", OWNER, str(tmp_path / "one"))
    assert lease.is_held is True
    lease.release()
    assert lease.is_held is False
    assert os.listdir(tmp_path) == []


def test_an_owner_is_written_over_a_longer_one(place: Folder, tmp_path: Path) -> None:
    """Nothing of what a dead process left stays in the file."""
    (tmp_path / "one").write_bytes(b"x" * 500)

    leases.take(place, "one", OWNER, take_over=False)

    assert orjson.loads((tmp_path / "one").read_bytes()) == OWNER.to_wire()


def test_an_owner_is_synced(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another host must not read an empty file while we hold the lease."""
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.pread(fd, 999, 0)))

    leases.take(place, "one", OWNER, take_over=False)

    assert synced == [orjson.dumps(OWNER.to_wire())]


def test_a_process_that_holds_it_refuses_itself(place: Folder) -> None:
    """A second call in the same process learns who holds it; with take-over the first one loses it."""
    first = leases.take(place, "one", OWNER, take_over=False)
    with pytest.raises(SessionOpen) as refusal:
        leases.take(place, "one", OTHER, take_over=False)
    assert refusal.value.owner == OWNER.to_wire()

    second = leases.take(place, "one", OTHER, take_over=True)

    assert not first.is_held
    assert second.is_held
    assert leases.owner_of(place, "one") == OTHER


def test_a_lease_whose_folder_is_gone_is_not_held(tmp_path: Path) -> None:
    """Without its folder nobody can see it; giving it up then harms nobody, and leaks nothing."""
    place = Folder(str(tmp_path / "leases"))
    place.make()
    before = len(open_descriptors())
    lease = leases.take(place, "one", OWNER, take_over=False)
    (tmp_path / "leases" / "one").unlink()
    assert not lease.is_held
    (tmp_path / "leases").rmdir()

    assert not lease.is_held
    lease.release()

    assert len(open_descriptors()) == before


def test_a_lease_that_is_gone_can_be_taken_again(place: Folder, tmp_path: Path) -> None:
    """Whoever deletes the file ends the lease; giving up the old one does not take the new one along."""
    first = leases.take(place, "one", OWNER, take_over=False)
    (tmp_path / "one").unlink()

    second = leases.take(place, "one", OTHER, take_over=False)
    first.release()

    assert second.is_held
    assert leases.owner_of(place, "one") == OTHER
    assert (tmp_path / "one").exists()


def test_a_lease_on_descriptor_zero_is_released_too(place: Folder, tmp_path: Path) -> None:
    """A process without a standard input may be given the number 0 for a lease."""
    lease = leases.take(place, "one", OWNER, take_over=False)
    number, kept = lease._fd.fileno(), os.dup(0)
    os.dup2(number, 0)
    lease._fd._number = 0
    try:
        lease.release()
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(number)

    assert not (tmp_path / "one").exists()


def test_nothing_is_kept_of_a_lease_that_was_released(place: Folder) -> None:
    """A kernel that opens thousands of sessions remembers those that are open."""
    lease = leases.take(place, "one", OWNER, take_over=False)

    lease.release()

    assert lease.path not in leases._held


def test_what_was_taken_over_here_stays_locked(place: Folder) -> None:
    """The old descriptor is closed before the new lock is made: closed later, it would drop it."""
    first = leases.take(place, "one", OWNER, take_over=False)
    second = leases.take(place, "one", OTHER, take_over=True)

    del first

    child = os.fork()
    if child == 0:
        os._exit(0 if leases.owner_of(place, "one") == OTHER else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert second.is_held


def test_other_hosts_learn_of_it(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that is taken or given up changes names."""
    settled: list[int] = []
    monkeypatch.setattr(files, "settle_names", settled.append)

    lease = leases.take(place, "one", OWNER, take_over=False)
    taken = len(settled)
    lease.release()

    assert (taken, len(settled)) == (1, 2)


def test_a_release_that_cannot_remove_the_file_frees_it(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays behind holds nobody up."""
    lease = leases.take(place, "one", OWNER, take_over=False)
    monkeypatch.setattr(os, "unlink", refusing(errno.EIO))

    lease.release()

    assert (tmp_path / "one").exists()
    assert leases.owner_of(place, "one") is None
    assert leases.take(place, "one", OTHER, take_over=False).is_held


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_goes_between_open_and_lock_is_opened_again(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_replaced: bool
) -> None:
    """The last holder removes its file while we wait: then the lock is on a file that nobody looks at."""
    lockf, locked = fcntl.lockf, []
    before = len(open_descriptors())

    def lock_late(fd: int, operation: int) -> None:
        lockf(fd, operation)
        if not locked:
            (tmp_path / "one").unlink()
            if is_replaced:
                (tmp_path / "one").write_bytes(b"")
        locked.append(fd)

    monkeypatch.setattr(fcntl, "lockf", lock_late)

    lease = leases.take(place, "one", OWNER, take_over=False)

    assert len(locked) == 2
    assert lease.is_held
    assert len(open_descriptors()) == before + 1


def test_a_link_that_takes_the_name_between_open_and_lock_is_refused(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when it leads to the very file that was opened."""
    lockf = fcntl.lockf

    def lock_late(fd: int, operation: int) -> None:
        lockf(fd, operation)
        os.rename(tmp_path / "one", tmp_path / "elsewhere")
        os.symlink("elsewhere", tmp_path / "one")

    monkeypatch.setattr(fcntl, "lockf", lock_late)

    with pytest.raises(StoreError, match="was not opened"):
        leases.take(place, "one", OWNER, take_over=False)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_without_locks_a_session_can_be_opened(place: Folder, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Where there are no locks nobody is kept out, and nobody else is said to hold it: the revision check protects."""
    monkeypatch.setattr(fcntl, "lockf", refusing(code))
    monkeypatch.setattr(fcntl, "fcntl", refusing(code))

    lease = leases.take(place, "one", OWNER, take_over=False)

    assert lease.is_held
    with pytest.raises(SessionOpen):
        leases.take(place, "one", OTHER, take_over=False)
    lease._fd.close()
    leases._held.clear()  # as in another process
    assert leases.owner_of(place, "one") is None


def test_a_lock_that_fails_is_told(place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that means neither 'taken' nor 'no locks here' is passed on, from taking and from asking."""
    (tmp_path / "one").write_bytes(b"")
    before = len(open_descriptors())
    monkeypatch.setattr(fcntl, "lockf", refusing(errno.EIO))
    monkeypatch.setattr(fcntl, "fcntl", refusing(errno.EIO))

    with pytest.raises(OSError, match="Input/output"):
        leases.take(place, "one", OWNER, take_over=True)
    with pytest.raises(OSError, match="Input/output") as refusal:
        leases.owner_of(place, "one")

    assert len(open_descriptors()) == before  # while the error, and what it refers to, is still here
    assert refusal.value.errno == errno.EIO


@pytest.mark.parametrize("code", [errno.EACCES, errno.EAGAIN])
def test_both_words_for_taken_are_understood(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """POSIX lets a system say either; the one who is refused closes what it opened."""
    (tmp_path / "one").write_bytes(orjson.dumps(OTHER.to_wire()))
    before = len(open_descriptors())
    monkeypatch.setattr(fcntl, "lockf", refusing(code))

    with pytest.raises(SessionOpen) as refusal:
        leases.take(place, "one", OWNER, take_over=False)

    assert refusal.value.owner == OTHER.to_wire()
    assert len(open_descriptors()) == before


def test_a_lease_of_another_process_is_taken_over(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new file takes the name; what the old holder has locked counts no more."""
    with held_elsewhere(tmp_path, orjson.dumps(OTHER.to_wire())):
        assert leases.owner_of(place, "one") == OTHER
        with pytest.raises(SessionOpen) as refusal:
            leases.take(place, "one", OWNER, take_over=False)
        assert refusal.value.owner == OTHER.to_wire()

        synced: list[object] = []
        monkeypatch.setattr(os, "fsync", synced.append)
        lease = leases.take(place, "one", OWNER, take_over=True)

        assert lease.is_held
        assert len(synced) == 1  # a lease need not outlive a power cut, so its name is not
        assert orjson.loads((tmp_path / "one").read_bytes()) == OWNER.to_wire()
        assert os.listdir(tmp_path) == ["one"]


def test_only_one_of_two_takes_over(place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds the new file taken as well, by somebody who took over first, is refused."""
    tries = []

    def refuse(fd: int, operation: int) -> None:
        tries.append(fd)
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(fcntl, "lockf", refuse)

    with pytest.raises(SessionOpen):
        leases.take(place, "one", OWNER, take_over=True)

    assert len(tries) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"5", b'{"kind":"kernel","host":"h"}', b'{"kind":"kernel","host":"h","pid":"x"}'],
)
def test_an_owner_that_cannot_be_read_is_somebody(place: Folder, tmp_path: Path, content: bytes) -> None:
    """While its holder is just writing the file, the lease is held all the same."""
    with held_elsewhere(tmp_path, content):
        assert leases.owner_of(place, "one") == UNKNOWN


def test_an_owner_without_a_notebook(place: Folder, tmp_path: Path) -> None:
    """A command line has none; what was written by another version is read as text and number."""
    with held_elsewhere(tmp_path, b'{"kind":1,"host":2,"pid":"3"}'):
        assert leases.owner_of(place, "one") == Owner("1", "2", 3)


def test_asking_about_a_file_that_nobody_holds(place: Folder, tmp_path: Path) -> None:
    """A file that a dead process left is nobody's, and asking leaks nothing."""
    (tmp_path / "one").write_bytes(orjson.dumps(OTHER.to_wire()))
    before = open_descriptors()

    assert leases.owner_of(place, "one") is None
    assert leases.owner_of(place, "two") is None
    assert open_descriptors() == before


def test_asking_does_not_end_our_own_lease(place: Folder) -> None:
    """Closing any descriptor of the file would drop the lock, so it is not opened."""
    lease = leases.take(place, "one", OWNER, take_over=False)

    assert leases.owner_of(place, "one") == OWNER

    child = os.fork()
    if child == 0:
        os._exit(0 if leases.owner_of(place, "one") == OWNER else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert lease.is_held


def test_a_forked_child_holds_nothing(place: Folder) -> None:
    """The child of a kernel neither holds the lease nor ends it."""
    lease = leases.take(place, "one", OWNER, take_over=False)
    child = os.fork()
    if child == 0:
        is_held = lease.is_held
        try:
            leases.take(place, "one", OTHER, take_over=False)
        except SessionOpen as error:
            os._exit(0 if not is_held and error.data["owner"] == OWNER.to_wire() else 1)
        os._exit(2)

    assert os.waitpid(child, 0)[1] == 0
    assert leases.owner_of(place, "one") == OWNER


def test_ids_that_have_a_file(place: Folder, tmp_path: Path) -> None:
    """Hidden files are none."""
    for name in ("one", "two", ".a.tmp"):
        (tmp_path / name).write_bytes(b"")

    assert sorted(leases.held_ids(place)) == ["one", "two"]


def test_without_its_folder_nothing_is_taken(tmp_path: Path) -> None:
    """A folder that is missing is told, not made."""
    with pytest.raises(StoreUnavailable):
        leases.take(Folder(str(tmp_path / "nowhere")), "one", OWNER, take_over=False)


def test_sweeping_takes_what_dead_holders_left(place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old files that nobody holds go; young ones, ours and those of living processes stay."""
    ours = leases.take(place, "ours", OWNER, take_over=False)
    for name in ("dead", "young", "edge", "pipe"):
        os.mkfifo(tmp_path / name) if name == "pipe" else (tmp_path / name).write_bytes(b"{}")
    with held_elsewhere(tmp_path, orjson.dumps(OTHER.to_wire())):
        for name, at in (
            ("dead", 1000),
            ("young", 4000),
            ("edge", 2000),
            ("pipe", 1000),
            ("ours", 1000),
            ("one", 1000),
        ):
            os.utime(tmp_path / name, (at, at))
        monkeypatch.setattr("time.time", lambda: 5000.0)

        leases.sweep(place, 3000)

        assert sorted(leases.held_ids(place)) == ["edge", "one", "ours", "pipe", "young"]
        assert leases.owner_of(place, "one") == OTHER
    assert ours.is_held


def test_a_lease_that_goes_while_it_is_swept_is_no_error(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder may give it up meanwhile; the others are swept all the same."""
    (tmp_path / "dead").write_bytes(b"{}")
    os.utime(tmp_path / "dead", (1000, 1000))
    monkeypatch.setattr(leases, "held_ids", lambda place: ["gone", "dead"])

    leases.sweep(place, 60)

    assert os.listdir(tmp_path) == []


def test_dropping_takes_only_what_nobody_holds(place: Folder, tmp_path: Path) -> None:
    """A lease of ours, or of another process, is not dropped; one that is not there is no error, and nothing leaks."""
    lease = leases.take(place, "ours", OWNER, take_over=False)
    (tmp_path / "dead").write_bytes(b"{}")
    before = open_descriptors()
    with held_elsewhere(tmp_path, orjson.dumps(OTHER.to_wire())):
        for session_id in ("ours", "one", "dead", "nobody"):
            leases.drop(place, session_id)

        assert sorted(os.listdir(tmp_path)) == ["one", "ours"]
    assert open_descriptors() == before
    assert lease.is_held


def test_what_killed_holders_left_is_swept(tmp_path: Path) -> None:
    """A lease file that nobody holds goes after an hour, one that is held or young stays."""
    place = Folder(str(tmp_path / "leases"))
    place.make()
    held = leases.take(place, "held", OWNER, take_over=False)
    for name, age_s in (("held", 7200), ("dead", 7200), ("young", 60)):
        path = tmp_path / "leases" / name
        path.touch(mode=0o600)
        os.utime(path, (time.time() - age_s, time.time() - age_s))

    leases.sweep(place, 3600)

    assert sorted(leases.held_ids(place)) == ["held", "young"]
    assert held.is_held
    held.release()


def test_a_lease_that_another_process_holds_is_not_dropped(tmp_path: Path) -> None:
    """Its file is locked, however old it is."""
    place = Folder(str(tmp_path / "leases"))
    place.make()
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        leases.take(place, "one", OWNER, take_over=False)
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)

    leases.drop(place, "one")
    still_there = leases.held_ids(place)
    os.write(go[1], b"x")
    os.waitpid(child, 0)
    leases.drop(place, "one")

    assert (still_there, leases.held_ids(place)) == (["one"], [])
