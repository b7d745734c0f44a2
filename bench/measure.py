"""How a time is taken: floor and subjects side by side in the same rounds, medians, other work noticed.

Absolute times of a durable write belong to a disk, ratios to a program: so a figure is compared with a floor that was taken
in the same rounds. Before each durable sample the disk is brought to rest untimed, or one subject would pay for what the one
before it left dirty. Rounds in which something else was using the machine are dropped where enough quiet ones remain.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

QUIET: Final = 0.25  # of one core; what others may use in a quiet round
_SPAN_S: Final = 0.25  # s; over less than that the system's counters are too coarse
_ENOUGH: Final = 5  # quiet samples; with fewer, all count

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """Something to be timed."""

    name: str
    prepare: Callable[[], Work]  # untimed, before each sample; returns what is timed
    calls: int = 1  # that the timed work makes


@dataclass(frozen=True, slots=True)
class Timing:
    """The samples of one case [s per call]."""

    samples: tuple[float, ...]
    quiet_share: float  # of the rounds

    @property
    def median(self) -> float:
        return statistics.median(self.samples)


def interleave(
    cases: Sequence[Case], rounds: int, *, is_durable: bool = False, budget_s: float = 20.0
) -> dict[str, Timing]:
    """Time each case once a round, each round in another order.

    Args:
        is_durable: the work reaches the disk; bring it to rest before each sample.
        budget_s: of the timed work of one case [s]; a slow case ends with fewer rounds, at least three.
    """
    taken: dict[str, list[tuple[float, int]]] = {case.name: [] for case in cases}
    others = _Others()
    gc.collect()
    gc.freeze()  # what the imports left is no part of anybody's collection
    for number in range(rounds):
        for case in (*cases[number % len(cases) :], *cases[: number % len(cases)]):
            so_far = taken[case.name]
            if number >= 3 and sum(seconds for seconds, _ in so_far) * case.calls > budget_s:
                continue
            work = case.prepare()
            if is_durable:
                os.sync()
            started = time.perf_counter()
            result = work()
            seconds = time.perf_counter() - started
            del result  # giving the memory back is nobody's work
            so_far.append((seconds / case.calls, others.span()))
    quiet = others.quiet_spans()
    gc.unfreeze()
    return {name: _timing(samples, quiet) for name, samples in taken.items()}


def once(work: Work) -> float:
    """Return how long a single run takes [s]."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _timing(samples: Sequence[tuple[float, int]], quiet: Sequence[bool]) -> Timing:
    calm = [seconds for seconds, span in samples if quiet[span]]
    kept = calm if len(calm) >= min(_ENOUGH, len(samples)) else [seconds for seconds, _ in samples]
    return Timing(tuple(kept), len(calm) / len(samples))


class _Others:
    """Which spans of time were free of other work."""

    def __init__(self) -> None:
        self._quiet: list[bool] = []
        self._mark = (time.monotonic(), *_busy())

    def span(self) -> int:
        """Return the number of the present span."""
        number = len(self._quiet)
        now, (busy, own) = time.monotonic(), _busy()
        elapsed = now - self._mark[0]
        if elapsed >= _SPAN_S:
            foreign = (busy - self._mark[1]) - (own - self._mark[2])
            self._quiet.append(foreign <= QUIET * elapsed)
            self._mark = (now, busy, own)
        return number

    def quiet_spans(self) -> Sequence[bool]:
        return [*self._quiet, self._quiet[-1] if self._quiet else True]


def _busy() -> tuple[float, float]:
    """Return how long all cores, and this process with its children, have worked [s]."""
    spent = os.times()
    own = spent.user + spent.system + spent.children_user + spent.children_system
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):  # not Linux: every span counts as quiet
        return own, own
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK"), own
