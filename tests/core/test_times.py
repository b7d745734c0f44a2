"""Stamps and ages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from jido_jupyter.core.times import age, seconds_between, stamp

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_stamp_is_utc_to_the_millisecond() -> None:
    """Whatever the zone of an instant, text order is time order."""
    assert stamp(NOON.astimezone(timezone(timedelta(hours=9)))) == "2026-11-22T12:00:00.000Z"
    assert stamp(NOON + timedelta(microseconds=1999)) == "2026-11-22T12:00:00.001Z"


def test_the_age_of_a_stamp() -> None:
    """In seconds; what is no stamp, or names no zone, has none."""
    assert seconds_between("2026-11-22T11:59:30.500Z", NOON) == 29.5
    assert seconds_between("yesterday", NOON) is None
    assert seconds_between("2026-11-22T11:59:30", NOON) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (59.9, "just now"),
        (60, "1 minute ago"),
        (119, "1 minute ago"),
        (120, "2 minutes ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86399, "23 hours ago"),
        (86400, "1 day ago"),
        (2 * 86400, "2 days ago"),
    ],
)
def test_an_age_as_people_say_it(seconds: float, said: str) -> None:
    """The largest whole unit, in the singular where it is one."""
    assert age(seconds) == said
