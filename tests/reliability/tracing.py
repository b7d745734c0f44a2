"""strace on a forked child: what it calls, and one of these calls made to fail or to kill."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache

from tests.reliability import children, workload

Prepare = Callable[[], Callable[[], str]]
_LINE = re.compile(r"^(?:\d+\s+)?(\w+)\(")

# What the manual pages of these calls promise to fail with; a call that is not here is only killed at. `read` is what a
# child waits with for its start; the store itself reads with `pread`.
ERRORS = {
    "openat": "EACCES EMFILE ENFILE ENOSPC EROFS EIO EDQUOT ELOOP ESTALE",
    "write": "ENOSPC EIO EDQUOT EFBIG EINTR EPIPE ESTALE",
    "pwrite64": "ENOSPC EIO EDQUOT EFBIG ESTALE",
    "pread64": "EIO ESTALE",
    "fsync": "EIO ENOSPC EDQUOT EROFS EINVAL",
    "fdatasync": "EIO ENOSPC EDQUOT",
    "close": "EIO ENOSPC EDQUOT EINTR",
    "rename": "EACCES ENOSPC EIO EROFS EDQUOT EBUSY ESTALE",
    "renameat": "EACCES ENOSPC EIO EROFS EDQUOT EBUSY ESTALE",
    "renameat2": "EACCES ENOSPC EIO EROFS EDQUOT EBUSY ESTALE",
    "unlink": "EIO EACCES EBUSY EROFS",
    "unlinkat": "EIO EACCES EBUSY EROFS",
    "linkat": "EIO EACCES EMLINK ENOSPC EROFS EDQUOT",
    "ftruncate": "EIO ENOSPC EPERM",
    "fallocate": "EIO ENOSPC EDQUOT EOPNOTSUPP",
    "flock": "ENOLCK EINTR EIO",
    "fcntl": "ENOLCK EDEADLK",
    "newfstatat": "EIO ESTALE EACCES",
    "fstat": "EIO ESTALE",
    "statx": "EIO ESTALE",
    "fchmod": "EPERM EIO EROFS",
    "getdents64": "EIO ESTALE",
    "mkdirat": "ENOSPC EACCES EROFS EDQUOT",
    "mkdir": "ENOSPC EACCES EROFS EDQUOT",
    "mmap": "ENOMEM EACCES ENODEV",
    "msync": "EIO",
    "copy_file_range": "EIO ENOSPC EXDEV",
    "sendfile": "EIO ENOSPC",
}
# Memory and signals of the interpreter itself: out of memory has a probe of its own.
IGNORED = {
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "futex",
    "exit_group",
}


@cache
def why_not() -> str | None:
    """Return why strace cannot be used here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    child = children.Child(lambda: lambda: "ran")
    tracer = attached(child, ["-o", "/dev/null", "-e", "trace=none"])
    if tracer is None:
        child.answer()
        return "strace may not attach here"
    child.answer()
    tracer.wait()
    return None


def attached(child: children.Child, options: list[str], *others: children.Child) -> subprocess.Popen[str] | None:
    """Return the strace that watches the children once it does; None when it may not."""
    pids = [option for one in (child, *others) for option in ("-p", str(one.pid))]
    tracer = subprocess.Popen(["strace", "-f", *options, *pids], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    for _ in (child, *others):
        if "attached" not in tracer.stderr.readline():
            tracer.communicate()
            return None
    return tracer


def calls(prepare: Prepare) -> list[str]:
    """Return the names of the system calls that what ``prepare`` returns makes, in order."""
    with workload.folder() as place:
        log = f"{place}/trace"
        child = children.Child(prepare)
        tracer = attached(child, ["-o", log])
        assert tracer is not None
        child.answer()
        tracer.communicate()
        with open(log, encoding="utf-8", errors="replace") as lines:
            names = [found[1] for entry in lines if (found := _LINE.match(entry))]
    return [name for name in names if name not in IGNORED]


def disturbed(prepare: Prepare, call: str, occurrence: int, injection: str) -> str | None:
    """Return what the child answers when the ``occurrence``-th ``call`` is disturbed; None when that killed it.

    Args:
        injection: as strace writes it, as in ``error=EIO`` or ``signal=KILL``.
    """
    child = children.Child(prepare)
    inject = f"inject={call}:{injection}:when={occurrence}"
    tracer = attached(child, ["-o", "/dev/null", "-e", f"trace={call}", "-e", inject])
    answer = child.answer()
    if tracer is not None:
        tracer.communicate()
    return answer


def places(names: list[str]) -> list[tuple[str, int]]:
    """Return each call with its number among those of the same name, from 1."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append((name, seen[name]))
    return found
