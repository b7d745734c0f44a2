"""The limiter: sliding windows counted in the store, so that every kernel, server and command counts together.

Checking and recording are one step under one file lock. Every admitted call counts, whatever becomes of it; a refused one
does not, or nobody would ever get in again. State that cannot be read refuses everything for one window (nothing is let
in that might have been counted), then starts anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import orjson

from jido_jupyter.core.window import Admitted, Charge, Refused
from jido_jupyter.store import clock as boot_clock
from jido_jupyter.store import folder as files
from jido_jupyter.store.clock import Reading

STATE: Final = "windows.json"


class Limiter(Protocol):
    def acquire(self, charges: Sequence[Charge]) -> Admitted | Refused:
        """Count one call against all ``charges``, or, when one of them is full, against none."""


class FileLimiter:
    """A `Limiter` in a folder that all processes of a user share.

    Args:
        folder: made where it is missing.
        clock: for tests.
    """

    def __init__(self, folder: str, clock: Callable[[], Reading] = boot_clock.read) -> None:
        self._folder = files.Folder(folder)
        self._folder.make()
        self._clock = clock

    def acquire(self, charges: Sequence[Charge]) -> Admitted | Refused:
        try:
            with self._locked() as folder_fd:
                now = self._clock()
                state = _load(folder_fd, now, max(charge.window.seconds for charge in charges))
                verdict = state.admit(charges, now.seconds)
                files.replace_file(folder_fd, STATE, state.dump(now), durable=False)
        except OSError as error:
            files.refuse(error, self._folder.path)
        return verdict

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        with self._folder.opened() as folder_fd:
            fd = files.open_or_create(folder_fd, ".lock")
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)  # held for one small file; never while anything else is waited for
                yield folder_fd
            finally:
                os.close(fd)


class _State:
    """The calls that still count, by key; times in the clock's present epoch [s]."""

    def __init__(self, calls: dict[str, list[float]], spans: dict[str, float], closed_until: float = 0.0) -> None:
        self.calls = calls
        self.spans = spans  # s, by key: after it a call can be forgotten
        self.closed_until = closed_until

    def admit(self, charges: Sequence[Charge], now: float) -> Admitted | Refused:
        waits = [(charge.window.wait(self.calls.get(charge.key, ()), now), charge) for charge in charges]
        waits.append((self.closed_until - now, charges[0]))
        longest, fullest = max(waits, key=lambda wait: wait[0])
        if longest > 0:
            return Refused(fullest, longest)
        left: list[tuple[int, float]] = []
        for charge in charges:
            recent = [*charge.window.recent(self.calls.get(charge.key, ()), now), now]
            self.calls[charge.key] = recent
            self.spans[charge.key] = charge.window.seconds
            left.append((charge.window.limit - len(recent), recent[0] + charge.window.seconds - now))
        return Admitted(*min(left))

    def dump(self, now: Reading) -> bytes:
        kept = {
            key: {"span": self.spans[key], "calls": calls}
            for key, calls in self.calls.items()
            if calls and calls[-1] + self.spans[key] > now.seconds
        }
        return orjson.dumps({"epoch": now.epoch, "closed_until": self.closed_until, "windows": kept})


def _load(folder_fd: int, now: Reading, span_s: float) -> _State:
    try:
        found: Any = orjson.loads(files.read_file(folder_fd, STATE))
        if found["epoch"] != now.epoch:
            # Another boot: its clock says nothing here. What was counted is at least as old as the boot.
            return _State({}, {}) if now.seconds >= span_s else _State({}, {}, closed_until=span_s)
        windows = found["windows"].items()
        calls = {key: [call for call in entry["calls"] if call <= now.seconds] for key, entry in windows}
        return _State(calls, {key: float(entry["span"]) for key, entry in windows}, float(found["closed_until"]))
    except FileNotFoundError:
        return _State({}, {})
    except (ValueError, TypeError, KeyError, AttributeError):
        with contextlib.suppress(OSError):  # keep the evidence
            os.rename(STATE, f"{STATE}.{time.time_ns()}.damaged", src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
        return _State({}, {}, closed_until=now.seconds + span_s)
