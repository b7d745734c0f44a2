"""What a long-lived process and its store cost: sampled, and the end compared with the beginning."""

from __future__ import annotations

import os
import resource
import statistics
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from jido_jupyter.store import changes
from tests.reliability import children

GROWTH_MAX: Final = 5 * 2**20  # bytes
NAMES: Final = ("memory", "descriptors", "temporary files", "lease files", "limiter files", "changes", "quarantine")


class Gauges:
    """Samples of the process that calls, and of the store in ``home``."""

    def __init__(self, home: str) -> None:
        self._home = Path(home)
        self._samples = {name: array("q") for name in NAMES}  # arrays, so that measuring does not grow what is measured

    def sample(self, leases: int) -> None:
        """Look at everything once; each of the ``leases`` that the process holds costs it a descriptor."""
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
        marks = self._home / changes.NAME
        values = (
            pages * resource.getpagesize(),
            children.descriptors() - leases,
            len(self.temporary()),
            len(os.listdir(self._home / "leases")),
            len(os.listdir(self._home / "limits")),
            marks.stat().st_size if marks.exists() else 0,
            len(os.listdir(self._home / "quarantine")),
        )
        for name, value in zip(NAMES, values, strict=True):
            self._samples[name].append(value)

    def temporary(self) -> list[Path]:
        return list(self._home.rglob(".*.tmp"))

    def medians(self) -> Mapping[str, tuple[float, float]]:
        """Return the median of the first and of the last tenth of each."""
        found = {}
        for name, values in self._samples.items():
            tenth = max(1, len(values) // 10)
            found[name] = statistics.median(values[:tenth]), statistics.median(values[-tenth:])
        return found

    def judged(self, kills: int, torn: int) -> Iterator[tuple[str, list[str]]]:
        """Yield each gauge that has a bound, and what is wrong with it.

        Args:
            kills: of other processes; each may leave a lease file, a table half written and a torn end.
            torn: ends that were torn on purpose.
        """
        found = self.medians()
        bounds = {
            "memory": found["memory"][0] + GROWTH_MAX,
            "descriptors": found["descriptors"][0],
            "changes": changes.MAX_BYTES + 100,
            "quarantine": torn + kills,
            "lease files": found["lease files"][0] + kills,
            "limiter files": found["limiter files"][0] + kills,
        }
        for name, most in bounds.items():
            first, last = found[name]
            yield name, [f"{last:,.0f} after {first:,.0f}, allowed {most:,.0f}"] if last > most else []

    def told(self) -> str:
        """Return the medians and the highest of each, for the notes."""
        pieces = []
        for name, (first, last) in self.medians().items():
            unit = 2**20 if name == "memory" else 1
            highest = max(self._samples[name]) / unit
            digits = 1 if name == "memory" else 0
            pieces.append(
                f"{name} {first / unit:.{digits}f} then {last / unit:.{digits}f}, highest {highest:.{digits}f}"
            )
        return "; ".join(pieces)
