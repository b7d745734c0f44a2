"""A Jupyter server that knows its users: whoever sends a token is the user of that name."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User


class ByToken(IdentityProvider):
    def get_user(self, handler: Any) -> User | None:
        token = handler.request.headers.get("Authorization", "").removeprefix("token ")
        handler._token_authenticated = bool(token)
        return User(token) if token else None


# Each user has a store of his own; so one server is as good as many.
SEVERAL_USERS = {
    "ServerApp": {"identity_provider_class": "tests.support.identities.ByToken"},
    "JidoExtension": {"owner": "nobody-in-particular"},
}
