"""A table of rings: what its bytes mean, and which bytes make no sense."""

from __future__ import annotations

import errno
import math
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from jido_jupyter.store import rings
from jido_jupyter.store.folder import Descriptor
from jido_jupyter.store.rings import Damaged, Table, digest

EPOCH = digest("boot 1")
KEY = digest("key")
HEADER = "<8sIIIIIId16s"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "3.rings"


def create(path: Path, limit: int = 3, capacity: int = 4, closed_until: float = 0.0, is_later: bool = False) -> None:
    with path.open("wb+") as file:
        Table.create(file.fileno(), limit, capacity, EPOCH, closed_until, is_later)


def opened(path: Path) -> Table:
    return Table(Descriptor().open(str(path), os.O_RDWR), str(path))


@pytest.fixture
def table(path: Path) -> Table:
    create(path)
    return opened(path)


def filled(table: Table, *times: float, key: bytes = KEY, span: float = 10.0) -> int:
    """Return where the ring of a key is after calls at ``times``."""
    at = table.slot(key)
    for time in times:
        table.add(at, key, span, time)
    return at


def test_the_format_is_what_it_was(path: Path) -> None:
    """A table of this version, byte by byte: processes of other releases map the same file."""
    create(path, closed_until=7.5)
    table = opened(path)
    filled(table, 1.0, 2.0, span=9.0)
    table.retire()

    data = path.read_bytes()

    assert len(data) == 56 + 4 * (32 + 3 * 8)
    assert data[:56] == struct.pack(HEADER, b"jidoring", 1, 3, 4, 1, 1, 0, 7.5, EPOCH)
    at = 56 + int.from_bytes(KEY[:8], "little") % 4 * 56
    assert data[at : at + 56] == struct.pack("<16sdII3d", KEY, 9.0, 0, 2, 1.0, 2.0, 0.0)


def test_a_key_is_found_by_its_digest() -> None:
    """Sixteen bytes of BLAKE2b, as in every release."""
    assert digest("key").hex() == "82af27c64245bfd15a520134b44e6bb1"


def test_a_table_tells_what_it_is(path: Path) -> None:
    """Its header comes back, with the file that it is."""
    create(path, closed_until=7.5)

    table = opened(path)

    assert (table.limit, table.capacity, table.used, table.is_retired) == (3, 4, 0, False)
    assert (table.closed_until, table.is_later, table.epoch) == (7.5, False, EPOCH)
    assert (table.path, table.inode, table.size) == (str(path), path.stat().st_ino, path.stat().st_size)


@pytest.mark.parametrize(
    ("limit", "capacity", "used", "size", "is_sound"),
    [
        (3, 4, 0, 56 + 4 * 56, True),
        (3, 4, 4, 56 + 4 * 56, True),
        (1, 1, 0, 56 + 40, True),
        (3, 4, 5, 56 + 4 * 56, False),
        (3, 4, 0, 56 + 4 * 56 + 1, False),
        (3, 4, 0, 56 + 4 * 56 - 1, False),
        (0, 4, 0, 56 + 4 * 32, False),
        (3, 0, 0, 64, False),
        (3, 4, 0, 63, False),
        (3, 4, 0, 0, False),
    ],
)
def test_numbers_that_do_not_fit_are_damage(
    path: Path, limit: int, capacity: int, used: int, size: int, is_sound: bool
) -> None:
    """Limit, capacity, fill and size of the file have to agree."""
    header = struct.pack(HEADER, b"jidoring", 1, limit, capacity, used, 0, 0, 0.0, EPOCH)
    path.write_bytes((header + bytes(size))[:size])

    if is_sound:
        assert opened(path).used == used
    else:
        with pytest.raises(Damaged):
            opened(path)


