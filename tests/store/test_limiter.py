"""The file limiter: exact over all processes, whatever clocks do."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jido_jupyter.core.window import Admitted, Charge, Refused, Window
from jido_jupyter.errors import StoreFull, StoreUnavailable
from jido_jupyter.store.clock import Reading
from jido_jupyter.store.folder import is_temporary
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.testing.clock import FakeClock
from tests.support.descriptors import open_descriptors

FIVE = Charge("resume/session/one", Window(5, 60))
USER = Charge("resume/user", Window(7, 60))


def table_of(tmp_path: Path) -> Path:
    [path] = (tmp_path / "limits").glob("5-*.rings")
    return path


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(tmp_path: Path, clock: FakeClock) -> FileLimiter:
    return FileLimiter(str(tmp_path / "limits"), clock.boot)


def test_admits_up_to_the_limit_then_says_how_long_to_wait(limiter: FileLimiter, clock: FakeClock) -> None:
    """The sixth call waits for the first to leave the window."""
    verdicts = []
    for _ in range(6):
        verdicts.append(limiter.acquire([FIVE]))
        clock.pass_time(2)

    assert [verdict.remaining for verdict in verdicts if isinstance(verdict, Admitted)] == [4, 3, 2, 1, 0]
    assert verdicts[5] == Refused(FIVE, 50.0)


def test_lets_in_again_when_the_window_has_moved(limiter: FileLimiter, clock: FakeClock) -> None:
    """A call stops counting exactly when it is as old as the window; refused calls never counted."""
    for _ in range(5):
        limiter.acquire([FIVE])
    clock.pass_time(59.9)
    assert isinstance(limiter.acquire([FIVE]), Refused)
    clock.pass_time(0.1)

    assert isinstance(limiter.acquire([FIVE]), Admitted)


def test_counts_against_all_windows_or_none(limiter: FileLimiter) -> None:
    """A call that one window refuses is not counted by the other."""
    for _ in range(5):
        limiter.acquire([FIVE, USER])
    for _ in range(10):
        assert isinstance(limiter.acquire([FIVE, USER]), Refused)

    assert limiter.acquire([USER]) == Admitted(1, 60.0)


def test_is_shared_through_the_folder(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """Another limiter on the same folder counts on."""
    for _ in range(5):
        limiter.acquire([FIVE])

    assert isinstance(FileLimiter(str(tmp_path / "limits"), clock.boot).acquire([FIVE]), Refused)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\0" * len(data),
        lambda data: data[: len(data) // 2],
        lambda data: b"XXXXXXXX" + data[8:],
        lambda data: b"\xff" * 3000,
        lambda data: data[:72] + b"\xff" * (len(data) - 72),
    ],
)
def test_damaged_state_refuses_for_one_window_and_heals(
    tmp_path: Path, limiter: FileLimiter, clock: FakeClock, damage
) -> None:
    """Counters that cannot be read let nobody in that they might have counted."""
    limiter.acquire([FIVE])
    path = table_of(tmp_path)
    path.write_bytes(damage(path.read_bytes()))

    again = FileLimiter(str(tmp_path / "limits"), clock.boot)
    refused = again.acquire([FIVE])

    assert isinstance(refused, Refused)
    assert refused.is_closed
    clock.pass_time(60)
    assert isinstance(again.acquire([FIVE]), Admitted)
    assert list(tmp_path.glob("limits/*.damaged"))
    assert isinstance(limiter.acquire([FIVE]), Admitted)  # the one that had the old file open, too


def test_a_new_boot_does_not_open_the_window(limiter: FileLimiter, clock: FakeClock) -> None:
    """Right after a boot, earlier calls may still count, so the window's length has to pass first."""
    for _ in range(5):
        limiter.acquire([FIVE])
    clock.reading = Reading("boot 2", 20.0)

    assert isinstance(limiter.acquire([FIVE]), Refused)
    clock.pass_time(40)
    assert isinstance(limiter.acquire([FIVE]), Admitted)


def test_hosts_that_share_a_folder_count_apart(tmp_path: Path, limiter: FileLimiter) -> None:
    """Another host's clock says nothing here: its calls neither reset ours nor are reset by them."""
    other_clock = FakeClock()
    other_clock.reading = Reading("another host", 5000.0)
    other = FileLimiter(str(tmp_path / "limits"), other_clock.boot)
    for _ in range(5):
        assert isinstance(limiter.acquire([FIVE]), Admitted)
        assert isinstance(other.acquire([FIVE]), Admitted)

    assert isinstance(limiter.acquire([FIVE]), Refused)
    assert isinstance(other.acquire([FIVE]), Refused)


