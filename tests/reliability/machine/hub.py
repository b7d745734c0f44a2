"""Proves that on a JupyterHub each user has sessions of his own: two users, two servers each, every address and verb.

A user's own servers let him in and share his sessions; another user's refuse him, and so does every server whoever has no
token. Somebody whom the hub lets into another's server, as it does for a share or an administrator, finds a list of his own
there. The broken twins are a hub whose users may access every server, and servers that do not know whose they are.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from jido_jupyter.server.routes import EVENTS, ROUTES
from tests.reliability.report import Probe, Scale, Tally, judged, not_run

NAME = "JupyterHub: two users, two servers each"
ROW = "S2"

USERS: Final = ("ann", "bob")
SERVERS: Final = ("", "second")
_VERBS: Final = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
_SOME: Final = 7  # one of so many: shares no factor with the verbs or with who asks
_START_S: Final = 120.0
_OTHERS: Final = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")

_CONFIG: Final = """
import json, sys
told = json.load(open("told.json"))
c.JupyterHub.bind_url = told["url"]
c.JupyterHub.hub_port = told["hub_port"]
c.ConfigurableHTTPProxy.command = told["proxy"]
c.ConfigurableHTTPProxy.api_url = told["proxy_api"]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = told["homes"] + "/{username}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = told["args"]
c.Spawner.environment = {"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp", "PYTHONPATH": told["path"]}
c.JupyterHub.services = [{"name": "probe", "api_token": told["token"]}]
c.JupyterHub.load_roles = [
    {"name": "probe", "services": ["probe"], "scopes": ["admin:users", "admin:servers", "tokens", "access:servers"]},
    {"name": "visitor", "users": told["visitors"], "scopes": ["access:servers", "self"]},
]
"""


def run(scale: Scale, seed: int) -> Probe:
    if find_spec("jupyterhub") is None:
        return not_run(NAME, seed, "jupyterhub is not installed; see tests/reliability/machine/install")
    if shutil.which("npx") is None:
        return not_run(NAME, seed, "the hub's proxy needs Node.js")
    real, open_hub, ownerless = Tally(), Tally(), Tally()
    every = scale.pick(_SOME, 1)
    with _hub() as hub:
        refused(real, hub, every)
        shared(real, hub)
    with _hub(visitors=["bob"]) as hub:
        refused(open_hub, hub, _SOME)
        visited(real, hub)
    with _hub(visitors=["bob"], args=["--JidoExtension.owner="]) as hub:
        visited(ownerless, hub)
    return judged(NAME, seed, real, {"lets users into every server": open_hub, "knows no owner": ownerless})


@dataclass(frozen=True, slots=True)
class Hub:
    port: int
    token: str  # of the probe, which may do everything
    tokens: Mapping[str, str]  # by user

    def ask(self, method: str, path: str, token: str | None, body: Any = None) -> tuple[int, bytes]:
        """Return status and body; the stream of events is left as soon as it begins."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=60)
        data = None if method in ("GET", "HEAD") else json.dumps({} if body is None else body)
        headers = {} if token is None else {"Authorization": f"token {token}"}
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        found = b"" if path.endswith(EVENTS.path) and answer.status == 200 else answer.read()
        connection.close()
        return answer.status, found

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the hub itself for something that it must do."""
        status, found = self.ask(method, f"/hub/api/{path}", self.token, body)
        if status >= 300:
            raise RuntimeError(f"The hub answered {method} {path} with {status}: {found[:500]!r}")
        return json.loads(found) if found else None

    def sessions(self, user: str, name: str, token: str) -> list[str]:
        """Return the ids that a server lists."""
        _, found = self.ask("GET", f"{_api(user, name)}/sessions", token)
        return [session["id"] for session in json.loads(found).get("sessions", [])]


def refused(tally: Tally, hub: Hub, every: int) -> None:
    """Try each address of each server as its user, as another one, and as nobody."""
    paths = [route.path.replace("{id}", "nobody") for route in ROUTES]
    for user, name in itertools.product(USERS, SERVERS):
        for path, verb, who in itertools.islice(itertools.product(paths, _VERBS, (*USERS, None)), 0, None, every):
            status, _ = hub.ask(verb, f"{_api(user, name)}/{path}", hub.tokens[who] if who else None)
            is_right = status not in (401, 403) and status < 500 if who == user else status == 403
            what = "let in" if who == user else "refused"
            tally.check(f"{verb} {path} of {user}/{name} as {who}", [] if is_right else [f"{status}, not {what}"])
            tally.count(what)


def shared(tally: Tally, hub: Hub) -> None:
    """A user's servers have the same sessions, one of them open in one at a time; the other user's have none of them."""
    ann, bob = (hub.tokens[user] for user in USERS)
    first, second = (_api("ann", name) for name in SERVERS)
    status, made = hub.ask("POST", f"{first}/sessions", ann, {"title": "Ann's"})
    session_id = json.loads(made)["id"]
    problems = [] if status == 201 else [f"answered {status}"]
    problems += ["not in the second server"] if session_id not in hub.sessions("ann", "second", ann) else []
    problems += ["seen by the other user"] if session_id in hub.sessions("bob", "", bob) else []
    opened, _ = hub.ask("POST", f"{first}/sessions/{session_id}/resume", ann)
    again, told = hub.ask("POST", f"{second}/sessions/{session_id}/resume", ann)
    problems += [f"opened with {opened}, and again with {again}"] if (opened, again) != (200, 409) else []
    problems += ["the second server names no owner"] if b"owner" not in told else []
    tally.check("sessions of one user", problems)


def visited(tally: Tally, hub: Hub) -> None:
    """Bob may access Ann's server, and sees a list of his own in it, and she none of his."""
    ann, bob = (hub.tokens[user] for user in USERS)
    for name in SERVERS:
        _, made = hub.ask("POST", f"{_api('ann', name)}/sessions", ann, {"title": "Ann's"})
        hers = json.loads(made)["id"]
        status, _ = hub.ask("GET", f"{_api('ann', name)}/sessions/{hers}", bob)
        tally.check("her session, read by a visitor", [] if status == 404 else [f"answered {status}"])
        tally.check("her list, as a visitor", [] if hers not in hub.sessions("ann", name, bob) else ["is hers"])
        _, made = hub.ask("POST", f"{_api('ann', name)}/sessions", bob, {"title": "Bob's"})
        his = json.loads(made)["id"]
        tally.check("his list", [] if his in hub.sessions("ann", name, bob) else ["lacks what he made"])
        tally.check("her list", [] if his not in hub.sessions("ann", name, ann) else ["has what a visitor made"])


