"""Records to sealed lines and back: the only place that knows the bytes of a session file.

A line is one JSON object. Its last two members are ``n``, the number of the record (the first header is 0), and ``mac``, an
HMAC-SHA256 of fixed width over the previous line's MAC followed by every byte of this line before ``,"mac":``::

    {"t":"messages","at":"...","messages":[...],"n":3,"mac":"<64 hex digits>"}

So a flipped bit, a line taken out, put in, moved, or brought from another file each break the chain at a place that can
be named, the end of a file tells its revision without the rest being read, and every JSON tool reads the file.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import orjson

from jido_jupyter.core.records import FORMAT, Record
from jido_jupyter.core.text import storable
from jido_jupyter.errors import CorruptSession, InvalidField, UnsupportedFormat
from jido_jupyter.store.contract import Damage, Revision, Stored

HEADER_MAX: Final = 1024  # bytes; ids are short
TAIL_MAX: Final = 128  # bytes; the longest n and MAC fit in
_TAIL: Final = re.compile(rb',"n":(\d{1,18}),"mac":"([0-9a-f]{64})"\}\n\Z')
_MAC_FROM_END: Final = len(b',"mac":"') + 64 + len(b'"}')
_SEALED: Final = re.compile(rb'\A,"mac":"([0-9a-f]{64})"\}\Z')
_BRACE: Final = b"{"[0]
_LONG: Final = 2**16  # bytes
_SECTOR: Final = 512  # bytes; what a disk writes whole
_IN_FLIGHT: Final = 2  # records of one write: an answer and the notebook's looks, say
_TOLD: Final = 100  # damaged lines that are told one by one
_OTHERS: Final = 4  # what a line after damaged ones may be chained to besides; each costs a MAC
_BRANCHES: Final = 16  # lines back that a concurrent one is looked for
_SESSION: Final = b"jido_jupyter session key"
_START: Final = b"jido_jupyter session log"  # stands for the MAC before the header; no MAC can equal it
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))  # each byte of a key's inner block, for `bytes.translate`
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class Key:
    """HMAC-SHA256 with one key. Source: RFC 2104; the two padded blocks are hashed once, not once a line."""

    def __init__(self, key: bytes, key_id: str | None = None) -> None:
        block = key.ljust(64, b"\0")
        # Public: it does not give the key away.
        self.id = key_id or sha256(b"jido_jupyter key id" + key).hexdigest()[:16]
        self._inner = sha256(block.translate(_INNER))
        self._outer = sha256(block.translate(_OUTER))

    def of(self, session_id: str) -> Key:
        """Return the key of one session: its lines fit into no other session's file, whatever they follow there."""
        return _own(self, session_id)

    def mac(self, previous: bytes, *head: bytes | memoryview) -> bytes:
        """Return the MAC, in hex, of ``head`` (in one piece or several) after the line with MAC ``previous``."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(previous)
        for piece in head:
            inner.update(piece)
        outer.update(inner.digest())
        return outer.hexdigest().encode()


@lru_cache(256)  # a session is added to again and again
def _own(key: Key, session_id: str) -> Key:
    return Key(bytes.fromhex(key.mac(_SESSION, session_id.encode()).decode()), key.id)


class Keys:
    """The keys that seal and check: the newest seals, all check.

    Args:
        keys: oldest first, at least one, 32 bytes each.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._by_id = {key.id: key for key in map(Key, keys)}
        self.newest = Key(keys[-1])

    @property
    def ids(self) -> list[str]:
        """The public names of the keys, oldest first."""
        return list(self._by_id)

    def get(self, kid: object) -> Key | None:
        return self._by_id.get(kid) if isinstance(kid, str) else None


def seal(log: Sequence[Record], after: Revision | None, key: Key, start: int = 0) -> tuple[bytes, Revision]:
    """Return the lines of ``log`` and the revision they lead to; see `pieces`."""
    found, revision = pieces(log, after, key, start)
    return b"".join(found), revision


def pieces(
    log: Sequence[Record], after: Revision | None, key: Key, start: int = 0
) -> tuple[list[bytes | memoryview], Revision]:
    """Return the lines of ``log`` in a few pieces, as joining long ones would copy them, and the revision they lead to.

    Args:
        log: records in order; with ``after=None`` the first is the header.
        after: the revision that they follow.
        key: of that session, see `Key.of`.
        start: number of the header, for a log that takes the place of a longer one: numbers never go back.
    """
    previous, n = (_START, start - 1) if after is None else (after.seal.encode(), after.n)
    found: list[bytes | memoryview] = []
    short: list[bytes | memoryview] = []
    for record in log:
        n += 1
        if "n" in record:  # of the log that it was read from
            record = {name: value for name, value in record.items() if name != "n"}
        body, number = memoryview(dumps(record))[:-1], b',"n":%d' % n
        previous = key.mac(previous, body, number)
        if len(body) < _LONG:
            short.append(body)
        else:
            found += (b"".join(short), body)
            short = []
        short.append(number + b',"mac":"' + previous + b'"}\n')
    return [*found, b"".join(short)], Revision(n, previous.decode())


