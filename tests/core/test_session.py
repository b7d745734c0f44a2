"""The fold from records to a session: it never fails, and tells what it had to mend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, Origin, Usage, from_wire, text_part, to_wire
from jido_jupyter.core.session import UNTITLED, SessionState, Summary, compacted, replay, summarise
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


LATER = "2026-11-22T10:00:00.000Z"


def state_of(*log: dict[str, Any]) -> SessionState:
    return replay(HEADER, log)


def test_a_header_alone_is_an_empty_session() -> None:
    """Its id and time are the header's; the rest is what a new session has."""
    state = state_of()

    assert state == SessionState("one", AT, AT)
    assert (state.title, state.title_source, state.messages) == (UNTITLED, "auto", ())
    assert replay({"id": 5}, []) == SessionState("5", "", "")


def test_the_last_turn_gives_the_time() -> None:
    """The latest message counts, never an earlier one, nor a rename."""
    late = replace(message(2), created_at=LATER)

    assert state_of(records.messages([message(1), late], AT)).updated_at == LATER
    assert state_of(records.messages([late], AT), records.messages([message(3)], AT)).updated_at == AT
    assert state_of(records.messages([replace(message(1), created_at="2000")], AT)).updated_at == AT
    assert state_of(records.meta({"title": "x"}, LATER)).updated_at == AT


def test_the_model_is_that_of_the_last_answer() -> None:
    """A question names none and changes nothing; a meta record's model holds until an answer names another."""
    answer = replace(message(2, "assistant"), model="a:1")

    assert state_of(records.messages([message(1), answer, message(3)], AT)).model == "a:1"
    both = [answer, replace(message(4, "assistant"), model="b:2"), message(5)]
    assert state_of(records.messages(both, AT)).model == "b:2"
    assert state_of(records.meta({"model": "c:3"}, AT), records.messages([message(1)], AT)).model == "c:3"
    assert state_of(records.meta({"model": "c:3"}, AT), records.messages([answer], AT)).model == "a:1"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ([message(1, "assistant", "Hi"), message(2, text="My question")], "My question"),
        ([message(1, text=" \n "), message(2, text="My question")], "My question"),
        ([message(1, text="First"), message(2, text="Second")], "First"),
        ([message(1, "assistant", "Hi")], UNTITLED),
        ([message(1, text="\u202e\x00")], UNTITLED),
    ],
)
def test_only_a_question_names_a_session(said: list[Message], title: str) -> None:
    """The first one with something in it; without one it stays untitled."""
    assert state_of(records.messages(said, AT)).title == title


def test_a_title_is_not_changed_by_later_questions() -> None:
    """An automatic title that came with the session stays, and one that the user left empty stays empty."""
    state = SessionState("one", AT, AT).with_messages([message(1)])

    assert state.with_messages([message(2)]).title == "text 1"
    chosen = SessionState("one", AT, AT, title_source="user").with_messages([message(1)])
    assert chosen.title == UNTITLED
    imported = SessionState("one", AT, AT, title="Mine").with_messages([message(1)])
    assert imported.title == "Mine"


def test_messages_that_are_known_change_nothing() -> None:
    """The same state comes back, not a copy; of known and new ones the new are added."""
    state = SessionState("one", AT, AT).with_messages([message(1), message(2)])

    assert state.with_messages([message(2)]) is state
    assert state.with_messages([]) is state
    assert [said.id for said in state.with_messages([message(2), message(3)]).messages] == ["m1", "m2", "m3"]


META = {
    "title": "Mine",
    "title_source": "user",
    "notebook": "a.ipynb",
    "model": "a:1",
    "assistant": "b:2",
    "origin": {"fork": "two"},
    "tags": ["a", "b"],
    "pinned": True,
    "archived": True,
}


