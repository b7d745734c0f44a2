"""Cleanup: what may go, what never goes, and that everything which goes is told and comes back."""

from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import Summary
from jido_jupyter.core.times import stamp
from jido_jupyter.core.window import Window
from jido_jupyter.errors import InvalidSetting, LimitReached, SessionNotFound, StoreUnavailable
from jido_jupyter.services.cleanup import Cleanup, plan
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.services.settings import Settings, read
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.clock import FakeClock

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY_S = 86400.0
KERNEL = Owner("kernel", "here", 1, "a.ipynb")


def of_age(days: float, number: int = 1, **changes: object) -> Summary:
    at = stamp(NOW - timedelta(days=days))
    return replace(Summary(f"id{number}", f"title {number}", at, at, 2), **changes)


def removed(*summaries: Summary, days: int = 30, keep: int = 0) -> list[str]:
    return [entry.summary.id for entry in plan(summaries, NOW, days=days, keep=keep).removed]


def test_old_sessions_go_oldest_first() -> None:
    """What is older than the days that are set goes, the oldest turn first."""
    assert removed(of_age(31, 1), of_age(29, 2), of_age(400, 3)) == ["id3", "id1"]


def test_a_session_exactly_as_old_as_the_limit_stays() -> None:
    """Thirty days are not more than thirty days."""
    assert removed(of_age(30)) == []


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ({"pinned": True}, "pinned"),
        ({"tags": ("work",)}, "tagged"),
        ({"title_source": "user"}, "by hand"),
        ({"owner": KERNEL}, "open"),
        ({"is_damaged": True}, "damaged"),
        ({"problems": ("Line 3 was changed.",)}, "damaged"),
        ({"updated_at": "yesterday"}, "does not say"),
        ({"updated_at": ""}, "does not say"),
        ({"updated_at": "2031-01-01T00:00:00.000Z"}, "not older"),
    ],
)
def test_what_never_goes(mark: dict[str, object], reason: str) -> None:
    """Whatever somebody marked, has open, or cannot be judged stays, and the report says why."""
    report = plan([of_age(400, **mark)], NOW, days=1, keep=0)

    assert report.removed == ()
    assert reason in report.skipped[0].reason


def test_the_newest_stay_however_old() -> None:
    """Somebody who comes back after a year finds the last ten, here two."""
    assert removed(of_age(400, 1), of_age(300, 2), of_age(500, 3), keep=2) == ["id3"]


class Watched:
    """A store, what works on it, and the lines that a cleanup wrote."""

    def __init__(self, limits: Limits, clock: FakeClock, *, makes_room: bool = False, limit: int = 100) -> None:
        self.clock = clock
        self.store = MemoryStore()
        self.lines: list[str] = []
        self.cleanup = Cleanup(self.store, Owner("cleanup", "here", 2), clock.now, self.lines.append)
        numbers = itertools.count(1)
        self.sessions = Sessions(
            self.store,
            limits,
            max_sessions=limit,
            clock=clock.now,
            mint_id=lambda: f"id{next(numbers):04}",
            make_room=lambda: makes_room and self.cleanup.make_room(limit),
        )

    def stored(self, *texts: str) -> list[str]:
        ids = []
        for text in texts:
            said = Message(f"m {text}", "user", (text_part(text),), stamp(self.clock.now()))
            ids.append(self.sessions.create(None, [said]).state.id)
            self.clock.pass_time(60)
        return ids

    def ids(self) -> list[str]:
        return sorted(summary.id for summary in self.sessions.list())


@pytest.fixture
def limits(tmp_path) -> Limits:
    clock = FakeClock()
    return Limits(FileLimiter(str(tmp_path), clock.boot), Window(5, 60), Window(20, 60))


@pytest.fixture
def watched(limits: Limits) -> Watched:
    return Watched(limits, FakeClock())


def test_a_preview_moves_nothing(watched: Watched) -> None:
    """A dry run reports what would go, and everything is still there."""
    [session_id] = watched.stored("old")
    watched.clock.pass_time(31 * DAY_S)

    report = watched.cleanup.run(days=30, keep=0, dry_run=True)

    assert report.is_preview
    assert [entry.summary.id for entry in report.removed] == [session_id]
    assert watched.ids() == [session_id]
    assert watched.lines == []


def test_everything_that_goes_is_told_with_the_way_back(watched: Watched, caplog) -> None:
    """One line for each, in the log and in the file, with the command that restores it; and that works."""
    caplog.set_level(logging.INFO, "jido_jupyter.cleanup")
    [session_id] = watched.stored("old")
    watched.clock.pass_time(31 * DAY_S)

    watched.cleanup.run(days=30, keep=0)

    assert watched.ids() == []
    [line] = watched.lines
    assert line.startswith("2026-12-23T09:01:00.000Z ")
    assert f"jido restore {session_id}" in line
    assert [record.getMessage() for record in caplog.records] == [line.partition(" ")[2]]
    assert watched.sessions.restore(session_id) == session_id


def test_a_session_that_was_opened_meanwhile_stays(watched: Watched) -> None:
    """Between plan and act a kernel may open a session: its lease keeps it, and the report says so."""
    [session_id] = watched.stored("old")
    watched.clock.pass_time(31 * DAY_S)
    planned = watched.cleanup.run(days=30, keep=0, dry_run=True)
    watched.store.lease(session_id, KERNEL)

    report = watched.cleanup._removed(planned.removed)

    assert watched.ids() == [session_id]
    assert report.removed == ()
    assert "meanwhile" in report.skipped[0].reason


