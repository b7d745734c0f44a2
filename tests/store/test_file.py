"""The file store keeps the contract, and its own promises about files."""

from __future__ import annotations

import contextlib
import errno
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
    SessionOpen,
    StoreError,
    StoreFull,
    StoreUnavailable,
    UnsupportedFormat,
)
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
        for folder, _, files in os.walk(tmp_path / str(umask) / "home"):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
            for name in files:
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
