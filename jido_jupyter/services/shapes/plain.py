"""Values of any library as JSON values: what can be stored, and read by any other program."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from jido_jupyter.errors import InvalidField
from jido_jupyter.services.parsing import MAX_DEPTH

_INTEGERS: Final = range(-(2**63), 2**64)
_AS_TEXT: Final = (UUID, PurePath, Decimal)
_DUMPS: Final = ("model_dump", "to_dict", "dict")


def plain(value: Any, path: str = "message", depth: int = 0) -> Any:
    """Return ``value`` as a JSON value; objects of pydantic, dataclasses and the like become objects of their fields.

    Raises:
        InvalidField: it nests too deep, or holds something that JSON has no form for; ``path`` says where.
    """
    if depth > MAX_DEPTH:
        raise InvalidField(path, f"nests deeper than {MAX_DEPTH} levels; record it flatter, or as a text")
    if value is None or isinstance(value, str | bool):
        return str(value) if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return plain(value.value, path, depth + 1)
    if isinstance(value, int | float):
        return _number(value, path)
    if isinstance(value, Mapping):
        return {str(name): plain(item, f"{path}.{name}", depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple | AbstractSet):
        return [plain(item, f"{path}[{number}]", depth + 1) for number, item in enumerate(value)]
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    return plain(members_of(value, path), path, depth + 1)


def members_of(value: Any, path: str) -> Mapping[str, Any]:
    """Return the fields of an object.

    Raises:
        InvalidField: it has no form of its own that could be stored.
    """
    if not isinstance(value, type):
        for name in _DUMPS:
            dump = getattr(value, name, None)
            if callable(dump) and isinstance(found := dump(), Mapping):
                return found
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.repr}
    raise InvalidField(
        path,
        f"an object of {type(value).__name__} cannot be stored; expected JSON values, a dataclass, or an object with "
        "model_dump() or to_dict()",
    )


def _number(value: float, path: str) -> float:
    if isinstance(value, int):
        if value not in _INTEGERS:
            raise InvalidField(path, "a whole number of more than 64 bits cannot be stored; record it as a text")
        return int(value)
    if not math.isfinite(value):
        raise InvalidField(path, f"holds {value}, which JSON has no number for; record it as a text")
    return float(value)


def lean(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item without the members that say nothing, as libraries dump them for fields that were not set."""
    return {name: value for name, value in item.items() if value is not None or name == "content"}


def word(value: Any) -> str:
    """Return a type, a role or a reason as it can be looked up; empty where it is no text."""
    return value if isinstance(value, str) else ""
