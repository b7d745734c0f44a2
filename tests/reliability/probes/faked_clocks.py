"""Proves that no clock that can be set opens the limiter: another process, with true clocks, times what is let in.

libfaketime moves the clocks of a process that asks, while it asks: forward, back, to and fro, frozen, a hundred times
too fast and too slow. Two more ways of time are a machine that slept (its boot clock is ahead of the monotonic one, in
a time namespace) and one that was started anew. The twin believes the wall clock.

When even the boot clock is faked, what goes back, stands still or is slow must err on the closed side. Forward is told
only: to a process whose every clock says that an hour has passed, it has.
"""

from __future__ import annotations

import contextlib
import glob
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jido_jupyter.core.window import Admitted
from jido_jupyter.store.clock import Reading
from jido_jupyter.store.limiter import FileLimiter
from tests.reliability import twins, workload
from tests.reliability.probes.limits import CHARGE, LIMIT, SLACK_S, WINDOW_S, too_many
from tests.reliability.report import Probe, Scale, Tally, judged, not_run

NAME: Final = "limiter under faked clocks"
ROW: Final = "R11"
LIMITERS: Final[dict[str, Callable[[str], Any]]] = {"file": FileLimiter, "wall": twins.WallClockLimiter}
LIBRARIES: Final = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/*/lib/faketime/libfaketime.so.1")
TRUE: Final = "+0 x1"  # a rate that is not said again stays
ASLEEP_S: Final = 100_000


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    clocks: tuple[str, ...]  # what libfaketime is told, one after the other
    is_open_side: bool = False  # nothing can be asked of a limiter whose boot clock goes like that


def scenarios(rng: random.Random) -> tuple[Scenario, ...]:
    return (
        Scenario("forward", (TRUE, "+3600 x1", "+7200 x1"), is_open_side=True),
        Scenario("back", (TRUE, "-3600 x1", "-7200 x1")),
        Scenario("to and fro", (TRUE, *(f"{rng.randrange(-9999, 9999):+} x1" for _ in range(20))), is_open_side=True),
        Scenario("frozen", (TRUE, "2020-01-01 00:00:00")),
        Scenario("fast", (TRUE, "+0 x100"), is_open_side=True),
        Scenario("slow", (TRUE, "+0 x0.01")),
    )


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    real, twin, notes = Tally(), Tally(), []
    seconds = scale.pick(0.9, 2.0)
    restarted(real)
    for ahead_s in scale.pick((ASLEEP_S,), (ASLEEP_S, -60)):
        if reason := asleep(real, ahead_s):
            notes.append(f"not run: a machine that slept ({reason})")
            break
    library = next((path for pattern in LIBRARIES for path in glob.glob(pattern)), None)
    if library is None:
        return not_run(NAME, seed, "libfaketime is not installed")
    for fakes_boot in (False, True):
        faked(real, "file", library, scenarios(rng), seconds, fakes_boot=fakes_boot)
    faked(twin, "wall", library, scenarios(rng)[:3], seconds, fakes_boot=False)
    return judged(NAME, seed, real, {"wall clock": twin}, notes)


class Asker:
    """A process that asks a limiter when it is told to. Its clocks may be wrong; ours, before and after, are not."""

    def __init__(self, limiter: str, environ: dict[str, str], command: Sequence[str] = ()) -> None:
        words = [*command, sys.executable, "-m", __name__, limiter]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen(words, **pipes, text=True, env=os.environ | environ)

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, folder: str) -> tuple[float, float] | None:
        """Return when a call was let in, before and after [s, monotonic]; None when it was not.

        Raises:
            BrokenPipeError: there is no process; with what it said.
        """
        before = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{folder}\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if answer not in ("in\n", "out\n"):
            raise BrokenPipeError(answer or self._process.communicate()[1][-300:])
        return (before, time.monotonic()) if answer == "in\n" else None


def faked(
    tally: Tally, limiter: str, library: str, ways: Sequence[Scenario], seconds: float, *, fakes_boot: bool
) -> None:
    """Move the clocks of one asking process through each scenario; another asks now and then with true clocks."""
    with workload.folder() as place:
        spec = Path(place) / "clock"
        spec.write_text(TRUE)
        environ = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(spec),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "0" if fakes_boot else "1",
        }
        with Asker(limiter, environ) as asker:
            asker.ask(os.path.join(place, "warm"))
            for way in ways:
                folder = os.path.join(place, way.name)
                beside = None if fakes_boot else LIMITERS[limiter](folder)  # it would see times of another clock
                admitted, start = [], time.monotonic()
                for number, clock in enumerate(way.clocks):
                    fresh = spec.with_suffix(".new")
                    fresh.write_text(clock)
                    fresh.replace(spec)
                    until = start + seconds * (number + 1) / len(way.clocks)
                    admitted += _asked(asker, beside, folder, until)
                spec.write_text(TRUE)
                _judge(tally, way, admitted, time.monotonic() - start, fakes_boot=fakes_boot)


def _asked(asker: Asker, beside: Any, folder: str, until: float) -> Iterator[tuple[float, float]]:
    while time.monotonic() < until:
        if found := asker.ask(folder):
            yield found
        if beside is not None:
            before = time.monotonic()
            if isinstance(beside.acquire([CHARGE]), Admitted):
                yield before, time.monotonic()
        time.sleep(0.005)


def _judge(
    tally: Tally, way: Scenario, admitted: Sequence[tuple[float, float]], seconds: float, *, fakes_boot: bool
) -> None:
    problems = too_many(admitted)
    if fakes_boot:
        tally.count(f"boot clock {way.name}: let in", len(admitted))
        tally.check(f"boot clock {way.name}", [] if way.is_open_side else problems)
        return
    windows = int(seconds / (WINDOW_S + SLACK_S))
    if len(admitted) < LIMIT * windows:
        problems.append(f"only {len(admitted)} let in during {seconds:.1f} s")
    tally.check(f"wall clock {way.name}", problems)


def asleep(tally: Tally, ahead_s: int) -> str:
    """Ask where the boot clock alone is ahead, as after sleep, and beside it; return why that cannot be had."""
    with workload.folder() as place:
        command = ["unshare", "--time", "--fork", "--boottime", str(ahead_s)]
        try:
            with Asker("file", {}, command) as asker:
                asker.ask(os.path.join(place, "warm"))
                folder = os.path.join(place, "asleep")
                start = time.monotonic()
                admitted = list(_asked(asker, FileLimiter(folder), folder, start + 3 * WINDOW_S))
        except (OSError, BrokenPipeError) as error:
            return str(error).strip().splitlines()[-1] if str(error).strip() else "unshare failed"
    problems = too_many(admitted)
    if len(admitted) < 2 * LIMIT:
        problems.append(f"only {len(admitted)} let in")
    tally.check(f"boot clock alone ahead by {ahead_s} s", problems)
    return ""


def restarted(tally: Tally) -> None:
    """Start the machine anew in the middle of a full window: another boot id, and a boot clock that begins at zero."""
    with workload.folder() as folder:
        started = time.monotonic()
        admitted = []
        for boot, begins_at in (("one boot", 5000.0), ("the next", 0.0)):
            booted = time.monotonic()
            limiter = FileLimiter(
                folder, lambda boot=boot, booted=booted, at=begins_at: Reading(boot, at + time.monotonic() - booted)
            )
            end = booted + (WINDOW_S / 8 if begins_at else 2 * WINDOW_S + SLACK_S)
            while time.monotonic() < end:
                before = time.monotonic()
                if isinstance(limiter.acquire([CHARGE]), Admitted):
                    admitted.append((before, time.monotonic()))
                time.sleep(0.002)
        problems = too_many(admitted)
        if len(admitted) < 2 * LIMIT:
            problems.append(f"only {len(admitted)} let in during {time.monotonic() - started:.1f} s")
        tally.check("started anew", problems)


def _answer_for_ever(limiter: str) -> None:
    time.sleep = lambda seconds: None  # libfaketime 0.9.10 refuses it when it leaves the monotonic clock true
    made: dict[str, Any] = {}
    for line in sys.stdin:
        folder = line.rstrip("\n")
        if folder not in made:
            made[folder] = LIMITERS[limiter](folder)
        print("in" if isinstance(made[folder].acquire([CHARGE]), Admitted) else "out", flush=True)


if __name__ == "__main__":
    _answer_for_ever(sys.argv[1])
