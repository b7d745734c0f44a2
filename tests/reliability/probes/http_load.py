"""Proves that many clients at once get right answers, soon, and are no harm to the rest of the server.

Each client creates a session and then mixes: adding messages (each numbered), reading them back, listing, searching, a stale
If-Match, a conditional read. Afterwards each session must hold just what was acknowledged, in order. Meanwhile another
client asks jupyter_server itself, which must stay quick. The broken twin is judged by the same laws on a server whose
answers lost an acknowledged message.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.reliability.report import Probe, Scale, Tally, judged
from tests.support.servers import Server, serving

NAME = "HTTP clients"
ROW = "R10"

P99_S: Final = 3.0
OTHERS_S: Final = 1.0  # the 99th percentile of jupyter_server's own answers meanwhile
MEMORY: Final = 200 * 2**20  # bytes
_GENEROUS: Final = {
    "JIDO_MAX_SESSIONS": "100000",
    "JIDO_RATE_LIMITS": "search=1000000/60 export=1000000/60",
}
# How often each is asked, as a page that polls, a person who reads and a program that adds would mix.
_DO: Final = {
    "unchanged": 8,
    "add": 8,
    "read": 6,
    "page": 5,
    "list": 5,
    "search": 3,
    "stale": 2,
    "export": 1,
    "health": 1,
    "create": 1,
}
_SESSIONS: Final = "/jido/api/v1/sessions"
_AT_ONCE: Final = 50  # clients that come at the same moment; all of them then ask at once


@dataclass(slots=True)
class Seen:
    """What the clients saw."""

    took: list[float] = field(default_factory=list)  # s
    others: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    acknowledged: dict[str, list[str]] = field(default_factory=dict)  # session -> ids of its messages, in order


def run(scale: Scale, seed: int) -> Probe:
    clients, requests = scale.pick((100, 1000), (1000, 10_000))
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), **_GENEROUS) as server:
        seen = asyncio.run(_crowd(server, clients, requests // clients, seed))
        found = asyncio.run(_stored(server, seen.acknowledged))
        resident = server.resident()
        log = server.log
    real, twin = Tally(), Tally()
    _judge(real, seen, found, resident, log)
    lossy = {session_id: ids[:-1] for session_id, ids in found.items()}
    _judge(twin, seen, lossy, resident, log)
    took, others = sorted(seen.took), sorted(seen.others)
    notes = [
        f"{clients:,} clients, {len(took):,} requests, {len(took) / max(1e-9, sum(took) / clients):,.0f} a second; "
        f"median {statistics.median(took) * 1e3:.0f} ms, p99 {_p99(took) * 1e3:.0f} ms; "
        f"jupyter_server's own p99 {_p99(others) * 1e3:.0f} ms; {resident // 2**20} MB"
    ]
    return judged(NAME, seed, real, {"lost a message": twin}, notes)


def _judge(tally: Tally, seen: Seen, found: Mapping[str, Sequence[str]], resident: int, log: str) -> None:
    for problem in seen.failed:
        tally.check("answered", [problem])
    tally.check("right answers", seen.wrong[:5])
    tally.tried += len(seen.took)
    for session_id, ids in seen.acknowledged.items():
        is_same = list(found.get(session_id, ())) == ids
        tally.check(f"session {session_id}", [] if is_same else ["it does not hold what was acknowledged"])
    slow, others = _p99(sorted(seen.took)), _p99(sorted(seen.others))
    tally.check("soon", [f"p99 is {slow:.1f} s"] if slow > P99_S else [])
    tally.check("no harm to others", [f"p99 of /api/status is {others:.2f} s"] if others > OTHERS_S else [])
    tally.check("memory", [f"{resident // 2**20} MB"] if resident > MEMORY else [])
    tally.check("log", ["a traceback"] if "Traceback" in log else [])


def _p99(ordered: Sequence[float]) -> float:
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else 0.0


class Client:
    """One keep-alive connection, spoken by hand: a thousand of them must cost less than the server."""

    def __init__(self, server: Server, seen: Seen) -> None:
        self._server = server
        self._seen = seen

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("localhost", self._server.port)

    async def ask(
        self, method: str, path: str, body: Any = None, headers: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost:{self._server.port}\r\nAuthorization: token {self._server.token}\r\n"
            f"Content-Length: {len(data)}\r\n{headers}\r\n"
        )
        began = time.monotonic()
        self._writer.write(head.encode() + data)
        status_line, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        answer = await self._body(fields)
        status = int(status_line.split()[1])
        self._seen.took.append(time.monotonic() - began)
        if status >= 500:
            self._seen.failed.append(f"{method} {path.partition('?')[0]}: {status} {answer[:200]!r}")
        return status, fields, answer

    async def _body(self, fields: Mapping[str, str]) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(fields.get("content-length", 0)))
        pieces = []
        while size := int((await self._reader.readline()).strip() or b"0", 16):
            pieces.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(pieces)

    def close(self) -> None:
        self._writer.close()


async def _crowd(server: Server, clients: int, requests: int, seed: int) -> Seen:
    seen, gate = Seen(), asyncio.Semaphore(_AT_ONCE)
    watcher = asyncio.ensure_future(_ask_others(server, seen))
    rngs = [random.Random(f"{seed} {number}") for number in range(clients)]
    begun = await asyncio.gather(*(_begin(server, seen, gate, number) for number in range(clients)))
    stories = [(story, rng) for story, rng in zip(begun, rngs, strict=True) if story is not None]
    await asyncio.gather(*(_live(story, seen, requests - 1, rng) for story, rng in stories))
    watcher.cancel()
    return seen


async def _ask_others(server: Server, seen: Seen) -> None:
    own = Seen()
    client = Client(server, own)
    await client.open()
    while True:
        await client.ask("GET", "/api/status")
        seen.others = own.took
        await asyncio.sleep(0.05)


async def _begin(server: Server, seen: Seen, gate: asyncio.Semaphore, number: int) -> _Story | None:
    """Connect and create a session; so many do so at the same time, as nobody's users all come in one moment."""
    client = Client(server, seen)
    async with gate:
        await client.open()
        status, _, body = await client.ask("POST", _SESSIONS, {"title": f"client {number}"})
    if status == 201:
        return _Story(client, seen, json.loads(body), number)
    seen.wrong.append(f"creating answered {status}")
    return None


