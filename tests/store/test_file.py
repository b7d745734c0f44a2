"""The file store keeps the contract, and its own promises about files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import resource
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from jido_jupyter.core import records
from jido_jupyter.core.session import replay
from jido_jupyter.errors import (
    CorruptSession,
    OutcomeUnknown,
    PayloadTooLarge,
    SessionExists,
    SessionNotFound,
    SessionOpen,
    StaleRevision,
    StoreError,
    StoreFull,
    StoreUnavailable,
    UnsupportedFormat,
)
from jido_jupyter.store import folder as files
from jido_jupyter.store import keys
from jido_jupyter.store.contract import Revision, Store
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import (
    AT,
    OTHER,
    OWNER,
    StoreConformance,
    all_summaries,
    append_from_threads,
    created,
    said,
)
from tests.support.descriptors import open_descriptors


def opened(tmp_path: Path, max_bytes: int = 10 * 2**20) -> FileStore:
    return FileStore(str(tmp_path / "home"), keys.load_or_create(str(tmp_path / "keys")), max_bytes)


def file_of(tmp_path: Path, session_id: str = "one") -> Path:
    return tmp_path / "home" / "sessions" / f"{session_id}.jsonl"


class TestFileStore(StoreConformance):
    def make_store(self, tmp_path: Path, max_bytes: int = 10 * 2**20) -> Store:
        return opened(tmp_path, max_bytes)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return opened(tmp_path)


def filled(store: FileStore, count: int = 5) -> Revision:
    """Return the revision of a session "one" with messages m1 to m<count>."""
    revision = created(store)
    for number in range(1, count + 1):
        revision = store.append("one", [said(number)], revision)
    return revision


def ids(store: FileStore) -> list[str]:
    stored = store.read("one")
    return [message.id for message in replay(stored.header, stored.records).messages]


def test_every_cut_leaves_all_whole_records(store: FileStore, tmp_path: Path) -> None:
    """Cut at any byte, the file gives every record before the cut; the next append mends it and keeps the evidence."""
    filled(store, 3)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1

    for cut in range(header, len(whole)):
        path.write_bytes(whole[:cut])
        lines = whole[:cut].count(b"\n") - 1
        torn = whole[:cut].rpartition(b"\n")[2]

        stored = store.read("one")
        store.append("one", [said(9)], stored.revision)

        assert [damage.kind for damage in stored.damage] == (["torn"] if torn else [])
        assert ids(store) == [*(f"m{number}" for number in range(1, lines + 1)), "m9"]
        assert store.read("one").damage == ()
        kept = list((tmp_path / "home" / "quarantine").iterdir())
        assert [entry.read_bytes() for entry in kept] == ([torn] if torn else [])
        for entry in kept:
            entry.unlink()


def test_every_flipped_bit_is_told(store: FileStore, tmp_path: Path) -> None:
    """No bit of the records can change unseen, and the others are read all the same."""
    filled(store, 3)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1

    for position in range(start, len(whole) - 1):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)

            stored = store.read("one")

            assert stored.damage, (position, bit)
            assert len(ids(store)) >= 1  # a flipped line end takes two


def test_every_flipped_bit_of_the_header_is_told(store: FileStore, tmp_path: Path) -> None:
    """A changed header is named, as damage or as a refusal to read."""
    filled(store, 1)
    path = file_of(tmp_path)
    whole = path.read_bytes()

    for position in range(whole.index(b"\n")):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            with contextlib.suppress(CorruptSession, UnsupportedFormat):
                assert not store.read("one").is_verified, (position, bit)


@pytest.mark.parametrize(
    ("change", "kind", "left"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], "missing", ["m1", "m3", "m4", "m5"]),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "repeated", ["m1", "m2", "m3", "m4", "m5"]),
        (lambda lines: [*lines[:2], b"{broken", *lines[3:]], "unreadable", ["m1", "m3", "m4", "m5"]),
        (
            lambda lines: [*lines[:2], lines[2].replace(b"text 2", b"text 7"), *lines[3:]],
            "altered",
            ["m1", "m3", "m4", "m5"],
        ),
        (lambda lines: [*lines[:5], b"\0" * 300], "torn", ["m1", "m2", "m3", "m4"]),
    ],
)
def test_kinds_of_damage_are_told_apart(store: FileStore, tmp_path: Path, change, kind, left) -> None:
    """Each kind has its name, costs no more than its line, and the session can be added to."""
    filled(store, 5)
    path = file_of(tmp_path)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(change(lines)))

    stored = store.read("one")
    assert stored.is_verified == (kind not in ("missing", "unreadable"))  # what follows a gap cannot be proven
    store.append("one", [said(9)], stored.revision)

    assert kind in [damage.kind for damage in stored.damage]
    assert ids(store) == [*left, "m9"]


def test_a_hole_before_pieces_only_is_a_torn_end(store: FileStore, tmp_path: Path) -> None:
    """A power cut that keeps the later of two unsynced pages costs what was never acknowledged, and nothing else."""
    revision = filled(store, 2)
    for _number in range(3):
        revision = store.append("one", [records.partial("a1", "x" * 90, AT)], revision, durable=False)
    path = file_of(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:20] + b"\0" * (len(lines[3]) - 20)
    path.write_bytes(b"".join(lines))

    stored = store.read("one")
    store.append("one", [said(9)], stored.revision)

    assert [damage.kind for damage in stored.damage] == ["torn"]
    assert stored.is_verified
    assert ids(store) == ["m1", "m2", "m9"]


def test_a_hole_before_something_durable_is_told(store: FileStore, tmp_path: Path) -> None:
    """Where a whole message follows a hole, nothing is cut off: it may have been acknowledged."""
    filled(store, 5)
    path = file_of(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))

    assert ids(store) == ["m1", "m3", "m4", "m5"]
    assert not store.read("one").is_verified


def test_two_writers_without_a_lock_are_both_read(store: FileStore, tmp_path: Path) -> None:
    """Where a mount let two hosts append at once, each record that carries a seal is read, and the session says so."""
    filled(store, 1)
    path = file_of(tmp_path)
    base = path.read_bytes()
    both = []
    for number in (7, 8):
        path.write_bytes(base)
        store.append("one", [said(number)], store.revision("one"))
        both.append(path.read_bytes()[len(base) :])
    path.write_bytes(base + both[0] + both[1])

    stored = store.read("one")
    store.append("one", [said(9)], stored.revision)

    assert [damage.kind for damage in stored.damage] == ["concurrent"]
    assert ids(store) == ["m1", "m7", "m8", "m9"]
    assert store.read("one").is_verified


def test_a_move_that_a_crash_left_half_done_is_undone(store: FileStore, tmp_path: Path) -> None:
    """A session that a power cut left in both folders is whole, listed and restorable again."""
    filled(store, 2)
    for second in ("trash/one.jsonl", "sessions/.one.jsonl.abc.tmp"):
        os.link(file_of(tmp_path), tmp_path / "home" / second)

        assert ids(store) == ["m1", "m2"]
        assert not (tmp_path / "home" / second).exists()
    assert not all_summaries(store)[0].is_damaged


def test_a_crash_at_the_first_start_locks_nobody_out(store: FileStore, tmp_path: Path) -> None:
    """A second, temporary name of store.json is no reason to refuse the store."""
    os.link(tmp_path / "home" / "store.json", tmp_path / "home" / ".store.json.x.tmp")

    assert opened(tmp_path).id == store.id


def test_without_locks_writers_still_take_turns(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """On a file system that refuses locks a file stands in for them; one that was left behind is passed after a while."""

    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    created(store)

    append_from_threads(store, 15)

    assert len(ids(store)) == 60
    assert store.read("one").damage == ()

    left = tmp_path / "home" / "sessions" / ".one.jsonl.lock"
    left.write_bytes(b"")
    os.utime(left, (time.time() - 60, time.time() - 60))
    store.append("one", [said(999)], store.revision("one"))
    assert not left.exists()


def test_an_error_after_the_deed_does_not_deny_it(store: FileStore, monkeypatch) -> None:
    """What is done stays acknowledged when closing fails, or when the answer to a rename gets lost."""
    rename = os.rename

    def lose_the_answer(*arguments, **options):
        rename(*arguments, **options)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "rename", lose_the_answer)
    created(store, "one", said(1))
    store.trash("one")
    store.restore("one")
    monkeypatch.undo()

    assert ids(store) == ["m1"]


def test_a_session_under_another_name_is_refused(store: FileStore, tmp_path: Path) -> None:
    """A file copied over another session is not taken for it."""
    filled(store, 1)
    file_of(tmp_path, "two").write_bytes(file_of(tmp_path).read_bytes())

    with pytest.raises(CorruptSession, match="holds session 'one'"):
        store.read("two")


@pytest.mark.parametrize("content", [b"", b"\0" * 413, b"[]", b"{}\n", b'{"t":"header"}\n', b"\xff\xfe\n", b"null\n"])
def test_one_bad_file_never_hides_another(store: FileStore, tmp_path: Path, content: bytes) -> None:
    """A file that is no session stands in the list with its reason, and stays where it is."""
    filled(store, 1)
    file_of(tmp_path, "bad").write_bytes(content)

    found = {summary.id: summary for summary in all_summaries(store)}

    assert not found["one"].is_damaged
    assert found["bad"].is_damaged
    assert found["bad"].problems
    assert file_of(tmp_path, "bad").read_bytes() == content


def test_a_later_format_is_left_untouched(store: FileStore, tmp_path: Path) -> None:
    """A session of a future version is refused, and not a byte of it changes."""
    filled(store, 1)
    path = file_of(tmp_path)
    future = path.read_bytes().replace(b'"v":1', b'"v":2', 1)
    path.write_bytes(future)

    with pytest.raises(UnsupportedFormat, match="Upgrade jido_jupyter"):
        store.read("one")

    assert path.read_bytes() == future


def test_a_lost_key_means_not_verified_never_lost(store: FileStore, tmp_path: Path) -> None:
    """Without its key a session is read and told to be unverified."""
    filled(store, 2)
    other = FileStore(str(tmp_path / "home"), keys.load_or_create(str(tmp_path / "other keys")), 10**6)

    stored = other.read("one")

    assert len(stored.records) == 2
    assert [damage.kind for damage in stored.damage] == ["foreign"]
    with pytest.raises(StoreError, match="key that is not here"):
        other.append("one", [said(9)], stored.revision)


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600, also under a umask that would forbid or allow everything."""
    for umask in (0, 0o777):
        before = os.umask(umask)
        try:
            store = opened(tmp_path / str(umask))
            filled(store, 1)
            store.lease("one", OWNER)
            store.trash("one")
        finally:
            os.umask(before)
        for folder, _, names in os.walk(tmp_path / str(umask) / "home"):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
            for name in names:
                assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600, name


