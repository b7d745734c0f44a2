"""Proves that a process that serves a store for long neither grows nor loses anything, whatever goes wrong around it.

A fresh interpreter (`tests.reliability.soaking`) serves mixed traffic under faults. Nothing that was acknowledged is
lost, and memory, descriptors, temporary files, leases, counters and the change file stay bounded: the medians of the
first and the last tenth after a warm-up are compared. The twins keep what they read, keep descriptors, never sweep, or
call saved what was refused.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

from tests.reliability.report import Probe, Scale, Tally, judged, not_run

NAME: Final = "soak"
ROW: Final = "Q3"
ALONE_S: Final = 600.0  # s; at full scale, asked for alone
TWIN_S: Final = 10.0
CAUGHT: Final = {  # twin -> how it is started, and the kind of violation that it must show
    "keeps what it reads": ("leaks", "memory"),
    "keeps descriptors": ("leaks", "descriptors"),
    "never sweeps": ("leaks", "abandoned"),
    "calls saved what was refused": ("lies", "lost"),
}


def run(scale: Scale, seed: int) -> Probe:
    return _soaked(scale.pick(15.0, 60.0), seed)


def run_alone(seed: int) -> Probe:
    """The figure that is published."""
    return _soaked(ALONE_S, seed)


def _soaked(seconds: float, seed: int) -> Probe:
    if not os.path.exists("/proc/self/statm"):
        return not_run(NAME, seed, "needs /proc, to measure memory and descriptors")
    started = {twin: _start(TWIN_S, seed, twin) for twin in ("leaks", "lies")}
    ended = {twin: _end(process) for twin, process in started.items()}
    real, notes, _ = _end(_start(seconds, seed, ""))  # after the twins, which would slow down what is measured
    twins = {name: Tally(1, int(kind in ended[twin][2])) for name, (twin, kind) in CAUGHT.items()}
    return judged(NAME, seed, real, twins, [f"{seconds:.0f} s", *notes])


def _start(seconds: float, seed: int, twin: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.reliability.soaking", str(seconds), str(seed), twin]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _end(process: subprocess.Popen[str]) -> tuple[Tally, list[str], set[str]]:
    """Return what a process found, its notes, and the kinds of its violations."""
    said, complaints = process.communicate()
    if process.returncode:
        tally = Tally()
        tally.check("the process", [f"it ended with {process.returncode}: {complaints[-500:]}"])
        return tally, [], set()
    found = json.loads(said.splitlines()[-1])
    return Tally(**found["tally"]), found["notes"], set(found["kinds"])
