"""What a client of the REST door waits for: a page of the list, and a session that is opened. Measured on a real server.

The client is Python's own, on one connection that stays, the same for floor and subject.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.corpus import SEARCHED, corpus
from bench.measure import Case, Work, interleave
from bench.rows import Row, judged
from bench.scale import MB, Scale, told
from bench.store import KEY, Bed
from tests.support.servers import Server, serving

_API: Final = "/jido/api/v1"
_MS: Final = 1e3
_GENEROUS: Final = {"JIDO_MAX_SESSIONS": "1000000", "JIDO_RESUME_LIMIT": "1000000"}


def run(scale: Scale) -> list[Row]:
    return [*_page(scale), *_resume(scale)]


class Client:
    """One connection to a server."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("localhost", port, timeout=60)
        self._headers = {"Authorization": f"token {token}"}

    def ask(self, method: str, path: str, **headers: str) -> bytes:
        self._connection.request(method, path, headers={**self._headers, **headers})
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status < 300, (answer.status, body[:500])
        return body


def _page(scale: Scale) -> list[Row]:
    """Floor: jupyter_server's own status, over the same connection."""
    count = min(SEARCHED, max(scale.corpora))
    sessions, _ = corpus(scale.folder, count)
    with _server(scale, sessions) as server:
        client = Client(server.port, server.token)
        path = f"{_API}/sessions?limit=50"
        page = json.loads(client.ask("GET", path))
        assert len(page["sessions"]) == 50
        cases = [
            Case("status", lambda: lambda: client.ask("GET", "/api/status")),
            Case("page", lambda: lambda: client.ask("GET", path)),
        ]
        times = interleave(cases, scale.rounds * 3)
        floor = times["status"].median * _MS
        made = _made_anew(client, scale)
    name = f"GET sessions, 50 of {count:,}"
    note = f"after a change: {made:.3g} ms"
    return [judged("server", name, times["page"].median * _MS, "ms", "rest page", floor, note)]


def _made_anew(client: Client, scale: Scale) -> float:
    """Return the median time of pages that the server has not at hand [ms]."""
    limits = iter(range(51, 51 + 2 * scale.rounds))
    client.ask("GET", f"{_API}/sessions?limit=50")
    case = Case("made", lambda: lambda: client.ask("GET", f"{_API}/sessions?limit={next(limits)}"))
    return interleave([case], scale.rounds)["made"].median * _MS


def _resume(scale: Scale) -> list[Row]:
    """Floor: reading the session through the store, and its answer written to a socket by a server that does nothing else."""
    size = min(MB, max(scale.sizes))
    bed = Bed(os.path.join(scale.folder, "resumed"))
    session_id, _ = bed.session(bed.author.log(bed.author.turns(size)))
    with _server(scale, bed.folder) as server:
        client, held = Client(server.port, server.token), list[str]()
        path = f"{_API}/sessions/{session_id}"
        with _echoing(client.ask("GET", path)) as port:
            bare = Client(port)

            def floor() -> None:
                bed.store.read(session_id)
                bare.ask("GET", "/")

            def prepare() -> Work:
                while held:
                    client.ask("POST", f"{path}/close", **{"Jido-Lease": held.pop()})
                client.ask("GET", f"{_API}/sessions?limit=1")  # the index notices, untimed
                return lambda: held.append(_token(client.ask("POST", f"{path}/resume")))

            cases = [Case("floor", lambda: floor), Case("resume", prepare)]
            times = interleave(cases, scale.rounds, is_durable=True)
    value, below = (times[name].median * _MS for name in ("resume", "floor"))
    return [judged("server", f"POST resume, session of {told(size)}", value, "ms", "rest resume", below)]


def _token(body: bytes) -> str:
    """Return the token without reading the whole answer: that is the client's work."""
    lease: Any = json.loads(b"{" + body[body.rindex(b'"lease":') :])
    return str(lease["lease"]["token"])


@contextmanager
def _echoing(body: bytes) -> Iterator[int]:
    """Answer each request with ``body``; yield the port."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    listener = socket.create_server(("localhost", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while request := connection.recv(65536):
                if request.endswith(b"\r\n\r\n"):
                    connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextmanager
def _server(scale: Scale, home: str) -> Iterator[Server]:
    """Run a server on the sessions of ``home``, with the key that sealed them."""
    with tempfile.TemporaryDirectory(dir=scale.folder) as folder:
        keys = Path(folder, "config", "jido", "keys")
        keys.mkdir(parents=True, mode=0o700)
        os.chmod(keys.parent, 0o700)
        (keys / "0001").write_bytes(KEY)
        (keys / "0001").chmod(0o600)
        with serving(Path(folder), JIDO_HOME=home, **_GENEROUS) as server:
            time.sleep(0.5)
            yield server