@pytest.mark.parametrize(("magic", "version"), [(b"jidorinG", 1), (b"jidoring", 2), (b"jidoring", 0)])
def test_another_magic_or_version_is_no_table(path: Path, magic: bytes, version: int) -> None:
    """A file of something else, or of another version, is not read as a table."""
    header = struct.pack(HEADER, magic, version, 3, 4, 0, 0, 0, 0.0, EPOCH)
    path.write_bytes(header + bytes(4 * 56))

    with pytest.raises(Damaged):
        opened(path)


def test_keys_that_meet_move_on_and_are_found_again(table: Table) -> None:
    """Keys of the same place get the next free ones, around the end; a ring that is there is found, not doubled."""
    keys = [(3).to_bytes(8, "little") + bytes([number]) * 8 for number in range(1, 5)]

    places = [filled(table, 1.0, key=key) for key in keys]

    assert places == [56 + 3 * 56, 56, 56 + 56, 56 + 2 * 56]
    assert [table.slot(key) for key in keys] == places
    assert table.used == 4
    with pytest.raises(Damaged):
        table.slot((3).to_bytes(8, "little") + b"fifthkey")


def test_only_the_first_eight_bytes_choose_a_place(table: Table) -> None:
    """Where a ring is looked for is a matter of format."""
    assert table.slot((2).to_bytes(8, "little") + b"\xff" * 8) == 56 + 2 * 56


def test_eight_bytes_choose_a_place_of_any_number(path: Path) -> None:
    """Where the places are no power of two, each of the eight bytes counts, and no other."""
    create(path, capacity=5)
    table = opened(path)

    assert table.slot(bytes(7) + b"\x01" + b"\x01" * 8) == 56 + 2**56 % 5 * 56


def test_a_place_that_was_not_finished_begins_anew(table: Table, path: Path) -> None:
    """What a killed writer left behind an empty key counts for nobody."""
    at = table.slot(KEY)
    with path.open("rb+") as file:
        os.pwrite(file.fileno(), struct.pack("<dII", 5.0, 2, 2), at + 16)

    table.add(at, KEY, 10.0, 1.0)

    assert table.recent(at, 10.0, 2.0) == (1, 1.0)


def test_times_are_kept_to_the_last_bit(table: Table) -> None:
    """A count that is written beside a time changes none of its bytes."""
    at = filled(table, 0.1, 0.2)

    assert table.recent(at, 10.0, 1.0) == (2, 0.1)
    table.clear(at)
    assert table._time(at, 0) == 0.1


def test_a_place_is_empty_until_a_call_counts(table: Table) -> None:
    """Looking for a ring makes none."""
    at = table.slot(KEY)
    assert not table.has(at)

    table.add(at, KEY, 10.0, 1.0)

    assert table.has(at)
    assert table.used == 1
    table.add(at, KEY, 10.0, 2.0)
    assert table.used == 1


def test_a_ring_that_is_not_full_keeps_nobody_out(table: Table) -> None:
    """Up to the limit there is nothing to wait for."""
    at = filled(table, 1.0, 1.0)

    assert table.blocking(at, 10.0, 1.0) == 0.0


def test_a_full_ring_waits_for_its_oldest_time(table: Table) -> None:
    """It is the oldest of the last calls that keeps a new one out, also after the ring has gone round."""
    at = filled(table, 1.0, 2.0, 4.0)
    assert table.blocking(at, 10.0, 5.0) == 6.0
    table.add(at, KEY, 10.0, 11.0)

    assert table.blocking(at, 10.0, 11.5) == 0.5
    assert table.blocking(at, 10.0, 13.0) == -1.0


def test_a_ring_goes_round_and_round(table: Table) -> None:
    """After any number of calls the last ones are kept, in order."""
    at = filled(table, *map(float, range(1, 30)))

    assert [table.blocking(at, 10.0, 30.0), *table.recent(at, 100.0, 30.0)] == [7.0, 3, 27.0]
    assert table.used == 1