def test_meta_comes_and_goes() -> None:
    """What a meta record sets is what `meta` gives, so that one record carries all of it."""
    state = SessionState("one", AT, AT).with_meta(META)

    assert state.meta == META
    assert (state.tags, state.pinned, state.archived) == (("a", "b"), True, True)
    assert SessionState("two", AT, AT).with_meta(state.meta) == replace(state, id="two")
    assert SessionState("one", AT, AT).meta == {
        "title": UNTITLED, "title_source": "auto", "tags": [], "pinned": False, "archived": False
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", 5),
        ("title", " \n"),
        ("title", None),
        ("title_source", 5),
        ("title_source", ""),
        ("notebook", 5),
        ("model", ["a"]),
        ("assistant", 5),
        ("origin", "two"),
        ("origin", None),
        ("tags", "a"),
        ("tags", [1]),
        ("tags", ["a", None]),
        ("tags", {"a": 1}),
        ("pinned", 1),
        ("pinned", "yes"),
        ("archived", None),
        ("unknown", "x"),
        ("id", "two"),
        ("messages", []),
    ],
)
def test_meta_of_the_wrong_shape_is_passed_over(name: str, value: object) -> None:
    """It costs itself only: what stands beside it is taken."""
    before = SessionState("one", AT, AT).with_meta(META)

    state = before.with_meta({name: value, "title_source": "auto"} if name != "title_source" else {name: value})

    assert state == (replace(before, title_source="auto") if name != "title_source" else before)


def test_meta_can_be_taken_back() -> None:
    """Notebook and model to none, tags to no tags, flags to false."""
    state = SessionState("one", AT, AT).with_meta(META)

    cleared = state.with_meta(
        {"notebook": None, "model": None, "assistant": None, "tags": (), "pinned": False, "archived": False}
    )

    assert (cleared.notebook, cleared.model, cleared.assistant, cleared.tags) == (None, None, None, ())
    assert (cleared.pinned, cleared.archived) == (False, False)


def test_extras_are_kept_name_by_name() -> None:
    """An adapter changes what is under its own name; None takes it away, and the last one takes all."""
    state = SessionState("one", AT, AT).with_meta({"extras": {"a": {"x": 1}, "b": 2}})

    changed = state.with_meta({"extras": {"b": None, "c": 3}})

    assert state.extras == {"a": {"x": 1}, "b": 2}
    assert changed.extras == {"a": {"x": 1}, "c": 3}
    assert changed.with_meta({"extras": {"a": None, "c": None}}).extras is None
    assert state.with_meta({"extras": "text"}) == state
    assert state.with_meta({"pinned": True}).extras == state.extras


def test_a_title_becomes_one_line() -> None:
    """Controls go, and 200 characters are kept; where nothing is left it is untitled."""
    state = SessionState("one", AT, AT)

    assert state.with_meta({"title": "a\n\u202eb" + "c" * 300}).title == "a b" + "c" * 196 + "…"
    assert state.with_meta({"title": "\u202e"}).title == UNTITLED


def test_a_summary_says_what_a_list_shows() -> None:
    """Each member stands under its name."""
    state = replace(
        SessionState("one", AT, LATER).with_meta(META),
        messages=(message(1), message(2, text="**last** `one` #5")),
        opened_at="opened",
        repairs=("mended",),
    )

    assert summarise(state, "2-ab") == Summary(
        id="one",
        title="Mine",
        created_at=AT,
        updated_at=LATER,
        message_count=2,
        title_source="user",
        opened_at="opened",
        notebook="a.ipynb",
        model="a:1",
        tags=("a", "b"),
        pinned=True,
        archived=True,
        preview="last one 5",
        problems=("mended",),
        revision="2-ab",
    )
    assert summarise(SessionState("one", AT, AT), "").preview == ""


def test_a_summary_of_little_says_nothing_more() -> None:
    """What is not known of a session is empty, false or none."""
    assert Summary("one", "Mine", AT, LATER, 2) == Summary(
        id="one",
        title="Mine",
        created_at=AT,
        updated_at=LATER,
        message_count=2,
        title_source="auto",
        opened_at="",
        notebook=None,
        model=None,
        tags=(),
        pinned=False,
        archived=False,
        preview="",
        problems=(),
        revision="",
        is_damaged=False,
    )


