"""What the others promise, and why one may be ahead of ours: the words beside the figures."""

from __future__ import annotations

from typing import Final

from bench.stores import OWN, PEERS, Peer

ABSENT: Final = "not installed"  # the operation of a row that only says so


def _promise(peer: type[Peer]) -> str:
    listed = "" if peer.lists in ("", OWN) else "; lists and searches by hand"
    return f"durable: {peer.durable}{listed}"


PROMISES: Final[dict[tuple[str, str], str]] = {
    **{("peers", peer.name): _promise(peer) for peer in PEERS},
    ("peers", "jido_jupyter"): "durable: yes; sealed, and checked on reading",
    ("limiters", "jido_jupyter"): "shared, exact",
    ("limiters", "limits, memory, moving window"): "exact in one process",
    ("limiters", "limits, Redis, moving window"): "shared, exact; needs a server",
    ("limiters", "pyrate-limiter, InMemoryBucket"): "exact in one process",
    ("limiters", "pyrate-limiter, SQLiteBucket with file lock"): "shared, exact",
    ("limiters", "pyrate-limiter, RedisBucket"): "shared; counts up to the caller's own clock; needs a server",
}

BECAUSE: Final[dict[str, str]] = {
    "OpenAI Agents SQLiteSession": (
        "Its list is an SQL query of ours over two columns; a summary of ours has title, tags, notebook, model, preview, "
        "problems and owner, and is first compared with the files."
    ),
    "LangChain SQLChatMessageHistory": "As above: a query by hand over one table, which nobody else may change unseen.",
    "LangGraph SqliteSaver": (
        "A new session is one SQLite commit, one sync of a log that exists already; ours is a file of its own, which takes "
        "a sync of the file and one of the folder. It writes the whole conversation again at each turn, loses turns when "
        "two processes add, and checks nothing it reads."
    ),
    "jupyter_server LargeFileManager": (
        "It does not sync the folder, so a new file may be gone after a power cut, and it writes over a file in place, "
        "where a reader meets half of it."
    ),
    "jupyterlab-chat YChat + LargeFileManager": "As jupyter_server, which writes its files.",
    "diskcache.Cache": (
        "It does not wait for the disk (synchronous=NORMAL, files unsynced), and pickle is read without a check: quicker "
        "than JSON, but a changed file runs code. Its list is of keys only."
    ),
    "TinyDB, a file per session": (
        "One sync, of the file and not of the folder, and no check on reading; two processes that write leave a file that "
        "does not parse."
    ),
    "simonw/llm LogStore": "Its list is an SQL query of ours over three columns; its search is one over single messages.",
    "limits, memory, moving window": "It counts in one process: eight of them let in eight times the limit.",
    "pyrate-limiter, InMemoryBucket": "It counts in one process: eight of them let in eight times the limit.",
}