def test_forgets_what_no_longer_counts(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """The table grows with the keys of one window, not with those that there ever were."""
    for number in range(2000):
        limiter.acquire([Charge(f"resume/session/{number}", Window(5, 60))])
        clock.pass_time(1)

    assert (table_of(tmp_path)).stat().st_size < 150 * 200


def test_costs_at_most_150_bytes_a_key(tmp_path: Path, limiter: FileLimiter) -> None:
    """Ten thousand keys that all count take at most 150 bytes each."""
    for number in range(10_000):
        limiter.acquire([Charge(f"resume/session/{number}", Window(5, 60))])
    limiter.prune()

    assert (table_of(tmp_path)).stat().st_size <= 150 * 10_000
    assert limiter.check([Charge("resume/session/77", Window(5, 60))]) == Admitted(4, 60.0)


def test_check_counts_nothing_and_record_counts_always(limiter: FileLimiter) -> None:
    """Looking is free; a call that happened anyway is counted past the limit; reset forgets."""
    for _ in range(20):
        assert limiter.check([FIVE]) == Admitted(5, 60.0)
    for _ in range(7):
        limiter.record([FIVE])
    assert isinstance(limiter.acquire([FIVE]), Refused)

    limiter.reset([FIVE])

    assert limiter.acquire([FIVE]) == Admitted(4, 60.0)


def test_a_deleted_table_is_made_anew(tmp_path: Path, limiter: FileLimiter) -> None:
    """Whoever deletes the file has reset the counters, for all processes alike."""
    for _ in range(5):
        limiter.acquire([FIVE])
    (table_of(tmp_path)).unlink()

    assert limiter.acquire([FIVE]) == Admitted(4, 60.0)


def test_children_count_with_their_parent(limiter: FileLimiter) -> None:
    """A forked child opens its own lock and map, and counts together with its parent."""
    limiter.acquire([FIVE])
    child = os.fork()
    if child == 0:
        os._exit(sum(isinstance(limiter.acquire([FIVE]), Admitted) for _ in range(10)))
    admitted = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert admitted == 4
    assert isinstance(limiter.acquire([FIVE]), Refused)


def test_another_process_opens_its_own_lock(limiter: FileLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks and maps are not shared with a parent: they are opened anew where the process is another."""
    limiter.acquire([FIVE])
    lock, table = limiter._lock_fd, limiter._tables[5]
    own = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: own + 1)

    assert limiter.acquire([FIVE]) == Admitted(3, 60.0)

    assert limiter._lock_fd is not lock
    assert limiter._tables[5] is not table
    again = limiter._lock_fd
    limiter.acquire([FIVE])
    assert limiter._lock_fd is again


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.floats(0, 8)), max_size=60),
    st.sampled_from([3.0, 10.0]),
)
def test_admits_what_the_definition_admits(tmp_path_factory, calls, span: float) -> None:
    """Over random keys, limits and pauses the table decides as a plain list of times would."""
    clock = FakeClock()
    limiter = FileLimiter(str(tmp_path_factory.mktemp("limits")), clock.boot)
    model: dict[tuple[int, int], list[float]] = {}
    for key, limit, pause in calls:
        clock.pass_time(pause)
        now, window = clock.reading.seconds, Window(limit, span)
        times = model.setdefault((key, limit), [])

        verdict = limiter.acquire([Charge(f"key {key}", window)])

        assert isinstance(verdict, Admitted) == (window.wait(times, now) <= 0)
        if isinstance(verdict, Admitted):
            times.append(now)
            assert verdict.remaining == limit - len(window.recent(times, now))


def test_never_admits_more_over_processes(tmp_path: Path) -> None:
    """Eight processes that ask at once get in five times together."""
    code = f"""
        from jido_jupyter.core.window import Admitted, Charge, Window
        from jido_jupyter.store.limiter import FileLimiter
        limiter = FileLimiter({str(tmp_path)!r})
        print(sum(isinstance(limiter.acquire([Charge("k", Window(5, 60))]), Admitted) for _ in range(25)))
    """
    running = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]

    assert sum(int(process.communicate()[0]) for process in running) == 5


def tables(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "limits").iterdir() if path.name != ".lock")


def test_a_refused_window_is_named(limiter: FileLimiter) -> None:
    """Of several full windows the one that is full for the longest is told."""
    short, long = Charge("a", Window(1, 10)), Charge("b", Window(1, 20))
    limiter.acquire([short, long])

    assert limiter.check([short, long]) == Refused(long, 20.0)
    assert limiter.check([long, short]) == Refused(long, 20.0)
    assert limiter.acquire([short]) == Refused(short, 10.0)


def test_the_tightest_window_says_what_is_left(limiter: FileLimiter, clock: FakeClock) -> None:
    """Of several windows the one with the fewest calls left counts, and how long its oldest call still does."""
    limiter.acquire([USER])
    clock.pass_time(10)

    assert limiter.acquire([FIVE, USER]) == Admitted(4, 60.0)
    assert limiter.acquire([USER, FIVE]) == Admitted(3, 60.0)
    clock.pass_time(10)
    assert limiter.check([USER]) == Admitted(4, 40.0)


def test_windows_of_one_limit_share_a_table(limiter: FileLimiter, clock: FakeClock, tmp_path: Path) -> None:
    """Two windows with the same limit keep their own lengths."""
    short, long = Charge("a", Window(1, 10)), Charge("b", Window(1, 100))
    limiter.acquire([short])
    limiter.acquire([long])
    clock.pass_time(50)

    assert isinstance(limiter.acquire([short]), Admitted)
    assert limiter.acquire([long]) == Refused(long, 50.0)
    assert len(tables(tmp_path)) == 1


def test_a_folder_that_fails_is_told(limiter: FileLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses becomes an error of ours that names the folder, and the lock is free again."""

    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail)
    with pytest.raises(StoreFull) as refusal:
        limiter.acquire([FIVE])
    monkeypatch.undo()

    assert refusal.value.path == limiter._folder.path
    assert limiter.acquire([FIVE]) == Admitted(4, 60.0)


def test_a_lock_that_fails_is_told(limiter: FileLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock nothing is counted; the next call tries again."""

    def fail(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="no locks available") as refusal:
            limiter.acquire([FIVE])
    monkeypatch.undo()

    assert refusal.value.path == limiter._folder.path
    assert limiter.acquire([FIVE]) == Admitted(4, 60.0)


def test_a_call_holds_the_lock(limiter: FileLimiter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking and counting are one step, under a lock that is free before and after."""

    def is_free() -> bool:
        with (tmp_path / "limits" / ".lock").open("rb+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    seen = []
    monkeypatch.setattr(limiter, "_clock", lambda: seen.append(is_free()) or FakeClock().reading)

    for call in (limiter.acquire, limiter.check, limiter.record, limiter.reset):
        call([FIVE])
        assert is_free()
    limiter.prune()

    assert seen == [False] * 5
    assert is_free()


def test_a_table_of_another_boot_under_our_name_is_damage(
    tmp_path: Path, limiter: FileLimiter, clock: FakeClock
) -> None:
    """A file that was copied over ours is not counted in, nor trusted to be empty."""
    limiter.acquire([FIVE])
    ours = table_of(tmp_path)
    clock.reading = Reading("boot 2", 5000.0)
    limiter.acquire([FIVE])
    [theirs] = [path for path in (tmp_path / "limits").glob("5-*.rings") if path != ours]
    shutil.copy(ours, theirs)

    verdict = FileLimiter(str(tmp_path / "limits"), clock.boot).acquire([FIVE])

    assert isinstance(verdict, Refused)
    assert verdict.is_closed


def test_a_table_of_another_limit_under_our_name_is_damage(
    tmp_path: Path, limiter: FileLimiter, clock: FakeClock
) -> None:
    """Rings of seven places do not count to five."""
    limiter.acquire([FIVE, USER])
    [seven] = (tmp_path / "limits").glob("7-*.rings")
    shutil.copy(seven, table_of(tmp_path))

    verdict = FileLimiter(str(tmp_path / "limits"), clock.boot).acquire([FIVE])

    assert isinstance(verdict, Refused)
    assert verdict.is_closed


def test_damage_closes_for_the_longest_window_of_the_call(
    tmp_path: Path, limiter: FileLimiter, clock: FakeClock
) -> None:
    """All tables of the call start anew, and stay closed for as long as any of its windows is."""
    long = Charge("day", Window(7, 600))
    limiter.acquire([FIVE, long])
    table_of(tmp_path).write_bytes(b"")

    refused = limiter.acquire([FIVE, long])

    assert refused == Refused(FIVE, 600.0, is_closed=True)
    assert limiter.check([long]) == Refused(long, 600.0, is_closed=True)
    assert len(list((tmp_path / "limits").glob("*.damaged"))) == 2
    clock.pass_time(600)
    assert limiter.acquire([FIVE, long]) == Admitted(4, 60.0)


def test_a_refusal_by_calls_is_not_told_as_damage(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """Where both the calls and a closed table keep one out, the longer wait gives the reason."""
    table_of_long = Charge("day", Window(1, 600))
    limiter.acquire([table_of_long])
    limiter.acquire([FIVE])
    table_of(tmp_path).write_bytes(b"")

    assert limiter.check([FIVE]) == Refused(FIVE, 60.0, is_closed=True)
    assert limiter.check([FIVE, table_of_long]) == Refused(table_of_long, 600.0)


def test_a_first_boot_opens_at_once(tmp_path: Path, clock: FakeClock) -> None:
    """Where nothing was ever counted there is nothing to wait for, however young the boot."""
    clock.reading = Reading("boot 1", 0.25)
    limiter = FileLimiter(str(tmp_path / "limits"), clock.boot)

    assert limiter.acquire([FIVE]) == Admitted(4, 60.0)
    assert limiter.acquire([Charge("other", Window(55, 60))]) == Admitted(54, 60.0)


def test_a_young_boot_waits_until_its_window_has_passed(limiter: FileLimiter, clock: FakeClock) -> None:
    """The wait is what is left of the window since the boot; from then on it is open."""
    limiter.acquire([FIVE])
    clock.reading = Reading("boot 2", 20.0)
    assert limiter.check([FIVE]) == Refused(FIVE, 40.0, is_closed=True)

    clock.reading = Reading("boot 3", 60.0)
    assert limiter.acquire([FIVE]) == Admitted(4, 60.0)


def test_tables_of_boots_that_are_over_are_swept(
    tmp_path: Path, limiter: FileLimiter, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody wrote to for a day goes at the next new table, or start; younger tables, evidence and other files stay."""
    limiter.acquire([FIVE])
    folder = tmp_path / "limits"
    day = 86400
    for name, age_s in (
        ("5-0000.rings", day + 0.5), ("6-0000.rings", day - 60), ("5-1.rings.1.damaged", 2 * day), (".x.tmp", 2 * day)
    ):  # fmt: skip
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age_s, time.time() - age_s))
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: ["gone.rings", *listdir(path)])

    limiter.acquire([USER])

    monkeypatch.undo()
    FileLimiter(str(folder))
    left = tables(tmp_path)
    assert left == sorted([table_of(tmp_path).name, "6-0000.rings", "5-1.rings.1.damaged", *_sevens(folder)])


def test_a_table_that_is_a_day_old_stays(tmp_path: Path, limiter: FileLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is older goes."""
    path = tmp_path / "limits" / "5-0000.rings"
    path.write_bytes(b"x")
    os.utime(path, (1000, 1000))
    monkeypatch.setattr(time, "time", lambda: 1000.0 + 86400)

    limiter.acquire([USER])

    assert path.exists()


def test_a_table_that_could_not_take_its_name_is_temporary(
    tmp_path: Path, limiter: FileLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of a failure is swept like what a killed writer leaves, and the next call works."""

    def fail(*arguments, **options):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(StoreUnavailable):
        limiter.acquire([FIVE])
    monkeypatch.undo()

    assert [name for name in tables(tmp_path) if not is_temporary(name)] == []
    assert limiter.acquire([FIVE]) == Admitted(4, 60.0)


def test_damage_of_one_table_closes_one_that_is_not_there_yet(tmp_path: Path, limiter: FileLimiter) -> None:
    """A call that would have made a second table finds it closed, too."""
    limiter.acquire([FIVE])
    table_of(tmp_path).write_bytes(b"")

    assert limiter.acquire([FIVE, USER]) == Refused(FIVE, 60.0, is_closed=True)
    assert limiter.check([USER]) == Refused(USER, 60.0, is_closed=True)


def _sevens(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("7-*.rings")]


def test_a_fuller_table_is_written_anew_for_all(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """At three quarters a table makes room; a process that has the old one mapped goes on with the new one."""
    other = FileLimiter(str(tmp_path / "limits"), clock.boot)
    for number in range(48):
        limiter.acquire([Charge(f"key {number}", Window(5, 60))])
    before = table_of(tmp_path).stat()
    assert other.acquire([FIVE]) == Admitted(4, 60.0)
    after = table_of(tmp_path).stat()

    assert before.st_size == 56 + 64 * 72
    assert after.st_ino != before.st_ino
    assert after.st_size == 56 + (2 * 48 + 2) * 72
    assert limiter.acquire([FIVE]) == Admitted(3, 60.0)
    assert limiter.acquire([Charge("key 7", Window(5, 60))]) == Admitted(3, 60.0)


def test_pruning_gives_back_what_no_longer_counts(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """Each table of this boot shrinks to what is live; other files are left alone, and nothing is forgotten."""
    for number in range(200):
        limiter.acquire([Charge(f"key {number}", Window(5, 60)), Charge(f"key {number}", Window(7, 60))])
    clock.pass_time(60)
    limiter.acquire([FIVE])
    (tmp_path / "limits" / "notes.txt").write_bytes(b"x")

    limiter.prune()

    assert table_of(tmp_path).stat().st_size == 56 + 64 * 72
    assert [path.stat().st_size for path in (tmp_path / "limits").glob("7-*.rings")] == [56 + 64 * 88]
    assert limiter.acquire([FIVE]) == Admitted(3, 60.0)


def test_a_table_stays_closed_when_it_is_written_anew(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """Making room opens nothing before its time."""
    limiter.acquire([FIVE])
    table_of(tmp_path).write_bytes(b"")
    limiter.check([FIVE])

    limiter.prune()

    assert limiter.acquire([FIVE]) == Refused(FIVE, 60.0, is_closed=True)


def test_a_table_that_was_cut_is_not_touched(tmp_path: Path, limiter: FileLimiter) -> None:
    """A map of a file that is shorter now would end the process; its size is looked at first."""
    limiter.acquire([FIVE])
    os.truncate(table_of(tmp_path), 100)

    verdict = limiter.acquire([FIVE])

    assert isinstance(verdict, Refused)
    assert verdict.is_closed


def test_a_limiter_leaks_no_descriptor(limiter: FileLimiter, clock: FakeClock) -> None:
    """However many tables it opens and writes anew, only the lock stays open."""
    limiter.acquire([FIVE])
    before = open_descriptors()
    for number in range(100):
        limiter.acquire([Charge(f"key {number}", Window(5, 60)), USER])
        clock.pass_time(61)
    limiter.prune()

    assert len(open_descriptors()) <= len(before) + 2  # an old map keeps its own


def test_after_a_boot_each_window_waits_for_its_own_span(limiter: FileLimiter, clock: FakeClock) -> None:
    """Windows of one limit share a table; the long one stays closed after the short one was asked for."""
    hourly, minutely = Charge("a", Window(5, 3600)), Charge("b", Window(5, 60))
    clock.reading = Reading("boot 1", 5000.0)
    assert all(isinstance(limiter.acquire([hourly]), Admitted) for _ in range(5))

    clock.reading = Reading("boot 2", 70.0)

    assert isinstance(limiter.acquire([minutely]), Admitted)
    assert limiter.acquire([hourly]) == Refused(hourly, 3530.0, is_closed=True)


def test_pruning_passes_over_what_is_no_table_of_ours(limiter: FileLimiter, tmp_path: Path) -> None:
    """Files of other names, and a table that makes no sense, are left to those they concern."""
    limiter.acquire([FIVE])
    epoch = table_of(tmp_path).name.partition("-")[2]
    for name in (f"x-{epoch}", f"7-{epoch}"):
        (tmp_path / "limits" / name).write_bytes(b"junk")
        (tmp_path / "limits" / name).chmod(0o600)

    limiter.prune()

    assert isinstance(limiter.check([FIVE]), Admitted)


def test_pruning_tells_what_the_system_refuses(limiter: FileLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error of ours, and the lock is free again."""

    def fail(path: str) -> list[str]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "listdir", fail)
    with pytest.raises(StoreUnavailable):
        limiter.prune()
    monkeypatch.undo()

    assert isinstance(limiter.acquire([FIVE]), Admitted)
