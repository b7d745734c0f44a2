"""The REST door of a real server: every address, every refusal."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jido_jupyter.connection import connect, this_process

API = ("jido", "api", "v1")


@pytest.fixture
def call(jp_fetch):
    """Return a function that sends a request and returns status, headers and JSON, whatever the status."""

    async def send(method: str, *path: str, body: Any = None, headers: dict[str, str] | None = None, **params: str):
        data = None
        if method in ("POST", "PUT", "PATCH"):
            data = body if isinstance(body, str | bytes) else json.dumps(body if body is not None else {})
        try:
            answer = await jp_fetch(*API, *path, method=method, body=data, headers=headers or {}, params=params)
        except HTTPClientError as error:
            assert error.response is not None
            answer = error.response
        return answer.code, answer.headers, json.loads(answer.body) if answer.body else None

    return send


async def created(call, title: str = "Hello", **body: Any) -> dict[str, Any]:
    status, _, session = await call("POST", "sessions", body={"title": title, **body})
    assert status == 201
    return session


async def test_create_list_show_delete(call) -> None:
    """A session is created, listed, shown, and moved to the trash."""
    status, headers, session = await call(
        "POST", "sessions", body={"title": "Hello", "messages": [{"role": "user", "text": "What is 6 x 7?"}]}
    )
    assert status == 201
    assert headers["Location"].endswith(f"/jido/api/v1/sessions/{session['id']}")
    assert headers["ETag"] == f'"{session["revision"]}"'

    _, _, listed = await call("GET", "sessions")
    assert [(found["title"], found["message_count"], found["state"]) for found in listed["sessions"]] == [
        ("Hello", 1, "closed")
    ]
    _, _, shown = await call("GET", "sessions", session["id"])
    assert shown["messages"][0]["parts"] == [{"type": "text", "content": "What is 6 x 7?"}]

    status, _, _ = await call("DELETE", "sessions", session["id"])
    assert status == 204
    _, _, listed = await call("GET", "sessions")
    assert listed["sessions"] == []


async def test_listing_says_when_nothing_changed(call) -> None:
    """A poll with the last ETag costs no body until something changes, whoever changed it."""
    await created(call)
    _, headers, _ = await call("GET", "sessions")

    status, _, _ = await call("GET", "sessions", headers={"If-None-Match": headers["ETag"]})
    assert status == 304
    connect().sessions.new(this_process("kernel")).close()
    status, _, listed = await call("GET", "sessions", headers={"If-None-Match": headers["ETag"]})
    assert status == 200
    assert len(listed["sessions"]) == 2


async def test_messages_are_added_in_order(call) -> None:
    """Messages go to the end; the revision that comes back is the next one to send."""
    session = await created(call)
    path = ("sessions", session["id"], "messages")

    for number in range(3):
        status, _headers, session = await call(
            "POST",
            *path,
            body={"messages": [{"role": "user", "text": str(number)}]},
            headers={"If-Match": f'"{session["revision"]}"'},
        )
        assert status == 201

    _, _, found = await call("GET", *path)
    assert [message["parts"][0]["content"] for message in found["messages"]] == ["0", "1", "2"]


async def test_an_old_revision_is_a_conflict(call) -> None:
    """If-Match with a stale revision writes nothing."""
    session = await created(call)
    add = {"messages": [{"role": "user", "text": "x"}]}
    await call("POST", "sessions", session["id"], "messages", body=add)

    status, _, problem = await call(
        "POST", "sessions", session["id"], "messages", body=add, headers={"If-Match": f'"{session["revision"]}"'}
    )

    assert (status, problem["code"]) == (409, "stale_revision")
    _, _, shown = await call("GET", "sessions", session["id"])
    assert len(shown["messages"]) == 1


async def test_the_sixth_resume_is_refused_with_retry_after(call) -> None:
    """429 comes with the seconds to wait, in the header fields and in the problem."""
    session = await created(call, messages=[{"role": "user", "text": "x"}])
    for _ in range(5):
        status, _, answer = await call("POST", "sessions", session["id"], "resume")
        assert status == 200
    assert answer["session"]["messages"]
    assert answer["briefing"]["lines"][0].startswith("Full context: 1 question")

    status, headers, problem = await call("POST", "sessions", session["id"], "resume")

    assert (status, problem["code"]) == (429, "rate_limited")
    assert 1 <= int(headers["Retry-After"]) == problem["retry_after_s"] <= 60
    assert headers["RateLimit-Policy"] == '"resume";q=5;w=60'
    assert headers["Content-Type"] == "application/problem+json"


async def test_kernels_and_the_server_count_together(call) -> None:
    """Resumes of a kernel use up what the server would let in."""
    session = await created(call)
    kernel = connect().sessions
    for _ in range(5):
        kernel.resume(session["id"], this_process("kernel"))[0].close()

    status, _, _ = await call("POST", "sessions", session["id"], "resume")

    assert status == 429


async def test_a_session_that_is_open_elsewhere_is_not_touched(call) -> None:
    """Adding, resuming and deleting are refused while a kernel has the session; reading is not."""
    live = connect().sessions.new(this_process("kernel", "a.ipynb"))

    for method, path in (("POST", "messages"), ("POST", "resume"), ("DELETE", "")):
        body = {"messages": [{"role": "user", "text": "x"}]}
        status, _, problem = await call(method, *(part for part in ("sessions", live.id, path) if part), body=body)
        assert (status, problem["code"]) == (409, "session_open"), method
        assert "a.ipynb" in problem["detail"]
    status, _, shown = await call("GET", "sessions", live.id)
    assert (status, shown["state"]) == (200, "open")
    live.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", ["sessions"], "{not json", 400, "invalid_request"),
        ("POST", ["sessions"], "[]", 400, "invalid_request"),
        ("POST", ["sessions"], b"\xff\xfe", 400, "invalid_request"),
        ("POST", ["sessions"], {"title": 5}, 400, "invalid_request"),
        ("POST", ["sessions"], {"messages": []}, 400, "invalid_field"),
        ("POST", ["sessions"], {"messages": [{"role": "pirate", "text": "x"}]}, 400, "invalid_field"),
        ("POST", ["sessions"], {"messages": [{"role": "user"}]}, 400, "invalid_field"),
        ("POST", ["sessions"], {"messages": ["x"]}, 400, "invalid_field"),
        ("GET", ["sessions", "..%2f..%2fetc"], None, 400, "invalid_session_id"),
        ("GET", ["sessions", "UPPER"], None, 400, "invalid_session_id"),
        ("GET", ["sessions", "nobody"], None, 404, "session_not_found"),
        ("DELETE", ["sessions", "nobody"], None, 404, "session_not_found"),
        ("POST", ["sessions", "nobody", "resume"], None, 404, "session_not_found"),
        (
            "POST",
            ["sessions", "nobody", "messages"],
            {"messages": [{"role": "user", "text": "x"}]},
            404,
            "session_not_found",
        ),
        ("PUT", ["sessions"], {}, 405, "method_not_allowed"),
        ("GET", ["nothing"], None, 404, "not_found"),
    ],
)
async def test_bad_requests_get_one_clear_sentence(call, method, path, body, status, code) -> None:
    """Every refusal is a problem document with a stable code and a sentence, and nothing is stored."""
    found, headers, problem = await call(method, *path, body=body)

    assert (found, problem["code"]) == (status, code)
    assert headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "\u201d"))
    assert "Traceback" not in json.dumps(problem)
    assert connect().sessions.list() == []


async def test_too_deep_a_message_is_refused(call) -> None:
    """What could be read but never written again does not get in."""
    nested = "[" * 300 + "]" * 300
    body = f'{{"messages": [{{"role": "user", "text": "x", "ext": {nested}}}]}}'

    status, _, problem = await call("POST", "sessions", body=body)

    assert (status, problem["code"]) == (400, "invalid_request")
    assert "deeper than 200" in problem["detail"]


async def test_a_session_beyond_the_size_limit_is_refused(call) -> None:
    """413 names size and limit; nothing is written."""
    status, _, problem = await call("POST", "sessions", body={"messages": [{"role": "user", "text": "x" * 11 * 2**20}]})

    assert (status, problem["code"], problem["limit"]) == (413, "payload_too_large", 10485760)


async def test_a_damaged_file_is_listed_beside_the_others(call, jido_home: Path) -> None:
    """One bad file costs itself only; asked for directly it says what is wrong."""
    await created(call)
    (jido_home / "sessions" / "bad.jsonl").write_bytes(b"\0" * 413)

    _, _, listed = await call("GET", "sessions")
    status, _, problem = await call("GET", "sessions", "bad")

    assert {found["id"]: found["state"] for found in listed["sessions"]}["bad"] == "damaged"
    assert len(listed["sessions"]) == 2
    assert (status, problem["code"]) == (500, "corrupt_session")
    assert "413 NUL bytes" in problem["detail"]


async def test_an_unusable_store_is_told_and_recovers(call, jido_home: Path) -> None:
    """With the folder gone the server answers 503 with a hint, and works again when it is back."""
    await created(call)
    os.rename(jido_home / "sessions", jido_home / "away")

    status, _, problem = await call("GET", "sessions")
    assert (status, problem["code"]) == (503, "store_unavailable")

    os.rename(jido_home / "away", jido_home / "sessions")
    status, _, listed = await call("GET", "sessions")
    assert (status, len(listed["sessions"])) == (200, 1)


ADDRESSES = [
    ("GET", "sessions"),
    ("POST", "sessions"),
    ("GET", "sessions/one"),
    ("DELETE", "sessions/one"),
    ("GET", "sessions/one/messages"),
    ("POST", "sessions/one/messages"),
    ("POST", "sessions/one/resume"),
    ("GET", "nothing"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_no_token_no_answer(http_server_client, jp_base_url, method: str, path: str) -> None:
    """Without credentials every address refuses and says how to get in."""
    with pytest.raises(HTTPClientError) as refusal:
        await http_server_client.fetch(
            f"{jp_base_url}jido/api/v1/{path}", method=method, body="{}" if method == "POST" else None
        )

    assert refusal.value.code == 403


@pytest.fixture
def asked(jp_serverapp) -> list[tuple[str, str]]:
    """Let nothing pass, and return what was asked for."""
    questions: list[tuple[str, str]] = []

    def is_authorized(handler: Any, user: Any, action: str, resource: str) -> bool:
        questions.append((action, resource))
        return False

    jp_serverapp.authorizer.is_authorized = is_authorized
    jp_serverapp.web_app.settings["authorizer"].is_authorized = is_authorized
    return questions


async def test_the_authorizer_is_asked_for_the_right_thing(call, asked) -> None:
    """Each verb asks for its own action on the resource "jido", in whatever order they are called."""
    expected = [
        ("GET", "sessions", "read"),
        ("POST", "sessions", "write"),
        ("GET", "sessions/one", "read"),
        ("DELETE", "sessions/one", "write"),
        ("POST", "sessions/one/messages", "write"),
        ("GET", "sessions/one/messages", "read"),
        ("POST", "sessions/one/resume", "execute"),
    ]

    for method, path, _ in expected:
        status, _, _ = await call(method, *path.split("/"), body={})
        assert status == 403

    assert asked == [(action, "jido") for _, _, action in expected]


async def test_polling_does_not_keep_an_idle_server_alive(call, jp_serverapp) -> None:
    """A sidebar left open is no activity to a culler."""
    before = jp_serverapp.web_app.settings.get("api_last_activity")

    await call("GET", "sessions")

    assert jp_serverapp.web_app.settings.get("api_last_activity") == before
