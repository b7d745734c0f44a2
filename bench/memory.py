"""The most memory that a list and a load take, beyond the program: each in a fresh process.

Peak resident memory less what was resident before (VmHWM and VmRSS). ``ru_maxrss`` would not do: on Linux a new process
starts with that of the one that started it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from typing import Final

from bench.corpus import corpus
from bench.rows import Row, judged
from bench.scale import MB, Scale, told

_KB: Final = 1024


def run(scale: Scale) -> list[Row]:
    count, size = scale.corpora[-1], scale.sizes[-1]
    home, cache = corpus(scale.folder, count)
    single = os.path.join(scale.folder, "single")
    rows = [
        judged("memory", f"{name} {count:,} sessions", _in_process(what, home, cache) / MB, "MB", "memory list")
        for what, name in (("list", "list all of"), ("pages", "walk in pages of 50 through"))
    ]
    session_id, length = _stored(single, size)
    for what, name in (("read", "load"), ("show", "load and show")):
        taken = _in_process(what, single, os.path.join(scale.folder, "single-cache"), session_id)
        rows.append(judged("memory", f"{name} {told(size)}", taken / length, "x its size", "memory load"))
    return rows


def _stored(home: str, size: int) -> tuple[str, int]:
    from bench.store import Bed
    from jido_jupyter.core import records

    bed = Bed(home)
    said = [message for turn in bed.author.turns(size) for message in turn]
    session_id, _ = bed.session([records.messages(said, bed.author.now())])
    return session_id, os.path.getsize(bed.path_of(session_id))


def _in_process(*arguments: str) -> float:
    command = [sys.executable, "-m", "bench.memory", *arguments]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main(what: str, home: str, cache: str, session_id: str = "") -> None:
    from bench.store import Bed

    bed = Bed(home, cache)
    bed.sessions.find(limit=1)
    _forget_peak()
    before = _resident("VmRSS")
    kept: object
    if what == "list":
        kept = sum(1 for _ in bed.sessions.each())
    elif what == "pages":
        page = kept = bed.sessions.find(limit=50)
        while page.next_cursor is not None:
            page = bed.sessions.find(limit=50, cursor=page.next_cursor)
    elif what == "read":
        kept = bed.store.read(session_id)
    else:
        kept = bed.sessions.show(session_id)
    print(_resident("VmHWM") - before)
    del kept


def _forget_peak() -> None:
    """Let the peak start at what is resident now. Source: proc(5), clear_refs."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def _resident(name: str) -> int:
    """Return the process's memory [bytes]."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * _KB for line in file if line.startswith(name))
    except OSError:  # macOS: bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(*sys.argv[1:])
