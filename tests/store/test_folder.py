"""A private folder: what is refused, what survives a failure, what a lost answer means."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jido_jupyter.errors import OutcomeUnknown, StoreError, StoreFull, StoreUnavailable
from jido_jupyter.store import folder as files
from jido_jupyter.store.folder import Descriptor, Folder
from tests.support.descriptors import open_descriptors


@pytest.fixture
def folder_fd(tmp_path: Path) -> Iterator[Descriptor]:
    with Folder(str(tmp_path)).opened() as fd:
        yield fd


def failing(code: int, calls: list[int] | None = None):
    """Return a stand-in for a call of the system that fails with ``code``."""

    def fail(*arguments, **options):
        if calls is not None:
            calls.append(arguments[0])
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        (errno.ENOSPC, StoreFull, "free some space"),
        (errno.EDQUOT, StoreFull, "free some space"),
        (errno.EACCES, StoreUnavailable, "who owns the folder"),
        (errno.EPERM, StoreUnavailable, "who owns the folder"),
        (errno.EROFS, StoreUnavailable, "who owns the folder"),
        (errno.EIO, StoreUnavailable, "the disk or the mount"),
    ],
)
def test_a_refusal_says_what_to_do(code: int, kind: type[StoreError], hint: str) -> None:
    """Each errno of the system becomes the error that names its remedy, and the reason."""
    with pytest.raises(StoreError, match=hint) as refusal:
        files.refuse(OSError(code, "Because Of It"), "/store")

    assert type(refusal.value) is kind
    assert (refusal.value.path, refusal.value.reason) == ("/store", "because of it")


def test_a_refusal_without_a_reason_of_the_system_shows_its_text() -> None:
    """An error that was made without an errno is told by its text."""
    with pytest.raises(StoreUnavailable) as refusal:
        files.refuse(PermissionError("Only A Text"), "/store")

    assert refusal.value.reason == "only a text"


def test_a_descriptor_is_closed_once(tmp_path: Path) -> None:
    """After closing it, it names no file, and closing it again closes nobody else's."""
    fd = Descriptor()
    assert (fd.fileno(), fd.__index__()) == (-1, -1)
    fd.open(str(tmp_path), os.O_RDONLY)
    number = fd.fileno()

    fd.close()

    assert fd.fileno() == -1
    other = os.open(tmp_path, os.O_RDONLY)
    fd.close()
    assert other == number
    assert os.fstat(1)
    os.close(other)


def test_descriptor_zero_is_closed_too(tmp_path: Path) -> None:
    """A process without a standard input may be given the number 0 for a file."""
    kept = os.dup(0)
    os.close(0)
    try:
        fd = Descriptor().open(str(tmp_path), os.O_RDONLY)
        assert fd.fileno() == 0
        fd.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_a_dropped_descriptor_is_closed(tmp_path: Path) -> None:
    """What nobody holds any more leaks nothing."""
    fd = Descriptor().open(str(tmp_path), os.O_RDONLY)
    number = fd.fileno()

    del fd

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_file_that_is_opened_here_is_private(tmp_path: Path) -> None:
    """A file that `Descriptor.open` creates can be read by its owner only."""
    before = os.umask(0)
    try:
        Descriptor().open(str(tmp_path / "new"), os.O_WRONLY | os.O_CREAT).close()
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_making_a_folder_makes_its_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each missing folder is private and synced into the one above it; made twice nothing happens."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    place = Folder(str(tmp_path / "a" / "b"))

    place.make()
    place.make()

    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")] == [0o700, 0o700]
    assert synced == [tmp_path.stat().st_ino, (tmp_path / "a").stat().st_ino]
    assert place.path_of("x") == str(tmp_path / "a" / "b" / "x")


def test_a_folder_that_somebody_else_makes_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes may make the same folder at once."""
    place = tmp_path / "a"
    mkdir = os.mkdir

    def be_late(path: str, mode: int) -> None:
        mkdir(path, mode)
        mkdir(path, mode)

    monkeypatch.setattr(os, "mkdir", be_late)

    Folder(str(place)).make()

    assert place.is_dir()


def test_a_folder_is_opened_for_the_block_only(tmp_path: Path) -> None:
    """The descriptor of a folder is closed after the block, also when it fails."""
    with pytest.raises(KeyError), Folder(str(tmp_path)).opened() as fd:
        number = fd.fileno()
        raise KeyError

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_synced_is_no_error(
    folder_fd: Descriptor, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Some network file systems know no fsync of a folder."""
    monkeypatch.setattr(os, "fsync", failing(code))

    files.sync_folder(folder_fd)


