"""The scorecard: ``python -m tests.reliability [--smoke|--full] [--only NAME ...] [--seed S] [--json PATH] [--markdown PATH]``.

With ``--only`` the figures of other probes stay in the files as they are; a single one may take longer (`suite.run`).
Exits with 1 when a probe found a violation, or did not find the fault of its deliberately broken twin.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.reliability import report, suite
from tests.reliability.report import Probe, Scale


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__.partition("\n")[0])
    scales = parser.add_mutually_exclusive_group()
    scales.add_argument("--smoke", dest="scale", action="store_const", const=Scale.SMOKE, default=Scale.SMOKE)
    scales.add_argument("--full", dest="scale", action="store_const", const=Scale.FULL)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names or rows (R1) of the probes to run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=Path("reliability.json"))
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args(arguments)
    wanted = {name.lower() for name in options.only or ()}
    probes = []
    modules = [
        module
        for module in suite.modules()
        if not wanted or wanted & {module.NAME.lower(), module.ROW.lower(), module.__name__.rpartition(".")[2]}
    ]
    for module in modules:
        try:
            probe = suite.run(module, options.scale, options.seed, is_alone=len(modules) == 1)
        except Exception as error:  # one probe that breaks must not take the others' figures along
            traceback.print_exc()
            probe = Probe(module.NAME, violations=1, seed=options.seed, notes=[f"the probe itself failed: {error!r}"])
            probe.row = module.ROW
        probes.append(probe)
        print(report.line(probe), flush=True)
        for note in probe.notes:
            print("   ", note, flush=True)
    written = suite.in_order([*_others(options.json, probes), *probes]) if wanted else probes
    options.json.write_text(report.to_json(written), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(_with_table(options.markdown, report.to_markdown(written)), encoding="utf-8")
    good = sum(probe.is_good for probe in probes)
    print(f"{good} of {len(probes)} probes good, {sum(probe.seconds for probe in probes):.0f} s, {options.json}")
    return 0 if good == len(probes) else 1


def _others(path: Path, probes: Sequence[Probe]) -> list[Probe]:
    """Return what an earlier run wrote about the probes that this one left out."""
    known = report.from_json(path.read_text(encoding="utf-8")) if path.exists() else []
    return [probe for probe in known if probe.name not in {found.name for found in probes}]


def _with_table(path: Path, table: str) -> str:
    """Return a page with the table between its marks; a page without marks becomes the table."""
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    before, start, rest = page.partition("<!-- scorecard -->\n")
    _, end, after = rest.partition("<!-- end of scorecard -->")
    return f"{before}{start}{table}{end}{after}" if end else table


if __name__ == "__main__":
    sys.exit(main())
