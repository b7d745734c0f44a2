"""A message of a session: who said it, its parts, where and how it ended.

``role`` and ``parts`` follow the OpenTelemetry GenAI conventions (``text``, ``reasoning``, ``tool_call``,
``tool_call_response``, ``file``, ``blob``); a part of an unknown type is kept as it is.
Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/ (gen-ai-input-messages.json).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from jido_jupyter.errors import InvalidField

Part = Mapping[str, Any]
Role = Literal["system", "user", "assistant", "tool"]
Status = Literal["complete", "interrupted", "failed", "truncated"]

ROLES: Final = ("system", "user", "assistant", "tool")
STATUSES: Final = ("complete", "interrupted", "failed", "truncated")

_MEMBERS: Final = frozenset(("id", "role", "parts", "created_at", "status", "error", "model", "origin", "usage"))

# What each part type must carry to be shown and sent to a model again; other members are free.
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "text": ("content",),
    "reasoning": ("content",),
    "tool_call": ("id", "name"),
    "tool_call_response": ("id", "response"),
}
# And which of them must be text.
_TEXTS_OF: Final[dict[str, tuple[str, ...]]] = {
    "text": ("content",),
    "reasoning": ("content",),
    "tool_call": ("id", "name"),
    "tool_call_response": ("id",),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The notebook cell in which a message was made."""

    notebook: str | None = None  # path as the server names it
    cell_id: str | None = None
    execution_count: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; None where the server did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None


# Not frozen, though nothing changes one: a frozen one takes five times as long to make, and a load makes thousands.
@dataclass(slots=True)
class Message:
    id: str
    role: Role
    parts: tuple[Part, ...]
    created_at: str  # RFC 3339, UTC, milliseconds
    status: Status = "complete"
    error: str | None = None  # for a failed answer: one sentence for the user
    model: str | None = None  # "provider:name" that was asked
    origin: Origin | None = None
    usage: Usage | None = None
    ext: Mapping[str, Any] = field(default_factory=dict)  # members this version does not know, verbatim

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part["content"] for part in self.parts if part.get("type") == "text")


def text_part(content: str) -> Part:
    return {"type": "text", "content": content}


def to_wire(message: Message) -> dict[str, Any]:
    """Return ``message`` as a JSON object; members at their default are left out."""
    wire: dict[str, Any] = {
        "id": message.id,
        "role": message.role,
        "parts": [part if type(part) is dict else dict(part) for part in message.parts],
        "created_at": message.created_at,
    }
    if message.status != "complete":
        wire["status"] = message.status
    if message.error is not None:
        wire["error"] = message.error
    if message.model is not None:
        wire["model"] = message.model
    if message.origin is not None:
        wire["origin"] = _set_fields(message.origin)
    if message.usage is not None:
        wire["usage"] = _set_fields(message.usage)
    return {**message.ext, **wire} if message.ext else wire


def check_numbers(message: Message) -> None:
    """Refuse numbers that JSON has not; a store would write null for them without a word.

    Only values that were made here can hold them: what comes in as JSON was checked as it was parsed.

    Raises:
        InvalidField: NaN or an infinity.
    """
    values: list[Any] = [*message.parts, message.ext]
    for value in values:  # grows as it goes
        if isinstance(value, Mapping):
            values += value.values()
        elif isinstance(value, list | tuple):
            values += value
        elif isinstance(value, float) and not math.isfinite(value):
            raise InvalidField("message", f"holds {value}, which JSON has no number for; store it as a text")


def from_wire(wire: object, path: str = "message") -> Message:
    """Return the message that a JSON object describes.

    Args:
        wire: the parsed JSON value.
        path: how an error names it, as in ``messages[3]``.

    Raises:
        InvalidField: a member is missing or has the wrong shape.
    """
    # This runs for each message of each load: the common case is told by few and cheap looks, and calls next to nothing.
    if not isinstance(wire, dict):
        if not isinstance(wire, Mapping):
            raise InvalidField(path, "a message is a JSON object")
        wire = dict(wire)
    get = wire.get
    status, error, model = get("status", "complete"), get("error"), get("model")
    origin, usage = get("origin"), get("usage")
    return Message(
        _text(get("id"), path, "id"),
        cast(Role, _one_of(get("role"), ROLES, path, "role")),
        parts_from_wire(get("parts"), path),
        _text(get("created_at"), path, "created_at"),
        "complete" if status == "complete" else cast(Status, _one_of(status, STATUSES, path, "status")),
        None if error is None else _text(error, path, "error"),
        None if model is None else _text(model, path, "model"),
        None if origin is None else _origin(origin, path),
        None if usage is None else _usage(usage, path),
        {} if wire.keys() <= _MEMBERS else {name: value for name, value in wire.items() if name not in _MEMBERS},
    )


def parts_from_wire(wire: object, path: str = "message") -> tuple[Part, ...]:
    """Return the parts of a message after checking what showing them relies on.

    Raises:
        InvalidField: not a list of objects, no ``type``, or a known type without its members.
    """
    if not isinstance(wire, list | tuple):
        raise InvalidField(f"{path}.parts", "the parts are a JSON array")
    for number, part in enumerate(wire):
        if type(part) is dict and part.get("type") == "text" and type(part.get("content")) is str:
            continue  # most are so
        if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
            raise InvalidField(f"{path}.parts[{number}]", "a part is a JSON object with a 'type'")
        for name in _REQUIRED.get(part["type"], ()):
            if name not in part:
                here = f"{path}.parts[{number}].{name}"
                raise InvalidField(here, f"a part of type {part['type']!r} needs it")
        for name in _TEXTS_OF.get(part["type"], ()):
            if not isinstance(part[name], str):
                raise InvalidField(f"{path}.parts[{number}].{name}", "must be text")
    return tuple(wire)


def _set_fields(value: Origin | Usage) -> dict[str, Any]:
    return {name: found for name in value.__slots__ if (found := getattr(value, name)) is not None}


def _origin(wire: object, path: str) -> Origin:
    path = f"{path}.origin"
    if not isinstance(wire, Mapping):
        raise InvalidField(path, "must be a JSON object")
    return Origin(
        _optional_text(wire.get("notebook"), path, "notebook"),
        _optional_text(wire.get("cell_id"), path, "cell_id"),
        _optional_count(wire.get("execution_count"), path, "execution_count"),
    )


def _usage(wire: object, path: str) -> Usage:
    path = f"{path}.usage"
    if not isinstance(wire, Mapping):
        raise InvalidField(path, "must be a JSON object")
    return Usage(
        _optional_count(wire.get("input_tokens"), path, "input_tokens"),
        _optional_count(wire.get("output_tokens"), path, "output_tokens"),
    )


# The path of a member is put together only for an error: these run for each member of each message of each load.


def _one_of(value: object, allowed: Sequence[str], path: str, name: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise InvalidField(f"{path}.{name}", f"must be one of {', '.join(allowed)}")
    return value


def _text(value: object, path: str, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidField(f"{path}.{name}", "must be text that is not empty")
    return value


def _optional_text(value: object, path: str, name: str) -> str | None:
    return None if value is None else _text(value, path, name)


def _optional_count(value: object, path: str, name: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidField(f"{path}.{name}", "must be a whole number of at least 0")
    return value
