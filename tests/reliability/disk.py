"""A disk as a power cut may leave it: a recording of system calls, and every state that the cut may bring out.

Each call becomes small effects on inodes and names. An effect is *certain* once an fsync of its file, or of a folder that
its name is in, has returned; until then it may be on the disk or not, and data may be there in part or as zeros. A
rename is atomic, also between two folders, and certain once either is synced: the file systems that we know log it as one
entry. Making a folder counts as certain at once. After ALICE (Pillai and others, OSDI 2014).
"""

from __future__ import annotations

import itertools
import os
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CALLS = (
    "open,openat,creat,write,pwrite64,writev,pwritev,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,"
    "unlinkat,link,linkat,mkdir,mkdirat,rmdir,truncate,ftruncate,fallocate,close,lseek,dup,dup2,dup3,copy_file_range,sendfile"
)
PROFILES = ("posix", "ordered", "safe")
MARK_FD = 900  # what is written there is a mark in the recording, not data

_LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_PART = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_REST = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")


@dataclass(slots=True)
class Effect:
    """One thing that a call does to the disk."""

    kind: str  # add, move, remove: of names; write, cut: of data
    inode: int
    name: str = ""
    new_name: str = ""
    offset: int = 0
    data: bytes = b""
    covered: int | None = None  # the index of the event that makes it certain

    @property
    def is_name(self) -> bool:
        return self.kind in ("add", "move", "remove")

    @property
    def folders(self) -> set[str]:
        return {os.path.dirname(name) for name in (self.name, self.new_name) if name}


@dataclass(frozen=True, slots=True)
class Mark:
    text: str


Event = Effect | Mark


@dataclass(slots=True)
class Recording:
    folders: list[str]
    start: dict[str, bytes]  # files that were there, and on the disk, before
    events: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    name: str  # "" is the folder that is recorded
    inode: int | None  # None: a folder
    offset: int = 0
    appends: bool = False


class Reader:
    """Turns the lines of ``strace -f -xx`` into a `Recording` of what happens below ``root``."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._ids = itertools.count()
        self._names: dict[str, int] = {}
        self._sizes: dict[int, int] = {}
        self._open: dict[tuple[str, int], _Open] = {}
        self.recording = Recording([], {})
        for folder, _, files in os.walk(root):
            self.recording.folders.append(os.path.relpath(folder, root))
            for file in files:
                path = os.path.join(folder, file)
                with open(path, "rb") as opened:
                    self.recording.start[os.path.relpath(path, root)] = data = opened.read()
                self._names[os.path.relpath(path, root)] = inode = next(self._ids)
                self._sizes[inode] = len(data)

    def read(self, lines: Iterable[str]) -> Recording:
        parts: dict[str, str] = {}
        for line in lines:
            line = line.rstrip("\n")
            if part := _PART.match(line):
                parts[part[1]] = part[2]
                continue
            if rest := _REST.match(line):
                line = f"{rest[1]} {parts.pop(rest[1])}{rest[2]}"
            if (found := _LINE.match(line)) and int(found[4]) >= 0:
                strings = [bytes.fromhex(text.replace("\\x", "")) for text in _STRING.findall(found[3])]
                self._call(found[1], found[2], found[3], strings, int(found[4]))
        return self.recording

    def _call(self, pid: str, call: str, arguments: str, strings: list[bytes], result: int) -> None:
        number = int(found[0]) if (found := re.match(r"\d+", arguments)) else -1
        file = self._open.get((pid, number))
        if call == "write" and number == MARK_FD:
            self.recording.events.append(Mark(strings[0].decode()))
        elif call in ("open", "openat", "creat"):
            self._opened(pid, arguments, strings, result)
        elif call.startswith(("rename", "link", "unlink")):
            self._named(pid, call, arguments, strings)
        elif call.startswith(("mkdir", "rmdir")):
            self.recording.folders += [path] if (path := self._path(pid, arguments, 0, strings[0])) is not None else []
        elif call == "close":
            self._open.pop((pid, number), None)
        elif file is None:
            return
        elif call in ("fsync", "fdatasync"):
            self._synced(file)
        elif file.inode is None:
            return
        elif call in ("write", "writev", "pwrite64"):
            at = int(arguments.rsplit(",", 1)[1]) if call == "pwrite64" else file.offset
            if file.appends:
                at = self._sizes[file.inode]
            self._effect(Effect("write", file.inode, offset=at, data=b"".join(strings)[:result]))
            self._sizes[file.inode] = max(self._sizes[file.inode], at + result)
            file.offset = at + result if call != "pwrite64" else file.offset
        elif call == "ftruncate":
            self._sizes[file.inode] = size = int(arguments.split(",")[1])
            self._effect(Effect("cut", file.inode, offset=size))
        elif call == "lseek":
            file.offset = result
        else:
            raise NotImplementedError(f"{call} is not in the model")  # better loud than wrong

    def _effect(self, effect: Effect) -> None:
        self.recording.events.append(effect)

    def _path(self, pid: str, arguments: str, place: int, string: bytes) -> str | None:
        """Return a name below the root; None for others. ``place`` is the number of the folder's argument."""
        name = string.decode()
        if os.path.isabs(name):
            inside = name == self._root or name.startswith(self._root + "/")
            return os.path.relpath(name, self._root).removeprefix(".") if inside else None
        folder = re.split(", ", arguments)[place]
        at = self._open.get((pid, int(folder))) if folder.isdigit() else None
        return os.path.join(at.name, name) if at is not None and at.inode is None else None

    def _opened(self, pid: str, arguments: str, strings: list[bytes], fd: int) -> None:
        self._open.pop((pid, fd), None)
        if (name := self._path(pid, arguments, 0, strings[0])) is None:
            return
        if "O_DIRECTORY" in arguments:
            self._open[pid, fd] = _Open(name, None)
            return
        if name not in self._names:
            self._names[name] = inode = next(self._ids)
            self._sizes[inode] = 0
            self._effect(Effect("add", inode, name))
        inode = self._names[name]
        if "O_TRUNC" in arguments:
            self._sizes[inode] = 0
            self._effect(Effect("cut", inode))
        self._open[pid, fd] = _Open(name, inode, appends="O_APPEND" in arguments)

    def _named(self, pid: str, call: str, arguments: str, strings: list[bytes]) -> None:
        name = self._path(pid, arguments, 0, strings[0])
        if name is None:
            return
        if call.startswith("unlink"):
            self._effect(Effect("remove", self._names.pop(name), name))
            return
        new = self._path(pid, arguments, 2, strings[1])
        assert new is not None, "a name that leaves the folder"
        if call.startswith("link"):
            self._names[new] = self._names[name]
            self._effect(Effect("add", self._names[new], new))
        else:
            self._names[new] = self._names.pop(name)
            self._effect(Effect("move", self._names[new], name, new))

    def _synced(self, file: _Open) -> None:
        here = len(self.recording.events)
        for effect in self.recording.events:
            if isinstance(effect, Mark) or effect.covered is not None:
                continue
            of_folder = file.inode is None and effect.is_name and file.name in effect.folders
            if of_folder or (file.inode is not None and effect.inode == file.inode and not effect.is_name):
                effect.covered = here
        self.recording.events.append(Mark("synced"))


