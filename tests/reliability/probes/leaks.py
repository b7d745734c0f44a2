"""Proves that no secret comes to lie where it does not belong: made-up ones go through the whole REST door, then everything is searched.

Searched are the server's log (at its most talkative), every file that it wrote and their names, its temporary folder, the
answers to errors and the stream of events. A secret may stand only where it was put on purpose. The broken twin keeps what it is
given: the redaction of stored messages is switched off, and a query goes into the log.
"""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tests.reliability.report import Probe, Scale, Tally, judged
from tests.support.servers import Server, serving

NAME = "leaks"
ROW = "S6"

_TALKATIVE: Final = {"ServerApp": {"log_level": "DEBUG"}}
_QUIET_S: Final = 1.5  # for the events of the last request to be told


def run(scale: Scale, seed: int) -> Probe:
    real, twin = Tally(), Tally()
    for _ in range(scale.pick(1, 3)):
        _searched(real, {})
    _searched(twin, {"JIDO_REDACT": "off"})
    return judged(NAME, seed, real, {"stores keys": twin})


def _searched(tally: Tally, environ: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder, "tmp")
        temporary.mkdir()
        server_folder = Path(folder, "server")
        server_folder.mkdir()
        with serving(server_folder, _TALKATIVE, TMPDIR=str(temporary), **environ) as server:
            used = _used(server)
        key = next((server_folder / "config" / "jido" / "keys").glob("*")).read_bytes()
        places = {"log": [server.log], "names": [str(path) for path in Path(folder).rglob("*")], **used.answers}
        files = {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}
        for name, secret in used.canaries.items():
            for place, texts in places.items():
                tally.check(f"{name} in {place}", ["it stands there"] if any(secret in text for text in texts) else [])
            home = [str(path.relative_to(folder)) for path, data in files.items() if secret.encode() in data]
            allowed = ("server/home/sessions/", "server/home/trash/", "server/cache/") if name in _OF_USERS else ()
            allowed = (*allowed, "server/runtime/") if name == "server's token" else allowed
            stray = [path for path in home if not path.startswith(allowed)] if allowed else home
            tally.check(f"{name} in files", [f"it stands in {path}" for path in stray])
        strays = [
            str(path.relative_to(folder)) for path, data in files.items() if key in data and path.parent.name != "keys"
        ]
        tally.check("sealing key in files", strays)
        tally.check("temporary files", [path.name for path in temporary.rglob("*")])
        tally.count("files searched", len(files))


_OF_USERS: Final = ("text of a message", "title of a session")  # what sessions are there to hold


class _Used:
    """What was sent, and what was answered."""

    def __init__(self, token: str) -> None:
        mark = secrets.token_hex(12)
        self.canaries = {
            "server's token": token,
            "key in a message": f"sk-proj-{mark}{mark}",
            "text of a message": f"canary-text-{mark}",
            "title of a session": f"canary-title-{mark}",
            "word that is searched for": f"canary-query-{mark}",
            "text of a refused message": f"canary-refused-{mark}",
            "cookie": f"canary-cookie-{mark}",
        }
        self.answers: dict[str, list[str]] = {"answers to errors": [], "events": []}


def _used(server: Server) -> _Used:
    used = _Used(server.token)
    canaries = used.canaries
    events = _listening(server)
    said = [{"role": "user", "text": f"{canaries['text of a message']} {canaries['key in a message']}"}]
    _, session = _ask(server, used, "POST", "sessions", {"title": canaries["title of a session"], "messages": said})
    at = f"sessions/{session['id']}"
    word = quote(canaries["word that is searched for"])
    for path in (
        f"search?q={word}",
        f"search?q={word}%20is%3Anothing",
        f"sessions?q={word}&limit={word}",
        f"{at}/export?format={word}",
    ):
        _ask(server, used, "GET", path)
    refused = canaries["text of a refused message"]
    for path, body in (
        (f"{at}/messages", {"messages": [{"role": "pirate", "text": refused}]}),
        ("sessions", {"title": 5, "messages": [{"role": "user", "text": refused}]}),
        (f"{at}/fork", {"message": 5, "title": refused}),
        ("sessions/nobody/messages", {"messages": [{"role": "user", "text": refused}]}),
    ):
        _ask(server, used, "POST", path, body)
    _, opened = _ask(server, used, "POST", f"{at}/resume")
    canaries["token of a lease"] = lease = opened["lease"]["token"]
    _ask(server, used, "POST", f"{at}/messages", {"messages": said}, {"Jido-Lease": lease, "If-Match": '"0-0"'})
    _ask(server, used, "POST", f"{at}/messages", {"messages": said}, {"Jido-Lease": lease})
    _ask(server, used, "POST", f"{at}/close", {}, {"Jido-Lease": lease})
    _ask(server, used, "POST", f"{at}/lease", {}, {"Jido-Lease": lease})
    _ask(server, used, "GET", at, None, {"Authorization": "token wrong", "Cookie": f"login={canaries['cookie']}"})
    _ask(server, used, "DELETE", at)
    used.answers["events"] += _told(events)
    return used


def _ask(
    server: Server, used: _Used, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    data = None if body is None and method in ("GET", "DELETE") else json.dumps(body or {})
    connection.request(
        method, f"/jido/api/v1/{path}", data, {"Authorization": f"token {server.token}", **(headers or {})}
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status >= 400:
        used.answers["answers to errors"].append(text)
    return answer.status, json.loads(text) if text.startswith("{") else text


def _listening(server: Server) -> socket.socket:
    stream = socket.create_connection(("localhost", server.port))
    head = f"GET /jido/api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: token {server.token}\r\n\r\n"
    stream.sendall(head.encode())
    return stream


def _told(stream: socket.socket) -> Iterator[str]:
    time.sleep(_QUIET_S)
    stream.setblocking(False)
    with stream:
        yield stream.recv(2**20).decode()
