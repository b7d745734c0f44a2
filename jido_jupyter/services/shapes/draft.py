"""A message as somebody else's library says it, before it gets an id and a time of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jido_jupyter.core.messages import Message, Origin, Part, Role, Status, Usage

Item = Mapping[str, Any]

RECORDED: Final = "recorded"  # the member of a message's ``ext`` that says where it comes from


@dataclass(frozen=True, slots=True)
class Draft:
    """What will be a message.

    ``members`` are those of the item that are neither its role nor its content, kept so that it can be written again.
    """

    role: Role
    parts: tuple[Part, ...]
    members: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    usage: Usage | None = None
    status: Status = "complete"
    error: str | None = None
    ext: Mapping[str, Any] = field(default_factory=dict)

    def as_message(self, message_id: str, created_at: str, origin: Origin | None = None) -> Message:
        return Message(
            message_id,
            self.role,
            self.parts,
            created_at,
            self.status,
            self.error,
            self.model,
            origin,
            self.usage,
            self.ext,
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to write messages down.

    ``read`` takes an item that ``fits`` and never loses anything that ``write`` could not bring back without the item
    being kept beside: see `jido_jupyter.services.shapes.read`.
    """

    name: str
    fits: Callable[[Item], bool]
    read: Callable[[Item, str], list[Draft]]  # the path names the item in errors
    write: Callable[[Role, Sequence[Part], Mapping[str, Any]], list[dict[str, Any]]]