def test_a_folder_whose_sync_fails_is_told(folder_fd: Descriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other failure is passed on."""
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))

    with pytest.raises(OSError, match="Input/output error"):
        files.sync_folder(folder_fd)


def test_a_sync_that_fails_closes_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor stays open behind a failure."""
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", failing(errno.EIO, calls))

    with pytest.raises(OSError, match="Input/output error"):
        Folder(str(tmp_path)).sync()

    assert calls[0].fileno() == -1


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What stands in for the table of mounts."""
    files._is_nfs3.cache_clear()
    monkeypatch.setattr(files, "_MOUNTS", str(tmp_path / "mountinfo"))
    yield tmp_path / "mountinfo"
    files._is_nfs3.cache_clear()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, instead of waiting [s]."""
    spans: list[float] = []
    monkeypatch.setattr(time, "sleep", spans.append)
    return spans


def mounted(mounts: Path, folder_fd: Descriptor, kind: str) -> None:
    device = os.fstat(folder_fd).st_dev
    mounts.write_bytes(
        b"22 27 0:1 / /proc rw - proc proc rw\n"
        + f"36 35 {os.major(device)}:{os.minor(device)} / /mnt/".encode()
        + f"\udcff rw master:1 - {kind} host:/export rw,vers=3\n".encode(errors="surrogateescape")
    )


@pytest.mark.parametrize(
    ("kind", "is_told_again"), [("nfs", True), ("nfs4", False), ("ext4", False), ("fuse.nfs", False)]
)
def test_names_settle_on_nfs_3(
    folder_fd: Descriptor, mounts: Path, slept: list[float], kind: str, is_told_again: bool
) -> None:
    """There a folder is given a time a tick after the change itself; nobody else waits."""
    mounted(mounts, folder_fd, kind)
    os.utime(folder_fd, ns=(1, 1))

    files.settle_names(folder_fd)

    assert (os.fstat(folder_fd).st_mtime_ns > 1) == is_told_again
    assert [span for span in slept if span > 0.01] == slept
    assert bool(slept) == is_told_again


@pytest.mark.parametrize(("call", "waits"), [("utime", True), ("fstat", False)])
def test_names_that_do_not_settle_are_no_failure(
    folder_fd: Descriptor, mounts: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch, call: str, waits: bool
) -> None:
    """They have changed all the same; to say that they have not would be a lie."""
    mounted(mounts, folder_fd, "nfs")
    with monkeypatch.context() as patched:
        patched.setattr(os, call, failing(errno.EIO))

        files.settle_names(folder_fd)

    assert bool(slept) == waits


def test_where_no_mounts_are_told_nothing_waits(folder_fd: Descriptor, mounts: Path, slept: list[float]) -> None:
    """As on macOS."""
    files.settle_names(folder_fd)

    assert not slept


@pytest.mark.skipif(sys.platform != "linux", reason="the table of mounts is Linux's")
def test_the_table_of_mounts_is_there() -> None:
    assert os.path.exists(files._MOUNTS)


def test_all_that_changes_names_settles_them(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each folder that it changes, before it is synced."""
    settled: list[str] = []
    inodes = {tmp_path.stat().st_ino: "here"}
    monkeypatch.setattr(files, "settle_names", lambda fd: settled.append(inodes[os.fstat(fd).st_ino]))
    monkeypatch.setattr(
        os, "fsync", lambda fd: settled.append("synced") if stat.S_ISDIR(os.fstat(fd).st_mode) else None
    )
    (tmp_path / "other").mkdir()
    inodes[(tmp_path / "other").stat().st_ino] = "there"

    def told(act: Callable[[], object]) -> list[str]:
        settled.clear()
        act()
        return [*settled]

    assert told(lambda: files.create_once(folder_fd, "a", b"")) == ["here", "synced"]
    assert told(lambda: files.replace_file(folder_fd, "b", b"", durable=False)) == ["here"]
    assert told(lambda: files.rename(folder_fd, "b", folder_fd, "c")) == ["here", "synced"]
    with Folder(str(tmp_path / "other")).opened() as other_fd:
        assert told(lambda: files.rename(folder_fd, "c", other_fd, "c")) == ["there", "here", "synced", "synced"]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "hard link"])
def test_only_plain_files_are_opened(folder_fd: Descriptor, tmp_path: Path, kind: str) -> None:
    """Whatever else is put under a name is refused, by name, and opening it hangs nobody."""
    (tmp_path / "real").write_bytes(b"x")
    makers = {
        "link": lambda: os.symlink("real", tmp_path / "odd"),
        "folder": lambda: os.mkdir(tmp_path / "odd"),
        "pipe": lambda: os.mkfifo(tmp_path / "odd"),
        "hard link": lambda: os.link(tmp_path / "real", tmp_path / "odd"),
    }
    makers[kind]()

    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        with pytest.raises(StoreError, match=r"odd .*was not opened") as refusal:
            files.open_file(folder_fd, "odd", flags)
        assert type(refusal.value) is StoreError


def test_a_file_that_is_not_there_is_not_there(folder_fd: Descriptor) -> None:
    """A missing file is the system's own error, which callers answer."""
    with pytest.raises(FileNotFoundError):
        files.open_file(folder_fd, "nobody")


def test_a_file_of_another_user_is_refused(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else put there is not read."""
    (tmp_path / "theirs").write_bytes(b"x")
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)

    with pytest.raises(StoreError, match="another user"):
        files.open_file(folder_fd, "theirs")


def test_a_file_has_its_mode_whatever_it_was(folder_fd: Descriptor, tmp_path: Path) -> None:
    """`open_or_create` makes a file private that was open to others, and keeps its bytes."""
    (tmp_path / "open").write_bytes(b"x")
    os.chmod(tmp_path / "open", 0o644)

    fd = files.open_or_create(folder_fd, "open")

    assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o600
    assert os.pread(fd, 9, 0) == b"x"


@pytest.mark.parametrize("umask", [0, 0o777])
def test_a_file_is_created_for_reading_and_writing(folder_fd: Descriptor, tmp_path: Path, umask: int) -> None:
    """Private whatever the umask, and with the flags that were asked for."""
    before = os.umask(umask)
    try:
        fd = files.open_or_create(folder_fd, "new", os.O_APPEND)
    finally:
        os.umask(before)

    os.write(fd, b"x")
    os.pwrite(fd, b"y", 0)

    assert os.pread(fd, 9, 0) == b"xy"  # appended, wherever it was to go
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_a_file_that_grows_is_read_as_it_was(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added while it is read belongs to a later state."""
    (tmp_path / "data").write_bytes(b"x" * 10)
    pread = os.pread

    def grow(fd: int, size: int, at: int) -> bytes:
        with (tmp_path / "data").open("ab") as file:
            file.write(b"y" * 10)
        return pread(fd, size if at else 4, at)

    monkeypatch.setattr(os, "pread", grow)

    assert files.read_file(folder_fd, "data") == b"x" * 10


def test_a_file_is_read_whole_though_it_comes_in_pieces(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system may give less than was asked for."""
    (tmp_path / "data").write_bytes(bytes(range(100)))
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, at: pread(fd, min(size, 7), at))

    assert files.read_file(folder_fd, "data") == bytes(range(100))


def test_a_file_that_shrinks_is_read_to_its_end(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading ends where nothing comes any more, and never waits for more."""
    (tmp_path / "data").write_bytes(b"x" * 10)
    fstat = os.fstat
    larger = os.stat_result((*fstat(files.open_file(folder_fd, "data"))[:6], 20, *[0] * 3))
    fd = files.open_file(folder_fd, "data")
    monkeypatch.setattr(os, "fstat", lambda fd: larger)

    assert files.read_all(fd) == b"x" * 10


def test_a_file_is_written_whole_though_it_goes_in_pieces(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may take less than it was given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))

    files.replace_file(folder_fd, "data", bytes(range(100)))

    assert (tmp_path / "data").read_bytes() == bytes(range(100))


def test_handing_over_tells_what_went_wrong(folder_fd: Descriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a second descriptor's close is heard; the first stays open."""
    files.hand_over(folder_fd)
    assert os.fstat(folder_fd)
    close = os.close

    def close_and_fail(fd: int) -> None:
        close(fd)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "close", close_and_fail)

    with pytest.raises(OSError, match="No space"):
        files.hand_over(folder_fd)


def test_a_link_is_a_file_of_its_own(folder_fd: Descriptor, tmp_path: Path) -> None:
    """`inode` looks at the name, not at what it leads to."""
    (tmp_path / "real").write_bytes(b"x")
    os.symlink("real", tmp_path / "link")
    os.symlink("nowhere", tmp_path / "broken")

    assert files.inode(folder_fd, "real") == (tmp_path / "real").stat().st_ino
    assert files.inode(folder_fd, "link") == (tmp_path / "link").lstat().st_ino
    assert files.inode(folder_fd, "broken") == (tmp_path / "broken").lstat().st_ino
    assert files.inode(folder_fd, "nobody") is None


class TestRename:
    """Done is what the names say, whatever the answer was."""

    @pytest.fixture
    def folders(self, tmp_path: Path) -> Iterator[tuple[Descriptor, Descriptor]]:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        (tmp_path / "a" / "old").write_bytes(b"x")
        with Folder(str(tmp_path / "a")).opened() as a, Folder(str(tmp_path / "b")).opened() as b:
            yield a, b

    def test_both_folders_are_synced_the_new_one_first(self, folders, monkeypatch: pytest.MonkeyPatch) -> None:
        """A power cut in between leaves two names rather than none."""
        synced: list[object] = []
        monkeypatch.setattr(os, "fsync", synced.append)

        files.rename(folders[0], "old", folders[1], "new")

        assert synced == [folders[1], folders[0]]
        assert files.inode(folders[1], "new") is not None

    def test_one_folder_is_synced_once(self, folders, monkeypatch: pytest.MonkeyPatch) -> None:
        """Within a folder one sync is all it costs."""
        synced: list[object] = []
        monkeypatch.setattr(os, "fsync", synced.append)

        files.rename(folders[0], "old", folders[0], "new")

        assert synced == [folders[0]]

    def test_what_was_not_there_was_not_renamed(self, folders, tmp_path: Path) -> None:
        """A missing source is an error even when something has the new name."""
        (tmp_path / "b" / "new").write_bytes(b"y")

        with pytest.raises(FileNotFoundError):
            files.rename(folders[0], "nobody", folders[1], "new")

    def test_a_refusal_is_an_error(self, folders, monkeypatch: pytest.MonkeyPatch) -> None:
        """While the old name is there nothing happened, also when the new one is taken."""
        monkeypatch.setattr(os, "rename", failing(errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            files.rename(folders[0], "old", folders[1], "new")

        Descriptor().open("new", os.O_CREAT | os.O_WRONLY, dir_fd=folders[1])
        with pytest.raises(OSError, match="Input/output"):
            files.rename(folders[0], "old", folders[1], "new")

    def test_a_file_that_is_gone_from_both_is_an_error(self, folders, monkeypatch: pytest.MonkeyPatch) -> None:
        """A lost answer is a success only when the file is where it was to go."""

        def lose(name: str, *arguments, src_dir_fd: int, **options) -> None:
            os.unlink(name, dir_fd=src_dir_fd)
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "rename", lose)

        with pytest.raises(OSError, match="Input/output"):
            files.rename(folders[0], "old", folders[1], "new")

    def test_a_lost_answer_is_a_success(self, folders, monkeypatch: pytest.MonkeyPatch) -> None:
        """The old name gone and the new one there: it happened, and is made durable."""
        rename, synced = os.rename, []

        def lose_the_answer(*arguments, **options) -> None:
            rename(*arguments, **options)
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "rename", lose_the_answer)
        monkeypatch.setattr(os, "fsync", synced.append)

        files.rename(folders[0], "old", folders[1], "new")

        assert len(synced) == 2

    @pytest.mark.parametrize("name", ["one.jsonl", ".one.jsonl.abc.tmp"])
    def test_a_failed_sync_leaves_it_open(self, folders, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """The file is renamed and may come back after a power cut: the outcome is unknown, of the session that it is."""
        os.rename("old", name, src_dir_fd=folders[0], dst_dir_fd=folders[0])
        monkeypatch.setattr(os, "fsync", failing(errno.EIO))

        with pytest.raises(OutcomeUnknown) as unknown:
            files.rename(folders[0], name, folders[1], "new")

        assert (unknown.value.session_id, unknown.value.reason) == ("one", "input/output error")


def test_a_temporary_file_is_hidden_private_and_synced(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name says what it is; its bytes are on the disk before anybody renames it."""
    synced: list[object] = []
    monkeypatch.setattr(os, "fsync", synced.append)

    name = files.write_temporary(folder_fd, "one", b"x")

    assert name.startswith(".one.")
    assert files.is_temporary(name)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert len(synced) == 1
    files.write_temporary(folder_fd, "one", b"x", durable=False)
    assert len(synced) == 1


@pytest.mark.parametrize("call", ["fchmod", "write", "fsync"])
def test_a_temporary_file_that_fails_is_gone_again(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever goes wrong, nothing is left over, and the failure is told."""
    before = open_descriptors()
    monkeypatch.setattr(os, call, failing(errno.EIO))

    with pytest.raises(OSError, match="Input/output") as refusal:
        files.write_temporary(folder_fd, "one", b"x")

    assert os.listdir(tmp_path) == []
    assert open_descriptors() == before
    assert refusal.value.errno == errno.EIO


def test_a_temporary_file_is_private_from_its_first_moment(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before its mode is set."""
    monkeypatch.setattr(os, "fchmod", lambda *arguments: None)
    before = os.umask(0)
    try:
        name = files.write_temporary(folder_fd, "one", b"x")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_what_cannot_be_cleaned_up_hides_no_failure(folder_fd: Descriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first error is the one that is told."""
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    monkeypatch.setattr(os, "unlink", failing(errno.EIO))

    with pytest.raises(OSError, match="No space"):
        files.write_temporary(folder_fd, "one", b"x")
    monkeypatch.undo()
    monkeypatch.setattr(os, "rename", failing(errno.ENOSPC))
    monkeypatch.setattr(os, "unlink", failing(errno.EIO))
    with pytest.raises(OSError, match="No space"):
        files.replace_file(folder_fd, "one", b"x")


@pytest.mark.parametrize(
    ("name", "is_temporary"), [(".a.tmp", True), ("a.tmp", False), (".a.tmp.b", False), (".a", False)]
)
def test_temporary_names(name: str, is_temporary: bool) -> None:
    """Only hidden files that end like ours are ours to remove."""
    assert files.is_temporary(name) is is_temporary


def test_sweeping_takes_only_what_is_old_and_temporary(folder_fd: Descriptor, tmp_path: Path) -> None:
    """A young temporary file may still be written; a link is judged by its own age."""
    now = time.time()
    for name, age_s in ((".old.tmp", 120), (".young.tmp", 20), ("old", 120), (".old", 120)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (now - age_s, now - age_s))
    os.symlink("old", tmp_path / ".link.tmp")

    files.sweep(folder_fd, 60)

    assert sorted(os.listdir(tmp_path)) == [".link.tmp", ".old", ".young.tmp", "old"]


def test_what_is_just_old_enough_may_still_be_written(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is older goes."""
    (tmp_path / ".a.tmp").write_bytes(b"x")
    os.utime(tmp_path / ".a.tmp", (1000, 1000))
    monkeypatch.setattr(time, "time", lambda: 1060.0)

    files.sweep(folder_fd, 60)

    assert os.listdir(tmp_path) == [".a.tmp"]


def test_a_file_is_abandoned_after_an_hour(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No write takes that long."""
    (tmp_path / ".a.tmp").write_bytes(b"x")
    os.utime(tmp_path / ".a.tmp", (1000, 1000))
    monkeypatch.setattr(time, "time", lambda: 4600.5)

    files.sweep(folder_fd, files.ABANDONED_S)

    assert os.listdir(tmp_path) == []


def test_sweeping_at_once_does_no_harm(folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process sweeps first is passed over, and the rest still goes."""
    for name in (".a.tmp", ".b.tmp"):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (0, 0))
    monkeypatch.setattr(os, "listdir", lambda fd: [".gone.tmp", ".a.tmp", ".b.tmp"])

    files.sweep(folder_fd, 60)

    monkeypatch.undo()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("durable", [True, False])
def test_a_replacement_that_fails_changes_nothing(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    """The old bytes stay, and no temporary file does."""
    (tmp_path / "one").write_bytes(b"old")
    monkeypatch.setattr(os, "rename", failing(errno.EIO))

    with pytest.raises(OSError, match="Input/output"):
        files.replace_file(folder_fd, "one", b"new", durable=durable)

    assert os.listdir(tmp_path) == ["one"]
    assert (tmp_path / "one").read_bytes() == b"old"


def test_a_replacement_is_durable_unless_said_otherwise(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and folder are synced, or neither."""
    synced: list[object] = []
    monkeypatch.setattr(os, "fsync", synced.append)

    files.replace_file(folder_fd, "one", b"new", durable=False)
    assert synced == []

    files.replace_file(folder_fd, "one", b"newer")
    assert len(synced) == 2
    assert (tmp_path / "one").read_bytes() == b"newer"


def test_what_is_created_once_stays(folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second to come gets what the first one wrote; each syncs file and folder."""
    synced: list[object] = []
    monkeypatch.setattr(os, "fsync", synced.append)

    assert files.create_once(folder_fd, "key", b"first") == b"first"
    assert files.create_once(folder_fd, "key", b"second") == b"first"

    assert len(synced) == 4
    assert os.listdir(tmp_path) == ["key"]


def test_a_file_that_cannot_be_created_is_told(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a link is refused and nothing is there, the refusal is told and nothing is left."""
    monkeypatch.setattr(os, "link", failing(errno.EPERM))

    with pytest.raises(PermissionError):
        files.create_once(folder_fd, "key", b"x")

    assert os.listdir(tmp_path) == []


def test_a_file_may_have_a_second_name_while_it_is_made(folder_fd: Descriptor, tmp_path: Path) -> None:
    """Two names are read, three are refused."""
    (tmp_path / "key").write_bytes(b"x")
    os.link(tmp_path / "key", tmp_path / ".key.1.tmp")
    assert files.read_linked(folder_fd, "key") == b"x"

    os.link(tmp_path / "key", tmp_path / ".key.2.tmp")
    with pytest.raises(StoreError, match="second name"):
        files.read_linked(folder_fd, "key")


@pytest.mark.parametrize("read", [files.read_file, files.read_linked])
def test_reading_closes_what_it_opened(
    folder_fd: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read
) -> None:
    """No descriptor stays open, also while the error of a failed read is still here."""
    (tmp_path / "key").write_bytes(b"x")
    before = open_descriptors()
    assert read(folder_fd, "key") == b"x"
    monkeypatch.setattr(os, "pread", failing(errno.EIO))

    with pytest.raises(OSError, match="Input/output") as refusal:
        read(folder_fd, "key")

    assert open_descriptors() == before
    assert refusal.value.errno == errno.EIO


def test_a_link_is_not_read_as_what_was_created_once(folder_fd: Descriptor, tmp_path: Path) -> None:
    """Whatever it leads to."""
    (tmp_path / "real").write_bytes(b"x")
    os.symlink("real", tmp_path / "key")

    with pytest.raises(OSError, match="symbolic links"):
        files.read_linked(folder_fd, "key")


def test_closing_spares_the_next_descriptor(tmp_path: Path) -> None:
    """Only the file itself is closed, whatever stands behind it."""
    fd = Descriptor().open(str(tmp_path), os.O_RDONLY)
    behind = os.open(tmp_path, os.O_RDONLY)

    fd.close()

    assert os.fstat(behind)
    os.close(behind)


def test_a_folder_is_private_from_its_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a generous umask nor a strict one shows, not even before its mode is set."""
    for umask, name in ((0o777, "strict"), (0, "generous")):
        before = os.umask(umask)
        try:
            if name == "generous":
                monkeypatch.setattr(os, "chmod", lambda *arguments: None)
            Folder(str(tmp_path / name)).make()
        finally:
            os.umask(before)

        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Below a file there is no folder."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StoreUnavailable) as refusal:
        Folder(str(tmp_path / "file" / "folder")).make()

    assert refusal.value.path == str(tmp_path / "file" / "folder")


@pytest.mark.parametrize("kind", ["nothing", "file", "link"])
def test_only_a_folder_is_opened_as_one(tmp_path: Path, kind: str) -> None:
    """A link is not followed, and a file is none."""
    if kind == "file":
        (tmp_path / "odd").write_bytes(b"")
    elif kind == "link":
        (tmp_path / "real").mkdir()
        os.symlink("real", tmp_path / "odd")

    with pytest.raises(StoreUnavailable) as refusal, Folder(str(tmp_path / "odd")).opened():
        pytest.fail("it was opened")

    assert refusal.value.path == str(tmp_path / "odd")


def test_only_a_folder_is_synced_as_one(tmp_path: Path) -> None:
    """A file under its name is told."""
    (tmp_path / "odd").write_bytes(b"")

    with pytest.raises(NotADirectoryError):
        Folder(str(tmp_path / "odd")).sync()
