"""A real Jupyter server in a process of its own, with only our extension, on folders of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

START_S: Final = 60.0
_OTHERS: Final = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[bytes]
    url: str  # ends in a slash
    token: str
    folder: Path  # everything that it writes; its log is "log" there

    @property
    def api(self) -> str:
        return f"{self.url}jido/api/v1"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def resident(self) -> int:
        """Return the memory that it holds [bytes]; 0 where the system does not tell."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(
    folder: Path, config: Mapping[str, Any] | None = None, *, port: int = 0, **environ: str
) -> Iterator[Server]:
    """Yield a running server, and end it.

    Args:
        folder: empty; holds its configuration, its log and, in ``home``, the store.
        config: of Jupyter, by class.
        port: 0 takes a free one.
    """
    token = secrets.token_hex(16)
    _configure(folder, config or {})
    command = [
        sys.executable,
        "-m",
        "jupyter_server",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        f"--ServerApp.root_dir={folder}",
    ]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, env=_environ(folder, token, environ), stdout=log, stderr=log, cwd=folder)
        try:
            yield Server(process, _url_of(process, folder), token, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _configure(folder: Path, config: Mapping[str, Any]) -> None:
    for name in ("config", "runtime", "data"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    extensions = {"jido_jupyter": True, **dict.fromkeys(_OTHERS, False)}
    server = {"jpserver_extensions": extensions, "allow_unauthenticated_access": False, **config.get("ServerApp", {})}
    whole = {**config, "ServerApp": server}
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(whole), encoding="utf-8")


def _environ(folder: Path, token: str, more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIDO_", "JUPYTER", "JPY_"))}
    own = {
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_TOKEN": token,
        "JIDO_HOME": str(folder / "home"),
        "PYTHONPATH": os.getcwd(),
    }
    return {**kept, **own, **more}


def _url_of(process: subprocess.Popen[bytes], folder: Path) -> str:
    """Wait for the server and return its address."""
    told = folder / "runtime" / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):  # not there yet, being written, or not listened to yet
            url = str(json.loads(told.read_text())["url"])
            socket.create_connection(("localhost", urlsplit(url).port or 80), timeout=5).close()
            return url
        time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{(folder / 'log').read_text()[-3000:]}")
