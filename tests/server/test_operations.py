"""What each address does, over a real server."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from jido_jupyter.connection import connect, this_process
from jido_jupyter.core.times import stamp
from jido_jupyter.services import wire
from tests.support.rest import created, resumed, said


def titles(listed) -> list[str]:
    return [found["title"] for found in listed["sessions"]]


async def three(call) -> list[str]:
    """Store sessions A, B and C, the last turn of each a minute after that of the one before; return their ids."""
    began = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    ids = []
    for number, title in enumerate("ABC"):
        message = {"role": "user", "text": f"about {title}", "created_at": stamp(began + timedelta(minutes=number))}
        ids.append((await created(call, title, messages=[message]))["id"])
    return ids


async def test_a_list_comes_in_pages(call) -> None:
    """Each page names the next one; together they are the list, whichever way it is sorted."""
    await three(call)

    for sort in ("updated", "created"):
        _, _, first = await call("GET", "sessions", limit=2, sort=sort)
        _, _, second = await call("GET", "sessions", limit=2, sort=sort, cursor=first["next_cursor"])

        assert titles(first) + titles(second) == ["C", "B", "A"], sort
        assert (first["count"], second["next_cursor"]) == (3, None)


async def test_a_list_is_filtered(call) -> None:
    """Tag, state and words narrow it; a value of a filter is never taken for another filter."""
    a, b, _ = await three(call)
    await call("PATCH", "sessions", a, body={"tags": ["two words"], "pinned": True})
    await call("DELETE", "sessions", b)

    for wanted, params in {
        "A": {"tag": "two words"},
        "": {"tag": 'two words" is:pinned'},
        "B": {"state": "trashed"},
        "C": {"q": "about C"},
    }.items():
        _, _, listed = await call("GET", "sessions", **params)
        assert "".join(titles(listed)) == wanted, params


async def test_a_search_shows_where(call) -> None:
    """A hit comes with the text around the word."""
    await three(call)

    status, _, found = await call("GET", "search", q="about B")

    assert status == 200
    assert [(hit["session"]["title"], hit["snippet"]) for hit in found["hits"]] == [("B", "about B")]


async def test_a_patch_changes_what_it_names(call) -> None:
    """The rest stays; a state that the client does not know is left alone, and no change at all is one, too."""
    session = await created(call, "before")

    status, headers, head = await call(
        "PATCH", "sessions", session["id"], body={"title": "after", "tags": ["x"]}, headers={"If-Match": "*"}
    )
    stale, _, problem = await call(
        "PATCH", "sessions", session["id"], body={"archived": True}, headers={"If-Match": f'"{session["revision"]}"'}
    )
    both, _, archived = await call(
        "PATCH",
        "sessions",
        session["id"],
        body={"archived": True},
        headers={"If-Match": f'"{session["revision"]}", {headers["ETag"]}'},
    )

    assert (status, head["title"], head["tags"], head["pinned"]) == (200, "after", ["x"], False)
    assert (stale, problem["code"]) == (412, "stale_revision")
    assert (both, archived["archived"], archived["title"]) == (200, True, "after")


async def test_the_trash_gives_back(call) -> None:
    """A restored session is whole; what the trash does not hold is named."""
    session = await created(call, messages=said("x"))
    await call("DELETE", "sessions", session["id"], headers={"If-Match": f'"{session["revision"]}"'})

    status, _, head = await call("POST", "sessions", session["id"], "restore")
    again, _, problem = await call("POST", "sessions", session["id"], "restore")

    assert (status, head["message_count"]) == (200, 1)
    gone, _, _ = await call("POST", "sessions", "nobody", "restore")
    assert (again, problem["code"], gone) == (409, "illegal_transition", 404)


async def test_messages_come_in_pages(call) -> None:
    """The last ones first; backwards and forwards from a number."""
    session = await created(call, messages=said(*map(str, range(10))))
    path = ("sessions", session["id"], "messages")

    for params, numbers in [
        ({"limit": 3}, [7, 8, 9]),
        ({"limit": 3, "before": 7}, [4, 5, 6]),
        ({"limit": 3, "after": 2}, [3, 4, 5]),
        ({"after": 1, "before": 4}, [2, 3]),
        ({"after": 50}, []),
        ({"before": 0}, []),
        ({"before": 2**53}, list(range(10))),
    ]:
        _, _, page = await call("GET", *path, **params)
        assert [int(message["parts"][0]["content"]) for message in page["messages"]] == numbers, params
        assert page["total"] == 10
        assert not numbers or page["start"] == numbers[0]


async def test_what_did_not_change_is_not_sent_again(call) -> None:
    """Session, messages and export answer 304 to the ETag that they gave."""
    session = await created(call, messages=said("x"))
    for path in ([], ["messages"], ["export"]):
        _, headers, _ = await call("GET", "sessions", session["id"], *path)
        assert headers["ETag"] == f'"{session["revision"]}"'

        status, again, body = await call(
            "GET", "sessions", session["id"], *path, headers={"If-None-Match": headers["ETag"]}
        )

        assert (status, body, again["ETag"]) == (304, None, headers["ETag"]), path


async def test_a_killed_owner_is_a_change(call) -> None:
    """Who has a session open is part of the ETag: an owner that dies writes nothing."""
    live = connect().sessions.new(this_process("kernel"))
    _, headers, shown = await call("GET", "sessions", live.id)
    live.abandon()

    status, _, after = await call("GET", "sessions", live.id, headers={"If-None-Match": headers["ETag"]})

    assert (shown["state"], status, after["state"]) == ("open", 200, "closed")
    assert shown["revision"] == after["revision"]


async def test_a_session_without_its_messages(call) -> None:
    """The head says what is counted over the messages."""
    session = await created(call, messages=said("x"))

    _, _, head = await call("GET", "sessions", session["id"], messages="false")

    assert "messages" not in head
    assert head["usage"] == {"input_tokens": 0, "output_tokens": 0, "unknown": 0}


async def test_a_fork_goes_its_own_way(call) -> None:
    """It ends with the message that was named; the session stays as it is."""
    session = await created(call, messages=said("one", "two"))
    first = session["messages"][0]["id"]

    status, headers, copy = await call("POST", "sessions", session["id"], "fork", body={"message": first})

    assert (status, copy["message_count"]) == (201, 1)
    assert headers["Location"].endswith(copy["id"])
    assert copy["id"] != session["id"]


async def test_a_rewind_says_what_it_knows(call) -> None:
    """Without If-Match 428, with an old one 412, and with the present one the later messages are out."""
    session = await created(call, messages=said("one", "two"))
    path, body = ("sessions", session["id"], "rewind"), {"message": session["messages"][0]["id"]}

    blind, _, problem = await call("POST", *path, body=body)
    stale, _, _ = await call("POST", *path, body=body, headers={"If-Match": '"0-0"'})
    status, _, head = await call("POST", *path, body=body, headers={"If-Match": f'"{session["revision"]}"'})

    assert (blind, problem["code"], stale, status) == (428, "precondition_required", 412, 200)
    assert head["message_count"] == 1


@pytest.mark.parametrize(
    ("name", "media_type", "start"),
    [
        ("json", "application/json", '{"format":"jido-session"'),
        ("markdown", "text/markdown; charset=utf-8", "# Käse"),
        ("ipynb", "application/x-ipynb+json", "{"),
    ],
)
async def test_an_export_is_a_file(call, name: str, media_type: str, start: str) -> None:
    """It comes with its media type, and under a name that says nothing of what it holds."""
    session = await created(call, "Käse", messages=said(*map(str, range(200))))

    status, headers, body = await call("GET", "sessions", session["id"], "export", format=name)

    text = body.decode() if isinstance(body, bytes) else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    assert (status, headers["Content-Type"]) == (200, media_type)
    assert text.startswith(start)
    assert headers["Content-Disposition"].startswith(f'attachment; filename="jido-{session["id"][:8]}.')


async def test_an_import_gets_a_new_id(call) -> None:
    """What was exported comes in under another id, and once only."""
    session = await created(call, "to travel", messages=said("x"))
    _, _, file = await call("GET", "sessions", session["id"], "export")

    status, _, brought = await call("POST", "import", body=file)
    again, _, known = await call("POST", "import", body=file)

    assert (status, again) == (201, 200)
    (one,), (same,) = brought["sessions"], known["sessions"]
    assert one["id"] not in ("", session["id"])
    assert (one["id"], one["is_new"], same["is_new"]) == (same["id"], True, False)


async def test_one_bad_session_of_a_file_costs_itself_only(call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be brought in is told beside what was."""
    files = []
    for title in "AB":
        session = await created(call, title, messages=said(title))
        _, _, file = await call("GET", "sessions", session["id"], "export")
        files.append(file)
        await call("DELETE", "sessions", session["id"])
    for number in range(99):
        connect().sessions.create(str(number), [])

    status, _, brought = await call("POST", "import", body=files)
    full, _, problem = await call("POST", "import", body=[{**files[1], "meta": {"title": "another"}}])

    assert (status, len(brought["sessions"]), [one["code"] for one in brought["failed"]]) == (201, 1, ["limit_reached"])
    assert (full, problem["code"]) == (409, "limit_reached")


