"""The decoder under atheris; a process of its own, started by the probe `fuzz`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["jido_jupyter"]):
    from tests.reliability.probes import fuzz


def one(raw: bytes) -> None:
    for data in (raw, fuzz.framed(raw)):
        problems = fuzz.decode_one(data)
        if problems:
            raise AssertionError(problems)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
