"""The REST door: each handler reads a request, calls one service, and writes JSON or an RFC 9457 problem.

``@authorized`` always names its action and resource: without them it remembers those of its first call, for every handler
that shares the method.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http.client import responses
from typing import Any, Final

import orjson
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from jido_jupyter.core.ids import checked
from jido_jupyter.core.times import stamp
from jido_jupyter.errors import InvalidRequest, JidoError, PayloadTooLarge, RateLimited
from jido_jupyter.server.doorway import Doorway
from jido_jupyter.services import wire
from jido_jupyter.services.parsing import parse
from jido_jupyter.services.sessions import Shown

API: Final = "jido/api/v1"
RESOURCE: Final = "jido"  # what an authorizer is asked about
MAX_BODY: Final = 16 * 2**20  # bytes


class JidoHandler(APIHandler):
    """What all handlers share: bodies in, JSON and problems out."""

    # A sidebar that polls must not keep an idle server from being culled.
    _track_activity = False

    @property
    def doorway(self) -> Doorway:
        found: Doorway = self.settings["jido_doorway"]
        return found

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object; an empty body counts as ``{}``.

        Raises:
            InvalidRequest: no JSON, or no object.
        """
        data = self.request.body
        if len(data) > MAX_BODY:
            raise PayloadTooLarge("The request's body", len(data), MAX_BODY)
        if not data.strip():
            return {}
        found = parse(data)
        if not isinstance(found, dict):
            raise InvalidRequest("The request's body is JSON, but no object. Send a JSON object.")
        return found

    def write_json(self, value: Any, status: int = 200, etag: str | None = None) -> None:
        self.set_status(status)
        if etag is not None:
            self.set_header("ETag", f'"{etag}"')
        self.finish(orjson.dumps(value))

    def write_shown(self, shown: Shown, status: int = 200) -> None:
        self.write_json(wire.detail(shown), status, etag=shown.summary.revision)

    def if_match(self) -> str | None:
        """Return the revision that the client knows."""
        return self.request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"') or None

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, JidoError):  # ours are answers, not accidents
            super().log_exception(typ, value, tb)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        super().send_error(error.status_hint if isinstance(error, JidoError) else status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, JidoError):
            problem = wire.problem(error)
            if isinstance(error, RateLimited):
                self._say_when(error)
        else:
            problem = _http_problem(status_code, error)
        self.finish(orjson.dumps(problem), set_content_type="application/problem+json")

    def _say_when(self, error: RateLimited) -> None:
        """Source: RFC 9110 section 10.2.3; draft-ietf-httpapi-ratelimit-headers-10."""
        self.set_header("Retry-After", str(error.retry_after_s))
        name, window = error.operation, f"{error.window_s:g}"
        self.set_header("RateLimit-Policy", f'"{name}";q={error.limit};w={window}')
        self.set_header("RateLimit", f'"{name}";r=0;t={error.retry_after_s}')


class SessionsHandler(JidoHandler):
    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        text = self.get_query_argument("q", "")
        changes = await self.doorway.run(lambda sessions: sessions.changes())
        known = self.request.headers.get("If-None-Match", "").removeprefix("W/").strip('"')
        if known == changes and not text:
            self.set_status(304)
            self.finish()
            return
        listed = await self.doorway.run(lambda sessions: sessions.list(text))
        answer = {"sessions": [wire.summary(found) for found in listed], "next_cursor": None}
        self.write_json(answer, etag=changes)

    @web.authenticated
    @authorized(action="write", resource=RESOURCE)
    async def post(self) -> None:
        body = self.body()
        title = body.get("title")
        if title is not None and (not isinstance(title, str) or not title.strip()):
            raise InvalidRequest("title: must be text that is not empty.")
        shown = await self.doorway.run(
            lambda sessions: sessions.create(
                title, wire.said(body["messages"], sessions.mint_id, _now()) if "messages" in body else []
            )
        )
        self.set_header("Location", f"{self.base_url}{API}/sessions/{shown.state.id}")
        self.write_shown(shown, 201)


class SessionHandler(JidoHandler):
    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self, session_id: str) -> None:
        self.write_shown(await self.doorway.run(lambda sessions: sessions.show(checked(session_id))))

    @web.authenticated
    @authorized(action="write", resource=RESOURCE)
    async def delete(self, session_id: str) -> None:
        await self.doorway.run(lambda sessions: sessions.trash(checked(session_id)))
        self.set_status(204)
        self.finish()


class MessagesHandler(JidoHandler):
    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self, session_id: str) -> None:
        shown = await self.doorway.run(lambda sessions: sessions.show(checked(session_id)))
        self.write_json({"messages": wire.detail(shown)["messages"]}, etag=shown.summary.revision)

    @web.authenticated
    @authorized(action="write", resource=RESOURCE)
    async def post(self, session_id: str) -> None:
        body, expected = self.body(), self.if_match()
        shown = await self.doorway.run(
            lambda sessions: sessions.add(
                checked(session_id), wire.said(body.get("messages"), sessions.mint_id, _now()), expected
            )
        )
        self.write_shown(shown, 201)


class ResumeHandler(JidoHandler):
    @web.authenticated
    @authorized(action="execute", resource=RESOURCE)
    async def post(self, session_id: str) -> None:
        shown, briefing = await self.doorway.run(lambda sessions: sessions.brief(checked(session_id)))
        answer = {"session": wire.detail(shown), "briefing": briefing.to_wire()}
        self.write_json(answer, etag=shown.summary.revision)


class UnknownHandler(JidoHandler):
    """Every other address below the API's, so that it too answers with a problem document."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        raise web.HTTPError(404)


def _http_problem(status: int, error: object) -> dict[str, Any]:
    """Return a problem document for what tornado or jupyter_server refused; a bug of ours shows nothing of itself."""
    hints = {
        403: "Log in, or send the server's token in the header 'Authorization: token ...'.",
        404: "There is nothing at this address; the API's root is jido/api/v1/.",
        405: "This address does not take that method.",
        500: "This is a bug of jido_jupyter; the server's log has its traceback. Nothing that was saved is lost.",
    }
    title = responses.get(status, "Error")
    code = title.lower().replace(" ", "_")
    return {
        "type": wire.PROBLEM_TYPE + code,
        "title": title,
        "status": status,
        "detail": hints.get(status) or getattr(error, "log_message", None) or title,
        "code": code,
    }


def _now() -> str:
    return stamp(datetime.now(UTC))


_ID: Final = r"([^/]+)"  # anything: a wrong id gets a sentence that says so, not a bare 404
ROUTES: Final = [
    (f"/{API}/sessions", SessionsHandler),
    (f"/{API}/sessions/{_ID}", SessionHandler),
    (f"/{API}/sessions/{_ID}/messages", MessagesHandler),
    (f"/{API}/sessions/{_ID}/resume", ResumeHandler),
    (f"/{API}(?:/.*)?", UnknownHandler),
]
