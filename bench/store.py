"""Adding to a session, storing, reading and resuming one, each beside the least that the same promise costs."""

from __future__ import annotations

import hmac
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from bench.content import Author
from bench.measure import Case, Work, interleave
from bench.rows import Row, judged
from bench.scale import MB, Scale, told
from jido_jupyter.core import records
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import SessionState
from jido_jupyter.core.window import Window
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.codec import Keys
from jido_jupyter.store.contract import Revision
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.limiter import FileLimiter

TURN: Final = 4096  # bytes
KEY: Final = b"k" * 32
OWNER: Final = Owner("cli", socket.gethostname(), os.getpid())
_SETTLED_S: Final = 0.06  # s; an index trusts a folder that has not changed for so long
_US: Final = 1e6
_MS: Final = 1e3


def run(scale: Scale) -> list[Row]:
    bed = Bed(os.path.join(scale.folder, "store"))
    return [
        *_appending(bed, scale),
        *_bytes_written(bed, scale),
        *_loading(bed, scale),
        *_creating(bed, scale),
        *_resuming(bed, scale),
    ]


class Bed:
    """A store in a folder of its own, what is on top of it, and an author."""

    def __init__(self, folder: str, cache: str | None = None) -> None:
        self.folder = folder
        self.store = FileStore(folder, Keys([KEY]), 100 * MB, cache)
        generous = Window(10_000, 60.0)
        limits = Limits(FileLimiter(os.path.join(folder, "limits")), generous, generous)
        self.author = Author(7)
        self.sessions = Sessions(
            self.store,
            limits,
            max_sessions=10**6,
            clock=lambda: datetime.now(UTC),
            mint_id=self.author.session_id,
        )

    def path_of(self, session_id: str) -> str:
        return os.path.join(self.folder, "sessions", f"{session_id}.jsonl")

    def session(self, log: Sequence[Record]) -> tuple[str, Revision]:
        """Store a session of ``log`` and return its id and revision."""
        header = records.header(self.author.session_id(), self.author.now())
        return str(header["id"]), self.store.create(header, log)


# --- append: open, write and fdatasync of the same bytes


def _appending(bed: Bed, scale: Scale) -> list[Row]:
    subjects = [_Appended(bed, size) for size in scale.sizes]
    cases = [case for subject in subjects for case in (subject.floor(), subject.case())]
    times = interleave(cases, scale.rounds, is_durable=True)
    rows = []
    for subject in subjects:
        value, floor = (times[f"{subject.name} {kind}"].median * _US for kind in ("append", "floor"))
        rows.append(judged("store", f"append a 4 KB turn, session of {subject.name}", value, "µs", "append", floor))
    growth = rows[-1].value / rows[0].value
    name = f"append to {subjects[-1].name}, compared with {subjects[0].name}"
    return [*rows, judged("store", name, growth, "x", "append growth")]