def _api(user: str, name: str) -> str:
    return f"/user/{user}/{name}/jido/api/v1" if name else f"/user/{user}/jido/api/v1"


@contextmanager
def _hub(visitors: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Hub]:
    """Yield a hub on which both users have two servers that run.

    Args:
        visitors: users who may access every server.
        args: more of them, for each server.
    """
    with tempfile.TemporaryDirectory() as folder:
        port, hub_port, proxy_port = _free_ports(3)
        token = secrets.token_hex(16)
        extensions = {"jido_jupyter": True, **dict.fromkeys(_OTHERS, False)}
        told = {
            "url": f"http://127.0.0.1:{port}",
            "hub_port": hub_port,
            "proxy": ["npx", "--yes", "configurable-http-proxy@5"],
            "proxy_api": f"http://127.0.0.1:{proxy_port}",
            "homes": f"{folder}/homes",
            "args": ["--allow-root", f"--ServerApp.jpserver_extensions={extensions}", *args],
            "token": token,
            "visitors": list(visitors),
            "path": os.getcwd(),
        }
        Path(folder, "told.json").write_text(json.dumps(told), encoding="utf-8")
        Path(folder, "config.py").write_text(_CONFIG, encoding="utf-8")
        command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
        with open(Path(folder, "log"), "wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=_environ(), stdout=log, stderr=log)
            try:
                yield _started(process, Hub(port, token, {}), folder)
            finally:
                process.terminate()
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()


def _started(process: subprocess.Popen[bytes], hub: Hub, folder: str) -> Hub:
    """Wait for the hub, start the servers, and return it with a token for each user."""
    try:
        _wait(process, lambda: hub.ask("GET", "/hub/api/", hub.token)[0] == 200)
        tokens = {}
        for user in USERS:
            if hub.ask("GET", f"/hub/api/users/{user}", hub.token)[0] == 404:
                hub.done("POST", f"users/{user}")
            for name in SERVERS:
                hub.done("POST", f"users/{user}/servers/{name}" if name else f"users/{user}/server")
            tokens[user] = hub.done("POST", f"users/{user}/tokens")["token"]
        for user, name in itertools.product(USERS, SERVERS):
            path = f"{_api(user, name)}/health"
            _wait(process, lambda path=path, user=user: hub.ask("GET", path, tokens[user])[0] == 200)
    except (RuntimeError, OSError) as error:
        raise RuntimeError(f"{error}\n{Path(folder, 'log').read_text(errors='replace')[-3000:]}") from error
    return Hub(hub.port, hub.token, tokens)


def _wait(process: subprocess.Popen[bytes], is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):  # nobody listens yet
            if is_there():
                return
        time.sleep(0.3)
    raise RuntimeError("The hub or a server of it did not start.")


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("JIDO_", "JUPYTER", "JPY_"))}


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
