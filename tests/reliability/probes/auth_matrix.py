"""Proves that every address lets in just whom it should: each route and verb, by each kind of credential, from each origin.

What must come out stands in `expected`, one rule a line. Requests that are let in ask for a session that is not there, so
that "let in" is any answer but a refusal. (What an authorizer is asked for is a test: `tests/server/test_handlers.py`.) The
broken twin is a server without token and XSRF check.
"""

from __future__ import annotations

import http.client
import itertools
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jido_jupyter.server.routes import EVENTS, ROUTES
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.support.servers import Server, serving

NAME = "auth matrix"
ROW = "S1"

_VERBS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE")
CREDENTIALS: Final = ("none", "wrong token", "token", "bearer", "cookie", "cookie and xsrf")
ORIGINS: Final = ("none", "own", "foreign", "null")
_OPEN: Final = {"ServerApp": {"disable_check_xsrf": True}, "IdentityProvider": {"token": ""}}


@dataclass(frozen=True, slots=True)
class Cell:
    verb: str
    path: str
    credential: str
    origin: str

    def __str__(self) -> str:
        return f"{self.verb} {self.path} with {self.credential}, origin {self.origin}"


def run(scale: Scale, seed: int) -> Probe:
    real, twin = Tally(), Tally()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        tried(real, server, scale.pick(3, 1))  # of 6,720
        real.check("no warning at the start", _warnings(server))
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), _OPEN, JUPYTER_TOKEN="") as server:
        tried(twin, server, 20)
    return judged(NAME, seed, real, {"lets everybody in": twin})


def tried(tally: Tally, server: Server, every: int) -> None:
    """Try each cell, or one of so many."""
    client = Client(server)
    for cell in itertools.islice(cells(), 0, None, every):
        status = client.ask(cell)
        wanted = expected(cell)
        is_right = status not in (401, 403) and status < 500 if wanted == "in" else status == wanted
        tally.check(str(cell), [] if is_right else [f"answered {status}, not {wanted}"])
        tally.count("let in" if wanted == "in" else f"refused with {wanted}")


def cells() -> Iterator[Cell]:
    paths = [route.path.replace("{id}", "nobody") for route in ROUTES] + ["nothing"]
    for path, verb, credential, origin in itertools.product(paths, _VERBS, CREDENTIALS, ORIGINS):
        yield Cell(verb, path, credential, origin)


def expected(cell: Cell) -> int | str:
    """Return the status that a cell must have, or "in" for any that is no refusal."""
    is_in, by_cookie = cell.credential not in ("none", "wrong token"), cell.credential.startswith("cookie")
    is_foreign = cell.origin in ("foreign", "null")
    is_safe = cell.verb in ("GET", "HEAD", "OPTIONS")
    if cell.verb == "OPTIONS":  # asked without credentials by browsers; says only what there is
        return "in"
    if not is_in and is_safe:
        return 403
    if not is_in:
        return 404 if is_foreign else 403
    if by_cookie and is_foreign:
        return 404
    if cell.credential == "cookie" and not is_safe:
        return 403
    return "in"


class Client:
    """Sends requests as a browser or a program would."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._cookies = self._logged_in() if server.token else ""

    def ask(self, cell: Cell) -> int:
        """Return the status; the stream of events is left as soon as it begins."""
        connection = http.client.HTTPConnection("localhost", self._server.port, timeout=20)
        body = "{}" if cell.verb in ("POST", "PATCH", "PUT") else None
        connection.request(cell.verb, f"/jido/api/v1/{cell.path}", body, self._headers(cell))
        answer = connection.getresponse()
        if cell.path != EVENTS.path or answer.status != 200:
            answer.read()
        connection.close()
        return answer.status

    def _headers(self, cell: Cell) -> dict[str, str]:
        own = f"http://localhost:{self._server.port}"
        origin = {
            "none": {},
            "own": {"Origin": own},
            "foreign": {"Origin": "https://evil.example"},
            "null": {"Origin": "null"},
        }
        token = self._server.token
        xsrf = re.search(r"_xsrf=([^;]+)", self._cookies)
        credential = {
            "none": {},
            "wrong token": {"Authorization": "token 0123456789abcdef"},
            "token": {"Authorization": f"token {token}"},
            "bearer": {"Authorization": f"Bearer {token}"},
            # A page of ours sends its address along; without it jupyter_server takes no cookie.
            "cookie": {"Cookie": self._cookies, "Referer": f"{own}/lab"},
            "cookie and xsrf": {"Cookie": self._cookies, "X-XSRFToken": xsrf[1] if xsrf else ""},
        }
        return {**origin[cell.origin], **credential[cell.credential]}

    def _logged_in(self) -> str:
        """Return the cookies of a browser that saw the login page and then came with the token."""
        cookies: dict[str, str] = {}
        for path in ("/login", f"/login?token={self._server.token}"):
            connection = http.client.HTTPConnection("localhost", self._server.port, timeout=20)
            connection.request("GET", path, headers={"Cookie": _joined(cookies)})
            answer = connection.getresponse()
            answer.read()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    cookie, _, content = value.partition(";")[0].partition("=")
                    cookies[cookie] = content
            connection.close()
        return _joined(cookies)


def _joined(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _warnings(server: Server) -> list[str]:
    return [
        line
        for line in server.log.splitlines()
        if "JupyterServerAuthWarning" in line or ("jido" in line and "Traceback" in line)
    ]
