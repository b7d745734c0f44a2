"""A clock for the limiter that nobody can set: time since boot, sleep included, with the boot it belongs to."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Final

_OFFSETS: Final = "/proc/self/timens_offsets"
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has none; its MONOTONIC counts sleep


@dataclass(frozen=True, slots=True)
class Reading:
    epoch: str  # readings compare only within one epoch
    seconds: float


def read() -> Reading:
    """Return the time since boot.

    The same moment reads the same in every time namespace of a boot: containers on one host count together.
    """
    epoch, offset_s = _epoch()
    return Reading(epoch, time.clock_gettime(_CLOCK) - offset_s)


@cache  # neither changes while a process lives
def _epoch() -> tuple[str, float]:
    """Return the name of the boot, and how far this time namespace is ahead of it [s]."""
    boot = _text("/proc/sys/kernel/random/boot_id")
    with contextlib.suppress(OSError, ValueError, KeyError):
        own = os.readlink("/proc/self/ns/time")
        if own == os.readlink("/proc/self/ns/time_for_children"):  # otherwise the offsets are not ours yet
            offsets = {name: (seconds, nanos) for name, seconds, nanos in map(str.split, _text(_OFFSETS).splitlines())}
            seconds, nanos = offsets["boottime"]
            return boot, int(seconds) + int(nanos) / 1e9
        return f"{boot} {own}", 0.0
    return boot, 0.0


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
