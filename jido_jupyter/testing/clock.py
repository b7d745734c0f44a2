"""Clocks that a test sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jido_jupyter.store.clock import Reading


class FakeClock:
    """A wall clock, and the time since boot, that stand still until they are moved."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
        self.reading = Reading("boot 1", 1000.0)

    def now(self) -> datetime:
        return self.instant

    def boot(self) -> Reading:
        return self.reading

    def pass_time(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
        self.reading = Reading(self.reading.epoch, self.reading.seconds + seconds)
