"""Proves that no power cut can lose what was acknowledged as durable: all disk states that a cut may leave are built.

strace records a history of operations; `tests.reliability.disk` derives the states. The store opens each of them: what
was acknowledged as durable is there and in order, nothing is made up, what is missing in the middle is told, and the
next append works.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from jido_jupyter.errors import JidoError, StaleRevision
from jido_jupyter.testing.store_conformance import all_summaries, said
from tests.reliability import children, disk, tracing, twins, workload
from tests.reliability.disk import Mark, Recording
from tests.reliability.history import Step, next_step
from tests.reliability.report import Probe, Scale, Tally, judged, not_run
from tests.reliability.workload import Opener, State

NAME = "crash states"
ROW = "R3"


def run(scale: Scale, seed: int) -> Probe:
    if reason := tracing.why_not():
        return not_run(NAME, seed, reason)
    rng = random.Random(seed)
    wanted, most = scale.pick((900, 6), (22_000, 40))
    real, seen, rounds = Tally(), set[bytes](), 0
    while len(seen) < wanted:
        writers = 1 + rounds % 2
        rounds += 1
        recorded = record(workload.open_store, writers, scale.pick(10, 30), rng)
        for profile in disk.PROFILES:
            real.add(enumerate_states(workload.open_store, *recorded, profile, most, rng, seen, wanted // 3))
    real.count("histories", rounds)
    recorded = record(twins.no_fsync, 1, 8, rng)
    twin = enumerate_states(twins.no_fsync, *recorded, "posix", 6, rng, set(), 200)
    return judged(NAME, seed, real, {"no fsync": twin}, workload.missing())


def record(make: Opener, writers: int, steps: int, rng: random.Random) -> tuple[Recording, list[Step]]:
    """Return the calls of one or two writers, and their steps in the order that they took effect."""
    with workload.folder() as home:
        make(home).create(*_born("both"))
        plans = [_plan(writer, steps // writers, rng) for writer in range(writers)]
        reader = disk.Reader(home)
        log = f"{home}.strace"
        writing = [children.Child(_preparing(make, home, plan)) for plan in plans]
        tracer = tracing.attached(
            writing[0], ["-xx", "-s", "1000000", "-e", f"trace={disk.CALLS}", "-o", log], *writing[1:]
        )
        assert tracer is not None
        for child in writing:
            child.go()
        answers = [child.answer() for child in writing]
        tracer.communicate()
        assert answers == ["done"] * writers, answers
        try:
            with open(log, encoding="ascii") as lines:
                recording = reader.read(lines)
        finally:
            os.unlink(log)
        order = workload.messages(make(home).read("both"))
    by_number = {step.number: step for plan in plans for step in plan}
    return recording, sorted(
        by_number.values(),
        key=lambda step: order.index(f"m{step.number}") if f"m{step.number}" in order else step.number,
    )


def _born(session_id: str) -> tuple[Any, list[Any]]:
    from jido_jupyter.core import records
    from jido_jupyter.testing.store_conformance import AT

    return records.header(session_id, AT), [said(1)]


def _plan(writer: int, steps: int, rng: random.Random) -> list[Step]:
    """Return steps on sessions of the writer's own, and appends to the one that both share."""
    own = (f"w{writer}a", f"w{writer}b")
    state: State = {}
    plan = []
    for number in range(1000 * (writer + 1), 1000 * (writer + 1) + steps):
        shares = rng.random() < 0.3
        step = (
            Step("append", "both", number)
            if shares
            else next_step(
                state, own, number, rng, replaces=any(one.name == "replace" for one in workload.operations())
            )
        )
        state = state if shares else step.after(state)
        plan.append(step)
    return plan


def _preparing(make: Opener, home: str, plan: list[Step]) -> Callable[[], Callable[[], str]]:
    def prepare() -> Callable[[], str]:
        store = make(home)
        os.dup2(os.open(os.devnull, os.O_WRONLY), disk.MARK_FD)

        def act() -> str:
            for step in plan:
                os.write(disk.MARK_FD, f"begin {step.number}".encode())
                while True:
                    try:
                        step.act(store)
                        break
                    except StaleRevision:
                        time.sleep(0.001)
                os.write(disk.MARK_FD, f"done {step.number}".encode())
            return "done"

        return act

    return prepare


