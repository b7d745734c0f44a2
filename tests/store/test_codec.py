"""Seals: what they are made of, and that decoding never fails in a way of its own."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core import records
from jido_jupyter.errors import CorruptSession, InvalidField, UnsupportedFormat
from jido_jupyter.store import codec
from jido_jupyter.store.contract import Revision

KEY = codec.Key(b"k" * 32).of("one")
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


def lines_of(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def decoded(data: bytes, keys: codec.Keys = KEYS) -> codec.Stored:
    return codec.decode(data, "one", keys, "path").stored


def titles(stored: codec.Stored) -> list[str]:
    assert all("mac" not in record for record in stored.records)
    return [record["set"]["title"] for record in stored.records]


def told(stored: codec.Stored) -> list[tuple[str, int]]:
    return [(damage.kind, damage.line) for damage in stored.damage]


def sealed_after(data: bytes, *records_of: dict, key: codec.Key = KEY) -> bytes:
    """Return lines that a writer puts after ``data``."""
    revision = codec.tail(data[-codec.TAIL_MAX :])
    assert revision is not None
    return codec.seal(records_of, revision, key)[0]


def titled(title: str) -> dict:
    return {"t": "meta", "set": {"title": title}}


def test_the_bytes_are_what_they_were() -> None:
    """One header and one record, byte by byte: files of other releases are read by this one."""
    data, revision = codec.seal([HEADER, titled("a")], None, KEY)

    head = (
        b'{"t":"header","v":1,"id":"one","created_at":"2026-11-22T09:00:00.000Z","kid":"'
        + hashlib.sha256(b"jido_jupyter key id" + b"k" * 32).hexdigest()[:16].encode()
        + b'","n":0'
    )
    key = hmac.digest(b"k" * 32, b"jido_jupyter session key" + b"one", "sha256")
    first = hmac.digest(key, b"jido_jupyter session log" + head, "sha256").hex().encode()
    body = b'{"t":"meta","set":{"title":"a"},"n":1'
    second = hmac.digest(key, first + body, "sha256").hex().encode()
    assert data == head + b',"mac":"' + first + b'"}\n' + body + b',"mac":"' + second + b'"}\n'
    assert revision == Revision(1, second.decode())


def test_long_records_are_pieces_of_their_own() -> None:
    """Joined, the pieces are the lines; a long record is not copied, short ones are joined."""
    size = codec._LONG - len(orjson.dumps(titled(""))[:-1])
    log = [HEADER, titled("a"), titled("x" * size), titled("b"), titled("x" * (size - 1)), titled("c")]

    pieces, revision = codec.pieces(log, None, KEY)

    assert (b"".join(pieces), revision) == codec.seal(log, None, KEY)
    assert [len(piece) == codec._LONG for piece in pieces] == [False, True, False]
    assert decoded(b"".join(pieces)).damage == ()


def test_keys_are_told_in_their_order() -> None:
    """The ids are public and stand oldest first; the last key seals, each one is found by its id."""
    old, new = codec.Key(b"a" * 32), codec.Key(b"b" * 32)
    both = codec.Keys([b"a" * 32, b"b" * 32])

    assert both.ids == [old.id, new.id]
    assert both.newest.id == new.id
    assert [both.get(kid) is not None for kid in (old.id, new.id, KEY.id, None, 5, ["x"])] == [True, True, *[False] * 4]


def test_a_log_that_replaces_another_counts_on() -> None:
    """Its header gets the number that it is given, and the records the next ones."""
    data, revision = codec.seal([HEADER, titled("a")], None, KEY, start=7)

    assert [json.loads(line)["n"] for line in lines_of(data)] == [7, 8]
    assert revision.n == 8
    assert decoded(data).revision == revision
    assert decoded(data).damage == ()
    assert decoded(lines_of(data)[0]).revision.n == 7


def test_nothing_to_seal_is_no_bytes() -> None:
    """An empty log leads to the revision that it started from."""
    assert codec.seal([], Revision(3, "ab"), KEY) == (b"", Revision(3, "ab"))


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b"{}\n",
        SOUND[-codec.TAIL_MAX : -1],
        SOUND[-codec.TAIL_MAX :] + b" ",
        SOUND[-codec.TAIL_MAX :] + b"\n",
        b',"n":1,"mac":"' + b"A" * 64 + b'"}\n',
        b',"n":1,"mac":"' + b"a" * 63 + b'"}\n',
        b',"n":' + b"1" * 19 + b',"mac":"' + b"a" * 64 + b'"}\n',
        b',"n":-1,"mac":"' + b"a" * 64 + b'"}\n',
    ],
)
def test_an_end_that_is_no_whole_record_states_nothing(end: bytes) -> None:
    """Only a number and a seal in the last bytes are a revision."""
    assert codec.tail(end) is None


def test_the_longest_end_fits_into_the_tail() -> None:
    """A number of 18 digits and its seal are found in the bytes that a writer reads."""
    data, revision = codec.seal([titled("x" * 300)], Revision(10**18 - 2, "a" * 64), KEY)

    assert codec.tail(data[-codec.TAIL_MAX :]) == revision
    assert revision.n == 10**18 - 1


@pytest.mark.parametrize("start", [b"", b"[]\n", b"5", b"\xff\n", b"{\n"])
def test_a_start_that_is_no_header_names_no_key(start: bytes) -> None:
    """A writer that finds no header finds no key either."""
    assert codec.check_version(start, "one") is None


def test_a_header_names_its_key_and_version() -> None:
    """A later version is refused before anything is written; the rest of the file is not looked at."""
    assert codec.check_version(SOUND[: codec.HEADER_MAX], "one") == KEY.id
    assert codec.check_version(b'{"v":1}\n{', "one") is None

    for version in (b"2", b"null", b"0"):
        with pytest.raises(UnsupportedFormat, match="Session 12345678 "):
            codec.check_version(b'{"v":' + version + b"}\n", "1234567890")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"\0", "1 NUL bytes"),
        (b"\0" * 20, "20 NUL bytes"),
        (b"\0\0x", "no session header"),
        (b"\n", "no session header"),
        (b"5\n", "no session header"),
        (b'{"t":"meta"}\n', "no session header"),
        (SOUND.splitlines()[0], "no session header"),
        (SOUND.replace(b'"id":"one"', b'"id":"two"', 1), "holds session 'two'"),
    ],
)
def test_what_is_no_session_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    """The error carries the session, the reason and the file."""
    with pytest.raises(CorruptSession, match=reason) as refusal:
        codec.decode(data, "one", KEYS, "the path")

    assert (refusal.value.session_id, refusal.value.path) == ("one", "the path")
    assert reason in refusal.value.reason


def test_a_later_version_is_refused_not_read() -> None:
    """Its format is named; nothing is guessed."""
    with pytest.raises(UnsupportedFormat, match=r"Session one .* version 2,"):
        codec.decode(SOUND.replace(b'"v":1', b'"v":2', 1), "one", KEYS, "path")


def test_a_header_comes_without_its_seal() -> None:
    """Number and MAC are the file's, not the session's; the records keep their number."""
    stored = decoded(SOUND)

    assert stored.header == HEADER
    assert [dict(record) for record in stored.records] == [{**titled(str(n)), "n": n + 1} for n in range(4)]
    assert stored.revision == codec.tail(SOUND[-codec.TAIL_MAX :])


@pytest.mark.parametrize(
    ("number", "told_as"), [(b'"n":true', None), (b'"n":"0"', [("altered", 1)]), (b'"m":0', [("altered", 1)])]
)
def test_a_header_without_a_number_counts_from_zero(number: bytes, told_as: object) -> None:
    """A changed header is told and the session read."""
    data = SOUND.replace(b'"n":0', number, 1)

    stored = decoded(data)

    assert titles(stored) == ["0", "1", "2", "3"]
    assert told(stored) == (told_as or [("altered", 1)])
    assert decoded(lines_of(data)[0]).revision.n == (1 if number == b'"n":true' else 0)


def test_a_changed_header_is_told_once() -> None:
    """The records after it are chained to what it states, so they are read without a word."""
    stored = decoded(SOUND.replace(b"09:00", b"10:00", 1))

    assert told(stored) == [("altered", 1)]
    assert not stored.is_verified
    assert titles(stored) == ["0", "1", "2", "3"]


def test_a_header_that_was_brought_in_shape_fits_the_records() -> None:
    """Where only the seal of the header was lost, the first record is chained to the one that fits."""
    first, *rest = lines_of(SOUND)
    data = first[:-67] + b"0" * 64 + b'"}\n' + b"".join(rest)

    stored = decoded(data)

    assert told(stored) == [("altered", 1)]
    assert titles(stored) == ["0", "1", "2", "3"]


def test_a_header_whose_seal_has_no_shape_is_told() -> None:
    """A first line that ends in no MAC is a changed one."""
    first, *rest = lines_of(SOUND)
    data = first[:-67] + b"Z" * 64 + b'"}\n' + b"".join(rest)

    stored = decoded(data)

    assert told(stored) == [("altered", 1)]
    assert titles(stored) == ["0", "1", "2", "3"]


def test_without_the_key_everything_is_read_unverified() -> None:
    """A foreign log is told once, whatever its lines state."""
    data = SOUND.replace(b'"title":"2"', b'"title":"7"')

    stored = decoded(data, codec.Keys([b"z" * 32]))

    assert told(stored) == [("foreign", 1)]
    assert titles(stored) == ["0", "1", "7", "3"]
    assert stored.revision == codec.tail(SOUND[-codec.TAIL_MAX :])


def test_a_changed_line_costs_itself() -> None:
    """It is told with its number, and the next ones count."""
    stored = decoded(SOUND.replace(b'"title":"1"', b'"title":"7"'))

    assert told(stored) == [("altered", 3)]
    assert titles(stored) == ["0", "2", "3"]
    assert stored.is_verified
    assert stored.revision == codec.tail(SOUND[-codec.TAIL_MAX :])


def test_a_line_whose_seal_alone_changed_costs_itself() -> None:
    """The next record is chained to the seal that the line should have."""
    lines = lines_of(SOUND)
    lines[2] = lines[2][:-67] + (b"0" if lines[2][-67:-66] != b"0" else b"1") + lines[2][-66:]

    stored = decoded(b"".join(lines))

    assert told(stored) == [("altered", 3)]
    assert titles(stored) == ["0", "2", "3"]


def test_changed_lines_in_a_row_cost_themselves() -> None:
    """Over several lines the chain is followed by what each one states and by what it should."""
    lines = lines_of(SOUND)
    for index in (2, 3):
        lines[index] = lines[index].replace(b'"title":"', b'"title":"x')

    stored = decoded(b"".join(lines))

    assert told(stored) == [("altered", 3), ("altered", 4)]
    assert titles(stored) == ["0", "3"]


def test_changed_seals_in_a_row_cost_themselves() -> None:
    """Where two lines lost their seals, the record after them is found by the seals that they should have."""
    lines = lines_of(SOUND)
    for index in (2, 3):
        lines[index] = lines[index][:-67] + (b"0" if lines[index][-67:-66] != b"0" else b"1") + lines[index][-66:]

    stored = decoded(b"".join(lines))

    assert told(stored) == [("altered", 3), ("altered", 4)]
    assert titles(stored) == ["0", "3"]


def test_a_last_line_that_was_changed_can_be_added_to() -> None:
    """The revision is what the last line states, be it sound or not: a writer compares just that."""
    data = SOUND.replace(b'"title":"3"', b'"title":"7"')

    more = decoded(data + sealed_after(data, titled("4")))

    assert told(more) == [("altered", 5)]
    assert titles(more) == ["0", "1", "2", "4"]


@pytest.mark.parametrize("line", [b"", b"x", b"{}", b"[" * 200, b'{"n":1}', b"x" * 200, b'"' + b"x" * 200])
def test_a_line_that_is_no_record_is_passed_over(line: bytes) -> None:
    """It is told as unreadable, by its number; the chain goes on around it."""
    lines = lines_of(SOUND)

    stored = decoded(b"".join([*lines[:3], line + b"\n", *lines[3:]]))

    assert told(stored) == [("unreadable", 4)]
    assert titles(stored) == ["0", "1", "2", "3"]
    assert stored.is_verified
    assert "Line 4 " in stored.damage[0].message


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":"meta","set":{"title":"x"},"mac":"' + b"a" * 64 + b'"}',
        b'{"t":"meta","set":{"title":"x"},"n":"5","mac":"' + b"a" * 64 + b'"}',
        b'{"t":"meta","set":{"title":"x"},"n":5,"mac":"' + b"A" * 64 + b'"}',
        b'{"t":"meta","set":{"title":"x"},"n":5,"mac":"' + b"a" * 64 + b'" }',
        b'{"t":"meta","set":{"title":"x"},"mac":"' + b"a" * 64 + b'","n":5}',
        b'{"t":"meta","set":{"title":"x' + b"y" * 100 + b'"},"n":5}',
    ],
)
def test_a_record_without_number_or_seal_is_none(line: bytes) -> None:
    """A JSON object alone proves nothing and is passed over."""
    stored = decoded(SOUND + line + b"\n")

    assert told(stored) == [("unreadable", 6)]
    assert titles(stored) == ["0", "1", "2", "3"]


def test_a_framed_line_that_is_no_json_is_none() -> None:
    """Right length, right seal, wrong inside."""
    previous = SOUND.splitlines()[-1][-66:-2]
    head = b'{"t":"meta","n":5,'

    stored = decoded(SOUND + head + b',"mac":"' + KEY.mac(previous, head) + b'"}\n')

    assert told(stored) == [("unreadable", 6)]


def test_a_gap_is_told_with_its_size() -> None:
    """What was taken out is counted; what follows is read, and cannot be proven."""
    lines = lines_of(SOUND)

    stored = decoded(b"".join([*lines[:2], *lines[4:]]))

    assert told(stored) == [("missing", 3)]
    assert "2 record(s) before line 3 are missing" in stored.damage[0].message
    assert titles(stored) == ["0", "3"]
    assert not stored.is_verified
    assert stored.revision == codec.tail(SOUND[-codec.TAIL_MAX :])


def test_a_record_after_a_gap_counts_for_those_after_it() -> None:
    """Behind the gap the chain is whole again."""
    data, _ = codec.seal([HEADER, *map(titled, "abcdef")], None, KEY)
    lines = lines_of(data)

    stored = decoded(b"".join([*lines[:2], *lines[3:]]))

    assert told(stored) == [("missing", 3)]
    assert titles(stored) == ["a", "c", "d", "e", "f"]


def test_a_repeated_line_is_passed_over() -> None:
    """A second copy, at once or later, is told as one, and what comes after it counts."""
    lines = lines_of(SOUND)

    at_once = decoded(b"".join([*lines[:3], lines[2], *lines[3:]]))
    later = decoded(b"".join([*lines, lines[2]]))
    block = decoded(b"".join([*lines[:4], *lines[2:4], *lines[4:]]))

    assert told(at_once) == [("repeated", 4)]
    assert titles(at_once) == ["0", "1", "2", "3"]
    assert told(later) == [("repeated", 6)]
    assert titles(later) == ["0", "1", "2", "3"]
    assert told(block) == [("repeated", 5), ("repeated", 6)]
    assert titles(block) == ["0", "1", "2", "3"]


def test_an_earlier_line_in_between_costs_nothing() -> None:
    """What comes after it is chained to the line before it."""
    lines = lines_of(SOUND)

    stored = decoded(b"".join([*lines[:4], lines[2], *lines[4:]]))

    assert told(stored) == [("repeated", 5)]
    assert titles(stored) == ["0", "1", "2", "3"]


def test_a_changed_line_that_stands_twice_is_repeated() -> None:
    """What it states is known, be it sound or not."""
    lines = lines_of(SOUND.replace(b'"title":"1"', b'"title":"7"'))

    stored = decoded(b"".join([*lines[:3], lines[2], *lines[3:]]))

    assert told(stored) == [("altered", 3), ("repeated", 4)]
    assert titles(stored) == ["0", "2", "3"]


def test_damage_of_several_kinds_in_a_row_costs_itself() -> None:
    """After a gap, or a line that was found by the seal it should have, the next damage is told like the first."""
    data, _ = codec.seal([HEADER, *map(titled, "abcdefg")], None, KEY)
    lines = lines_of(data)
    changed = [line.replace(b'"title":"', b'"title":"x') for line in lines]
    other_seal = lines[2][:-67] + (b"0" if lines[2][-67:-66] != b"0" else b"1") + lines[2][-66:]

    found = decoded(b"".join([*lines[:2], other_seal, lines[3], changed[4], *lines[5:]]))
    gap = decoded(b"".join([*lines[:2], lines[3], changed[4], *lines[5:]]))

    assert told(found) == [("altered", 3), ("altered", 5)]
    assert titles(found) == ["a", "c", "e", "f", "g"]
    assert told(gap) == [("missing", 3), ("altered", 4)]
    assert titles(gap) == ["a", "c", "e", "f", "g"]


def test_two_writers_after_a_changed_line_are_both_read() -> None:
    """Each was chained to what that line states."""
    data = SOUND.replace(b'"title":"3"', b'"title":"7"')
    one, two = sealed_after(data, titled("one")), sealed_after(data, titled("two"))

    stored = decoded(data + one + two)

    assert told(stored) == [("altered", 5), ("concurrent", 7)]
    assert titles(stored)[3:] == ["one", "two"]


def test_a_header_that_stands_twice_is_repeated() -> None:
    """The first line is known like any other."""
    lines = lines_of(SOUND)

    stored = decoded(b"".join([lines[0], *lines]))

    assert told(stored)[0] == ("repeated", 2)
    assert titles(stored) == ["0", "1", "2", "3"]


def test_two_writers_are_both_read() -> None:
    """A line that is chained to one shortly before was written at the same time; both go on."""
    one, two = sealed_after(SOUND, titled("one")), sealed_after(SOUND, titled("two"))

    stored = decoded(SOUND + one + two)
    first_goes_on = decoded(SOUND + one + two + sealed_after(SOUND + one, titled("more")))
    second_goes_on = decoded(SOUND + one + two + sealed_after(SOUND + two, titled("more")))

    assert told(stored) == [("concurrent", 7)]
    assert titles(stored)[4:] == ["one", "two"]
    assert told(first_goes_on) == told(second_goes_on) == [("concurrent", 7)]
    assert titles(first_goes_on)[4:] == titles(second_goes_on)[4:] == ["one", "two", "more"]
    assert stored.is_verified


@pytest.mark.parametrize(("lines_between", "is_found"), [(15, True), (16, False)])
def test_a_branch_is_looked_for_a_few_lines_back(lines_between: int, is_found: bool) -> None:
    """A concurrent writer was at most so many lines behind; one from further back is no record of ours."""
    late = sealed_after(SOUND, titled("late"))
    data = SOUND + sealed_after(SOUND, *(titled(f"b{number}") for number in range(lines_between)))

    stored = decoded(data + late)

    assert told(stored) == [("concurrent" if is_found else "altered", 6 + lines_between)]
    assert ("late" in titles(stored)) == is_found


def test_a_line_of_another_session_is_no_branch() -> None:
    """Even of the same key: its chain starts with another header."""
    other = codec.seal([{**HEADER, "id": "two"}, *(titled(f"x{n}") for n in range(5))], None, KEY)[0]

    stored = decoded(SOUND + lines_of(other)[5])

    assert told(stored) == [("altered", 6)]
    assert titles(stored) == ["0", "1", "2", "3"]


def test_a_torn_end_is_told_and_measured() -> None:
    """What has no line end was never acknowledged; the sound bytes end before it."""
    for cut in (1, 20, 60):
        found = codec.decode(SOUND + SOUND[:cut], "one", KEYS, "path")

        assert told(found.stored) == [("torn", 6)]
        assert found.sound_bytes == len(SOUND)
        assert titles(found.stored) == ["0", "1", "2", "3"]
    assert codec.decode(SOUND, "one", KEYS, "path").sound_bytes == len(SOUND)


def partial(text: str) -> dict:
    return {"t": "partial", "message": "a", "text": text}


@pytest.mark.parametrize(
    ("lines", "is_torn"),
    [
        ([b"\0" * 40], True),
        ([b"\0" * 40 + b"\n"], True),
        ([b'{"x":"' + b"\0" * 40 + b'"}\n', b'{"t":"partial"}\n'], True),
        ([b"\0\n", b"garbage\n", b'{"t":"partial"}\n', b"{"], True),
        ([b"\0\n", b'{"t":"partial"}\n', b'{"t":"meta"}'], False),
        ([b"\0\n", b'{"t":"partial"}\n', b'{"t":"meta"}\n'], False),
        ([b"\0\n", b'{"t":"messages"}\n', b'{"t":"partial"}\n'], False),
        ([b"x\0\n", b"{}\n"], False),
        ([b"\0\n", b"[]\n"], True),
    ],
)
def test_a_hole_ends_the_log_unless_something_durable_follows(lines: list[bytes], is_torn: bool) -> None:
    """Behind a hole only pieces of a streaming answer may be cut off; anything that was durable is kept and told."""
    found = codec.decode(SOUND + b"".join(lines), "one", KEYS, "path")

    assert (found.sound_bytes == len(SOUND)) == is_torn
    assert (told(found.stored) == [("torn", 6)]) == is_torn
    assert titles(found.stored) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(("behind", "is_torn"), [(1, True), (3, True), (4, False)])
def test_a_page_that_was_never_written_ends_the_log(behind: int, is_torn: bool) -> None:
    """A power cut amid a write may leave its second page only: behind the hole stands what nobody was told is saved.

    The first line behind it begins in the hole, and is none.
    """
    hole = bytes(-len(SOUND) % 512)
    lines = sealed_after(SOUND, titled("lost"), *(titled(str(n)) for n in range(behind))).splitlines(keepends=True)

    stored = decoded(SOUND + hole + b"".join(lines[1:]))

    assert [kind for kind, _ in told(stored)] == (["torn"] if is_torn else ["unreadable", "missing"])
    assert stored.is_verified == is_torn


@pytest.mark.parametrize(("skipped", "short", "is_torn"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_a_page_amid_a_line_that_was_never_written_ends_the_log(skipped: int, short: int, is_torn: bool) -> None:
    """Only where the hole begins and ends as pages do: other NUL bytes are damage to something that may be durable."""
    data = bytearray(SOUND + sealed_after(SOUND, titled("x" * 2000), titled("behind")))
    page = len(SOUND) + 20 + -(len(SOUND) + 20) % 512
    data[page + skipped : page + 512 - short] = bytes(512 - skipped - short)

    stored = decoded(bytes(data))

    assert [kind for kind, _ in told(stored)] == (["torn"] if is_torn else ["unreadable", "missing"])
    assert stored.is_verified == is_torn


def test_sound_lines_before_a_hole_are_read() -> None:
    """A hole further down does not reach up, and a second one is seen as well."""
    data = SOUND + sealed_after(SOUND, partial("p"))
    kept = data + b"\0\0\n" + sealed_after(data, titled("kept"))

    stored = decoded(kept)
    torn = codec.decode(kept + b"\0\0\n", "one", KEYS, "path")

    assert told(stored) == [("unreadable", 7)]
    assert [record["t"] for record in stored.records] == ["meta"] * 4 + ["partial", "meta"]
    assert told(torn.stored) == [("unreadable", 7), ("torn", 9)]
    assert torn.sound_bytes == len(kept)


def test_much_damage_is_told_in_few_words() -> None:
    """A hundred lines are told one by one, then one line says that there is more; other kinds are still told."""
    data = SOUND + b"x\n" * 300 + b"y" * 100 + b"\n" + b"{"

    stored = decoded(data)

    assert len(stored.damage) == 102
    assert told(stored)[:2] == [("unreadable", 6), ("unreadable", 7)]
    assert told(stored)[99:] == [("unreadable", 105), ("unreadable", 106), ("torn", 307)]
    assert stored.damage[100].message == "There is more damage from line 106 on."


def test_records_behind_much_damage_are_read() -> None:
    """Line ends that are passed over in a hurry are counted, and what follows them is not."""
    stored = decoded(SOUND + b"\n" * 5000 + sealed_after(SOUND, titled("after")) + b"{")

    assert titles(stored) == ["0", "1", "2", "3", "after"]
    assert told(stored)[-1] == ("torn", 5007)


def test_damage_behind_much_of_another_kind_is_told() -> None:
    """A hundred lines of one kind do not hide the first of another, nor how many there are."""
    lines = lines_of(codec.seal([HEADER, *(titled(str(n)) for n in range(203))], None, KEY)[0])
    changed = [line.replace(b'"title":"', b'"title":"x') for line in lines[1:102]]

    stored = decoded(b"".join([lines[0], *changed, *lines[102:104], b"\n\n\n", *lines[104:]]))

    kinds = [kind for kind, _ in told(stored)]
    assert kinds.count("altered") == 101
    assert kinds.count("unreadable") == 1
    assert titles(stored) == [str(n) for n in range(101, 203)]


def test_a_line_that_is_too_deep_is_no_record() -> None:
    """Nesting that no reader survives is damage, not a crash."""
    deep = b'{"t":' + b"[" * 100_000 + b"]" * 100_000 + b',"n":5,"mac":"' + b"a" * 64 + b'"}\n'

    assert told(decoded(SOUND + deep)) == [("unreadable", 6)]


def test_a_lack_of_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that the quick parser refuses and the slow one reads is tried again."""
    loads, failures = orjson.loads, iter(range(1))

    def refuse(line):
        if next(failures, None) is not None:
            raise orjson.JSONDecodeError("memory allocation failed", "", 0)
        return loads(line)

    monkeypatch.setattr(codec.orjson, "loads", refuse)

    assert decoded(SOUND).damage == ()


