"""Letting calls in and keeping them out, in one process and in eight; what a key takes on the disk."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Barrier
from typing import Any, Final

from bench.measure import Case, Work, interleave
from bench.rows import Row, judged
from bench.scale import Scale
from jido_jupyter.core.window import Admitted, Charge, Window
from jido_jupyter.store import clock
from jido_jupyter.store.limiter import FileLimiter

SPAN_S: Final = 600.0  # longer than a sample: what was let in counts until the end
_US: Final = 1e6
_SPAWN: Final = multiprocessing.get_context("spawn")

Try = Callable[[], bool]


def run(scale: Scale) -> list[Row]:
    folder = os.path.join(scale.folder, "limiter")
    return [*_single(folder, scale), *_together(scale), *_exact(scale), *_disk(scale)]


def _single(folder: str, scale: Scale) -> list[Row]:
    limiter = FileLimiter(folder)
    limits = (5, 10_000)
    cases = [_bare_lock(folder, scale.calls)]
    for limit in limits:
        cases += [_admitting(limiter, limit, scale.calls), _refusing(limiter, limit, scale.calls)]
    times = {name: timing.median * _US for name, timing in interleave(cases, scale.rounds).items()}
    rows = []
    for kind in ("admitted", "refused"):
        for limit in limits:
            name = f"a call {kind}, limit {limit:,}"
            rows.append(judged("limiter", name, times[f"{kind} {limit}"], "µs", kind, times["lock"]))
        growth = times[f"{kind} {limits[1]}"] / times[f"{kind} {limits[0]}"]
        rows.append(judged("limiter", f"a call {kind}, limit 10,000 compared with 5", growth, "x", "limit growth"))
    return rows


def _bare_lock(folder: str, calls: int) -> Case:
    """The floor: a lock that processes share, taken and given back, and a look at the clock."""
    fd = os.open(os.path.join(folder, "floor"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def work() -> None:
        for _ in range(calls):
            fcntl.flock(fd, fcntl.LOCK_EX)
            clock.read()
            fcntl.flock(fd, fcntl.LOCK_UN)

    return Case("lock", lambda: work, calls)


def _admitting(limiter: FileLimiter, limit: int, calls: int) -> Case:
    """Calls that are all let in: on as many keys as that takes, their rings as full as they get."""
    window = Window(limit, SPAN_S)
    keys = [[Charge(f"in/{number}", window)] for number in range(max(1, calls // limit))]
    per_key = calls // len(keys)

    def prepare() -> Work:
        for charges in keys:
            limiter.reset(charges)
            for _ in range(limit - per_key):
                limiter.record(charges)
        return work

    def work() -> None:
        for charges in keys:
            for _ in range(per_key):
                verdict = limiter.acquire(charges)
        assert isinstance(verdict, Admitted), "a call was refused that should not be"

    return Case(f"admitted {limit}", prepare, per_key * len(keys))


def _refusing(limiter: FileLimiter, limit: int, calls: int) -> Case:
    charges = [Charge("out", Window(limit, SPAN_S))]
    for _ in range(limit):
        limiter.record(charges)

    def work() -> None:
        for _ in range(calls):
            verdict = limiter.acquire(charges)
        assert not isinstance(verdict, Admitted), "a call was let in that should not be"

    return Case(f"refused {limit}", lambda: work, calls)


# --- several processes on one limiter


def _together(scale: Scale) -> list[Row]:
    rows = []
    for name, limit, shares in (("one key for all, limit 5", 5, True), ("a key each, limit 10,000", 10_000, False)):
        rates, fairness = [], []
        for number in range(3):
            folder = os.path.join(scale.folder, f"together-{limit}-{number}")
            maker = _Ours(folder, limit, shares)
            maker(0)  # the folder is there before all begin
            done = in_processes(maker, scale.processes, scale.processes_s)
            rates.append(sum(done) / scale.processes_s)
            fairness.append(min(done) / max(done))
        told = f"{scale.processes} processes, {name}"
        rows.append(judged("limiter", f"{told}: calls together", statistics.median(rates), "calls/s", "calls"))
        rows.append(judged("limiter", f"{told}: slowest / fastest", statistics.median(fairness), "", "fairness"))
    return rows


def _exact(scale: Scale) -> list[Row]:
    wrong = 0
    for number in range(scale.trials):
        maker = _Ours(os.path.join(scale.folder, f"exact-{number}"), 5, True)
        maker(0)
        wrong += abs(let_in(maker, scale.processes) - 5)
    name = f"calls wrongly let in or kept out ({scale.trials} times {scale.processes} processes x 25 calls at limit 5)"
    return [judged("limiter", name, float(wrong), "calls", "wrongly let in")]


class _Ours:
    """Makes what one of several processes calls."""

    def __init__(self, folder: str, limit: int, shares: bool) -> None:
        self._folder, self._limit, self._shares = folder, limit, shares

    def __call__(self, number: int) -> Try:
        limiter = FileLimiter(self._folder)
        key = "all" if self._shares else f"process {number}"
        charges = [Charge(key, Window(self._limit, SPAN_S))]
        return lambda: isinstance(limiter.acquire(charges), Admitted)


Maker = Callable[[int], Try]


def in_processes(maker: Maker, processes: int, seconds: float) -> Sequence[int]:
    """Return how many calls each process made in ``seconds``, all at once."""
    return _all_at_once(_call_for, maker, processes, seconds)


def let_in(maker: Maker, processes: int, calls: int = 25) -> int:
    """Return how many calls were let in, of so many by each process, all at once."""
    return sum(_all_at_once(_count, maker, processes, calls))


def _all_at_once(work: Callable[[Try, Any], int], maker: Maker, processes: int, argument: float) -> list[int]:
    barrier, results = _SPAWN.Barrier(processes), _SPAWN.SimpleQueue()
    running = [
        _SPAWN.Process(target=_work, args=(work, maker, number, argument, barrier, results))
        for number in range(processes)
    ]
    for process in running:
        process.start()
    done = [results.get() for _ in running]
    for process in running:
        process.join()
    return done


def _work(
    work: Callable[[Try, Any], int], maker: Maker, number: int, argument: float, barrier: Barrier, results: Any
) -> None:
    attempt = maker(number)
    barrier.wait()
    results.put(work(attempt, argument))


def _call_for(attempt: Try, seconds: float) -> int:
    until, calls = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        for _ in range(20):
            attempt()
        calls += 20
    return calls


def _count(attempt: Try, calls: int) -> int:
    return sum(attempt() for _ in range(calls))


# --- what a key takes


def _disk(scale: Scale) -> list[Row]:
    rows = []
    for keys in scale.keys:
        folder = os.path.join(scale.folder, f"keys-{keys}")
        limiter = FileLimiter(folder)
        window = Window(5, SPAN_S)
        for number in range(keys):
            limiter.acquire([Charge(f"key {number}", window)])
        taken = sum(_size(entry.stat()) for entry in os.scandir(folder))
        rows.append(judged("limiter", f"disk space of a key, {keys:,} keys", taken / keys, "bytes", "bytes a key"))
        shutil.rmtree(folder)
    return rows


def _size(found: os.stat_result) -> int:
    return max(found.st_size, found.st_blocks * 512)
