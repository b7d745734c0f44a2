"""The list that the assistant keeps."""

from __future__ import annotations

from typing import Any

import pytest

from jido_jupyter.notebook.tools import todos
from tests.support.scripted import make_session, used


def test_the_list_is_replaced_stored_and_read() -> None:
    """What the assistant writes is the session's list at once."""
    session = make_session()
    before = session.live.revision

    told = used(
        todos.tool(session), items=[{"text": "load\nit", "status": "done"}, {"text": "plot", "status": "doing"}]
    )

    assert told.response == "done: load it\ndoing: plot"
    assert session.todos == ({"text": "load it", "status": "done"}, {"text": "plot", "status": "doing"})
    assert session.live.revision != before
    assert used(todos.tool(session)).response == told.response


def test_an_empty_list_is_said() -> None:
    """Before anything was written, and after it was cleared."""
    session = make_session()

    assert used(todos.tool(session)).response == "The list is empty."
    assert used(todos.tool(session), items=[]).response == "The list is empty."


@pytest.mark.parametrize(
    "items",
    [
        None,
        "plot",
        [{"text": "plot"}],
        [{"text": "", "status": "open"}],
        [{"text": "x", "status": "later"}],
        ["plot"],
        [{"text": 5, "status": "open"}],
        [{"text": "x", "status": "open"}] * 51,
        [{"text": "x", "status": ["open"]}],
    ],
)
def test_wrong_lists_change_nothing(items: Any) -> None:
    """A model is told what a todo is; the list stays."""
    session = make_session()
    used(todos.tool(session), items=[{"text": "kept", "status": "open"}])

    told = used(todos.tool(session), items=items)

    assert told.outcome == "failed"
    assert [todo["text"] for todo in session.todos] == ["kept"]
