"""Power cuts on real file systems: what the store acknowledged is on the disk afterwards.

A writer works on a mounted image and tells, over a pipe, what it begins and what was acknowledged. At a random moment the
file system loses its power, is mounted again, and is compared with what had been told before the cut. Before most cuts
the kernel is made to write something early, as it may at any time: a bystander's fsync commits the journal and so brings
out names whose bytes never reached the disk; the last page of a session written before the others leaves a hole.

The broken twin is the same store without fsync and fdatasync.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Record
from jido_jupyter.errors import JidoError
from jido_jupyter.store import keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import all_summaries
from tests.reliability import workload
from tests.reliability.machine.images import Image, why_not, workplace
from tests.reliability.report import Probe, Scale, Tally, judged, not_run

NAME: Final = "power cuts survived"
ROW: Final = "R2"
SMOKE: Final = {("ext4", ""): 6, ("ext4", "noauto_da_alloc"): 5, ("xfs", ""): 5, ("btrfs", ""): 4}
FULL: Final = {("ext4", ""): 700, ("ext4", "noauto_da_alloc"): 600, ("xfs", ""): 450, ("btrfs", ""): 250}
CUTS_PER_HOME: Final = 20  # then an empty disk again: keys and folders are made under cuts, too
SESSIONS: Final = 6
PAGE: Final = 4096  # bytes
PLACES: Final = {"create": "sessions", "trash": "trash", "restore": "sessions", "purge": ""}  # where it is afterwards
AT: Final = "2026-11-22T09:00:00.000Z"

_LIBC: Final = ctypes.CDLL(None)

# ["begin" or "done", operation, session id, records so far, durable]; ["done", "ready", keys, store id];
# ["failed", error, whether it is one of ours]
Event = list[Any]


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    real, twins, refusals = Tally(), {}, {}
    for (file_system, options), cuts in scale.pick(SMOKE, FULL).items():
        label = f"{file_system} {options}".strip()
        if reason := why_not(file_system):
            refusals[label] = reason
            continue
        real.add(_cut_often(label, file_system, options, cuts, rng, is_twin=False))
        if not twins or scale is Scale.FULL:
            twins[f"without fsync, {label}"] = _cut_often(label, file_system, options, 5, rng, is_twin=True)
    if not real.tried:
        return not_run(NAME, seed, "; ".join(sorted(set(refusals.values()))))
    return judged(NAME, seed, real, twins, [f"not run: {label} ({reason})" for label, reason in refusals.items()])


@dataclass
class Known:
    """What a writer was told of one session."""

    made: int = 0  # records handed to the store
    kept: int = 0  # of them acknowledged as durable
    places: set[str] = field(default_factory=lambda: {""})  # where it may be; "" is nowhere


class Disk:
    """The parent's view of one store on an image: what must be there after the next cut."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.identity: tuple[str, str] | None = None  # of keys and of the store, once they were told
        self.known: dict[str, Known] = {}
        self.faults: list[str] = []  # errors with no cut to excuse them

    def open(self) -> tuple[FileStore, tuple[str, str]]:
        found = keys.load_or_create(os.path.join(self.path, "keys"))
        store = FileStore(os.path.join(self.path, "home"), found, 10 * 2**20)
        return store, (_digest(os.path.join(self.path, "keys")), store.id)

    def empty(self) -> None:
        for name in ("keys", "home"):
            shutil.rmtree(os.path.join(self.path, name), ignore_errors=True)
        subprocess.run(["sync", "-f", self.path], check=True)
        self.identity, self.known = None, {}

    def learn(self, events: list[Event], *, before_cut: bool) -> int:
        """Take in what was told; return how many writes were acknowledged."""
        acknowledged = 0
        for phase, operation, *rest in events:
            if phase == "failed":
                if before_cut or not rest[0]:
                    self.faults.append(operation)
                continue
            is_done = phase == "done"
            if is_done and not before_cut:
                continue  # it may have been answered while the power went
            if operation == "ready":
                self.identity = (rest[0], rest[1])
                continue
            session_id, made, durable = rest
            known = self.known.setdefault(session_id, Known())
            known.made = max(known.made, made)
            if operation in PLACES:
                place = PLACES[operation]
                known.places = {place} if is_done else known.places | {place}
            if is_done and durable:
                known.kept = max(known.kept, made)
                acknowledged += 1
        return acknowledged

    def check(self, tally: Tally) -> Iterator[str]:
        """Yield each way in which the disk is not what was acknowledged, and go on from what is there."""
        yield from self.faults
        self.faults = []
        store, identity = self.open()
        if self.identity and identity != self.identity:
            yield f"keys or store.json are others now: {self.identity} became {identity}"
        self.identity = identity
        listed = {summary.id: summary for summary in all_summaries(store)}
        for session_id, known in self.known.items():
            try:
                place = workload.place_of(store, session_id)
                if place not in known.places:
                    yield f"{session_id} is in {place or 'no place'}, not in {sorted(known.places)}"
                if place == "sessions" and (session_id not in listed or listed[session_id].is_damaged):
                    yield f"{session_id} is not listed whole"
                if place == "trash":
                    store.restore(session_id)
                found = yield from self._check_session(store, session_id, known, tally) if place else _nothing()
                if place == "trash":
                    store.trash(session_id)
                known.made = known.kept = found
                known.places = {place}
            except JidoError as error:
                yield f"{session_id}: {error}"
        left = sum(name.endswith(".tmp") for name in os.listdir(os.path.join(self.path, "home", "sessions")))
        tally.count("temporary files left", left)

    def _check_session(self, store: FileStore, session_id: str, known: Known, tally: Tally) -> Iterator[str]:
        stored = store.read(session_id)
        found = len(stored.records)
        if not all(_is_record(record, session_id, n) for n, record in enumerate(stored.records)):
            yield f"{session_id}: its {found} records are not the first that were written"
        if not known.kept <= found <= known.made:
            yield f"{session_id}: {found} records, {known.kept} were acknowledged, {known.made} written"
        kinds = [damage.kind for damage in stored.damage]
        if kinds == ["torn"]:
            tally.count("torn ends mended")
            store.append(session_id, [_record(session_id, found)], stored.revision)
            found += 1
            if store.read(session_id).damage or len(store.read(session_id).records) != found:
                yield f"{session_id}: the torn end was not mended"
        elif kinds:
            yield f"{session_id}: {[damage.message for damage in stored.damage]}"
        return found


