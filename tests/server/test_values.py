"""What parameters and members are refused, and that the sentence says which and why."""

from __future__ import annotations

from typing import Any

import pytest

from jido_jupyter.errors import InvalidField
from jido_jupyter.server.values import Value, check, from_body, from_query

LIMIT = Value("limit", {"type": "integer", "minimum": 1, "maximum": 9, "default": 5}, "")
WANTED = Value("q", {"type": "string"}, "", is_required=True)


def test_a_query_is_read_by_its_types() -> None:
    """Absent parameters have their default; JupyterLab's number against caches is passed over."""
    yes = Value("yes", {"type": "boolean"}, "")

    assert from_query([LIMIT, WANTED, yes], {"q": "1", "yes": "true", "17637": ""}) == {
        "limit": 5,
        "q": "1",
        "yes": True,
    }


@pytest.mark.parametrize("text", ["0", "10", "x", "", "1.0", "٣", "1" * 30])
def test_a_wrong_number_is_named(text: str) -> None:
    """Nothing is taken for another number."""
    with pytest.raises(InvalidField, match="limit"):
        from_query([LIMIT], {"limit": text})


def test_what_is_missing_is_named() -> None:
    """In a query and in a body."""
    for read in (from_query, from_body):
        with pytest.raises(InvalidField, match="q: is missing"):
            read([WANTED], {})


def test_an_unknown_member_is_refused() -> None:
    """A misspelt one does not go unnoticed; what is known is said."""
    with pytest.raises(InvalidField, match="titel: is not known here; q is"):
        from_body([WANTED], {"q": "x", "titel": "y"})


@pytest.mark.parametrize(
    ("value", "schema", "path"),
    [
        (1, {"type": "string"}, "x"),
        (True, {"type": "integer"}, "x"),
        (None, {"type": "object"}, "x"),
        ("c", {"enum": ["a", "b"]}, "x"),
        ("", {"minLength": 1}, "x"),
        ("aaa", {"maxLength": 2}, "x"),
        ("a", {"pattern": "^[0-9]$"}, "x"),
        ([], {"minItems": 1}, "x"),
        ([1, 2], {"maxItems": 1}, "x"),
        (["a", 1], {"items": {"type": "string"}}, "x[1]"),
        ({}, {"required": ["a"]}, "x.a"),
        ({"a": 1}, {"properties": {"a": {"type": "string"}}}, "x.a"),
        ({"b": 1}, {"properties": {"a": {}}, "additionalProperties": False}, "x.b"),
        (11, {"maximum": 10}, "x"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(value: Any, schema: dict[str, Any], path: str) -> None:
    """The path leads to the member, the reason says what it must be."""
    with pytest.raises(InvalidField) as refusal:
        check(value, schema, "x")

    assert refusal.value.path == path
