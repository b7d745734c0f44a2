"""Whose sessions a server shows, where it knows its users by name."""

from __future__ import annotations

import pytest
from jupyter_server.auth.identity import IdentityProvider, User

from jido_jupyter.connection import connect


class ByHeader(IdentityProvider):
    """Believes what a field of the header says."""

    def get_user(self, handler):
        name = handler.request.headers.get("X-User")
        handler._token_authenticated = True
        return User(name) if name else None


@pytest.fixture
def owner() -> str:
    return "ada"


@pytest.fixture
def jp_server_config(owner: str):
    return {
        "ServerApp": {
            "jpserver_extensions": {"jido_jupyter": True},
            "allow_unauthenticated_access": False,
            "identity_provider_class": ByHeader,
        },
        "JidoExtension": {"owner": owner},
    }


def as_user(name: str) -> dict[str, dict[str, str]]:
    return {"headers": {"X-User": name}}


async def test_the_owner_has_the_kernels_sessions(call) -> None:
    """The store of the kernels is the owner's; another user sees, finds and reads nothing of it."""
    session = connect().sessions.create("Ada's own", [])

    for name, titles, status in (("ada", ["Ada's own"], 200), ("bob", [], 404)):
        _, _, listed = await call("GET", "sessions", **as_user(name))
        _, _, found = await call("GET", "search", q="own", **as_user(name))
        shown, _, _ = await call("GET", "sessions", session.state.id, **as_user(name))

        assert [one["title"] for one in listed["sessions"]] == titles
        assert [hit["session"]["title"] for hit in found["hits"]] == titles
        assert shown == status


async def test_users_are_limited_apart(call) -> None:
    """What one uses up, another still has."""
    for _ in range(11):
        status, _, _ = await call("POST", "cleanup", **as_user("bob"))

    _, _, limits = await call("GET", "limits", **as_user("ada"))

    assert status == 429
    assert limits["operations"]["cleanup"]["remaining"] == 10


@pytest.mark.parametrize("owner", [""])
async def test_without_an_owner_all_share(call, owner: str) -> None:
    """A server that does not know whose it is is one trust domain."""
    _, _, session = await call("POST", "sessions", body={"title": "Everybody's"}, **as_user("ada"))

    status, _, _ = await call("GET", "sessions", session["id"], **as_user("bob"))

    assert status == 200


async def test_a_stranger_is_nobody(call) -> None:
    """Who has no name has no store either."""
    status, _, _ = await call("GET", "sessions")

    assert status == 403
