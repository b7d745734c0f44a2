"""Finds the probes and runs them: every module of `probes` and `machine` with a ``NAME``, a ``ROW`` and a ``run``."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from tests.reliability.report import Probe, Scale

FOLDERS = ("probes", "machine")


def modules(folders: tuple[str, ...] = FOLDERS) -> list[ModuleType]:
    """Return the probe modules, in the order of the scorecard."""
    found = []
    for folder in folders:
        here = Path(__file__).parent / folder
        for entry in pkgutil.iter_modules([str(here)]):
            module = importlib.import_module(f"tests.reliability.{folder}.{entry.name}")
            if hasattr(module, "NAME") and hasattr(module, "run"):
                found.append(module)
    return sorted(found, key=lambda module: _place(module.ROW))


def in_order(probes: Iterable[Probe]) -> list[Probe]:
    """Return results in the order of the scorecard."""
    return sorted(probes, key=lambda probe: _place(probe.row))


def _place(row: str) -> tuple[str, int]:
    return row[0], int("".join(filter(str.isdigit, row)) or 0)


def run(module: ModuleType, scale: Scale, seed: int, *, is_alone: bool = False) -> Probe:
    """Run one probe. One that is asked for alone, at full scale, may take longer: by its ``run_alone``."""
    started = time.monotonic()
    takes_its_time = is_alone and scale is Scale.FULL and hasattr(module, "run_alone")
    probe: Probe = module.run_alone(seed) if takes_its_time else module.run(scale, seed)
    probe.seconds = round(time.monotonic() - started, 2)
    probe.row = module.ROW
    return probe
