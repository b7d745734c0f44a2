"""Proves that the limiter never lets in more than its limit in any window of real time, whatever processes and clocks do.

Sixteen processes ask at once; clocks jump (wall clock, time namespace, another boot); its files are damaged; processes
are killed while they ask. What was let in is timed by the asker with the monotonic clock, before and after: more than
the limit for certain within one window is a violation, and so is nobody being let in when the window has passed.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from jido_jupyter.core.window import Admitted, Charge, Window
from jido_jupyter.store import clock as boot_clock
from jido_jupyter.store.clock import Reading
from jido_jupyter.store.limiter import FileLimiter
from tests.reliability import children, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged

NAME = "limiter"
ROW = "R11"

LIMIT = 5
WINDOW_S = 0.4
SLACK_S = 0.25  # later than this after the window, somebody must get in
CHARGE = Charge("probe/user", Window(LIMIT, WINDOW_S))
LONG_S = 5.0  # s, a window that outlasts the start of another interpreter
LONG = Charge("probe/long", Window(LIMIT, LONG_S))
Asked = tuple[float, float]  # s, monotonic: before and after an admitted call
Maker = Callable[..., Any]  # (folder, clock=...) -> a Limiter


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    rounds = scale.pick(1, 8)
    real = Tally()
    for _ in range(rounds):
        real.add(crowd(FileLimiter, scale.pick(8, 16), scale.pick(1.0, 3.0)))
        real.add(killed(FileLimiter, scale.pick(20, 200), rng))
    real.add(damaged(FileLimiter, scale.pick(4, 60), rng))
    notes = clocks(FileLimiter, real)
    unlocked, wall = crowd(twins.UnlockedLimiter, 8, 0.8), Tally()
    clocks(twins.WallClockLimiter, wall)
    return judged(NAME, seed, real, {"no lock": unlocked, "wall clock": wall}, notes)


def crowd(make: Maker, processes: int, seconds: float) -> Tally:
    """Let many processes ask as fast as they can."""
    tally = Tally()
    with workload.folder() as folder:
        make(folder)
        start = time.monotonic() + 0.1
        asking = [children.Child(lambda: lambda: _ask_until(make(folder), start + seconds)) for _ in range(processes)]
        for child in asking:
            child.go()
        answers = [child.answer() for child in asking]
        if None in answers:
            tally.check("processes", ["one died"])
        admitted = [asked for answer in answers for asked in _times(answer or "")]
        tally.check(f"{processes} processes for {seconds} s", too_many(admitted) + _too_few(admitted, start, seconds))
        tally.count("let in among a crowd", len(admitted))
    return tally


def killed(make: Maker, kills: int, rng: random.Random) -> Tally:
    """Kill processes while they ask; what they got in before counts, and nobody after them is shut out."""
    tally = Tally()
    with workload.folder() as folder:
        admitted: list[Asked] = []
        for _ in range(kills):
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                try:
                    limiter = make(folder)
                    while True:
                        if asked := _ask(limiter):
                            os.write(writer, f"{asked[0]} {asked[1]}\n".encode())
                finally:
                    os._exit(9)
            os.close(writer)
            time.sleep(rng.uniform(0.001, 0.02))
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            with os.fdopen(reader) as pipe:
                admitted += _times(pipe.read())
            tally.check(
                "a killed asker", too_many(admitted) + ([] if os.WIFSIGNALED(status) else ["it ended by itself"])
            )
        tally.check("after the kills", _lets_in_later(make(folder)))
    return tally


def damaged(make: Maker, cases: int, rng: random.Random) -> Tally:
    """Damage the files of a full window: it stays full, and opens when the window has passed."""
    tally = Tally()
    for case in range(cases):
        with workload.folder() as folder:
            limiter = make(folder)
            admitted = _fill(limiter)
            kind = ("zeros", "random", "cut", "empty", "bit")[case % 5]
            for path in Path(folder).rglob("*"):
                if path.is_file() and path.stat().st_size:
                    _damage(path, kind, rng)
            try:
                again = _fill(make(folder)) + _fill(limiter)
                problems = too_many(admitted + again) + _lets_in_later(make(folder))
            except Exception as error:
                problems = [f"{type(error).__name__}: {error}".replace(folder, "FOLDER")]
            tally.check(f"state damaged ({kind})", problems)
    tally.count("damaged states", cases)
    return tally


def clocks(make: Maker, tally: Tally) -> list[str]:
    """Move each clock while the window is full; return what could not be tried here."""
    notes = []
    for name, jump in (("forward", 3600.0), ("back", -3600.0)):
        with workload.folder() as folder:
            admitted = _fill(make(folder))
            moved = children.run(lambda folder=folder, jump=jump: _with_wall_clock(make, folder, jump)) or ""
            problems = too_many([*admitted, *_times(moved)])
            tally.check(f"wall clock an hour {name}", problems + _lets_in_later(make(folder)))
    for name, seconds in (("forward", 100_000), ("back", -60)):
        with workload.folder() as folder:
            admitted = _fill(make(folder), LONG)
            told = _in_time_namespace(make, folder, seconds)
            if told is None:
                notes.append("not run: another time namespace (may not be made here)")
                break
            tally.check(f"time namespace {name} by {seconds} s", too_many([*admitted, *_times(told)], LONG_S))
    if make is FileLimiter:
        for name, reading in (
            ("another boot, a second old", Reading("another boot", 0.1)),
            ("the clock of this boot set back", Reading(boot_clock.read().epoch, 1.0)),
        ):
            with workload.folder() as folder:
                admitted = _fill(make(folder))
                again = _fill(make(folder, lambda reading=reading: reading))
                tally.check(name, too_many(admitted + again))
    return notes


def _ask(limiter: Any, charge: Charge = CHARGE) -> Asked | None:
    before = time.monotonic()
    verdict = limiter.acquire([charge])
    return (before, time.monotonic()) if isinstance(verdict, Admitted) else None


def _fill(limiter: Any, charge: Charge = CHARGE) -> list[Asked]:
    return [asked for _ in range(3 * LIMIT) if (asked := _ask(limiter, charge))]


def _ask_until(limiter: Any, end: float) -> str:
    admitted = []
    while time.monotonic() < end:
        if asked := _ask(limiter):
            admitted.append(asked)
        else:
            time.sleep(0.002)
    return "\n".join(f"{before:.6f} {after:.6f}" for before, after in admitted)


def _times(told: str) -> Iterator[Asked]:
    for line in told.splitlines():
        with contextlib.suppress(ValueError):
            before, after = map(float, line.split())
            yield before, after


def too_many(admitted: Sequence[Asked], window_s: float = WINDOW_S) -> list[str]:
    """Return a problem when more than the limit fell into one window for certain."""
    times = sorted(admitted)
    for n in range(len(times) - LIMIT):
        span = times[n : n + LIMIT + 1]
        if max(after for _, after in span) - span[0][0] < window_s:
            return [f"more than {LIMIT} let in within {window_s} s"]
    return []


def _too_few(admitted: Sequence[Asked], start: float, seconds: float) -> list[str]:
    windows = int(seconds / (WINDOW_S + SLACK_S))
    return [f"only {len(admitted)} let in"] if len(admitted) < LIMIT * windows else []


def _lets_in_later(limiter: Any) -> list[str]:
    deadline = time.monotonic() + WINDOW_S + SLACK_S
    while time.monotonic() < deadline:
        if _ask(limiter):
            return []
        time.sleep(0.01)
    return ["nobody is let in when the window has passed"]


def _damage(path: Path, kind: str, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if kind == "bit":
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    data = {
        "zeros": bytes(len(data)),
        "random": rng.randbytes(len(data)),
        "cut": bytes(data[: len(data) // 2]),
        "empty": b"",
        "bit": bytes(data),
    }[kind]
    with open(path, "r+b") as file:  # in place: another process may have it mapped
        if kind in ("cut", "empty"):
            file.truncate(len(data))
        file.write(data)


def _with_wall_clock(make: Maker, folder: str, jump: float) -> str:
    real = time.time
    with mock.patch("time.time", side_effect=lambda: real() + jump):
        admitted = _fill(make(folder))
    return "\n".join(f"{before} {after}" for before, after in admitted)


def _in_time_namespace(make: Maker, folder: str, seconds: int) -> str | None:
    """Return when calls were let in that a process of another time namespace made; None where there can be none."""
    code = (
        "import sys; from tests.reliability.probes import limits; from tests.reliability import twins; "
        "from jido_jupyter.store.limiter import FileLimiter; "
        f"limiter = {'FileLimiter' if make is FileLimiter else 'twins.WallClockLimiter'}(sys.argv[1]); "
        "print(len(limits._fill(limiter, limits.LONG)))"
    )
    command = ["unshare", "--time", "--fork", "--boottime", str(seconds), "--monotonic", str(seconds)]
    started = time.monotonic()
    try:
        done = subprocess.run(
            [*command, sys.executable, "-c", code, folder], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    # Its own times are of another clock: what it let in happened between its start and its end.
    return "\n".join(f"{started} {time.monotonic()}" for _ in range(int(done.stdout)))