async def test_a_cleanup_asks_first(call) -> None:
    """Unless told otherwise it only says what would go."""
    old = stamp(datetime(2020, 1, 1, tzinfo=UTC))
    message = wire.said([{"role": "user", "text": "old", "created_at": old}], lambda: "m1", old)
    session_id = connect().sessions.bring_in({}, message).state.id

    _, _, preview = await call("POST", "cleanup", body={"keep": 0})
    _, _, listed = await call("GET", "sessions")
    _, _, report = await call("POST", "cleanup", body={"keep": 0, "dry_run": False})

    assert (preview["is_preview"], len(listed["sessions"])) == (True, 1)
    assert [entry["session"]["id"] for entry in report["removed"]] == [session_id]


async def test_the_limits_say_what_is_left(call) -> None:
    """Of room and of every operation, counted together with kernels."""
    session = await created(call)
    connect().sessions.resume(session["id"], this_process("kernel"))[0].close()

    _, _, found = await call("GET", "limits", session=session["id"])

    assert found["stored"] == {"count": 1, "limit": 100}
    assert found["operations"]["resume"]["remaining"] == 19
    assert found["session"]["resume"]["remaining"] == 4
    assert set(found["operations"]) == {"resume", "search", "export", "import", "cleanup"}


async def test_each_operation_has_its_own_limit(call, monkeypatch: pytest.MonkeyPatch, jp_serverapp) -> None:
    """The eleventh cleanup within a minute waits; a search does not."""
    for _ in range(10):
        assert (await call("POST", "cleanup"))[0] == 200

    status, headers, problem = await call("POST", "cleanup")
    _, _, found = await call("GET", "limits")

    assert (status, problem["operation"], headers["RateLimit-Policy"]) == (429, "cleanup", '"cleanup";q=10;w=60')
    assert (found["operations"]["cleanup"]["remaining"], found["operations"]["search"]["remaining"]) == (0, 600)
    assert (await call("GET", "search", q="x"))[0] == 200


