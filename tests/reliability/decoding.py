"""Inputs for the decoder, raw and re-framed, by the million, and what must be true of each answer.

*Raw*: the bytes of a session file, mutated: bits, cuts, splices from other sessions and other histories of the same
one, lines swapped, numbers edited, holes of NUL bytes. Only what was sealed in its place may come back as verified,
what stands before the first damage comes back whole, and damage is told unless nothing was changed.

*Re-framed*: the JSON of the records mutated and then sealed with the right key, which alone reaches what lies behind
the check. Each record comes back as it was sealed, a line that is no record costs that line only, and no session that
such records make is a surprise to those who replay, list, or compact it.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Record
from jido_jupyter.core.session import SessionState, compacted, replay, summarise
from jido_jupyter.errors import CorruptSession, UnsupportedFormat
from jido_jupyter.store import codec
from jido_jupyter.store.contract import Stored
from jido_jupyter.testing.store_conformance import AT
from tests.reliability.report import Tally
from tests.reliability.workload import KEYS, header_of

Decode = Callable[[bytes], Stored]
Span = tuple[int, int]

# What is known to go wrong and waits for its repair: told in the notes, and no violation as long as it stands here.
KNOWN: Final[dict[str, str]] = {}
THOROUGH: Final = 15  # one input in so many is looked at in every way; no multiple of the samples
_PROMISED: Final = (CorruptSession, UnsupportedFormat)
_PIECES: Final = (
    b"null", b"true", b"false", b"0", b"-1", b"1e400", b"-0.0", b"9223372036854775807", b"18446744073709551616", b'""',
    b'"\\u0000"', b'"\\ud83d\\ude00"', b'" "', b"[]", b"{}", b"[null]", b"[[]]", b"[1,2]", b'{"a":null}', b'["a",1]',
    b'{"id":"m","role":"user","parts":[],"created_at":"x"}', b'{"type":"tool_call"}', b'"m1"', b'"m2"',
    b'{"type":"tool_call","id":"c9","name":"n","arguments":{}}', b'{"type":"tool_call_response","id":[]}',
    b'[{"type":"text","content":1}]',
    b'"header"', b'"messages"', b'"partial"', b'"meta"', b'"rewind"', b'"open"', b'"close"', b'"todos"', b'"summary"',
    b'"context"', b'"new kind"', b"[" * 300, b'{"title":1,"tags":[1],"pinned":"x"}', b"[" * 100 + b"]" * 100,
)  # fmt: skip
_KEYS: Final = (
    b'"t"', b'"at"', b'"messages"', b'"message"', b'"text"', b'"set"', b'"to"', b'"id"', b'"role"', b'"parts"', b'"n"',
    b'"mac"', b'"type"', b'"content"', b'"created_at"', b'"title"', b'"tags"', b'"status"', b'"model"', b'"new"', b'""',
)  # fmt: skip


def decode(data: bytes) -> Stored:
    return codec.decode(data, "one", KEYS, "one.jsonl").stored


def fuzz(inputs: int, seed: str, decoded_by: Decode = decode) -> Tally:
    """Try so many inputs, every second one re-framed."""
    tally, rng = Tally(), random.Random(seed)
    for number in range(inputs // 2):
        sample = SAMPLES[number % len(SAMPLES)]
        data, is_flip = mutated(sample, rng)
        is_thorough = number % THOROUGH == 0
        problems = judge_raw(sample, data, decoded_by, is_flip=is_flip, is_thorough=is_thorough)
        _note(tally, f"raw bytes {number} of {seed}", problems)
        lines = reframed(sample, rng)
        problems = judge_reframed(lines, decoded_by, is_thorough=is_thorough)
        _note(tally, f"re-framed {number} of {seed}", problems)
    tally.tried = inputs // 2 * 2
    return tally


def _note(tally: Tally, what: str, problems: Sequence[str]) -> None:
    if not problems:
        return
    known = [
        gap for problem in problems if (gap := next((KNOWN[start] for start in KNOWN if problem.startswith(start)), ""))
    ]
    for gap in known:
        tally.count(f"KNOWN GAP, {gap}:")
    if len(known) < len(problems):
        tally.check(what, [problem[:200] for problem in problems])


@dataclass(frozen=True)
class Sample:
    """A session file, and what it is made of."""

    data: bytes
    lines: tuple[bytes, ...]  # with their ends
    bodies: tuple[bytes, ...]  # JSON without its last brace, ``n`` and ``mac``
    values: tuple[tuple[Span, ...], ...]  # of each body: where its values are
    keys: tuple[tuple[Span, ...], ...]  # of each body: where its keys are
    records: tuple[Record, ...]  # as they are to come back, the header left out


def _sample(session_id: str, log: Sequence[Record]) -> Sample:
    whole = [{**header_of(session_id), "at": "0"}, *log]
    data, _ = codec.seal(whole, None, KEYS.newest.of(session_id))
    lines = tuple(data.splitlines(keepends=True))
    spans = [_spans(record) for record in whole]
    return Sample(
        data,
        lines,
        tuple(orjson.dumps(record)[:-1] for record in whole),
        tuple(values for values, _ in spans),
        tuple(keys for _, keys in spans),
        tuple({**record, "n": n} for n, record in enumerate(log, 1)),
    )


def _spans(record: Record) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return where the values, and where the keys of a JSON object lie, as orjson writes it."""
    values: list[Span] = []
    keys: list[Span] = []

    def walk(value: Any, at: int) -> int:
        start = at
        if isinstance(value, Mapping):
            for key, member in value.items():
                end = at + 1 + len(orjson.dumps(key))
                keys.append((at + 1, end))
                at = walk(member, end + 1)
            at = at + 1 if value else at + 2
        elif isinstance(value, list | tuple):
            for item in value:
                at = walk(item, at + 1)
            at = at + 1 if value else at + 2
        else:
            at += len(orjson.dumps(value))
        values.append((start, at))
        return at

    assert walk(record, 0) == len(orjson.dumps(record))
    return tuple(values[:-1]), tuple(keys)


