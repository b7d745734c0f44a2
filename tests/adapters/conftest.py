"""A store of its own for each test, in files, and what works on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jido_jupyter.assistants.conversation import Session
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Assistant
from jido_jupyter.connection import Connection, connect, this_process
from jido_jupyter.core.session import SessionState


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    for name, value in {
        "JIDO_HOME": tmp_path / "jido",
        "JUPYTER_CONFIG_DIR": tmp_path / "config",
        "XDG_CACHE_HOME": tmp_path / "cache",
        "JIDO_RESUME_LIMIT": "1000",
    }.items():
        monkeypatch.setenv(name, str(value))
    return connect()


@pytest.fixture
def new(connection: Connection) -> Callable[..., Session]:
    """Return what starts a session."""

    def start(title: str | None = None) -> Session:
        live = connection.sessions.new(this_process("kernel"), title)
        return Session(live, Engine(), nobody, connection.sessions.mint_id)

    return start


@pytest.fixture
def resumed(connection: Connection) -> Callable[[Session], Session]:
    """Return what closes a session and opens it again, as another process would find it."""

    def again(session: Session) -> Session:
        session.close()
        live, _ = connection.sessions.resume(session.id, this_process("kernel"))
        return Session(live, Engine(), nobody, connection.sessions.mint_id)

    return again


@pytest.fixture
def stored(connection: Connection) -> Callable[[str], SessionState]:
    """Return what reads a session from disk."""
    return lambda session_id: connection.sessions.show(session_id).state


def nobody() -> Assistant:
    raise AssertionError("nobody is asked here")


def told(state: SessionState) -> list[tuple[str, str]]:
    """Return who said what."""
    return [(message.role, message.text) for message in state.messages]
