"""The stream of events, with real connections."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jido_jupyter.connection import connect, this_process
from jido_jupyter.server import streams
from tests.support.rest import created


class Stream:
    """A client of the stream, as a browser is one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def line(self) -> str:
        """Return the next line that is no length of a chunk and not empty; empty at the end."""
        while True:
            raw = await asyncio.wait_for(self._reader.readline(), 5)
            text = raw.decode().strip()
            if not raw or text == "0":
                return ""
            if ":" in text:
                return text

    async def event(self) -> tuple[str, str, dict[str, Any]]:
        """Return id, kind and data of the next event."""
        found = {}
        while "data" not in found:
            name, _, value = (await self.line()).partition(":")
            found[name] = value.strip()
        return found["id"], found["event"], json.loads(found["data"])

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
def listen(jp_http_port, jp_base_url, jp_serverapp, http_server_client):
    """Return what opens a stream and reads its head."""

    @asynccontextmanager
    async def opened(**headers: str) -> AsyncIterator[tuple[Stream, str]]:
        reader, writer = await asyncio.open_connection("localhost", jp_http_port)
        token = jp_serverapp.identity_provider.token
        fields = {"Host": f"localhost:{jp_http_port}", "Authorization": f"token {token}", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"GET {jp_base_url}jido/api/v1/events HTTP/1.1\r\n{lines}\r\n".encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
        stream = Stream(reader, writer)
        yield stream, head
        stream.close()

    return opened


@pytest.fixture
def feed(jp_serverapp):
    return jp_serverapp.web_app.settings["jido_doorway"].access().feed


async def test_changes_of_others_arrive_within_a_second(listen) -> None:
    """A kernel creates, names, closes and trashes a session: each is told, with its id, and with no text of it."""
    kernel = connect().sessions
    async with listen() as (stream, head):
        assert "200 OK" in head
        assert "content-type: text/event-stream" in head.lower()
        assert (await stream.event())[1] == "ready"

        live = kernel.new(this_process("kernel"))
        took, kinds = [], []
        for change in (None, lambda: live.edit(title="my secret"), live.close, lambda: kernel.trash(live.id)):
            if change is not None:
                change()
            began = time.monotonic()
            _, kind, data = await stream.event()
            took.append(time.monotonic() - began)
            kinds.append((kind, data.get("state")))
            assert data["id"] == live.id
            assert "secret" not in json.dumps(data)

    assert kinds == [("created", "open"), ("changed", "open"), ("changed", "closed"), ("trashed", None)]
    assert max(took) < 1.0


async def test_a_limit_is_told(listen, call) -> None:
    """Whoever used it up."""
    session = await created(call)
    kernel = connect().sessions
    async with listen() as (stream, _):
        await stream.event()
        for _ in range(5):
            kernel.resume(session["id"], this_process("kernel"))[0].close()

        assert (await call("POST", "sessions", session["id"], "resume"))[0] == 429

        while (event := await stream.event())[1] != "limited":
            pass
        assert event[2]["operation"] == "resume"
        assert 0 < event[2]["retry_after_s"] <= 60


async def test_a_broken_stream_goes_on_where_it_ended(listen, call) -> None:
    """With Last-Event-ID nothing is missed; an id that nobody knows is told to list anew."""
    async with listen() as (stream, _):
        last, _, _ = await stream.event()
    session = await created(call)

    async with listen(**{"Last-Event-ID": last}) as (stream, _):
        _, first, _ = await stream.event()
        _, kind, data = await stream.event()
    async with listen(**{"Last-Event-ID": "other-7"}) as (stream, _):
        _, unknown, _ = await stream.event()

    assert (first, kind, data["id"]) == ("ready", "created", session["id"])
    assert unknown == "reset"


async def test_a_client_that_goes_is_forgotten(listen, feed) -> None:
    """No handler waits for it any more."""
    async with listen() as (stream, _):
        await stream.event()
        assert len(feed.listeners) == 1

    for _ in range(100):
        if not feed.listeners:
            break
        await asyncio.sleep(0.02)
    assert not feed.listeners


async def test_a_heartbeat_keeps_proxies_awake(listen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment comes where nothing happens."""
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)

    async with listen() as (stream, _):
        await stream.event()

        assert await stream.line() == ": still here"


async def test_the_stream_ends_with_the_server(listen, feed) -> None:
    """Its end is a whole one, so that a page asks again."""
    async with listen() as (stream, _):
        await stream.event()

        feed.close()

        assert await stream.line() == ""
    assert not feed.listeners


async def test_there_are_not_too_many(listen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs a connection; one more is told to list instead."""
    monkeypatch.setattr(streams, "MOST_LISTENERS", 1)

    async with listen() as (first, _):
        await first.event()
        async with listen() as (_, head):
            assert "503" in head


async def test_without_a_token_nothing_is_told(listen) -> None:
    """As everywhere else."""
    async with listen(Authorization="token wrong") as (_, head):
        assert "403" in head
