"""Proves that running out of memory at any allocation, or Ctrl-C at any line, harms no session and leaks no descriptor.

Each point is tried in a forked child. SIGINT comes at every line of the store's own modules, clean-up code included.
Where an allocation fails inside orjson the process dies (its own fault, seen with orjson alone): then the law is that of
a process that was killed.
"""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jido_jupyter
from tests.reliability import children, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener, Operation

NAME = "memory and interrupts"
ROW = "R6"

PACKAGE = str(Path(jido_jupyter.__file__).parent)
WATCHED = (PACKAGE, twins.__file__)
QUIET = 40  # allocations in a row that no longer fail anything: the operation is over
DEATHS = (-signal.SIGSEGV, -signal.SIGABRT)
Disturb = Callable[[Any, Operation, int], str]


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    real = interrupted(workload.open_store, workload.operations(), scale.pick(25, 100_000), rng)
    notes = workload.missing()
    if importlib.util.find_spec("_testcapi") is None:
        notes.append("not run: out of memory (this Python has no _testcapi)")
    else:
        real.add(out_of_memory(workload.open_store, workload.operations(), scale.pick(25, 100_000), rng))
    appends = [workload.named("append")]
    twin = interrupted(twins.in_place, appends, 60, rng)
    return judged(NAME, seed, real, {"rewrites in place": twin}, notes)


def interrupted(
    make: Opener, operations: tuple[Operation, ...] | list[Operation], most: int, rng: random.Random
) -> Tally:
    tally = Tally()
    for operation in operations:
        with workload.folder() as place:
            home = os.path.join(place, "home")
            lines = int(_at(make, home, operation, _interrupt, sys.maxsize).split()[1])
            for point in sorted(rng.sample(range(1, lines + 1), min(most, lines))):
                answer = _at(make, home, operation, _interrupt, point)
                _count(tally, home, operation, f"interrupt at line {point}", answer, make)
    return tally


def out_of_memory(
    make: Opener, operations: tuple[Operation, ...] | list[Operation], most: int, rng: random.Random
) -> Tally:
    tally = Tally()
    for operation in operations:
        with workload.folder() as place:
            home = os.path.join(place, "home")
            last = _last_allocation(make, home, operation)
            for point in sorted(rng.sample(range(1, last + 1), min(most, last))):
                answer = _at(make, home, operation, _starve, point)
                _count(tally, home, operation, f"no memory at allocation {point}", answer, make)
    return tally


def _count(tally: Tally, home: str, operation: Operation, what: str, answer: str, make: Opener) -> None:
    outcome, _, leaked, *where = answer.split(" ", 3)
    problems = workload.judge(home, operation, outcome, make, either=outcome not in ("returned", "died"))
    if int(leaked) > 0:
        problems.append(f"{leaked} descriptors leaked")
    tally.check(f"{operation.name}: {what} {' '.join(where)}".rstrip(), problems)
    tally.count(outcome)
    for name in workload.hidden(home):
        tally.count(f"left for the sweeper: {os.path.dirname(name)}/.*.tmp")


def _last_allocation(make: Opener, home: str, operation: Operation) -> int:
    """Return the number of the last allocation whose failure the operation notices, found by doubling and halving."""
    high = 256
    while any(_at(make, home, operation, _starve, high + n).startswith("raised") for n in range(QUIET)):
        high *= 2
    return high


def _at(make: Opener, home: str, operation: Operation, disturb: Disturb, point: int) -> str:
    """Return ``<outcome> <lines run> <descriptors leaked> <where>``."""
    workload.copy_scene(home, operation)

    def act() -> str:
        store = make(home)
        before = children.descriptors()
        answer, _, where = disturb(store, operation, point).partition("|")
        return f"{answer} {children.descriptors() - before} {where}"

    child = children.Child(lambda: act)
    answer = child.answer()
    if answer is None:
        return "killed 0 0" if disturb is _starve and child.ended in DEATHS else f"died 0 0 by {child.ended}"
    return answer


def _outcome(act: Callable[[], object]) -> str:
    try:
        return workload.outcome_of(act).partition(" ")[0]
    except (KeyboardInterrupt, MemoryError):
        return "raised"


def _interrupt(store: Any, operation: Operation, point: int) -> str:
    seen = [0]
    where = []
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def trace(frame: Any, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(WATCHED):
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == point:
                where.append(f"{os.path.relpath(frame.f_code.co_filename, PACKAGE)}:{frame.f_lineno}")
                signal.raise_signal(signal.SIGINT)
        return trace

    sys.settrace(trace)
    try:
        outcome = _outcome(lambda: operation.act(store))
    finally:
        sys.settrace(None)
    return f"{outcome} {seen[0]}|{' '.join(where)}"


def _starve(store: Any, operation: Operation, point: int) -> str:
    import _testcapi

    outcome = "raised"
    _testcapi.set_nomemory(point, point + 1)
    try:
        operation.act(store)
        outcome = "returned"
    except BaseException:
        outcome = "raised"
    finally:
        _testcapi.remove_mem_hooks()
    return f"{outcome} 0"