def _cut_often(label: str, file_system: str, options: str, cuts: int, rng: random.Random, *, is_twin: bool) -> Tally:
    tally = Tally()
    with workplace() as folder, Image(file_system, folder, options) as image:
        disk = Disk(image.path)
        for number in range(cuts):
            if number % CUTS_PER_HOME == 0:
                disk.empty()
            tally.count(f"acknowledged writes on {label}", _cut_once(image, disk, rng, is_twin=is_twin))
            try:
                problems = list(disk.check(tally))
            except (JidoError, OSError) as error:
                problems = [f"{type(error).__name__}: {error}"]
            tally.check(f"{label}, cut {number}", problems)
            if problems:
                tally.count(f"cuts with violations on {label}")
                disk.empty()  # one fault is counted once
    return tally


def _cut_once(image: Image, disk: Disk, rng: random.Random, *, is_twin: bool) -> int:
    """Let a writer work for a moment and cut the power; return how many writes were acknowledged before."""
    told, tell = os.pipe()
    fcntl.fcntl(tell, fcntl.F_SETPIPE_SZ, 2**20)  # nobody reads while it writes
    writer = os.fork()
    if writer == 0:
        os.close(told)
        _write_until_cut(disk, random.Random(rng.random()), tell, is_twin=is_twin)
    os.close(tell)
    try:
        time.sleep(rng.uniform(0.002, 0.06))
        early = rng.choice(("nothing", "journal", "journal", "page"))
        if early == "page":
            _write_last_page(image.path, rng)
        if early != "nothing":
            _fsync_bystander(image.path)
        if not image.has_shutdown:
            os.kill(writer, signal.SIGSTOP)
            os.waitpid(writer, os.WUNTRACED)
        before = _read_pending(told)
        image.cut()
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
    after = _read_pending(told)
    os.close(told)
    image.start_again()
    acknowledged = disk.learn(_events(before), before_cut=True)
    disk.learn(_events(after), before_cut=False)
    return acknowledged


def _events(told: bytes) -> list[Event]:
    return [json.loads(line) for line in told.splitlines()]  # each was one small write: whole lines only


def _write_until_cut(disk: Disk, rng: random.Random, tell: int, *, is_twin: bool) -> None:
    """Work on the store in this process, which never returns."""
    if is_twin:
        os.fsync = os.fdatasync = lambda _fd: None

    def telling(operation: str, session_id: str, made: int, durable: bool, act: Callable[[], object]) -> None:
        for phase in ("begin", "done"):
            if phase == "done":
                act()
            event = [phase, operation, session_id, made, durable]
            os.write(tell, json.dumps(event).encode() + b"\n")

    try:
        store, identity = disk.open()
        os.write(tell, json.dumps(["done", "ready", *identity]).encode() + b"\n")
        made = {session_id: known.made for session_id, known in disk.known.items() if known.places != {""}}
        trash = {session_id for session_id, known in disk.known.items() if known.places == {"trash"}}
        while True:
            _write_once(store, rng, made, trash, telling)
    except BaseException as error:  # the power is gone, or so it should be
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"while writing: {type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
        os.write(tell, json.dumps(["failed", told, isinstance(error, JidoError)]).encode() + b"\n")
    finally:
        os._exit(0)


