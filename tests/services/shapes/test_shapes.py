"""Messages of other libraries: what is read of them, and that they can be written again as they were."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.errors import InvalidField
from jido_jupyter.services import shapes
from jido_jupyter.services.shapes import anthropic, langchain, openai_chat, openai_responses, pydantic_ai
from jido_jupyter.services.shapes.digests import digest
from jido_jupyter.services.shapes.draft import RECORDED, Draft

AT = "2026-11-22T09:00:00.000Z"
CALL = {"id": "call_1", "type": "function", "function": {"name": "run_cell", "arguments": '{"code":"len(df)"}'}}

CHAT = [
    {"role": "system", "content": "Be terse."},
    {"role": "developer", "content": "Be kind."},
    {"role": "user", "content": "Rows in df?", "name": "ada"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "120"},
    {"role": "assistant", "content": "120 rows."},
    {
        "role": "user",
        "content": [{"type": "text", "text": "And here?"}, {"type": "image_url", "image_url": {"url": "u"}}],
    },
    {"role": "assistant", "content": None, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{bro"}}]},
    {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "function", "name": "f", "content": "old"},
    {"role": "assistant", "content": "", "refusal": "No."},
    {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]},
]
ANTHROPIC = [
    {
        "role": "user",
        "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Let me see.", "signature": "sig"},
            {"type": "redacted_thinking", "data": "xx"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_1", "name": "run_cell", "input": {"code": "len(df)"}},
        ],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "120", "is_error": False}],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "120"}]},
            {"type": "text", "text": "Go on.", "cache_control": {"type": "ephemeral"}},
        ],
    },
]
RESPONSES = [
    {"role": "user", "content": [{"type": "input_text", "text": "Rows in df?"}]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "I count."}]},
    {"type": "function_call", "call_id": "call_1", "name": "run_cell", "arguments": '{"code": "len(df)"}', "id": "fc_1"},
    {"type": "function_call_output", "call_id": "call_1", "output": "120"},
    {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
        {"type": "output_text", "text": "120 rows.", "annotations": []}]},
    {"type": "message", "role": "user", "content": "And?"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
    {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
    {"type": "item_reference", "id": "x"},
]  # fmt: skip
PYDANTIC = [
    {"kind": "request", "parts": [{"part_kind": "system-prompt", "content": "Be terse."},
                                  {"part_kind": "user-prompt", "content": "Rows in df?"}]},
    {"kind": "response", "model_name": "m-1", "provider_name": "openai", "usage": {"input_tokens": 21, "output_tokens": 7},
     "parts": [{"part_kind": "thinking", "content": "Hm."}, {"part_kind": "tool-call", "tool_name": "run_cell",
               "args": {"code": "len(df)"}, "tool_call_id": "call_1"}]},
    {"kind": "request", "parts": [{"part_kind": "tool-return", "tool_name": "run_cell", "content": "120",
                                   "tool_call_id": "call_1"}]},
    {"kind": "response", "model_name": "m-1", "parts": [{"part_kind": "text", "content": "120 rows."}]},
    {"kind": "request", "parts": [{"part_kind": "of-tomorrow", "content": 3}]},
]  # fmt: skip
LANGCHAIN = [
    {"type": "system", "content": "Be terse."},
    {"type": "human", "data": {"content": "Rows in df?", "additional_kwargs": {}}},
    {"type": "ai", "content": "", "tool_calls": [{"name": "run_cell", "args": {"code": "len(df)"}, "id": "call_1"}],
     "usage_metadata": {"input_tokens": 21, "output_tokens": 7}, "response_metadata": {"model_name": "m-1"}},
    {"type": "tool", "content": "120", "tool_call_id": "call_1"},
    {"type": "ai", "content": [{"type": "text", "text": "120 rows."}, {"type": "tool_use", "id": "call_1", "name": "f",
                                                                     "input": {}}],
     "tool_calls": [{"name": "f", "args": {}, "id": "call_1"}]},
]  # fmt: skip


def stored(said: object) -> list[Message]:
    return [draft.as_message(f"m{number}", AT) for number, draft in enumerate(shapes.read(said))]


def summed_up(said: object) -> list[tuple[str, list[str]]]:
    return [(draft.role, [part["type"] for part in draft.parts]) for draft in shapes.read(said)]


@pytest.mark.parametrize(
    ("shape", "items"),
    [
        (openai_chat.SHAPE, CHAT),
        (anthropic.SHAPE, ANTHROPIC),
        (openai_responses.SHAPE, RESPONSES),
        (pydantic_ai.SHAPE, PYDANTIC),
        (langchain.SHAPE, LANGCHAIN),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_nothing_is_lost(shape, items) -> None:
    """Items of each shape are known as such, and come back exactly as they were."""
    before = copy.deepcopy(items)

    messages = stored(items)

    assert [item for message in messages for item in shapes.written(message, shape)] == before
    assert {message.ext[RECORDED]["shape"] for message in messages} == {shape.name}
    assert items == before


def test_the_same_conversation_is_the_same() -> None:
    """The five libraries' ways to write one conversation give the same roles, texts, calls and results."""
    expected = ["system", "user", "assistant", "tool", "assistant"]
    chat = [CHAT[0], {"role": "user", "content": "Rows in df?"}, *CHAT[3:6]]
    conversations = [chat, PYDANTIC[:4], [*LANGCHAIN[:4], {"type": "ai", "content": "120 rows."}]]

    read = [[(draft.role, digest(draft.role, draft.parts)) for draft in shapes.read(one)] for one in conversations]

    assert [[role for role, _ in one] for one in read] == [expected] * 3
    assert read[0] == read[1] == read[2]


