"""Records to sealed lines and back: the only place that knows the bytes of a session file.

A line is one JSON object. Its last two members are ``n``, the number of the record (the header is 0), and ``mac``, an
HMAC-SHA256 of fixed width over the previous line's MAC followed by every byte of this line before ``,"mac":``::

    {"t":"messages","at":"...","messages":[...],"n":3,"mac":"<64 hex digits>"}

So a flipped bit, a line taken out, put in, moved, or brought from another file each break the chain at a place that can
be named, the end of a file tells its revision without the rest being read, and every JSON tool reads the file.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from jido_jupyter.core.records import FORMAT, Record
from jido_jupyter.core.text import storable
from jido_jupyter.errors import CorruptSession, UnsupportedFormat
from jido_jupyter.store.contract import Damage, Revision, Stored

TAIL_MAX: Final = 128  # bytes; the longest n and MAC fit in
_TAIL: Final = re.compile(rb',"n":(\d{1,18}),"mac":"([0-9a-f]{64})"\}\n\Z')
_MAC_FROM_END: Final = len(b',"mac":"') + 64 + len(b'"}')
_SEALED: Final = re.compile(rb'\A,"mac":"([0-9a-f]{64})"\}\Z')
_START: Final = b"jido_jupyter session log"  # stands for the MAC before the header; no MAC can equal it


class Keys:
    """The keys that seal and check: the newest seals, all check."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._by_id = {key_id(key): key for key in keys}
        self.newest = key_id(keys[-1])

    def __getitem__(self, kid: str) -> bytes:
        return self._by_id[kid]

    def get(self, kid: object) -> bytes | None:
        return self._by_id.get(kid) if isinstance(kid, str) else None


def key_id(key: bytes) -> str:
    """Return the public name of a key; it does not give the key away."""
    return sha256(b"jido_jupyter key id" + key).hexdigest()[:16]


def seal(log: Sequence[Record], after: Revision | None, key: bytes) -> tuple[bytes, Revision]:
    """Return the lines of ``log`` and the revision they lead to.

    Args:
        log: records in order; with ``after=None`` the first is the header.
        after: the revision that they follow.
        key: the session's key, 32 bytes.
    """
    previous, n = (_START, -1) if after is None else (after.seal.encode(), after.n)
    lines = []
    for record in log:
        n += 1
        head = _dumps(record)[:-1] + b',"n":%d' % n
        previous = hmac.digest(key, previous + head, "sha256").hex().encode()
        lines.append(head + b',"mac":"' + previous + b'"}\n')
    return b"".join(lines), Revision(n, previous.decode())


def tail(end: bytes) -> Revision | None:
    """Return the revision that the last `TAIL_MAX` bytes of a file state; None when they are no whole record."""
    found = _TAIL.search(end)
    return Revision(int(found[1]), found[2].decode()) if found else None


@dataclass(frozen=True, slots=True)
class Decoded:
    stored: Stored
    sound_bytes: int  # the length of the file without its torn end
    key: bytes | None  # the key of its records, where we have it


def decode(data: bytes, session_id: str, keys: Keys, path: str) -> Decoded:
    """Read and check the bytes of a session file.

    A bad line costs that line only: each record is checked against the MAC that the line before it states and the one
    it should state, so that the chain holds on after a damaged line.

    Raises:
        CorruptSession: the first line is no header, or one of another session.
        UnsupportedFormat: the header is of a later version.
    """
    first, found, rest = data.partition(b"\n")
    header = _loads(first) if found else None
    if not isinstance(header, dict) or header.get("t") != "header":
        raise CorruptSession(session_id, _no_header(data), path)
    if header.get("v") != FORMAT:
        raise UnsupportedFormat(f"Session {session_id[:8]}", header.get("v"))
    if header.get("id") != session_id:
        raise CorruptSession(
            session_id, f"the file holds session {header.get('id')!r}, not the one it is named for", path
        )
    key = keys.get(header.get("kid"))
    damage: list[Damage] = []
    ends = _Seal.of(first)
    if key is None:
        damage.append(
            Damage("foreign", 1, "It was sealed with a key that is not here, so nobody can tell if it was changed.")
        )
    elif ends.stated != ends.fitting(_START, key):
        damage.append(Damage("altered", 1, "Its first line was changed after it was saved."))
    seen = {ends.stated}
    previous = {ends.stated, ends.fitting(_START, key)}  # either may be what the next line was chained to
    revision = Revision(0, ends.stated.decode("ascii", "replace"))
    kept: list[Record] = []
    position = len(first) + 1
    for number, line in enumerate(rest.split(b"\n"), start=2):
        if position + len(line) == len(data):  # what follows the last line end: nothing, or a torn write
            if line:
                damage.append(
                    Damage("torn", number, "The last write was cut off; what was acknowledged before it is here.")
                )
            break
        position += len(line) + 1
        record, ends = _loads(line), _Seal.of(line)
        n = record.get("n") if isinstance(record, dict) else None
        if not isinstance(n, int) or not ends.stated:
            damage.append(
                Damage("unreadable", number, f"Line {number} is no record; it was passed over and kept in the file.")
            )
            continue
        del record["mac"]
        fitting = {ends.fitting(mac, key) for mac in previous}
        if key is None or ends.stated in fitting:
            kept.append(record)
            previous = {ends.stated}
        elif ends.stated in seen:
            damage.append(Damage("repeated", number, f"Line {number} repeats an earlier record; it was passed over."))
            previous = {*previous, ends.stated}
        elif n > revision.n + 1:
            damage.append(
                Damage("missing", number, f"{n - revision.n - 1} record(s) before line {number} are missing.")
            )
            kept.append(record)
            previous = {ends.stated}
        else:
            damage.append(
                Damage("altered", number, f"Line {number} was changed after it was saved; it was passed over.")
            )
            previous = {ends.stated, *fitting}
        seen.add(ends.stated)
        revision = Revision(n, ends.stated.decode())
    return Decoded(Stored(header, tuple(kept), revision, tuple(damage)), position, key)


@dataclass(frozen=True, slots=True)
class _Seal:
    """The two ends of a line: what is sealed, and the MAC that it states."""

    head: bytes
    stated: bytes  # empty where there is none of the right shape

    @classmethod
    def of(cls, line: bytes) -> _Seal:
        found = _SEALED.search(line[-_MAC_FROM_END:])
        return cls(line[:-_MAC_FROM_END], found[1] if found else b"")

    def fitting(self, previous: bytes, key: bytes | None) -> bytes:
        """Return the MAC that fits the line after ``previous``; empty without a key."""
        return hmac.digest(key, previous + self.head, "sha256").hex().encode() if key else b""


def _no_header(data: bytes) -> str:
    if not data:
        return "the file is empty"
    if not data.strip(b"\0"):
        return f"the file is {len(data)} NUL bytes, as a power cut leaves them"
    return "its first line is no session header"


def _dumps(record: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError:  # lone surrogates, as a cut emoji leaves them
        return orjson.dumps(storable(record))


def _loads(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