def test_who_has_it_open_is_no_part_of_a_session() -> None:
    """Two summaries of one state are equal, whoever holds it."""
    summary = Summary("one", "Mine", AT, LATER, 2)

    assert replace(summary, owner=records.Owner("kernel", "here", 1)) == summary


def test_a_preview_is_short_whatever_the_text() -> None:
    """120 characters, of a text whose marks are many."""
    assert summarise(state_of(records.messages([message(1, text="a" * 121)], AT)), "").preview == "a" * 119 + "…"
    assert summarise(state_of(records.messages([message(1, text="*" * 400 + "a" * 200)], AT)), "").preview == "a" * 80
    assert summarise(state_of(records.messages([message(1, text="a" * 120)], AT)), "").preview == "a" * 120


def test_a_preview_keeps_every_letter() -> None:
    """Only the marks go."""
    text = "The quick brown fox, jumping over 5 lazy dogs' (x_y) ~ [z]!"

    assert summarise(state_of(records.messages([message(1, text=f"## `{text}`")], AT)), "").preview == text


def test_the_last_opening_counts() -> None:
    """Of several the latest record; one without a time has none."""
    owner = records.Owner("kernel", "here", 1)

    assert state_of(records.opened(owner, AT), records.opened(owner, LATER)).opened_at == LATER
    assert state_of(records.opened(owner, AT), records.closed(LATER)).opened_at == AT
    assert state_of({"t": "open"}).opened_at == ""


def test_repairs_are_told_by_what_they_cost() -> None:
    """Each kind once, however often it occurs, and in the order in which it was met."""
    bad = {"t": "messages", "messages": [{"id": "x"}, to_wire(message(1))]}

    state = state_of({"t": "messages"}, {"t": "messages", "messages": {}}, bad, records.rewind("m9", AT), bad)

    assert [repair.split(" (")[0] for repair in state.repairs] == [
        "A record without its messages was passed over.",
        "A message was passed over",
        "A rewind to a message that is not there was passed over.",
        "A message that stands twice in the file is shown once.",
    ]
    assert "message.role" in state.repairs[1]
    assert [said.id for said in state.messages] == ["m1"]


def test_what_comes_after_a_repeated_message_is_read() -> None:
    """The one that is known is passed over, not the rest of its record."""
    log = [records.messages([message(1)], AT), records.messages([message(1), message(2)], AT)]

    assert [said.id for said in state_of(*log).messages] == ["m1", "m2"]


def test_a_rewind_keeps_its_message_and_drops_what_follows() -> None:
    """Ids that were dropped may be said again; unfinished answers from before are gone."""
    log = [
        records.messages([message(1), message(2), message(3)], AT),
        records.partial("a1", "x", AT),
        records.rewind("m2", AT),
        records.messages([message(3, text="again"), message(2)], AT),
    ]

    state = state_of(*log)

    assert [(said.id, said.text) for said in state.messages] == [("m1", "text 1"), ("m2", "text 2"), ("m3", "again")]
    assert state.unsettled == frozenset()
    assert len(state.repairs) == 1


def test_a_rewind_to_the_start_leaves_nothing() -> None:
    """And what follows it is the conversation."""
    log = [records.messages([message(1), message(2)], AT), records.rewind(records.START, AT)]

    assert records.START == ""
    assert state_of(*log).messages == ()
    assert [said.id for said in state_of(*log, records.messages([message(1)], AT)).messages] == ["m1"]
    assert state_of(*log).repairs == ()


def test_what_goes_with_a_question_does_not_name_a_session() -> None:
    """The title is made of the first text part alone, and of no part of another type."""
    parts = ({"type": "file", "content": "no"}, text_part(" My question "), text_part("cells of the notebook"))
    asked = replace(message(1), parts=parts)

    assert state_of(records.messages([asked], AT)).title == "My question"
    assert state_of(records.messages([replace(asked, parts=())], AT)).title == UNTITLED


def test_what_follows_a_rewind_to_nowhere_is_read() -> None:
    """It is told, and changes nothing."""
    log = [records.messages([message(1)], AT), records.rewind("m9", AT), records.messages([message(2)], AT)]

    state = state_of(*log)

    assert [said.id for said in state.messages] == ["m1", "m2"]
    assert len(state.repairs) == 1


