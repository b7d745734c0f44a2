"""The REST door: HTTP in, an operation of the table in a worker thread, JSON or an RFC 9457 problem out.

``@authorized`` always names its action and resource: without them it remembers those of its first call, for every handler
that shares the method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from hashlib import blake2b
from typing import Any, ClassVar, Final

import orjson
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.auth.identity import IdentityProvider, LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.base.handlers import APIHandler
from tornado import web

from jido_jupyter.core.ids import checked, is_valid
from jido_jupyter.errors import JidoError, PayloadTooLarge, RateLimited
from jido_jupyter.server import audit, openapi, problems
from jido_jupyter.server.calls import Answer, Call, entity_tags
from jido_jupyter.server.doorway import OWNERS, Doorway
from jido_jupyter.server.openapi import LEASE_FIELD
from jido_jupyter.server.table import API, MAX_BODY, Operation, Route
from jido_jupyter.server.values import from_query
from jido_jupyter.server.watch import Watch

RESOURCE: Final = "jido"  # what an authorizer is asked about
_MOST_DROPPED: Final = (
    128 * 2**20
)  # bytes of a body that is too large and read all the same, so that its sender hears why
_BATCH: Final = 256 * 1024  # characters, at least, of a stream that are made in one go
_NAMELESS: Final = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)


@web.stream_request_body  # so that size and user are looked at before the body is taken in
class JidoHandler(APIHandler):
    """What all addresses share."""

    # A sidebar that polls must not keep an idle server from being culled.
    _track_activity = False
    route: ClassVar[Route] = Route("", {})

    def initialize(self) -> None:
        self._body = bytearray()
        self._refusal: PayloadTooLarge | None = None
        self._code: str | None = None
        self._is_let_in = False

    @property
    def doorway(self) -> Doorway:
        found: Doorway = self.settings["jido_doorway"]
        return found

    @property
    def watch(self) -> Watch:
        found: Watch = self.settings["jido_watch"]
        return found

    @property
    def operation(self) -> Operation | None:
        """What was asked for; None where the address does not know the verb."""
        verb = str(self.request.method)
        return self.route.verbs.get("GET" if verb == "HEAD" else verb)

    @property
    def user_name(self) -> str | None:
        """The name of a user that is told from others; None where a random one is made up for each that has the token."""
        if type(self.identity_provider) in _NAMELESS or not self.current_user:
            return None
        return str(self.current_user.username)

    @property
    def identity(self) -> str:
        """Whose store this is about."""
        owner = self.settings["jido_owner"]
        return OWNERS if not owner or self.user_name in (None, owner) else str(self.user_name)

    async def prepare(self) -> None:  # type: ignore[override]
        await super().prepare()
        if self.request.method != "OPTIONS":
            self._look_at_head()
        self._is_let_in = True

    def _look_at_head(self) -> None:
        if not self.current_user:
            raise web.HTTPError(403)
        if self.request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise web.HTTPError(415)
        size = int(self.request.headers.get("Content-Length") or 0)
        self._check_size(size)
        if self._refusal is not None and size > _MOST_DROPPED:
            raise self._refusal  # which cuts the connection

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._check_size(len(self._body) + len(chunk))
        if self._refusal is None:
            self._body += chunk
        else:  # the rest is read and dropped
            self._body.clear()
        return None

    def _check_size(self, size: int) -> None:
        limit = self.operation.max_body if self.operation else MAX_BODY
        if size > limit and self._refusal is None:
            self._refusal = PayloadTooLarge("The request's body", size, limit)

    async def serve(self, operation: Operation, session_id: str | None) -> None:
        """Answer a request that was let in."""
        if self._refusal is not None:
            raise self._refusal
        call = self._call(operation, session_id)
        if operation.action == "execute":
            self.watch.start()  # for the leases; before, as one may be given after nobody waits any more
        found, start = await self.doorway.run(
            lambda access: _begun(operation.perform(access, call)),
            self.identity,
            is_change=operation.is_change,
            is_of_records=operation.is_of_records,
        )
        await self.reply(found, start)

    async def reply(self, found: Answer, start: str = "") -> None:
        """Send an answer; ``start`` is what was made already of one that comes in pieces."""
        self.set_status(found.status)
        if found.etag is not None:
            self.set_header("ETag", f'"{found.etag}"')
        for name, value in found.headers.items():
            self.set_header(name, value)
        if found.status in (204, 304):
            self.clear_header("Content-Type")
            super(APIHandler, self).finish()
        elif found.pieces is not None:
            await self._stream(start, found.pieces, found.media_type)
        else:
            self.finish(found.body, set_content_type=found.media_type)

    def compute_etag(self) -> str | None:
        """Leave it to the operations: tornado's is a hash of the answer, and would take the place of the revision."""
        return None

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log bugs only, by path: refusals are answers, and a query holds what the user searches for."""
        if not isinstance(value, JidoError | web.HTTPError):
            self.log.error("Uncaught error in %s %s", self.request.method, self.request.path, exc_info=(typ, value, tb))

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        is_conditional = "If-Match" in self.request.headers
        super().send_error(problems.status_of(error, status_code, is_conditional=is_conditional), **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not self._is_let_in:  # tornado closes a connection with a body nobody read; a proxy must not use it again
            self.set_header("Connection", "close")
        if status_code == 405:
            self.set_header("Allow", self.route.allowed)
        for name, value in problems.fields(error).items():
            self.set_header(name, value)
        user = self.current_user.username if getattr(self, "_jupyter_current_user", None) else None
        told = problems.problem(error, status_code, user)
        self._code = told["code"]
        if isinstance(error, RateLimited):
            self._tell_listeners(error)
        self.finish(orjson.dumps(told), set_content_type="application/problem+json")

    def on_finish(self) -> None:
        super().on_finish()
        operation, status = self.operation, self.get_status()
        if operation is not None and audit.is_told(operation.name, operation.is_change, status):
            named = self.path_args[0] if self.path_args else ""
            session_id = named if is_valid(named) else None
            self._emit(audit.entry(operation.name, session_id, self.user_name, status, self._code))

    def _emit(self, entry: dict[str, Any]) -> None:
        try:
            self.event_logger.emit(schema_id=audit.SCHEMA_ID, data=entry)
        except Exception:  # a listener's own fault must not be the request's
            self.log.exception("An audit event could not be sent.")

    def _log(self) -> None:
        """Leave the query out of the access log."""
        self.request.uri = self.request.path
        super()._log()

    def _call(self, operation: Operation, session_id: str | None) -> Call:
        given = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        headers = self.request.headers
        return Call(
            session_id="" if session_id is None else checked(session_id),
            params=from_query(operation.params, given),
            body=bytes(self._body),
            if_match=entity_tags(headers.get("If-Match")),
            if_none_match=entity_tags(headers.get("If-None-Match")),
            lease=headers.get(LEASE_FIELD),
            root=f"{self.base_url}{API}",
        )

    async def _stream(self, batch: str, pieces: Iterator[str], media_type: str) -> None:
        """Send pieces as they are made; each batch waits for the client to take the one before."""
        self.set_header("Content-Type", media_type)
        try:
            while batch and self.request.method != "HEAD":
                self.write(batch)
                if len(batch) < _BATCH:
                    break
                await self.flush()
                batch = await self.doorway.run(lambda access: _batch(pieces), self.identity)
        except BaseException:
            self.request.connection.stream.close()  # type: ignore[union-attr] # an end would make it look whole
            raise
        self.finish(set_content_type=media_type)

    def _tell_listeners(self, error: RateLimited) -> None:
        for identity, access in self.doorway.known():
            if identity == self.identity:
                access.feed.publish("limited", {"operation": error.operation, "retry_after_s": error.retry_after_s})

    @allow_unauthenticated  # as a browser's question before the request carries no credentials
    def options(self, *path: str) -> None:
        super().options(*path)
        self.set_header("Allow", self.route.allowed)
        self.set_header("Access-Control-Allow-Methods", self.route.allowed)
        self.set_status(204)
        super(APIHandler, self).finish()


class DocumentHandler(JidoHandler):
    """The OpenAPI document: nothing of a store, so no worker thread either."""

    async def serve(self, operation: Operation, session_id: str | None) -> None:
        call = self._call(operation, session_id)
        body = openapi.rendered(self.base_url)
        etag = blake2b(body, digest_size=8).hexdigest()
        await self.reply(Answer(304 if call.knows(etag) else 200, body, etag))


class UnknownHandler(JidoHandler):
    """Every other address below the API's, so that it too answers with a problem document."""

    route = Route("", {})

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        raise web.HTTPError(404)