def test_links_and_pipes_are_not_followed(store: FileStore, tmp_path: Path) -> None:
    """What is put under a session's name is opened only if it is a plain file with one name."""
    filled(store, 1)
    os.symlink(file_of(tmp_path), file_of(tmp_path, "link"))
    os.mkfifo(file_of(tmp_path, "pipe"))
    os.mkdir(file_of(tmp_path, "folder"))
    os.link(file_of(tmp_path), file_of(tmp_path, "hard"))

    for name in ("link", "pipe", "folder", "hard"):
        with pytest.raises(StoreError, match="was not opened"):
            store.read(name)
    os.unlink(file_of(tmp_path, "hard"))

    assert len(all_summaries(store)) == 4
    assert not next(summary for summary in all_summaries(store) if summary.id == "one").is_damaged


def test_a_full_disk_keeps_the_old_state(tmp_path: Path) -> None:
    """An append that does not fit leaves the file as it was, byte by byte; later there is room again."""
    store = opened(tmp_path)
    revision = filled(store, 1)
    before = file_of(tmp_path).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        with pytest.raises(StoreUnavailable):
            store.append("one", [said(2, "x" * 5000)], revision)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert file_of(tmp_path).read_bytes() == before
    store.append("one", [said(2)], revision)


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs to mount a small disk")
def test_a_really_full_disk_is_told(tmp_path: Path) -> None:
    """On a disk without room the error says so and what to do, and every earlier record stays."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("cannot mount here")
    try:
        store = FileStore(str(disk / "home"), keys.load_or_create(str(tmp_path / "keys")), 10**7)
        revision, count = created(store), 0
        try:
            while True:
                revision = store.append("one", [said(count, "x" * 3000)], revision)
                count += 1
        except StoreFull as error:
            assert "free some space" in str(error)
        assert len(store.read("one").records) == count > 10
        assert store.read("one").damage == ()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_unusable_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    """A store below a file, or behind a link, says what is wrong and what to do."""
    (tmp_path / "file").write_text("")
    real = tmp_path / "real"
    opened(real)
    os.rename(real / "home" / "sessions", real / "elsewhere")
    os.symlink(real / "elsewhere", real / "home" / "sessions")

    with pytest.raises(StoreUnavailable, match="JIDO_HOME"):
        FileStore(str(tmp_path / "file" / "home"), keys.load_or_create(str(tmp_path / "keys")), 10**6)
    with pytest.raises(StoreUnavailable, match="JIDO_HOME"):
        all_summaries(opened(real))


def test_a_failed_fsync_is_not_tried_again(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk will not say that it has the bytes, the outcome is unknown, and one try is all."""
    revision = filled(store, 1)
    tries = []

    def fail(fd: int) -> None:
        tries.append(fd)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(OutcomeUnknown):
        store.append("one", [said(2)], revision)

    assert len(tries) == 1
    monkeypatch.undo()
    inode = file_of(tmp_path).stat().st_ino
    store.append("one", [said(3)], store.revision("one"))
    assert file_of(tmp_path).stat().st_ino != inode, "the doubtful pages were trusted"
    assert ids(store) == ["m1", "m3"]  # what was not acknowledged is not there; its writer says it again