def test_several_unfinished_answers_keep_their_places() -> None:
    """Each stands after what was said before its first piece, with all its pieces and the time of its last one."""
    log = [
        records.partial("a0", "zero", AT),
        records.messages([message(1)], AT),
        records.partial("a1", "one ", AT, "guide:x"),
        records.messages([message(2)], AT),
        records.partial("a2", "two", AT),
        records.partial("a1", "more", LATER),
    ]

    state = state_of(*log)

    assert [said.id for said in state.messages] == ["a0", "m1", "a1", "m2", "a2"]
    assert [said.text for said in state.messages] == ["zero", "text 1", "one more", "text 2", "two"]
    assert state.messages[2] == Message(
        "a1", "assistant", (text_part("one more"),), LATER, status="interrupted", model=None
    )
    assert state.unsettled == {"a0", "a1", "a2"}
    assert state_of(*reversed(log)).unsettled == {"a0", "a1", "a2"}


def test_answers_unfinished_at_the_same_place_keep_their_order() -> None:
    """The one that began first stands first."""
    state = state_of(records.partial("a1", "x", AT), records.partial("a2", "y", AT))

    assert [said.id for said in state.messages] == ["a1", "a2"]


def test_pieces_of_the_wrong_shape_are_text() -> None:
    """What a piece lacks is empty; a model that is no text is none."""
    [said] = state_of({"t": "partial", "message": "a", "text": 5, "model": 7}).messages
    assert (said.text, said.created_at, said.model) == ("5", "1970-01-01T00:00:00.000Z", None)

    [said] = state_of({"t": "partial", "at": AT}).messages
    assert (said.id, said.text, said.created_at) == ("None", "", AT)


def test_the_last_list_of_todos_counts() -> None:
    """It is told whole each time; what is no object in it is passed over, what is no list changes nothing."""
    first, second = [{"text": "a", "status": "done"}], [{"text": "b", "status": "open"}, "c", 5]

    state = state_of(
        records.todos(first, AT), {"t": "todos", "todos": second}, {"t": "todos", "todos": {}}, {"t": "todos"}
    )

    assert state.todos == ({"text": "b", "status": "open"},)
    assert state_of(records.todos(first, AT), records.todos([], AT)).todos == ()


def test_a_summary_stands_for_messages_that_are_there() -> None:
    """The last one counts; an empty one undoes it, and one of messages that were rewound is gone."""
    said = records.messages([message(1), message(2)], AT)
    of_one, of_two = records.summary("short", "m1", AT), records.summary("longer", "m2", AT, "guide:x")

    assert state_of(said, of_one, of_two).summary == of_two
    assert state_of(said, of_one, records.rewind("m1", AT)).summary == of_one
    assert state_of(said, of_two, records.rewind("m1", AT)).summary is None
    assert state_of(said, of_two, records.summary("", "m2", AT)).summary is None
    assert state_of(said, {"t": "summary", "text": "of nothing"}).summary is None


def test_the_last_context_counts() -> None:
    """What the notebook looked like at the end of the last turn; what is no object changes nothing."""
    log = [records.context({"x": 1}, AT), records.context({"y": 2}, AT), {"t": "context", "context": []}]

    assert state_of(*log).context == {"y": 2}
    assert state_of().context is None


def test_a_piece_that_comes_after_its_answer_is_passed_over() -> None:
    """The answer is there whole, once; what follows the piece is read."""
    log = [records.messages([message(1)], AT), records.partial("m1", "te", AT), records.messages([message(2)], AT)]

    state = state_of(*log)

    assert [(said.id, said.text) for said in state.messages] == [("m1", "text 1"), ("m2", "text 2")]
    assert state.unsettled == frozenset()


def test_an_answer_without_an_id_has_one() -> None:
    """So that it can be stored and read again as a message."""
    [said] = state_of({"t": "partial", "message": "", "text": "x", "at": AT}).messages

    assert (said.id, said.text) == ("nameless", "x")
    assert from_wire(to_wire(said)) == said


