"""Makes a folder with many small sessions: ``python -m bench.corpus HOME CACHE COUNT``, a process of its own.

A hundred thousand durable files take minutes and prove nothing about lists; here nothing is synced.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from bench.content import COMMON, Author
from bench.scale import MB

SEARCHED = 10_000  # sessions; in larger folders the words are not indexed


def corpus(folder: str, count: int) -> tuple[str, str]:
    """Return store and cache of ``count`` sessions, made once for each run."""
    home, cache = os.path.join(folder, f"sessions-{count}"), os.path.join(folder, f"cache-{count}")
    done = os.path.join(folder, f"done-{count}")
    if not os.path.exists(done):
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "bench.corpus", home, cache, str(count)], check=True)
        with open(done, "w", encoding="ascii"):
            pass
    return home, cache


def main(home: str, cache: str, count: int) -> None:
    os.fsync = os.fdatasync = lambda fd: None
    from bench.store import KEY
    from jido_jupyter.core.query import parse
    from jido_jupyter.store.codec import Keys
    from jido_jupyter.store.file import FileStore

    store, author = FileStore(home, Keys([KEY]), 10 * MB, cache), Author(count)
    for number in range(count):
        store.create(*author.small_session(number))
    time.sleep(0.1)  # until the folder's time can be trusted
    store.count()
    if count <= SEARCHED:
        store.find(parse(COMMON), limit=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
