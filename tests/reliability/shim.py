"""The system calls that the store makes through Python, counted, and chosen ones made to fail: faster than strace, and in pairs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

WATCHED = {
    os: [
        "open",
        "write",
        "pwrite",
        "pread",
        "read",
        "fsync",
        "fdatasync",
        "close",
        "rename",
        "replace",
        "link",
        "unlink",
        "ftruncate",
        "fchmod",
        "chmod",
        "fstat",
        "stat",
        "mkdir",
        "listdir",
        "scandir",
    ],
    fcntl: ["flock", "lockf"],
}
FULL, BROKEN, KILL = "ENOSPC", "EIO", "KILL"
FAULTS = (FULL, BROKEN)


@contextlib.contextmanager
def faults(schedule: Mapping[int, str]) -> Iterator[list[str]]:
    """Let the calls of the given numbers, from 0, fail with an errno's name, or end the process there as SIGKILL would.

    Yields the names of the calls made so far. A write that is to fail writes half of its bytes first, as a full disk
    does; a close that fails has closed, as on Linux.
    """
    made: list[str] = []

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            fault = schedule.get(len(made))
            made.append(name)
            if fault is None:
                return real(*arguments, **options)
            if name == "write":
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            elif name == "close":
                real(*arguments)
            if fault == KILL:
                os._exit(9)
            number = getattr(errno, fault)
            raise OSError(number, os.strerror(number))

        return call

    before = [(module, name, getattr(module, name)) for module, names in WATCHED.items() for name in names]
    try:
        for module, name, real in before:
            setattr(module, name, watched(name, real))
        yield made
    finally:
        for module, name, real in before:
            setattr(module, name, real)
