"""Proves that no order of operations, faults and damage makes the store disagree with a dictionary, and no bytes surprise
the decoder.

Hypothesis drives the store against a model, with failing system calls, cut and flipped files, foreign files and
reopening as steps. The decoder is fed raw bytes and re-framed ones (`tests.reliability.decoding`); with atheris also
such as coverage leads to.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import os
import random
import subprocess
import sys
import time
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jido_jupyter.core import records
from jido_jupyter.core.session import replay
from jido_jupyter.errors import CorruptSession, JidoError, SessionExists, SessionNotFound, UnsupportedFormat
from jido_jupyter.testing.store_conformance import AT, said
from tests.reliability import children, decoding, shim, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener

NAME = "fuzz"
ROW = "R12"

STEPS = 40  # of one sequence
IDS = st.sampled_from(["a", "b", "c"])
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
INPUTS = (60_000, 5_000_000)  # of the decoder, at smoke and full scale
CHUNK = 10_000  # of them have one seed
DECODER_MAX_S = 240.0  # s of processor time, of each process; then the rest is left out, and said to be


def run(scale: Scale, seed: int) -> Probe:
    notes = []
    real, steps = drive(workload.open_store, scale.pick(800, 100_000), seed)
    real.count("stateful steps", steps)
    real.add(fuzz_decoder(scale.pick(*INPUTS), seed))
    if scale is Scale.FULL:
        if importlib.util.find_spec("atheris"):
            real.add(_with_atheris(5_000_000, seed))
        else:
            notes.append("not run: coverage-led inputs (atheris is not installed)")
    careless, _ = drive(twins.accepts_damage, 3000, seed)
    blind, _ = drive(twins.no_revision_check, 3000, seed)
    broken = {f"decoder {name}": decoding.fuzz(2000, f"{seed}-0", decoder) for name, decoder in decoding.BROKEN.items()}
    return judged(NAME, seed, real, {"accepts damage": careless, "no revision check": blind, **broken}, notes)


def drive(make: Opener, steps: int, seed: int) -> tuple[Tally, int]:
    """Run random sequences against the model until ``steps`` were made or one failed; one case is one step."""
    tally, made = Tally(), [0]

    class Bound(Machine):
        opener = staticmethod(make)
        counter = made

    try:
        while made[0] < steps:
            held = settings(
                max_examples=max(1, (steps - made[0]) // STEPS),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            )
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


def fuzz_decoder(inputs: int, seed: int) -> Tally:
    """Feed the decoder so many inputs, a process for each processor; which inputs depends on the seed only."""
    tally, chunks = Tally(), inputs // CHUNK
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def work(first: int) -> str:
        found, end = Tally(), time.process_time() + DECODER_MAX_S
        for chunk in range(first, chunks, workers):
            if time.process_time() < end:
                found.add(decoding.fuzz(CHUNK, f"{seed}-{chunk}"))
        return json.dumps(dataclasses.asdict(found))

    working = [children.Child(lambda first=first: lambda: work(first)) for first in range(workers)]
    for child in working:
        child.go()
    for child in working:
        answer = child.answer()
        tally.add(Tally(**json.loads(answer)) if answer else Tally(1, 1, ["decoder: a process died"]))
    tally.count("decoder inputs", tally.tried)
    if tally.tried < inputs:
        tally.count(f"decoder inputs that {DECODER_MAX_S:.0f} s were not enough for", inputs - tally.tried)
    return tally


def _with_atheris(runs: int, seed: int) -> Tally:
    """Let atheris lead the inputs, in a process of its own, as it ends the one that it runs in."""
    tally = Tally()
    with workload.folder() as corpus:
        with open(os.path.join(corpus, "sample"), "wb") as file:
            file.write(decoding.SAMPLES[0].data)
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