def test_abandoned_temporary_files_are_swept(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """What a killed writer left goes away after an hour; younger ones, and files of others, stay."""
    filled(store, 1)
    folder = tmp_path / "home" / "sessions"
    for name, age_s in ((".one.jsonl.abc.tmp", 7200), (".two.jsonl.abc.tmp", 60), ("notes.txt", 7200)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age_s, time.time() - age_s))
    monkeypatch.setattr("jido_jupyter.store.catalogue.SCAN_S", 0.0)

    all_summaries(store)

    assert sorted(os.listdir(folder)) == [".two.jsonl.abc.tmp", "notes.txt", "one.jsonl"]


def test_a_lease_ends_with_its_process(tmp_path: Path) -> None:
    """While another process lives its lease holds; SIGKILL frees it, although a child that it forked lives on."""
    store = opened(tmp_path)
    created(store)
    code = f"""
        import os, sys, time
        from tests.store.test_file import opened, OTHER
        from pathlib import Path
        store = opened(Path({str(tmp_path)!r}))
        lease = store.lease("one", OTHER)
        child = os.fork()
        if child == 0:
            time.sleep(60)
        print(child, flush=True)
        time.sleep(60)
    """
    other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        child = int(other.stdout.readline())
        assert store.owner("one") == OTHER
        with pytest.raises(SessionOpen):
            store.lease("one", OWNER)
    finally:
        other.kill()
        other.wait()
    try:
        assert store.owner("one") is None
        store.lease("one", OWNER).release()
    finally:
        os.kill(child, 9)