def test_parts() -> None:
    """Thoughts, calls, results and unknown blocks become parts of their own types."""
    assert summed_up(ANTHROPIC) == [
        ("user", ["image"]),
        ("assistant", ["reasoning", "redacted_thinking", "text", "tool_call"]),
        ("tool", ["tool_call_response"]),
        ("user", ["tool_call_response", "text"]),
    ]
    assert summed_up(RESPONSES)[6:] == [
        ("assistant", ["web_search_call"]),
        ("tool", ["computer_call_output"]),
        ("assistant", ["item_reference"]),
    ]


def test_what_an_answer_cost_and_how_it_ended() -> None:
    """A whole answer of a client gives model, token counts and its end."""
    chat = {"object": "chat.completion", "model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 4},
            "choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": "Lo"}}]}  # fmt: skip
    claude = {"type": "message", "id": "x", "role": "assistant", "model": "m-2", "stop_reason": "end_turn",
              "content": [{"type": "text", "text": "Hi"}], "usage": {"input_tokens": 3, "output_tokens": 4}}  # fmt: skip
    response = {"object": "response", "model": "m-3", "status": "incomplete", "output": RESPONSES[1:2] + RESPONSES[4:5],
                "usage": {"input_tokens": 3, "output_tokens": 4}}  # fmt: skip

    found = [shapes.read(one)[-1] for one in (chat, claude, response)]

    assert [draft.status for draft in found] == ["truncated", "complete", "truncated"]
    assert [draft.model for draft in found] == ["openai:m-1", "anthropic:m-2", "openai:m-3"]
    assert {(draft.usage.input_tokens, draft.usage.output_tokens) for draft in found if draft.usage} == {(3, 4)}


def test_other_choices() -> None:
    """Of several choices the first is the answer; the others are kept beside it."""
    choices = [{"finish_reason": "stop", "message": {"role": "assistant", "content": text}} for text in ("a", "b")]

    [draft] = shapes.read({"object": "chat.completion", "id": "x", "choices": choices})

    assert draft.parts == (text_part("a"),)
    assert draft.ext[RECORDED]["answer"] == {"id": "x", "choices": choices[1:]}


def test_objects() -> None:
    """Objects of libraries are read by what they dump of themselves, dataclasses by their fields."""

    class Dumps:
        def model_dump(self) -> dict[str, Any]:
            return {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []}

    @dataclass
    class Part:
        content: str
        part_kind: str = "user-prompt"
        timestamp: datetime = field(default_factory=lambda: datetime(2026, 11, 22, tzinfo=UTC))

    @dataclass
    class Request:
        parts: list[Part]
        kind: str = "request"

    assert [draft.parts for draft in shapes.read([Dumps(), Request([Part("Hello")])])] == [
        (text_part("Hi"),),
        (text_part("Hello"),),
    ]