def _begun(found: Answer) -> tuple[Answer, str]:
    """Return an answer, and the start of its pieces: for most this is all there is, and one wait for a thread is enough."""
    return found, "" if found.pieces is None else _batch(found.pieces)


def _batch(pieces: Iterator[str]) -> str:
    """Return the next pieces, joined; fewer characters than `_BATCH` are the last ones."""
    batch, size = [], 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= _BATCH:
            break
    return "".join(batch)


def _verb(operation: Operation) -> Any:
    """Return the method of a handler for one verb; made anew for each, as `authorized` asks for."""

    async def verb(self: JidoHandler, session_id: str | None = None) -> None:
        await self.serve(operation, session_id)

    guarded: Any = web.authenticated(authorized(action=operation.action, resource=RESOURCE)(verb))
    return guarded


def handler_of(route: Route, base: type[JidoHandler] = JidoHandler) -> type[JidoHandler]:
    """Return the handler of an address."""
    verbs = {verb.lower(): _verb(operation) for verb, operation in route.verbs.items()}
    if "GET" in route.verbs:
        verbs["head"] = _verb(route.verbs["GET"])
    name = "".join(word.strip("{}").capitalize() for word in route.path.split("/")) + "Handler"
    return type(name, (base,), {"route": route, **verbs})
