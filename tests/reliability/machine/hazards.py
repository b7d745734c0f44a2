"""Awkward file systems: lost answers, late errors, stale handles, refused calls, no locks, a server that is gone.

Each operation of the store is tried with each fault at each call that it makes. Three outcomes and no others: it returned
and the new state is there, it raised `OutcomeUnknown`, or it raised another error of ours and the old state stands. What
is read under a fault is right, or an error.

The broken twin says yes whatever was raised.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Record
from jido_jupyter.errors import JidoError, OutcomeUnknown, SessionNotFound
from jido_jupyter.store import keys
from jido_jupyter.store.codec import Keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import all_summaries
from tests.reliability.machine import hazard_mount
from tests.reliability.report import Probe, Scale, Tally, judged, not_run

NAME: Final = "awkward file systems"
ROW: Final = "R9"
ERRORS: Final = ("EIO", "ESTALE", "ENOSPC", "EACCES")
SPECIAL: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "late EIO": {"late": "EIO"},
    "late EDQUOT": {"late": "EDQUOT"},
    "late ENOSPC": {"late": "ENOSPC"},
    "short writes": {"short": 100},
    "slow": {"slow": 2},
    "two hours behind": {"skew": -7200},
    "two hours ahead": {"skew": 7200},
    "removed files stay": {"silly": True},
    "no case": {"nocase": True},
    "no fsync of folders": {"call": "fsyncdir", "error": "EINVAL"},
    "no hard links": {"call": "link", "error": "EPERM"},
    "no modes": {"call": "chmod", "error": "EPERM"},
    "server gone": {"call": "*", "error": "EIO"},
    "not connected": {"call": "*", "error": "ENOTCONN"},
}
# An answer that is lost is asked for again, and what was done stands in its own way.
LOST: Final = {"create": "EEXIST", "link": "EEXIST", "mkdir": "EEXIST", "rename": "ENOENT", "unlink": "ENOENT"}
AT: Final = "2026-11-22T09:00:00.000Z"


def run(scale: Scale, seed: int) -> Probe:
    if reason := _why_not():
        return not_run(NAME, seed, reason)
    rng = random.Random(seed)
    real, twin = Tally(), Tally()
    with _mounted() as place:
        special = [(operation, label) for label in SPECIAL for operation in OPERATIONS]
        for operation, label in scale.pick(rng.sample(special, 60), special):
            _try(place, real, f"{operation}, {label}", operation, SPECIAL[label])
        faults = list(_call_faults())
        for operation, fault in scale.pick(rng.sample(faults, 40), faults):
            _try_each_call(place, real, operation, fault)
        for operation in ("append", "create"):
            for name in ("late EIO", "server gone"):
                _try(place, twin, f"{operation}, {name}", operation, SPECIAL[name], is_twin=True)
    with _mounted("--no-locks") as place:
        for operation in OPERATIONS:
            _try(place, real, f"{operation}, no locks", operation, {})
    return judged(NAME, seed, real, {"says yes to every error": twin})


@dataclass(frozen=True)
class Place:
    mount: str
    backing: str
    control: str

    def set(self, fault: dict[str, Any]) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.control + ".struck")
        with open(self.control + ".new", "w") as file:
            json.dump(fault, file)
        os.utime(self.control + ".new", ns=(0, time.monotonic_ns()))
        os.replace(self.control + ".new", self.control)

    def has_struck(self) -> bool:
        return os.path.exists(self.control + ".struck")


State = dict[str, Any]  # place and texts of each session, by id


def _grown(state: State, text: str) -> State:
    place, texts = state["one"]
    return state | {"one": (place, [*texts, text])}


@dataclass(frozen=True)
class Operation:
    act: Callable[[FileStore], object]
    after: Callable[[State], State] = lambda state: state
    answer: object = None  # what a reader returns


def _append(text: str, **named: bool) -> Operation:
    return Operation(
        lambda store: store.append("one", [_record(text)], store.revision("one"), **named) and None,
        lambda state: _grown(state, text),
    )


OPERATIONS: Final[dict[str, Operation]] = {
    "append": _append("new"),
    "long append": _append("long " * 30_000),
    "append, not durable": _append("new", durable=False),
    "create": Operation(
        lambda store: store.create(records.header("new", AT), [_record("first")]) and None,
        lambda state: state | {"new": ("sessions", ["first"])},
    ),
    "replace": Operation(
        lambda store: (
            store.replace("one", records.header("one", AT), [_record("anew")], store.revision("one")) and None
        ),
        lambda state: state | {"one": ("sessions", ["anew"])},
    ),
    "trash": Operation(lambda store: store.trash("one"), lambda state: state | {"one": ("trash", state["one"][1])}),
    "restore": Operation(
        lambda store: store.restore("gone"), lambda state: state | {"gone": ("sessions", state["gone"][1])}
    ),
    "purge": Operation(
        lambda store: store.purge("gone"), lambda state: {name: state[name] for name in state if name != "gone"}
    ),
    "read": Operation(lambda store: _texts(store, "one"), answer=["first", "second"]),
    "start": Operation(lambda store: _start(os.path.dirname(store.home))),
    "list": Operation(lambda store: sorted(summary.id for summary in all_summaries(store)), answer=["one", "two"]),
}


def _call_faults() -> Iterator[tuple[str, dict[str, Any]]]:
    for operation in OPERATIONS:
        for call in hazard_mount.CALLS:
            for error in ERRORS:
                yield operation, {"call": call, "error": error}
            yield operation, {"call": call, "error": LOST.get(call, "EIO"), "done": True}


def _try_each_call(place: Place, tally: Tally, operation: str, fault: dict[str, Any], limit: int = 12) -> None:
    for nth in range(1, limit + 1):
        lost = ", answer lost" if fault.get("done") else ""
        label = f"{operation}, {fault['error']} from {fault['call']} {nth}{lost}"
        if not _try(place, tally, label, operation, {**fault, "nth": nth}):
            return


def _try(place: Place, tally: Tally, label: str, name: str, fault: dict[str, Any], *, is_twin: bool = False) -> bool:
    """Try one operation under one fault; return whether the fault struck."""
    home = tempfile.mkdtemp(dir=place.backing)
    seen_home = os.path.join(place.mount, os.path.basename(home))
    found = keys.load_or_create(os.path.join(home, "keys"))
    _fill(_opened(home, found))
    before = _state(_opened(home, found))
    store = _opened(seen_home, found)
    operation = OPERATIONS[name]
    place.set(fault)
    try:
        outcome, answer = _outcome(operation, store, is_twin=is_twin)
    finally:
        has_struck = place.has_struck()
        place.set({})
    if fault.get("nth") and not has_struck:
        shutil.rmtree(home)
        return False
    problems = []
    if outcome == "done" and operation.answer is not None and answer != operation.answer:
        problems.append(f"answered {answer}")
    after = operation.after(before)
    allowed = {"done": [after], "unknown": [before, after], "refused": [before], "none of ours": []}[outcome]
    try:
        _start(home)
        state = _state(_opened(home, found))
    except JidoError as error:
        state = {"error": str(error)}
    if state not in allowed:
        problems.append(f"{outcome} ({answer}), and then there was {_brief(state)} after {_brief(before)}")
    tally.count(outcome)
    tally.check(label, problems)
    shutil.rmtree(home)
    return True


def _outcome(operation: Operation, store: FileStore, *, is_twin: bool) -> tuple[str, Any]:
    try:
        return "done", operation.act(store)
    except OutcomeUnknown as error:
        return ("done" if is_twin else "unknown"), error.code
    except JidoError as error:
        return ("done" if is_twin else "refused"), error.code
    except Exception as error:
        return "none of ours", repr(error)


def _opened(home: str, found: Keys) -> FileStore:
    return FileStore(os.path.join(home, "home"), found, 10 * 2**20)


def _start(home: str) -> None:
    """Start where nothing is yet, or what an earlier start has left."""
    _opened(os.path.join(home, "fresh"), keys.load_or_create(os.path.join(home, "fresh", "keys")))


def _fill(store: FileStore) -> None:
    for session_id in ("one", "two", "gone"):
        revision = store.create(records.header(session_id, AT), [_record("first")])
        store.append(session_id, [_record("second")], revision)
    store.trash("gone")


def _state(store: FileStore) -> State:
    state: State = {}
    for session_id in ("one", "two", "gone", "new"):
        try:
            store.revision(session_id)
            state[session_id] = ("sessions", _texts(store, session_id))
        except SessionNotFound:
            if session_id in store.trashed():
                store.restore(session_id)
                state[session_id] = ("trash", _texts(store, session_id))
                store.trash(session_id)
    return state


def _texts(store: FileStore, session_id: str) -> list[str]:
    stored = store.read(session_id)
    told = [] if stored.is_verified else [f"damaged: {damage.message}" for damage in stored.damage]
    return told + [record["messages"][0]["parts"][0]["content"] for record in stored.records]


def _brief(state: State) -> str:
    return ", ".join(f"{name} {str(value)[:60]}" for name, value in state.items())


@contextlib.contextmanager
def _mounted(*flags: str) -> Iterator[Place]:
    work = tempfile.mkdtemp(prefix="jido-hazards-")
    place = Place(*(os.path.join(work, name) for name in ("mount", "backing", "control")))
    os.mkdir(place.mount)
    os.mkdir(place.backing)
    place.set({})
    command = [sys.executable, "-m", hazard_mount.__name__, place.backing, place.mount, place.control, *flags]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not os.path.ismount(place.mount):
            if time.monotonic() > deadline or server.poll() is not None:
                raise RuntimeError("the hazard file system does not start")
            time.sleep(0.02)
        yield place
    finally:
        subprocess.run(["fusermount3", "-u", "-z", place.mount], capture_output=True)
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(work, ignore_errors=True)


def _record(text: str) -> Record:
    return records.messages([Message("m", "user", (text_part(text),), AT)], AT)


def _why_not() -> str | None:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no /dev/fuse"
    if shutil.which("fusermount3") is None:
        return "no fusermount3"
    try:
        import mfusepy  # noqa: F401
    except (ImportError, OSError) as error:
        return f"no mfusepy ({error})"
    return None
