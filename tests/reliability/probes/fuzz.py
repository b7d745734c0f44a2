"""Proves that no order of operations, faults and damage makes the store disagree with a dictionary, and no bytes surprise
the decoder.

Hypothesis drives the store against a model, with failing system calls, cut and flipped files, foreign files and reopening
as steps. The decoder is fed raw bytes and re-framed ones: random JSON with right seals, which alone reach what lies
behind the check. With atheris the inputs are led by coverage, else they are random mutations.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import subprocess
import sys
import time
from typing import Any
from unittest import mock

import orjson
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jido_jupyter.core import records
from jido_jupyter.core.session import replay, summarise
from jido_jupyter.errors import CorruptSession, JidoError, SessionExists, SessionNotFound, UnsupportedFormat
from jido_jupyter.store import codec
from jido_jupyter.testing.store_conformance import AT, said
from tests.reliability import shim, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import KEYS, Opener

NAME = "fuzz"
ROW = "R12"

STEPS = 40  # of one sequence
IDS = st.sampled_from(["a", "b", "c"])
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
DECODER_S = (2.0, 60.0)  # s, at smoke and full scale


def run(scale: Scale, seed: int) -> Probe:
    notes = []
    real, steps = drive(workload.open_store, scale.pick(800, 100_000), seed)
    real.count("stateful steps", steps)
    decoder = fuzz_decoder(scale.pick(*DECODER_S), random.Random(seed))
    real.add(decoder)
    if scale is Scale.FULL:
        if importlib.util.find_spec("atheris"):
            real.add(_with_atheris(5_000_000, seed))
        else:
            notes.append("not run: coverage-led inputs (atheris is not installed)")
    careless, _ = drive(twins.accepts_damage, 3000, seed)
    blind, _ = drive(twins.no_revision_check, 3000, seed)
    return judged(NAME, seed, real, {"accepts damage": careless, "no revision check": blind}, notes)


def drive(make: Opener, steps: int, seed: int) -> tuple[Tally, int]:
    """Run random sequences against the model until ``steps`` were made or one failed; one case is one step."""
    tally, made = Tally(), [0]

    class Bound(Machine):
        opener = staticmethod(make)
        counter = made

    held = settings(
        max_examples=max(1, steps // STEPS),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    try:
        while made[0] < steps:
            seeded(seed + made[0])(Bound)
            # Nobody else writes, so there is nothing to pause for before a torn log is looked at again.
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), mock.patch("time.sleep"):
                run_state_machine_as_test(Bound, settings=held)
    except Exception as error:  # whatever it is, it is what the probe is for
        tally.check("a sequence", [f"{type(error).__name__}: {error}"[:300]])
    tally.tried += made[0]
    return tally, made[0]


class Machine(RuleBasedStateMachine):
    """The store beside a dictionary of texts by session."""

    opener: Opener
    counter: list[int]

    def __init__(self) -> None:
        super().__init__()
        self._folder = workload.folder()
        self.home = self._folder.__enter__()
        self.store = self.opener(self.home)
        self.texts: dict[str, list[str]] = {}
        self.trashed: set[str] = set()
        self.spoiled: set[str] = set()  # their logs were damaged on purpose
        self.number = 0

    def teardown(self) -> None:
        self._folder.__exit__(None, None, None)

    def _said(self, text: str) -> Any:
        self.number += 1
        return said(self.number, text or "-")

    @rule(session_id=IDS, text=TEXTS)
    def create(self, session_id: str, text: str) -> None:
        header = records.header(session_id, AT)
        if session_id in self.texts:
            with contextlib.suppress(SessionExists):
                self.store.create(header, [])
                raise AssertionError("a taken id was taken again")
            return
        self.store.create(header, [self._said(text)])
        self.texts[session_id] = [text or "-"]

    @rule(session_id=IDS, texts=st.lists(TEXTS, max_size=3), durable=st.booleans())
    def append(self, session_id: str, texts: list[str], durable: bool) -> None:
        if self._absent(session_id):
            return
        log = [self._said(text) for text in texts]
        self.store.append(session_id, log, self.store.revision(session_id), durable=durable)
        self.texts[session_id] += [text or "-" for text in texts]

    @rule(session_id=IDS)
    def append_stale(self, session_id: str) -> None:
        if self._absent(session_id) or session_id in self.spoiled:
            return
        stale = self.store.revision(session_id)
        self.store.append(session_id, [self._said("new")], stale)
        self.texts[session_id].append("new")
        try:
            self.store.append(session_id, [self._said("lost?")], stale)
        except JidoError:
            return
        raise AssertionError("a stale writer was let in")

    @rule(session_id=IDS)
    def replace(self, session_id: str) -> None:
        if self._absent(session_id) or session_id in self.spoiled or not hasattr(self.store, "replace"):
            return
        stored = self.store.read(session_id)
        self.store.replace(session_id, records.header(session_id, AT), list(stored.records), stored.revision)

    @rule(session_id=IDS)
    def trash(self, session_id: str) -> None:
        if not self._absent(session_id):
            self.store.trash(session_id)
            self.trashed.add(session_id)

    @rule(session_id=IDS)
    def restore(self, session_id: str) -> None:
        if session_id in self.trashed:
            self.store.restore(session_id)
            self.trashed.discard(session_id)
        else:
            with contextlib.suppress(SessionNotFound, SessionExists):
                self.store.restore(session_id)
                raise AssertionError("restored what was not trashed")

    @rule(session_id=IDS, first=st.integers(0, 40), error=st.sampled_from([*shim.FAULTS, "EDQUOT", "EINTR"]))
    def append_with_a_fault(self, session_id: str, first: int, error: str) -> None:
        if self._absent(session_id) or session_id in self.spoiled:
            return
        before, revision = self.texts[session_id], self.store.revision(session_id)
        with shim.faults({first: error}):
            outcome = workload.outcome_of(lambda: self.store.append(session_id, [self._said("maybe")], revision))
        found, after = _texts(self.store.read(session_id)), [*before, "maybe"]
        allowed = {"returned": [after], "refused": [before], "unknown": [before, after]}.get(outcome, [])
        assert found in allowed, (outcome, error, first, found, before)
        self.texts[session_id] = found

    @rule(session_id=IDS, where=st.randoms(use_true_random=False), bit=st.integers(0, 7))
    def flip_a_bit(self, session_id: str, where: random.Random, bit: int) -> None:
        if self._absent(session_id) or session_id in self.spoiled:
            return
        path = workload.file_of(self.home, session_id)
        with open(path, "r+b") as file:
            data = bytearray(file.read())
            if len(data) > 1:
                data[where.randrange(len(data) - 1)] ^= 1 << bit
                file.seek(0)
                file.write(data)
                self.spoiled.add(session_id)
        os.utime(path, ns=(self.number, self.number))  # so that a list knows of it, as after any editor

    @rule(session_id=IDS, torn=st.binary(min_size=1, max_size=20).filter(lambda torn: b"\n" not in torn))
    def tear(self, session_id: str, torn: bytes) -> None:
        """Leave the end of a write that was cut off: everything before it must stay usable."""
        if self._absent(session_id) or session_id in self.spoiled:
            return
        with open(workload.file_of(self.home, session_id), "ab") as file:
            file.write(torn)

    @rule(
        name=st.sampled_from([".x.tmp", "note.txt", "a.jsonl.bak", "A.jsonl", "a (conflicted copy).jsonl", ".nfs000"])
    )
    def foreign_file(self, name: str) -> None:
        with open(os.path.join(self.home, "sessions", name), "w") as file:
            file.write("x")

    @rule(session_id=IDS)
    def throw_spoiled_away(self, session_id: str) -> None:
        """Begin anew, as a user does who moves the bad file away."""
        if session_id in self.spoiled and session_id not in self.trashed:
            os.unlink(workload.file_of(self.home, session_id))
            self.spoiled.discard(session_id)
            del self.texts[session_id]

    @rule()
    def reopen(self) -> None:
        self.store = self.opener(self.home)

    @invariant()
    def agrees(self) -> None:
        self.counter[0] += 1
        assert set(self.store.trashed()) == self.trashed
        for session_id, texts in self.texts.items():
            if session_id in self.trashed:
                continue
            if session_id not in self.spoiled:
                stored = self.store.read(session_id)
                assert _texts(stored) == texts, (session_id, _texts(stored), texts)
                assert workload.is_sound(stored), stored.damage
                continue
            with contextlib.suppress(CorruptSession, UnsupportedFormat):
                assert self.store.read(session_id).damage, f"damage of {session_id} is not told"

    def _absent(self, session_id: str) -> bool:
        if session_id in self.spoiled:
            return True  # what may be added to a damaged log is another probe's affair
        return session_id not in self.texts or session_id in self.trashed


def _texts(stored: Any) -> list[str]:
    return [message.text for message in replay(stored.header, stored.records).messages]


def fuzz_decoder(seconds: float, rng: random.Random) -> Tally:
    """Feed random mutations for ``seconds``; one case is one input."""
    tally = Tally()
    data = _sample()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(100):
            raw = _mutated(data, rng)
            tally.check("raw bytes", decode_one(raw))
            tally.check("re-framed", decode_one(framed(raw)))
    tally.count("decoder inputs", tally.tried)
    return tally


def framed(raw: bytes) -> bytes:
    """Return a log whose records are those JSON objects that ``raw`` holds, sealed as ours are."""
    log: list[dict[str, Any]] = [dict(workload.header_of("one"))]
    for line in raw.split(b"\n"):
        with contextlib.suppress(orjson.JSONDecodeError, TypeError):
            found = orjson.loads(line)
            log.append(found if isinstance(found, dict) else {"t": "messages", "messages": found})
    for record in log[1:]:
        record.pop("n", None)
        record.pop("mac", None)
    try:
        return workload.sealed(log)[0]
    except (TypeError, JidoError):  # nested deeper than can be written
        return raw


def decode_one(raw: bytes) -> list[str]:
    """Return what is wrong with the answer to one input: any error but the two that are promised."""
    try:
        stored = codec.decode(raw, "one", KEYS, "one.jsonl").stored
        summarise(replay(stored.header, stored.records), str(stored.revision))
        codec.tail(raw[-codec.TAIL_MAX :])
    except (CorruptSession, UnsupportedFormat):
        return []
    except Exception as error:
        return [f"{type(error).__name__}: {error} for {raw[:200]!r}"]
    return []


_PIECES = (
    b'{"t":"messages","at":"x","messages":[{"id":"m","role":"user","parts":[{"type":"text","content":"c"}],"created_at":"x"}]}',
    b'{"t":"partial","message":{},"text":[]}',
    b'{"t":"meta","set":{"title":1,"tags":[1],"pinned":"x"}}',
    b'{"t":["messages"]}',
    b"null", b"{}", b"[]", b"-1", b"1e400", b'"', b"\n", b"\0", b"\xff", b',"mac":"' + b"0" * 64 + b'"}', b',"n":9',
)  # fmt: skip


def _sample() -> bytes:
    log = [workload.header_of("one"), said(1), records.partial("m2", "text", AT)]
    log += [records.meta({"title": "t", "tags": ["a"]}, AT), said(3)]
    return workload.sealed(log)[0]


def _mutated(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(changed) + 1)
        match rng.randrange(5):
            case 0 if place < len(changed):
                changed[place] ^= 1 << rng.randrange(8)
            case 1:
                del changed[place : place + rng.randrange(40)]
            case 2:
                changed[place:place] = rng.choice(_PIECES)
            case 3:
                start = rng.randrange(len(changed) + 1)
                changed[place:place] = changed[start : start + rng.randrange(80)]
            case _:
                changed[place : place + 4] = rng.randbytes(rng.randrange(4))
    return bytes(changed)


def _with_atheris(runs: int, seed: int) -> Tally:
    """Let atheris lead the inputs, in a process of its own, as it ends the one that it runs in."""
    tally = Tally()
    with workload.folder() as corpus:
        with open(os.path.join(corpus, "sample"), "wb") as file:
            file.write(_sample())
        limits = [f"-runs={runs // 2}", f"-seed={seed}", "-max_total_time=60", "-max_len=2048"]
        command = [
            sys.executable,
            "-m",
            "tests.reliability.coverage_fuzz",
            *limits,
            f"-artifact_prefix={corpus}/",
            corpus,
        ]
        done = subprocess.run(command, capture_output=True, text=True)
    made = [int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("Done ")]
    if made and done.returncode == 0:
        tally.tried = 2 * made[0]  # each input is tried raw and re-framed
        tally.count("coverage-led decoder inputs", tally.tried)
    else:
        tally.check("atheris", [done.stderr[-300:]])
    return tally
