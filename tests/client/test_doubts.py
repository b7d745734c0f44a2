"""A connection that breaks at the worst moment: what was said is there once, whole, or not at all; never half, never twice."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.client import Link, RemoteStore
from jido_jupyter.connection import Connection, connect, this_process
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.session import replay
from jido_jupyter.errors import OutcomeUnknown, StoreUnavailable
from jido_jupyter.services.live import LiveSession
from jido_jupyter.testing.store_conformance import created, said
from tests.support.servers import Server, serving
from tests.support.wires import Wire, wired

AT = "2026-11-22T09:00:00.000Z"
OWNER = this_process("kernel")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with wired(server.port) as wire:
        yield wire


@pytest.fixture
def connection(server: Server, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    return connected(wire.url, server.token, tmp_path, monkeypatch)


def connected(url: str, token: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(home / name))
    return connect({"JIDO_URL": url, "JIDO_TOKEN": token})


def message(number: int, text: str = "") -> Message:
    return Message(f"m{number}", "user", (text_part(text or f"text {number}"),), AT)


def texts(connection: Connection, live: LiveSession) -> list[str]:
    return [message.text for message in connection.sessions.show(live.id).state.messages]


@pytest.mark.parametrize("cut", ["request", "answer"])
@pytest.mark.parametrize("text", ["plain", "half an emoji \ud83d"])
def test_a_turn_in_doubt_is_stored_once(connection: Connection, wire: Wire, cut: Any, text: str) -> None:
    """Whether it had arrived or not: the user is told, and the next save finds out."""
    live = connection.sessions.new(OWNER)
    live.record([message(1)])

    wire.cut = cut
    with pytest.raises(OutcomeUnknown, match="connection to the server was lost"):
        live.record([message(2, text)])
    assert not live.is_saved
    live.save()
    live.record([message(3)])

    assert live.is_saved
    assert texts(connection, live) == ["text 1", text.replace("\ud83d", "\ufffd"), "text 3"]
    assert connection.sessions.verify(live.id) == ()
    live.close()


@pytest.mark.parametrize("cut", ["request", "answer"])
def test_a_piece_in_doubt_does_not_close_a_session(connection: Connection, wire: Wire, cut: Any) -> None:
    """A piece of an answer may be lost; what comes after it is stored all the same."""
    live = connection.sessions.new(OWNER)
    live.record([message(1)])

    live.record_partial("a1", "One, ", None)
    for piece in ("two, ", "three, "):
        wire.cut = cut
        with pytest.raises(OutcomeUnknown):
            live.record_partial("a1", piece, None)
    live.record_partial("a1", "four.", None)
    live.record([Message("a1", "assistant", (text_part("One, two, three, four."),), AT)])

    assert texts(connection, live) == ["text 1", "One, two, three, four."]
    live.close()


@pytest.mark.parametrize("cut", ["request", "answer"])
def test_a_new_session_in_doubt_is_found_or_absent(connection: Connection, wire: Wire, cut: Any) -> None:
    """Its creator may look: it is there whole, or not at all."""
    before = connection.store.count()
    wire.cut = cut
    with pytest.raises(OutcomeUnknown) as refusal:
        created(connection.store, f"in-doubt-{cut}", said(1), said(2))

    assert refusal.value.session_id == f"in-doubt-{cut}"
    found = [summary.message_count for summary in connection.store.named(f"in-doubt-{cut}")]
    assert found in ([], [2])
    assert connection.store.count() == before + len(found)


def test_what_could_not_be_sent_waits(server: Server, connection: Connection, wire: Wire) -> None:
    """While the server is gone turns stay in memory, and say why; with it they are stored in order."""
    live = connection.sessions.new(OWNER)
    wire.lead_to(9)  # nobody listens there

    for number in (1, 2):
        with pytest.raises((StoreUnavailable, OutcomeUnknown)):
            live.record([message(number)])
    assert live.is_open
    wire.lead_to(server.port)
    live.record([message(3)])

    assert texts(connection, live) == ["text 1", "text 2", "text 3"]
    live.close()


def test_a_server_killed_while_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL at a moment of chance, three times: every acknowledged record is there, the one in flight whole or absent."""
    (tmp_path / "server").mkdir()
    rng = random.Random(20261123)
    acknowledged: list[str] = []
    in_flight: list[str] = []
    number = 0
    for _ in range(3):
        with serving(tmp_path / "server") as server:
            store = RemoteStore(Link(server.url, server.token))
            revision = store.revision("one") if acknowledged else created(store)
            threading.Timer(rng.uniform(0.1, 0.4), os.kill, (server.process.pid, signal.SIGKILL)).start()
            while True:
                number += 1
                try:
                    revision = store.append("one", [said(number, "x" * 20_000)], revision)
                    acknowledged.append(f"m{number}")
                except (OutcomeUnknown, StoreUnavailable) as error:
                    in_flight += [f"m{number}"] * isinstance(error, OutcomeUnknown)
                    break
    with serving(tmp_path / "server") as server:
        stored = RemoteStore(Link(server.url, server.token)).read("one")

    state = replay(stored.header, stored.records)
    ids = [message.id for message in state.messages]
    assert set(acknowledged) <= set(ids) <= {*acknowledged, *in_flight}
    assert len(ids) == len(set(ids))
    assert {len(message.text) for message in state.messages} == {20_000}
    assert stored.is_verified
    assert len(acknowledged) > 3


def test_a_kernels_session_survives_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is killed and another takes its place: the session goes on where it was, and is its kernel's still."""
    (tmp_path / "server").mkdir()
    with serving(tmp_path / "server", JUPYTER_TOKEN="the-same") as server, wired(server.port) as wire:
        connection = connected(wire.url, "the-same", tmp_path, monkeypatch)
        live = connection.sessions.new(OWNER)
        live.record([message(1)])
        server.process.kill()
        server.process.wait()
        with pytest.raises((OutcomeUnknown, StoreUnavailable)):
            live.record([message(2)])

        with serving(tmp_path / "server", JUPYTER_TOKEN="the-same") as another:
            wire.lead_to(another.port)
            assert live.is_open
            live.save()
            live.record([message(3)])

            assert texts(connection, live) == ["text 1", "text 2", "text 3"]
            assert connection.store.owner(live.id) == OWNER
            live.close()
            assert connection.store.owner(live.id) is None
