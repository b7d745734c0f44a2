"""Leases: who has a session open, told by a lock that the system drops with its process.

A lease is a POSIX record lock on ``leases/<session id>``: unlike flock it is not inherited by children that a kernel
forks, so nothing outlives its owner. Such a lock has one trap: closing *any* descriptor of the file drops it, so this
module keeps the one descriptor of each lease that this process holds, and never opens those files again.

Taking over puts a new file under the name: the old holder keeps a lock on a file that nobody looks at, and meets
`StaleRevision` at its next append.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import sys
import threading
import time
from typing import Final

import orjson

from jido_jupyter.core.records import Owner
from jido_jupyter.errors import SessionOpen, StoreError
from jido_jupyter.store import folder as files

_FLOCK: Final = "qqihh" if sys.platform == "darwin" else "hhqqi"
_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_held: dict[str, FileLease] = {}  # by path; of this process
_lock = threading.RLock()


class FileLease:
    def __init__(self, session_id: str, path: str, fd: files.Descriptor, owner: Owner) -> None:
        self.session_id = session_id
        self.path = path
        self.owner = owner
        self.pid = os.getpid()
        self._fd = fd

    @property
    def is_held(self) -> bool:
        with _lock:
            if _ours(self.path) is not self:
                return False
            # By a freshly opened folder: on NFS the path alone would be answered from a stale cache.
            try:
                with files.Folder(os.path.dirname(self.path)).opened() as folder_fd:
                    return files.inode(folder_fd, os.path.basename(self.path)) == os.fstat(self._fd).st_ino
            except (OSError, StoreError):
                return False

    def release(self) -> None:
        with _lock:
            if self._fd.fileno() < 0:
                return
            if self.is_held:
                with (
                    contextlib.suppress(OSError, StoreError),
                    files.Folder(os.path.dirname(self.path)).opened() as folder_fd,
                ):
                    os.unlink(self.session_id, dir_fd=folder_fd)
                    files.settle_names(folder_fd)
            if _held.get(self.path) is self:
                del _held[self.path]
            self._fd.close()


def take(place: files.Folder, session_id: str, owner: Owner, *, take_over: bool) -> FileLease:
    """Return the lease of a session.

    Raises:
        SessionOpen: it is held and ``take_over`` is not set.
    """
    path = place.path_of(session_id)
    with _lock, place.opened() as folder_fd:
        ours = _ours(path)
        if ours is not None and ours.is_held:
            if not take_over:
                raise SessionOpen(session_id, ours.owner.to_wire())
            ours.release()
        while True:
            fd = _open_locked(folder_fd, session_id, owner, take_over=take_over)
            # Between open and lock the last holder may have removed the file: then the name leads elsewhere.
            try:
                if os.path.samestat(os.fstat(fd), os.stat(session_id, dir_fd=folder_fd, follow_symlinks=False)):
                    break
            except FileNotFoundError:
                pass
            fd.close()
        os.ftruncate(fd, 0)
        os.pwrite(fd, orjson.dumps(owner.to_wire()), 0)
        files.settle_names(folder_fd)
        os.fsync(fd)  # without it another host would read an empty file while we hold the lease
        _held[path] = lease = FileLease(session_id, path, fd, owner)
        return lease


def owner_of(place: files.Folder, session_id: str) -> Owner | None:
    """Return who holds the lease of a session, or None."""
    path = place.path_of(session_id)
    with _lock:
        ours = _ours(path)
        if ours is not None and ours.is_held:
            return ours.owner  # without opening the file, which would end in closing it
        with place.opened() as folder_fd:
            try:
                fd = files.open_file(folder_fd, session_id, os.O_RDWR)
            except FileNotFoundError:
                return None
            try:
                return _read_owner(fd) if _is_locked(fd) else None
            finally:
                fd.close()


def sweep(place: files.Folder, older_than_s: float) -> None:
    """Remove the lease files of holders that were killed long ago."""
    now = time.time()
    with place.opened() as folder_fd:
        for session_id in held_ids(place):
            with contextlib.suppress(OSError, StoreError):
                if now - os.stat(session_id, dir_fd=folder_fd, follow_symlinks=False).st_mtime > older_than_s:
                    drop(place, session_id)


def drop(place: files.Folder, session_id: str) -> None:
    """Remove the lease file of a session that nobody holds."""
    with _lock, place.opened() as folder_fd:
        if _ours(place.path_of(session_id)) is not None:
            return
        with contextlib.suppress(OSError):  # there is none, or somebody holds it
            fd = files.open_file(folder_fd, session_id, os.O_RDWR)
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # who opens it now finds another file under the name
                os.unlink(session_id, dir_fd=folder_fd)
            finally:
                fd.close()


def held_ids(place: files.Folder) -> list[str]:
    """Return the ids that have a lease file; `owner_of` tells which of them are still held."""
    with place.opened() as folder_fd:
        return [name for name in os.listdir(folder_fd) if not name.startswith(".")]


def _ours(path: str) -> FileLease | None:
    lease = _held.get(path)
    return lease if lease is not None and lease.pid == os.getpid() else None  # a forked child holds nothing


def _open_locked(folder_fd: int, session_id: str, owner: Owner, *, take_over: bool) -> files.Descriptor:
    fd = files.open_or_create(folder_fd, session_id)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:  # no locks here: the revision check still keeps anything from being overwritten
            return fd
        holder = _read_owner(fd)
        fd.close()
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        if not take_over:
            raise SessionOpen(session_id, holder.to_wire()) from None
        files.replace_file(folder_fd, session_id, orjson.dumps(owner.to_wire()), durable=False)
        return _open_locked(folder_fd, session_id, owner, take_over=False)
    return fd


def _is_locked(fd: int) -> bool:
    fields = (0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET) if _FLOCK == "qqihh" else (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        answer = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack(_FLOCK, *fields))
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    kind = struct.unpack(_FLOCK, answer)[3 if _FLOCK == "qqihh" else 0]
    return bool(kind != fcntl.F_UNLCK)


def _read_owner(fd: int) -> Owner:
    try:
        found = orjson.loads(files.read_all(fd))
        return Owner(str(found["kind"]), str(found["host"]), int(found["pid"]), found.get("notebook"))
    except (ValueError, TypeError, KeyError):  # read while its holder writes it
        return Owner("another program", "this host", 0)
