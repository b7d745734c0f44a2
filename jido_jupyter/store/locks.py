"""Locks on files that several processes write, and what stands in for them where the file system has none."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from typing import Final

from jido_jupyter.errors import StoreBusy
from jido_jupyter.store.folder import Descriptor, Folder

PATIENCE_S: Final = 10.0  # appends take well under a millisecond; whoever holds a lock this long is stuck
ABANDONED_S: Final = 30.0  # a stand-in that is older was left by a process that was killed
_UNSUPPORTED: Final = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextlib.contextmanager
def exclusive(fd: int, folder: Folder, name: str) -> Iterator[None]:
    """Hold a file for writing. The lock is on its descriptor and ends with it, or with the process.

    Where the file system knows no locks, a file made with O_EXCL beside it stands in; that works on NFS, too.

    Args:
        fd: open for writing, which NFS asks for.
        folder: where it is.
        name: of the file there.

    Raises:
        StoreBusy: somebody else holds it for too long.
    """
    deadline, pause_s = time.monotonic() + PATIENCE_S, 0.000_2
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                break
            if error.errno != errno.EWOULDBLOCK:
                raise
            pause_s = _wait(deadline, pause_s, folder.path_of(name))
        else:
            yield
            return
    stand_in = f".{name}.lock"
    with folder.opened() as folder_fd:
        while not _made(folder_fd, stand_in):
            pause_s = _wait(deadline, pause_s, folder.path_of(name))
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.unlink(stand_in, dir_fd=folder_fd)


def _wait(deadline: float, pause_s: float, path: str) -> float:
    if time.monotonic() > deadline:
        raise StoreBusy(path, "another process holds its lock", "Try again; if it stays, look for a stopped process.")
    time.sleep(pause_s)
    return min(pause_s * 2, 0.02)


def _made(folder_fd: int, stand_in: str) -> bool:
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        Descriptor().open(stand_in, flags, dir_fd=folder_fd).close()
    except FileExistsError:
        with contextlib.suppress(OSError):
            if time.time() - os.stat(stand_in, dir_fd=folder_fd).st_mtime > ABANDONED_S:
                os.unlink(stand_in, dir_fd=folder_fd)
        return False
    return True
