"""Requests to the server that keeps the sessions, and the three things that may become of one.

It is answered; or refused, by the server's own error, which is raised here as it was raised there; or nobody knows. A request
that never left is `StoreUnavailable`. One that left and got no answer is `OutcomeUnknown` when it may have changed a session;
it is not sent again. Reading is tried twice, as a connection that was kept may have been closed meanwhile.

The token goes into one header field, and nowhere else: no error here names it, none carries the request, and a redirect is
told, not followed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import httpx
import orjson

from jido_jupyter import errors
from jido_jupyter._version import __version__
from jido_jupyter.core.hosts import is_loopback
from jido_jupyter.core.records import FORMAT
from jido_jupyter.errors import InvalidSetting, JidoError, OutcomeUnknown, StoreUnavailable, UnsupportedFormat
from jido_jupyter.store.codec import dumps

API: Final = "jido/api/v1/store"
LEASE_FIELD: Final = "Jido-Lease"
CONNECT_S: Final = 5.0
ANSWER_S: Final = 35.0  # the server gives up after 30
QUICK_S: Final = 5.0  # for what comes again soon: a heartbeat, a piece of an answer
_CONNECTIONS: Final = 10

# Nothing was sent. A proxy that refuses to connect counts, too.
_UNSENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_CLASSES: Final = {
    found.code: found
    for found in reversed(list(vars(errors).values()))
    if isinstance(found, type) and issubclass(found, JidoError)
}
_DATA: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_OF_A_PROBLEM: Final = ("type", "title", "status", "detail", "code")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    ``changes`` names the session that it may change, when that matters to whoever gets no answer.
    """

    method: str
    path: str  # below `API`; empty for the API itself
    body: bytes | None = None
    changes: str | None = None
    lease: str | None = field(default=None, repr=False)  # token
    patience_s: float = ANSWER_S
    is_repeatable: bool = False


def reading(path: str, body: Mapping[str, Any] | None = None) -> Request:
    """Return a request that changes nothing, and may be sent twice."""
    if body is None:
        return Request("GET", path, is_repeatable=True)
    return Request("POST", path, dumps(body), is_repeatable=True)


