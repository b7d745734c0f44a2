"""Proves that documents made to exhaust or confuse are stored whole or refused, in bounded time and memory.

Written bombs (depth, width, size, numbers, cycles) go through `create` and `append`: what is taken must read back equal, what is
not must be an error of ours with nothing written. Read bombs lie in the folder already: reading and listing must end.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jido_jupyter.errors import JidoError
from jido_jupyter.testing.store_conformance import AT, all_summaries, said
from tests.reliability import children, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import MAX_BYTES, Opener

NAME = "resource bombs"
ROW = "S5"

WRITE_S, READ_S = 2.0, 4.0  # s, the most that one operation may take
MEMORY = 20 * MAX_BYTES  # bytes, the most that one operation may add: a log of the largest size as Python objects


def run(scale: Scale, seed: int) -> Probe:
    real, twin = Tally(), Tally()
    for name, bomb in _written():
        _write(real, workload.open_store, name, bomb)
    for name, content in _found(scale.pick(2, 8)):
        _read(real, name, content)
    for name, bomb in _written():
        if name in ("2**53 + 1", "2**64", "5 000 digits", "bytes"):
            _write(twin, twins.no_limits, name, bomb)
    return judged(NAME, seed, real, {"has no limits": twin})


def _written() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield values that somebody may try to store, each by what makes it."""

    def nested(depth: int) -> Callable[[], Any]:
        def make() -> Any:
            value: Any = []
            for _ in range(depth):
                value = [value]
            return value

        return make

    def cycle() -> Any:
        value: list[Any] = []
        value.append(value)
        return value

    for depth in (100, 200, 240, 250, 253, 255, 300, 1000, 5000, 100_000):
        yield f"depth {depth}", nested(depth)
    yield "objects 300 deep", lambda: eval('{"a":' * 80 + "1" + "}" * 80)
    yield "100 000 empty arrays", lambda: [[] for _ in range(100_000)]
    yield "100 000 keys", lambda: {str(n): n for n in range(100_000)}
    yield "a key of 1 MiB", lambda: {"k" * 2**20: 1}
    yield "a text just below the limit", lambda: "x" * (MAX_BYTES - 2000)
    yield "a text of 2 times the limit", lambda: "x" * (2 * MAX_BYTES)
    yield "NULs that grow sixfold", lambda: "\0" * (MAX_BYTES // 3)
    yield "emoji up to the limit", lambda: "😀" * (MAX_BYTES // 5)
    yield "2**53 + 1", lambda: 2**53 + 1
    yield "2**63", lambda: 2**63
    yield "2**64 - 1", lambda: 2**64 - 1
    yield "2**64", lambda: 2**64
    yield "-2**63 - 1", lambda: -(2**63) - 1
    yield "5 000 digits", lambda: 10**4000
    yield "the smallest float", lambda: 5e-324
    yield "a number as key", lambda: {1: 2}
    yield "keys that collide as text", lambda: {"1": "a", 1: "b"}
    yield "bytes", lambda: b"bytes"
    yield "a set", lambda: {1, 2}
    yield "a cycle", cycle
    yield "a lone surrogate as key", lambda: {"\ud800": "\udfff"}
    yield "members named as the seal's", lambda: {"n": 5, "mac": "0" * 64}


def _found(megabytes: int) -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    """Yield what may lie under a session's name, made of a good log."""
    size = megabytes * 2**20
    rest = lambda log: log.partition(b"\n")[2]  # noqa: E731
    yield "only line ends", lambda log: log + b"\n" * size
    yield "only NULs", lambda log: log + bytes(size)
    yield "one line without an end", lambda log: log + b"x" * size
    yield "opening brackets", lambda log: log + b"[" * size + b"\n"
    yield "empty arrays", lambda log: log + b"[" + b"[]," * (size // 3) + b"[]]\n"
    yield "a header that never ends", lambda log: b'{"t":"header","v":1,"id":"one","x":"' + b"x" * size
    yield "a header 5 000 deep", lambda log: b'{"t":"header","v":1,"id":"one","x":' + b"[" * 5000 + b"]" * 5000 + b"}\n"
    yield "a depth of 1 000", lambda log: log + b'{"t":"messages","messages":' + b"[" * 1000 + b"]" * 1000 + b"}\n"
    yield "a record many times", lambda log: log + rest(log).splitlines(keepends=True)[-1] * 3000
    yield "a long log glued to itself", lambda log: _long() + rest(_long())
    yield (
        "a long log backwards",
        lambda log: b"\n".join([log.split(b"\n")[0], *reversed(rest(_long()).split(b"\n")[:-1]), b""]),
    )
    yield (
        "numbers of records that leap",
        lambda log: log + re.sub(rb'"n":\d+', b'"n":999999999999999999', rest(log), count=1),
    )


def _long() -> bytes:
    return workload.sealed([workload.header_of("one"), *(said(n) for n in range(3000))], "one")[0]


def _write(tally: Tally, make: Opener, name: str, bomb: Callable[[], Any]) -> None:
    for operation in ("append", "create"):
        with workload.folder() as place:
            home = os.path.join(place, "home")
            workload.copy_scene(home)
            before = Path(workload.file_of(home, "one")).read_bytes()

            def act(home: str = home, operation: str = operation) -> str:
                store, record = make(home), {"t": "bomb", "at": AT, "value": bomb()}
                known = store.revision("one")
                with _bounded(WRITE_S) as problems:
                    try:
                        if operation == "append":
                            store.append("one", [record], known)
                        else:
                            store.create(workload.header_of("fresh"), [record])
                    except JidoError:
                        return "\n".join(["refused", *problems])
                    except Exception as error:
                        return f"refused\n{type(error).__name__}: {str(error)[:100]}"
                    found = store.read("one" if operation == "append" else "fresh").records[-1]
                    if not _same(found.get("value"), record["value"]):
                        problems.append(f"{str(record['value'])[:40]} became {str(found.get('value'))[:40]}")
                return "\n".join(["taken", *problems])

            outcome, *problems = (children.run(act) or "refused\nthe process died").splitlines()
            after = Path(workload.file_of(home, "one")).read_bytes()
            if outcome == "refused" and after != before:
                problems.append("it was refused, but something was written")
            if outcome == "refused" and os.path.exists(workload.file_of(home, "fresh")):
                problems.append("it was refused, but a session is there")
            tally.check(f"{operation}: {name}", problems)
            tally.count(outcome)


def _same(found: Any, given: Any) -> bool:
    """Return whether a value came back; a lone surrogate may come back as U+FFFD, as the store says."""
    if isinstance(given, dict):
        as_stored = {
            key.encode("utf-16", "surrogatepass").decode("utf-16", "replace"): value for key, value in given.items()
        }
        return (
            isinstance(found, dict)
            and found.keys() == as_stored.keys()
            and all(_same(found[key], as_stored[key]) for key in found)
        )
    if isinstance(given, str):
        return bool(found == given.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return type(found) is type(given) and bool(found == given)


def _read(tally: Tally, name: str, content: Callable[[bytes], bytes]) -> None:
    with workload.folder() as place:
        home = os.path.join(place, "home")
        workload.copy_scene(home)
        path = Path(workload.file_of(home, "one"))
        path.write_bytes(content(path.read_bytes()))

        def act() -> str:
            store = workload.open_store(home)
            told = []
            with _bounded(READ_S) as problems, contextlib.suppress(JidoError):
                told = list(store.read("one").damage)
            with _bounded(READ_S) as more:
                summaries = {summary.id: summary for summary in all_summaries(store)}
                if len(" ".join(summaries["one"].problems)) > 20_000:
                    problems.append(f"the list tells {len(told)} things of it")
                if "other" not in summaries or summaries["other"].is_damaged:
                    problems.append("another session is hidden")
            return "\n".join([*problems, *more])

        answer = children.run(act)
        tally.check(f"found: {name}", ["the process died"] if answer is None else answer.splitlines())
        tally.count("bombs found in the folder")


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[list[str]]:
    """Tell when the body takes longer than ``seconds`` or more memory than `MEMORY`; ten times as long is cut off."""
    problems: list[str] = []
    signal.alarm(int(10 * seconds))
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the highest memory use is counted from here
    before, started = _memory(), time.perf_counter()
    try:
        yield problems
    finally:
        signal.alarm(0)
        if (took := time.perf_counter() - started) > seconds:
            problems.append(f"it took {took:.1f} s")
        if (grew := _memory() - before) > MEMORY:
            problems.append(f"it took {grew // 2**20} MiB")


def _memory() -> int:
    """Return the highest memory use [bytes]; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0
