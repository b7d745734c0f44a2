"""Messages and their JSON: what is left out, what is kept, what is refused by name."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import pytest

from jido_jupyter.core.messages import (
    Message,
    Origin,
    Usage,
    check_numbers,
    from_wire,
    parts_from_wire,
    text_part,
    to_wire,
)
from jido_jupyter.errors import InvalidField

AT = "2026-11-22T09:00:00.000Z"
WIRE: dict[str, Any] = {"id": "m", "role": "user", "parts": [text_part("hello")], "created_at": AT}
FULL: dict[str, Any] = {
    **WIRE,
    "role": "assistant",
    "status": "failed",
    "error": "It broke.",
    "model": "guide:x",
    "origin": {"notebook": "a.ipynb", "cell_id": "c1", "execution_count": 3},
    "usage": {"input_tokens": 0, "output_tokens": 7},
}


def test_a_plain_message_has_four_members() -> None:
    """Members at their default are left out, in a fixed order."""
    wire = to_wire(Message("m", "user", (text_part("hello"),), AT))

    assert wire == WIRE
    assert list(wire) == ["id", "role", "parts", "created_at"]


def test_every_member_has_its_place() -> None:
    """Each JSON member becomes the field of its name, and comes back."""
    said = from_wire(FULL)

    assert said == Message(
        id="m",
        role="assistant",
        parts=(text_part("hello"),),
        created_at=AT,
        status="failed",
        error="It broke.",
        model="guide:x",
        origin=Origin("a.ipynb", "c1", 3),
        usage=Usage(0, 7),
    )
    assert to_wire(said) == FULL


def test_members_of_origin_and_usage_may_be_missing() -> None:
    """None is left out, and what is left out is None."""
    said = from_wire({**WIRE, "origin": {"cell_id": "c"}, "usage": {}})

    assert (said.origin, said.usage) == (Origin(cell_id="c"), Usage())
    assert (to_wire(said)["origin"], to_wire(said)["usage"]) == ({"cell_id": "c"}, {})


def test_members_that_are_null_are_as_good_as_missing() -> None:
    """A writer that says null says nothing."""
    assert from_wire({**WIRE, "error": None, "model": None, "origin": None, "usage": None}) == from_wire(WIRE)


def test_unknown_members_are_kept_and_hide_none_of_ours() -> None:
    """What this version does not know comes back verbatim; a known name in it loses."""
    said = from_wire({**WIRE, "x": {"y": 1}})
    assert said.ext == {"x": {"y": 1}}
    assert to_wire(said) == {**WIRE, "x": {"y": 1}}
    assert from_wire({**FULL, "x": 1}).ext == {"x": 1}
    assert from_wire(WIRE).ext == {}

    assert to_wire(Message("m", "user", (), AT, ext={"id": "other", "x": 1})) == {**WIRE, "parts": [], "x": 1}


def test_any_mapping_is_a_message() -> None:
    """Neither a message nor its parts need to be plain dicts; what is written is plain."""
    part = MappingProxyType({"type": "text", "content": "hello"})

    said = from_wire(MappingProxyType({**WIRE, "parts": (part,)}))

    assert said == from_wire(WIRE)
    assert [type(found) for found in to_wire(said)["parts"]] == [dict]
    assert to_wire(said) == WIRE


def test_the_text_is_that_of_the_text_parts() -> None:
    """Reasoning, calls and unknown parts are not said aloud."""
    parts = [
        text_part("a"),
        {"type": "reasoning", "content": "no"},
        {"type": "hologram", "content": "no"},
        text_part("b"),
    ]

    assert from_wire({**WIRE, "parts": parts}).text == "ab"


@pytest.mark.parametrize("wire", [None, [], "text", 5, [("id", "m")]])
def test_what_is_no_object_is_no_message(wire: object) -> None:
    """The error says where, as the caller names it."""
    with pytest.raises(InvalidField) as refusal:
        from_wire(wire, "messages[3]")

    assert refusal.value.path == "messages[3]"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": None}, "message.id"),
        ({"id": 5}, "message.id"),
        ({"id": ""}, "message.id"),
        ({"role": None}, "message.role"),
        ({"role": ["user"]}, "message.role"),
        ({"role": "pirate"}, "message.role"),
        ({"parts": None}, "message.parts"),
        ({"parts": {}}, "message.parts"),
        ({"parts": [5]}, "message.parts[0]"),
        ({"parts": [text_part(""), {"type": 5}]}, "message.parts[1]"),
        ({"parts": [text_part(""), {"type": "reasoning"}]}, "message.parts[1].content"),
        ({"parts": [{"type": "text"}]}, "message.parts[0].content"),
        ({"parts": [{"type": "text", "content": 5}]}, "message.parts[0].content"),
        ({"parts": [{"type": "reasoning", "content": 5}]}, "message.parts[0].content"),
        ({"parts": [{"type": "tool_call", "id": "a"}]}, "message.parts[0].name"),
        ({"parts": [{"type": "tool_call", "name": "a"}]}, "message.parts[0].id"),
        ({"parts": [{"type": "tool_call", "id": [1], "name": "f"}]}, "message.parts[0].id"),
        ({"parts": [{"type": "tool_call_response", "id": {}, "response": 1}]}, "message.parts[0].id"),
        ({"parts": [{"type": "tool_call_response", "id": "a"}]}, "message.parts[0].response"),
        ({"parts": [{"type": "tool_call_response", "response": "a"}]}, "message.parts[0].id"),
        ({"created_at": None}, "message.created_at"),
        ({"created_at": 5}, "message.created_at"),
        ({"status": None}, "message.status"),
        ({"status": "fine"}, "message.status"),
        ({"error": 5}, "message.error"),
        ({"error": ""}, "message.error"),
        ({"model": 5}, "message.model"),
        ({"origin": []}, "message.origin"),
        ({"origin": {"notebook": 5}}, "message.origin.notebook"),
        ({"origin": {"cell_id": 5}}, "message.origin.cell_id"),
        ({"origin": {"execution_count": "5"}}, "message.origin.execution_count"),
        ({"usage": "much"}, "message.usage"),
        ({"usage": {"input_tokens": -1}}, "message.usage.input_tokens"),
        ({"usage": {"input_tokens": True}}, "message.usage.input_tokens"),
        ({"usage": {"output_tokens": 1.5}}, "message.usage.output_tokens"),
    ],
)
def test_a_wrong_member_is_named(change: dict[str, Any], path: str) -> None:
    """Path and shape of each member are told, so that whoever wrote it can mend it."""
    with pytest.raises(InvalidField) as refusal:
        from_wire({**WIRE, **change})

    assert refusal.value.path == path


def test_what_may_stand_there_is_told() -> None:
    """Whoever writes a wrong role or status learns which ones there are."""
    with pytest.raises(InvalidField, match="system, user, assistant, tool"):
        from_wire({**WIRE, "role": "pirate"})
    with pytest.raises(InvalidField, match="complete, interrupted, failed, truncated"):
        from_wire({**WIRE, "status": "fine"})


@pytest.mark.parametrize("name", ["id", "role", "parts", "created_at"])
def test_a_missing_member_is_named(name: str) -> None:
    """Four members have no default."""
    with pytest.raises(InvalidField) as refusal:
        from_wire({key: value for key, value in WIRE.items() if key != name})

    assert refusal.value.path == f"message.{name}"


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
@pytest.mark.parametrize("status", ["complete", "interrupted", "failed", "truncated"])
def test_roles_and_statuses(role: str, status: str) -> None:
    """These four and these four are what a file may hold."""
    said = from_wire({**WIRE, "role": role, "status": status})

    assert (said.role, said.status) == (role, status)
    assert ("status" in to_wire(said)) == (status != "complete")


def test_parts_that_hold_what_they_must() -> None:
    """Each known type with its members, whatever else stands there, and unknown types without any."""
    parts = [
        {"type": "text", "content": ""},
        {"type": "reasoning", "content": "hm", "x": 1},
        {"type": "tool_call", "id": "a", "name": "n"},
        {"type": "tool_call_response", "id": "a", "response": {"x": [1]}},
        {"type": "hologram"},
    ]

    assert parts_from_wire(parts) == tuple(parts)
    assert parts_from_wire(tuple(parts)) == tuple(parts)
    assert parts_from_wire([]) == ()
    with pytest.raises(InvalidField, match=r"^message\.parts: "):
        parts_from_wire(5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "wrap",
    [lambda x: x, lambda x: [1.5, x], lambda x: (x,), lambda x: {"a": {"b": [[x]]}}, lambda x: [{}, "", None, x]],
)
def test_a_number_that_json_has_not_is_refused(value: float, wrap) -> None:
    """At any depth of a part or of an unknown member: otherwise null would be stored, without a word."""
    part = {"type": "tool_call", "id": "a", "name": "f", "arguments": wrap(value)}

    with pytest.raises(InvalidField) as refusal:
        check_numbers(Message("m", "user", (text_part("x"), part), AT))
    with pytest.raises(InvalidField):
        check_numbers(Message("m", "user", (), AT, ext={"x": wrap(value)}))

    assert refusal.value.path == "message"


def test_numbers_that_json_has_are_let_through() -> None:
    """Beside text and containers, whatever their order."""
    part = {"type": "x", "a": [1.5, (2, "x"), {"b": -0.25}], "c": 1e300, "d": None, "e": True}

    check_numbers(Message("m", "user", (part,), AT, ext={"x": 0.0}))
