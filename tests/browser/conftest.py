"""A real JupyterLab and a real Chromium. Run these in a process of their own: `pytest tests/browser`."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.kernels import ROOT, environment

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
NO_NEWS = ("@jupyterlab/apputils-extension", "notification.jupyterlab-settings", {"fetchNews": "false"})


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab; it serves Notebook 7 too."""

    url: str
    token: str
    home: Path
    root: Path  # where the notebooks are
    env: dict[str, str]

    def address(self, path: str) -> str:
        return f"{self.url}{path}?token={self.token}"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A server with its own home, its own store and the real token check."""
    with serving(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The same, once for all tests of a module: each takes a notebook and sessions of its own."""
    with serving(tmp_path_factory.mktemp("lab")) as started:
        yield started


@contextmanager
def serving(home: Path) -> Iterator[Lab]:
    """Yield a running server that keeps everything below ``home``."""
    root = home / "root"
    shutil.copytree(ROOT / "notebooks", root)
    env = environment(home)
    env |= {
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    plugin, name, content = NO_NEWS
    (home / "settings" / plugin).mkdir(parents=True)
    (home / "settings" / plugin / name).write_text(json.dumps(content))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    log = open(home / "server.log", "wb")  # noqa: SIM115 - closed below
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            f"--ServerApp.root_dir={root}",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            "--ServerApp.allow_root=True",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
        ],
        env=env,
        stdout=log,
        stderr=log,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/api", server)
        yield Lab(url, token, home, root, env)
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh page; what it looked like at the end of a failed test is in ``output/``."""
    context = browser.new_context(viewport={"width": 1300, "height": 950})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    yield opened
    output = Path(__file__).parent / "output"
    output.mkdir(exist_ok=True)
    opened.screenshot(path=output / f"{request.node.name}.png")
    context.close()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended; see server.log"
        try:
            opener.open(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no answer at {url}")
