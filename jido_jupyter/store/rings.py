"""A table of rings in a file that is read through a map: for each key the times of its last calls, as many as its limit.

To let a call in, only the oldest time of its ring matters: the cost does not grow with the limit. The table is an open
hash table; slots are never removed one by one, a fuller table is written anew with the live ones only.

::

    header   magic, version, limit, capacity, used, retired, is later, closed until [s], epoch           56 bytes
    slot     key digest, span [s], place of the oldest time, count, `limit` times [s]                    32 + 8 * limit

It is written with `pwrite`, not through the map: a map has nobody to tell that the disk or a quota is full, and ends the
process instead. A writer killed between two of its writes leaves a ring whose oldest place holds the newest time: that keeps calls out for
longer, and never lets one in too many.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import struct
import sys
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from jido_jupyter.store.folder import Descriptor

_HEADER: Final = struct.Struct("<8sIIIIIId16s")
_SLOT: Final = struct.Struct("<16sdII")
_TIME: Final = struct.Struct("<d")
_COUNTS: Final = struct.Struct("<II")
_MAGIC: Final = b"jidoring"
_VERSION: Final = 1
_USED_AT: Final = 20
_RETIRED_AT: Final = 24
_EMPTY: Final = bytes(16)
_FUTURE_S: Final = 1.0  # a time that far ahead of the clock is damage
MIN_SLOTS: Final = 64
FULLEST: Final = 0.75  # of the slots; then the table is written anew, half full


class Damaged(Exception):
    """The table's bytes make no sense."""


@lru_cache(4096)
def digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=16).digest()


def size_of(limit: int, capacity: int) -> int:
    return _HEADER.size + capacity * (_SLOT.size + 8 * limit)


class Table:
    """The rings of one limit.

    Args:
        fd: of a file that `create` made, kept by the table; the caller holds its lock for as long as it uses the table.
        path: the name under which it is found.

    Raises:
        Damaged: it is no table of this version.
    """

    def __init__(self, fd: Descriptor, path: str) -> None:
        found = os.fstat(fd)
        self._fd = fd
        self.path, self.inode, self.size = path, found.st_ino, found.st_size
        if self.size < _HEADER.size:
            raise Damaged
        self._map = mmap.mmap(fd.fileno(), self.size, prot=mmap.PROT_READ)
        magic, version, self.limit, self.capacity, used, _, later, self.closed_until, self.epoch = _HEADER.unpack_from(
            self._map
        )
        self.is_later = later != 0
        is_sound = magic == _MAGIC and version == _VERSION and self.limit >= 1 and self.capacity >= 1
        if not is_sound or self.size != size_of(self.limit, self.capacity) or used > self.capacity:
            raise Damaged
        self._slot_size: int = _SLOT.size + 8 * self.limit

    @staticmethod
    def create(fd: int, limit: int, capacity: int, epoch: bytes, closed_until: float, is_later: bool) -> None:
        """Write an empty table into an empty file.

        Its space is taken now: on a full tmpfs, looking at a hole through the map would end the process.

        Args:
            closed_until: nothing is let in before [s, of the epoch].
            is_later: calls that still count may stand in tables of other boots.
        """
        size = size_of(limit, capacity)
        if sys.platform == "darwin":  # pragma: no cover - which has no call for it
            os.ftruncate(fd, size)
        else:
            os.posix_fallocate(fd, 0, size)
        header = _HEADER.pack(_MAGIC, _VERSION, limit, capacity, 0, 0, is_later, closed_until, epoch)
        os.pwrite(fd, header, 0)

    @property
    def is_retired(self) -> bool:
        """Whether another file has taken this one's place."""
        return self._map[_RETIRED_AT] != 0

    @property
    def used(self) -> int:
        return int.from_bytes(self._map[_USED_AT : _USED_AT + 4], "little")

    def retire(self) -> None:
        self._write(_RETIRED_AT, b"\1")

    def slot(self, key: bytes) -> int:
        """Return where the ring of ``key`` is, or where it would be: `has` tells which."""
        place: int = int.from_bytes(key[:8], "little") % self.capacity
        for _ in range(self.capacity):
            at: int = _HEADER.size + place * self._slot_size
            found = self._map[at : at + 16]
            if found in (key, _EMPTY):
                return at
            place = (place + 1) % self.capacity
        raise Damaged  # a table is never full

    def has(self, at: int) -> bool:
        return self._map[at : at + 16] != _EMPTY

    def blocking(self, at: int, span: float, now: float) -> float:
        """Return how long a call has to wait for the oldest time of a ring [s]; 0 or less lets it in."""
        head, count = _COUNTS.unpack_from(self._map, at + 24)
        if count < self.limit:
            return 0.0
        if count > self.limit or head >= self.limit:
            raise Damaged
        wait_s = self._time(at, head) + span - now
        if wait_s > span + _FUTURE_S:
            raise Damaged
        return wait_s

    def recent(self, at: int, span: float, now: float) -> tuple[int, float]:
        """Return how many times of a ring are younger than ``span``, and the oldest of them [s]; (0, now) for none."""
        head, count = _COUNTS.unpack_from(self._map, at + 24)
        if count > self.limit or head >= self.limit:
            raise Damaged
        low, high = 0, count  # of the times in order, how many are too old
        if count and self._time(at, self._place(head, count, 0)) + span > now:
            high = 0
        while low < high:
            middle = (low + high) // 2
            if self._time(at, self._place(head, count, middle)) + span <= now:
                low = middle + 1
            else:
                high = middle
        return (count - low, self._time(at, self._place(head, count, low))) if low < count else (0, now)

    def add(self, at: int, key: bytes, span: float, now: float) -> None:
        """Put a time into a ring, in the place of its oldest when it is full."""
        if not self.has(at):
            self._write(at, _SLOT.pack(key, span, 0, 1) + _TIME.pack(now))
            self._write(_USED_AT, (self.used + 1).to_bytes(4, "little"))
            return
        head, count = _COUNTS.unpack_from(self._map, at + 24)
        is_full = count >= self.limit
        self._write(at + 32 + 8 * (head if is_full else count), _TIME.pack(now))
        counts = ((head + 1) % self.limit, count) if is_full else (head, count + 1)
        self._write(at + 16, _TIME.pack(span) + _COUNTS.pack(*counts))

    def clear(self, at: int) -> None:
        """Forget the times of a ring."""
        if self.has(at):
            self._write(at + 24, _COUNTS.pack(0, 0))

    def live(self, now: float) -> Iterator[bytes]:
        """Yield the slots that still count."""
        for place in range(self.capacity):
            at = _HEADER.size + place * self._slot_size
            key, span, head, count = _SLOT.unpack_from(self._map, at)
            if key == _EMPTY or not count:
                continue
            newest = self._time(at, self._place(head, count, count - 1))
            if newest + span > now:
                yield self._map[at : at + self._slot_size]

    def adopt(self, slot: bytes) -> None:
        """Take over a slot of another table of the same limit."""
        at = self.slot(slot[:16])
        self._write(at, slot)
        self._write(_USED_AT, (self.used + 1).to_bytes(4, "little"))

    def _write(self, at: int, data: bytes) -> None:
        if os.pwrite(self._fd, data, at) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _place(self, head: int, count: int, number: int) -> int:
        return (head + number) % self.limit if count == self.limit else number

    def _time(self, at: int, place: int) -> float:
        (time,) = _TIME.unpack_from(self._map, at + 32 + 8 * place)
        if not math.isfinite(time):
            raise Damaged
        return float(time)
