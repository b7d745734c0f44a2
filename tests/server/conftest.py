"""A real Jupyter server with only our extension, on a store of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

# Imported, not named in `pytest_plugins`: its automatic fixtures and its loop must reach these tests only.
from pytest_jupyter.jupyter_server import *  # noqa: F403


@pytest.fixture(autouse=True)
def jido_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's folder; the keys go into the config folder of the test server."""
    home = tmp_path / "jido home"
    monkeypatch.setenv("JIDO_HOME", str(home))
    return home


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"jido_jupyter": True}, "allow_unauthenticated_access": False}}