async def test_health_says_how_many(call) -> None:
    """It answers as long as the store does."""
    await created(call)

    status, _, found = await call("GET", "health")

    assert (status, found["status"], found["sessions"]) == (200, "ok", 1)


async def test_only_a_whole_id_is_resumed(call) -> None:
    """A number or a beginning, which name a session elsewhere, open nothing here."""
    session = await created(call, "1")

    for target in ("1", session["id"][:12]):
        status, _, problem = await call("POST", "sessions", target, "resume")
        assert (status, problem["code"]) == (404, "session_not_found")


async def test_a_lease_is_its_clients(call) -> None:
    """With the token messages, marks and a rewind go in; without it everyone is told who has the session."""
    session = await created(call, messages=said("one"))
    lease = await resumed(call, session["id"], notebook="far/away.ipynb")
    path = ("sessions", session["id"])

    for verb, rest, body in (
        ("POST", ["messages"], {"messages": said("no")}),
        ("POST", ["resume"], {}),
        ("PATCH", [], {"pinned": True}),
    ):
        status, _, problem = await call(verb, *path, *rest, body=body)
        assert (status, problem["code"], problem["owner"]["notebook"]) == (409, "session_open", "far/away.ipynb")
    status, headers, added = await call("POST", *path, "messages", body={"messages": said("two")}, headers=lease)
    assert (status, added["session"]["state"], added["session"]["message_count"]) == (201, "open", 2)
    assert (await call("PATCH", *path, body={"pinned": True}, headers=lease))[0] == 200
    stale, _, _ = await call(
        "POST", *path, "messages", body={"messages": said("x")}, headers={**lease, "If-Match": headers["ETag"]}
    )
    assert stale == 412
    _, headers, _ = await call("GET", *path)
    rewound, _, head = await call(
        "POST",
        *path,
        "rewind",
        body={"message": session["messages"][0]["id"]},
        headers={**lease, "If-Match": headers["ETag"]},
    )
    assert (rewound, head["message_count"], head["pinned"]) == (200, 1, True)
    assert (await call("POST", *path, "lease", headers=lease))[0] == 200
    assert (await call("POST", *path, "close", headers=lease))[0] == 204

    status, _, problem = await call("POST", *path, "messages", body={"messages": said("late")}, headers=lease)
    assert (status, problem["code"]) == (409, "lease_lost")
    assert connect().sessions.show(session["id"]).owner is None


