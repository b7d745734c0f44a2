"""What was refused, as a problem document: by us, by tornado, or by jupyter_server. Source: RFC 9457."""

from __future__ import annotations

from http.client import responses
from typing import Any, Final

from jido_jupyter.errors import JidoError, RateLimited, StaleRevision, StoreBusy
from jido_jupyter.services import wire

_HINTS: Final = {
    404: "There is nothing at this address; the API's root is jido/api/v1/.",
    405: "This address does not take that method.",
    415: "Bodies are taken as they are: send it without a Content-Encoding.",
    500: "This is a bug of jido_jupyter; the server's log has its traceback. Nothing that was saved is lost.",
}
_NOT_LOGGED_IN: Final = "Log in, or send the server's token in the header 'Authorization: token ...'."
_RETRY_S: Final = 2  # when a store that is busy is worth another try


def status_of(error: object, status: int, *, is_conditional: bool) -> int:
    """Return the status that tells of an error.

    Args:
        status: where the error does not say one.
        is_conditional: the request carried If-Match.
    """
    if isinstance(error, StaleRevision) and is_conditional:
        return 412
    return error.status_hint if isinstance(error, JidoError) else status


def problem(error: object, status: int, user: str | None) -> dict[str, Any]:
    """Return the document.

    Args:
        user: who is logged in; None: nobody.
    """
    if isinstance(error, JidoError):
        return {**wire.problem(error), "status": status}
    title = responses.get(status, "Error")
    code = title.lower().replace(" ", "_")
    detail = _HINTS.get(status) or getattr(error, "log_message", None) or f"{title}."
    if status == 403:
        detail = _NOT_LOGGED_IN if user is None else f"You are logged in, and may not do that: {title.lower()}."
    return {"type": wire.PROBLEM_TYPE + code, "title": title, "status": status, "detail": detail, "code": code}


def fields(error: object) -> dict[str, str]:
    """Return the header fields that say when to try again.

    Source: RFC 9110 section 10.2.3; draft-ietf-httpapi-ratelimit-headers-10.
    """
    if isinstance(error, RateLimited):
        name, window, wait = error.operation, f"{error.window_s:g}", error.retry_after_s
        return {
            "Retry-After": str(wait),
            "RateLimit-Policy": f'"{name}";q={error.limit};w={window}',
            "RateLimit": f'"{name}";r=0;t={wait}',
        }
    return {"Retry-After": str(_RETRY_S)} if isinstance(error, StoreBusy) else {}
