"""The file limiter: exact over all processes, whatever clocks do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jido_jupyter.core.window import Admitted, Charge, Refused, Window
from jido_jupyter.store.clock import Reading
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.testing.clock import FakeClock

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