class Link:
    """The way to one server; safe to use from several threads and after a fork.

    Args:
        url: of the server, ends in a slash.
        token: of that server; None sends none.

    Raises:
        InvalidSetting: the address has no meaning.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        try:
            found = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise InvalidSetting("JIDO_URL", url, f"it is no address: {error}") from None
        self._is_near = is_loopback(found.host)
        self._is_encrypted = found.scheme == "https"
        self._authorization = f"token {token}" if token else None
        self._open()

    def ask(self, request: Request) -> Any:
        """Return the JSON value of the answer; None for one without a body.

        Raises:
            JidoError: what the server raised.
            StoreUnavailable: it cannot be reached, lets nobody in, or is no server with this extension.
            OutcomeUnknown: nobody answered, and the session may have been changed.
        """
        if self._pid != os.getpid():
            self._open()
        try:
            answer = self._send(request)
        except _UNSENT as error:
            self._refuse(*_unreachable(error))
        except httpx.RequestError as error:
            self._lose(request, _lost(error, request))
        return self._read(request, answer)

    def _open(self) -> None:
        """Begin with no connection: they are not to be shared with a parent process."""
        self._pid = os.getpid()
        fields = {"User-Agent": f"jido_jupyter/{__version__}", "Accept": _DATA}
        if self._authorization is not None:
            fields["Authorization"] = self._authorization
        # What is for this machine goes to no proxy.
        direct: dict[str, httpx.BaseTransport | None] = {f"{scheme}://": None for scheme in ("http", "https", "all")}
        self._client = httpx.Client(
            headers=fields,
            verify=self._is_encrypted,  # where nothing is, loading the certificates would take longer than all the rest
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            follow_redirects=False,
            mounts=direct if self._is_near else None,
        )

    def _send(self, request: Request) -> httpx.Response:
        fields = {"Content-Type": _DATA} if request.body is not None else {}
        if request.lease is not None:
            fields[LEASE_FIELD] = request.lease
        made = self._client.build_request(
            request.method,
            f"{self.url}{API}{request.path}",
            content=request.body,
            headers=fields,
            timeout=httpx.Timeout(request.patience_s, connect=CONNECT_S),
        )
        try:
            return self._client.send(made)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not request.is_repeatable:
                raise
        return self._client.send(made)

    def _read(self, request: Request, answer: httpx.Response) -> Any:
        if answer.status_code == 204:
            return None
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        told = _json(answer.content) if kind in (_DATA, _PROBLEM) else None
        if not answer.is_success:
            self._tell(request, answer, told if isinstance(told, dict) else {}, is_ours=kind == _PROBLEM)
        if told is None and kind == _DATA:
            self._lose(request, "its answer cannot be read")
        if told is None:
            self._refuse(f"it answers with {kind or 'nothing'} instead of data", _PAGE)
        return told

    def _tell(self, request: Request, answer: httpx.Response, told: Mapping[str, Any], *, is_ours: bool) -> NoReturn:
        """Raise what a refusal means: ours, that of jupyter_server, or of a proxy or Hub between."""
        if is_ours and (error := _error(told)) is not None:
            raise error
        status = answer.status_code
        if answer.is_redirect:
            self._refuse(f"it redirects to {_plain_address(answer.headers.get('Location', ''))}", _REDIRECT)
        if status in (401, 403):
            self._refuse(*(_MAY_NOT if str(told.get("detail")).startswith("You are logged in") else _NOT_IN))
        if status == 404:
            self._refuse(*(_OLD if is_ours else _NO_EXTENSION))
        if status == 413:
            self._refuse(f"a proxy before it takes no request of {len(request.body or b''):,} bytes", _PROXY_LIMIT)
        if status in (424, 429, 503):
            self._refuse(f"it is not running, or too busy (status {status})", _NOT_RUNNING)
        if status >= 500:
            self._lose(request, f"the server, or a proxy before it, answered with status {status}")
        self._refuse(f"it answered with status {status}", _PAGE)

    def _lose(self, request: Request, reason: str) -> NoReturn:
        if request.changes is not None:
            raise OutcomeUnknown(request.changes, reason) from None
        self._refuse(reason, _AGAIN if self._is_encrypted else f"{_AGAIN} If it speaks https, write that in JIDO_URL.")

    def _refuse(self, reason: str, hint: str) -> NoReturn:
        # From None: the request, which a traceback may show, holds the token.
        raise StoreUnavailable(self.url, reason, hint) from None


@dataclass(frozen=True, slots=True)
class Described:
    """What a server says of its store."""

    version: str  # of its jido_jupyter
    settings: Mapping[str, Any]  # limits of the store, by the names of `Settings`


def described(link: Link) -> Described:
    """Return what a server says of its store.

    Raises:
        UnsupportedFormat: its records are of another format.
        JidoError: as `Link.ask`.
    """
    found = link.ask(reading(""))
    if not isinstance(found, dict) or not isinstance(settings := found.get("settings"), dict):
        raise StoreUnavailable(link.url, "it answers, but not as a jido_jupyter does", _PAGE)
    if found.get("format") != FORMAT:
        raise UnsupportedFormat(f"The store of {link.url}", found.get("format"))
    return Described(str(found.get("version")), settings)


_LOG_IN: Final = (
    "Set JIDO_TOKEN to a token of that server ('jupyter server list' shows those of this machine, a Hub makes them)."
)
_NOT_IN: Final = ("it does not know the token", _LOG_IN)
_MAY_NOT: Final = (
    "its authorizer does not allow the token to do that",
    "Ask its administrator for read, write and execute on the resource 'jido'.",
)
_NO_EXTENSION: Final = (
    "there is no jido_jupyter at this address",
    "JIDO_URL is the server's base address, without /lab or /tree; jido_jupyter must be installed there, too.",
)
_OLD: Final = ("its jido_jupyter is older than this one", "Upgrade jido_jupyter there.")
_REDIRECT: Final = "The token is not sent on. If that address is the server's own, set JIDO_URL to it."
_PAGE: Final = (
    "Something between here and the server answers, such as a login page of a proxy: look at JIDO_URL in a browser."
)
_PROXY_LIMIT: Final = "Raise the limit there; in nginx it is client_max_body_size."
_NOT_RUNNING: Final = "Start it, or try again in a few seconds."
_AGAIN: Final = "Try again; its administrator finds more in its log."
_UNREACHED: Final = "Start it, or correct JIDO_URL; what is not saved yet is saved when it answers again."
_CERTIFICATE: Final = "Set SSL_CERT_FILE to the certificate that it is signed with; nothing was sent."


def _unreachable(error: httpx.RequestError) -> tuple[str, str]:
    """Return why nothing was sent, and what to do."""
    if "CERTIFICATE" in str(error):
        return "its certificate is not trusted", _CERTIFICATE
    if isinstance(error, httpx.ConnectTimeout):
        return f"it cannot be reached within {CONNECT_S:g} s", _UNREACHED
    return f"it cannot be reached ({_plain(error)})", _UNREACHED


def _lost(error: httpx.RequestError, request: Request) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"the server has not answered within {request.patience_s:g} s"
    return f"the connection to the server was lost: {_plain(error)}"


def _plain(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _plain_address(text: str) -> str:
    """Return an address without its query, which may hold a token."""
    found = urlsplit(text)
    return f"{found.scheme}://{found.netloc}{found.path}" if found.netloc else found.path


def _error(told: Mapping[str, Any]) -> JidoError | None:
    """Return the error that a problem document tells of; None when it is none of ours."""
    if (kind := _CLASSES.get(str(told.get("code")))) is None:
        return None
    error = kind.__new__(kind)
    members = {name: value for name, value in told.items() if name not in _OF_A_PROBLEM}
    JidoError.__init__(error, str(told.get("detail", "")), **members)
    return error
