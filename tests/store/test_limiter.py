"""The file limiter: exact over all processes, whatever clocks do."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from jido_jupyter.core.window import Admitted, Charge, Refused, Window
from jido_jupyter.store.clock import Reading
from jido_jupyter.store.limiter import STATE, FileLimiter
from jido_jupyter.testing.clock import FakeClock

FIVE = Charge("resume/session/one", Window(5, 60))
USER = Charge("resume/user", Window(7, 60))


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


def test_damaged_state_refuses_for_one_window_and_heals(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """Counters that cannot be read let nobody in that they might have counted."""
    limiter.acquire([FIVE])
    (tmp_path / "limits" / STATE).write_bytes(b"{torn")

    assert isinstance(limiter.acquire([FIVE]), Refused)
    clock.pass_time(60)
    assert isinstance(limiter.acquire([FIVE]), Admitted)
    assert list(tmp_path.glob("limits/*.damaged"))


def test_a_new_boot_does_not_open_the_window(limiter: FileLimiter, clock: FakeClock) -> None:
    """Right after a boot, earlier calls may still count, so the window's length has to pass first."""
    for _ in range(5):
        limiter.acquire([FIVE])
    clock.reading = Reading("boot 2", 20.0)

    assert isinstance(limiter.acquire([FIVE]), Refused)
    clock.pass_time(40)
    assert isinstance(limiter.acquire([FIVE]), Admitted)


def test_forgets_what_no_longer_counts(tmp_path: Path, limiter: FileLimiter, clock: FakeClock) -> None:
    """The state does not grow with the sessions that were ever resumed."""
    for number in range(200):
        limiter.acquire([Charge(f"resume/session/{number}", Window(5, 60))])
        clock.pass_time(30)

    assert len((tmp_path / "limits" / STATE).read_bytes()) < 1000


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
