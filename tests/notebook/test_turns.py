"""Where turns begin, and what a user calls a message."""

from __future__ import annotations

import pytest

from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.errors import IllegalTransition, InvalidRequest
from jido_jupyter.notebook import turns

SAID = [
    Message(f"{role[0]}{number}", role, (text_part(role),), "")  # type: ignore[arg-type]
    for number, role in enumerate(["user", "assistant", "tool", "assistant", "user", "assistant"])
]


def test_the_last_turns() -> None:
    """A turn begins with its question; there are only so many."""
    assert [turns.start_of_last(SAID, count) for count in (1, 2)] == [4, 0]
    with pytest.raises(IllegalTransition, match="2 question"):
        turns.start_of_last(SAID, 3)


def test_messages_by_number_and_id() -> None:
    """Numbers count from 1; the start of an id has to be that of one."""
    assert [turns.message_at(SAID, name) for name in ("1", "6", "U4", "t2")] == [0, 5, 4, 2]
    for name in ("0", "7", "a", "", "zz"):
        with pytest.raises(InvalidRequest, match="number from 1 to 6"):
            turns.message_at(SAID, name)


def test_results_stay_with_their_calls() -> None:
    """Going on after a message with tool calls keeps what the tools said: a model refuses a conversation without."""
    assert [turns.end_of_turn(SAID, place) for place in (0, 1, 3)] == [1, 3, 4]
