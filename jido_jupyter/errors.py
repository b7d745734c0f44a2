"""Every error that jido raises on purpose.

Each class carries a stable ``code`` (what programs branch on), a ``status_hint`` (the HTTP status a server answers with)
and its data as attributes; ``str()`` says what went wrong and what to do next, in one or two sentences.

::

    JidoError
    ├── InvalidRequest      400   ├ InvalidSessionId  ├ InvalidField  ├ AmbiguousTarget  └ InvalidSetting
    │                             └ PreconditionRequired 428
    ├── SessionNotFound     404
    ├── Conflict            409   ├ SessionExists  ├ SessionOpen  ├ IllegalTransition  ├ UnverifiedSession  ├ FolderRefused  ├ StaleRevision
    │                             ├ LeaseLost  └ KeptElsewhere
    ├── PayloadTooLarge     413
    ├── LimitReached        409
    ├── RateLimited         429
    ├── AssistantError      502   ├ AssistantUnavailable 503
    └── StoreError          500   ├ CorruptSession  ├ UnsupportedFormat  ├ OutcomeUnknown
                                  └ StoreUnavailable 503  ├ StoreFull 507  └ StoreBusy 503

Anything that is not a `JidoError` is a bug.
"""

from __future__ import annotations

from typing import Any, ClassVar


class JidoError(Exception):
    """Base of all errors of this package."""

    code: ClassVar[str] = "error"
    status_hint: ClassVar[int] = 500

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.data = data  # JSON values; the extension members of an RFC 9457 problem

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["data"][name]
        except KeyError:
            raise AttributeError(name) from None


class InvalidRequest(JidoError):
    code = "invalid_request"
    status_hint = 400


class InvalidSessionId(InvalidRequest):
    code = "invalid_session_id"

    def __init__(self, session_id: str) -> None:
        super().__init__(
            f"{session_id!r} is not a session id (1 to 64 of a-z, 0-9, _ and -). List the sessions to see their ids.",
            session_id=session_id,
        )


class InvalidField(InvalidRequest):
    """A member of a request or record has the wrong shape; ``path`` says which."""

    code = "invalid_field"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}.", path=path, reason=reason)


class AmbiguousTarget(InvalidRequest):
    code = "ambiguous_target"

    def __init__(self, target: str, candidates: list[str]) -> None:
        super().__init__(
            f"{target!r} fits {len(candidates)} sessions: {', '.join(candidates[:5])}"
            f"{', ...' if len(candidates) > 5 else ''}. Write more of the id or title, or its number in the list.",
            target=target,
            candidates=candidates,
        )


class InvalidSetting(InvalidRequest):
    code = "invalid_setting"

    def __init__(self, name: str, value: str, reason: str) -> None:
        super().__init__(f"The setting {name}={value!r} is not valid: {reason}.", name=name, value=value, reason=reason)


class PreconditionRequired(InvalidRequest):
    """A change that would hide what its sender may not have seen."""

    code = "precondition_required"
    status_hint = 428

    def __init__(self, session_id: str) -> None:
        super().__init__(
            "This takes messages out of the conversation, so say which state of it you know: send the session's ETag as "
            "'If-Match'. Nothing was changed.",
            session_id=session_id,
        )


class SessionNotFound(JidoError):
    code = "session_not_found"
    status_hint = 404

    def __init__(self, target: str, hint: str = "List the sessions to see what there is.") -> None:
        super().__init__(f"There is no session {target!r}. {hint}", target=target)


class Conflict(JidoError):
    code = "conflict"
    status_hint = 409


class SessionExists(Conflict):
    code = "session_exists"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"A session {session_id!r} exists already; nothing was written.", session_id=session_id)


class SessionOpen(Conflict):
    """Another process holds the session's lease."""

    code = "session_open"

    def __init__(self, session_id: str, owner: dict[str, Any]) -> None:
        where = owner.get("notebook") or owner.get("kind") or "another program"
        super().__init__(
            f"Session {session_id[:8]} is open in {where} (process {owner.get('pid')} on {owner.get('host')}). "
            "Close it there, or take it over with '%jido resume <target> --take-over'; '%jido show' reads it without opening.",
            session_id=session_id,
            owner=owner,
        )


class IllegalTransition(Conflict):
    code = "illegal_transition"

    def __init__(self, state: str, event: str, hint: str) -> None:
        super().__init__(f"A session that is {state} cannot {event}. {hint}", state=state, event=event)


class UnverifiedSession(Conflict):
    """The session's seal does not prove that it was written here."""

    code = "unverified_session"

    def __init__(self, session_id: str, reason: str) -> None:
        super().__init__(
            f"Session {session_id[:8]} is not verified, so it is not resumed. {reason} "
            "'%jido show' reads it; if it is right, '%jido resume <target> --trust' seals it anew and opens it.",
            session_id=session_id,
            reason=reason,
        )