def test_whoever_lost_a_session_sees_who_took_it(tmp_path: Path) -> None:
    """After another process took the session over, this one no longer holds it and names the new owner."""
    store = opened(tmp_path)
    created(store)
    ours = store.lease("one", OWNER)
    code = f"""
        import time
        from pathlib import Path
        from tests.store.test_file import opened, OTHER
        lease = opened(Path({str(tmp_path)!r})).lease("one", OTHER, take_over=True)
        print(lease.is_held, flush=True)
        time.sleep(60)
    """
    other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not ours.is_held
        assert store.owner("one") == OTHER
        ours.release()
        assert store.owner("one") == OTHER
        with pytest.raises(SessionOpen):
            store.lease("one", OWNER)
    finally:
        other.kill()
        other.wait()
    store.lease("one", OWNER).release()


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """Eight first starters make one key and one store."""
    code = f"""
        from pathlib import Path
        from tests.store.test_file import opened
        store = opened(Path({str(tmp_path)!r}))
        print(store.id, store._keys.newest.id)
    """
    running = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]

    answers = {process.communicate()[0] for process in running}

    assert len(answers) == 1
    assert os.listdir(tmp_path / "keys") == ["0001"]


@pytest.mark.parametrize(("mode", "size"), [(0o644, 32), (0o600, 5)])
def test_a_doubtful_key_is_refused(tmp_path: Path, mode: int, size: int) -> None:
    """A key that others may read, or that is none, is not used; the message names the file."""
    (tmp_path / "keys").mkdir()
    key = tmp_path / "keys" / "0001"
    key.write_bytes(b"k" * size)
    key.chmod(mode)

    with pytest.raises(StoreUnavailable, match=str(key)):
        keys.load_or_create(str(tmp_path / "keys"))


def test_a_new_key_seals_and_the_old_one_still_checks(store: FileStore, tmp_path: Path) -> None:
    """After a rotation old sessions are verified and added to with their key, new and rewritten ones carry the new key."""
    revision = filled(store, 2)
    kid = keys.rotate(str(tmp_path / "keys"))

    rotated = opened(tmp_path)
    revision = rotated.append("one", [said(3)], revision)
    created(rotated, "two", said(1))

    assert rotated.read("one").is_verified
    assert rotated.read("one").header["kid"] != kid
    assert rotated.read("two").header["kid"] == kid
    rotated.replace("one", rotated.read("one").header, [said(1)], revision)
    assert rotated.read("one").header["kid"] == kid
    assert not store.read("two").is_verified  # a process from before the rotation cannot check it, and says so


def failing(code: int):
    def fail(*arguments, **options):
        raise OSError(code, os.strerror(code))

    return fail


