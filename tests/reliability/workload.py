"""The scene that every process-level probe starts from, what is done to it, and the law that holds afterwards.

Scene: session ``one`` with three messages, a bystander ``other``, ``binned`` in the trash, and ``torn``, whose last write
was cut off by a crash. Operations are written against the `Store` contract only.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jido_jupyter.core import records
from jido_jupyter.core.records import Record
from jido_jupyter.core.session import replay
from jido_jupyter.errors import JidoError, OutcomeUnknown, SessionNotFound
from jido_jupyter.store import codec
from jido_jupyter.store.contract import Revision
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import AT, all_summaries, said

MAX_BYTES = 10 * 2**20
KEYS = codec.Keys([b"k" * 32])
Opener = Callable[[str], Any]  # home -> a Store; Any, as not each store has `replace`
IDS = ("one", "other", "binned", "torn", "fresh")

State = dict[str, tuple[str, ...]]  # by session id: where it is, then the ids of its messages


def open_store(home: str) -> FileStore:
    return FileStore(home, KEYS, MAX_BYTES)


def sealed(log: Sequence[Record], session_id: str, after: Revision | None = None) -> tuple[bytes, Revision]:
    """Return the lines of ``log`` as the store writes them to a session, and the revision that they lead to."""
    return codec.seal(log, after, KEYS.newest.of(session_id))


def header_of(session_id: str) -> Record:
    """Return a header as the store writes it."""
    return {**records.header(session_id, AT), "kid": KEYS.newest.id}


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    session_id: str  # the one session that it may change
    act: Callable[[Any], object]
    needs: str | None = None  # the method of the store without which it cannot run


def _append(session_id: str, *, durable: bool = True) -> Callable[[Any], object]:
    return lambda store: store.append(session_id, [said(9)], store.revision(session_id), durable=durable)


def _replace(store: Any) -> object:
    """Write session ``one`` anew: all its messages, and one more, as a single record."""
    stored = store.read("one")
    kept = [message for record in stored.records for message in record.get("messages", ())]
    merged = {"t": "messages", "at": AT, "messages": [*kept, *said(9)["messages"]]}
    return store.replace("one", records.header("one", AT), [merged], stored.revision)


OPERATIONS = (
    Operation("create", "fresh", lambda store: store.create(records.header("fresh", AT), [said(1), said(2)])),
    Operation("append", "one", _append("one")),
    Operation("append, not durable", "one", _append("one", durable=False)),
    Operation("replace", "one", _replace, needs="replace"),
    Operation("trash", "one", lambda store: store.trash("one")),
    Operation("restore", "binned", lambda store: store.restore("binned")),
    Operation("mend", "torn", _append("torn")),
)


# For probes that ask for them by name.
PURGE = Operation("purge", "binned", lambda store: store.purge("binned"))
QUARANTINE = Operation("quarantine", "one", lambda store: store.quarantine("one"))


def operations() -> tuple[Operation, ...]:
    return tuple(one for one in OPERATIONS if one.needs is None or hasattr(FileStore, one.needs))


def named(name: str) -> Operation:
    return next(one for one in (*OPERATIONS, PURGE, QUARANTINE) if one.name == name)


def place_of(store: FileStore, session_id: str) -> str:
    """Return the folder that a session is in; empty for none."""
    try:
        store.revision(session_id)
    except SessionNotFound:
        return "trash" if session_id in store.trashed() else ""
    return "sessions"


def missing() -> list[str]:
    """Return a note for each operation that this version of the store does not have."""
    return [f"not run: {one.name} (the store has no {one.needs})" for one in OPERATIONS if one not in operations()]


def memory_folder() -> str:
    """Return a folder in memory where there is one: fast, and right wherever a probe does not ask about the disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()


@contextmanager
def folder(below: str | None = None) -> Iterator[str]:
    path = tempfile.mkdtemp(prefix="jido-reliability-", dir=below or memory_folder())
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def set_scene(home: str, make: Opener = open_store) -> None:
    store = make(home)
    for session_id in IDS[:4]:
        revision = store.create(records.header(session_id, AT), [said(1)])
        revision = store.append(session_id, [said(2)], revision)
        store.append(session_id, [said(3)], revision)
    store.trash("binned")
    log = file_of(home, "torn")
    os.truncate(log, os.path.getsize(log) - 40)


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """The scene, made once; removed when the interpreter ends."""
    place = tempfile.TemporaryDirectory(prefix="jido-scene-", dir=memory_folder())
    set_scene(os.path.join(place.name, "home"))
    return place


def copy_scene(home: str, operation: Operation | None = None) -> None:
    """Put a fresh copy of the scene at ``home``, whatever is there.

    With an ``operation`` that is not about session ``torn``, that one is left out: the store looks at a torn log more than
    once, with a pause, in case its writer is just at work.
    """
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(os.path.join(_template().name, "home"), home)
    if operation is not None and operation.session_id != "torn":
        os.unlink(file_of(home, "torn"))


def file_of(home: str, session_id: str, place: str = "sessions") -> str:
    return os.path.join(home, place, f"{session_id}.jsonl")


