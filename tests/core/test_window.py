"""Sliding windows against the definition: no span of the window's length holds more than the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core.window import Charge, Refused, Window


@given(st.lists(st.floats(0, 50), max_size=60), st.integers(1, 6), st.floats(0.5, 20))
def test_never_more_than_the_limit_in_any_window(times: list[float], limit: int, seconds: float) -> None:
    """Letting in what `wait` lets in, at most ``limit`` calls fall into any half-open span."""
    window = Window(limit, seconds)
    admitted: list[float] = []
    for now in sorted(times):
        if window.wait(admitted, now) <= 0:
            admitted.append(now)

    assert all(sum(start <= call < start + seconds for call in admitted) <= limit for start in admitted)


@given(st.lists(st.floats(0, 50), min_size=1, max_size=30), st.integers(1, 6))
def test_whoever_waits_as_told_gets_in(times: list[float], limit: int) -> None:
    """After the wait that a refusal names, the call is let in."""
    window, calls = Window(limit, 10), sorted(times)
    now = calls[-1]

    if (wait := window.wait(calls, now)) > 0:
        assert window.wait(calls, now + wait) <= 1e-9


@pytest.mark.parametrize(
    ("calls", "now", "recent", "wait"),
    [
        ([], 5.0, [], 0.0),
        ([1.0], 5.0, [1.0], 0.0),
        ([1.0, 2.0], 5.0, [1.0, 2.0], 6.0),
        ([1.0, 2.0], 11.0, [2.0], 0.0),
        ([1.0, 2.0], 10.5, [1.0, 2.0], 0.5),
        ([0.0, 1.0, 2.0, 3.0], 5.0, [0.0, 1.0, 2.0, 3.0], 7.0),
    ],
)
def test_what_counts_and_how_long_to_wait(calls: list[float], now: float, recent: list[float], wait: float) -> None:
    """A call as old as the window no longer counts; the wait is for the one that keeps a new call out."""
    window = Window(2, 10.0)

    assert window.recent(calls, now) == recent
    assert window.wait(calls, now) == wait


def test_a_refusal_is_by_calls_unless_it_says_otherwise() -> None:
    """Only counters that could not be read close a window."""
    assert not Refused(Charge("k", Window(1, 1.0)), 1.0).is_closed
