"""A clock for the limiter that nobody can set: time since boot, sleep included, with the boot it belongs to."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    epoch: str  # readings compare only within one epoch
    seconds: float


def read() -> Reading:
    """Return the time since boot.

    The epoch names the boot and the time namespace: in a container with its own time namespace the same moment has
    another reading.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has no BOOTTIME, its MONOTONIC counts sleep
    return Reading(_epoch(), time.clock_gettime(clock))


def _epoch() -> str:
    parts = []
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        parts.append(file.read().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/time"))
    return " ".join(parts)
