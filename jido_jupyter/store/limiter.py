"""The limiter: sliding windows counted in the store, so that every kernel, server and command counts together.

Checking and recording are one step under one file lock. Every admitted call counts, whatever becomes of it; a refused one
does not, or nobody would ever get in again. State that cannot be read is put aside and everything is refused for one window:
nothing is let in that might have been counted. Then it starts anew, by itself.

Each boot has tables of its own, because times of another boot, or of another host on a shared folder, say nothing here. So hosts
that share a folder count apart; right after a boot a window has to pass first.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from jido_jupyter.core.window import Admitted, Charge, Refused, Window
from jido_jupyter.store import clock as boot_clock
from jido_jupyter.store import folder as files
from jido_jupyter.store import rings
from jido_jupyter.store.clock import Reading
from jido_jupyter.store.rings import Damaged, Table

SUFFIX: Final = ".rings"  # one file for each limit and boot: 5-1f3a9c07.rings
_OLD_S: Final = 86400.0  # s; tables of other boots that nobody wrote to for so long go

T = TypeVar("T")


class Limiter(Protocol):
    def acquire(self, charges: Sequence[Charge]) -> Admitted | Refused:
        """Count one call against all ``charges``, or, when one of them is full, against none. The one call others use."""

    def check(self, charges: Sequence[Charge]) -> Admitted | Refused:
        """Say what `acquire` would say now, and count nothing."""


class FileLimiter:
    """A `Limiter` in a folder that all processes of a user share.

    Args:
        folder: made where it is missing.
        clock: for tests.
    """

    def __init__(self, folder: str, clock: Callable[[], Reading] = boot_clock.read) -> None:
        self._folder = files.Folder(folder)
        self._folder.make()
        self._clock = clock
        self._reopen()

    def acquire(self, charges: Sequence[Charge]) -> Admitted | Refused:
        return self._with_rings(charges, self._admit)

    def check(self, charges: Sequence[Charge]) -> Admitted | Refused:
        return self._with_rings(charges, self._verdict)

    def record(self, charges: Sequence[Charge]) -> None:
        """Count one call, however full the windows are."""
        self._with_rings(charges, self._count)

    def reset(self, charges: Sequence[Charge]) -> None:
        """Forget the calls of these keys."""

        def clear(found: list[_Ring], now: float) -> None:
            for ring in found:
                ring.table.clear(ring.at)

        self._with_rings(charges, clear)

    def prune(self) -> None:
        """Give back the space of calls that no longer count; `acquire` does so by itself when space runs out."""
        self._lock()
        try:
            now = self._clock()
            ours = f"-{_epoch(now).hex()[:8]}{SUFFIX}"
            for name in os.listdir(self._folder.path):
                limit = name.removesuffix(ours)
                if name.endswith(ours) and limit.isascii() and limit.isdecimal():
                    window = Window(int(limit), 0.0)
                    with contextlib.suppress(Damaged):  # the next call that it concerns puts it aside
                        self._rewrite(window.limit, self._table(window, now, 0), now)
        except OSError as error:
            files.refuse(error, self._folder.path)
        finally:
            self._unlock()

    def _admit(self, found: list[_Ring], now: float) -> Admitted | Refused:
        verdict = self._verdict(found, now)
        if isinstance(verdict, Admitted):
            self._count(found, now)
            return Admitted(verdict.remaining - 1, verdict.reset_s)
        return verdict

    def _verdict(self, found: list[_Ring], now: float) -> Admitted | Refused:
        longest, fullest, is_closed = 0.0, found[0].charge, False
        for ring in found:
            span = ring.charge.window.seconds
            # Right after a boot, what was counted before it still counts for as long as its window is.
            closed_s = max(ring.table.closed_until, span if ring.table.is_later else 0.0) - now
            wait_s = max(ring.table.blocking(ring.at, span, now), closed_s)
            if wait_s > longest:
                longest, fullest, is_closed = wait_s, ring.charge, wait_s == closed_s
        if longest > 0:
            return Refused(fullest, longest, is_closed)
        left: list[tuple[int, float]] = []
        for ring in found:
            span = ring.charge.window.seconds
            count, oldest = ring.table.recent(ring.at, span, now)
            left.append((ring.charge.window.limit - count, oldest + span - now))
        return Admitted(*min(left))

    def _count(self, found: list[_Ring], now: float) -> None:
        for ring in found:
            ring.table.add(ring.at, ring.key, ring.charge.window.seconds, now)

    def _with_rings(self, charges: Sequence[Charge], work: Callable[[list[_Ring], float], T]) -> T:
        self._lock()
        try:
            now = self._clock()
            try:
                return work(self._rings(charges, now), now.seconds)
            except Damaged:
                longest_s = max(charge.window.seconds for charge in charges)
                for limit in {charge.window.limit for charge in charges}:
                    self._start_anew(limit, now, now.seconds + longest_s)
                return work(self._rings(charges, now), now.seconds)
        except OSError as error:
            files.refuse(error, self._folder.path)
        finally:
            self._unlock()

    def _rings(self, charges: Sequence[Charge], now: Reading) -> list[_Ring]:
        found = []
        tables = [self._table(charge.window, now, len(charges)) for charge in charges]
        for charge, table in zip(charges, tables, strict=True):
            key = rings.digest(charge.key)
            found.append(_Ring(charge, key, table, table.slot(key)))
        return found

    def _table(self, window: Window, now: Reading, room: int) -> Table:
        """Return the table of a limit, of this boot and with room for so many more keys."""
        table = self._tables.get(window.limit)
        if table is None or table.epoch != _epoch(now) or self._is_gone(table) or table.is_retired:
            table = self._open(window, now)
        if table.used + room > rings.FULLEST * table.capacity:
            table = self._rewrite(window.limit, table, now)
        return table

    def _is_gone(self, table: Table) -> bool:
        """Whether the name leads elsewhere; looked at first, because a map of a file that was cut ends the process."""
        try:
            found = os.stat(table.path)
        except FileNotFoundError:
            return True
        return found.st_ino != table.inode or found.st_size != table.size

    def _open(self, window: Window, now: Reading) -> Table:
        limit = window.limit
        with self._folder.opened() as folder_fd:
            try:
                fd = files.open_file(folder_fd, _name(limit, now), os.O_RDWR)
            except FileNotFoundError:
                self._sweep(folder_fd)
                is_later = any(name.startswith(f"{limit}-") for name in os.listdir(folder_fd))
                return self._put(limit, rings.MIN_SLOTS, now, 0.0, is_later, ())
            table = self._tables[limit] = Table(fd, self._path(limit, now))
        if table.limit != limit or table.epoch != _epoch(now):
            raise Damaged
        return table

    def _sweep(self, folder_fd: int) -> None:
        """Remove the tables of boots that are over."""
        for name in os.listdir(folder_fd):
            with contextlib.suppress(FileNotFoundError):
                if name.endswith(SUFFIX) and time.time() - os.stat(name, dir_fd=folder_fd).st_mtime > _OLD_S:
                    os.unlink(name, dir_fd=folder_fd)

    def _start_anew(self, limit: int, now: Reading, closed_until: float) -> None:
        """Put a table that makes no sense aside, as evidence, and an empty one in its place."""
        name = _name(limit, now)
        with self._folder.opened() as folder_fd, contextlib.suppress(FileNotFoundError):
            os.rename(name, f"{name}.{time.time_ns()}.damaged", src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
        self._put(limit, rings.MIN_SLOTS, now, closed_until, False, ())

    def _rewrite(self, limit: int, table: Table, now: Reading) -> Table:
        """Write a table anew, with what still counts, half full."""
        live = list(table.live(now.seconds))
        capacity = max(rings.MIN_SLOTS, 2 * len(live) + 2)
        fresh = self._put(limit, capacity, now, table.closed_until, table.is_later, live)
        table.retire()
        return fresh

    def _put(
        self, limit: int, capacity: int, now: Reading, closed_until: float, is_later: bool, slots: Sequence[bytes]
    ) -> Table:
        name, temporary = _name(limit, now), f".{limit}.{secrets.token_hex(6)}.tmp"
        with self._folder.opened() as folder_fd:
            fd = files.open_or_create(folder_fd, temporary)
            Table.create(fd, limit, capacity, _epoch(now), closed_until, is_later)
            table = Table(fd, self._path(limit, now))
            for slot in slots:
                table.adopt(slot)
            os.rename(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
        self._tables[limit] = table
        return table

    def _path(self, limit: int, now: Reading) -> str:
        return self._folder.path_of(_name(limit, now))

    def _reopen(self) -> None:
        """Start with nothing open: locks and maps are not to be shared with a parent process."""
        self._pid = os.getpid()
        self._threads = threading.Lock()
        self._tables: dict[int, Table] = {}
        with self._folder.opened() as folder_fd:
            self._lock_fd = files.open_or_create(folder_fd, ".lock")
            files.sweep(folder_fd, files.ABANDONED_S)

    def _lock(self) -> None:
        if self._pid != os.getpid():
            self._reopen()
        self._threads.acquire()
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX)  # held for microseconds; nothing else is waited for meanwhile
        except OSError as error:
            self._threads.release()
            files.refuse(error, self._folder.path)

    def _unlock(self) -> None:
        fcntl.flock(self._lock_fd, fcntl.LOCK_UN)
        self._threads.release()


@dataclass(slots=True)
class _Ring:
    charge: Charge
    key: bytes
    table: Table
    at: int  # where in the table


def _epoch(now: Reading) -> bytes:
    return rings.digest(now.epoch)


def _name(limit: int, now: Reading) -> str:
    return f"{limit}-{_epoch(now).hex()[:8]}{SUFFIX}"