def tail(end: bytes) -> Revision | None:
    """Return the revision that the last `TAIL_MAX` bytes of a file state; None when they are no whole record."""
    found = _TAIL.search(end)
    return Revision(int(found[1]), found[2].decode()) if found else None


def check_version(start: bytes, session_id: str) -> object:
    """Return the key id in the header that a file starts with; None where there is none.

    Raises:
        UnsupportedFormat: the header is of a later version.
    """
    header = _loads(start.partition(b"\n")[0])
    if not isinstance(header, dict):
        return None
    if header.get("v") != FORMAT:
        raise UnsupportedFormat(f"Session {session_id[:8]}", header.get("v"))
    return header.get("kid")


@dataclass(frozen=True, slots=True)
class Decoded:
    stored: Stored
    sound_bytes: int  # the length of the file without its torn end


def decode(data: bytes, session_id: str, keys: Keys, path: str) -> Decoded:
    """Read and check the bytes of a session file.

    A bad line costs that line only: each record is checked against the MAC that the line before it states and the one
    it should state, so that the chain holds on after a damaged line.

    Raises:
        CorruptSession: the first line is no header, or one of another session.
        UnsupportedFormat: the header is of a later version.
    """
    end = data.find(b"\n")
    first = data[: max(end, 0)]
    header = _loads(first)
    if not isinstance(header, dict) or header.get("t") != "header":
        raise CorruptSession(session_id, _no_header(data), path)
    if header.get("v") != FORMAT:
        raise UnsupportedFormat(f"Session {session_id[:8]}", header.get("v"))
    if header.get("id") != session_id:
        raise CorruptSession(
            session_id, f"the file holds session {header.get('id')!r}, not the one it is named for", path
        )
    header.pop("mac", None)
    n = header.pop("n", None)
    key = keys.get(header.get("kid"))
    chain = _Chain(first, n if isinstance(n, int) else 0, key and key.of(session_id))
    view = memoryview(data)
    start, number, hole = end + 1, 2, data.find(b"\0")
    while (end := data.find(b"\n", start)) >= 0:
        if start <= hole < end:
            if _is_lost(data, start, hole):
                break
            hole = data.find(b"\0", end)
        if end - start <= _MAC_FROM_END and chain.has_told("unreadable"):
            start, number = end + 1, number + 1  # millions of line ends are not looked at one by one
            continue
        # A slice of the bytes is quicker for short lines, a view spares long ones their copies.
        chain.add(number, data[start:end] if end - start < _LONG else view[start:end])
        start, number = end + 1, number + 1
    if start < len(data):
        chain.tell("torn", number, "The last write was cut off; what was acknowledged before it is here.")
    return Decoded(Stored(header, tuple(chain.kept), chain.revision, tuple(chain.damage)), start)


def _is_lost(data: bytes, start: int, hole: int) -> bool:
    """Return whether everything from a hole on was never acknowledged: then it is a torn end, however whole it looks.

    A power cut may write back the later of two pages only, which leaves NUL bytes before sound lines. What is durable was
    flushed with all pages before it, so behind a hole stand only pieces of an answer that was still streaming, and, where
    the hole has the shape of pages, the records of the one write that was being flushed.
    """
    end = len(data) - len(data[hole:].lstrip(b"\0"))
    is_page = (hole == start or hole % _SECTOR == 0) and end % _SECTOR == 0
    in_flight = 0 if is_page else _IN_FLIGHT
    while start < len(data):
        end = data.find(b"\n", start) % (len(data) + 1)  # -1: the end
        record = _loads(data[start:end])
        in_flight += isinstance(record, dict) and record.get("t") != "partial"
        if in_flight > _IN_FLIGHT:
            return False
        start = end + 1
    return True


