"""What the administrator is told, with a listener: without one nothing is validated."""

from __future__ import annotations

import json

import pytest
from jupyter_events.logger import SchemaNotRegistered

from jido_jupyter.server import audit
from tests.support.rest import created, said


@pytest.fixture
def told(jp_serverapp) -> list[dict]:
    """The events of this server, as they come."""
    events: list[dict] = []

    async def listen(logger, schema_id: str, data: dict) -> None:
        events.append(data)

    jp_serverapp.event_logger.add_listener(schema_id=audit.SCHEMA_ID, listener=listen)
    return events


async def test_changes_and_refusals_are_told(call, told) -> None:
    """Each with its operation, session and outcome; what only reads is not."""
    session = await created(call, "my title", messages=said("my text"))
    path = ("sessions", session["id"])
    await call("GET", *path)
    await call("GET", *path, "export")
    await call("POST", *path, "messages", body={"messages": said("more text")}, headers={"If-Match": '"0-0"'})
    await call("DELETE", *path)
    await call("DELETE", "sessions", "..%2fmy text")

    assert [(event["operation"], event["session"], event["status"], event["code"]) for event in told] == [
        ("createSession", None, 201, None),
        ("exportSession", session["id"], 200, None),
        ("addMessages", session["id"], 412, "stale_revision"),
        ("trashSession", session["id"], 204, None),
        ("trashSession", None, 400, "invalid_session_id"),
    ]
    assert all(event["user"] is None for event in told)
    assert "my t" not in json.dumps(told)


async def test_kernels_elsewhere_are_told_of(call, told) -> None:
    """What they write, read whole and hold; a heartbeat is no news, unless it is refused."""
    owner = {"owner": {"kind": "kernel", "host": "far", "pid": 1}}
    header = {"t": "header", "v": 1, "id": "one", "created_at": "2026-11-22T09:00:00.000Z"}
    await call("POST", "store", "sessions", body={"header": header, "log": []})
    await call("GET", "store", "sessions", "one")
    await call("GET", "store", "state")
    _, _, lease = await call("POST", "store", "sessions", "one", "lease", body=owner)
    field = {"Jido-Lease": lease["token"]}
    status, _, beat = await call("POST", "store", "sessions", "one", "heartbeat", headers=field)
    assert (status, beat) == (200, {"state": "held"})
    await call("POST", "store", "sessions", "one", "release", headers=field)

    assert [event["operation"] for event in told] == ["createLog", "readLog", "takeLease", "releaseLease"]
    assert audit.is_told("beat", True, 403)
    assert lease["token"] not in json.dumps(told)


async def test_an_event_that_fails_costs_nothing(call, told, jp_serverapp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request has been answered, whatever becomes of its event."""
    monkeypatch.setattr(audit, "SCHEMA_ID", "https://example.org/not-registered")
    jp_serverapp.event_logger.add_listener(schema_id=audit.SCHEMA_ID, listener=_never)

    with pytest.warns(SchemaNotRegistered):
        status, _, _ = await call("POST", "sessions")

    assert status == 201
    assert told == []


async def _never(logger, schema_id: str, data: dict) -> None:
    raise AssertionError
