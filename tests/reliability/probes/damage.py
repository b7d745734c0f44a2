"""Proves that no damage to a session file passes unseen, deletes anything, or hides another session.

Every bit of every fixture is flipped and every fixture is cut at every byte; then files are replaced by each kind of thing
that disks, users and sync tools leave behind. Two things a seal cannot tell, and they are counted apart: a log cut exactly
between two records, and an older state of the same session put back. Both read as the whole earlier state.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jido_jupyter.core import records
from jido_jupyter.errors import CorruptSession, JidoError, UnsupportedFormat
from jido_jupyter.store import codec
from jido_jupyter.store.contract import Stored
from jido_jupyter.testing.store_conformance import AT, all_summaries, said
from tests.reliability import twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import KEYS, Opener

NAME = "damage"
ROW = "R13"

Decode = Callable[[bytes], Stored]


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    fixtures = [_fixture(number, rng) for number in range(scale.pick(2, 20))]
    real = Tally()
    for number, data in enumerate(fixtures):
        _every_bit_and_cut(real, f"fixture {number}", data, _decode)
    _every_kind(real, workload.open_store)
    unseeing = Tally()
    _every_bit_and_cut(unseeing, "fixture", fixtures[0], _decode_blindly)
    careless = Tally()
    _every_kind(careless, twins.accepts_damage)
    return judged(NAME, seed, real, {"reads without checking": unseeing, "accepts damage": careless})


def _decode(data: bytes) -> Stored:
    return codec.decode(data, "one", KEYS, "one.jsonl").stored


def _decode_blindly(data: bytes) -> Stored:
    stored = _decode(data)
    return Stored(stored.header, stored.records, stored.revision)


def _fixture(number: int, rng: random.Random) -> bytes:
    """Return a small log; no two are alike."""
    log: list[Any] = [workload.header_of("one")]
    makers = (
        lambda: said(rng.randrange(100), rng.choice(("text", "für 😀", "a\0b\r\n", '{"n":1,"mac":"x"}', " " * 30))),
        lambda: records.partial(f"m{rng.randrange(9)}", "so far", AT),
        lambda: records.meta({"title": "a title", "tags": ["x"], "pinned": True}, AT),
        lambda: {"t": "hologram", "at": AT, "depth": rng.random()},
        lambda: records.closed(AT),
    )
    log += [rng.choice(makers)() for _ in range(1 + number % 5)]
    return workload.sealed(log, "one")[0]


def _every_bit_and_cut(tally: Tally, name: str, data: bytes, decode: Decode) -> None:
    whole = decode(data).records
    ends = {n + 1 for n, byte in enumerate(data) if byte == 10}
    for position in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            tally.check(f"{name}, bit {bit} of byte {position}", _untold(decode, bytes(changed), len(whole) - 2))
        if position in ends:
            stored = decode(data[:position])
            as_before = not stored.damage and stored.records == whole[: len(stored.records)]
            tally.check(f"{name}, cut between records at {position}", [] if as_before else ["not the earlier state"])
            tally.count("cuts between records, which no seal can tell")
        else:
            tally.check(
                f"{name}, cut at {position}", _untold(decode, data[:position], data[:position].count(b"\n") - 1)
            )


def _untold(decode: Decode, data: bytes, least: int) -> list[str]:
    """Return a problem when damage is not told, or cost more than its own line and the next."""
    try:
        stored = decode(data)
    except (CorruptSession, UnsupportedFormat):
        return []
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    problems = [] if stored.damage else ["not told"]
    if len(stored.records) < least:
        problems.append(f"only {len(stored.records)} records are left")
    return problems


def _kinds(path: Path, other: Path) -> Iterator[tuple[str, Callable[[], object], bool]]:
    """Yield a name, what does the damage to the session at ``path``, and whether it can be told."""
    data, foreign = path.read_bytes(), other.read_bytes()
    lines = data.splitlines(keepends=True)
    stranger = codec.seal([{**records.header("one", AT), "kid": "0" * 16}, said(1)], None, KEYS.newest.of("one"))[0]

    def written(content: bytes) -> Callable[[], object]:
        return lambda: path.write_bytes(content)

    def instead(make: Callable[[], object]) -> Callable[[], object]:
        return lambda: (path.unlink(), make())

    yield "0 bytes", written(b""), True
    yield "all NUL", written(bytes(len(data))), True
    yield "413 NULs", written(bytes(413)), True
    yield "NULs at its end", written(data + bytes(100)), True
    yield "NULs in its middle", written(lines[0] + bytes(len(lines[1])) + b"".join(lines[2:])), True
    yield "another session's file", written(foreign), True
    yield "another session's records", written(lines[0] + b"".join(foreign.splitlines(keepends=True)[1:])), True
    yield "another session's record among them", written(data + foreign.splitlines(keepends=True)[-1]), True
    yield "a record taken out", written(b"".join([*lines[:2], *lines[3:]])), True
    yield "records swapped", written(b"".join([lines[0], lines[2], lines[1], *lines[3:]])), True
    yield "a record twice", written(b"".join([*lines[:2], lines[1], *lines[2:]])), True
    yield "glued to itself", written(data * 2), True
    yield "without its header", written(b"".join(lines[1:])), True
    yield "a later format", written(data.replace(b'"v":1', b'"v":2', 1)), True
    yield "an unknown key", written(stranger), True
    yield "line ends of Windows", written(data.replace(b"\n", b"\r\n")), True
    yield "a byte order mark", written(b"\xef\xbb\xbf" + data), True
    yield "indented by an editor", written(data.replace(b'{"t"', b'{ "t"')), True
    yield "conflict marks of git", written(b"<<<<<<< ours\n" + data + b"=======\n" + data + b">>>>>>> theirs\n"), True
    yield "a named pipe", instead(lambda: os.mkfifo(path)), True
    yield "a folder", instead(lambda: path.mkdir()), True
    yield "a link to another session", instead(lambda: path.symlink_to(other)), True
    yield "a link to nowhere", instead(lambda: path.symlink_to("nowhere")), True
    yield "a second name", lambda: os.link(path, path.parent.parent / "second"), True
    yield "an older state", written(b"".join(lines[:-1])), False
    yield "mode 0644", lambda: path.chmod(0o644), False
    yield "a file that NFS left", lambda: (path.parent / ".nfs0000000001").write_bytes(data), False
    yield "a conflicted copy", lambda: (path.parent / "one (conflicted copy).jsonl").write_bytes(data), False
    yield "a copy beside it", lambda: (path.parent / "one.jsonl.orig").write_bytes(data), False


def _every_kind(tally: Tally, make: Opener) -> None:
    number, done = 0, False
    while not done:
        with workload.folder() as place:
            home = os.path.join(place, "home")
            workload.copy_scene(home)
            kinds = list(_kinds(Path(workload.file_of(home, "one")), Path(workload.file_of(home, "other"))))
            name, damage, can_be_told = kinds[number]
            damage()
            tally.check(name, _told_and_kept(make, home, can_be_told))
            tally.count("kinds of damage")
            number += 1
            done = number == len(kinds)


def _told_and_kept(make: Opener, home: str, can_be_told: bool) -> list[str]:
    problems = []
    before = _listing(home)
    try:
        first, again = _seen(make(home), home), _seen(make(home), home)
    except Exception as error:
        return [f"{type(error).__name__}: {error}".replace(home, "HOME")]
    if first != again:
        problems.append("read twice, it differs")
    others, told, listed = first
    if others != ["other", "torn"]:
        problems.append(f"of the other sessions only {others} are shown")
    if can_be_told and not told:
        problems.append("reading does not tell")
    if can_be_told and not listed:
        problems.append("the list does not tell")
    if _listing(home) != before:
        problems.append("a file changed while it was only read")
    return problems


def _seen(store: Any, home: str) -> tuple[list[str], str, str]:
    """Return which other sessions are shown well, and what reading and listing tell of session ``one``."""
    summaries = {summary.id: summary for summary in all_summaries(store)}
    others = [one for one in ("other", "torn") if one in summaries and not summaries[one].is_damaged]
    try:
        told = repr([damage.kind for damage in found]) if (found := store.read("one").damage) else ""
    except JidoError as error:
        told = type(error).__name__
    listed = summaries.get("one")
    return others, told, "" if listed is None else " ".join(listed.problems)


def _listing(home: str) -> list[tuple[str, int, bytes]]:
    """Return every name below the session folders, with its mode and bytes."""
    found = []
    for place in ("sessions", "trash"):
        for path in sorted(Path(home, place).iterdir()):
            mode = path.lstat().st_mode
            found.append((str(path), mode, path.read_bytes() if path.is_file() and not path.is_symlink() else b""))
    return found