class _Chain:
    """The records of a log so far, and what the next line is to be chained to."""

    def __init__(self, header: bytes, n: int, key: Key | None) -> None:
        self.kept: list[Record] = []
        self.damage: list[Damage] = []
        self._kinds: set[str] = set()
        self._has_more = False  # that is not told one by one
        self._key = key
        stated, fitting = _stated(header[-_MAC_FROM_END:]), self._fitting(_START, header[:-_MAC_FROM_END])
        if key is None:
            self.tell("foreign", 1, "It was sealed with a key that is not here, so nobody can tell if it was changed.")
        elif stated != fitting:
            self.tell("altered", 1, "Its first line was changed after it was saved.")
        self._n = n
        self._last = stated
        self._others = {fitting}  # what the next line may be chained to besides, after a line that is not sound
        self._seen = {stated}
        self._recent = deque([stated], _BRANCHES)

    @property
    def revision(self) -> Revision:
        return Revision(self._n, self._last.decode())

    def tell(self, kind: str, line: int, message: str) -> None:
        if len(self.damage) < _TOLD or kind not in self._kinds:
            self.damage.append(Damage(kind, line, message))
            self._kinds.add(kind)
        elif not self._has_more:
            self._has_more = True
            self.damage.append(Damage(kind, line, f"There is more damage from line {line} on."))

    def has_told(self, kind: str) -> bool:
        """Return whether nothing more is told of this kind of damage."""
        return len(self.damage) > _TOLD and kind in self._kinds

    def add(self, number: int, line: bytes | memoryview) -> None:
        """Take the next line, or tell why not."""
        if len(line) <= _MAC_FROM_END or line[0] != _BRACE:  # not worth the memory of parsing it
            self.tell("unreadable", number, f"Line {number} is no record; it was passed over and kept in the file.")
            return
        record, head = _loads(line), line[:-_MAC_FROM_END]
        n = record.get("n") if isinstance(record, dict) else None
        fitting = self._fitting(self._last, head)
        is_sealed = fitting != b"" and line[-_MAC_FROM_END:] == b',"mac":"' + fitting + b'"}'
        if isinstance(n, int) and is_sealed and fitting not in self._seen:
            del record["mac"]  # a sound line, as nearly all are
            self.kept.append(record)
            self._last, self._others, self._n = fitting, set(), n
            self._seen.add(fitting)
            self._recent.append(fitting)
            return
        stated = _stated(bytes(line[-_MAC_FROM_END:]))
        if not isinstance(n, int) or not stated:
            self.tell("unreadable", number, f"Line {number} is no record; it was passed over and kept in the file.")
            return
        del record["mac"]
        if self._key is None or stated in (self._fitting(mac, head) for mac in self._others):
            self.kept.append(record)
            self._others = set()
        elif self._is_branch(stated, head):
            self.tell(
                "concurrent", number, f"Line {number} was written at the same time as another one; both are read."
            )
            self.kept.append(record)
            self._others.add(self._last)
        elif stated in self._seen:
            self.tell("repeated", number, f"Line {number} repeats an earlier record; it was passed over.")
            return  # what comes next is chained to the line before it
        elif n > self._n + 1:
            self.tell("missing", number, f"{n - self._n - 1} record(s) before line {number} are missing.")
            self.kept.append(record)
            self._others = set()
        else:
            self.tell("altered", number, f"Line {number} was changed after it was saved; it was passed over.")
            self._others = {fitting, *(self._fitting(mac, head) for mac in list(self._others)[:_OTHERS])}
        self._last = stated
        self._seen.add(stated)
        self._recent.append(stated)
        self._n = n

    def _is_branch(self, stated: bytes, head: bytes | memoryview) -> bool:
        """Return whether a line was chained to one shortly before: two writers, and a mount that let both write."""
        return stated not in self._seen and any(stated == self._fitting(mac, head) for mac in self._recent)

    def _fitting(self, previous: bytes, head: bytes | memoryview) -> bytes:
        """Return the MAC that fits a line after ``previous``; empty without a key."""
        return b"" if self._key is None else self._key.mac(previous, head)


def _stated(end: bytes) -> bytes:
    """Return the MAC at the end of a line; empty where there is none of the right shape."""
    found = _SEALED.match(end)
    return found[1] if found else b""


def _no_header(data: bytes) -> str:
    if not data:
        return "the file is empty"
    if not data.strip(b"\0"):
        return f"the file is {len(data)} NUL bytes, as a power cut leaves them"
    return "its first line is no session header"


def dumps(record: Mapping[str, Any]) -> bytes:
    """Return a record as JSON, before it is sealed; also for those who send one to a store elsewhere.

    Raises:
        InvalidField: it is no JSON value, nests too deep, or holds a whole number of more than 64 bits.
    """
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError:  # lone surrogates, as a cut emoji leaves them
        try:
            return orjson.dumps(storable(record))
        except (TypeError, RecursionError) as error:
            raise InvalidField("record", f"cannot be stored as JSON: {error}") from error


def _loads(line: bytes | memoryview) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        pass
    # Without memory orjson calls a sound line no JSON; the standard library says what it is, and then it is tried again.
    try:
        json.loads(bytes(line))
        return orjson.loads(line)
    except (ValueError, RecursionError):
        return None
