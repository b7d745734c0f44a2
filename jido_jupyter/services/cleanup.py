"""Which sessions may go to the trash, and taking them there. Nothing here runs unless somebody asks for it or switched it on.

`plan` decides on values alone; `Cleanup` acts, after taking the session's lease, so that nothing leaves that a kernel has
just opened. Everything that leaves is told twice, in the log ``jido_jupyter.cleanup`` and in a file beside the sessions, with
the command that brings it back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.query import Query
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import Summary
from jido_jupyter.core.times import seconds_between, stamp
from jido_jupyter.errors import JidoError, SessionOpen, StaleRevision
from jido_jupyter.services import wire
from jido_jupyter.store.contract import Store

KEEP: Final = 10  # newest sessions that a cleanup never touches
TRASH_DAYS: Final = 30
DAY_S: Final = 86400.0
_ALL: Final = 10**9

log = logging.getLogger("jido_jupyter.cleanup")


@dataclass(frozen=True, slots=True)
class Entry:
    """A session of a report, and why it stands where it stands."""

    summary: Summary
    reason: str

    def to_wire(self) -> dict[str, Any]:
        return {"session": wire.summary(self.summary), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Report:
    """What a cleanup did with each session; with ``is_preview``, what it would do."""

    removed: tuple[Entry, ...] = ()
    skipped: tuple[Entry, ...] = ()
    failed: tuple[Entry, ...] = ()
    is_preview: bool = False

    def to_wire(self) -> dict[str, Any]:
        lists = {name: [entry.to_wire() for entry in getattr(self, name)] for name in ("removed", "skipped", "failed")}
        return {"is_preview": self.is_preview, **lists}


# Why a session stays whatever its age; the first that holds is the one that is told.
_EXEMPT: Final[tuple[tuple[Callable[[Summary], object], str], ...]] = (
    (lambda found: found.is_damaged or found.problems, "damaged: what is there is evidence; see 'jido verify'"),
    (lambda found: found.owner, "open"),
    (lambda found: found.pinned, "pinned"),
    (lambda found: found.tags, "tagged"),
    (lambda found: found.title_source == "user", "its title was given by hand"),
)


def exemption(summary: Summary) -> str:
    """Return why a session is never removed by itself; empty for one that may be."""
    return next((reason for holds, reason in _EXEMPT if holds(summary)), "")


def plan(summaries: Sequence[Summary], now: datetime, *, days: int, keep: int = KEEP) -> Report:
    """Return what a cleanup would remove, oldest last turn first, and why it leaves the rest.

    Args:
        summaries: all stored sessions, in any order.
        now: aware.
        days: sessions whose last turn is younger stay; >= 1.
        keep: so many of the newest stay however old they are; >= 0.
    """
    removed: list[Entry] = []
    skipped: list[Entry] = []
    newest_first = sorted(summaries, key=lambda summary: summary.updated_at, reverse=True)
    for place, summary in enumerate(newest_first):
        age_s = seconds_between(summary.updated_at, now)
        if reason := exemption(summary):
            skipped.append(Entry(summary, reason))
        elif age_s is None:
            skipped.append(Entry(summary, "it does not say when its last turn was"))
        elif age_s <= days * DAY_S:
            skipped.append(Entry(summary, f"its last turn is not older than {_days(days)}"))
        elif place < keep:
            skipped.append(Entry(summary, f"one of the {keep} newest"))
        else:
            removed.append(Entry(summary, f"its last turn is {_days(int(age_s // DAY_S))} old"))
    return Report(tuple(reversed(removed)), tuple(skipped), is_preview=True)


class Cleanup:
    """Takes sessions to the trash, and old ones out of it.

    Args:
        owner: this process, as others see it while it holds a session.
        clock: returns the present instant, aware.
        write: adds one line, without its end, to the file that tells what was removed.
    """

    def __init__(self, store: Store, owner: Owner, clock: Callable[[], datetime], write: Callable[[str], None]) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._write = write

    def run(self, *, days: int, keep: int = KEEP, dry_run: bool = False) -> Report:
        """Move sessions to the trash as `plan` says; ``dry_run`` only returns the plan."""
        planned = plan(self._listed(Query()), self._clock(), days=days, keep=keep)
        return planned if dry_run else self._removed(planned.removed, planned.skipped)

    def make_room(self, limit: int) -> bool:
        """Move the session that was resumed longest ago to the trash; return whether there is room for one now.

        One that is exempt stays. Only ever one goes: a limit that was lowered far below the count blocks instead.

        Args:
            limit: of stored sessions.
        """
        if self._store.count() > limit:
            return False
        candidates = [summary for summary in self._listed(Query()) if not exemption(summary)]
        candidates.sort(key=lambda summary: (summary.opened_at or summary.updated_at, summary.updated_at))
        for summary in candidates:
            if self._removed([Entry(summary, f"it was resumed longest ago, and {limit} sessions are stored")]).removed:
                return True
        return False

    def purge_trash(self, *, older_than_days: float = TRASH_DAYS, dry_run: bool = False) -> Report:
        """Delete for good what has been in the trash for longer than that; nothing brings it back."""
        removed: list[Entry] = []
        skipped: list[Entry] = []
        failed: list[Entry] = []
        now_s = self._clock().timestamp()
        for summary in self._listed(Query(is_trashed=True)):
            try:
                age_s = max(0.0, now_s - self._store.trashed_at(summary.id))  # a file's time may be ahead by a tick
                if age_s < older_than_days * DAY_S:
                    skipped.append(Entry(summary, f"in the trash for {_days(int(age_s // DAY_S))} only"))
                    continue
                reason = f"in the trash for {_days(int(age_s // DAY_S))}"
                if not dry_run:
                    self._store.purge(summary.id)
                    self._tell(summary, f"deleted for good, {reason}")
                removed.append(Entry(summary, reason))
            except JidoError as error:
                failed.append(Entry(summary, str(error)))
        return Report(tuple(removed), tuple(skipped), tuple(failed), is_preview=dry_run)

    def _removed(self, chosen: Sequence[Entry], skipped: Sequence[Entry] = ()) -> Report:
        removed: list[Entry] = []
        failed: list[Entry] = []
        changed: list[Entry] = []
        for entry in chosen:
            try:
                self._trash(entry.summary)
            except (SessionOpen, StaleRevision):
                changed.append(Entry(entry.summary, "somebody took it up again meanwhile"))
            except JidoError as error:
                failed.append(Entry(entry.summary, str(error)))
            else:
                removed.append(entry)
                restore = f"restore it with: jido restore {entry.summary.id}"
                self._tell(entry.summary, f"moved to the trash, {entry.reason}; {restore}")
        return Report(tuple(removed), (*skipped, *changed), tuple(failed))

    def _trash(self, summary: Summary) -> None:
        lease = self._store.lease(summary.id, self._owner)  # nobody opens it from here on
        try:
            if (found := str(self._store.revision(summary.id))) != summary.revision:
                raise StaleRevision(summary.id, summary.revision, found)
            self._store.trash(summary.id)
        finally:
            lease.release()

    def _tell(self, summary: Summary, what: str) -> None:
        line = f"session {summary.id} {summary.title!r}: {what}"
        log.info(line)
        self._write(f"{stamp(self._clock())} {line}")

    def _listed(self, query: Query) -> list[Summary]:
        return [hit.summary for hit in self._store.find(query, limit=_ALL).hits]


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def told(report: Report) -> str:
    """Return a report in one sentence."""
    verb = "would go" if report.is_preview else "went"
    parts = [f"{len(report.removed)} session(s) {verb}", f"{len(report.skipped)} stay"]
    if report.failed:
        parts.append(
            f"{len(report.failed)} could not be moved: {', '.join(short(e.summary.id) for e in report.failed)}"
        )
    return ", ".join(parts) + "."