def enumerate_states(
    make: Opener,
    recording: Recording,
    steps: list[Step],
    profile: str,
    most: int,
    rng: random.Random,
    seen: set[bytes],
    wanted: int,
) -> Tally:
    """Check the states of every crash point, up to about ``wanted`` that were not seen before."""
    tally = Tally()
    # No writer is at work, so there is nothing to pause for before a torn log is looked at again.
    with workload.folder() as home, mock.patch("time.sleep"):
        for name in recording.folders:
            os.makedirs(os.path.join(home, name), mode=0o700, exist_ok=True)
        begun, done = {"begin": set[int](), "done": set[int]()}.values()
        before: dict[str, bytes] = {}
        for end, event in enumerate(recording.events):
            if isinstance(event, Mark) and event.text != "synced":
                (begun if event.text.startswith("begin") else done).add(int(event.text.split()[1]))
            tally.count(f"{profile} crash points")
            for tree in disk.states(recording, end, profile, most, rng):
                key = hashlib.blake2b(repr((sorted(tree.items()), sorted(done))).encode(), digest_size=16).digest()
                if key in seen:
                    continue
                seen.add(key)
                before = _put(home, before, tree)
                problems = _judge(make, home, steps, begun, done, rng.random() < 0.2)
                if problems:
                    before = _put(home, {}, {})
                tally.check(f"{profile}, cut after event {end} ({len(done)} acknowledged)", problems)
            before = _put(home, {}, {})
            if tally.tried >= wanted:
                break
    return tally


def _put(home: str, before: dict[str, bytes], tree: dict[str, bytes]) -> dict[str, bytes]:
    """Make the files of ``home`` those of ``tree``, all anew."""
    for folder, _, files in os.walk(home):
        for name in files:
            os.unlink(os.path.join(folder, name))
    for name, data in tree.items():
        fd = os.open(os.path.join(home, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, data)
        os.close(fd)
    return tree


def _judge(make: Opener, home: str, steps: list[Step], begun: set[int], done: set[int], appends: bool) -> list[str]:
    try:
        store = make(home)
        trashed = set(store.trashed())
        stored = {summary.id for summary in all_summaries(store)}
        problems = [f"{session_id} is both stored and trashed" for session_id in trashed & stored]
        for session_id in sorted({step.session_id for step in steps}):
            own = [step for step in steps if step.session_id == session_id]
            problems += _judge_session(store, session_id, own, begun, done, stored, trashed)
            if appends and session_id in stored:
                before = workload.messages(store.read(session_id))
                store.append(session_id, [said(77)], store.revision(session_id))
                if workload.messages(store.read(session_id)) != (*before, "m77"):
                    problems.append(f"the next append to {session_id} is not there")
        return problems
    except (JidoError, OSError) as error:
        return [f"cannot be used: {type(error).__name__} {error}".replace(home, "HOME")]


def _judge_session(
    store: Any, session_id: str, own: list[Step], begun: set[int], done: set[int], stored: set[str], trashed: set[str]
) -> list[str]:
    """Compare one session with its steps; ``own`` are in the order in which they took effect."""
    begun_steps = [step for step in own if step.number in begun]
    durable = [n for n, step in enumerate(begun_steps) if step.number in done and step.doing != "soft"]
    possible = {_place(begun_steps[: n + 1]) for n in range(durable[-1] if durable else 0, len(begun_steps))}
    if not durable and session_id != "both":
        possible.add("")
    if session_id == "both":
        possible.add("stored")
    place = "stored" if session_id in stored else "trash" if session_id in trashed else ""
    if place not in possible:
        return [f"{session_id} is {place or 'not there'}, not {sorted(possible)}"]
    if not place:
        return []
    if place == "trash":
        store.restore(session_id)
    found = store.read(session_id)
    if place == "trash":
        store.trash(session_id)
    written = ["m1"] * (session_id == "both") + [f"m{step.number}" for step in begun_steps if step.adds]
    kept = [n for n in durable if begun_steps[n].adds]
    promised = ["m1"] * (session_id == "both") + [
        f"m{step.number}" for step in begun_steps[: kept[-1] + 1 if kept else 0] if step.adds and step.number in done
    ]
    got = list(workload.messages(found))
    problems = []
    if not _within(promised, got):
        problems.append(f"{session_id} lost {[one for one in promised if one not in got]} of {promised}: {got}")
    if not _within(got, written):
        problems.append(f"{session_id} holds {got}, though only {written} was written")
    if got != written[: len(got)] and workload.is_sound(found):
        problems.append(f"{session_id} has a hole that is not told: {got} of {written}")
    if not workload.is_sound(found) and all(step.doing != "soft" for step in begun_steps):
        problems.append(f"{session_id} has damage {[damage.kind for damage in found.damage]}")
    return problems


def _place(steps: list[Step]) -> str:
    return "trash" if steps[-1].doing == "trash" else "stored"


def _within(part: list[str], whole: list[str]) -> bool:
    """Return whether ``part`` stands in ``whole``, in its order."""
    rest = iter(whole)
    return all(one in rest for one in part)
