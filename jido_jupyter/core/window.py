"""Sliding windows: at most so many calls in any span of so many seconds. Pure arithmetic; times are passed in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``limit`` calls in any span of ``seconds``."""

    limit: int  # calls, >= 1
    seconds: float  # s, > 0

    def recent(self, calls: Sequence[float], now: float) -> Sequence[float]:
        """Return the calls that still count at ``now``.

        Args:
            calls: times of the admitted calls [s, monotonic], oldest first.
            now: [s, same clock], >= calls[-1].
        """
        return calls[bisect_right(calls, now - self.seconds) :]

    def wait(self, calls: Sequence[float], now: float) -> float:
        """Return how long a new call has to wait [s]; 0 lets it in.

        Args: as `recent`.
        """
        recent = self.recent(calls, now)
        return 0.0 if len(recent) < self.limit else recent[-self.limit] + self.seconds - now


@dataclass(frozen=True, slots=True)
class Charge:
    """One window that a call counts against."""

    key: str  # what is counted, as in "resume/session/k7m2x9qw"
    window: Window


@dataclass(frozen=True, slots=True)
class Admitted:
    remaining: int  # calls that would still be let in now, by the tightest window
    reset_s: float  # s until the oldest call of that window stops counting


@dataclass(frozen=True, slots=True)
class Refused:
    charge: Charge
    retry_after_s: float  # s, > 0
    is_closed: bool = False  # nobody gets in, because the counters could not be read
