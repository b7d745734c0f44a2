"""What a user can do with sessions; every door (magics, panel, REST, command line) calls this and nothing below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message
from jido_jupyter.core.query import Query, parse
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import SessionState, Summary, beside, compacted, replay, summarise
from jido_jupyter.core.times import stamp
from jido_jupyter.core.window import Admitted, Refused
from jido_jupyter.errors import (
    CorruptSession,
    JidoError,
    LimitReached,
    SessionNotFound,
    SessionOpen,
    StaleRevision,
    UnsupportedFormat,
    UnverifiedSession,
)
from jido_jupyter.services import edits, targets
from jido_jupyter.services.briefing import Briefing, Here, brief
from jido_jupyter.services.limits import RESUME, Limits
from jido_jupyter.services.live import LiveSession, as_stored
from jido_jupyter.store.contract import Damage, Page, Revision, Store

TIGHT: Final = 0.8  # of the limit: from here on users are told


PAGE = 500  # sessions that are read at once where all are wanted
LONG_LOG = 1000  # records; a longer log is compacted when its session is resumed


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as it was read, whole."""

    state: SessionState
    revision: Revision
    damage: tuple[Damage, ...] = ()
    is_verified: bool = True
    record_count: int = 0
    owner: Owner | None = None

    @property
    def seal(self) -> str:
        """What its seals prove.

        ``verified``: each record is as it was saved here; ``repaired``: records that damage took are left out, the others are;
        ``altered``: the first line was changed, or records are missing; ``foreign``: sealed with a key that is not here.
        The last two are not resumed without the user's trust.
        """
        kinds = {damage.kind for damage in self.damage}
        if not self.is_verified:
            return "foreign" if "foreign" in kinds else "altered"
        return "repaired" if kinds & {"altered", "unreadable"} else "verified"

    @property
    def summary(self) -> Summary:
        """What a list shows of it."""
        found = summarise(self.state, str(self.revision))
        told = tuple(damage.message for damage in self.damage)
        return replace(found, problems=told + found.problems, owner=self.owner)


@dataclass(frozen=True, slots=True)
class Room:
    """How many sessions are stored, or open, and how many may be."""

    count: int
    limit: int

    @property
    def is_tight(self) -> bool:
        return self.count >= TIGHT * self.limit

    def __str__(self) -> str:
        return (
            f"{self.count} of {self.limit} sessions are stored; at {self.limit} no new one is taken. "
            "'jido cleanup' in a terminal previews what could go, JIDO_MAX_SESSIONS raises the limit."
        )


