"""What a query parameter or the member of a body may be: said once, as JSON Schema, for the check and for the document.

Only the words of JSON Schema that `check` knows are checked here; what else a schema says is for readers, and is checked by
the services.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jido_jupyter.errors import InvalidField

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, tuple[type, str]]] = {
    "string": (str, "text"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "array": (list, "an array"),
    "object": (dict, "a JSON object"),
}
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_TRUTHS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter of a query, or a member of a body."""

    name: str
    schema: Schema
    help: str
    is_required: bool = False


def from_query(values: Sequence[Value], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of a query, by name; absent ones have their default. Names that nobody knows are passed over.

    Raises:
        InvalidField
    """
    found: dict[str, Any] = {}
    for value in values:
        if value.name in given:
            found[value.name] = _read(given[value.name], value)
        elif value.is_required:
            raise InvalidField(value.name, f"is missing; write ?{value.name}=... at the end of the address")
        else:
            found[value.name] = value.schema.get("default")
    return found


def from_body(values: Sequence[Value], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a body, checked; absent ones have their default, or are left out without one.

    Raises:
        InvalidField: one has the wrong shape, is missing, or nobody knows it.
    """
    known = {value.name: value for value in values}
    for name in given:
        if name not in known:
            raise InvalidField(name, f"is not known here; {', '.join(known) or 'nothing'} is")
    found: dict[str, Any] = {}
    for value in values:
        if value.name in given:
            item = given[value.name]
            is_whole = value.schema.get("type") == "integer" and isinstance(item, float) and item.is_integer()
            found[value.name] = int(item) if is_whole else item  # 3.0 is a whole number in JSON
            check(found[value.name], value.schema, value.name)
        elif value.is_required:
            raise InvalidField(value.name, "is missing")
        elif "default" in value.schema:
            found[value.name] = value.schema["default"]
    return found


def check(value: object, schema: Schema, path: str) -> None:
    """Refuse a value that its schema does not allow.

    Raises:
        InvalidField
    """
    if (kind := schema.get("type")) is not None:
        python_type, name = _TYPES[kind]
        if not isinstance(value, python_type) or (kind == "integer" and isinstance(value, bool)):
            raise InvalidField(path, f"must be {name}")
    if "enum" in schema and value not in schema["enum"]:
        raise InvalidField(path, f"must be one of {', '.join(map(str, schema['enum']))}")
    if isinstance(value, str):
        _check_text(value, schema, path)
    elif isinstance(value, list):
        _check_items(value, schema, path)
    elif isinstance(value, dict):
        _check_members(value, schema, path)
    elif isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise InvalidField(path, f"must lie between {schema.get('minimum', '-∞')} and {schema.get('maximum', '∞')}")


def _check_text(value: str, schema: Schema, path: str) -> None:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        raise InvalidField(path, f"must have {schema.get('minLength', 0)} to {schema.get('maxLength', '∞')} characters")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise InvalidField(path, str(schema.get("description", f"must be like {schema['pattern']}")))


def _check_items(value: list[Any], schema: Schema, path: str) -> None:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        raise InvalidField(path, f"must have {schema.get('minItems', 0)} to {schema.get('maxItems', '∞')} items")
    if "items" in schema:
        for number, item in enumerate(value):
            check(item, schema["items"], f"{path}[{number}]")


def _check_members(value: dict[str, Any], schema: Schema, path: str) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            raise InvalidField(f"{path}.{name}", "is missing")
    members = schema.get("properties", {})
    for name, member in members.items():
        if name in value:
            check(value[name], member, f"{path}.{name}")
    if schema.get("additionalProperties") is False:
        for name in value:
            if name not in members:
                raise InvalidField(f"{path}.{name}", f"is not known here; {', '.join(members)} are")


def _read(text: str, value: Value) -> Any:
    kind = value.schema.get("type")
    read: Any = text
    if kind == "integer":
        read = int(text) if _WHOLE.fullmatch(text) else text
    elif kind == "boolean":
        read = _TRUTHS.get(text, text)
    check(read, value.schema, value.name)
    return read