def test_our_own_messages() -> None:
    """Messages of another session can be recorded, with all they carry."""
    message = Message("m1", "assistant", (text_part("Hi"),), AT, "truncated", model="a:b", ext={"x": 1})

    [draft] = shapes.read([message])

    assert draft == Draft(
        "assistant", (text_part("Hi"),), {"id": "m1", "created_at": AT}, "a:b", None, "truncated", None, {"x": 1}
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("hello", "says not who said it"),
        (None, "says not who said it"),
        ({"text": "hello"}, "found an object with the members text"),
        ({"role": "wizard", "content": "x"}, "said.role: expected one of system"),
        ([{"role": "user", "content": "x"}, {"role": "user", "content": 7}], r"said\[1\].content: expected a text or"),
        ({"role": "user", "content": [7]}, r"content\[0\]: expected a text or an object"),
        ({"role": "assistant", "content": "x", "tool_calls": [1]}, "tool_calls: expected a list of objects"),
        ({"kind": "request", "parts": [{}]}, "expected an object with a 'part_kind'"),
        ({"role": "user", "parts": [{"content": "x"}]}, "a part is a JSON object with a 'type'"),
        ({"object": "chat.completion", "choices": []}, "at least one choice"),
        ({"role": "user", "content": "x", "score": float("nan")}, "score: holds nan"),
        ({"role": "user", "content": "x", "seed": 2**70}, "more than 64 bits"),
        ({"role": "user", "content": "x", "socket": object()}, "socket: an object of object cannot be stored"),
        (object(), "an object of object cannot be stored"),
    ],
)  # fmt: skip
def test_wrong_input(said, expected) -> None:
    """What cannot be read is refused with what was expected, and where."""
    with pytest.raises(InvalidField, match=expected):
        shapes.read(said)


def test_a_message_that_holds_itself() -> None:
    """A cycle ends in an error, not in a crash."""
    item: dict[str, Any] = {"role": "user", "content": "x"}
    item["self"] = item

    with pytest.raises(InvalidField, match="nests deeper"):
        shapes.read(item)


def test_to_openai() -> None:
    """A conversation of Anthropic's can be sent to OpenAI: thoughts stay out, results come as tools' messages."""
    sent = shapes.to_openai(stored(ANTHROPIC))

    assert sent[0]["content"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    assert sent[1]["tool_calls"] == [
        {"id": "toolu_1", "type": "function", "function": {"name": "run_cell", "arguments": '{"code":"len(df)"}'}}
    ]
    assert sent[2] == {"role": "tool", "tool_call_id": "toolu_1", "content": "120"}


def test_to_anthropic() -> None:
    """A conversation of OpenAI's can be sent to Anthropic: instructions apart, calls and results as blocks."""
    assert shapes.to_anthropic(stored(CHAT[:6])) == {
        "system": "Be terse.\n\nBe kind.",
        "messages": [
            {"role": "user", "content": "Rows in df?"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_1", "name": "run_cell", "input": {"code": "len(df)"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "120"}]},
            {"role": "assistant", "content": "120 rows."},
        ],
    }  # fmt: skip


def test_what_says_nothing_is_not_sent() -> None:
    """Answers that failed without a word, which servers refuse, stay out of what is sent."""
    messages = [
        Message("m1", "assistant", (text_part(""),), AT, "failed"),
        Message("m2", "user", (text_part("x"),), AT),
    ]

    assert shapes.to_openai(messages) == [{"role": "user", "content": "x"}]
    assert shapes.to_anthropic(messages) == {"messages": [{"role": "user", "content": "x"}]}


JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)  # fmt: skip
KEYS = st.sampled_from(
    ["role", "content", "type", "kind", "parts", "tool_calls", "data", "text", "id", "object", "output"]
)
VALUES = JSON | st.sampled_from(
    ["user", "assistant", "tool", "message", "human", "ai", "request", "response", "reasoning"]
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_hostile_items(item) -> None:
    """Whatever is handed in is either refused as `InvalidField`, or comes back as it was."""
    try:
        messages = stored(item)
    except InvalidField:
        return
    shape = next((shape for shape in shapes.SHAPES if shape.fits(item)), None)
    if shape is None or shape.name == "own" or "choices" in item or item.get("object") == "response":
        return
    again = [found for message in messages for found in shapes.written(message, shape)]
    assert again in ([item], [{name: value for name, value in item.items() if value is not None or name == "content"}])
