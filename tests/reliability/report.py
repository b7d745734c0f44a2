"""What a probe found, and how it is printed: one line, one JSON object, one table row each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
TOLD = 8  # violations that are spelled out; the others are only counted


class Scale(StrEnum):
    """How much a probe tries: ``smoke`` belongs to the ordinary test run, ``full`` gives the published figures."""

    SMOKE = "smoke"
    FULL = "full"

    def pick(self, smoke: T, full: T) -> T:
        return smoke if self is Scale.SMOKE else full


@dataclass(slots=True)
class Probe:
    """One figure of the scorecard. It counts only if ``violations`` is 0 and ``twin_failed`` is not False."""

    name: str
    tried: int = 0
    violations: int = 0
    seed: int = 0
    twin_failed: bool | None = None  # whether the probe caught the store that is broken on purpose; None: has no twin
    not_run: str | None = None  # why it could not run here
    seconds: float = 0.0  # s, twins included
    notes: list[str] = field(default_factory=list)
    row: str = ""  # of the scorecard, as in "R1"

    @property
    def is_good(self) -> bool:
        return self.not_run is not None or (self.violations == 0 and self.twin_failed is not False)


@dataclass(slots=True)
class Tally:
    """Counts what was tried and keeps the first few things that went wrong."""

    tried: int = 0
    violations: int = 0
    told: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # what happened how often, for the notes

    def check(self, what: str, problems: Iterable[str]) -> None:
        """Count one case, named ``what``, as a violation when it has problems."""
        self.tried += 1
        found = sorted(set(problems))
        if found:
            self.violations += 1
            if len(self.told) < TOLD:
                self.told.append(f"{what}: {'; '.join(found)}")

    def count(self, what: str, times: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + times

    def add(self, other: Tally) -> None:
        self.tried += other.tried
        self.violations += other.violations
        self.told = [*self.told, *other.told][:TOLD]
        for what, times in other.counts.items():
            self.count(what, times)


def judged(name: str, seed: int, real: Tally, twins: Mapping[str, Tally], notes: Sequence[str] = ()) -> Probe:
    """Return the result of a probe: what it found in our store, and whether it found the faults of each broken twin."""
    said = [*notes]
    if real.counts:
        said.append(", ".join(f"{what} {times}" for what, times in sorted(real.counts.items())))
    said += [f"VIOLATION {what}" for what in real.told]
    said += [f"twin {twin}: {tally.violations} of {tally.tried} caught" for twin, tally in twins.items()]
    return Probe(
        name,
        real.tried,
        real.violations,
        seed,
        all(tally.violations for tally in twins.values()) if twins else None,
        notes=said,
    )


def not_run(name: str, seed: int, reason: str) -> Probe:
    return Probe(name, seed=seed, not_run=reason)


def line(probe: Probe) -> str:
    if probe.not_run:
        return f"{probe.name}: not run ({probe.not_run})"
    twin = {True: "", False: ", BROKEN TWIN NOT CAUGHT", None: ""}[probe.twin_failed]
    return f"{probe.name}: {probe.tried:,} tried, {probe.violations} violations, seed {probe.seed}{twin}"


def to_json(probes: Sequence[Probe]) -> str:
    return json.dumps([asdict(probe) for probe in probes], indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> list[Probe]:
    return [Probe(**fields) for fields in json.loads(text)]


def to_markdown(probes: Sequence[Probe]) -> str:
    rows = ["| # | probe | tried | violations | broken twin caught | seconds | |", "|---|---|---:|---:|---|---:|---|"]
    for probe in probes:
        told = probe.not_run and f"not run: {probe.not_run}"
        twin = {True: "yes", False: "**no**", None: "-"}[probe.twin_failed]
        notes = (told or " / ".join(probe.notes)).replace("|", "\\|").replace("\n", " ")
        counts = ("-", "-") if told else (f"{probe.tried:,}", str(probe.violations))
        rows.append(
            f"| {probe.row} | {probe.name} | {counts[0]} | {counts[1]} | {twin} | {probe.seconds:.1f} | {notes} |"
        )
    return "\n".join(rows) + "\n"
