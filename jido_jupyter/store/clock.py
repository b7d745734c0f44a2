"""A clock for the limiter that nobody can set: time since boot, sleep included, with the boot it belongs to."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Final

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has none; its MONOTONIC counts sleep


@dataclass(frozen=True, slots=True)
class Reading:
    epoch: str  # readings compare only within one epoch
    seconds: float


def read() -> Reading:
    """Return the time since boot.

    The epoch names the boot and the time namespace: in a container with its own time namespace the same moment has
    another reading.
    """
    return Reading(_epoch(), time.clock_gettime(_CLOCK))


@cache  # neither changes while a process lives
def _epoch() -> str:
    parts = []
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        parts.append(file.read().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/time"))
    return " ".join(parts)
