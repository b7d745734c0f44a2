"""Records: their members, by name."""

from __future__ import annotations

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Owner

AT = "2026-11-22T09:00:00.000Z"
OWNER = Owner("kernel", "here", 1, "a.ipynb")


def test_each_kind_has_its_members() -> None:
    """What stands in files, name by name: other releases read it."""
    said = Message("m", "user", (text_part("hello"),), AT)
    wire = {"id": "m", "role": "user", "parts": [{"type": "text", "content": "hello"}], "created_at": AT}
    changes = {"title": "x"}

    found = [
        records.header("one", AT),
        records.messages([said, said], AT),
        records.partial("m", "so", AT),
        records.partial("m", "so", AT, "guide:x"),
        records.meta(changes, AT),
        records.rewind("m", AT),
        records.rewind(records.START, AT),
        records.todos([{"text": "a"}], AT),
        records.summary("short", "m", AT),
        records.summary("short", "m", AT, "guide:x"),
        records.context({"x": 1}, AT),
        records.opened(OWNER, AT),
        records.closed(AT),
    ]

    owner = {"kind": "kernel", "host": "here", "pid": 1, "notebook": "a.ipynb"}
    assert found == [
        {"t": "header", "v": 1, "id": "one", "created_at": AT},
        {"t": "messages", "at": AT, "messages": [wire, wire]},
        {"t": "partial", "at": AT, "message": "m", "text": "so"},
        {"t": "partial", "at": AT, "message": "m", "text": "so", "model": "guide:x"},
        {"t": "meta", "at": AT, "set": {"title": "x"}},
        {"t": "rewind", "at": AT, "to": "m"},
        {"t": "rewind", "at": AT, "to": ""},
        {"t": "todos", "at": AT, "todos": [{"text": "a"}]},
        {"t": "summary", "at": AT, "to": "m", "text": "short"},
        {"t": "summary", "at": AT, "to": "m", "text": "short", "model": "guide:x"},
        {"t": "context", "at": AT, "context": {"x": 1}},
        {"t": "open", "at": AT, "owner": owner},
        {"t": "close", "at": AT},
    ]
    assert found[4]["set"] is not changes
    assert {record["t"] for record in found} == set(records.KINDS)


def test_an_owner_may_have_no_notebook() -> None:
    """A command line has none."""
    assert Owner("cli", "here", 1).to_wire() == {"kind": "cli", "host": "here", "pid": 1, "notebook": None}
