"""Instants as they stand in files: RFC 3339, UTC, milliseconds, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(instant: datetime) -> str:
    """Return an aware ``instant`` as text.

    >>> stamp(datetime(2026, 11, 22, 9, 5, tzinfo=UTC))
    '2026-11-22T09:05:00.000Z'
    """
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_between(earlier: str, later: datetime) -> float | None:
    """Return the age of a stamp [s]; None where it is no stamp of ours."""
    try:
        return (later - datetime.fromisoformat(earlier)).total_seconds()
    except (ValueError, TypeError):
        return None


def age(seconds: float) -> str:
    """Return a span as people say it.

    >>> age(59), age(3 * 3600), age(40 * 86400)
    ('just now', '3 hours ago', '40 days ago')
    """
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