class _Appended:
    """A session that each sample adds the same turn to; it is cut back to its size before the next."""

    def __init__(self, bed: Bed, size: int) -> None:
        self.name = told(size)
        self._bed = bed
        self._turn = bed.author.turn_of(TURN)
        self._id, self._revision = bed.session(bed.author.log(bed.author.turns(size)))
        self._path = bed.path_of(self._id)
        self._size = os.path.getsize(self._path)
        bed.store.append(self._id, [self._turn], self._revision)
        with open(self._path, "rb") as file:
            whole = file.read()
        self._line = whole[self._size :]
        self._bare = f"{self._path}.bare"  # no session: the store passes other names over
        with open(self._bare, "wb") as file:
            file.write(whole[: self._size])

    def case(self) -> Case:
        def work() -> object:
            return self._bed.store.append(self._id, [self._turn], self._revision)

        return Case(f"{self.name} append", self._cut(self._path, work))

    def floor(self) -> Case:
        def work() -> None:
            fd = os.open(self._bare, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            os.write(fd, self._line)
            os.fdatasync(fd)
            os.close(fd)

        return Case(f"{self.name} floor", self._cut(self._bare, work))

    def _cut(self, path: str, work: Work) -> Callable[[], Work]:
        def prepare() -> Work:
            os.truncate(path, self._size)
            return work

        return prepare


def _bytes_written(bed: Bed, scale: Scale) -> list[Row]:
    """What goes to the disk: whole pages, counted by the kernel when they are first made dirty."""
    rounds = 5 if scale.rounds < 10 else 200
    turns = [bed.author.turn_of(TURN) for _ in range(rounds)]
    session_id, revision = bed.session(bed.author.log(bed.author.turns(scale.sizes[0])))
    path = bed.path_of(session_id)
    size = os.path.getsize(path)
    os.sync()
    before = _dirtied()
    for turn in turns:
        revision = bed.store.append(session_id, [turn], revision)
    value = (_dirtied() - before) / rounds
    length = (os.path.getsize(path) - size) // rounds
    bare = f"{path}.bare"
    with open(bare, "wb") as file:
        file.write(b" " * size)
    os.sync()
    before = _dirtied()
    for _ in turns:
        fd = os.open(bare, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.write(fd, b" " * length)
        os.fdatasync(fd)
        os.close(fd)
    floor = (_dirtied() - before) / rounds
    return [judged("store", "bytes written per 4 KB turn", value, "bytes", "append bytes", floor)]


def _dirtied() -> int:
    """Return how many bytes of pages this process has made dirty; 0 where the system does not tell."""
    try:
        with open("/proc/self/io", encoding="ascii") as file:
            return int(dict(line.split(": ") for line in file)["write_bytes"])
    except OSError:
        return 0


# --- load: read, one HMAC and one orjson.loads of the same content


def _loading(bed: Bed, scale: Scale) -> list[Row]:
    rows = []
    for size in scale.sizes[-2:]:
        turns = bed.author.turns(size)
        per_turn = bed.author.log(turns)
        compacted = [records.messages([message for turn in turns for message in turn], bed.author.now())]
        subjects = [_Loaded(bed, "compacted", compacted), _Loaded(bed, "per turn", per_turn)]
        cases = [case for subject in subjects for case in (subject.floor(), subject.case())]
        times = interleave(cases, scale.rounds if size < 10 * MB else scale.slow_rounds * 2)
        for subject in subjects:
            value, floor = (times[f"{subject.kind} {what}"].median * _MS for what in ("load", "floor"))
            shape = "compacted" if subject.kind == "compacted" else "a record per turn"
            rows.append(judged("store", f"load {told(size)}, {shape}", value, "ms", f"load {subject.kind}", floor))
    return rows


class _Loaded:
    def __init__(self, bed: Bed, kind: str, log: Sequence[Record]) -> None:
        self.kind = kind
        self._bed = bed
        self._id, _ = bed.session(log)
        self._bare = f"{bed.path_of(self._id)}.bare"
        with open(self._bare, "wb") as file:
            file.write(orjson.dumps(log))

    def case(self) -> Case:
        return Case(f"{self.kind} load", lambda: lambda: self._bed.store.read(self._id))

    def floor(self) -> Case:
        def work() -> object:
            fd = os.open(self._bare, os.O_RDONLY | os.O_CLOEXEC)
            data = os.read(fd, os.fstat(fd).st_size)
            os.close(fd)
            hmac.digest(KEY, data, "sha256")
            return orjson.loads(data)

        return Case(f"{self.kind} floor", lambda: work)


# --- create and import: one orjson.dumps, one HMAC, temporary file, write, fsync, rename, fsync of the folder


def _creating(bed: Bed, scale: Scale) -> list[Row]:
    rows = []
    for size in scale.sizes:
        subject = _Created(bed, size)
        rounds = scale.rounds if size < 10 * MB else scale.slow_rounds
        times = interleave(subject.cases(), rounds, is_durable=True)
        floor = times["floor"].median * _MS
        for kind in ("create", "import"):
            value = times[kind].median * _MS
            rows.append(judged("store", f"{kind} a session of {told(size)}", value, "ms", kind, floor))
    return rows


@dataclass
class _Created:
    """Stores the same content again and again; what the sample before left is taken away, untimed."""

    bed: Bed
    size: int

    def __post_init__(self) -> None:
        self._said = [message for turn in self.bed.author.turns(self.size) for message in turn]
        self._log = [records.messages(self._said, self.bed.author.now())]
        self._folder = os.path.join(self.bed.folder, "sessions")

    def cases(self) -> Sequence[Case]:
        def creating() -> Work:
            header = self._fresh()
            return lambda: self.bed.store.create(header, self._log)

        def importing() -> Work:
            header = self._fresh()
            return lambda: self.bed.sessions.bring_in({"title": "Brought in"}, self._said, str(header["id"]))

        def bare() -> Work:
            header = self._fresh()
            return lambda: _store_bare(self._folder, str(header["id"]), [header, *self._log])

        return Case("floor", bare), Case("create", creating), Case("import", importing)

    def _fresh(self) -> Record:
        for name in os.listdir(self._folder):
            os.unlink(os.path.join(self._folder, name))
        settled = time.monotonic() + _SETTLED_S
        while time.monotonic() < settled:  # awake: a core that has idled is slow at whatever comes next
            pass
        self.bed.store.count()  # the index notices, untimed
        return records.header(self.bed.author.session_id(), self.bed.author.now())


def _store_bare(folder: str, name: str, content: object) -> None:
    data = orjson.dumps(content)
    hmac.digest(KEY, data, "sha256")
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fd = os.open(f".{name}.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder_fd)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.fsync(fd)
    os.close(fd)
    os.rename(f".{name}.tmp", f"{name}.bare", src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    os.fsync(folder_fd)
    os.close(folder_fd)


# --- resume: find, count, read, verify, check for repairs, lease, record, return; the floor loads the same content


def _resuming(bed: Bed, scale: Scale) -> list[Row]:
    turns = [bed.author.turn() for _ in range(scale.resumed // 2)]
    log = [records.messages([message for turn in turns for message in turn], bed.author.now())]
    floor = _Loaded(bed, "resume", log).floor()
    cases = [_resumed(bed, log, is_listed=True), _resumed(bed, log, is_listed=False), floor]
    times = {name: timing.median * _MS for name, timing in interleave(cases, scale.rounds, is_durable=True).items()}
    name, below = f"resume a session of {scale.resumed:,} messages", times["resume floor"]
    return [
        judged("store", name, times["listed"], "ms", "resume", below),
        judged("store", f"{name}, changed since it was listed", times["changed"], "ms", "resume", below),
    ]


def _resumed(bed: Bed, log: Sequence[Record], *, is_listed: bool) -> Case:
    """Resume one session again and again.

    Args:
        is_listed: the index has seen the session as it is now; otherwise finding it reads it once more.
    """
    session_id, _ = bed.session(log)
    held: list[Any] = []

    def prepare() -> Work:
        while held:
            held.pop().close()
        if is_listed:
            bed.store.count()
        return work

    def work() -> SessionState:
        live, _ = bed.sessions.resume(session_id, OWNER)
        held.append(live)
        return live.state

    return Case("listed" if is_listed else "changed", prepare)
