"""Stores and limiters that are broken on purpose, one fault each: a probe counts only if it fails on its twin."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from jido_jupyter.core.records import Record
from jido_jupyter.core.window import Admitted, Charge, Refused
from jido_jupyter.errors import SessionExists, StaleRevision, StoreError
from jido_jupyter.store import catalogue, codec
from jido_jupyter.store import folder as files
from jido_jupyter.store.clock import Reading
from jido_jupyter.store.contract import Revision, Stored
from jido_jupyter.store.file import FileStore
from tests.reliability.workload import KEYS, MAX_BYTES, sealed


@contextlib.contextmanager
def _patched(module: Any, **changes: Any) -> Iterator[None]:
    before = {name: getattr(module, name) for name in changes}
    for name, change in changes.items():
        setattr(module, name, change)
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(module, name, original)


def _nothing(*_: Any) -> None:
    return None


PAUSE_S = 0.001  # what a busy machine adds anyway: so that a fault in the timing shows on any machine


def _slowly(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        time.sleep(PAUSE_S)
        return real(*arguments)

    return call


class _Sabotaged(FileStore):
    """A `FileStore` whose writing operations run with some functions of the system replaced."""

    def _sabotage(self) -> contextlib.AbstractContextManager[object]:
        raise NotImplementedError

    def create(self, *args: Any, **options: Any) -> Revision:
        with self._sabotage():
            return super().create(*args, **options)

    def append(self, *args: Any, **options: Any) -> Revision:
        with self._sabotage():
            return super().append(*args, **options)

    def replace(self, *args: Any, **options: Any) -> Revision:
        with self._sabotage():
            return super().replace(*args, **options)  # type: ignore[misc]

    def trash(self, session_id: str) -> None:
        with self._sabotage():
            super().trash(session_id)

    def restore(self, session_id: str) -> None:
        with self._sabotage():
            super().restore(session_id)


class NoFsync(_Sabotaged):
    """Says saved when the bytes are in the page cache: what most tools do."""

    def _sabotage(self) -> contextlib.AbstractContextManager[object]:
        return _patched(os, fsync=_nothing, fdatasync=_nothing)


class NoLock(_Sabotaged):
    """Compares revisions, but lets others write between the comparison and its own write."""

    def _sabotage(self) -> contextlib.AbstractContextManager[object]:
        both = contextlib.ExitStack()
        both.enter_context(_patched(fcntl, flock=_nothing))
        both.enter_context(_patched(files, write_all=_slowly(files.write_all)))
        return both


class NoRevisionCheck(FileStore):
    """Adds to whatever is there, whatever the caller knows."""

    def append(self, session_id: str, log: Sequence[Record], expected: Revision, **options: Any) -> Revision:
        time.sleep(PAUSE_S)
        while True:
            try:
                return super().append(session_id, log, self.revision(session_id), **options)
            except StaleRevision:  # another writer came between: it does not care either
                continue


class InPlace(FileStore):
    """Rewrites the whole log in place for each append, as an editor does: a crash in between tears it."""

    def append(self, session_id: str, log: Sequence[Record], expected: Revision, **options: Any) -> Revision:
        path = os.path.join(self.home, "sessions", f"{session_id}.jsonl")
        with open(path, "rb") as file:
            data = file.read()
        found = codec.decode(data, session_id, KEYS, path)
        lines, revision = sealed(log, session_id, found.stored.revision)
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
        for line in (data[: found.sound_bytes] + lines).splitlines(keepends=True):
            os.write(fd, line)
            time.sleep(PAUSE_S / 4)
        os.close(fd)
        return revision


class LiesAboutErrors(FileStore):
    """Swallows what the system refuses and answers as if it were saved."""

    def append(self, session_id: str, log: Sequence[Record], expected: Revision, **options: Any) -> Revision:
        try:
            return super().append(session_id, log, expected, **options)
        except StoreError:
            return sealed(log, session_id, expected)[1]

    def create(self, header: Record, log: Sequence[Record]) -> Revision:
        try:
            return super().create(header, log)
        except StoreError:
            return sealed([header, *log], str(header["id"]))[1]


class Leaks(FileStore):
    """Keeps what it reads, and a descriptor now and then."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.kept: list[object] = []
        self.numbers: list[int] = []

    def read(self, session_id: str) -> Stored:
        stored = super().read(session_id)
        self.kept.append((stored, 4 * json.dumps(stored.records)))
        if len(self.kept) % 50 == 0:
            self.numbers.append(os.open(self.home, os.O_RDONLY))
        return stored