@pytest.mark.parametrize(
    ("times", "now", "expected"),
    [
        ((), 5.0, (0, 5.0)),
        ((1.0,), 5.0, (1, 1.0)),
        ((1.0,), 11.0, (0, 11.0)),
        ((1.0,), 10.999, (1, 1.0)),
        ((1.0, 2.0), 11.0, (1, 2.0)),
        ((1.0, 2.0, 3.0), 5.0, (3, 1.0)),
        ((1.0, 2.0, 3.0), 11.5, (2, 2.0)),
        ((1.0, 2.0, 3.0), 12.5, (1, 3.0)),
        ((1.0, 2.0, 3.0), 13.0, (0, 13.0)),
        ((1.0, 2.0, 3.0, 4.0), 5.0, (3, 2.0)),
        ((1.0, 2.0, 3.0, 4.0, 5.0), 13.5, (2, 4.0)),
    ],
)
def test_recent_calls_are_counted(table: Table, times: tuple[float, ...], now: float, expected) -> None:
    """How many calls are younger than the window, and the oldest of them; one as old as the window no longer counts."""
    at = filled(table, *times)

    assert table.recent(at, 10.0, now) == expected


@pytest.mark.parametrize("limit", [1, 2, 7, 16])
def test_recent_calls_are_counted_for_any_limit(path: Path, limit: int) -> None:
    """The search in the ring agrees with counting one by one, wherever the ring begins."""
    create(path, limit)
    table = opened(path)
    times = [float(number) for number in range(1, 2 * limit + 2)]
    for count in range(len(times)):
        at = filled(table, times[count])
        kept = times[: count + 1][-limit:]
        for now in range(count + 1, count + 2 * limit + 20):
            young = [time for time in kept if time + 10 > now]
            assert table.recent(at, 10.0, now) == (len(young), min(young, default=now))


@pytest.mark.parametrize(("head", "count"), [(0, 4), (3, 3), (9, 3)])
def test_counts_that_cannot_be_are_damage(table: Table, path: Path, head: int, count: int) -> None:
    """More calls than the limit, or an oldest place outside the ring, are not read."""
    at = filled(table, 1.0, 2.0, 3.0)
    with path.open("rb+") as file:
        os.pwrite(file.fileno(), struct.pack("<II", head, count), at + 24)

    with pytest.raises(Damaged):
        table.blocking(at, 10.0, 5.0)
    with pytest.raises(Damaged):
        table.recent(at, 10.0, 5.0)


def test_an_oldest_place_outside_is_damage_before_the_ring_is_full(table: Table, path: Path) -> None:
    """A ring with room has its oldest time in front; anything else outside the ring is damage."""
    at = filled(table, 1.0)
    with path.open("rb+") as file:
        os.pwrite(file.fileno(), struct.pack("<II", 3, 1), at + 24)

    with pytest.raises(Damaged):
        table.recent(at, 10.0, 5.0)


@pytest.mark.parametrize(("time", "is_sound"), [(6.0, True), (6.001, False), (math.nan, False), (-math.inf, False)])
def test_a_time_from_the_future_is_damage(table: Table, time: float, is_sound: bool) -> None:
    """A second ahead may be rounding; more would keep calls out for ever. What is no number is no time."""
    at = filled(table, time, 1.0, 1.0)

    if is_sound:
        assert table.blocking(at, 10.0, 5.0) == 11.0
    else:
        with pytest.raises(Damaged):
            table.blocking(at, 10.0, 5.0)


def test_clearing_forgets_times_not_the_key(table: Table) -> None:
    """A cleared ring lets in as many as a new one, and keeps its place; clearing what is not there does nothing."""
    at = filled(table, 1.0, 2.0, 3.0, 4.0)

    table.clear(at)

    assert table.recent(at, 10.0, 5.0) == (0, 5.0)
    assert table.has(at)
    table.add(at, KEY, 10.0, 5.0)
    assert table.used == 1
    assert table.recent(at, 10.0, 5.0) == (1, 5.0)
    other = table.slot(digest("other"))
    table.clear(other)
    assert not table.has(other)


