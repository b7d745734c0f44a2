"""Finds the probes and runs them: every module of `probes` and `machine` with a ``NAME``, a ``ROW`` and a ``run``."""

from __future__ import annotations

import importlib
import pkgutil
import time
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
    return sorted(found, key=lambda module: (module.ROW[0], int("".join(filter(str.isdigit, module.ROW)) or 0)))


def run(module: ModuleType, scale: Scale, seed: int) -> Probe:
    started = time.monotonic()
    probe: Probe = module.run(scale, seed)
    probe.seconds = round(time.monotonic() - started, 2)
    probe.row = module.ROW
    return probe