@contextlib.contextmanager
def no_sweeping() -> Iterator[None]:
    """Leave the temporary files of killed writers for ever."""
    with _patched(files, sweep=_nothing), _patched(catalogue, ABANDONED_S=float("inf")):
        yield


class AcceptsDamage(FileStore):
    """Reads without looking at the seals."""

    def read(self, session_id: str) -> Stored:
        stored = super().read(session_id)
        return Stored(stored.header, stored.records, stored.revision)


class AcceptsFuture(FileStore):
    """Opens a later format as if it were today's, and writes to it."""

    def read(self, session_id: str) -> Stored:
        path = os.path.join(self.home, "sessions", f"{session_id}.jsonl")
        with open(path, "rb") as file:
            first, _, rest = file.read().partition(b"\n")
        data = first.replace(b'"v":2', b'"v":1') + b"\n" + rest
        with open(path, "wb") as file:
            file.write(data)
        return codec.decode(data, session_id, KEYS, path).stored


class NaivePaths:
    """Joins what it is given to its folder and opens it; masks of modes are the umask's affair."""

    def __init__(self, home: str) -> None:
        self.home = home
        os.makedirs(os.path.join(home, "sessions"), exist_ok=True)

    def _path(self, session_id: str) -> str:
        return os.path.join(self.home, "sessions", f"{session_id}.jsonl")

    def create(self, header: Record, log: Sequence[Record]) -> Revision:
        data, revision = sealed([header, *log], str(header["id"]))
        try:
            with open(self._path(str(header["id"])), "ab") as file:
                file.write(data)
        except (OSError, ValueError) as error:
            raise SessionExists(str(header["id"])) from error
        return revision

    def append(self, session_id: str, log: Sequence[Record], expected: Revision, **options: Any) -> Revision:
        data, revision = sealed(log, session_id, expected)
        try:
            with open(self._path(session_id), "ab") as file:
                file.write(data)
        except (OSError, ValueError) as error:
            raise StoreError(str(error)) from error
        return revision

    def read(self, session_id: str) -> Stored:
        try:
            with open(self._path(session_id), "rb") as file:
                lines = [orjson.loads(line) for line in file]
        except (OSError, ValueError) as error:
            raise StoreError(str(error)) from error
        return Stored({}, tuple(lines), Revision(len(lines), ""))

    revision = trash = restore = read


class NoLimits(FileStore):
    """Takes any document of any size, and lets the parser's own errors through."""

    def append(self, session_id: str, log: Sequence[Record], expected: Revision, **options: Any) -> Revision:
        rounded = json.loads(json.dumps(list(log)), parse_int=float)
        return super().append(session_id, rounded, expected, **options, beyond_limit=True)


def _opener(kind: Callable[..., Any]) -> Callable[[str], Any]:
    return lambda home: kind(home, KEYS, MAX_BYTES)


no_fsync = _opener(NoFsync)
no_lock = _opener(NoLock)
no_revision_check = _opener(NoRevisionCheck)
in_place = _opener(InPlace)
lies_about_errors = _opener(LiesAboutErrors)
accepts_damage = _opener(AcceptsDamage)
no_limits = _opener(NoLimits)
accepts_future = _opener(AcceptsFuture)


class UnlockedLimiter:
    """Reads the times of the calls, and writes them back, without a lock and one process at a time in its mind."""

    def __init__(self, folder: str, clock: Callable[[], Reading] | None = None) -> None:
        self.path = os.path.join(folder, "calls.json")
        os.makedirs(folder, exist_ok=True)

    def now(self) -> float:
        return time.monotonic()

    def acquire(self, charges: Sequence[Charge]) -> Admitted | Refused:
        window, now = charges[0].window, self.now()
        try:
            with open(self.path, "rb") as file:
                calls = list(map(float, orjson.loads(file.read())))
        except (OSError, ValueError, TypeError):
            calls = []
        recent = [call for call in calls if now - window.seconds < call]
        if len(recent) >= window.limit:
            return Refused(charges[0], 0.01)
        time.sleep(PAUSE_S)
        with open(self.path, "wb") as file:
            file.write(orjson.dumps([*recent, now]))
        return Admitted(window.limit - len(recent) - 1, window.seconds)


class WallClockLimiter(UnlockedLimiter):
    """Believes the wall clock, which users, daylight saving and NTP set."""

    def now(self) -> float:
        return time.time()


def careless_key(folder: str) -> bytes:
    """Make a key where there is none, without seeing to it that another process does so too."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "0001")
    if not os.path.exists(path):
        time.sleep(0.001)
        with open(path, "wb") as file:
            file.write(secrets.token_bytes(32))
    with open(path, "rb") as file:
        return file.read()