async def _live(story: _Story, seen: Seen, requests: int, rng: random.Random) -> None:
    """Ask without a pause; all clients at once."""
    try:
        for _ in range(requests):
            await story.act(*rng.choices([*_DO], [*_DO.values()]))
    except (OSError, asyncio.IncompleteReadError) as error:
        seen.failed.append(f"connection: {error!r}")
    finally:
        story.close()


class _Story:
    """What one client does with its session, and what it must see."""

    def __init__(self, client: Client, seen: Seen, session: Mapping[str, Any], number: int) -> None:
        self._client = client
        self._seen = seen
        self._number = number
        self._at = f"/jido/api/v1/sessions/{session['id']}"
        self._etag = f'"{session["revision"]}"'
        self._ids: list[str] = seen.acknowledged.setdefault(str(session["id"]), [])
        self._next = itertools.count()

    def close(self) -> None:
        self._client.close()

    async def act(self, what: str) -> None:
        step: Callable[[], Any] = getattr(self, f"_{what}")
        await step()

    def _law(self, holds: bool, what: str) -> None:
        if not holds:
            self._seen.wrong.append(what)

    async def _add(self) -> None:
        message = f"m{self._number}-{next(self._next)}"
        body = {"messages": [{"id": message, "role": "user", "text": f"word{self._number} and more"}]}
        status, fields, _ = await self._client.ask("POST", f"{self._at}/messages", body, f"If-Match: {self._etag}\r\n")
        self._law(status == 201, f"adding answered {status}")
        if status == 201:
            self._ids.append(message)
            self._etag = fields["etag"]

    async def _create(self) -> None:
        status, fields, _ = await self._client.ask("POST", _SESSIONS, {"title": "another"})
        self._law(status == 201 and "location" in fields, f"creating answered {status}")

    async def _read(self) -> None:
        status, _, body = await self._client.ask("GET", f"{self._at}/messages?limit=500")
        found = [message["id"] for message in json.loads(body)["messages"]] if status == 200 else None
        self._law(found == self._ids, f"reading answered {status}, and other messages")

    async def _list(self) -> None:
        status, _, body = await self._client.ask("GET", "/jido/api/v1/sessions?limit=50")
        self._law(status == 200 and len(json.loads(body)["sessions"]) <= 50, f"listing answered {status}")

    async def _page(self) -> None:
        status, _, body = await self._client.ask("GET", f"{self._at}?messages=false")
        self._law(status == 200 and json.loads(body)["message_count"] == len(self._ids), "the head counts otherwise")

    async def _search(self) -> None:
        status, _, _ = await self._client.ask("GET", f"/jido/api/v1/search?q=word{self._number}&limit=5")
        self._law(status == 200, f"searching answered {status}")

    async def _stale(self) -> None:
        body = {"messages": [{"role": "user", "text": "lost update"}]}
        status, _, _ = await self._client.ask("POST", f"{self._at}/messages", body, 'If-Match: "0-0"\r\n')
        self._law(status == 412, f"a stale state answered {status}")

    async def _unchanged(self) -> None:
        status, _, _ = await self._client.ask("GET", self._at, None, f"If-None-Match: {self._etag}\r\n")
        self._law(status == 304, f"a known state answered {status}")

    async def _health(self) -> None:
        status, _, _ = await self._client.ask("GET", "/jido/api/v1/health")
        self._law(status == 200, f"health answered {status}")

    async def _export(self) -> None:
        status, _, body = await self._client.ask("GET", f"{self._at}/export")
        found = [message["id"] for message in json.loads(body)["messages"]] if status == 200 else None
        self._law(found == self._ids, f"exporting answered {status}, and other messages")


async def _stored(server: Server, acknowledged: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the ids of the messages that each session holds now."""
    client = Client(server, Seen())
    await client.open()
    found = {}
    for session_id in acknowledged:
        _, _, body = await client.ask("GET", f"/jido/api/v1/sessions/{session_id}")
        found[session_id] = [message["id"] for message in json.loads(body)["messages"]]
    client.close()
    return found
