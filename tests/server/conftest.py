"""A real Jupyter server with only our extension, on a store of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# Imported, not named in `pytest_plugins`: its automatic fixtures and its loop must reach these tests only.
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPClientError

API = ("jido", "api", "v1")


@pytest.fixture(autouse=True)
def jido_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's folder; the keys go into the config folder of the test server."""
    home = tmp_path / "jido home"
    monkeypatch.setenv("JIDO_HOME", str(home))
    return home


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"jido_jupyter": True}, "allow_unauthenticated_access": False}}


@pytest.fixture
def call(jp_fetch):
    """Return a function that sends a request and returns status, headers and JSON, whatever the status."""

    async def send(method: str, *path: str, body: Any = None, headers: dict[str, str] | None = None, **params: Any):
        data = None
        if method in ("POST", "PUT", "PATCH"):
            data = body if isinstance(body, str | bytes) else json.dumps(body if body is not None else {})
        try:
            answer = await jp_fetch(
                *API,
                *path,
                method=method,
                body=data,
                headers=headers or {},
                params=params,
                allow_nonstandard_methods=True,
            )
        except HTTPClientError as error:
            assert error.response is not None
            answer = error.response
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.code, answer.headers, json.loads(answer.body) if answer.body and is_json else answer.body or None

    return send