class Sessions:
    """The sessions of one user.

    Args:
        limits: rate limits of resuming.
        max_sessions: how many may be stored.
        max_open: how many may be open at once.
        clock: returns the present instant, aware.
        mint_id: returns a fresh id.
        make_room: is asked when as many are stored as may be; returns whether there is room now.
        redacts: whether open sessions take keys and passwords out of what they store.
    """

    def __init__(
        self,
        store: Store,
        limits: Limits,
        *,
        max_sessions: int,
        max_open: int = 10,
        clock: Callable[[], datetime],
        mint_id: Callable[[], str],
        make_room: Callable[[], bool] = lambda: False,
        redacts: bool = True,
    ) -> None:
        self._store = store
        self._limits = limits
        self._max_sessions = max_sessions
        self._max_open = max_open
        self._clock = clock
        self.mint_id = mint_id
        self._make_room = make_room
        self._redacts = redacts

    def find(
        self, text: str | Query = "", *, by_rank: bool = False, limit: int = 50, cursor: str | None = None
    ) -> Page:
        """Return the sessions that ``text`` means (see `jido_jupyter.core.query`), a page at a time.

        Raises:
            InvalidField: a filter in ``text`` has a value without meaning.
        """
        query = parse(text) if isinstance(text, str) else text
        return self._store.find(query, by_rank=by_rank, limit=limit, cursor=cursor)

    def list(self, text: str | Query = "") -> list[Summary]:
        """Return all sessions that ``text`` means, newest turn first."""
        return [*self.each(text)]

    def each(self, text: str | Query = "") -> Iterator[Summary]:
        """Yield all sessions that ``text`` means, newest turn first, holding one page of them at a time."""
        cursor = None
        while True:
            page = self.find(text, limit=PAGE, cursor=cursor)
            yield from (hit.summary for hit in page.hits)
            if (cursor := page.next_cursor) is None:
                return

    def changes(self) -> str:
        """Return a short text that differs whenever `list` may differ."""
        return self._store.changes()

    def room(self) -> Room:
        return Room(self._store.count(), self._max_sessions)

    def opened(self) -> Room:
        """Return how many sessions are open, and how many may be."""
        return Room(len(self._store.owners()), self._max_open)

    def resumes(self, session_id: str | None = None) -> Admitted | Refused:
        """Say what the rate limit would say to a resume now, and count nothing."""
        return self._limits.check(RESUME, session_id)

    def resolve(self, target: str) -> str:
        """Return the id that a list number, id, or prefix of an id or title means.

        Raises:
            SessionNotFound, AmbiguousTarget
        """
        return targets.resolve(target, self._store)

    def show(self, session_id: str) -> Shown:
        """Return a whole session, without opening it.

        Raises:
            SessionNotFound, CorruptSession, UnsupportedFormat
        """
        stored = self._store.read(session_id)
        state = replay(stored.header, stored.records)
        owner = self._store.owner(session_id)
        return Shown(state, stored.revision, stored.damage, stored.is_verified, len(stored.records), owner)

    def new(self, owner: Owner, title: str | None = None) -> LiveSession:
        """Store a new session and open it.

        Raises:
            LimitReached: as many sessions are stored as there may be; nothing is removed to make room.
        """
        self._check_room()
        self._check_open_room()
        if title:
            edits.checked({"title": title})  # before anything is stored
        session_id = self.mint_id()
        now = self._stamp()
        log = [records.opened(owner, now)]
        if owner.notebook:
            log.append(records.meta({"notebook": owner.notebook}, now))
        header = records.header(session_id, now)
        revision = self._store.create(header, log)
        lease = self._store.lease(session_id, owner)
        live = LiveSession(self._store, replay(header, log), revision, lease, self._clock, redacts=self._redacts)
        try:
            if title:
                live.edit(title=title)
        except BaseException:
            lease.release()
            raise
        return live

    def create(self, title: str | None, said: Sequence[Message]) -> Shown:
        """Store a new session that nobody has open.

        Raises:
            LimitReached
        """
        self._check_room()
        return self._stored(edits.checked({"title": title}) if title else {}, self.clean(said))

    def add(self, session_id: str, said: Sequence[Message], expected: str | None = None) -> Shown:
        """Add messages to a session that nobody has open.

        Args:
            expected: the revision that the caller knows, as text; None adds to whatever is there.

        Raises:
            SessionOpen: a kernel has it open; what is said there goes in there.
            StaleRevision: it is not at ``expected``; nothing was written.
        """
        log = [records.messages(self.clean(said), self._stamp())]
        return self._append(session_id, log, expected, beyond_limit=False)

    def resume(
        self,
        target: str,
        owner: Owner,
        *,
        take_over: bool = False,
        trust: bool = False,
        is_id: bool = False,
        look: Callable[[SessionState], Here | None] | None = None,
    ) -> tuple[LiveSession, Briefing]:
        """Open a stored session to go on with it. The attempt counts against the rate limit, whatever becomes of it.

        Args:
            is_id: the target is a whole id, and nothing else is tried.
            look: says how the notebook is now that goes on with it, for the briefing to compare.

        Raises:
            RateLimited: too many attempts; the message says how long to wait.
            SessionNotFound, AmbiguousTarget: the target names no session.
            SessionOpen: another process has it open, and ``take_over`` is not set.
            UnverifiedSession: it was not sealed here, or records are missing, and ``trust`` is not set.
            LimitReached: as many sessions are open as there may be.
            CorruptSession: it cannot be read.
        """
        session_id = self._counted(target, is_id=is_id)
        self._check_open_room(session_id)
        if trust:
            self.trust(session_id)
        lease = self._store.lease(session_id, owner, take_over=take_over)
        try:
            shown = self._trusted(session_id)
            if shown.record_count > LONG_LOG and not shown.damage:
                self._rewrite(session_id)
                shown = self.show(session_id)
            opened = records.opened(owner, self._stamp())
            revision = self._store.append(session_id, [*self._settling(shown.state), opened], shown.revision)
            briefing = self._briefing(shown, look)
        except BaseException:
            lease.release()
            raise
        live = LiveSession(self._store, shown.state, revision, lease, self._clock, redacts=self._redacts)
        return live, briefing

    def edit(self, session_id: str, expected: str | None = None, **changes: Any) -> Shown:
        """Change title, tags, pin or archive of a session that nobody has open.

        Args:
            expected: the revision that the caller knows, as text; None changes whatever is there.

        Raises:
            InvalidField, SessionOpen, SessionNotFound
            StaleRevision: it is not at ``expected``; nothing was written.
        """
        return self._append(session_id, [records.meta(edits.checked(changes), self._stamp())], expected)

    def rewind(self, session_id: str, message_id: str, expected: str | None = None) -> Shown:
        """Go on after an earlier message, in a session that nobody has open.

        Args: ``expected`` as in `edit`.

        Raises:
            InvalidField: there is no such message; nothing changed.
            StaleRevision: it is not at ``expected``; nothing was written.
        """
        edits.check_message(self.show(session_id).state, message_id)
        return self._append(session_id, [records.rewind(message_id, self._stamp())], expected)

    def fork(self, session_id: str, message_id: str | None = None) -> Shown:
        """Store a copy that goes its own way, up to a message or whole; the session stays as it is.

        Raises:
            InvalidField: there is no such message.
            LimitReached
        """
        self._check_room()
        state = self.show(session_id).state
        if message_id is not None:
            edits.check_message(state, message_id)
            state = edits.rewound(state, message_id)
        origin = {"kind": "fork", "session": session_id, "message": state.messages[-1].id if state.messages else None}
        meta = {**state.meta, "title": f"{state.title} (fork)", "origin": origin, "pinned": False}
        return self._stored(meta, state.messages, also=beside(state, self._stamp()))

    def bring_in(self, meta: Mapping[str, Any], said: Sequence[Message], session_id: str | None = None) -> Shown:
        """Store a session that comes from elsewhere, under a new id.

        Args:
            meta: title, tags, notebook and where it comes from (``origin``).
            session_id: of its own choice, so that the same content is not brought in twice; None mints one.

        Raises:
            SessionExists: that id is taken, by a stored or a trashed session.
            LimitReached, PayloadTooLarge
        """
        self._check_room()
        return self._stored(meta, said, session_id, said[0].created_at if said else None)

    def begin(self, session_id: str, meta: Mapping[str, Any], said: Sequence[Message]) -> Shown:
        """Store a new session that nobody has open, under an id of its caller's choice: for adapters of other stores.

        Raises:
            SessionExists: that id is taken, by a stored or a trashed session.
            LimitReached, PayloadTooLarge
        """
        self._check_room()
        return self._stored(meta, self.clean(said), session_id)

    def revise(
        self, session_id: str, after: str, said: Sequence[Message], extras: Mapping[str, Any], expected: str
    ) -> Shown:
        """Go on with ``said`` after an earlier message, in one write, in a session that nobody has open.

        Args:
            after: id of that message; ``records.START`` begins anew.
            extras: what an adapter keeps beside the messages, by name; None takes one away.
            expected: the revision that the caller knows, as text.

        Raises:
            InvalidField: there is no such message; nothing changed.
            StaleRevision: it is not at ``expected``; nothing was written.
            SessionOpen, PayloadTooLarge
        """
        state, now = self.show(session_id).state, self._stamp()
        log: list[Record] = []
        if after != (state.messages[-1].id if state.messages else records.START):
            edits.check_message(state, after)
            log.append(records.rewind(after, now))
        if said:
            log.append(records.messages(self.clean(said), now))
        log.append(records.meta({"extras": dict(extras)}, now))
        return self._append(session_id, log, expected, beyond_limit=False)

    def compact(self, session_id: str) -> Shown:
        """Write a session anew in its shortest form; what it says stays the same. Seals it with the newest key.

        Raises:
            SessionOpen, UnverifiedSession: damage is evidence, and is not written over.
        """
        self._check_closed(session_id)
        self._rewrite(session_id)
        return self.show(session_id)

    def trust(self, session_id: str) -> Shown:
        """Seal a session anew that is not verified: its owner has read it and says that it is right.

        Records that damage took are gone then; the caller shows `verify` first.
        """
        self._check_closed(session_id)
        self._rewrite(session_id, is_trusted=True)
        return self.show(session_id)

    def verify(self, session_id: str) -> tuple[str, ...]:
        """Return what is wrong with a session, one sentence each; nothing for a sound one.

        Raises:
            SessionNotFound
        """
        try:
            told = tuple(damage.message for damage in self._store.read(session_id).damage)
            listed = [summary.problems for summary in self._store.named(session_id, 1) if summary.id == session_id]
            return tuple(dict.fromkeys([*told, *(problem for problems in listed for problem in problems)]))
        except (CorruptSession, UnsupportedFormat) as error:
            return (str(error),)

    def describe(self, live: LiveSession, look: Callable[[SessionState], Here | None] | None = None) -> Briefing:
        """Return the briefing of a session that is open already; ``look`` as in `resume`."""
        return brief(live.state, (), self._clock(), look(live.state) if look else None)

    def trash(self, session_id: str) -> None:
        """Move a session to the trash, from where `restore` brings it back.

        Raises:
            SessionOpen: a process has it open.
            SessionNotFound
        """
        self._check_closed(session_id)
        self._store.trash(session_id)

    def restore(self, target: str) -> str:
        """Take a session out of the trash and return its id.

        Raises:
            SessionNotFound: no trashed session has that id or prefix, or several have.
            LimitReached
        """
        wanted, trashed = target.strip().casefold(), self._store.trashed()
        found = [session_id for session_id in trashed if wanted and session_id.startswith(wanted)]
        if len(found) != 1:
            raise SessionNotFound(target, f"The trash holds {', '.join(trashed) or 'nothing'}.")
        self._check_room()
        self._store.restore(found[0])
        return found[0]

    def trashed(self) -> Sequence[str]:
        """Return the ids of the trashed sessions."""
        return self._store.trashed()

    def _counted(self, target: str, *, is_id: bool = False) -> str:
        """Resolve a target and count the attempt, also when it names nothing."""
        try:
            session_id = target if is_id else self.resolve(target)
        except JidoError:
            self._limits.acquire(RESUME)
            raise
        self._limits.acquire(RESUME, session_id)
        return session_id

    def _trusted(self, session_id: str) -> Shown:
        """Return a session that was sealed here; one that was not can be read, but is not gone on with."""
        shown = self.show(session_id)
        if not shown.is_verified:
            raise UnverifiedSession(session_id, shown.damage[0].message)
        return shown

    def _append(
        self, session_id: str, log: Sequence[Record], expected: str | None = None, *, beyond_limit: bool = True
    ) -> Shown:
        self._check_closed(session_id)
        stored = self._store.read(session_id)
        if expected is not None and expected != str(stored.revision):
            raise StaleRevision(session_id, expected, str(stored.revision))
        whole = [*self._settling(replay(stored.header, stored.records)), *log]
        revision = self._store.append(session_id, whole, stored.revision, beyond_limit=beyond_limit)
        # Not read again: a failure now would deny what is saved.
        state = replay(stored.header, [*stored.records, *whole])
        damage = tuple(found for found in stored.damage if found.kind != "torn")  # that was cut off
        return Shown(state, revision, damage, stored.is_verified, len(stored.records) + len(whole))

    def _stored(
        self,
        meta: Mapping[str, Any],
        said: Sequence[Message],
        session_id: str | None = None,
        created_at: str | None = None,  # None: now; an import began when it was said, not when it came here
        also: Sequence[Record] = (),
    ) -> Shown:
        session_id, now = session_id or self.mint_id(), self._stamp()
        created_at = created_at or now
        log = [records.meta(meta, now)] if meta else []
        if said:
            log.append(records.messages(said, now))
        state = SessionState(session_id, created_at, created_at).with_meta(meta).with_messages(said)
        log += also
        revision = self._store.create(header := records.header(session_id, created_at), log)
        return Shown(replay(header, log) if also else state, revision, record_count=len(log))

    def clean(self, said: Sequence[Message]) -> Sequence[Message]:
        """Return messages as they are stored; see `as_stored`."""
        return as_stored(said, redacts=self._redacts)

    def _rewrite(self, session_id: str, *, is_trusted: bool = False) -> None:
        stored = self._store.read(session_id)
        for damage in stored.damage:  # of this very read: what it could not read would be gone
            if damage.kind != "torn" and not is_trusted:
                raise UnverifiedSession(session_id, damage.message)
        log = compacted(replay(stored.header, stored.records), stored.records, self._stamp())
        header = records.header(session_id, str(stored.header.get("created_at", "")))
        self._store.replace(session_id, header, log, stored.revision)

    def _briefing(self, shown: Shown, look: Callable[[SessionState], Here | None] | None = None) -> Briefing:
        told = [damage.message for damage in shown.damage]
        return brief(shown.state, told, self._clock(), look(shown.state) if look else None)

    def _stamp(self) -> str:
        return stamp(self._clock())

    def _settling(self, state: SessionState) -> Sequence[Record]:
        """Return the record that closes answers which were cut off, so that they keep their place."""
        cut_off = [message for message in state.messages if message.id in state.unsettled]
        return [records.messages(cut_off, self._stamp())] if cut_off else []

    def _check_open_room(self, session_id: str = "") -> None:
        opened = self._store.owners()
        if len(opened) >= self._max_open and session_id not in opened:
            raise LimitReached(
                "open sessions",
                len(opened),
                self._max_open,
                "Close one where it is open ('%jido close'), or shut down a kernel that nobody needs; all stay stored.",
            )

    def _check_closed(self, session_id: str) -> None:
        if (owner := self._store.owner(session_id)) is not None:
            raise SessionOpen(session_id, owner.to_wire())

    def _check_room(self) -> None:
        if (count := self._store.count()) >= self._max_sessions and not self._make_room():
            raise LimitReached(
                "stored sessions",
                count,
                self._max_sessions,
                "Move some to the trash ('%jido delete <target>'), or raise JIDO_MAX_SESSIONS; nothing was removed.",
            )