def states(recording: Recording, end: int, profile: str, most: int, rng: random.Random) -> Iterator[dict[str, bytes]]:
    """Yield what a cut after the event ``end`` may leave, as bytes by name; at most ``most`` states, else at random.

    Profiles: ``posix`` (any subset of what is not certain), ``ordered`` (names reach the disk in order, data may be
    missing), ``safe`` (ordered, and the data of a file is there before its rename is).
    """
    past = [event for event in recording.events[: end + 1] if isinstance(event, Effect)]
    free = [n for n, effect in enumerate(past) if effect.covered is None or effect.covered > end]
    names = [n for n in free if past[n].is_name]
    data = [n for n in free if not past[n].is_name]
    if profile == "posix":
        subsets = [
            frozenset(one)
            for size in range(len(names) + 1)
            for one in itertools.islice(itertools.combinations(names, size), 64)
        ]
    else:
        subsets = [frozenset(names[:size]) for size in range(len(names) + 1)]
    for number in range(most):
        chosen = subsets[number % len(subsets)] if number < 4 * len(subsets) else rng.choice(subsets)
        moved = {past[n].inode for n in chosen if past[n].kind == "move"}
        parts = {n: _part(past[n], profile, moved, number, rng) for n in data}
        yield _built(recording, past, chosen, names, parts)
        if not free or (not data and number >= len(subsets)):
            return


def _part(effect: Effect, profile: str, moved: set[int], number: int, rng: random.Random) -> tuple[str, int]:
    """Return how much of an effect on data is on the disk: ``full``, ``none``, ``cut`` or ``zeros`` from a byte on."""
    if profile == "safe" and effect.inode in moved:
        return "full", 0
    kinds = ("full", "none") if effect.kind == "cut" else ("full", "none", "cut", "zeros")
    kind = kinds[number % len(kinds)] if number < 4 else rng.choice(kinds)
    return kind, rng.randrange(len(effect.data) or 1)


def _built(
    recording: Recording,
    past: list[Effect],
    chosen: frozenset[int],
    names: list[int],
    parts: dict[int, tuple[str, int]],
) -> dict[str, bytes]:
    tree = {name: number for number, name in enumerate(recording.start)}
    content = {number: bytearray(data) for number, data in enumerate(recording.start.values())}
    open_names = set(names)
    for n, effect in enumerate(past):
        if effect.is_name:
            if n in open_names and n not in chosen:
                continue
            if effect.kind in ("move", "remove"):
                tree.pop(effect.name, None)
            if effect.kind in ("move", "add"):
                tree[effect.new_name or effect.name] = effect.inode
            continue
        kind, position = parts.get(n, ("full", 0))
        held = content.setdefault(effect.inode, bytearray())
        if kind == "none":
            continue
        if effect.kind == "cut":
            del held[effect.offset :]
            held.extend(bytes(effect.offset - len(held)))
            continue
        written = effect.data
        if kind == "cut":
            written = written[:position]
        elif kind == "zeros":
            written = written[:position] + bytes(len(written) - position)
        held.extend(bytes(max(0, effect.offset - len(held))))
        held[effect.offset : effect.offset + len(written)] = written
    return {name: bytes(content.get(inode, b"")) for name, inode in tree.items()}
