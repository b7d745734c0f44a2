"""Helpers for tests that speak to the REST door; ``call`` is the fixture of `tests.server.conftest`."""

from __future__ import annotations

from typing import Any


async def created(call, title: str | None = "Hello", **body: Any) -> dict[str, Any]:
    named = {} if title is None else {"title": title}
    status, _, session = await call("POST", "sessions", body=named | body)
    assert status == 201
    return session


def said(*texts: str) -> list[dict[str, Any]]:
    """Return user messages as a request brings them."""
    return [{"role": "user", "text": text} for text in texts]


async def resumed(call, session_id: str, **body: Any) -> dict[str, str]:
    """Open a session and return the header field that goes with its lease."""
    status, _, answer = await call("POST", "sessions", session_id, "resume", body=body)
    assert status == 200, answer
    return {"Jido-Lease": answer["lease"]["token"]}
