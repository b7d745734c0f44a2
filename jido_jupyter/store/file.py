"""The file store: one append-only log per session, in a private folder.

::

    <home>/store.json               format version and id of the store
    <home>/sessions/<id>.jsonl      the truth
    <home>/trash/  quarantine/      moved here, never deleted by a failure
    <home>/leases/  limits/         who has what open; counters of the limiter
    <home>/changes                  hints for the index, which is a cache in another place

*Append* = lock the file, compare its last seal with the expected revision, one write, fdatasync: its cost does not grow
with the session. *Create* = temporary file, write, fsync, rename, fsync of the folder. A torn end, as a crash leaves it,
is copied to ``quarantine/`` and cut off by the next append.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import orjson

from jido_jupyter.core.ids import checked, is_valid
from jido_jupyter.core.query import Query
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import Summary, replay, summarise
from jido_jupyter.errors import (
    CorruptSession,
    JidoError,
    OutcomeUnknown,
    PayloadTooLarge,
    SessionExists,
    SessionNotFound,
    StaleRevision,
    StoreError,
    UnsupportedFormat,
)
from jido_jupyter.store import changes, codec, leases, locks
from jido_jupyter.store import folder as files
from jido_jupyter.store.catalogue import SUFFIX, Catalogue, id_of
from jido_jupyter.store.contract import Page, Revision, Stored
from jido_jupyter.store.leases import FileLease

STORE_FORMAT: Final = 1


class FileStore:
    """A `Store` on a folder of a POSIX file system.

    Args:
        home: the store's folder; made where it is missing.
        keys: what seals and checks.
        max_bytes: size limit of one session's log.
        cache: a folder of this host for the index; None keeps it in memory.
    """

    def __init__(self, home: str, keys: codec.Keys, max_bytes: int, cache: str | None = None) -> None:
        self.home = home
        self._keys = keys
        self._max_bytes = max_bytes
        self._root = files.Folder(home)
        self._sessions = files.Folder(os.path.join(home, "sessions"))
        self._trash = files.Folder(os.path.join(home, "trash"))
        self._quarantine = files.Folder(os.path.join(home, "quarantine"))
        self._leases = files.Folder(os.path.join(home, "leases"))
        self._root.make()
        with self._root.opened():
            pass  # a home that is a link is refused before anything is made behind it
        for place in (self._sessions, self._trash, self._quarantine, self._leases):
            place.make()
        for place in (self._root, self._quarantine, self._leases):  # the index sweeps those of the sessions
            with self._storing(), place.opened() as folder_fd:
                files.sweep(folder_fd, files.ABANDONED_S)
        with self._storing():
            leases.sweep(self._leases, files.ABANDONED_S)
        self.id = self._agree_on_store()
        self._doubtful: set[str] = set()  # sessions whose last fsync failed in this process
        index = ":memory:" if cache is None else os.path.join(cache, f"index-{self.id}.sqlite")
        self._catalogue = Catalogue(self._root, self._sessions, self._trash, index, self._for_index, self.owners)

    def create(self, header: Record, log: Sequence[Record]) -> Revision:
        session_id = checked(str(header["id"]))
        key = self._keys.newest.of(session_id)
        pieces, revision = codec.pieces([{**header, "kid": key.id}, *log], None, key)
        self._check_size(session_id, sum(map(len, pieces)))
        name = session_id + SUFFIX
        with self._storing(), self._names_locked(), self._sessions.opened() as folder_fd:
            if files.inode(folder_fd, name) is not None or self._is_taken(self._trash, name):
                raise SessionExists(session_id)
            files.replace_file(folder_fd, name, *pieces)
        return revision  # the index needs no hint: it sees the new name

    def append(
        self,
        session_id: str,
        log: Sequence[Record],
        expected: Revision,
        *,
        durable: bool = True,
        beyond_limit: bool = False,
    ) -> Revision:
        if session_id in self._doubtful:
            self._write_again(session_id)
        with self._storing(), self._locked(session_id, os.O_RDWR | os.O_APPEND) as fd:
            key = self._key_of(fd, session_id)
            size = self._size_at(fd, session_id, expected)
            data, revision = codec.seal(log, expected, key)
            if not beyond_limit:
                self._check_size(session_id, size + len(data))
            try:
                files.write_all(fd, data)
            except OSError:
                os.ftruncate(fd, size)  # a full disk may have taken a part of it
                raise
            try:
                if durable:
                    os.fdatasync(fd)
                else:
                    files.hand_over(fd)
            except OSError as error:
                self._doubtful.add(session_id)
                with contextlib.suppress(OSError):
                    os.ftruncate(fd, size)  # so that nobody goes on after bytes that the disk may not have
                raise OutcomeUnknown(session_id, (error.strerror or str(error)).lower()) from error
        self._mark(session_id)
        return revision

    def replace(self, session_id: str, header: Record, log: Sequence[Record], expected: Revision) -> Revision:
        key = self._keys.newest.of(checked(session_id))
        pieces, revision = codec.pieces([{**header, "kid": key.id}, *log], None, key, expected.n + 1)
        with self._storing(), self._locked(session_id, os.O_RDWR) as fd:
            codec.check_version(os.pread(fd, codec.HEADER_MAX, 0), session_id)
            self._size_at(fd, session_id, expected)
            with self._sessions.opened() as folder_fd:
                files.replace_file(folder_fd, session_id + SUFFIX, *pieces)
        self._mark(session_id)
        return revision

    def read(self, session_id: str) -> Stored:
        with self._storing():
            return self._decoded(session_id, self._sessions).stored

    def revision(self, session_id: str) -> Revision:
        with self._storing(), self._opened(session_id, os.O_RDONLY) as fd:
            return self._revision_of(fd, session_id)

    def find(self, query: Query, *, by_rank: bool = False, limit: int = 50, cursor: str | None = None) -> Page:
        with self._storing():
            return self._catalogue.find(query, by_rank=by_rank, limit=limit, cursor=cursor)

    def named(self, start: str, limit: int = 50) -> list[Summary]:
        with self._storing():
            return self._catalogue.named(start, limit)

    def changes(self) -> str:
        with self._storing():
            return self._catalogue.changes()

    def count(self) -> int:
        with self._storing():
            return self._catalogue.count()

    def trash(self, session_id: str) -> None:
        self._move(session_id, self._sessions, self._trash)

    def restore(self, session_id: str) -> None:
        self._move(session_id, self._trash, self._sessions)

    def trashed(self) -> list[str]:
        with self._storing(), self._trash.opened() as folder_fd:
            return sorted(found for name in os.listdir(folder_fd) if (found := id_of(name)))

    def trashed_at(self, session_id: str) -> float:
        with self._storing(), self._opened(session_id, os.O_RDONLY, self._trash) as fd:
            return os.fstat(fd).st_ctime  # a rename sets it, and nothing touches the file after

    def purge(self, session_id: str) -> None:
        name = checked(session_id) + SUFFIX
        with self._storing(), self._names_locked(), self._trash.opened() as folder_fd:
            if files.inode(folder_fd, name) is None:
                raise SessionNotFound(session_id, "The trash does not hold it.")
            try:
                os.unlink(name, dir_fd=folder_fd)
            except OSError:
                if files.inode(folder_fd, name) is not None:  # otherwise only the answer was lost
                    raise
            files.settle_names(folder_fd)
            try:
                files.sync_folder(folder_fd)
            except OSError as error:
                raise OutcomeUnknown(session_id, (error.strerror or str(error)).lower()) from error
            leases.drop(self._leases, session_id)
        self._mark(session_id)

    def quarantine(self, session_id: str) -> str:
        name, kept = checked(session_id) + SUFFIX, f"{session_id}.{secrets.token_hex(3)}{SUFFIX}"
        with self._storing(), self._names_locked():
            self._rename(self._sessions, name, self._quarantine, kept, session_id)
        self._mark(session_id)
        return self._quarantine.path_of(kept)

    def lease(self, session_id: str, owner: Owner, *, take_over: bool = False) -> FileLease:
        with self._storing():
            with self._opened(session_id, os.O_RDONLY):
                pass  # a session that is not there cannot be leased
            return leases.take(self._leases, session_id, owner, take_over=take_over)

    def owner(self, session_id: str) -> Owner | None:
        with self._storing():
            return leases.owner_of(self._leases, checked(session_id))

    def owners(self) -> dict[str, Owner]:
        with self._storing():
            held_ids = leases.held_ids(self._leases)
        held = {session_id: self.owner(session_id) for session_id in held_ids if is_valid(session_id)}
        return {session_id: owner for session_id, owner in held.items() if owner is not None}

    def _agree_on_store(self) -> str:
        with self._storing(), self._root.opened() as folder_fd:
            try:
                data = files.read_linked(folder_fd, "store.json")
            except FileNotFoundError:
                fresh = orjson.dumps({"format": STORE_FORMAT, "id": secrets.token_hex(8)})
                data = files.create_once(folder_fd, "store.json", fresh)
        path = self._root.path_of("store.json")
        try:
            found = orjson.loads(data)
            version, store_id = found["format"], str(found["id"])
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(f"{path} is damaged. Move it away; the sessions beside it are not touched.") from error
        if version != STORE_FORMAT:
            raise UnsupportedFormat(f"The store {self.home}", version)
        return store_id

    def _decoded(self, session_id: str, place: files.Folder) -> codec.Decoded:
        path = place.path_of(session_id + SUFFIX)
        with self._opened(session_id, os.O_RDONLY, place) as fd:
            decoded = codec.decode(files.read_all(fd), session_id, self._keys, path)
            for pause_s in (0.002, 0.02):
                if not any(damage.kind == "torn" for damage in decoded.stored.damage):
                    break
                time.sleep(pause_s)  # a write that is just going on looks torn for a moment
                decoded = codec.decode(files.read_all(fd), session_id, self._keys, path)
            return decoded

    def _size_at(self, fd: int, session_id: str, expected: Revision) -> int:
        """Return the size of a log that is at ``expected``; a torn end is moved away first.

        Raises:
            StaleRevision: it is at another one.
        """
        found, size = _end_of(fd)
        if found != expected:  # somebody was quicker, or a crash left a torn end, be it one that looks whole
            found, size = self._cut_torn_end(fd, session_id)
        if found != expected:
            raise StaleRevision(session_id, str(expected), str(found))
        return size

    def _revision_of(self, fd: int, session_id: str) -> Revision:
        found, _ = _end_of(fd)
        if found is not None:
            return found
        path = self._sessions.path_of(session_id + SUFFIX)
        return codec.decode(files.read_all(fd), session_id, self._keys, path).stored.revision

    def _key_of(self, fd: int, session_id: str) -> codec.Key:
        """Return the key of a log, as its header names it."""
        if (key := self._keys.get(codec.check_version(os.pread(fd, codec.HEADER_MAX, 0), session_id))) is not None:
            return key.of(session_id)
        raise StoreError(
            "This session was sealed with a key that is not here: it can be read ('%jido show'), but not added to. "
            "Put the key back into the keys folder, or go on in a new session."
        )

    def _check_size(self, session_id: str, size: int) -> None:
        if size > self._max_bytes:
            raise PayloadTooLarge(f"Session {session_id[:8]}", size, self._max_bytes)

    def _write_again(self, session_id: str) -> None:
        """Put a copy in the place of a file whose fsync failed: its pages may count as written and be lost all the same."""
        with self._storing(), self._locked(session_id, os.O_RDWR) as fd, self._sessions.opened() as folder_fd:
            files.replace_file(folder_fd, session_id + SUFFIX, files.read_all(fd))
        self._doubtful.discard(session_id)

    def _cut_torn_end(self, fd: int, session_id: str) -> tuple[Revision, int]:
        """Move a write that was cut off to the quarantine; return the revision and size without it."""
        data = files.read_all(fd)
        decoded = codec.decode(data, session_id, self._keys, self._sessions.path_of(session_id + SUFFIX))
        if torn := data[decoded.sound_bytes :]:
            with self._quarantine.opened() as quarantine_fd:
                files.replace_file(quarantine_fd, f"{session_id}.{len(data)}.{secrets.token_hex(3)}.torn", torn)
            os.ftruncate(fd, decoded.sound_bytes)
        return decoded.stored.revision, decoded.sound_bytes

    def _for_index(self, session_id: str, is_trashed: bool) -> tuple[Summary, Sequence[str]]:
        """Return what lists show of a session, and its texts; of one that cannot be read, why."""
        try:
            stored = self._decoded(session_id, self._trash if is_trashed else self._sessions).stored
        except OSError as error:
            return _damaged(session_id, StoreError(f"Session {session_id[:8]} cannot be opened: {error.strerror}.")), ()
        except JidoError as error:
            return _damaged(session_id, error), ()
        state = replay(stored.header, stored.records)
        summary = summarise(state, str(stored.revision))
        told = tuple(damage.message for damage in stored.damage)
        return replace(summary, problems=told + summary.problems), [message.text for message in state.messages]

    def _is_taken(self, place: files.Folder, name: str) -> bool:
        with place.opened() as folder_fd:
            return files.inode(folder_fd, name) is not None

    def _move(self, session_id: str, source: files.Folder, target: files.Folder) -> None:
        name = checked(session_id) + SUFFIX
        with self._storing(), self._names_locked():
            if self._is_taken(target, name):
                raise SessionExists(session_id)
            self._rename(source, name, target, name, session_id)
        self._mark(session_id)

    def _rename(self, source: files.Folder, name: str, target: files.Folder, new: str, session_id: str) -> None:
        with source.opened() as source_fd, target.opened() as target_fd:
            try:
                files.rename(source_fd, name, target_fd, new)
            except FileNotFoundError:
                raise SessionNotFound(session_id) from None

    def _mark(self, session_id: str) -> None:
        """Tell the index of a change; without that it notices at its next look at all files."""
        with contextlib.suppress(OSError, StoreError), self._root.opened() as folder_fd:
            changes.mark(folder_fd, session_id)

    @contextlib.contextmanager
    def _opened(self, session_id: str, flags: int, place: files.Folder | None = None) -> Iterator[int]:
        """Yield a descriptor of a session's file."""
        name = checked(session_id) + SUFFIX
        with (place or self._sessions).opened() as folder_fd:
            try:
                try:
                    fd = files.open_file(folder_fd, name, flags)
                except StoreError:
                    if not self._has_finished_move(name):
                        raise
                    fd = files.open_file(folder_fd, name, flags)
            except FileNotFoundError:
                hint = "It is in the trash: '%jido restore' brings it back." if session_id in self.trashed() else ""
                raise (SessionNotFound(session_id, hint) if hint else SessionNotFound(session_id)) from None
        try:
            yield fd
        finally:
            fd.close()

    def _has_finished_move(self, name: str) -> bool:
        """Undo a rename that a power cut left half done: on btrfs the file then has both names."""
        with self._sessions.opened() as stored_fd, self._trash.opened() as trash_fd:
            found = files.inode(stored_fd, name)
            if found is None:
                return False
            others = [(stored_fd, other) for other in os.listdir(stored_fd) if files.is_temporary(other)]
            doubles = [(fd, other) for fd, other in [*others, (trash_fd, name)] if files.inode(fd, other) == found]
            for fd, other in doubles:
                os.unlink(other, dir_fd=fd)
                files.sync_folder(fd)
            return bool(doubles)

    @contextlib.contextmanager
    def _locked(self, session_id: str, flags: int) -> Iterator[int]:
        """Yield a descriptor of a session's file that no other process writes to."""
        name = session_id + SUFFIX
        while True:
            with (
                self._opened(session_id, flags) as fd,
                locks.exclusive(fd, self._sessions, name),
                self._sessions.opened() as folder_fd,  # opened under the lock: only then NFS looks the name up afresh
            ):
                if files.inode(folder_fd, name) == os.fstat(fd).st_ino:  # else another file was put under the name
                    yield fd
                    return

    @contextlib.contextmanager
    def _names_locked(self) -> Iterator[None]:
        """Keep other processes from creating, trashing or restoring meanwhile."""
        with self._root.opened() as folder_fd:
            fd = files.open_or_create(folder_fd, "names.lock")
        try:
            with locks.exclusive(fd, self._root, "names.lock"):
                yield
        finally:
            fd.close()

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        """Turn what the system refuses into errors of ours."""
        try:
            yield
        except OSError as error:
            files.refuse(error, self.home)


def _end_of(fd: int) -> tuple[Revision | None, int]:
    """Return the revision that the last record of a log states, None for a torn end, and the log's size."""
    size = os.fstat(fd).st_size
    return codec.tail(os.pread(fd, codec.TAIL_MAX, max(0, size - codec.TAIL_MAX))), size


def _damaged(session_id: str, error: JidoError) -> Summary:
    title = f"Damaged session {session_id[:8]}" if isinstance(error, CorruptSession) else f"Session {session_id[:8]}"
    return Summary(session_id, title, "", "", 0, problems=(str(error),), is_damaged=True)
