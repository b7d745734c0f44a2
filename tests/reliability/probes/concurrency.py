"""Proves that processes that add at the same time lose nothing, and that each session's history is one line.

Every append is recorded: what its process expected, what it was given, when it began and ended. Then the recorded
history must be linearizable: the appends form one chain from the first revision to the last, each is in the log once, and
none that ended before another began comes after it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jido_jupyter.core import records
from jido_jupyter.errors import JidoError, StaleRevision, StoreBusy
from jido_jupyter.testing.store_conformance import AT, said
from tests.reliability import twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener

NAME = "concurrency"
ROW = "R10"


@dataclass(frozen=True, slots=True)
class Added:
    """One acknowledged append."""

    session_id: str
    message: str
    expected: str
    given: str
    began: int  # ns, one clock for all processes
    ended: int  # ns


def run(scale: Scale, seed: int) -> Probe:
    processes, adds = scale.pick((8, 25), (32, 200))
    real = Tally()
    for sessions in (1, scale.pick(4, 16)):
        real.add(add_at_once(workload.open_store, processes, adds, sessions, seed))
    losing = add_at_once(twins.no_lock, 8, 40, 1, seed)
    blind = add_at_once(twins.no_revision_check, 8, 25, 1, seed)
    return judged(NAME, seed, real, {"no lock": losing, "no revision check": blind})


def add_at_once(make: Opener, processes: int, adds: int, sessions: int, seed: int) -> Tally:
    """Let ``processes`` append ``adds`` times each, and check what every session became; one case is one append."""
    tally = Tally()
    with workload.folder() as home:
        store = make(home)
        first = {f"s{n}": str(store.create(records.header(f"s{n}", AT), [])) for n in range(sessions)}
        start = time.monotonic_ns() + 300_000_000
        workers = [_started(make, home, number, adds, sessions, start, seed) for number in range(processes)]
        added = [entry for reader, _ in workers for entry in _results(reader)]
        ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for _, pid in workers]
        tally.check("all processes end well", [f"exit codes {ended}"] if any(ended) else [])
        for session_id, revision in first.items():
            own = [entry for entry in added if entry.session_id == session_id]
            _check_history(tally, make(home), session_id, revision, own)
        tally.count(f"appends of {processes} processes to {sessions} session(s)", len(added))
        if len(added) != processes * adds:
            tally.check("appends", [f"{len(added)} of {processes * adds} were acknowledged"])
    return tally


def _started(make: Opener, home: str, worker: int, adds: int, sessions: int, start: int, seed: int) -> tuple[int, int]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return reader, pid
    code = 1
    try:
        rng = random.Random(f"{seed} {worker}")
        store = make(home)
        time.sleep(max(0, (start - time.monotonic_ns()) / 1e9))
        with os.fdopen(writer, "w") as pipe:
            for number in range(adds):
                print(*_add(store, f"s{rng.randrange(sessions)}", worker * 10_000 + number, rng), file=pipe)
        code = 0
    finally:
        os._exit(code)


def _add(store: Any, session_id: str, number: int, rng: random.Random) -> tuple[object, ...]:
    """Add one message as clients do: from the state they see, again after each conflict."""
    pause_s = 0.001
    while True:
        try:
            expected = store.revision(session_id)
            began = time.monotonic_ns()
            given = store.append(session_id, [said(number)], expected)
            return session_id, f"m{number}", expected, given, began, time.monotonic_ns()
        except (StaleRevision, StoreBusy):
            time.sleep(rng.uniform(0, pause_s))
            pause_s = min(pause_s * 2, 0.05)


def _results(reader: int) -> Iterator[Added]:
    with os.fdopen(reader) as pipe:
        for line in pipe:
            *texts, began, ended = line.split()
            yield Added(*texts, int(began), int(ended))


def _check_history(tally: Tally, store: Any, session_id: str, first: str, added: list[Added]) -> None:
    try:
        stored = store.read(session_id)
    except JidoError as error:
        tally.check(session_id, [str(error)])
        return
    place = {message: n for n, message in enumerate(record["messages"][0]["id"] for record in stored.records)}
    if stored.damage or len(stored.records) != len(place):
        tally.check(session_id, [f"damage {[damage.kind for damage in stored.damage]}, or a message that stands twice"])
    chain = sorted(added, key=lambda entry: place.get(entry.message, -1))
    before = first
    for n, entry in enumerate(chain):
        problems = []
        if place.get(entry.message) != n:
            problems.append("acknowledged, and not at its place in the log")
        if entry.expected != before:
            problems.append("it does not follow the append before it")
        before = entry.given
        tally.check(f"{session_id} {entry.message}", problems)
    latest = 0
    for entry in chain:
        if entry.ended < latest:
            tally.check(f"{session_id} {entry.message}", ["it ended before one that comes earlier began"])
        latest = max(latest, entry.began)
    if before != str(stored.revision):
        tally.check(session_id, ["the last append is not the last revision"])
