"""A figure of the table, and the judgement on it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from bench.targets import TARGETS


@dataclass(frozen=True, slots=True)
class Row:
    section: str
    name: str
    value: float
    unit: str
    floor: float | None  # in the same unit
    ratio: float | None  # value / floor
    target: str | None
    holds: bool | None  # None: nothing was promised
    note: str = ""

    def to_wire(self) -> dict[str, Any]:
        names = ("name", "value", "unit", "floor", "ratio", "target", "holds")
        return {name: _rounded(getattr(self, name)) for name in names}


def judged(
    section: str, name: str, value: float, unit: str, target: str | None, floor: float | None = None, note: str = ""
) -> Row:
    """Return a row with its ratio and whether the target of that name is reached."""
    ratio = None if not floor else value / floor
    if target is None or target not in TARGETS:  # a quick run has sizes that nobody set a target for
        return Row(section, name, value, unit, floor, ratio, None, None, note)
    bound = TARGETS[target]
    return Row(section, name, value, unit, floor, ratio, bound.told(unit), bound.holds(value, ratio), note)


def compared(
    section: str, what: str, found: Mapping[str, float], unit: str, same: Set[str], *, is_more_better: bool = False
) -> list[Row]:
    """Return a row for each peer, its ratio to ours, judged where it promises the same: ours is to be ahead.

    Args:
        found: figures by name, ours first.
        same: names of those that promise what we promise.
    """
    (ours, value), *peers = found.items()
    rows = [Row(section, f"{what}: {ours}", value, unit, None, None, None, None)]
    for name, theirs in peers:
        is_ahead = value > theirs if is_more_better else value < theirs
        target, holds = ("ours is ahead", is_ahead) if name in same else (None, None)
        rows.append(Row(section, f"{what}: {name}", theirs, unit, value, theirs / value, target, holds))
    return rows


def _rounded(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) else value
