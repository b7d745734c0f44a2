"""The REST door of a real server: every address, every refusal."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jido_jupyter.connection import connect, this_process
from jido_jupyter.server.routes import EVENTS, ROUTES
from tests.support.rest import created, said


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
        status, headers, added = await call(
            "POST",
            *path,
            body={"messages": [{"role": "user", "text": str(number)}]},
            headers={"If-Match": f'"{session["revision"]}"'},
        )
        session = added["session"]
        assert (status, headers["ETag"]) == (201, f'"{session["revision"]}"')
        assert [message["parts"][0]["content"] for message in added["messages"]] == [str(number)]

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

    assert (status, problem["status"], problem["code"]) == (412, 412, "stale_revision")
    _, _, shown = await call("GET", "sessions", session["id"])
    assert len(shown["messages"]) == 1


async def test_the_sixth_resume_is_refused_with_retry_after(call) -> None:
    """429 comes with the seconds to wait, in the header fields and in the problem."""
    session = await created(call, messages=[{"role": "user", "text": "x"}])
    for _ in range(5):
        status, headers, answer = await call("POST", "sessions", session["id"], "resume")
        assert status == 200
        await call("POST", "sessions", session["id"], "close", headers={"Jido-Lease": answer["lease"]["token"]})
    assert headers["RateLimit"].startswith('"resume";r=0;t=')
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
        body = {"messages": [{"role": "user", "text": "x"}]} if path == "messages" else {}
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
        ("POST", ["sessions"], {"title": 5}, 400, "invalid_field"),
        ("POST", ["sessions"], {"titel": "x"}, 400, "invalid_field"),
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


ALL = [
    (verb, route.path.replace("{id}", "one"), operation) for route in ROUTES for verb, operation in route.verbs.items()
]


async def test_no_token_no_answer(http_server_client, jp_base_url) -> None:
    """Without credentials every address refuses with every verb, before a body is taken in."""
    for method, path in [(verb, path) for verb, path, _ in ALL] + [
        ("GET", "nothing"),
        ("HEAD", "sessions"),
        ("PUT", "sessions"),
    ]:
        with pytest.raises(HTTPClientError) as refusal:
            await http_server_client.fetch(
                f"{jp_base_url}jido/api/v1/{path}", method=method, allow_nonstandard_methods=True
            )

        assert refusal.value.code == 403, (method, path)
        # The connection ends with its body unread: a proxy that kept it would lose the next one's request.
        assert refusal.value.response.headers["Connection"] == "close"
        if method != "HEAD":
            assert json.loads(refusal.value.response.body)["code"] == "forbidden"


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
    for method, path, _ in ALL:
        status, _, problem = await call(method, *path.split("/"))
        assert status == 403, (method, path)
        assert problem["detail"].startswith("You are logged in")

    assert asked == [(operation.action, "jido") for _, _, operation in ALL]
    assert {verb: operation.action for verb, _, operation in ALL if verb in ("GET", "DELETE", "PATCH")} == {
        "GET": "read",
        "DELETE": "write",
        "PATCH": "write",
    }


async def test_reading_changes_nothing(call, jido_home: Path) -> None:
    """No file differs after every GET and HEAD; the limiter's counters are the one exception."""
    session = await created(call, messages=said("x"))
    await call("GET", "sessions", q="x")  # the index has its words now

    def files() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in jido_home.rglob("*")
            if path.is_file() and path.parent.name != "limits"
        }

    before = files()
    for route in ROUTES:
        if "GET" in route.verbs and route is not EVENTS:
            path = route.path.replace("{id}", session["id"]).split("/")
            status, headers, _ = await call("GET", *path, **({"q": "x"} if route.path == "search" else {}))
            bare, head, body = await call("HEAD", *path, **({"q": "x"} if route.path == "search" else {}))
            assert (status, bare, body) == (200, 200, None), path
            assert head["Content-Type"] == headers["Content-Type"]

    assert files() == before


async def test_every_address_says_what_it_takes(call) -> None:
    """OPTIONS answers anybody; another verb is told what there is."""
    for route in ROUTES:
        path = route.path.replace("{id}", "one").split("/")
        status, headers, body = await call("OPTIONS", *path)
        wrong, refused, problem = await call("PUT", *path)

        assert (status, body) == (204, None)
        assert (wrong, problem["code"]) == (405, "method_not_allowed")
        assert headers["Allow"] == refused["Allow"]
        assert set(headers["Allow"].split(", ")) >= {*route.verbs, "OPTIONS"}


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
async def test_a_body_is_limited_while_it_comes(
    jp_serverapp, http_server_client, jp_http_port, jp_base_url, is_chunked
) -> None:
    """413 whether the client says how much it sends or not, and the connection stays of use."""
    reader, writer = await asyncio.open_connection("localhost", jp_http_port)
    size = 17 * 2**20
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {size}"
    head = (
        f"POST {jp_base_url}jido/api/v1/sessions HTTP/1.1\r\nHost: localhost:{jp_http_port}\r\n"
        f"Authorization: token {jp_serverapp.identity_provider.token}\r\n{length}\r\n\r\n"
    )
    writer.write(head.encode())
    piece = b" " * 2**20
    for _ in range(17):
        writer.write(b"100000\r\n" + piece + b"\r\n" if is_chunked else piece)
        await writer.drain()
    writer.write(b"0\r\n\r\n" if is_chunked else b"")

    answer = (await asyncio.wait_for(reader.readuntil(b"}"), 10)).decode()
    writer.close()

    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"payload_too_large"' in answer


async def test_a_packed_body_is_not_unpacked(call) -> None:
    """It might be a bomb."""
    status, _, problem = await call("POST", "import", body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    assert (status, problem["code"]) == (415, "unsupported_media_type")


async def test_nothing_that_is_searched_for_is_logged(call, caplog: pytest.LogCaptureFixture) -> None:
    """Neither where it is found nor where it is refused; nor the text of a message that is refused."""
    for params in ({"q": "my-secret"}, {"q": "my-secret is:nothing"}, {"q": "my-secret", "limit": "my-secret"}):
        await call("GET", "sessions", **params)
        await call("GET", "search", **params)
    await call("POST", "sessions", body={"messages": [{"role": "my-secret", "text": "my-secret"}]})

    assert "/jido/api/v1/search" in caplog.text
    assert "my-secret" not in caplog.text


async def test_a_bug_shows_nothing_of_itself(call, jp_serverapp, caplog: pytest.LogCaptureFixture) -> None:
    """500 with one sentence; the log has the traceback."""
    access = jp_serverapp.web_app.settings["jido_doorway"].access()
    access.limits = None

    status, _, problem = await call("GET", "limits", session="abc")

    assert (status, problem["code"]) == (500, "internal_server_error")
    assert "AttributeError" not in json.dumps(problem)
    assert "AttributeError" in caplog.text


async def test_answers_cannot_be_read_by_other_sites(call) -> None:
    """The headers of jupyter_server's API stay: no sniffing, nothing may be loaded."""
    for path in ("sessions", "nothing", "openapi.json"):
        _, headers, _ = await call("GET", path)

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_polling_does_not_keep_an_idle_server_alive(call, jp_serverapp) -> None:
    """A sidebar left open is no activity to a culler."""
    before = jp_serverapp.web_app.settings.get("api_last_activity")

    await call("GET", "sessions")

    assert jp_serverapp.web_app.settings.get("api_last_activity") == before
