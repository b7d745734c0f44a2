"""Proves that no failing system call makes the store lie: each call of each operation fails with each of its errors.

The caller must be told by an error of ours, and then the old state stands; or the store copes, and then the new one does.
strace makes the calls fail, so what is tested is the product as it is, below Python.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from tests.reliability import children, tracing, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged, not_run
from tests.reliability.workload import Opener, Operation

NAME = "syscall errors"
ROW = "R4"


def run(scale: Scale, seed: int) -> Probe:
    if reason := tracing.why_not():
        return not_run(NAME, seed, reason)
    real = fail_each(workload.open_store, workload.operations(), scale.pick(5, 10_000), random.Random(seed))
    appends = [workload.named("append")]
    twin = fail_each(twins.lies_about_errors, appends, scale.pick(12, 40), random.Random(seed))
    return judged(NAME, seed, real, {"swallows errors": twin}, workload.missing())


def fail_each(
    make: Opener, operations: tuple[Operation, ...] | list[Operation], most: int, rng: random.Random
) -> Tally:
    """Fail every call with every errno, or a random ``most`` of these for each operation."""
    tally = Tally()
    with workload.folder() as place:
        home = os.path.join(place, "home")
        for operation in operations:
            for call, occurrence, error in _points(make, home, operation, most, rng):
                workload.copy_scene(home, operation)
                prepared = preparing(make, home, operation)
                answer = tracing.disturbed(prepared, call, occurrence, f"error={error}") or "died 0"
                outcome, _, leaked = answer.rpartition(" ")
                problems = workload.judge(home, operation, outcome, make)
                if int(leaked) > (call == "close"):  # strace leaves out the call, so that one stays open
                    problems.append(f"{leaked} descriptors leaked")
                tally.check(f"{operation.name}: {call} #{occurrence} {error}", problems)
                tally.count(outcome.split(" ")[0])
                tally.count("temporary files left for the sweeper", len(workload.hidden(home)))
    return tally


def preparing(make: Opener, home: str, operation: Operation) -> Callable[[], Callable[[], str]]:
    """Return what opens the store, and returns what does the operation and answers ``<outcome> <descriptors leaked>``."""

    def prepare() -> Callable[[], str]:
        store = make(home)
        before = children.descriptors()

        def act() -> str:
            outcome = workload.outcome_of(lambda: operation.act(store))
            return f"{outcome} {children.descriptors() - before}"

        return act

    return prepare


def _points(make: Opener, home: str, operation: Operation, most: int, rng: random.Random) -> list[tuple[str, int, str]]:
    workload.copy_scene(home, operation)

    def prepare() -> Callable[[], str]:
        store = make(home)
        return lambda: workload.outcome_of(lambda: operation.act(store))

    points = [
        (call, occurrence, error)
        for call, occurrence in tracing.places(tracing.calls(prepare))
        for error in tracing.ERRORS.get(call, "").split()
    ]
    return rng.sample(points, min(most, len(points)))