async def test_closing_what_is_closed_is_harmless(call) -> None:
    """And what somebody else has open is not closed without the lease."""
    session = await created(call)
    live = connect().sessions.new(this_process("kernel"))

    assert (await call("POST", "sessions", session["id"], "close"))[0] == 204
    assert (await call("POST", "sessions", live.id, "close"))[0] == 409
    live.close()


async def test_a_session_can_be_taken_over(call) -> None:
    """The client that had it is told at its next word."""
    session = await created(call)
    first = await resumed(call, session["id"])

    second = await resumed(call, session["id"], take_over=True)
    status, _, problem = await call("POST", "sessions", session["id"], "lease", headers=first)

    assert (status, problem["code"]) == (409, "lease_lost")
    assert (await call("POST", "sessions", session["id"], "lease", headers=second))[0] == 200


async def test_what_a_full_disk_refused_is_not_stored_later(
    call, monkeypatch: pytest.MonkeyPatch, jp_serverapp
) -> None:
    """The client was told that nothing was saved, so the lease ends with it."""
    session = await created(call)
    lease = await resumed(call, session["id"])
    sessions = jp_serverapp.web_app.settings["jido_doorway"].access().sessions
    store = sessions._store
    monkeypatch.setattr(store, "append", _full)

    status, _, problem = await call(
        "POST", "sessions", session["id"], "messages", body={"messages": said("lost")}, headers=lease
    )
    monkeypatch.undo()

    assert (status, problem["code"]) == (507, "store_full")
    assert (await call("POST", "sessions", session["id"], "lease", headers=lease))[0] == 409
    _, _, shown = await call("GET", "sessions", session["id"])
    assert (shown["messages"], shown["state"]) == ([], "closed")


def _full(*arguments, **options):
    from jido_jupyter.errors import StoreFull

    raise StoreFull("the store", "no space is left", "Make room.")


async def test_a_long_export_comes_whole(call) -> None:
    """In many pieces, and as the services write it."""
    texts = ["x" * 20_000 + str(number) for number in range(60)]
    session = await created(call, messages=said(*texts))

    _, _, file = await call("GET", "sessions", session["id"], "export")
    _, head, none = await call("HEAD", "sessions", session["id"], "export")

    assert [message["parts"][0]["content"] for message in file["messages"]] == texts
    assert (none, head["Content-Type"]) == (None, "application/json")


async def test_a_silent_client_is_not_waited_for(call, jp_serverapp) -> None:
    """Without another request of anybody the session is free again, for every process."""
    session = await created(call)
    jp_serverapp.web_app.settings["jido_doorway"].access().leases.lifetime_s = 0.2

    lease = await resumed(call, session["id"])
    for _ in range(30):
        await asyncio.sleep(0.1)
        if connect().sessions.show(session["id"]).owner is None:
            break

    assert connect().sessions.show(session["id"]).owner is None
    assert (await call("POST", "sessions", session["id"], "lease", headers=lease))[0] == 409


async def test_a_message_says_one_thing(call) -> None:
    """Text and parts together are refused: one of them would be lost."""
    message = {"role": "user", "text": "a", "parts": [{"type": "text", "content": "b"}]}

    status, _, problem = await call("POST", "sessions", body={"messages": [message]})

    assert (status, problem["path"]) == (400, "messages[0]")