def test_a_session_that_was_added_to_meanwhile_stays(watched: Watched) -> None:
    """The same for one that got another turn through the server."""
    [session_id] = watched.stored("old")
    watched.clock.pass_time(31 * DAY_S)
    planned = watched.cleanup.run(days=30, keep=0, dry_run=True)
    watched.sessions.add(session_id, [Message("m2", "user", (text_part("new"),), "2026-12-23T00:00:00.000Z")])

    watched.cleanup._removed(planned.removed)

    assert watched.ids() == [session_id]
    assert watched.store.owner(session_id) is None


def test_one_that_fails_does_not_stop_the_others(limits: Limits) -> None:
    """A session that cannot be moved is reported with its reason, the rest goes."""
    watched = Watched(limits, FakeClock())
    first, second = watched.stored("one", "two")
    watched.clock.pass_time(31 * DAY_S)
    trash = watched.store.trash

    def refusing(session_id: str) -> None:
        if session_id == first:
            raise StoreUnavailable("/store", "permission denied", "Check the mode.")
        trash(session_id)

    watched.store.trash = refusing  # type: ignore[method-assign]

    report = watched.cleanup.run(days=30, keep=0)

    assert [entry.summary.id for entry in report.removed] == [second]
    assert [(entry.summary.id, "permission denied" in entry.reason) for entry in report.failed] == [(first, True)]


def test_purging_takes_only_what_was_in_the_trash_long_enough(watched: Watched, monkeypatch) -> None:
    """Thirty days in the trash are thirty days to change one's mind."""
    first, second = watched.stored("one", "two")
    for session_id, days in ((first, 31), (second, 29)):
        at = watched.clock.now().timestamp() - days * DAY_S
        monkeypatch.setattr("jido_jupyter.store.memory.time.time", lambda at=at: at)
        watched.sessions.trash(session_id)

    report = watched.cleanup.purge_trash(older_than_days=30)

    assert [entry.summary.id for entry in report.removed] == [first]
    assert list(watched.sessions.trashed()) == [second]
    with pytest.raises(SessionNotFound):
        watched.sessions.restore(first)
    assert "for good" in watched.lines[0]


def test_nothing_makes_room_unless_it_is_switched_on(limits: Limits) -> None:
    """By default a full store refuses, and keeps everything."""
    watched = Watched(limits, FakeClock(), limit=2)
    watched.stored("one", "two")

    with pytest.raises(LimitReached):
        watched.sessions.new(KERNEL)

    assert len(watched.ids()) == 2


def test_making_room_takes_the_one_resumed_longest_ago(limits: Limits) -> None:
    """Being opened counts, not only being written to; one that is exempt is passed over."""
    watched = Watched(limits, FakeClock(), makes_room=True, limit=3)
    pinned, resumed, unused = watched.stored("one", "two", "three")
    watched.sessions.edit(pinned, pinned=True)
    watched.sessions.resume(resumed, KERNEL)[0].close()

    new = watched.sessions.new(KERNEL)

    assert watched.ids() == sorted([pinned, resumed, new.id])
    assert list(watched.sessions.trashed()) == [unused]
    assert "jido restore" in watched.lines[0]


def test_where_all_are_exempt_a_full_store_refuses(limits: Limits) -> None:
    """Making room never takes what somebody marked."""
    watched = Watched(limits, FakeClock(), makes_room=True, limit=1)
    [session_id] = watched.stored("one")
    watched.sessions.edit(session_id, tags=["work"])

    with pytest.raises(LimitReached):
        watched.sessions.new(KERNEL)

    assert watched.ids() == [session_id]


def test_a_limit_lowered_far_below_the_count_takes_nothing(limits: Limits) -> None:
    """Only ever one goes to let one in: a mistyped limit must not empty a store."""
    watched = Watched(limits, FakeClock())
    watched.stored("one", "two", "three")

    assert not watched.cleanup.make_room(2)
    assert len(watched.ids()) == 3


@pytest.mark.parametrize(
    ("environ", "file", "name"),
    [
        ({"JIDO_CLEANUP_DAYS": "0"}, {}, "JIDO_CLEANUP_DAYS='0'"),
        ({"JIDO_CLEANUP_DAYS": "30d"}, {}, "whole number of days"),
        ({}, {"cleanup_days": -1}, "JIDO_CLEANUP_DAYS='-1'"),
        ({}, {"make_room": "yes"}, "make_room='yes'"),
        ({}, {"make_room": 1}, "true or false"),
    ],
)
def test_a_setting_without_meaning_is_named(environ: dict[str, str], file: dict[str, object], name: str) -> None:
    """No wrong value turns a cleanup on, off, or wider."""
    with pytest.raises(InvalidSetting, match=name):
        read(environ, file)


def test_only_the_file_switches_on_what_runs_by_itself() -> None:
    """Off by default, on by jido.toml; no variable of a shell that is long gone."""
    assert not read({"JIDO_MAKE_ROOM": "true"}).make_room
    assert read({}, {"make_room": True, "cleanup_days": 7}) == Settings(make_room=True, cleanup_days=7)


def test_room_is_told_from_four_fifths_on(limits: Limits) -> None:
    """A user hears of the limit before it blocks."""
    watched = Watched(limits, FakeClock(), limit=5)
    watched.stored("one", "two", "three")
    assert not watched.sessions.room().is_tight

    watched.stored("four")

    assert watched.sessions.room().is_tight
    assert "4 of 5 sessions" in str(watched.sessions.room())
