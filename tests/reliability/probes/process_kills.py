"""Proves that SIGKILL at any moment loses nothing that was acknowledged, and leaves no session half changed.

A forked writer tells each operation on a pipe before it begins and after it returned; the parent kills it at a random
moment and compares the store with what was told: everything acknowledged, and the one in flight whole or not at all.
Then strace kills at every single system call of each operation.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any

from jido_jupyter.errors import JidoError
from jido_jupyter.store import keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import OWNER, created, said
from tests.reliability import tracing, twins, workload
from tests.reliability.history import Step, next_step
from tests.reliability.probes.syscall_errors import preparing
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener, State

NAME = "process kills"
ROW = "R1"

LIFE = 25  # kills that one folder goes through before the next starts afresh, as histories grow
SESSIONS = ("a", "b", "c")


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    real = kill_at_random(workload.open_store, scale.pick(120, 5000), rng)
    twin = kill_at_random(twins.in_place, 40, rng)
    notes = workload.missing()
    if reason := tracing.why_not():
        notes.append(f"not run: kills at each system call ({reason})")
    else:
        real.add(kill_at_each_call(scale.pick(4, 10_000), rng))
        real.add(kill_first_starts(scale.pick(20, 10_000), rng))
    return judged(NAME, seed, real, {"rewrites in place": twin}, notes)


def kill_at_random(make: Opener, kills: int, rng: random.Random) -> Tally:
    tally = Tally()
    for start in range(0, kills, LIFE):
        with workload.folder() as home:
            held: State = {}
            for number in range(start, min(start + LIFE, kills)):
                told, lease_is_free = _one_life(make, home, held, number, rng)
                old, new = _replayed(held, told)
                tally.count("acknowledged", sum(entry[0] == "done" for entry in told))
                held, problems = _compared(make, home, old, new)
                if not lease_is_free:
                    problems.append("the lease outlived its process")
                tally.check(f"kill {number}", problems)
                if problems:
                    break  # what follows in this folder would only tell the same again
            tally.count("temporary files left for the sweeper", len(workload.hidden(home)))
    return tally


def kill_at_each_call(most: int, rng: random.Random) -> Tally:
    """Kill at every call of every operation, or at a random ``most`` of each."""
    tally = Tally()
    with workload.folder() as place:
        home = os.path.join(place, "home")
        for operation in workload.operations():
            workload.copy_scene(home, operation)
            prepare = preparing(workload.open_store, home, operation)
            points = tracing.places(tracing.calls(prepare))
            for call, occurrence in rng.sample(points, min(most, len(points))):
                workload.copy_scene(home, operation)
                answer = tracing.disturbed(prepare, call, occurrence, "signal=KILL")
                outcome = (answer or "killed").partition(" ")[0]  # the call may be one after the operation
                tally.check(
                    f"{operation.name}: killed at {call} #{occurrence}", workload.judge(home, operation, outcome)
                )
                tally.count("kills at system calls")
    return tally


def kill_first_starts(most: int, rng: random.Random) -> Tally:
    """Kill at every call of the very first start, which makes key and store; the next start must just work."""
    tally = Tally()
    with workload.folder() as place:
        home, folder = os.path.join(place, "home"), os.path.join(place, "keys")

        def start() -> str:
            FileStore(home, keys.load_or_create(folder), workload.MAX_BYTES)
            return "started"

        points = tracing.places(tracing.calls(lambda: start))
        for call, occurrence in rng.sample(points, min(most, len(points))):
            for path in (home, folder):
                shutil.rmtree(path, ignore_errors=True)
            tracing.disturbed(lambda: start, call, occurrence, "signal=KILL")
            problems = []
            try:
                store = FileStore(home, keys.load_or_create(folder), workload.MAX_BYTES)
                created(store, "one", said(1))
                if workload.messages(store.read("one")) != ("m1",):
                    problems.append("the first session is not there")
            except (JidoError, OSError) as error:
                problems.append(f"the next start fails: {error}".replace(place, "PLACE"))
            tally.check(f"first start killed at {call} #{occurrence}", problems)
            tally.count("kills of first starts")
    return tally


def _one_life(
    make: Opener, home: str, held: State, number: int, rng: random.Random
) -> tuple[list[tuple[str, str, str, int]], bool]:
    """Let a writer work and kill it; return what it told, and whether its lease is free."""
    reader, writer = os.pipe()
    seed, life_s = rng.random(), rng.uniform(0.001, 0.02)
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            _work(make(home), held, number, random.Random(seed), lambda entry: os.write(writer, entry))
        finally:
            os._exit(9)
    os.close(writer)
    time.sleep(life_s)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reader, "rb") as pipe:
        told = [tuple(json.loads(line)) for line in pipe.read().split(b"\n")[:-1]]
    assert os.WIFSIGNALED(status), f"the writer ended by itself after {told[-1:]}"
    return told, make(home).owner("a") is None if "a" in held else True


def _work(store: Any, held: State, life: int, rng: random.Random, tell: Callable[[bytes], object]) -> None:
    """Change sessions at random, for ever; each step is told before and after."""
    number = life * 100_000
    state = held
    if state.get("a", ("",))[0] == "stored":
        store.lease("a", OWNER)
    while True:
        number += 1
        step = next_step(state, SESSIONS, number, rng, replaces=hasattr(store, "replace"))
        entry = [step.doing, step.session_id, step.number]
        tell(json.dumps(["begin", *entry]).encode() + b"\n")
        step.act(store)
        tell(json.dumps(["done", *entry]).encode() + b"\n")
        state = step.after(state)


def _replayed(held: State, told: list[tuple[str, str, str, int]]) -> tuple[State, State]:
    """Return the state of all that was acknowledged, and the one with what was in flight."""
    old = new = held
    for kind, doing, session_id, number in told:
        new = Step(doing, session_id, number).after(old)
        if kind == "done":
            old = new
    return old, new


def _compared(make: Opener, home: str, old: State, new: State) -> tuple[State, list[str]]:
    """Return the state that a new process finds, and how it differs from both that are right."""
    try:
        store = make(home)
        state, problems = workload.observe(store)
        state = workload.unbinned(store, state)
        if state not in (old, new):
            for session_id in sorted(old.keys() | new.keys() | state.keys()):
                found = state.get(session_id)
                if found not in (old.get(session_id), new.get(session_id)):
                    problems.append(
                        f"{session_id} holds {found}, not {old.get(session_id)} or {new.get(session_id)}"[:300]
                    )
            problems.append("neither the old nor the new state")
        return state, problems
    except (JidoError, OSError) as error:
        return {}, [f"cannot be opened: {error}"]
