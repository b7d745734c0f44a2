"""Which windows a call counts against, and what a refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from jido_jupyter.core.window import Admitted, Refused, Window
from jido_jupyter.errors import RateLimited
from jido_jupyter.services.limits import Limits
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.testing.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limits(tmp_path: Path, clock: FakeClock) -> Limits:
    others = {"export": Window(4, 10.0)}
    return Limits(FileLimiter(str(tmp_path), clock.boot), Window(2, 60.0), Window(3, 30.0), others)


def test_a_session_and_its_user_are_counted(limits: Limits) -> None:
    """One session fills its own window; another one still gets in, until the user's is full."""
    assert limits.acquire("resume", "one") == Admitted(1, 60.0)
    assert limits.acquire("resume", "one") == Admitted(0, 60.0)
    with pytest.raises(RateLimited) as of_session:
        limits.acquire("resume", "one")
    assert limits.acquire("resume", "two") == Admitted(0, 30.0)
    with pytest.raises(RateLimited) as of_user:
        limits.acquire("resume", "three")

    assert (of_session.value.limit, of_session.value.window_s, of_session.value.retry_after_s) == (2, 60.0, 60)
    assert (of_user.value.limit, of_user.value.window_s, of_user.value.retry_after_s) == (3, 30.0, 30)
    assert of_user.value.operation == "resume"


def test_a_call_without_a_session_counts_for_the_user(limits: Limits) -> None:
    """A target that named none is limited all the same; operations are counted apart."""
    for left in (2, 1, 0):
        assert limits.acquire("resume") == Admitted(left, 30.0)
    with pytest.raises(RateLimited):
        limits.acquire("resume")

    assert limits.acquire("export") == Admitted(3, 10.0)


def test_each_operation_has_its_window(limits: Limits) -> None:
    """Over all sessions by its name; of one session it is that of resumes. Without others there are resumes alone."""
    assert limits.windows == {"resume": Window(3, 30.0), "export": Window(4, 10.0)}
    assert limits.window("resume") == Window(3, 30.0)
    assert limits.window("export") == Window(4, 10.0)
    assert limits.window("resume", "one") == Window(2, 60.0)
    assert Limits(limits._limiter, Window(2, 60.0), Window(3, 30.0)).windows == {"resume": Window(3, 30.0)}


def test_looking_counts_nothing(limits: Limits) -> None:
    """A check says what a call would meet, refusals too, for a session and for the user alone."""
    for _ in range(5):
        assert limits.check("resume", "one") == Admitted(2, 60.0)
        assert limits.check("resume") == Admitted(3, 30.0)
    limits.acquire("resume", "one")
    limits.acquire("resume", "one")

    assert isinstance(limits.check("resume", "one"), Refused)
    assert limits.check("resume", "two") == Admitted(1, 30.0)


def test_a_wait_is_told_in_whole_seconds(limits: Limits, clock: FakeClock) -> None:
    """Rounded up, so that whoever waits as told gets in."""
    for _ in range(3):
        limits.acquire("resume")
    clock.pass_time(0.5)

    with pytest.raises(RateLimited) as refusal:
        limits.acquire("resume")

    assert refusal.value.retry_after_s == 30
    clock.pass_time(30)
    limits.acquire("resume")


def test_counters_that_cannot_be_read_are_told(limits: Limits, tmp_path: Path) -> None:
    """It is not the user's calls that closed the door, and the message says so."""
    limits.acquire("resume")
    [path] = tmp_path.glob("3-*.rings")
    path.write_bytes(b"")

    with pytest.raises(RateLimited, match="could not be read"):
        limits.acquire("resume")


def test_another_operation_has_its_own_window(tmp_path: Path, clock: FakeClock) -> None:
    """It is counted over all sessions, and apart from resumes."""
    limits = Limits(
        FileLimiter(str(tmp_path), clock.boot), Window(2, 60.0), Window(3, 30.0), {"import": Window(1, 60.0)}
    )

    limits.acquire("import")
    with pytest.raises(RateLimited) as refusal:
        limits.acquire("import")

    assert (refusal.value.operation, refusal.value.limit) == ("import", 1)
    assert limits.check("resume") == Admitted(3, 30.0)
    assert set(limits.windows) == {"resume", "import"}
    assert limits.window("resume", "one") == Window(2, 60.0)
