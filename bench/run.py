"""Measures everything and writes ``bench/results.json`` and ``docs/performance.md``: ``python -m bench [--quick] [--only NAME]``.

Each section runs in a process of its own, so that none pays for what another imported or left in memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Final

import orjson

from bench import report
from bench.rows import Row
from bench.scale import FULL, QUICK, Scale
from jido_jupyter.store.places import file_system

ROOT: Final = Path(__file__).resolve().parents[1]
# Lists last: they leave a hundred thousand files, and a disk is slower for a while after those are gone.
SECTIONS: Final = ("limiter", "store", "peers", "limiters", "listing", "memory", "notebook", "server")


def main() -> None:
    options = _options()
    scale = QUICK if options.quick else FULL
    wanted = options.only or SECTIONS
    rows: list[Row] = []
    failed = []
    folder = tempfile.mkdtemp(prefix="jido-bench-", dir=options.folder)
    disk = file_system(folder)
    try:
        if disk == "tmpfs":
            sys.exit("That folder is in memory, where nothing is durable; name one on a disk with --folder.")
        for section in wanted:
            try:
                found = _in_process(section, scale.at(folder))
            except Exception:
                failed.append(section)
                traceback.print_exc()
                continue
            rows += found
            print(f"\n{section}\n{report.lines(found)}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    missed = [row for row in rows if row.holds is False]
    print(f"\n{sum(row.holds is True for row in rows)} targets reached, {len(missed)} missed.")
    if failed:
        sys.exit(f"Did not run: {', '.join(failed)}")
    if not options.quick and not options.only:
        results = [row.to_wire() for row in rows]
        (ROOT / "bench" / "results.json").write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2) + b"\n")
        (ROOT / "docs" / "performance.md").write_text(report.page(rows, disk), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the store and the limiter.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does everything run? writes no file")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="one section; writes no file")
    parser.add_argument("--folder", help="on the disk to measure (default: the temporary folder)")
    return parser.parse_args()


def _in_process(section: str, scale: Scale) -> list[Row]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_run, section, scale).result()


def _run(section: str, scale: Scale) -> list[Row]:
    run: Callable[[Scale], list[Row]] = import_module(f"bench.{section}").run
    return run(scale)


if __name__ == "__main__":
    main()
