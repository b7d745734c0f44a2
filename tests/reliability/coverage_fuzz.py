"""The decoder under atheris; a process of its own, started by the probe `fuzz`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["jido_jupyter"]):
    from tests.reliability import decoding


def one(raw: bytes) -> None:
    problems = decoding.judge_raw(decoding.SAMPLES[0], raw, decoding.decode)
    problems += decoding.judge_reframed(decoding.framed(raw), decoding.decode)
    if problems := [problem for problem in problems if not problem.startswith(tuple(decoding.KNOWN))]:
        raise AssertionError(problems)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
