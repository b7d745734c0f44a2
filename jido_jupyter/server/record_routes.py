"""The addresses below ``store``, for clients whose services run elsewhere: kernels with ``JIDO_URL``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from jido_jupyter.server import records, shapes
from jido_jupyter.server.table import Operation, Route
from jido_jupyter.server.values import Value

MAX_BODY: Final = 64 * 2**20  # bytes; a log that is put in the place of another comes whole
_CONFLICT: Final = (409, 413, 507)

_HEADER: Final = Value("header", shapes.HEADER, "The first record.", is_required=True)
_LOG: Final = Value("log", shapes.LOG, "Records, in order.", is_required=True)
_EXPECTED: Final = Value("expected", shapes.REVISION, "The state that the client knows.", is_required=True)
_KEYS: Final = Value(
    "keys",
    {"type": "array", "minItems": 1, "maxItems": 8, "items": {"type": "string", "maxLength": 128}},
    "As in `resume/user` and `resume/session/<id>`; the windows are the server's.",
    is_required=True,
)


def _of_records(
    name: str, action: str, act: Any, summary: str, answers: Any, about: str = "", **more: Any
) -> Operation:
    return Operation(name, action, act, summary, answers, about, max_body=MAX_BODY, is_of_records=True, **more)


def _moves(name: str, act: Any, summary: str, about: str = "") -> Operation:
    return _of_records(name, "write", act, summary, {204: None}, about, fields=(), errors=(409, 507))


ROUTES: Final[Sequence[Route]] = (
    Route(
        "store",
        {
            "GET": _of_records(
                "describeStore",
                "read",
                records.describe,
                "Say of which format the records are, and what limits hold",
                {200: "Store"},
                "The addresses below `store` are for kernels elsewhere (`JIDO_URL`), which do with records what those on "
                "the server's machine do with files. A server that keeps its own sessions elsewhere refuses them with 409.",
                errors=(409,),
            )
        },
    ),
    Route(
        "store/sessions",
        {
            "POST": _of_records(
                "createLog",
                "write",
                records.create,
                "Store a session: its header and its first records, all or nothing",
                {201: "Revision"},
                fields=(_HEADER, _LOG),
                errors=_CONFLICT,
            )
        },
    ),
    Route(
        "store/sessions/{id}",
        {"GET": _of_records("readLog", "read", records.read, "Read a whole log", {200: "Log"}, errors=(409,))},
    ),
    Route(
        "store/sessions/{id}/records",
        {
            "POST": _of_records(
                "appendRecords",
                "write",
                records.append,
                "Add records to the end of a log that is at the expected revision",
                {200: "Revision"},
                fields=(
                    _LOG,
                    _EXPECTED,
                    Value(
                        "durable", {"type": "boolean", "default": True}, "Whether they are on the disk at the answer."
                    ),
                    Value("beyond_limit", {"type": "boolean", "default": False}, "Even past the size limit."),
                ),
                errors=_CONFLICT,
            )
        },
    ),
    Route(
        "store/sessions/{id}/replace",
        {
            "POST": _of_records(
                "replaceLog",
                "write",
                records.replace,
                "Put a whole log in the place of one that is at the expected revision",
                {200: "Revision"},
                "Seals it anew, also where it was not verified: the client has shown it to its user.",
                fields=(_HEADER, _LOG, _EXPECTED),
                errors=_CONFLICT,
            )
        },
    ),
    Route(
        "store/sessions/{id}/revision",
        {
            "GET": _of_records(
                "showRevision",
                "read",
                records.revision,
                "Say at which revision a log is",
                {200: "Revision"},
                errors=(409,),
            )
        },
    ),
    Route("store/sessions/{id}/trash", {"POST": _moves("trashLog", records.trash, "Take a session out of the list")}),
    Route("store/sessions/{id}/restore", {"POST": _moves("restoreLog", records.restore, "Put a trashed session back")}),
    Route(
        "store/sessions/{id}/purge",
        {"POST": _moves("purgeLog", records.purge, "Delete a trashed session for good", "Nothing brings it back.")},
    ),
    Route(
        "store/sessions/{id}/quarantine",
        {
            "POST": _of_records(
                "quarantineLog",
                "write",
                records.quarantine,
                "Set a session aside that cannot be used, its bytes kept",
                {200: "Place"},
                fields=(),
                errors=(409, 507),
            )
        },
    ),
    Route(
        "store/sessions/{id}/lease",
        {
            "POST": _of_records(
                "takeLease",
                "execute",
                records.lease,
                "Take the right to add to a session",
                {200: "Lease"},
                "It ends with `release`, with silence for `lifetime_s`, with the server, or when somebody takes it over.",
                fields=(
                    Value("owner", shapes.OWNER, "Named to whoever asks next.", is_required=True),
                    Value("take_over", {"type": "boolean", "default": False}, "Take it from whoever has it."),
                ),
                errors=(409, 507),
            )
        },
    ),
    Route(
        "store/sessions/{id}/heartbeat",
        {
            "POST": _of_records(
                "beat",
                "execute",
                records.beat,
                "Say that the holder of a lease is still there",
                {200: "LeaseState"},
                "`taken`: somebody else took it over. `gone`: the server knows nothing of it, as after a restart.",
                fields=(),
                errors=(409,),
                takes_lease=True,
            )
        },
    ),
    Route(
        "store/sessions/{id}/release",
        {
            "POST": _of_records(
                "releaseLease",
                "execute",
                records.release,
                "Give a lease up",
                {204: None},
                "Harmless where it is gone already.",
                fields=(),
                errors=(409,),
                takes_lease=True,
            )
        },
    ),
    Route(
        "store/find",
        {
            "POST": _of_records(
                "findLogs",
                "read",
                records.find,
                "Find sessions, a page at a time",
                {200: "LogPage"},
                "By POST, as what is searched for stands in no address.",
                fields=(
                    Value("query", shapes.QUERY, "", is_required=True),
                    Value("by_rank", {"type": "boolean", "default": False}, "Best match first, in one page."),
                    Value("limit", {"type": "integer", "minimum": 0, "maximum": 10**9, "default": 50}, "Of one page."),
                    Value("cursor", {"type": "string", "maxLength": 64}, "`next_cursor` of the page before."),
                ),
                errors=(409,),
            )
        },
    ),
    Route(
        "store/named",
        {
            "POST": _of_records(
                "findNamed",
                "read",
                records.named,
                "Find sessions whose id or title begins with a text",
                {200: "Named"},
                fields=(
                    Value("start", {"type": "string"}, "", is_required=True),
                    Value("limit", {"type": "integer", "minimum": 0, "maximum": 10**9, "default": 50}, ""),
                ),
                errors=(409,),
            )
        },
    ),
    Route(
        "store/state",
        {
            "GET": _of_records(
                "showState",
                "read",
                records.state,
                "Say how many sessions are stored, with a text that differs after each change",
                {200: "StoreState"},
                errors=(409,),
            )
        },
    ),
    Route(
        "store/trash",
        {
            "GET": _of_records(
                "listTrash",
                "read",
                records.trashed,
                "List what is in the trash, and since when",
                {200: "Trash"},
                errors=(409,),
            )
        },
    ),
    Route(
        "store/owners",
        {
            "GET": _of_records(
                "listOwners", "read", records.owners, "Say who has which session open", {200: "Owners"}, errors=(409,)
            )
        },
    ),
    Route(
        "store/limits/acquire",
        {
            "POST": _of_records(
                "acquire",
                "execute",
                records.acquire,
                "Count a call against windows, or against none when one is full",
                {200: "Verdict"},
                fields=(_KEYS,),
                errors=(409, 507),
            )
        },
    ),
    Route(
        "store/limits/check",
        {
            "POST": _of_records(
                "check",
                "read",
                records.check,
                "Say what `acquire` would say now, and count nothing",
                {200: "Verdict"},
                fields=(_KEYS,),
                errors=(409,),
            )
        },
    ),
)
