"""Proves that a second fault while the first is being cleaned up makes nothing worse, nor does a crash during recovery.

The law is that of a single fault. Pairs: a call of the operation fails and then one of the calls that follow from that
fails too, or the process is killed there; and mending a torn log is killed twice in a row.
"""

from __future__ import annotations

import os
import random

from jido_jupyter.testing.store_conformance import said
from tests.reliability import children, shim, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener, Operation

NAME = "double faults"
ROW = "R5"


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    real = fail_twice(workload.open_store, workload.operations(), scale.pick(16, 300), rng)
    real.add(kill_twice(scale.pick(20, 400), rng))
    real.add(fail_after_failed_fsync(scale.pick(15, 200), rng))
    appends = [workload.named("append")]
    twin = fail_twice(twins.lies_about_errors, appends, 400, rng)  # few pairs leave it a second call
    return judged(NAME, seed, real, {"swallows errors": twin}, workload.missing())


def fail_twice(
    make: Opener, operations: tuple[Operation, ...] | list[Operation], most: int, rng: random.Random
) -> Tally:
    tally = Tally()
    with workload.folder() as place:
        home = os.path.join(place, "home")
        for operation in operations:
            calls, _ = _failing(make, home, operation, {})
            for _ in range(most):
                first, error = rng.randrange(len(calls)), rng.choice(shim.FAULTS)
                once, _ = _failing(make, home, operation, {first: error})
                if len(once) <= first + 1:
                    continue
                second = rng.randrange(first + 1, len(once))
                pair = {first: error, second: rng.choice((*shim.FAULTS, shim.KILL))}
                _, answer = _failing(make, home, operation, pair)
                told = " then ".join(f"{once[number]} #{number} {fault}" for number, fault in pair.items())
                outcome, leaked = (answer or "killed 0").rsplit(" ", 1)
                if answer is None and shim.KILL not in pair.values():
                    outcome = "died"
                problems = workload.judge(home, operation, outcome, make)
                if int(leaked):
                    problems.append(f"{leaked} descriptors leaked")
                tally.check(f"{operation.name}: {told}", problems)
                tally.count(outcome.partition(" ")[0])
    return tally


def kill_twice(most: int, rng: random.Random) -> Tally:
    """Kill the mending of a torn log, and the mending of what that left."""
    tally = Tally()
    mend = workload.named("mend")
    with workload.folder() as place:
        home = os.path.join(place, "home")
        calls, _ = _failing(workload.open_store, home, mend, {})
        pairs = [(first, second) for first in range(len(calls)) for second in range(len(calls))]
        for first, second in rng.sample(pairs, min(most, len(pairs))):
            _failing(workload.open_store, home, mend, {first: shim.KILL})
            _failing(workload.open_store, home, mend, {second: shim.KILL}, afresh=False)
            tally.check(f"mend killed at {first}, then at {second}", workload.judge(home, mend, "killed"))
            tally.count("recoveries killed twice")
    return tally


def fail_after_failed_fsync(most: int, rng: random.Random) -> Tally:
    """Let an fsync fail, and then the next append of the same process, which has to write everything again."""
    tally = Tally()
    with workload.folder() as place:
        home = os.path.join(place, "home")
        for _ in range(most):
            workload.copy_scene(home, workload.OPERATIONS[1])
            fault = {rng.randrange(60): rng.choice(shim.FAULTS)}

            def act(fault: dict[int, str] = fault) -> str:
                store = workload.open_store(home)
                with shim.faults({}) as made:
                    store.append("other", [said(8)], store.revision("other"))
                    sync = made.index("fdatasync") if "fdatasync" in made else len(made)
                with shim.faults({sync: shim.BROKEN}):
                    first = workload.outcome_of(lambda: store.append("one", [said(8)], store.revision("one")))
                before = workload.messages(store.read("one"))
                with shim.faults(fault):
                    second = workload.outcome_of(lambda: store.append("one", [said(9)], store.revision("one")))
                return f"{first}|{' '.join(before)}|{second}"

            first, before, second = (children.run(act) or "died||died").split("|")
            found = workload.messages(workload.open_store(home).read("one"))
            old, new = tuple(before.split()), (*before.split(), "m9")
            allowed = {"returned": [new], "refused": [old], "unknown": [old, new]}.get(second, [])
            problems = [] if found in allowed else [f"{second}, but the session holds {found} after {old}"]
            if first == "refused" and "m8" in found:
                problems.append("the first append was refused, but it is there")
            tally.check(f"a failed fsync, then {fault}", problems)
            tally.count("failed fsyncs followed by another fault")
    return tally


def _failing(
    make: Opener, home: str, operation: Operation, schedule: dict[int, str], *, afresh: bool = True
) -> tuple[list[str], str | None]:
    """Return the calls that a process of its own makes under ``schedule``, and ``<outcome> <descriptors leaked>``."""
    if afresh:
        workload.copy_scene(home, operation)

    def act() -> str:
        store = make(home)
        before = children.descriptors()
        with shim.faults(schedule) as made:
            outcome = workload.outcome_of(lambda: operation.act(store))
        return f"{' '.join(made)}|{outcome} {children.descriptors() - before}"

    answer = children.run(act)
    if answer is None:
        return [], None
    made, _, outcome = answer.partition("|")
    return made.split(), outcome
