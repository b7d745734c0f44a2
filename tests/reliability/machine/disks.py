"""Disks that fail under a mounted file system, are repaired, and are mounted again.

In a guest the device mapper puts a failing disk under ext4, xfs and btrfs while the store works on it. Whatever the store
acknowledged, before, during or after the failure, is there when the repaired disk is mounted again; what failed was told
with an error of ours; and a session that was not being written to is untouched. Blocks that cannot be read cost the
session that lies on them, and no other.

The broken twin tries a failed fdatasync again, when the disk has come back: the kernel then says yes to bytes that it has
dropped. Source: https://lwn.net/Articles/752063/ (PostgreSQL's fsync surprise).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Record
from jido_jupyter.errors import JidoError, StoreUnavailable
from jido_jupyter.store import keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import all_summaries
from tests.reliability import workload
from tests.reliability.machine import uml
from tests.reliability.report import Probe, Scale, Tally

NAME: Final = "failing disks"
ROW: Final = "R8"
MODULES: Final = ("loop", "dm-mod", "dm-flakey", "dm-dust", "xfs", "btrfs")
MIB: Final = {"ext4": 32, "xfs": 320, "btrfs": 128}
FAILURES: Final = {
    "writes fail": "0 {sectors} flakey /dev/loop0 0 0 1 1 error_writes",
    "nothing works": "0 {sectors} error",
}
AT: Final = "2026-11-22T09:00:00.000Z"


def run(scale: Scale, seed: int) -> Probe:
    return uml.probe(__name__, NAME, ["dmsetup", "losetup", *(f"mkfs.{name}" for name in MIB)], MODULES, scale, seed)


class Disk:
    """One disk with one store on it, mounted; ``table`` says how the disk behaves."""

    def __init__(self, file_system: str) -> None:
        self.file_system = file_system
        self.sectors = MIB[file_system] * 2048
        self.path = "/run/disk"
        self.image = "/run/image"

    def __enter__(self) -> Disk:
        os.makedirs(self.path, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(self.sectors * 512)
        _run("losetup", "/dev/loop0", self.image)
        _run("dmsetup", "create", "--noudevsync", "disk", "--table", self._linear)
        _run("dmsetup", "mknodes")
        _run(f"mkfs.{self.file_system}", "-q", "/dev/mapper/disk")
        self.mount()
        return self

    def __exit__(self, *_: object) -> None:
        for command in (
            ["umount", "-l", self.path],
            ["dmsetup", "remove", "--retry", "--noudevsync", "disk"],
            ["losetup", "-d", "/dev/loop0"],
        ):
            subprocess.run(command, capture_output=True)
        os.unlink(self.image)

    @property
    def _linear(self) -> str:
        return f"0 {self.sectors} linear /dev/loop0 0"

    def mount(self) -> None:
        _run("mount", "/dev/mapper/disk", self.path)

    def unmount(self) -> None:
        _run("umount", self.path)

    def fail(self, table: str) -> None:
        _run("dmsetup", "suspend", "--nolockfs", "--noflush", "--noudevsync", "disk")
        _run("dmsetup", "load", "disk", "--table", table.format(sectors=self.sectors))
        _run("dmsetup", "resume", "--noudevsync", "disk")

    def repair(self) -> None:
        self.fail(self._linear)

    def open(self) -> FileStore:
        return FileStore(f"{self.path}/home", keys.load_or_create(f"{self.path}/keys"), 10 * 2**20)

    def fail_reading(self, text: bytes) -> int:
        """Make the blocks that hold ``text`` unreadable; return how many there are."""
        blocks = set()
        with open(self.image, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            position = -1
            while (position := data.find(text, position + 1)) >= 0:
                blocks.add(position // 512)
        self.fail("0 {sectors} dust /dev/loop0 0 512")
        for block in blocks:
            _run("dmsetup", "message", "disk", "0", "addbadblock", str(block))
        _run("dmsetup", "message", "disk", "0", "enable")
        return len(blocks)


class Writer:
    """Uses a store and remembers what it acknowledged."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self.texts: dict[str, list[str]] = {}  # acknowledged, by session id
        self.left: dict[str, set[str]] = {}  # the places where a session may be
        self.outcomes: list[str] = []
        self.problems: list[str] = []

    def attempt(self, what: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except JidoError as error:
            self.outcomes.append(f"{what}: {error.code}")
        except Exception as error:
            self.problems.append(f"{what} raised {type(error).__name__}, none of ours: {error}")
        else:
            self.outcomes.append(f"{what}: acknowledged")
            return True
        return False

    def create(self, session_id: str) -> None:
        self.left[session_id] = {"", "sessions"}
        self.store.create(records.header(session_id, AT), [_record(f"{session_id} first")])
        self.left[session_id] = {"sessions"}
        self.texts[session_id] = [f"{session_id} first"]

    def append(self, session_id: str, text: str) -> None:
        self.store.append(session_id, [_record(text)], self.store.revision(session_id))
        self.texts[session_id].append(text)

    def trash(self, session_id: str) -> None:
        self.left[session_id] = {"sessions", "trash"}
        self.store.trash(session_id)
        self.left[session_id] = {"trash"}

    def replace(self, session_id: str) -> None:
        log = [_record(text) for text in self.texts[session_id]]
        self.store.replace(session_id, records.header(session_id, AT), log, self.store.revision(session_id))

    def check(self, store: FileStore) -> None:
        """Compare what is there now with what was acknowledged."""
        for session_id, places in self.left.items():
            place = workload.place_of(store, session_id)
            if place not in places:
                self.problems.append(f"{session_id} is in {place or 'no place'}, not in {sorted(places)}")
            if place == "trash":
                store.restore(session_id)
            if not place:
                continue
            stored = store.read(session_id)
            found = [record["messages"][0]["parts"][0]["content"] for record in stored.records]
            acknowledged = self.texts.get(session_id, [])
            if lost := [text.strip() for text in acknowledged if text not in found]:
                self.problems.append(f"{session_id}: acknowledged and gone: {[text[:30] for text in lost]}")
            if not stored.is_verified:
                self.problems.append(f"{session_id}: {[damage.message for damage in stored.damage]}")


OPERATIONS: Final[dict[str, Callable[[Writer], None]]] = {
    "append": lambda writer: writer.append("one", "during"),
    "long append": lambda writer: writer.append("one", "during" + " long" * 4000),
    "create": lambda writer: writer.create("new"),
    "trash": lambda writer: writer.trash("one"),
    "replace": lambda writer: writer.replace("one"),
}


def _fail_while(disk: Disk, failure: str, operation: str, *, then: str) -> Writer:
    """Let the disk fail during an operation, and repair it; ``then`` says how it is worked on before the next mount."""
    writer = Writer(disk.open())
    for session_id in ("one", "two", "three"):
        writer.create(session_id)
        for number in range(5):
            writer.append(session_id, f"{session_id} {number}" + " long" * (number * 100))
    disk.fail(FAILURES[failure])
    writer.attempt(operation, lambda: OPERATIONS[operation](writer))
    writer.attempt("again", lambda: writer.append("two", "again"))
    disk.repair()
    if then == "going on elsewhere":
        with contextlib.suppress(StoreUnavailable):  # some file systems shut down for good
            writer.store = disk.open()  # as another process, which was told nothing of the failure
    if then:
        for session_id in ("one", "two", "three"):
            writer.attempt("afterwards", lambda session_id=session_id: writer.append(session_id, "afterwards"))
    disk.unmount()
    disk.mount()
    store = disk.open()
    writer.store = store
    writer.check(store)
    for session_id in ("one", "two", "three"):  # it can be worked with again
        if workload.place_of(store, session_id) == "sessions":
            writer.append(session_id, "at last")
    writer.check(store)
    return writer


def _unreadable(disk: Disk) -> Writer:
    """Let the blocks of one session be unreadable."""
    writer = Writer(disk.open())
    for session_id in ("one", "two", "three"):
        writer.create(session_id)
        writer.append(session_id, f"mark of {session_id} " * 500)
    disk.unmount()
    blocks = disk.fail_reading(b"mark of two")
    disk.mount()
    writer.store = store = disk.open()
    listed = {summary.id: summary for summary in all_summaries(store)}
    if not blocks or sorted(listed) != ["one", "three", "two"] or not listed["two"].is_damaged:
        writer.problems.append(f"{blocks} unreadable blocks; listed: {listed}")
    if writer.attempt("read", lambda: store.read("two") and None):
        writer.problems.append("a session with unreadable blocks was read")
    for session_id in ("one", "three"):
        writer.append(session_id, "beside it")
    disk.unmount()
    disk.repair()
    disk.mount()
    writer.check(disk.open())
    return writer


@contextlib.contextmanager
def _retrying(disk: Disk) -> Iterator[None]:
    """Try a failed fdatasync again, on a disk that has come back meanwhile."""
    real = os.fdatasync

    def twice(fd: int) -> None:
        try:
            real(fd)
        except OSError:
            disk.repair()
            real(fd)

    os.fdatasync = twice
    try:
        yield
    finally:
        os.fdatasync = real


def in_guest() -> None:
    real = Tally()
    for file_system in MIB:
        for failure in FAILURES:
            for operation in OPERATIONS:
                for then in ("", "going on", "going on elsewhere"):
                    label = ", ".join(filter(None, [file_system, failure, operation, then]))
                    with Disk(file_system) as disk:
                        _judge(real, label, _fail_while, disk, failure, operation, then=then)
        with Disk(file_system) as disk:
            _judge(real, f"{file_system}, unreadable blocks", _unreadable, disk)
    uml.tell("store", real)
    for file_system in MIB:
        twin = Tally()
        with Disk(file_system) as disk, _retrying(disk):
            _judge(twin, "twin", _fail_while, disk, "writes fail", "long append", then="")
        uml.tell(f"retries fdatasync, {file_system}", twin)


def _judge(tally: Tally, label: str, case: Callable[..., Writer], *arguments: Any, **named: Any) -> None:
    try:
        writer = case(*arguments, **named)
    except (JidoError, OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or b""
        tally.check(label, [f"{type(error).__name__}: {error} {said.decode(errors='replace')}"])
        return
    for outcome in writer.outcomes:
        tally.count(outcome)
    tally.check(label, writer.problems)


def _record(text: str) -> Record:
    return records.messages([Message(text[:20].strip().replace(" ", "-"), "user", (text_part(text),), AT)], AT)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__" and sys.argv[1:] == ["all"]:
    in_guest()