_LATER: Final = (  # kinds of records that not each version knows
    ("todos", "10", {"todos": [{"text": "a", "status": "open"}]}),
    ("summary", "11", {"to": "m1", "text": "s"}),
    ("context", "12", {"context": {"folder": "f"}}),
)


def _samples() -> tuple[Sample, ...]:
    """Return four histories of session ``one``; each record has a time of its own, by which it is known again."""

    def said(number: int, at: str, *parts: Mapping[str, Any], role: str = "user") -> Record:
        return records.messages([Message(f"m{number}", role, parts or (text_part(f"text {number}"),), AT)], at)

    call = {"type": "tool_call", "id": "c1", "name": "n", "arguments": {"a": 1}}
    answer = {"type": "tool_call_response", "id": "c1", "response": "r"}
    first = said(1, "1")
    return (
        _sample("one", [first, records.partial("m2", "some", "2"), said(3, "3")]),
        _sample("one", [first, said(4, "4", call, role="assistant"), said(5, "5", answer, role="tool")]),
        _sample(
            "one", [first, records.meta({"title": "t", "tags": ["a"], "pinned": True}, "6"), records.rewind("m1", "7")]
        ),
        _sample("one", [first, *({"t": kind, "at": at, **members} for kind, at, members in _LATER)]),
    )


SAMPLES: Final = _samples()
_OTHER: Final = _sample("two", [records.meta({"title": "of two"}, "8"), records.partial("m9", "of two", "9")])
_LEGIT: Final = {(record["n"], record["at"]): record for sample in SAMPLES for record in sample.records}
_SPLICED: Final = (*SAMPLES[:3], _OTHER)
_VALUES: Final = _PIECES + tuple(
    body[a:b] for sample in SAMPLES for body, spans in zip(sample.bodies, sample.values, strict=True) for a, b in spans
)


_PARSED: Final = {
    line: orjson.loads(line) for sample in SAMPLES for line in sample.lines
}  # most lines stay as they are
for _record in _PARSED.values():
    del _record["mac"]


def mutated(sample: Sample, rng: random.Random) -> tuple[bytes, bool]:
    """Return the bytes of a file after one to three mutations, and whether a flipped bit is all that they are."""
    data = bytearray(sample.data)
    bits = rng.getrandbits(64)
    count = (1, 1, 2, 3)[bits & 3]
    bits >>= 2
    is_flip = count == 1
    for _ in range(count):
        kind, place, more = bits & 15, (bits >> 4 & 0xFFFFFF) % (len(data) + 1), bits >> 28
        bits = rng.getrandbits(64)
        is_flip = is_flip and kind < 5 and place < len(data)
        if kind < 5:
            if place < len(data):
                data[place] ^= 1 << (more & 7)
        elif kind == 5:
            del data[place:]
        elif kind == 6:
            del data[place : place + (more & 63)]
        elif kind == 7:  # some of another file, or of this one
            other = _SPLICED[more & 3].data
            start = (more >> 2 & 0xFFFF) % len(other)
            data[place:place] = other[start : start + (more >> 18 & 255)]
        elif kind == 8:  # a line of another file, or of this one, anywhere or instead of one
            lines = data.splitlines(keepends=True)
            others = _SPLICED[more & 3].lines
            at = (more >> 2) % (len(lines) + 1)
            lines[at : at + (more >> 12 & 1)] = [bytearray(others[(more >> 13) % len(others)])]
            data = bytearray().join(lines)
        elif kind == 9:  # lines swapped, taken out, or doubled
            lines = data.splitlines(keepends=True)
            if len(lines) > 1:
                at, to = more % len(lines), (more >> 8) % len(lines)
                lines[at], lines[to] = lines[to], lines[at]
                if more >> 16 & 1:
                    del lines[at]
                data = bytearray().join(lines)
        elif kind == 10:
            data[place : place + (more & 31)] = bytes(more >> 8 & 31)
        elif kind == 11:
            data[place:place] = _PIECES[more % len(_PIECES)]
        elif kind == 12:
            data[place:place] = b"\n"
        elif kind == 13:
            data[place : place + 4] = (more & 0xFFFFFFFF).to_bytes(4, "little")
        else:  # the next digit is another
            while place < len(data) and not 48 <= data[place] < 58:
                place += 1
            if place < len(data):
                data[place] = 48 + more % 10
    return bytes(data), is_flip


