"""What every store of sessions promises; `jido_jupyter.testing.store_conformance` holds each one to it.

A session is a log of records (`jido_jupyter.core.records`). A store keeps bytes, not meaning: it neither reads a clock nor
decides what a user may do. All calls are synchronous, may block on the disk, and may be made from any thread.

Three outcomes of a write, never two: it returned (durable), it raised `OutcomeUnknown`, or it raised anything else (the
old state stands).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jido_jupyter.core.query import Query
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import Summary


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of a session's log: the number of its last record and that record's seal."""

    n: int
    seal: str

    def __str__(self) -> str:
        return f"{self.n}-{self.seal[:16]}"


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a log that is not as it was written.

    ``kind``: ``torn`` (a write that was cut off), ``altered`` (the seal does not fit), ``unreadable`` (no record at all),
    ``missing`` (records before it were taken out), ``repeated`` (an earlier record again), ``concurrent`` (two writers,
    where the file system let both), ``foreign`` (sealed with a key that is not here).
    """

    kind: str
    line: int  # 1 is the header
    message: str  # one sentence for the user


@dataclass(frozen=True, slots=True)
class Stored:
    """A session's log as it was read."""

    header: Record
    records: tuple[Record, ...]  # each with its number ``n``; without the header, and without those that damage took
    revision: Revision
    damage: tuple[Damage, ...] = ()

    def since(self, n: int) -> tuple[Record, ...]:
        """Return the records after number ``n``."""
        return tuple(record for record in self.records if record["n"] > n)

    def last(self, count: int) -> tuple[Record, ...]:
        """Return the last ``count`` records."""
        return self.records[-count:] if count > 0 else ()

    @property
    def is_verified(self) -> bool:
        """Whether each record that was read carries a seal of ours; what damage took does not count against it."""
        return all(damage.line > 1 and damage.kind not in ("foreign", "missing") for damage in self.damage)


@dataclass(frozen=True, slots=True)
class Hit:
    """A session that was found."""

    summary: Summary
    snippet: str = ""  # text around the first word that was asked for


@dataclass(frozen=True, slots=True)
class Page:
    hits: list[Hit]
    next_cursor: str | None = None  # None: there is no more


class Lease(Protocol):
    """The right to add to a session, held by one process at a time and gone with it."""

    @property
    def session_id(self) -> str: ...

    @property
    def is_held(self) -> bool:
        """False once it was released or taken over."""

    def release(self) -> None:
        """Give the lease up; harmless when it is gone already."""


class Store(Protocol):
    def create(self, header: Record, log: Sequence[Record]) -> Revision:
        """Store a new session: the header and its first records, all or nothing.

        Records are JSON values. Numbers are finite: `check_numbers` is for those who make messages of other values.

        Raises:
            SessionExists: the header's id is taken, by a stored or a trashed session.
            PayloadTooLarge: it would be larger than the store's size limit.
        """

    def append(
        self,
        session_id: str,
        log: Sequence[Record],
        expected: Revision,
        *,
        durable: bool = True,
        beyond_limit: bool = False,
    ) -> Revision:
        """Add records to the end, when the session is still at ``expected``; return its new revision.

        ``beyond_limit=True`` writes even past the size limit: for what ends a turn that has begun, as a limit never
        throws anything away. ``durable=False``, for ``partial`` records only, leaves it to the system when the bytes
        reach the disk: a later record repeats them. They survive the end of the process, not that of the machine.

        Raises:
            StaleRevision: somebody else added to it; nothing was written.
            PayloadTooLarge: it would be larger than the store's size limit; nothing was written.
            SessionNotFound: there is no such session (any more).
        """

    def replace(self, session_id: str, header: Record, log: Sequence[Record], expected: Revision) -> Revision:
        """Put a whole new log in the place of one that is still at ``expected``: for compacting, and for sealing anew.

        All or nothing. The numbers go on, so that an older state put back in its place can be told.

        Raises:
            StaleRevision: somebody else added to it; nothing was written.
            SessionNotFound: there is no such session (any more).
        """

    def read(self, session_id: str) -> Stored:
        """Return the whole log. Readers never wait for writers.

        Raises:
            SessionNotFound: there is no such session.
            CorruptSession: there is a file, but it has no header that can be read.
            UnsupportedFormat: a later version wrote it.
        """

    def revision(self, session_id: str) -> Revision:
        """Return the present revision, without reading the whole log where that can be helped.

        Raises: as `read`.
        """

    def find(self, query: Query, *, by_rank: bool = False, limit: int = 50, cursor: str | None = None) -> Page:
        """Return the sessions that ``query`` means, as `jido_jupyter.core.query.matches` defines it.

        Newest turn first, or best match first. A session that cannot be read stands among the others, last, with
        ``is_damaged`` and the reason in ``problems``.

        Args:
            by_rank: best match first; such an answer has one page.
            limit: of one page.
            cursor: `Page.next_cursor` of the page before.

        Raises:
            InvalidField: the cursor is none.
        """

    def named(self, start: str, limit: int = 50) -> list[Summary]:
        """Return stored sessions whose id or title begins with ``start``, case ignored; exact ones first, then newest."""

    def changes(self) -> str:
        """Return a short text that differs whenever `find` may answer differently."""

    def count(self) -> int:
        """Return how many sessions are stored, trashed ones left out."""

    def trash(self, session_id: str) -> None:
        """Take a session out of the list, whole and restorable.

        Raises:
            SessionNotFound: there is no such session.
        """

    def restore(self, session_id: str) -> None:
        """Put a trashed session back.

        Raises:
            SessionNotFound: the trash does not hold it.
            SessionExists: its id is taken by now.
        """

    def trashed(self) -> list[str]:
        """Return the ids of the trashed sessions, sorted."""

    def trashed_at(self, session_id: str) -> float:
        """Return when a session was moved to the trash [s, Unix time].

        Raises:
            SessionNotFound: the trash does not hold it.
        """

    def purge(self, session_id: str) -> None:
        """Delete a trashed session for good.

        Raises:
            SessionNotFound: the trash does not hold it.
        """

    def quarantine(self, session_id: str) -> str:
        """Take a session that cannot be used out of the list, its bytes kept as they are; return where they are now.

        Raises:
            SessionNotFound: there is no such session.
        """

    def lease(self, session_id: str, owner: Owner, *, take_over: bool = False) -> Lease:
        """Take the session for ``owner``; the lease ends with `Lease.release` or with the process.

        ``take_over`` takes it from another holder, whose next append then meets `StaleRevision`.

        Raises:
            SessionOpen: somebody holds it, this process included.
        """

    def owner(self, session_id: str) -> Owner | None:
        """Return who holds the session's lease now."""

    def owners(self) -> dict[str, Owner]:
        """Return who holds which lease now, by session id."""