def test_an_append_flushes_unless_it_need_not_be_durable(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """One flush of the file, or none."""
    revision = created(store)
    flushed: list[int] = []
    monkeypatch.setattr(os, "fdatasync", flushed.append)

    revision = store.append("one", [said(1)], revision, durable=False)
    assert flushed == []
    store.append("one", [said(2)], revision)
    assert len(flushed) == 1


def test_the_cost_of_an_append_does_not_grow(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads the ends of the file, never all of it."""
    revision = filled(store, 3)
    monkeypatch.setattr("jido_jupyter.store.folder.read_all", lambda fd: pytest.fail("the whole file was read"))

    revision = store.append("one", [said(4)], revision)

    assert store.revision("one") == revision


def test_a_part_that_a_full_disk_took_is_cut_off(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """A write that stops in the middle leaves the file as it was, and is told as what it is."""
    revision = filled(store, 1)
    before = file_of(tmp_path).read_bytes()
    write, calls = os.write, []

    def take_a_part(fd: int, data: bytes) -> int:
        calls.append(fd)
        if len(calls) == 1:
            return write(fd, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", take_a_part)
    with pytest.raises(StoreFull):
        store.append("one", [said(2)], revision)
    monkeypatch.undo()

    assert file_of(tmp_path).read_bytes() == before
    assert store.append("one", [said(2)], revision).n == 2


@pytest.mark.parametrize("durable", [True, False])
def test_bytes_that_the_disk_may_not_have_are_cut_off(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    """Whether the flush fails or the handing over, the outcome is unknown and nobody goes on after them."""
    revision = filled(store, 1)
    before = file_of(tmp_path).read_bytes()
    monkeypatch.setattr(os, "fdatasync" if durable else "dup", failing(errno.EIO))

    with pytest.raises(OutcomeUnknown) as unknown:
        store.append("one", [said(2)], revision, durable=durable)

    assert (unknown.value.session_id, unknown.value.reason) == ("one", "input/output error")
    assert file_of(tmp_path).read_bytes() == before


def test_a_cut_that_fails_too_hides_nothing(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome is unknown all the same; the next append asks the file."""
    revision = filled(store, 1)
    monkeypatch.setattr(os, "fdatasync", failing(errno.EIO))
    monkeypatch.setattr(os, "ftruncate", failing(errno.EIO))
    with pytest.raises(OutcomeUnknown):
        store.append("one", [said(2)], revision)
    monkeypatch.undo()

    assert ids(store) == ["m1", "m2"]
    store.append("one", [said(3)], store.revision("one"))
    assert ids(store) == ["m1", "m2", "m3"]


def test_a_doubtful_file_is_written_again_once(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """After a failed flush the next append puts a copy in its place; the one after that appends as ever."""
    revision = filled(store, 1)
    monkeypatch.setattr(os, "fdatasync", failing(errno.EIO))
    with pytest.raises(OutcomeUnknown):
        store.append("one", [said(2)], revision)
    monkeypatch.undo()

    revision = store.append("one", [said(2)], revision)
    inode = file_of(tmp_path).stat().st_ino
    store.append("one", [said(3)], revision)

    assert file_of(tmp_path).stat().st_ino == inode
    assert ids(store) == ["m1", "m2", "m3"]


def test_a_file_that_took_the_name_meanwhile_is_the_one(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """A writer that waited for the lock of a file that was replaced locks the new one, and meets its revision."""
    revision = filled(store, 2)
    other = opened(tmp_path)
    flock, locked = fcntl.flock, []

    def replace_first(fd: int, operation: int) -> None:
        locked.append(fd)
        if len(locked) == 1:
            other.replace("one", records.header("one", AT), [said(9)], revision)
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", replace_first)
    with pytest.raises(StaleRevision):
        store.append("one", [said(3)], revision)

    assert ids(store) == ["m9"]


def test_a_later_format_is_not_replaced(store: FileStore, tmp_path: Path) -> None:
    """Neither compacting nor trusting writes over what a later version wrote."""
    revision = filled(store, 1)
    path = file_of(tmp_path)
    future = path.read_bytes().replace(b'"v":1', b'"v":2', 1)
    path.write_bytes(future)

    with pytest.raises(UnsupportedFormat):
        store.replace("one", records.header("one", AT), [], revision)

    assert path.read_bytes() == future


def test_a_replacement_counts_on(store: FileStore) -> None:
    """Its header has the number after the last record: whoever knows a number sees that something changed."""
    revision = filled(store, 2)

    assert store.replace("one", records.header("one", AT), [], revision).n == revision.n + 1


def test_a_torn_end_does_not_stop_a_replacement(store: FileStore, tmp_path: Path) -> None:
    """The revision before it is the one that counts."""
    revision = filled(store, 2)
    with file_of(tmp_path).open("ab") as file:
        file.write(b'{"t":"mess')
    assert store.revision("one") == revision

    store.replace("one", records.header("one", AT), [said(9)], revision)

    assert ids(store) == ["m9"]


def test_a_torn_end_that_looks_whole_does_not_stop_a_replacement(store: FileStore, tmp_path: Path) -> None:
    """Pieces behind a hole were never acknowledged; they are kept in the quarantine, under the session's id."""
    revision = filled(store, 2)
    sealed = store.append("one", [records.partial("a", "x", AT)], revision)
    store.append("one", [records.partial("a", "y", AT)], sealed)
    path = file_of(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    torn = b"\0" * len(lines[3]) + lines[4]
    path.write_bytes(b"".join(lines[:3]) + torn)

    store.replace("one", records.header("one", AT), [said(9)], revision)

    assert ids(store) == ["m9"]
    [kept] = (tmp_path / "home" / "quarantine").iterdir()
    assert kept.read_bytes() == torn
    assert kept.name.startswith(f"one.{sum(map(len, lines))}.")
    assert kept.name.endswith(".torn")


def test_a_write_that_is_going_on_is_waited_for(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """What looks torn for a moment is read again, twice, after growing pauses."""
    filled(store, 2)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    pauses = []

    def go_on(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            path.write_bytes(whole)

    monkeypatch.setattr("jido_jupyter.store.file.time.sleep", go_on)

    assert store.read("one").damage == ()
    assert pauses == [0.002, 0.02]
    store.read("one")
    assert len(pauses) == 2


def test_a_purge_whose_answer_is_lost_is_done(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """The file is gone, so it was purged; while it is there the error is told."""
    for session_id in ("one", "two"):
        created(store, session_id)
        store.trash(session_id)
    unlink = os.unlink

    def lose_the_answer(*arguments, **options) -> None:
        unlink(*arguments, **options)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "unlink", lose_the_answer)
    store.purge("one")
    monkeypatch.setattr(os, "unlink", failing(errno.EIO))
    with pytest.raises(StoreUnavailable) as refusal:
        store.purge("two")
    monkeypatch.undo()

    assert refusal.value.path == str(tmp_path / "home")
    assert store.trashed() == ["two"]


def test_a_purge_that_is_not_synced_may_come_back(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut may undo it, so its outcome is unknown."""
    created(store)
    store.trash("one")
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))

    with pytest.raises(OutcomeUnknown) as unknown:
        store.purge("one")

    assert (unknown.value.session_id, unknown.value.reason) == ("one", "input/output error")
    assert store.trashed() == []


def test_a_quarantined_file_is_whole(store: FileStore, tmp_path: Path) -> None:
    """It stands under the name that is told, byte by byte; what is not there cannot be set aside."""
    filled(store, 2)
    before = file_of(tmp_path).read_bytes()

    kept = Path(store.quarantine("one"))

    assert kept.read_bytes() == before
    assert kept.parent == tmp_path / "home" / "quarantine"
    assert kept.name.startswith("one.")
    assert kept.name.endswith(".jsonl")
    with pytest.raises(SessionNotFound):
        store.quarantine("one")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"format":1}', b"null"])
def test_a_damaged_store_file_is_told(store: FileStore, tmp_path: Path, content: bytes) -> None:
    """Nothing is guessed about a store; the message says what to move away."""
    path = tmp_path / "home" / "store.json"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=f"{path} is damaged"):
        opened(tmp_path)

    assert path.read_bytes() == content


def test_a_store_of_a_later_format_is_refused(store: FileStore, tmp_path: Path) -> None:
    """Its number is named, and the file stays."""
    (tmp_path / "home" / "store.json").write_bytes(b'{"format":2,"id":"x"}')

    with pytest.raises(UnsupportedFormat, match="format version 2"):
        opened(tmp_path)


def test_a_store_keeps_its_id(store: FileStore, tmp_path: Path) -> None:
    """Sixteen hex digits, written once with the format."""
    assert json.loads((tmp_path / "home" / "store.json").read_bytes()) == {"format": 1, "id": store.id}
    assert len(store.id) == 16
    assert opened(tmp_path).id == store.id


def test_a_session_that_cannot_be_opened_is_listed(store: FileStore, tmp_path: Path, monkeypatch) -> None:
    """A disk that fails on one file hides no other; the list says which, and why."""
    created(store, "one", said(1))
    created(store, "two", said(2))
    open_ = os.open

    def fail_on_two(path, *arguments, **options):
        if path == "two.jsonl":
            raise OSError(errno.EIO, "Input/output error")
        return open_(path, *arguments, **options)

    monkeypatch.setattr(os, "open", fail_on_two)

    found = {summary.id: summary for summary in all_summaries(store)}

    assert not found["one"].is_damaged
    assert found["two"].is_damaged
    assert "Input/output error" in found["two"].problems[0]


def test_titles_of_what_cannot_be_read(store: FileStore, tmp_path: Path) -> None:
    """A damaged file is called damaged; one of a later version, or a link, is not."""
    filled(store, 1)
    file_of(tmp_path, "0123456789").write_bytes(b"x")
    file_of(tmp_path, "future").write_bytes(file_of(tmp_path).read_bytes().replace(b'"v":1', b'"v":2', 1))
    os.symlink("nowhere", file_of(tmp_path, "link"))

    found = {summary.id: summary.title for summary in all_summaries(store)}

    assert found["0123456789"] == "Damaged session 01234567"
    assert found["future"] == "Session future"
    assert found["link"] == "Session link"
    [damaged] = [summary for summary in all_summaries(store) if summary.id == "link"]
    assert (damaged.created_at, damaged.updated_at, damaged.message_count) == ("", "", 0)


def test_damage_and_repairs_stand_in_the_list(store: FileStore, tmp_path: Path) -> None:
    """What the seals tell comes first, then what the fold had to mend."""
    created(store, "one", said(1), said(2), said(2))
    path = file_of(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"text 1", b"text 7"))

    [summary] = all_summaries(store)

    assert [problem.split(" ")[0:2] for problem in summary.problems] == [["Line", "2"], ["A", "message"]]
    assert not summary.is_damaged


def test_nothing_moves_over_another_session(store: FileStore, tmp_path: Path) -> None:
    """Where a copy program put a session beside its trashed twin, neither takes the other's place."""
    created(store, "one", said(1))
    copy = file_of(tmp_path).read_bytes()
    store.trash("one")
    file_of(tmp_path).write_bytes(copy)
    file_of(tmp_path).chmod(0o600)

    for move in (store.restore, store.trash):
        with pytest.raises(SessionExists):
            move("one")

    assert store.trashed() == ["one"]
    assert ids(store) == ["m1"]


def test_a_trashed_session_is_told_where_it_is(store: FileStore) -> None:
    """Whoever asks for it learns how to bring it back; one that never was is just not there."""
    created(store)
    store.trash("one")

    with pytest.raises(SessionNotFound, match="restore"):
        store.read("one")
    with pytest.raises(SessionNotFound, match="List the sessions"):
        store.read("two")
    with pytest.raises(SessionNotFound):
        store.restore("two")


def test_a_link_in_the_trash_is_no_half_done_move(store: FileStore, tmp_path: Path) -> None:
    """Only a file with two names of ours is mended; anything else is refused as it is."""
    os.symlink("elsewhere", tmp_path / "home" / "trash" / "one.jsonl")

    with pytest.raises(StoreError, match="no regular file"):
        store.trashed_at("one")


def test_an_error_names_the_file(store: FileStore, tmp_path: Path) -> None:
    """Whoever asks for the records or for the revision of a damaged session learns where it is."""
    file_of(tmp_path).write_bytes(b"x")
    file_of(tmp_path).chmod(0o600)

    for call in (store.read, store.revision):
        with pytest.raises(CorruptSession) as refusal:
            call("one")
        assert refusal.value.path == str(file_of(tmp_path))


def test_names_have_a_lock_of_their_own(store: FileStore, tmp_path: Path) -> None:
    """Every release locks the same file while it creates, trashes or restores."""
    created(store)

    assert (tmp_path / "home" / "names.lock").exists()


def test_a_second_name_elsewhere_is_refused(store: FileStore, tmp_path: Path) -> None:
    """A hard link that is not ours is no half-done move: it stays, and the file is not opened."""
    filled(store, 1)
    os.link(file_of(tmp_path), tmp_path / "elsewhere")
    (tmp_path / "home" / "sessions" / ".one.jsonl.x.tmp").write_bytes(b"young")

    with pytest.raises(StoreError, match="second name"):
        store.read("one")

    assert (tmp_path / "elsewhere").exists()
    assert (tmp_path / "home" / "sessions" / ".one.jsonl.x.tmp").exists()


def test_an_undone_move_is_durable(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the name that went is synced."""
    filled(store, 1)
    os.link(file_of(tmp_path), tmp_path / "home" / "trash" / "one.jsonl")
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))

    store.read("one")

    assert synced == [(tmp_path / "home" / "trash").stat().st_ino]


def test_every_change_is_marked(store: FileStore, tmp_path: Path) -> None:
    """Each call that changes what is stored tells the index, once, by its id; a new name it sees by itself."""
    path = tmp_path / "home" / "changes"
    revision = created(store)
    revision = store.append("one", [said(1)], revision)
    store.replace("one", records.header("one", AT), [], revision)
    store.trash("one")
    store.restore("one")
    store.trash("one")
    store.purge("one")
    created(store, "two")
    store.quarantine("two")

    assert path.read_text().split() == ["one"] * 6 + ["two"]


def test_a_mark_that_fails_denies_no_deed(store: FileStore, tmp_path: Path) -> None:
    """The index notices at its next look; what is saved is saved."""
    os.mkdir(tmp_path / "home" / "changes")

    created(store, "one", said(1))

    assert ids(store) == ["m1"]


def test_the_size_limit_is_exact(tmp_path: Path) -> None:
    """As many bytes as the limit fit, one more does not; the error counts them."""
    created(opened(tmp_path / "a"), "one", said(1))
    size = file_of(tmp_path / "a").stat().st_size

    created(opened(tmp_path / "b", size), "one", said(1))
    with pytest.raises(PayloadTooLarge) as refusal:
        created(opened(tmp_path / "c", size - 1), "one", said(1))

    assert (refusal.value.size, refusal.value.limit) == (size, size - 1)
    assert not file_of(tmp_path / "c").exists()


def test_the_size_of_an_append_is_the_whole_files(tmp_path: Path) -> None:
    """What is there already counts."""
    store = opened(tmp_path / "a")
    store.append("one", [said(1)], created(store))
    size = file_of(tmp_path / "a").stat().st_size

    exact, small = opened(tmp_path / "b", size), opened(tmp_path / "c", size - 1)
    exact.append("one", [said(1)], created(exact))
    revision = created(small)
    with pytest.raises(PayloadTooLarge) as refusal:
        small.append("one", [said(1)], revision)

    assert refusal.value.size == size


def test_leases_of_what_is_no_id_are_passed_over(store: FileStore, tmp_path: Path) -> None:
    """A file that somebody put among the leases is nobody's."""
    created(store)
    store.lease("one", OWNER)
    (tmp_path / "home" / "leases" / "NOTES.txt").write_bytes(b"x")
    (tmp_path / "home" / "leases" / "two").write_bytes(b"")

    assert store.owners() == {"one": OWNER}


def test_sweeping_at_start_reaches_every_folder(store: FileStore, tmp_path: Path) -> None:
    """What a killed writer left in the store's own folders goes at the next start."""
    left = [tmp_path / "home" / place / ".x.tmp" for place in ("", "quarantine", "leases")]
    for path in left:
        path.write_bytes(b"x")
        os.utime(path, (time.time() - 7200, time.time() - 7200))

    opened(tmp_path)

    assert [path for path in left if path.exists()] == []


def test_leases_of_the_dead_are_swept_at_start(store: FileStore, tmp_path: Path) -> None:
    """What a killed process left an hour ago goes; what is younger may be just begun."""
    for name, age_s in (("old", 7200), ("young", 60)):
        (tmp_path / "home" / "leases" / name).write_bytes(b"{}")
        os.utime(tmp_path / "home" / "leases" / name, (time.time() - age_s, time.time() - age_s))

    opened(tmp_path)

    assert os.listdir(tmp_path / "home" / "leases") == ["young"]


def test_a_purge_is_noticed_by_other_hosts(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a name away."""
    created(store)
    store.trash("one")
    settled: list[int] = []
    monkeypatch.setattr(files, "settle_names", settled.append)

    store.purge("one")

    assert len(settled) == 1


def test_a_purge_takes_the_lease_file_along(store: FileStore, tmp_path: Path) -> None:
    """Nothing of a purged session stays."""
    created(store)
    (tmp_path / "home" / "leases" / "one").write_bytes(b"{}")
    store.trash("one")

    store.purge("one")

    assert os.listdir(tmp_path / "home" / "leases") == []


def test_no_call_leaks_a_descriptor(store: FileStore) -> None:
    """Every file and folder that a call opens is closed when it returns or raises."""
    before = len(open_descriptors())
    revision = created(store)
    revision = store.append("one", [said(1)], revision)
    store.replace("one", records.header("one", AT), [], revision)
    store.read("one")
    for call in (store.trash, store.trashed_at, store.restore, store.revision, store.owner, store.trash, store.purge):
        call("one")
    with contextlib.suppress(StoreError, SessionNotFound):
        store.read("nobody")

    assert len(open_descriptors()) == before


def test_writing_anew_keeps_a_torn_end_as_evidence(store: FileStore, tmp_path: Path) -> None:
    """Compacting a session whose last write was cut off copies that piece to the quarantine first."""
    revision = store.create(records.header("one", AT), [])
    with file_of(tmp_path).open("ab") as file:
        file.write(b'{"t":"torn')

    store.replace("one", records.header("one", AT), [], revision)

    [kept] = (file_of(tmp_path).parents[1] / "quarantine").glob("one.*.torn")
    assert kept.read_bytes() == b'{"t":"torn'