def reframed(sample: Sample, rng: random.Random) -> list[bytes]:
    """Return the lines of a file with one to three mutations of its JSON, sealed anew."""
    bits = rng.getrandbits(64)
    bodies = list(sample.bodies)
    first = len(bodies)  # of the lines that change
    for _ in range((1, 1, 2, 3)[bits & 3]):
        at = (bits >> 2 & 0xFFFF) % len(sample.bodies)
        kind, pick, choice = bits >> 18 & 15, bits >> 22 & 0xFFFF, bits >> 38
        bits = rng.getrandbits(64)
        if at >= len(bodies):
            continue
        if kind < 10:
            if bodies[at] is not sample.bodies[at]:  # its spans are not right any more
                continue
            start, end = sample.values[at][pick % len(sample.values[at])]
            bodies[at] = bodies[at][:start] + _VALUES[choice % len(_VALUES)] + bodies[at][end:]
        elif kind < 12:
            if bodies[at] is not sample.bodies[at]:
                continue
            start, end = sample.keys[at][pick % len(sample.keys[at])]
            bodies[at] = bodies[at][:start] + _KEYS[choice % len(_KEYS)] + bodies[at][end:]
        elif kind == 12:
            start = pick % len(bodies[at])
            bodies[at] = bodies[at][:start] + bytes((choice & 255 or 1,)).replace(b"\n", b"") + bodies[at][start + 1 :]
        elif kind == 13:
            bodies[at] = bodies[at][: pick % len(bodies[at])] or b"{"
        elif kind == 14 and at:
            bodies.insert(at, bodies[pick % len(bodies)])
        elif at:
            del bodies[at]
        first = min(first, at)
    return _sealed(bodies, first, sample.lines)


def framed(raw: bytes) -> list[bytes]:
    """Return the lines of a file whose records are the lines of ``raw``, sealed as ours are."""
    return _sealed(
        [SAMPLES[0].bodies[0], *(line.rstrip(b"}") for line in raw.split(b"\n") if line.rstrip(b"}"))], 0, ()
    )


def _sealed(bodies: Sequence[bytes], first: int, lines: Sequence[bytes]) -> list[bytes]:
    """Return ``lines``, as far as ``first``, and the bodies from there on as lines."""
    found, key = list(lines[:first]), KEYS.newest.of("one")
    seal = found[-1][-67:-3] if found else codec._START
    for n in range(first, len(bodies)):
        body, number = bodies[n], b',"n":%d' % n
        seal = key.mac(seal, body, number)
        found.append(b'%s%s,"mac":"%s"}\n' % (body, number, seal))
    return found


def judge_raw(
    sample: Sample, data: bytes, decoded_by: Decode, *, is_flip: bool = False, is_thorough: bool = True
) -> list[str]:
    """Return what is wrong with the answer to the mutated bytes of ``sample``."""
    try:
        stored = decoded_by(data)
        codec.tail(data[-codec.TAIL_MAX :])
    except _PROMISED:
        return ["refused for its header, which is as it was"] if data.startswith(sample.lines[0]) else []
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    kept, damage = stored.records, stored.damage
    if not damage:
        # A clean cut, and another history of the same session that was sealed here, too, are what no seal can tell.
        is_whole = any(kept == one.records[: len(kept)] and one.data.startswith(data) for one in SAMPLES)
        return [] if is_whole else ["damage is not told"]
    problems = []
    sound = damage[0].line - 2  # records before the first damage
    if sound > 0 and kept[:sound] != sample.records[:sound] and not _is_of_another_history(kept[:sound]):
        problems.append("a record before the damage is not as it was")
    if is_flip and data.count(b"\n") == len(sample.lines) and data.startswith(sample.lines[0]):
        lost = len(sample.records) - len(kept)
        if lost > 1:
            problems.append(f"one bit costs {lost} records")
    if stored.is_verified:
        problems += _not_legit(stored)
    elif is_thorough:  # it says so; then anything may be in it, and must surprise nobody
        problems += _surprises(stored)
    return problems