def test_numbers_that_json_has_are_stored() -> None:
    """Beside text and containers, whatever their order."""
    record = {"t": "x", "a": [1.5, (2, "x"), {"b": -0.25}], "c": 1e300, "d": None, "e": True}

    data, _ = codec.seal([record], Revision(0, "00"), KEY)

    assert json.loads(data)["a"] == [1.5, [2, "x"], {"b": -0.25}]


@pytest.mark.parametrize("value", [object(), {1, 2}, 2**70, {5: "x"}])
def test_what_is_no_json_is_refused(value: object) -> None:
    """The error names the record; nothing is written."""
    with pytest.raises(InvalidField, match="cannot be stored as JSON") as refusal:
        codec.seal([{"t": "x", "value": value}], Revision(0, ""), KEY)

    assert refusal.value.path == "record"


def test_what_is_nested_too_deep_is_refused() -> None:
    """A value that no reader would survive is not stored."""
    value: object = "x"
    for _ in range(100_000):
        value = [value]

    with pytest.raises(InvalidField, match="cannot be stored as JSON"):
        codec.seal([{"t": "x", "value": value}], Revision(0, ""), KEY)


def test_a_cut_emoji_is_stored_as_a_mark() -> None:
    """Half of a surrogate pair becomes U+FFFD, in names and in texts."""
    data, _ = codec.seal([{"t": "x", "\ud83d": ["\ud83d"]}], Revision(0, "00"), KEY)

    assert json.loads(data)["\ufffd"] == ["\ufffd"]


def test_lines_of_another_session_never_count() -> None:
    """A whole file of another session, sealed with the same key, is put behind ours: none of it comes back as ours."""
    header = {**HEADER, "id": "two"}
    other, _ = codec.seal([header, *(titled(f"x{n}") for n in range(3))], None, codec.Key(b"k" * 32).of("two"))

    stored = decoded(SOUND + other)

    assert titles(stored) == ["0", "1", "2", "3"]
    assert len(told(stored)) == 4


def test_more_damage_is_told_after_a_hundred_lines_and_a_new_kind() -> None:
    """However the kinds come, what is not told one by one is told to be there."""
    lines = lines_of(codec.seal([HEADER, *(titled(str(n)) for n in range(203))], None, KEY)[0])
    changed = [line.replace(b'"title":"', b'"title":"x') for line in lines[1:]]

    stored = decoded(
        b"".join([lines[0], *changed[:100], b"junk that is long enough to be a line of its own\n", *changed[100:]])
    )

    kinds = [kind for kind, _ in told(stored)]
    assert len(kinds) == 102
    assert "more damage" in stored.damage[-1].message
