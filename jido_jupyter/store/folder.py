"""A private folder: every file in it opened by descriptor, checked, and written so that it survives a crash.

The folder itself is opened for each operation and names are looked up below that descriptor: a path swapped for a link
is refused, and on NFS v4 the fresh look-up is what makes another client's rename visible.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

from jido_jupyter.errors import OutcomeUnknown, StoreError, StoreFull, StoreUnavailable

ABANDONED_S: Final = 3600.0  # s; no write takes that long
_FLAGS: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # NONBLOCK: a pipe under the name must not hang us
_MOUNTS: Final = "/proc/self/mountinfo"
_TICK_S: Final = 0.02  # s; the clock of a server's file times stands still for no longer
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_REFUSED: Final = {errno.EACCES, errno.EPERM, errno.EROFS}


def refuse(error: OSError, path: str) -> NoReturn:
    """Raise what ``error`` means to the users of a store."""
    reason = (error.strerror or str(error)).lower()
    if error.errno in _FULL:
        raise StoreFull(
            path,
            reason,
            "Nothing was overwritten; free some space and save again ('%jido save'), it is all still in memory.",
        ) from error
    if error.errno in _REFUSED:
        raise StoreUnavailable(
            path, reason, "Check who owns the folder and its mode (0700), or choose another with JIDO_HOME."
        ) from error
    raise StoreUnavailable(
        path, reason, "Check the disk or the mount, or choose another folder with JIDO_HOME."
    ) from error


if TYPE_CHECKING:
    _Number = int
else:
    _Number = object


class Descriptor(_Number):
    """An open file, used as its number: closed at the latest when it is dropped, so that no interrupt leaks it.

    It is there before the file is opened, so that running out of memory leaks nothing either. A close that fails is not
    told: what had to be durable was synced before, and an error now would deny what has been done.
    """

    _number = -1

    def __index__(self) -> int:
        return self._number

    def fileno(self) -> int:
        return self._number

    def open(self, path: str, flags: int, mode: int = 0o600, *, dir_fd: int | None = None) -> Descriptor:
        self._number = os.open(path, flags, mode, dir_fd=dir_fd)
        return self

    def close(self) -> None:
        # The number is given up before it is closed, or an interrupt in between would close somebody else's later.
        _ = (number := self.__dict__.pop("_number", -1)) < 0 or os.closerange(number, number + 1)  # type: ignore[func-returns-value]

    __del__ = close


class Folder:
    """One folder of the store, 0700; its files 0600, whatever the umask."""

    def __init__(self, path: str) -> None:
        self.path = path

    def path_of(self, name: str) -> str:
        return os.path.join(self.path, name)

    def make(self) -> None:
        """Create the folder where it is missing, parents too, and sync what was created."""
        missing = []
        path = self.path
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        try:
            for path in reversed(missing):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(path, 0o700)
                    os.chmod(path, 0o700)
                Folder(os.path.dirname(path)).sync()
        except OSError as error:
            refuse(error, self.path)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Descriptor]:
        """Yield a descriptor of the folder.

        Raises:
            StoreUnavailable: it is missing, is a link, or may not be entered.
        """
        try:
            fd = Descriptor().open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            refuse(error, self.path)
        try:
            yield fd
        finally:
            fd.close()

    def sync(self) -> None:
        """Make the folder's names durable."""
        fd = Descriptor().open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_folder(fd)
        finally:
            fd.close()


