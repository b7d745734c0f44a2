"""A store in memory, for tests and throw-away work: the same contract, and nothing outlives the process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jido_jupyter.core.ids import checked
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import Summary, replay, summarise
from jido_jupyter.errors import PayloadTooLarge, SessionExists, SessionNotFound, SessionOpen, StaleRevision
from jido_jupyter.store import codec
from jido_jupyter.store.contract import Revision, Stored

_KEY = bytes(codec.key_id(b"memory"), "ascii")


@dataclass(slots=True)
class _Kept:
    header: Record
    revision: Revision
    log: list[Record] = field(default_factory=list)


class MemoryLease:
    def __init__(self, store: MemoryStore, session_id: str, owner: Owner) -> None:
        self.session_id = session_id
        self.owner = owner
        self._store = store

    @property
    def is_held(self) -> bool:
        return self._store.leases.get(self.session_id) is self

    def release(self) -> None:
        if self.is_held:
            del self._store.leases[self.session_id]


class MemoryStore:
    """A `Store` that keeps its records in dictionaries.

    Args:
        max_bytes: size limit of one session's log, counted as the file store counts it.
    """

    def __init__(self, max_bytes: int = 10 * 2**20) -> None:
        self.leases: dict[str, MemoryLease] = {}
        self._max_bytes = max_bytes
        self._sizes: dict[str, int] = {}
        self._sessions: dict[str, _Kept] = {}
        self._trash: dict[str, _Kept] = {}
        self._lock = threading.RLock()

    def create(self, header: Record, log: Sequence[Record]) -> Revision:
        session_id = checked(str(header["id"]))
        with self._lock:
            if session_id in self._sessions or session_id in self._trash:
                raise SessionExists(session_id)
            self._sizes[session_id] = 0
            revision = self._sealed(session_id, [header, *log], None)
            self._sessions[session_id] = _Kept(dict(header), revision, list(log))
            return revision

    def append(
        self,
        session_id: str,
        log: Sequence[Record],
        expected: Revision,
        *,
        durable: bool = True,
        beyond_limit: bool = False,
    ) -> Revision:
        with self._lock:
            kept = self._kept(session_id)
            if kept.revision != expected:
                raise StaleRevision(session_id, str(expected), str(kept.revision))
            kept.revision = self._sealed(session_id, log, expected, beyond_limit)
            kept.log.extend(log)
            return kept.revision

    def read(self, session_id: str) -> Stored:
        with self._lock:
            kept = self._kept(session_id)
            return Stored(kept.header, tuple(kept.log), kept.revision)

    def revision(self, session_id: str) -> Revision:
        with self._lock:
            return self._kept(session_id).revision

    def summaries(self) -> list[Summary]:
        with self._lock:
            found = [
                replace(summarise(replay(kept.header, kept.log), str(kept.revision)), owner=self.owner(session_id))
                for session_id, kept in self._sessions.items()
            ]
        return sorted(found, key=lambda summary: (summary.updated_at, summary.id), reverse=True)

    def changes(self) -> str:
        with self._lock:
            states = {session_id: str(kept.revision) for session_id, kept in self._sessions.items()}
            return repr((states, sorted(self.leases)))

    def count(self) -> int:
        return len(self._sessions)

    def trash(self, session_id: str) -> None:
        with self._lock:
            self._trash[session_id] = self._kept(session_id)
            del self._sessions[session_id]

    def restore(self, session_id: str) -> None:
        with self._lock:
            if session_id not in self._trash:
                raise SessionNotFound(session_id)
            self._sessions[session_id] = self._trash.pop(session_id)

    def trashed(self) -> list[str]:
        return sorted(self._trash)

    def lease(self, session_id: str, owner: Owner, *, take_over: bool = False) -> MemoryLease:
        with self._lock:
            self._kept(session_id)
            holder = self.leases.get(session_id)
            if holder is not None and not take_over:
                raise SessionOpen(session_id, holder.owner.to_wire())
            self.leases[session_id] = lease = MemoryLease(self, session_id, owner)
            return lease

    def owner(self, session_id: str) -> Owner | None:
        holder = self.leases.get(checked(session_id))
        return holder.owner if holder else None

    def _kept(self, session_id: str) -> _Kept:
        try:
            return self._sessions[checked(session_id)]
        except KeyError:
            raise SessionNotFound(session_id) from None

    def _sealed(
        self, session_id: str, log: Sequence[Record], after: Revision | None, beyond_limit: bool = False
    ) -> Revision:
        data, revision = codec.seal(log, after, _KEY)
        size = self._sizes[session_id] + len(data)
        if size > self._max_bytes and not beyond_limit:
            raise PayloadTooLarge(f"Session {session_id[:8]}", size, self._max_bytes)
        self._sizes[session_id] = size
        return revision
