"""Seals: what they are made of, and that decoding never fails in a way of its own."""

from __future__ import annotations

import contextlib
import hmac
import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core import records
from jido_jupyter.errors import CorruptSession, UnsupportedFormat
from jido_jupyter.store import codec

KEY = codec.Key(b"k" * 32)
KEYS = codec.Keys([b"k" * 32])
HEADER = {**records.header("one", "2026-11-22T09:00:00.000Z"), "kid": KEY.id}


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=80), st.lists(st.binary(max_size=200), max_size=3))
def test_a_mac_is_hmac_sha256(key: bytes, previous: bytes, pieces: list[bytes]) -> None:
    """The two padded blocks that are kept give what the standard library's HMAC gives."""
    expected = hmac.digest(key, previous + b"".join(pieces), "sha256").hex().encode()

    assert codec.Key(key).mac(previous, *pieces) == expected


def test_lines_are_json_for_everybody() -> None:
    """Each line is one JSON object whose last members are its number and its MAC."""
    data, revision = codec.seal([HEADER, {"t": "meta", "set": {"title": "Ä"}}], None, KEY)

    lines = [json.loads(line) for line in data.splitlines()]

    assert [list(line)[-2:] for line in lines] == [["n", "mac"]] * 2
    assert (lines[1]["n"], lines[1]["mac"]) == (revision.n, revision.seal)
    assert codec.tail(data[-codec.TAIL_MAX :]) == revision


def test_what_was_read_can_be_sealed_again() -> None:
    """Records that were read carry their number; it does not get into the new line twice."""
    data, _ = codec.seal([HEADER, {"t": "meta", "set": {}}], None, KEY)
    stored = codec.decode(data, "one", KEYS, "path").stored

    again, _ = codec.seal([stored.header, *stored.records], None, KEY)

    assert again == data


def test_a_long_line_is_sealed_like_a_short_one() -> None:
    """Lines on both sides of the length from which views are used decode alike."""
    log = [{"t": "meta", "set": {"title": "x" * size}} for size in (10, codec._LONG - 100, codec._LONG + 100, 10**6)]
    data, revision = codec.seal([HEADER, *log], None, KEY)

    stored = codec.decode(data, "one", KEYS, "path").stored

    assert stored.damage == ()
    assert stored.revision == revision
    assert len(stored.records) == 4


SOUND = codec.seal([HEADER, *({"t": "meta", "set": {"title": str(number)}} for number in range(4))], None, KEY)[0]


@given(
    st.lists(st.tuples(st.integers(0, len(SOUND)), st.integers(0, 40), st.binary(max_size=40)), min_size=1, max_size=4)
)
def test_anything_is_decoded_or_refused(cuts: list[tuple[int, int, bytes]]) -> None:
    """Bytes cut out and put in anywhere give records and damage, or an error of ours; changed bytes are never unseen."""
    data = SOUND
    for start, length, put in cuts:
        data = data[:start] + put + data[start + length :]

    with contextlib.suppress(CorruptSession, UnsupportedFormat):
        stored = codec.decode(data, "one", KEYS, "path").stored
        titles = [record["set"]["title"] for record in stored.records]
        assert stored.damage or titles == [str(number) for number in range(len(titles))]


@given(st.binary(max_size=300))
def test_any_line_in_a_frame_is_handled(line: bytes) -> None:
    """A line that carries a right seal but is no record is told like any other damage."""
    previous = SOUND.splitlines()[-1][-66:-2]
    head = line.replace(b"\n", b" ")
    framed = SOUND + head + b',"mac":"' + KEY.mac(previous, head) + b'"}\n'

    stored = codec.decode(framed, "one", KEYS, "path").stored

    assert len(stored.records) >= 4
    assert stored.damage or orjson.loads(framed.splitlines()[-1])["n"] is not None
