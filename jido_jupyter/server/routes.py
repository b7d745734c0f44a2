"""The table of the REST door: each address with what its verbs do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from jido_jupyter.core.query import STATES
from jido_jupyter.server import operations, shapes
from jido_jupyter.server.record_routes import ROUTES as RECORD_ROUTES
from jido_jupyter.server.table import Operation, Route
from jido_jupyter.server.values import Value
from jido_jupyter.services import cleanup, exchange

MAX_PAGE: Final = 500


# --- what several operations take

_LIMIT: Final = Value("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 100}, "Of one page.")
_CURSOR: Final = Value(
    "cursor",
    {"type": "string", "pattern": r"^[0-9]{1,19}$", "description": "take it from the page before, as it is"},
    "`next_cursor` of the page before.",
)
_FILTERS: Final = (
    Value("tag", {"type": "string"}, "Only sessions with this tag."),
    Value("notebook", {"type": "string"}, "Only sessions whose notebook's path holds this text."),
    Value(
        "state",
        {"type": "string", "enum": list(STATES)},
        "Only sessions that are so; trashed ones are listed by it alone.",
    ),
)
_Q: Final = Value(
    "q", {"type": "string", "maxLength": 2000}, "Words, phrases and filters, as `%jido search` takes them."
)
_TITLE: Final = Value("title", shapes.TITLE, "Cut after 200 characters.")
_MESSAGES: Final = Value("messages", shapes.SAID, "Ids and times are given where they are missing.")
_MESSAGE: Final = Value("message", {"type": "string"}, "Id of the last message that stays; empty for none.")


def _sorts(*names: str) -> Value:
    return Value("sort", {"type": "string", "enum": list(names), "default": names[0]}, "Newest or best first.")


_SESSIONS: Final = Route(
    "sessions",
    {
        "GET": Operation(
            "listSessions",
            "read",
            operations.list_sessions,
            "List sessions, a page at a time",
            {200: "SessionPage"},
            "`updated` sorts by the last turn. The ETag is that of the whole store: it changes with every session that does.",
            params=(_Q, *_FILTERS, _sorts("updated", "created", "relevance"), _LIMIT, _CURSOR),
            errors=(429,),
            is_cacheable=True,
        ),
        "POST": Operation(
            "createSession",
            "write",
            operations.create,
            "Store a new session",
            {201: "Session"},
            fields=(_TITLE, _MESSAGES),
            errors=(409, 413, 507),
        ),
    },
)
_SESSION: Final = Route(
    "sessions/{id}",
    {
        "GET": Operation(
            "showSession",
            "read",
            operations.show,
            "Show a session, without opening it",
            {200: "Session"},
            params=(
                Value(
                    "messages",
                    {"type": "boolean", "default": True},
                    "Whether with its messages; they come in pages, too.",
                ),
            ),
            is_cacheable=True,
        ),
        "PATCH": Operation(
            "editSession",
            "write",
            operations.edit,
            "Change title, tags, pin or archive",
            {200: "SessionHead"},
            "The last writer wins unless `If-Match` says otherwise: no value depends on the one before.",
            fields=(
                _TITLE,
                Value("tags", {"type": "array", "items": {"type": "string"}, "maxItems": 20}, "All of them."),
                Value("pinned", {"type": "boolean"}, ""),
                Value("archived", {"type": "boolean"}, ""),
            ),
            errors=(409, 412, 413, 507),
            is_conditional=True,
            takes_lease=True,
        ),
        "DELETE": Operation(
            "trashSession",
            "write",
            operations.trash,
            "Move a session to the trash",
            {204: None},
            "Nothing is deleted: `restore` brings it back.",
            errors=(409, 412, 413, 507),
            is_conditional=True,
        ),
    },
)
_SESSION_MESSAGES: Final = Route(
    "sessions/{id}/messages",
    {
        "GET": Operation(
            "listMessages",
            "read",
            operations.list_messages,
            "Read messages, a page at a time",
            {200: "MessagePage"},
            "Messages are numbered from 0. Without `before` and `after` the last ones come.",
            params=(
                Value(
                    "before", {"type": "integer", "minimum": 0, "maximum": 2**53}, "Only messages before this number."
                ),
                Value(
                    "after",
                    {"type": "integer", "minimum": 0, "maximum": 2**53},
                    "Only messages after this number, forwards.",
                ),
                _LIMIT,
            ),
            is_cacheable=True,
        ),
        "POST": Operation(
            "addMessages",
            "write",
            operations.add_messages,
            "Add messages to the end",
            {201: "Added"},
            "Into a session that nobody has open, or with its lease, which is extended by that.",
            fields=(replace(_MESSAGES, is_required=True),),
            errors=(409, 412, 413, 507),
            is_conditional=True,
            takes_lease=True,
        ),
    },
)
_RESUME: Final = Route(
    "sessions/{id}/resume",
    {
        "POST": Operation(
            "resumeSession",
            "execute",
            operations.resume,
            "Open a session to go on with it",
            {200: "Resumed"},
            "The session is the client's until it closes it, or is silent for `lifetime_s`. Each attempt counts against the rate "
            "limit, together with those of kernels.",
            fields=(
                Value("take_over", {"type": "boolean", "default": False}, "Take it from whoever has it open."),
                Value("trust", {"type": "boolean", "default": False}, "Seal it anew when it is not verified."),
                Value("notebook", {"type": "string", "minLength": 1, "maxLength": 1024}, "Names the owner to others."),
            ),
            errors=(409, 412, 429, 507),
            is_conditional=True,
        )
    },
)
_LEASE: Final = Route(
    "sessions/{id}/lease",
    {
        "POST": Operation(
            "extendLease",
            "execute",
            operations.extend,
            "Say that the client is still there",
            {200: "Lease"},
            fields=(),
            errors=(409,),
            takes_lease=True,
        )
    },
)
_CLOSE: Final = Route(
    "sessions/{id}/close",
    {
        "POST": Operation(
            "closeSession",
            "execute",
            operations.close,
            "Give an open session up",
            {204: None},
            "Closing one that nobody has open is harmless.",
            fields=(),
            errors=(409, 507),
            takes_lease=True,
        )
    },
)
_FORK: Final = Route(
    "sessions/{id}/fork",
    {
        "POST": Operation(
            "forkSession",
            "write",
            operations.fork,
            "Store a copy that goes its own way",
            {201: "Session"},
            fields=(_MESSAGE,),
            errors=(409, 412, 413, 507),
            is_conditional=True,
        )
    },
)
_REWIND: Final = Route(
    "sessions/{id}/rewind",
    {
        "POST": Operation(
            "rewindSession",
            "write",
            operations.rewind,
            "Go on after an earlier message",
            {200: "SessionHead"},
            "Needs `If-Match`: it takes messages out of the conversation, and nobody should take out what he has not seen.",
            fields=(replace(_MESSAGE, is_required=True),),
            errors=(409, 412, 413, 428, 507),
            is_conditional=True,
            takes_lease=True,
        )
    },
)
_RESTORE: Final = Route(
    "sessions/{id}/restore",
    {
        "POST": Operation(
            "restoreSession",
            "write",
            operations.restore,
            "Take a session out of the trash",
            {200: "SessionHead"},
            fields=(),
            errors=(409, 507),
        )
    },
)
_EXPORT: Final = Route(
    "sessions/{id}/export",
    {
        "GET": Operation(
            "exportSession",
            "read",
            operations.export,
            "Write a session as a file",
            {200: None},
            params=(
                Value(
                    "format",
                    {"type": "string", "enum": list(exchange.EXPORTS), "default": "json"},
                    "`json` can be imported.",
                ),
            ),
            errors=(429,),
            media_types=tuple(form.media_type for form in exchange.EXPORTS.values()),
            is_cacheable=True,
        )
    },
)
_IMPORT: Final = Route(
    "import",
    {
        "POST": Operation(
            "importSessions",
            "write",
            operations.bring_in,
            "Bring in the sessions of a file, each under a new id",
            {200: "Brought", 201: "Brought"},
            "The body is the file. The same content is brought in once: 200 says that all of it was here already.",
            params=(Value("format", {"type": "string", "enum": list(exchange.IMPORTS)}, "By default found out."),),
            errors=(409, 413, 429, 507),
            max_body=exchange.MAX_FILE,
            takes_file=True,
        )
    },
)
_SEARCH: Final = Route(
    "search",
    {
        "GET": Operation(
            "searchSessions",
            "read",
            operations.search,
            "Find sessions by what was said in them",
            {200: "FoundPage"},
            "With the text around the first word that was asked for. A search by relevance has one page.",
            params=(replace(_Q, is_required=True), *_FILTERS, _sorts("relevance", "updated"), _LIMIT, _CURSOR),
            errors=(429,),
        )
    },
)
_CLEANUP: Final = Route(
    "cleanup",
    {
        "POST": Operation(
            "cleanUp",
            "write",
            operations.clean_up,
            "Move old sessions to the trash, or say which ones would go",
            {200: "CleanupReport"},
            fields=(
                Value("dry_run", {"type": "boolean", "default": True}, "Only say it."),
                Value("days", {"type": "integer", "minimum": 1, "maximum": 36500}, "Since the last turn."),
                Value(
                    "keep",
                    {"type": "integer", "minimum": 0, "maximum": 10**6, "default": cleanup.KEEP},
                    "Newest that stay.",
                ),
            ),
            errors=(429, 507),
        )
    },
)
_LIMITS: Final = Route(
    "limits",
    {
        "GET": Operation(
            "showLimits",
            "read",
            operations.limits,
            "Say what is left of each limit",
            {200: "Limits"},
            params=(
                Value(
                    "session",
                    {"type": "string", "pattern": r"^[a-z0-9][a-z0-9_-]{0,63}$"},
                    "Also for this session's id.",
                ),
            ),
        )
    },
)
_HEALTH: Final = Route(
    "health",
    {"GET": Operation("showHealth", "read", operations.health, "Say whether the store answers", {200: "Health"})},
)
_DOCUMENT: Final = Route(
    "openapi.json",
    {"GET": Operation("showDocument", "read", None, "This document", {200: "Document"}, is_cacheable=True)},
)
_EVENTS: Final = Route(
    "events",
    {
        "GET": Operation(
            "listen",
            "read",
            None,
            "Be told what changes, as Server-Sent Events",
            {200: None},
            "`created`, `changed` (with id, revision and state), `trashed` (with id) and `limited` (with operation and "
            "retry_after_s), each within a second, whoever made the change. `reset` says that events were missed: list anew. "
            "The field `Last-Event-ID` goes on where a broken stream ended. A comment comes at least every 15 s.",
            errors=(503,),
            media_types=("text/event-stream",),
        )
    },
)

DOCUMENT, EVENTS = _DOCUMENT, _EVENTS
ROUTES: Final[Sequence[Route]] = (
    _SESSIONS,
    _SESSION,
    _SESSION_MESSAGES,
    _RESUME,
    _LEASE,
    _CLOSE,
    _FORK,
    _REWIND,
    _RESTORE,
    _EXPORT,
    _IMPORT,
    _SEARCH,
    _CLEANUP,
    _LIMITS,
    _HEALTH,
    _EVENTS,
    _DOCUMENT,
    *RECORD_ROUTES,
)
