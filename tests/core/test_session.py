"""The fold from records to a session: it never fails, and tells what it had to mend."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, Origin, Usage, from_wire, text_part, to_wire
from jido_jupyter.core.session import UNTITLED, replay, summarise
from jido_jupyter.errors import InvalidField

AT = "2026-11-22T09:00:00.000Z"
HEADER = records.header("one", AT)


def message(number: int, role: Any = "user", text: str = "") -> Message:
    return Message(f"m{number}", role, (text_part(text or f"text {number}"),), AT)


def test_messages_keep_their_order() -> None:
    """What was said comes back in the order in which it was said."""
    state = replay(
        HEADER, [records.messages([message(1), message(2, "assistant")], AT), records.messages([message(3)], AT)]
    )

    assert [said.id for said in state.messages] == ["m1", "m2", "m3"]
    assert state.repairs == ()


def test_title_comes_from_the_first_question() -> None:
    """A session is named after its first question, in one clean line."""
    state = replay(HEADER, [records.messages([message(1, text="Plot\n\tthe \u202edata" + " again" * 40)], AT)])

    assert state.title.startswith("Plot the data again")
    assert len(state.title) <= 60


def test_a_title_of_the_user_stays() -> None:
    """No automatic title replaces one that somebody chose."""
    log = [records.meta({"title": "Mine", "title_source": "user"}, AT), records.messages([message(1)], AT)]

    assert replay(HEADER, log).title == "Mine"


def test_an_unfinished_answer_is_interrupted_and_keeps_its_place() -> None:
    """Pieces without an end become an interrupted answer, between what was said before and after them."""
    log = [
        records.messages([message(1)], AT),
        records.partial("a1", "so ", AT, "guide:x"),
        records.partial("a1", "far", AT, "guide:x"),
        records.messages([message(2)], AT),
    ]

    state = replay(HEADER, log)

    assert [(said.id, said.text, said.status) for said in state.messages][1] == ("a1", "so far", "interrupted")
    assert state.unsettled == {"a1"}
    assert state.messages[1].model == "guide:x"


def test_a_finished_answer_replaces_its_pieces() -> None:
    """Once the answer is stored whole, its pieces count no more."""
    answer = message(2, "assistant")
    log = [records.messages([message(1)], AT), records.partial("m2", "te", AT), records.messages([answer], AT)]

    state = replay(HEADER, log)

    assert state.messages[1] == answer
    assert state.unsettled == frozenset()


def test_an_orphan_tool_call_is_closed_in_its_place() -> None:
    """A call whose answer never came gets one, so that the next request is valid; answered ones are left alone."""

    def calling(number: int, *ids: str) -> Message:
        parts = tuple({"type": "tool_call", "id": call, "name": "f", "arguments": {}} for call in ids)
        return Message(f"m{number}", "assistant", parts, AT)

    answer = Message("m3", "tool", ({"type": "tool_call_response", "id": "a", "response": "1"},), AT)
    log = [records.messages([message(1), calling(2, "a", "b"), answer, message(4)], AT)]

    state = replay(HEADER, log)

    assert [said.id for said in state.messages] == ["m1", "m2", "m2-closed", "m3", "m4"]
    assert [part["id"] for part in state.messages[2].parts] == ["b"]
    assert state.messages[2].status == "interrupted"
    assert state.repairs == ()  # nothing is wrong with the file
    whole = replay(HEADER, [records.messages([calling(2, "a"), answer], AT)])
    assert len(whole.messages) == 2


def test_a_message_that_stands_twice_is_shown_once() -> None:
    """A repeated record does not repeat what was said, and is told."""
    log = [records.messages([message(1)], AT)] * 2

    state = replay(HEADER, log)

    assert len(state.messages) == 1
    assert "twice" in state.repairs[0]


@pytest.mark.parametrize(
    "bad",
    [
        {"t": "messages"},
        {"t": "messages", "messages": [{"id": "x"}]},
        {"t": "messages", "messages": ["text"]},
        {"t": "messages", "messages": [{"id": "x", "role": "pirate", "parts": [], "created_at": AT}]},
        {"t": "meta", "set": {"title": 5, "tags": "no", "pinned": "yes"}},
        {"t": "meta", "set": None},
        {"t": "partial"},
        {},
    ],
)
def test_bad_records_cost_only_themselves(bad: dict[str, Any]) -> None:
    """A record of the wrong shape does not take the others with it."""
    state = replay(HEADER, [records.messages([message(1)], AT), bad, records.messages([message(2)], AT)])

    assert {"m1", "m2"} <= {said.id for said in state.messages}
    assert state.title == "text 1"


def test_summary_is_one_line() -> None:
    """A list gets the start of the last text, without line ends."""
    summary = summarise(replay(HEADER, [records.messages([message(1, text="a\nb" + "c" * 500)], AT)]), "1-x")

    assert summary.preview.startswith("a b")
    assert len(summary.preview) <= 120
    assert replay(HEADER, []).title == UNTITLED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"t": st.sampled_from(["messages", "partial", "meta", "open"])},
            optional={"messages": JSON, "set": JSON, "message": JSON, "text": JSON, "at": JSON, "model": JSON},
        )
    )
)
def test_the_fold_never_fails(log: list[dict[str, Any]]) -> None:
    """Whatever records hold, a session comes out."""
    assert replay(HEADER, log).id == "one"


@given(
    st.builds(
        Message,
        id=st.text(min_size=1, max_size=5),
        role=st.sampled_from(["user", "assistant", "system", "tool"]),
        parts=st.lists(st.builds(text_part, st.text(max_size=10)), max_size=3).map(tuple),
        created_at=st.just(AT),
        status=st.sampled_from(["complete", "interrupted", "failed", "truncated"]),
        error=st.none() | st.text(min_size=1, max_size=5),
        model=st.none() | st.text(min_size=1, max_size=5),
        origin=st.none()
        | st.builds(
            Origin, notebook=st.none() | st.text(min_size=1, max_size=5), execution_count=st.none() | st.integers(0, 9)
        ),
        usage=st.none() | st.builds(Usage, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
        ext=st.dictionaries(st.sampled_from(["x", "y"]), st.integers(), max_size=2),
    )
)
def test_a_message_survives_the_wire(said: Message) -> None:
    """To JSON and back nothing changes, unknown members included."""
    assert from_wire(to_wire(said)) == said


def test_an_unknown_part_is_kept() -> None:
    """A part type of a later time is kept as it is."""
    wire = {"id": "m", "role": "user", "parts": [{"type": "hologram", "z": 1}], "created_at": AT}

    assert to_wire(from_wire(wire))["parts"] == [{"type": "hologram", "z": 1}]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"role": "pirate"}, "m.role"),
        ({"parts": "text"}, "m.parts"),
        ({"parts": [{"type": "text"}]}, r"m.parts\[0\].content"),
        ({"parts": [{"type": "text", "content": 5}]}, r"m.parts\[0\].content"),
        ({"parts": [{"content": "x"}]}, r"m.parts\[0\]"),
        ({"status": "fine"}, "m.status"),
        ({"usage": {"input_tokens": -1}}, "m.usage.input_tokens"),
        ({"usage": {"input_tokens": True}}, "m.usage.input_tokens"),
        ({"origin": []}, "m.origin"),
        ({"id": ""}, "m.id"),
    ],
)
def test_a_wrong_member_is_named(change: dict[str, Any], path: str) -> None:
    """The error says where and why."""
    wire = {"id": "m", "role": "user", "parts": [], "created_at": AT, **change}

    with pytest.raises(InvalidField, match=path):
        from_wire(wire, "m")