def _write_once(
    store: FileStore, rng: random.Random, made: dict[str, int], trash: set[str], telling: Callable[..., None]
) -> None:
    here = sorted(made.keys() - trash)
    choice = rng.random()
    if not here or (choice < 0.05 and len(made) < SESSIONS):
        session_id, count = f"s{rng.getrandbits(48):012x}", rng.randrange(3)
        log = [_record(session_id, n) for n in range(count)]
        telling("create", session_id, count, True, lambda: store.create(records.header(session_id, AT), log))
        made[session_id] = count
    elif choice < 0.09 and len(here) > 1:
        session_id = rng.choice(here)
        telling("trash", session_id, made[session_id], False, lambda: store.trash(session_id))
        trash.add(session_id)
    elif choice < 0.13 and trash:
        session_id = trash.pop()
        telling("restore", session_id, made[session_id], False, lambda: store.restore(session_id))
    elif choice < 0.14 and trash:
        session_id = trash.pop()
        telling("purge", session_id, made.pop(session_id), False, lambda: store.purge(session_id))
    elif choice < 0.17:
        session_id = rng.choice(here)
        log = [_record(session_id, n) for n in range(made[session_id])]
        expected, header = store.revision(session_id), records.header(session_id, AT)
        telling("replace", session_id, len(log), True, lambda: store.replace(session_id, header, log, expected))
    else:
        session_id, durable = rng.choice(here), rng.random() < 0.7
        for _ in range(30 if not durable and rng.random() < 0.2 else 1):  # now and then an answer streams
            count = rng.choice((1, 1, 1, 2))
            log = [_record(session_id, made[session_id] + n, durable=durable) for n in range(count)]
            made[session_id] += len(log)
            telling("append", session_id, made[session_id], durable, _appending(store, session_id, log, durable))


def _appending(store: FileStore, session_id: str, log: Sequence[Record], durable: bool) -> Callable[[], object]:
    expected = store.revision(session_id)
    return lambda: store.append(session_id, log, expected, durable=durable)


def _record(session_id: str, number: int, *, durable: bool = True) -> Record:
    """Return the record that a session has at this place, of 200 bytes or of several pages.

    What need not be durable is a piece of an answer, as the store's contract says.
    """
    text = f"{session_id} {number} " * (400 if (number * 7 + int(session_id[-2:], 16)) % 9 == 0 else 4)
    if not durable:
        return records.partial(f"m{number}", text, AT)
    return records.messages([Message(f"m{number}", "user", (text_part(text),), AT)], AT)


def _is_record(found: Record, session_id: str, number: int) -> bool:
    forms = (_record(session_id, number, durable=durable) for durable in (True, False))
    return {name: value for name, value in found.items() if name != "n"} in forms


def _digest(folder: str) -> str:
    digest = hashlib.sha256()
    with contextlib.suppress(OSError):  # the writer's power may be gone here, too
        for name in sorted(os.listdir(folder)):
            if not name.startswith("."):
                with open(os.path.join(folder, name), "rb") as file:
                    digest.update(name.encode() + file.read())
    return digest.hexdigest()


def _nothing() -> Iterator[str]:
    yield from ()
    return 0


def _fsync_bystander(folder: str) -> None:
    fd = os.open(os.path.join(folder, "bystander"), os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(fd, b"x" * 100)
    os.fsync(fd)
    os.close(fd)


def _write_last_page(folder: str, rng: random.Random) -> None:
    """Write the last page of a session to the disk before those in front of it."""
    with contextlib.suppress(OSError, IndexError):
        sessions = os.path.join(folder, "home", "sessions")
        fd = os.open(os.path.join(sessions, rng.choice(sorted(os.listdir(sessions)))), os.O_RDWR)
        try:
            start = max(0, os.fstat(fd).st_size - 1) // PAGE * PAGE
            _LIBC.sync_file_range(fd, ctypes.c_int64(start), ctypes.c_int64(PAGE), 7)  # write, and wait for it
        finally:
            os.close(fd)


def _read_pending(fd: int) -> bytes:
    pieces = []
    while select.select([fd], [], [], 0)[0] and (piece := os.read(fd, 2**20)):
        pieces.append(piece)
    return b"".join(pieces)
