"""`Session.record`: what any assistant said, durable and found like everything else."""

from __future__ import annotations

import pytest

from jido_jupyter.core.messages import Message, Origin
from jido_jupyter.errors import InvalidField, PayloadTooLarge
from jido_jupyter.services.shapes import to_openai
from tests.adapters.conftest import told

CHAT = [
    {"role": "user", "content": "How many rows?"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "run_cell", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c", "content": "120"},
    {"role": "assistant", "content": "There are 120."},
]  # fmt: skip


def test_a_text_with_a_role(new, stored) -> None:
    """A role and a text give the message that was stored."""
    session = new()

    message = session.record("user", "hello", origin=Origin("a.ipynb", "c1", 3))

    assert isinstance(message, Message)
    assert stored(session.id).messages == (message,)
    assert message.origin == Origin("a.ipynb", "c1", 3)


def test_a_whole_conversation(new, stored, connection) -> None:
    """A list of messages is one durable write; the session is named, listed and found by it."""
    session = new()

    messages = session.record(CHAT)

    state = stored(session.id)
    assert state.messages == messages
    assert told(state) == [("user", "How many rows?"), ("assistant", ""), ("tool", ""), ("assistant", "There are 120.")]
    assert to_openai(state.messages) == CHAT
    assert [summary.title for summary in connection.sessions.list("rows")] == ["How many rows?"]


def test_a_single_message(new) -> None:
    """One message that is no text gives the messages that came of it; none of nothing."""
    session = new()

    assert [message.role for message in session.record(CHAT[0])] == ["user"]
    assert session.record([]) == ()
    assert [message.text for message in new().record(session.messages)] == ["How many rows?"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("hello",), r"needs to say who said it, as in record\('user', 'hello'\)"),
        (("wizard", "x"), "expected one of system, user, assistant, tool, found 'wizard'"),
        (("user", 3), "needs to say who said it"),
        (([CHAT[0], {"x": 1}],), r"said\[1\]: expected a message of OpenAI"),
    ],
)  # fmt: skip
def test_wrong_input(new, stored, arguments, expected) -> None:
    """What is no message is refused, and nothing beside it is added."""
    session = new()

    with pytest.raises(InvalidField, match=expected):
        session.record(*arguments)
    assert stored(session.id).messages == ()


def test_too_much(new, stored) -> None:
    """What does not fit into the session is refused whole."""
    session = new()

    with pytest.raises(PayloadTooLarge):
        session.record([CHAT[0], {"role": "user", "content": "x" * 11 * 2**20}])
    assert stored(session.id).messages == session.messages == ()


def test_what_is_returned_is_what_is_stored(new, stored) -> None:
    """A key that is not stored is not in what comes back either."""
    session = new()

    [message] = session.record({"role": "user", "content": "Use AKIAQWERTYUIOPASDFGH."})

    assert "AKIA" not in message.text
    assert stored(session.id).messages == (message,)