def test_meta_that_is_no_object_is_passed_over() -> None:
    """The fold goes on."""
    assert state_of({"t": "meta"}, {"t": "meta", "set": []}, records.meta({"title": "x"}, AT)).title == "x"
    assert state_of({"t": "hologram", "set": {"title": "x"}}).title == UNTITLED


def test_a_closed_call_says_so_in_its_own_message() -> None:
    """It answers each open call of a message, in order, at the message's time."""
    parts = [{"type": "tool_call", "id": call, "name": "f"} for call in ("a", "b")]
    calling = Message("m1", "assistant", (text_part("x"), *parts), LATER)

    state = state_of(records.messages([calling], AT))

    assert state.messages == (
        calling,
        Message(
            "m1-closed",
            "tool",
            tuple({"type": "tool_call_response", "id": call, "response": "interrupted"} for call in ("a", "b")),
            LATER,
            "interrupted",
        ),
    )


def test_compacting_keeps_what_is_unknown() -> None:
    """Meta and messages are one record each; records of a later version stay, without their number."""
    log = [
        {**records.messages([message(1)], AT), "n": 1},
        {"t": "hologram", "z": 1, "n": 2},
        {**records.partial("a", "x", AT), "n": 3},
        {"z": 2, "n": 4},
    ]
    state = SessionState("one", AT, AT).with_meta({"title": "x"}).with_messages([message(1)])

    short = compacted(state, log, LATER)

    assert short == [
        records.meta(state.meta, LATER),
        records.messages([message(1)], LATER),
        {"t": "hologram", "z": 1},
        {"z": 2},
    ]


def test_compacting_keeps_todos_summary_and_context() -> None:
    """Each in its last state, and replayed they are the same."""
    log = [
        records.messages([message(1)], AT),
        records.todos([{"text": "a"}], AT),
        records.summary("short", "m1", AT, "guide:x"),
        records.context({"x": 1}, AT),
    ]
    state = state_of(*log)

    short = compacted(state, log, LATER)

    assert short[2:] == [
        records.todos([{"text": "a"}], LATER),
        records.summary("short", "m1", LATER, "guide:x"),
        records.context({"x": 1}, LATER),
    ]
    again = state_of(*short)
    assert (again.todos, again.context, again.messages) == (state.todos, state.context, state.messages)
    assert {**again.summary, "at": AT} == state.summary
    plain = records.summary("short", "m1", LATER)
    assert compacted(replace(state, summary=records.summary("short", "m1", AT)), [], LATER)[3] == plain


@pytest.mark.parametrize(
    "part",
    [
        {"type": "tool_call", "id": ["x"], "name": "n"},
        {"type": "tool_call", "id": "x", "name": 5},
        {"type": "tool_call_response", "id": {}, "response": 1},
    ],
)
def test_a_call_whose_id_is_no_text_costs_its_message_only(part: dict) -> None:
    """It is passed over and told; one such message must not take a whole list down."""
    message = {"id": "m", "role": "assistant", "parts": [part], "created_at": AT}

    state = state_of({"t": "messages", "messages": [message]})

    assert state.messages == ()
    assert "must be text" in state.repairs[0]


def test_a_piece_of_an_answer_that_has_ended_is_no_second_one() -> None:
    """Pieces that come after their whole message say nothing new."""
    message = {"id": "m", "role": "assistant", "parts": [], "created_at": AT}

    state = state_of({"t": "messages", "messages": [message]}, {"t": "partial", "message": "m", "text": "late"})

    assert [said.id for said in state.messages] == ["m"]
    assert not state.unsettled


@pytest.mark.parametrize("record", [{"to": ["m"], "text": "so far"}, {"to": "m", "text": 5}, {"to": "m", "text": ""}])
def test_a_summary_of_the_wrong_shape_is_none(record: dict) -> None:
    """Nothing stands for the conversation then but itself."""
    message = {"id": "m", "role": "assistant", "parts": [], "created_at": AT}

    assert state_of({"t": "messages", "messages": [message]}, {"t": "summary", **record}).summary is None
