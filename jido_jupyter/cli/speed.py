"""``jido bench``: what this disk can do, and what jido adds to it, measured beside each other."""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import click

from jido_jupyter.cli import output
from jido_jupyter.connection import Connection, connect
from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.query import Query
from jido_jupyter.core.window import Charge, Window
from jido_jupyter.errors import KeptElsewhere
from jido_jupyter.store.codec import Keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.folder import Folder
from jido_jupyter.store.limiter import FileLimiter

AT: Final = "2026-01-01T00:00:00.000Z"
TURN: Final = 4096  # bytes


@click.command("bench")
@click.option("--turns", type=click.IntRange(min=20, max=5000), default=200, show_default=True, help="Turns to append.")
@output.json_option
def bench_command(turns: int, as_json: bool) -> int:
    """Append, load and list in a scratch store beside yours, each next to a bare write of the same bytes; medians."""
    connection = connect()
    if connection.settings.url is not None:
        raise KeptElsewhere(connection.settings.url, "Run 'jido bench' on its machine, without JIDO_URL.")
    scratch = os.path.join(connection.home, f"bench-{secrets.token_hex(4)}")
    try:
        rows = _measured(scratch, turns)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if as_json:
        output.print_json({"home": connection.home, "rows": rows})
        return 0
    output.say(_where(connection))
    for row in rows:
        ratio = f"{row['value'] / row['floor']:.2f} x a bare write" if row["floor"] else ""
        output.say(f"{row['name']:<34}{row['value']:>10.1f} us   {ratio}")
    return 0


def _where(connection: Connection) -> str:
    return f"In {connection.home}; medians, one process."


def _measured(scratch: str, turns: int) -> list[dict[str, Any]]:
    Folder(scratch).make()
    store = FileStore(os.path.join(scratch, "store"), Keys([bytes(32)]), 10**9)
    revision = store.create(records.header("bench", AT), [])
    bare = os.open(os.path.join(scratch, "bare"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    text, data = "x" * (TURN // 2 - 100), b"x" * TURN
    floors, appends = [], []
    for number in range(turns):
        said = [Message(f"{role}{number}", role, (text_part(text),), AT) for role in ("user", "assistant")]
        log = [records.messages(said, AT)]
        started = time.perf_counter()
        revision = store.append("bench", log, revision)
        appends.append(time.perf_counter() - started)
        started = time.perf_counter()
        os.write(bare, data)
        os.fdatasync(bare)
        floors.append(time.perf_counter() - started)
    os.close(bare)
    limiter = FileLimiter(os.path.join(scratch, "limits"))
    charge = [Charge("bench", Window(5, 3600))]
    return [
        _row("append a turn of 4 KB, durable", appends, statistics.median(floors)),
        _row(f"load it: {turns} turns, verified", [_seconds(lambda: store.read("bench")) for _ in range(20)]),
        _row("list a page", [_seconds(lambda: store.find(Query())) for _ in range(50)]),
        _row("ask the limiter", [_seconds(lambda: limiter.acquire(charge)) for _ in range(1000)]),
    ]


def _row(name: str, seconds: list[float], floor_s: float = 0.0) -> dict[str, Any]:
    return {"name": name, "value": statistics.median(seconds) * 1e6, "unit": "us", "floor": floor_s * 1e6}


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