def is_sound(stored: Any) -> bool:
    """Return whether nothing but a torn end, which is no loss, is told of a log."""
    return all(damage.kind == "torn" for damage in stored.damage)


def messages(stored: Any) -> tuple[str, ...]:
    return tuple(message.id for message in replay(stored.header, stored.records).messages)


def observe(store: Any) -> tuple[State, list[str]]:
    """Return what a store holds, and what is wrong with it; a torn end is told by the store and is not wrong."""
    state: State = dict.fromkeys(store.trashed(), ("trash",))
    problems = []
    for summary in all_summaries(store):
        if summary.id in state:
            problems.append(f"{summary.id} is both stored and trashed")
        if summary.is_damaged:
            problems.append(f"{summary.id} is listed as damaged")
            continue
        stored = store.read(summary.id)
        state[summary.id] = ("stored", *messages(stored))
        if not is_sound(stored):
            problems.append(f"{summary.id} has damage: {[damage.kind for damage in stored.damage]}")
        if summary.message_count != len(messages(stored)):
            problems.append(f"the list shows {summary.message_count} messages of {summary.id}, not {messages(stored)}")
    return state, problems


def unbinned(store: Any, state: State) -> State:
    """Return ``state`` with the messages of trashed sessions, after restoring and trashing each."""
    found = dict(state)
    for session_id, where in state.items():
        if where[0] == "trash":
            store.restore(session_id)
            found[session_id] = ("trash", *messages(store.read(session_id)))
            store.trash(session_id)
    return found


@cache
def states_around(name: str) -> tuple[State, State]:
    """Return the scene's state before and after an operation that nothing disturbs."""
    operation = named(name)
    with folder() as place:
        home = os.path.join(place, "home")
        copy_scene(home, operation)
        store = open_store(home)
        before = unbinned(store, observe(store)[0])
        operation.act(store)
        return before, unbinned(store, observe(store)[0])


def visible(home: str) -> set[str]:
    """Return what lies in the session folders for all to see, besides sessions."""
    return {
        f"{place}/{name}"
        for place in ("sessions", "trash")
        for name in os.listdir(os.path.join(home, place))
        if not name.startswith(".") and name.removesuffix(".jsonl") not in IDS
    }


def hidden(home: str) -> list[str]:
    """Return the temporary files that were left, for a sweeper to remove."""
    return [str(path.relative_to(home)) for path in Path(home).rglob(".*.tmp")]


def outcome_of(act: Callable[[], object]) -> str:
    """Return how a call ended: ``returned``, ``unknown``, ``refused`` (an error of ours) or ``bare <type>``."""
    try:
        act()
    except OutcomeUnknown:
        return "unknown"
    except JidoError:
        return "refused"
    except Exception as error:
        return f"bare {type(error).__name__}: {error}"
    return "returned"


def judge(
    home: str, operation: Operation, outcome: str, make: Opener = open_store, *, either: bool = False
) -> list[str]:
    """Return what breaks the law after an operation that was disturbed.

    The law: all was done or nothing was, the caller knows which (or was told that it is unknown), other sessions are as
    they were, and the next operation works.

    Args:
        outcome: as `outcome_of` says, ``killed`` on purpose, or ``died`` by itself.
        either: the caller cannot know, so that old and new are both fine, as after an interrupt.
    """
    old, new = states_around(operation.name)
    problems = []
    if outcome.startswith(("bare", "died")):
        problems.append(outcome)
    try:
        store = make(home)
        state, problems_seen = observe(store)
        problems += problems_seen
        state = unbinned(store, state)
    except JidoError as error:
        return [*problems, f"cannot be opened afterwards: {error}"]
    allowed = {"returned": [new], "refused": [old]}.get(outcome, [old, new])
    if either:
        allowed = [old, new]
    if state not in allowed:
        for session_id in sorted(state.keys() | old.keys()):
            if session_id != operation.session_id and state.get(session_id) != old.get(session_id):
                problems.append(f"bystander {session_id} is {state.get(session_id)}")
        found = {str(old): "old", str(new): "new"}.get(str(state), str(state.get(operation.session_id)))
        problems.append(f"{operation.name} {outcome}, but the state is {found}")
    problems += [f"left over: {name}" for name in visible(home)]
    return problems + _goes_on(store, state, operation)


def _goes_on(store: Any, state: State, operation: Operation) -> list[str]:
    """Return why the next operation does not work."""
    session_id = operation.session_id
    try:
        if state.get(session_id, ("",))[0] == "stored":
            before = messages(store.read(session_id))
            store.append(session_id, [said(77)], store.revision(session_id))
            if messages(store.read(session_id)) != (*before, "m77"):
                return ["the next append is not there"]
            if store.read(session_id).damage:
                return ["the next append did not mend it"]
        elif state != states_around(operation.name)[1]:
            operation.act(store)
        store.revision("other")
    except (JidoError, OSError, SessionNotFound) as error:
        return [f"the next operation fails: {error}"]
    return []
