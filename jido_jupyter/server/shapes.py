"""The JSON objects of the REST door, as JSON Schema: what the document names, and what bodies are checked by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jido_jupyter.core.messages import ROLES, STATUSES
from jido_jupyter.core.records import FORMAT

Schema = Mapping[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 2**53}
_YES: Final[Schema] = {"type": "boolean"}
_TIME: Final[Schema] = {
    "type": "string",
    "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$",
    "description": "must be a time as in 2026-11-22T09:05:00.000Z",
}
TITLE: Final[Schema] = {
    "type": "string",
    "pattern": r"[^\s\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]",
    "description": "a title needs at least one visible character",
}


def _object(required: str, **properties: Schema) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties}
    return found | ({"required": required.split()} if required else {})


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_PARTS: Final[Schema] = _array(
    {
        "anyOf": [
            _object("type content", type={"enum": ["text", "reasoning"]}, content=_TEXT),
            _object("type id name", type={"const": "tool_call"}, id=_TEXT),
            _object("type id response", type={"const": "tool_call_response"}, id=_TEXT),
            _object(
                "type",
                type={"type": "string", "not": {"enum": ["text", "reasoning", "tool_call", "tool_call_response"]}},
            ),
        ]
    }
)
_MESSAGE: Final[Mapping[str, Schema]] = {
    "id": {"type": "string", "minLength": 1},
    "role": {"type": "string", "enum": list(ROLES)},
    "created_at": _TIME,
    "status": {"type": "string", "enum": list(STATUSES)},
    "error": {"type": "string", "minLength": 1},
    "model": {"type": "string", "minLength": 1},
    "origin": {"type": "object", "description": "`notebook`, `cell_id` and `execution_count`."},
    "usage": {"type": "object", "description": "`input_tokens` and `output_tokens`, whole numbers."},
}
SAID: Final[Schema] = {
    "type": "array",
    "minItems": 1,
    "items": {
        **_object("role", **_MESSAGE, text=_TEXT, parts=_PARTS),
        "oneOf": [{"required": ["text"]}, {"required": ["parts"]}],
        "description": "`text` stands for one text part. Members that are not named here are kept as they are.",
    },
}
_OWNER: Final = _object("kind host pid", kind=_TEXT, host=_TEXT, pid=_COUNT, notebook=_or_null(_TEXT))
_SUMMARY: Final = _object(
    "id title created_at updated_at message_count state owner tags pinned archived notebook model preview problems revision",
    id=_TEXT,
    title=_TEXT,
    created_at=_TEXT,
    updated_at=_TEXT,
    message_count=_COUNT,
    state={"enum": ["open", "closed", "damaged"]},
    owner=_or_null(ref("Owner")),
    tags=_array(_TEXT),
    pinned=_YES,
    archived=_YES,
    notebook=_or_null(_TEXT),
    model=_or_null(_TEXT),
    preview=_TEXT,
    problems=_array(_TEXT),
    revision=_TEXT,
)
_HEAD: Final = {
    "allOf": [
        ref("Summary"),
        _object(
            "todos usage seal redacted",
            todos=_array({"type": "object"}),
            usage=_object(
                "input_tokens output_tokens unknown", input_tokens=_COUNT, output_tokens=_COUNT, unknown=_COUNT
            ),
            seal={
                "enum": ["verified", "repaired", "altered", "foreign"],
                "description": "What its seals prove; the last two are resumed only with `trust`.",
            },
            redacted=_COUNT,
        ),
    ]
}
_LEFT: Final = _object(
    "limit window_s remaining reset_s",
    limit=_COUNT,
    window_s={"type": "number"},
    remaining=_COUNT,
    reset_s={"type": "number"},
)
_ROOM: Final = _object("count limit", count=_COUNT, limit=_COUNT)
_ENTRIES: Final = _array(_object("session reason", session=ref("Summary"), reason=_TEXT))

# --- of clients whose services run elsewhere

_SEAL: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
REVISION: Final = _object("n seal", n=_COUNT, seal=_SEAL)
RECORD: Final[Schema] = {
    **_object("t", t={"type": "string", "minLength": 1, "maxLength": 64}),
    "description": "See the file format; members that nobody knows are kept.",
}
LOG: Final[Schema] = _array(RECORD)
HEADER: Final[Schema] = _object(
    "t v id created_at",
    t={"type": "string", "enum": ["header"]},
    v={"type": "integer", "enum": [FORMAT]},
    id={"type": "string", "maxLength": 64},
    created_at={"type": "string", "maxLength": 64},
)
_PHRASE: Final[Schema] = {"type": "array", "minItems": 1, "items": _TEXT}
_DAY: Final[Schema] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
QUERY: Final[Schema] = {
    **_object(
        "",
        phrases={**_array(_PHRASE), "description": "Words that stand one after the other, folded."},
        is_open_ended={**_array(_YES), "description": "Of each phrase: its last word is the beginning of one."},
        tags=_array(_TEXT),
        notebook=_TEXT,
        model=_TEXT,
        after=_DAY,
        before=_DAY,
        is_open=_YES,
        is_archived=_YES,
        is_pinned=_YES,
        is_trashed=_YES,
    ),
    "additionalProperties": False,
    "description": "All of it must hold.",
}
OWNER: Final[Schema] = {
    **_object(
        "kind host pid",
        kind={"type": "string", "minLength": 1, "maxLength": 64},
        host={"type": "string", "maxLength": 255},
        pid=_COUNT,
        notebook={"type": "string", "maxLength": 4096},
    ),
    "additionalProperties": False,
}
_WHOLE_SUMMARY: Final = _object(
    "id title created_at updated_at message_count revision owner",
    id=_TEXT,
    title=_TEXT,
    created_at=_TEXT,
    updated_at=_TEXT,
    message_count=_COUNT,
    revision=_TEXT,
    owner=_or_null(ref("Owner")),
)

SHAPES: Final[Mapping[str, Schema]] = {
    "Owner": _OWNER,
    "Summary": _SUMMARY,
    "SessionHead": _HEAD,
    "Message": _object(
        "id role parts created_at", **{**_MESSAGE, "created_at": _TEXT}, parts=_array({"type": "object"})
    ),
    "Session": {"allOf": [ref("SessionHead"), _object("", messages=_array(ref("Message")))]},
    "SessionPage": _object(
        "sessions next_cursor count", sessions=_array(ref("Summary")), next_cursor=_or_null(_TEXT), count=_COUNT
    ),
    "FoundPage": _object(
        "hits next_cursor count",
        hits=_array(_object("session snippet", session=ref("Summary"), snippet=_TEXT)),
        next_cursor=_or_null(_TEXT),
        count=_COUNT,
    ),
    "MessagePage": _object("messages start total", messages=_array(ref("Message")), start=_COUNT, total=_COUNT),
    "Added": _object("session messages", session=ref("Summary"), messages=_array(ref("Message"))),
    "Lease": _object("token lifetime_s", token=_TEXT, lifetime_s={"type": "number"}),
    "Resumed": _object(
        "session briefing lease", session=ref("Session"), briefing={"type": "object"}, lease=ref("Lease")
    ),
    "Brought": _object(
        "sessions failed",
        sessions=_array(
            _object(
                "id title message_count is_new is_trashed notes",
                id=_TEXT,
                title=_TEXT,
                message_count=_COUNT,
                is_new=_YES,
                is_trashed=_YES,
                notes=_array(_TEXT),
            )
        ),
        failed=_array(ref("Problem")),
    ),
    "CleanupReport": _object(
        "is_preview removed skipped failed", is_preview=_YES, removed=_ENTRIES, skipped=_ENTRIES, failed=_ENTRIES
    ),
    "Limits": _object(
        "stored open session_bytes operations session",
        stored=_ROOM,
        open=_ROOM,
        session_bytes=_COUNT,
        operations={"type": "object", "additionalProperties": _LEFT},
        session=_or_null(_object("id resume", id=_TEXT, resume=_LEFT)),
    ),
    "Health": _object("status version sessions", status={"const": "ok"}, version=_TEXT, sessions=_COUNT),
    "Document": _object("openapi info paths", openapi=_TEXT, info={"type": "object"}, paths={"type": "object"}),
    "Store": _object(
        "format version settings",
        format=_COUNT,
        version=_TEXT,
        settings={"type": "object", "description": "Limits that hold for this store, as in `jido.toml`."},
    ),
    "Revision": REVISION,
    "Log": _object(
        "header records revision damage",
        header=HEADER,
        records=LOG,
        revision=REVISION,
        damage=_array(_object("kind line message", kind=_TEXT, line=_COUNT, message=_TEXT)),
    ),
    "LogPage": _object(
        "hits next_cursor",
        hits=_array(_object("summary snippet", summary=_WHOLE_SUMMARY, snippet=_TEXT)),
        next_cursor=_or_null(_TEXT),
    ),
    "Named": _object("summaries", summaries=_array(_WHOLE_SUMMARY)),
    "StoreState": _object("changes count", changes=_TEXT, count=_COUNT),
    "Trash": _object("sessions", sessions=_array(_object("id trashed_at", id=_TEXT, trashed_at={"type": "number"}))),
    "Owners": _object("owners", owners={"type": "object", "additionalProperties": ref("Owner")}),
    "Place": _object("place", place=_TEXT),
    "LeaseState": _object("state", state={"enum": ["held", "taken", "gone"]}),
    "Verdict": _object(
        "admitted refused",
        admitted=_or_null(_object("remaining reset_s", remaining=_COUNT, reset_s={"type": "number"})),
        refused=_or_null(
            _object(
                "key limit seconds retry_after_s is_closed",
                key=_TEXT,
                limit=_COUNT,
                seconds={"type": "number"},
                retry_after_s={"type": "number"},
                is_closed=_YES,
            )
        ),
    ),
    "Problem": _object(
        "type title status detail code",
        type={"type": "string", "format": "uri"},
        title=_TEXT,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=_TEXT,
        code=_TEXT,
    ),
}
