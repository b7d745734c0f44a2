"""A store in memory, for tests and throw-away work: the same contract, and nothing outlives the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jido_jupyter.core.ids import checked
from jido_jupyter.core.query import Query, matches, snippet
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import Summary, replay, summarise
from jido_jupyter.errors import (
    InvalidField,
    PayloadTooLarge,
    SessionExists,
    SessionNotFound,
    SessionOpen,
    StaleRevision,
)
from jido_jupyter.store import codec
from jido_jupyter.store.contract import Hit, Page, Revision, Stored

_KEY = codec.Key(bytes(32))


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
        self._trashed_at: dict[str, float] = {}
        self._quarantined: dict[str, _Kept] = {}
        self._lock = threading.RLock()

    def create(self, header: Record, log: Sequence[Record]) -> Revision:
        session_id = checked(str(header["id"]))
        with self._lock:
            if session_id in self._sessions or session_id in self._trash:
                raise SessionExists(session_id)
            self._sizes[session_id] = 0
            revision = self._sealed(session_id, [header, *log], None)
            self._sessions[session_id] = _Kept(dict(header), revision, _numbered(log, 1))
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
            kept.log.extend(_numbered(log, expected.n + 1))
            return kept.revision

    def read(self, session_id: str) -> Stored:
        with self._lock:
            kept = self._kept(session_id)
            return Stored(kept.header, tuple(kept.log), kept.revision)

    def revision(self, session_id: str) -> Revision:
        with self._lock:
            return self._kept(session_id).revision

    def replace(self, session_id: str, header: Record, log: Sequence[Record], expected: Revision) -> Revision:
        with self._lock:
            kept = self._kept(session_id)
            if kept.revision != expected:
                raise StaleRevision(session_id, str(expected), str(kept.revision))
            self._sizes[session_id] = 0
            sealed = self._sealed(session_id, [header, *log], None, beyond_limit=True)
            revision = Revision(sealed.n + expected.n + 1, sealed.seal)
            self._sessions[session_id] = _Kept(dict(header), revision, _numbered(log, expected.n + 2))
            return revision

    def find(self, query: Query, *, by_rank: bool = False, limit: int = 50, cursor: str | None = None) -> Page:
        if cursor is not None and not cursor.isdecimal():
            raise InvalidField("cursor", "take it from the page before, as it is")
        kept = self._trash if query.is_trashed else self._sessions
        hits = []
        with self._lock:
            for session_id, found in kept.items():
                state = replay(found.header, found.log)
                texts = [message.text for message in state.messages]
                summary = replace(summarise(state, str(found.revision)), owner=self.owner(session_id))
                if matches(query, summary, texts, is_trashed=query.is_trashed):
                    hits.append(Hit(summary, snippet(query, "\n".join(texts))))
        hits.sort(key=lambda hit: (hit.summary.updated_at, hit.summary.id), reverse=True)
        start = int(cursor or 0)
        return Page(hits[start : start + limit], str(start + limit) if len(hits) > start + limit else None)

    def named(self, start: str, limit: int = 50) -> list[Summary]:
        wanted = start.casefold()
        found = [hit.summary for hit in self.find(Query(), limit=len(self._sessions)).hits]
        found = [
            summary for summary in found if summary.id.startswith(wanted) or summary.title.casefold().startswith(wanted)
        ]
        return sorted(found, key=lambda summary: wanted not in (summary.id, summary.title.casefold()))[:limit]

    def changes(self) -> str:
        with self._lock:
            states = {session_id: str(kept.revision) for session_id, kept in self._sessions.items()}
            return repr((states, sorted(self._trash), sorted(self.leases)))

    def count(self) -> int:
        return len(self._sessions)

    def trash(self, session_id: str) -> None:
        with self._lock:
            self._trash[session_id] = self._kept(session_id)
            self._trashed_at[session_id] = time.time()
            del self._sessions[session_id]

    def restore(self, session_id: str) -> None:
        with self._lock:
            if session_id not in self._trash:
                raise SessionNotFound(session_id)
            self._sessions[session_id] = self._trash.pop(session_id)

    def trashed(self) -> list[str]:
        return sorted(self._trash)

    def trashed_at(self, session_id: str) -> float:
        with self._lock:
            if checked(session_id) not in self._trash:
                raise SessionNotFound(session_id, "The trash does not hold it.")
            return self._trashed_at[session_id]

    def purge(self, session_id: str) -> None:
        with self._lock:
            if self._trash.pop(checked(session_id), None) is None:
                raise SessionNotFound(session_id, "The trash does not hold it.")

    def quarantine(self, session_id: str) -> str:
        with self._lock:
            self._kept(session_id)
            self._quarantined[session_id] = self._sessions.pop(session_id)
        return f"memory:{session_id}"

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

    def owners(self) -> dict[str, Owner]:
        with self._lock:
            return {session_id: lease.owner for session_id, lease in self.leases.items()}

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


def _numbered(log: Sequence[Record], start: int) -> list[Record]:
    return [{**record, "n": number} for number, record in enumerate(log, start)]