def _is_of_another_history(kept: Sequence[Record]) -> bool:
    """Return whether these are the first records of another sample: a splice may put one history for the other."""
    return any(tuple(kept) == sample.records[: len(kept)] for sample in SAMPLES)


def _not_legit(stored: Stored) -> Iterator[str]:
    """Yield what a session that counts as verified holds and was not sealed in its place."""
    kinds = {told.kind for told in stored.damage}
    again = "again, behind a repeated line" if "repeated" in kinds else "out of its place"
    seen: set[object] = set()
    last = 0
    for record in stored.records:
        n, at = record["n"], record.get("at")
        if not isinstance(at, str) or _LEGIT.get((n, at)) != record:
            place = "a record of another session" if record in _OTHER.records else "a record that was never sealed"
            yield f"{place}: {orjson.dumps(record).decode()}"
        elif at in seen or (n <= last and "concurrent" not in kinds):
            yield f"a record {again}: {n} after {last}"
        seen.add(at)
        last = n


def judge_reframed(lines: Sequence[bytes], decoded_by: Decode, *, is_thorough: bool = False) -> list[str]:
    """Return what is wrong with the answer to lines that are sealed right, whatever they say."""
    header = _PARSED.get(lines[0]) or _parsed(lines[0][:-1])
    is_header = (
        header is not None and header.get("t") == "header" and header.get("v") == 1 and header.get("id") == "one"
    )
    try:
        stored = decoded_by(b"".join(lines))
    except _PROMISED as error:
        return [f"refused: {error}"] if is_header else []
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    if not is_header:
        return ["no header, and not refused"]
    expected = [record for line in lines[1:] if (record := _PARSED.get(line) or _parsed(line[:-1])) is not None]
    problems = []
    if list(stored.records) != expected:
        problems.append("what comes back is not what was sealed")
    if bool(stored.damage) != (len(expected) < len(lines) - 1 or KEYS.get(header.get("kid")) is None):
        problems.append(f"told is {[told.kind for told in stored.damage]}")
    return problems + _surprises(stored, is_thorough=is_thorough)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("n"), int):
        return None
    record.pop("mac", None)
    return record


def _surprises(stored: Stored, *, is_thorough: bool = False) -> list[str]:
    """Return why what was decoded cannot be used as any session can."""
    try:
        state = replay(stored.header, stored.records)
        problems = _inconsistent(state)
        if is_thorough:
            orjson.dumps(summarise(state, "1-0"))
        if is_thorough and not problems:
            data, _ = codec.seal([header_of("one"), *compacted(state, stored.records, AT)], None, KEYS.newest.of("one"))
            again = decode(data)
            if again.damage or replay(again.header, again.records).messages != state.messages:
                problems.append("compacted, it is another session")
    except Exception as error:
        places = [frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.name.isidentifier()]
        return [f"{type(error).__name__} in {places[-1]}: {error}"]
    return problems


def _inconsistent(state: SessionState) -> list[str]:
    problems, seen, calls, answers = [], set(), set(), set()
    for message in state.messages:
        if message.id in seen:
            problems.append("two messages of one id")
        if not message.id or not message.created_at:
            problems.append("an answer that no message can be")
        seen.add(message.id)
        for part in message.parts:
            if part["type"] == "tool_call":
                calls.add(part["id"])
            elif part["type"] == "tool_call_response":
                answers.add(part["id"])
    return problems + (["a call without an answer"] if calls - answers else [])


# Decoders that are broken on purpose


def without_seals(data: bytes) -> Stored:
    """Take whatever is JSON."""
    stored = decode(data)
    found = [record for line in data.split(b"\n")[1:] if (record := _parsed(line)) is not None]
    return Stored(stored.header, tuple(found), stored.revision)


def up_to_the_first_bad_line(data: bytes) -> Stored:
    """Drop what stands behind a bad line, as some session tools do."""
    stored = decode(data)
    if not stored.damage:
        return stored
    return Stored(stored.header, stored.records[: max(0, stored.damage[0].line - 2)], stored.revision, stored.damage)


def with_the_parsers_errors(data: bytes) -> Stored:
    """Let through what the parser raises."""
    for line in data.split(b"\n"):
        if line:
            orjson.loads(line)
    return decode(data)


BROKEN: Final[Mapping[str, Decode]] = {
    "takes any JSON": without_seals,
    "stops at a bad line": up_to_the_first_bad_line,
    "raises the parser's errors": with_the_parsers_errors,
}