def test_a_cleared_ring_begins_at_its_start(table: Table) -> None:
    """Wherever it had come to: its oldest time is the first one after."""
    at = filled(table, 1.0, 2.0, 3.0, 4.0)
    table.clear(at)

    filled(table, 5.0, 6.0, 7.0)

    assert table.blocking(at, 10.0, 8.0) == 7.0


def test_what_still_counts_moves_to_a_new_table(table: Table, tmp_path: Path) -> None:
    """Rings with a call in their own span are kept as they are; empty, cleared and past ones are not."""
    keys = [bytes([number]) * 16 for number in range(1, 5)]
    filled(table, 1.0, 2.0, 3.0, 4.0, key=keys[0], span=10.0)
    filled(table, 4.0, key=keys[1], span=9.0)
    table.clear(filled(table, 13.0, key=keys[2]))

    live = list(table.live(13.0))

    create(tmp_path / "new", capacity=8)
    fresh = opened(tmp_path / "new")
    for slot in live:
        fresh.adopt(slot)
    assert [slot[:16] for slot in live] == [keys[0]]
    assert len(list(table.live(1.0))) == 2
    assert fresh.used == 1
    assert fresh.recent(fresh.slot(keys[0]), 10.0, 5.0) == (3, 2.0)
    assert fresh.blocking(fresh.slot(keys[0]), 10.0, 5.0) == 7.0
    assert not fresh.has(fresh.slot(keys[1]))


def test_the_last_slot_is_live_too(table: Table) -> None:
    """All places are looked at, the last one and the one after a gap, and each slot comes whole."""
    first, last = (bytes([number, *bytes(7)]) + b"k" * 8 for number in (0, 3))
    filled(table, 1.0, 2.0, key=first)
    filled(table, 3.0, key=last)

    assert list(table.live(5.0)) == [
        struct.pack("<16sdII3d", first, 10.0, 0, 2, 1.0, 2.0, 0.0),
        struct.pack("<16sdII3d", last, 10.0, 0, 1, 3.0, 0.0, 0.0),
    ]


def test_a_ring_counts_as_long_as_its_last_window_said(table: Table) -> None:
    """A key whose window grew is kept for the longer one."""
    filled(table, 1.0, span=10.0)
    filled(table, 2.0, span=100.0)

    assert len(list(table.live(101.9))) == 1
    assert list(table.live(102.0)) == []


def test_a_map_is_shared(table: Table, path: Path) -> None:
    """What one process writes another one sees at once."""
    other = opened(path)

    filled(table, 1.0)
    table.retire()

    assert other.used == 1
    assert other.is_retired
    assert other.recent(other.slot(KEY), 10.0, 2.0) == (1, 1.0)


def test_a_large_table_counts_past_a_byte(tmp_path: Path) -> None:
    """The fill is four bytes, whether rings are added or taken over."""
    path = tmp_path / "large"
    create(path, limit=1, capacity=70_000)
    table = opened(path)
    add: Callable[[bytes], object] = lambda key: filled(table, 1.0, key=key)  # noqa: E731
    for number in range(300):
        add(number.to_bytes(8, "little") + b"k" * 8)
    assert table.used == 300

    fresh_path = tmp_path / "fresh"
    create(fresh_path, limit=1, capacity=70_000)
    fresh = opened(fresh_path)
    for slot in table.live(2.0):
        fresh.adopt(slot)

    assert fresh.used == 300
    assert rings.size_of(1, 70_000) == path.stat().st_size == fresh_path.stat().st_size


def test_a_retired_table_stays_retired(table: Table) -> None:
    """Whatever is still written into it."""
    table.retire()

    filled(table, 1.0)
    table.adopt(b"k" * 16 + bytes(40))

    assert table.is_retired
    assert table.used == 2


def test_a_write_that_a_full_disk_cuts_is_told(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota may let in a part of it."""
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:5], at))

    with pytest.raises(OSError, match="No space left") as refusal:
        table.retire()
        filled(table, 1.0)

    assert refusal.value.errno == errno.ENOSPC