class FolderRefused(Conflict):
    """Code of an assistant does not run in a folder of the system."""

    code = "folder_refused"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} is a folder of the system, so no code of an assistant runs there; nothing was run. "
            "Open the notebook in a project folder of your own and ask again.",
            path=path,
        )


class StaleRevision(Conflict):
    """Somebody else added to the session since ``expected`` was read; nothing was written."""

    code = "stale_revision"

    def __init__(self, session_id: str, expected: str, found: str) -> None:
        super().__init__(
            f"Session {session_id[:8]} has changed elsewhere (you know revision {expected}, it is at {found}); "
            "nothing was overwritten. Resume it again to go on from the newer state.",
            session_id=session_id,
            expected=expected,
            found=found,
        )


class LeaseLost(Conflict):
    """The token of a lease holds no longer: it ended, was given up, or the session was taken over."""

    code = "lease_lost"

    def __init__(self, session_id: str, owner: dict[str, Any] | None) -> None:
        where = f"it is open in {owner.get('notebook') or owner.get('kind')} now" if owner else "nobody has it open now"
        super().__init__(
            f"Your lease of session {session_id[:8]} has ended, and {where}; nothing was written. "
            "Resume the session again to go on.",
            session_id=session_id,
            owner=owner,
        )


class KeptElsewhere(Conflict):
    """A server was asked for what another one keeps."""

    code = "kept_elsewhere"

    def __init__(self, url: str, hint: str) -> None:
        super().__init__(f"The sessions are kept by the server {url}. {hint}", url=url)


class PayloadTooLarge(JidoError):
    code = "payload_too_large"
    status_hint = 413

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(
            f"{what} has {size:,} bytes, the limit is {limit:,}; nothing was written. "
            "Go on in a new session, or raise JIDO_MAX_SESSION_SIZE.",
            size=size,
            limit=limit,
        )


class LimitReached(JidoError):
    """A count limit blocks; nothing was removed to make room."""

    code = "limit_reached"
    status_hint = 409

    def __init__(self, what: str, count: int, limit: int, choices: str) -> None:
        super().__init__(f"There are {count} {what}, the limit is {limit}. {choices}", count=count, limit=limit)


class RateLimited(JidoError):
    """The sliding window of an operation is full."""

    code = "rate_limited"
    status_hint = 429

    def __init__(
        self, operation: str, limit: int, window_s: float, retry_after_s: int, *, is_closed: bool = False
    ) -> None:
        why = f"That was {limit} times '{operation}' within {window_s:g} s"
        if is_closed:
            why = f"The counters of '{operation}' could not be read and start anew"
        super().__init__(
            f"{why}; try again in {retry_after_s} s. Nothing is lost.",
            operation=operation,
            limit=limit,
            window_s=window_s,
            retry_after_s=retry_after_s,
        )


class AssistantError(JidoError):
    code = "assistant_error"
    status_hint = 502


class AssistantUnavailable(AssistantError):
    """No answer can be asked for: the model is not configured rightly, or its library is missing."""

    code = "assistant_unavailable"
    status_hint = 503


class StoreError(JidoError):
    code = "store_error"
    status_hint = 500


class CorruptSession(StoreError):
    """A session's file cannot be read as a session; it is left as it is."""

    code = "corrupt_session"

    def __init__(self, session_id: str, reason: str, path: str) -> None:
        super().__init__(
            f"Session {session_id[:8]} cannot be read: {reason}. Its file is kept as it is: {path}",
            session_id=session_id,
            reason=reason,
            path=path,
        )


class UnsupportedFormat(StoreError):
    code = "unsupported_format"

    def __init__(self, what: str, version: Any) -> None:
        super().__init__(
            f"{what} has format version {version}, which this jido_jupyter does not know; it was left untouched. "
            "Upgrade jido_jupyter to open it.",
            version=version,
        )


class OutcomeUnknown(StoreError):
    """A write may or may not have become durable."""

    code = "outcome_unknown"

    def __init__(self, session_id: str, reason: str) -> None:
        super().__init__(
            f"It is unknown whether the last change of session {session_id[:8]} reached the disk ({reason}). "
            "Resume the session again to see its state, before you repeat the change.",
            session_id=session_id,
            reason=reason,
        )


class StoreUnavailable(StoreError):
    code = "store_unavailable"
    status_hint = 503

    def __init__(self, path: str, reason: str, hint: str) -> None:
        super().__init__(f"The session store {path} cannot be used: {reason}. {hint}", path=path, reason=reason)


class StoreFull(StoreUnavailable):
    code = "store_full"
    status_hint = 507


class StoreBusy(StoreUnavailable):
    code = "store_busy"
