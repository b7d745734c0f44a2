"""Messages with a role and parts, as ours and those of the OpenTelemetry GenAI conventions are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jido_jupyter.core import messages as wire
from jido_jupyter.core.messages import Part, Role
from jido_jupyter.services.shapes.draft import Draft, Item, Shape


def fits(item: Item) -> bool:
    return "role" in item and isinstance(item.get("parts"), list)


def read(item: Item, path: str) -> list[Draft]:
    """Return the message; its id and time stay where it comes from.

    Raises:
        InvalidField: it is no message by the rules of `jido_jupyter.core.messages`.
    """
    found = wire.from_wire({**item, "id": "read", "created_at": item.get("created_at") or "read"}, path)
    return [
        Draft(
            found.role,
            found.parts,
            {name: item[name] for name in ("id", "created_at") if name in item},
            model=found.model,
            usage=found.usage,
            status=found.status,
            error=found.error,
            ext=found.ext,
        )
    ]


def write(role: Role, parts: Sequence[Part], members: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "parts": [dict(part) for part in parts]}]


SHAPE: Final = Shape("own", fits, read, write)
