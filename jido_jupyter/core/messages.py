"""A message of a session: who said it, its parts, where and how it ended.

``role`` and ``parts`` follow the OpenTelemetry GenAI conventions (``text``, ``reasoning``, ``tool_call``,
``tool_call_response``, ``file``, ``blob``); a part of an unknown type is kept as it is.
Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/ (gen-ai-input-messages.json).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from jido_jupyter.errors import InvalidField

Part = Mapping[str, Any]
Role = Literal["system", "user", "assistant", "tool"]
Status = Literal["complete", "interrupted", "failed", "truncated"]

ROLES: Final = ("system", "user", "assistant", "tool")
STATUSES: Final = ("complete", "interrupted", "failed", "truncated")

# What each part type must carry to be shown and sent to a model again; other members are free.
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "text": ("content",),
    "reasoning": ("content",),
    "tool_call": ("id", "name"),
    "tool_call_response": ("id", "response"),
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


@dataclass(frozen=True, slots=True)
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
        "parts": [dict(part) for part in message.parts],
        "created_at": message.created_at,
    }
    if message.status != "complete":
        wire["status"] = message.status
    for name in ("error", "model"):
        if (value := getattr(message, name)) is not None:
            wire[name] = value
    if message.origin is not None:
        wire["origin"] = _set_fields(message.origin)
    if message.usage is not None:
        wire["usage"] = _set_fields(message.usage)
    return {**message.ext, **wire}


def from_wire(wire: object, path: str = "message") -> Message:
    """Return the message that a JSON object describes.

    Args:
        wire: the parsed JSON value.
        path: how an error names it, as in ``messages[3]``.

    Raises:
        InvalidField: a member is missing or has the wrong shape.
    """
    if not isinstance(wire, Mapping):
        raise InvalidField(path, "a message is a JSON object")
    rest = dict(wire)
    role = _one_of(rest.pop("role", None), ROLES, f"{path}.role")
    status = _one_of(rest.pop("status", "complete"), STATUSES, f"{path}.status")
    return Message(
        id=_text(rest.pop("id", None), f"{path}.id"),
        role=cast(Role, role),
        parts=parts_from_wire(rest.pop("parts", None), f"{path}.parts"),
        created_at=_text(rest.pop("created_at", None), f"{path}.created_at"),
        status=cast(Status, status),
        error=_optional_text(rest.pop("error", None), f"{path}.error"),
        model=_optional_text(rest.pop("model", None), f"{path}.model"),
        origin=_origin(rest.pop("origin", None), f"{path}.origin"),
        usage=_usage(rest.pop("usage", None), f"{path}.usage"),
        ext=rest,
    )


def parts_from_wire(wire: object, path: str = "parts") -> tuple[Part, ...]:
    """Return the parts of a message after checking what showing them relies on.

    Raises:
        InvalidField: not a list of objects, no ``type``, or a known type without its members.
    """
    if not isinstance(wire, Sequence) or isinstance(wire, str | bytes):
        raise InvalidField(path, "the parts are a JSON array")
    for number, part in enumerate(wire):
        here = f"{path}[{number}]"
        if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
            raise InvalidField(here, "a part is a JSON object with a 'type'")
        for name in _REQUIRED.get(part["type"], ()):
            if name not in part:
                raise InvalidField(f"{here}.{name}", f"a part of type {part['type']!r} needs it")
        if part["type"] in ("text", "reasoning") and not isinstance(part["content"], str):
            raise InvalidField(f"{here}.content", "must be text")
    return tuple(wire)


def _set_fields(value: Origin | Usage) -> dict[str, Any]:
    return {name: found for name in value.__slots__ if (found := getattr(value, name)) is not None}


def _origin(wire: object, path: str) -> Origin | None:
    if wire is None:
        return None
    if not isinstance(wire, Mapping):
        raise InvalidField(path, "must be a JSON object")
    return Origin(
        notebook=_optional_text(wire.get("notebook"), f"{path}.notebook"),
        cell_id=_optional_text(wire.get("cell_id"), f"{path}.cell_id"),
        execution_count=_optional_count(wire.get("execution_count"), f"{path}.execution_count"),
    )


def _usage(wire: object, path: str) -> Usage | None:
    if wire is None:
        return None
    if not isinstance(wire, Mapping):
        raise InvalidField(path, "must be a JSON object")
    return Usage(
        input_tokens=_optional_count(wire.get("input_tokens"), f"{path}.input_tokens"),
        output_tokens=_optional_count(wire.get("output_tokens"), f"{path}.output_tokens"),
    )


def _one_of(value: object, allowed: Sequence[str], path: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise InvalidField(path, f"must be one of {', '.join(allowed)}")
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidField(path, "must be text that is not empty")
    return value


def _optional_text(value: object, path: str) -> str | None:
    return None if value is None else _text(value, path)


def _optional_count(value: object, path: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidField(path, "must be a whole number of at least 0")
    return value