def sync_folder(folder_fd: int) -> None:
    try:
        os.fsync(folder_fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems know no fsync of a folder
            raise


def settle_names(folder_fd: int) -> None:
    """See to it that other hosts notice that names in a folder have changed.

    A client of NFS v3 forgets the names it knows only when their folder's time is another one, and that time may be the one
    of the change before. So there the folder gets one more, a tick later. Version 4 counts changes.
    """
    # Whatever fails here: the names have changed, and are noticed a few seconds later.
    with contextlib.suppress(OSError, MemoryError):
        if _is_nfs3(os.fstat(folder_fd).st_dev):
            time.sleep(_TICK_S)
            os.utime(folder_fd)


@lru_cache(64)
def _is_nfs3(device: int) -> bool:
    """Return whether a device, as ``st_dev`` tells it, is a mount of NFS v3. Source: proc_pid_mountinfo(5)."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as mounts:
            told = [line.split(" - ") for line in mounts]
    except OSError:  # no Linux
        return False
    here = f"{os.major(device)}:{os.minor(device)}"
    return any(mount.split()[2] == here and kind.split()[0] == "nfs" for mount, kind in told)


def open_file(folder_fd: int, name: str, flags: int = os.O_RDONLY) -> Descriptor:
    """Return a descriptor of a regular file that is ours and has one name.

    Raises:
        FileNotFoundError: there is none.
        StoreError: it is a link, a pipe, somebody else's, or has a second name.
    """
    try:
        fd = Descriptor().open(name, flags | _FLAGS, dir_fd=folder_fd)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise StoreError(f"{name} is no regular file (a link, a pipe or a folder); it was not opened.") from error
        raise
    return _checked(fd, name)


def open_or_create(folder_fd: int, name: str, flags: int = 0) -> Descriptor:
    """Return a descriptor of a small file of ours that is only locked, or written in place; created where missing.

    Raises:
        StoreError: as `open_file`.
    """
    fd = open_file(folder_fd, name, os.O_RDWR | os.O_CREAT | flags)
    if stat.S_IMODE(os.fstat(fd).st_mode) != 0o600:  # the umask took something away
        os.fchmod(fd, 0o600)
    return fd


def _checked(fd: Descriptor, name: str, names: int = 1) -> Descriptor:
    """Return ``fd`` when it is a regular file that is ours and has no more than ``names``; else it closes as it is dropped."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"{name} is no regular file; it was not opened.")
    if found.st_uid != os.geteuid():
        raise StoreError(f"{name} belongs to another user; it was not opened.")
    if found.st_nlink > names:
        raise StoreError(f"{name} has a second name (a hard link); it was not opened.")
    return fd


def read_all(fd: int) -> bytes:
    """Return the bytes of a file from its start."""
    size = os.fstat(fd).st_size
    pieces = []
    position = 0
    while position < size and (piece := os.pread(fd, size - position, position)):
        pieces.append(piece)
        position += len(piece)
    return b"".join(pieces)


def write_all(fd: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_file(folder_fd: int, name: str) -> bytes:
    fd = open_file(folder_fd, name)
    try:
        return read_all(fd)
    finally:
        fd.close()


def hand_over(fd: int) -> None:
    """Close a second descriptor: where that is what hands written bytes over, as on NFS, it tells what went wrong."""
    os.close(os.dup(fd))


def inode(folder_fd: int, name: str) -> int | None:
    """Return which file is under ``name``; None for none."""
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_ino
    except FileNotFoundError:
        return None


def rename(folder_fd: int, name: str, new_folder_fd: int, new_name: str) -> None:
    """Rename, and make both folders durable.

    Over a network the answer to a rename can be lost, or be the one to a repeated request: it is done when the old name is
    gone and the new one there. The caller sees to it that nobody else renames meanwhile.

    Raises:
        OSError: it did not happen.
        OutcomeUnknown: it happened, but may be undone by a power cut.
    """
    was_there = inode(folder_fd, name) is not None
    try:
        os.rename(name, new_name, src_dir_fd=folder_fd, dst_dir_fd=new_folder_fd)
    except OSError:
        if not was_there or inode(folder_fd, name) is not None or inode(new_folder_fd, new_name) is None:
            raise
    settle_names(new_folder_fd)
    if new_folder_fd != folder_fd:
        settle_names(folder_fd)
    try:
        sync_folder(new_folder_fd)
        if new_folder_fd != folder_fd:
            sync_folder(folder_fd)
    except OSError as error:
        raise OutcomeUnknown(name.lstrip(".").partition(".")[0], (error.strerror or str(error)).lower()) from error


def write_temporary(folder_fd: int, name: str, *pieces: bytes | memoryview, durable: bool = True) -> str:
    """Write ``pieces`` to a new hidden file beside ``name`` and return what it is called.

    On any failure the file is gone again; a failed fsync is never tried twice, because the second may lie.
    Source: https://lwn.net/Articles/752063/ (PostgreSQL's fsync surprise).
    """
    temporary = f".{name}.{secrets.token_hex(6)}.tmp"
    fd = Descriptor().open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=folder_fd)
    try:
        try:
            os.fchmod(fd, 0o600)
            for piece in pieces:
                write_all(fd, piece)
            if durable:
                os.fsync(fd)
        finally:
            fd.close()
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder_fd)
        raise
    return temporary


def is_temporary(name: str) -> bool:
    """Return whether a file is one of `write_temporary`'s: a writer that was killed leaves it, and it means nothing."""
    return name.startswith(".") and name.endswith(".tmp")


def sweep(folder_fd: int, older_than_s: float) -> None:
    """Remove temporary files that were abandoned."""
    for name in filter(is_temporary, os.listdir(folder_fd)):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_mtime > older_than_s:
                os.unlink(name, dir_fd=folder_fd)


def replace_file(folder_fd: int, name: str, *pieces: bytes | memoryview, durable: bool = True) -> None:
    """Put a whole new file under ``name``: a reader sees the old bytes or the new ones, never a mix."""
    temporary = write_temporary(folder_fd, name, *pieces, durable=durable)
    try:
        if durable:
            rename(folder_fd, temporary, folder_fd, name)
        else:
            os.rename(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
            settle_names(folder_fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder_fd)
        raise


def create_once(folder_fd: int, name: str, data: bytes) -> bytes:
    """Create ``name`` with ``data`` unless it exists; return what it holds now. All that start at once get the same."""
    temporary = write_temporary(folder_fd, name, data)
    try:
        try:
            os.link(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
        except OSError:  # sshfs has no word for "exists"
            if inode(folder_fd, name) is None:
                raise
    finally:
        os.unlink(temporary, dir_fd=folder_fd)
    settle_names(folder_fd)
    sync_folder(folder_fd)
    return read_linked(folder_fd, name)


def read_linked(folder_fd: int, name: str) -> bytes:
    """Return what a file of `create_once` holds. It has two names while it is made, and for ever if its maker was killed."""
    fd = _checked(Descriptor().open(name, os.O_RDONLY | _FLAGS, dir_fd=folder_fd), name, names=2)
    try:
        return read_all(fd)
    finally:
        fd.close()
