"""Objects of the libraries themselves, where they are installed: read as what they are, and written so that they take it."""

from __future__ import annotations

from typing import Any

import pytest

from jido_jupyter.adapters.watching import Watch, history_of
from jido_jupyter.services import shapes
from jido_jupyter.services.shapes import to_openai
from tests.adapters.conftest import told


def kinds(said: object) -> list[tuple[str, list[str]]]:
    return [(draft.role, [part["type"] for part in draft.parts]) for draft in shapes.read(said)]


def test_pydantic_ai(new) -> None:
    """Messages of a run, as objects, with a tool in between."""
    pydantic_ai = pytest.importorskip("pydantic_ai")
    from pydantic_ai.models.test import TestModel

    agent = pydantic_ai.Agent(TestModel(), system_prompt="Be terse.")
    agent.tool_plain(lambda: 120, name="count")
    result = agent.run_sync("How many?")
    session = new()

    session.record(result.all_messages())

    assert [message.role for message in session.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert session.messages[2].parts[0]["name"] == "count"
    assert session.messages[-1].usage is not None


def test_openai(new) -> None:
    """A list in which dicts and the objects of answers stand side by side, and what is written is right for the client."""
    from openai.types.chat import ChatCompletionMessage
    from openai.types.chat.chat_completion_message_function_tool_call import (
        ChatCompletionMessageFunctionToolCall,
        Function,
    )
    from openai.types.chat.chat_completion_message_param import ChatCompletionMessageParam
    from pydantic import TypeAdapter

    function = Function(name="count", arguments='{"a": 1}')
    call = ChatCompletionMessageFunctionToolCall(id="c", type="function", function=function)
    history: list[Any] = [
        {"role": "user", "content": "How many?"},
        ChatCompletionMessage(role="assistant", content=None, tool_calls=[call]),
        {"role": "tool", "tool_call_id": "c", "content": "120"},
        ChatCompletionMessage(role="assistant", content="120"),
    ]
    session = new()

    session.record(history)

    written = to_openai(session.messages)
    assert kinds(history)[1] == ("assistant", ["tool_call"])
    assert TypeAdapter(list[ChatCompletionMessageParam]).validate_python(written)
    assert written[3] == {"role": "assistant", "content": "120"}


def test_langchain(new) -> None:
    """Messages of LangChain as objects, in a memory of its own, and as its function writes them."""
    messages = pytest.importorskip("langchain_core.messages")
    from langchain_core.chat_history import InMemoryChatMessageHistory

    call = {"name": "count", "args": {"a": 1}, "id": "c"}
    memory = InMemoryChatMessageHistory()
    memory.add_messages(
        [
            messages.SystemMessage("Be terse."),
            messages.HumanMessage("How many?"),
            messages.AIMessage(
                "", tool_calls=[call], usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
            ),
            messages.ToolMessage("120", tool_call_id="c"),
            messages.AIMessage([{"type": "text", "text": "120"}], response_metadata={"model_name": "m"}),
        ]
    )
    session = new()
    watch = Watch(history_of(memory), lambda: session.live, is_own=False)

    watch.sync()

    assert [message.role for message in session.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert session.messages[2].parts == ({"type": "tool_call", "id": "c", "name": "count", "arguments": {"a": 1}},)
    assert session.messages[2].usage.output_tokens == 2
    assert session.messages[4].model == "langchain:m"
    written = messages.messages_to_dict(memory.messages)
    assert kinds(written) == kinds(memory.messages)
    from langchain_core.messages import convert_to_messages

    assert [message.type for message in convert_to_messages(to_openai(session.messages))] == [
        "system",
        "human",
        "ai",
        "tool",
        "ai",
    ]


def test_chatlas(new) -> None:
    """Turns of chatlas, as a chat of its holds them."""
    chatlas = pytest.importorskip("chatlas")
    from chatlas import ContentToolRequest, ContentToolResult

    chat = chatlas.ChatOpenAI(api_key="none", model="m")
    request = ContentToolRequest(id="c", name="count", arguments={"a": 1})
    chat.set_turns(
        [
            chatlas.UserTurn("How many?"),
            chatlas.AssistantTurn([request]),
            chatlas.UserTurn([ContentToolResult(value="120", request=request)]),
            chatlas.AssistantTurn("120"),
        ]
    )
    session = new()
    watch = Watch(history_of(chat), lambda: session.live, is_own=False)

    watch.sync()

    assert told(session.live.state) == [("user", "How many?"), ("assistant", ""), ("tool", ""), ("assistant", "120")]
    assert session.messages[1].parts[0]["name"] == "count"
    assert session.messages[2].parts[0]["response"] == "120"


def test_anthropic(new) -> None:
    """Answers of Anthropic's client beside dicts, and what is written is right for the client."""
    anthropic = pytest.importorskip("anthropic")
    from pydantic import TypeAdapter

    answer = anthropic.types.Message.model_validate(
        {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "stop_reason": "tool_use",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t", "name": "count", "input": {"a": 1}},
            ],
            "usage": {"input_tokens": 1, "output_tokens": 2},
        }
    )
    result = {"type": "tool_result", "tool_use_id": "t", "content": "120"}
    history = [
        {"role": "user", "content": "How many?"},
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [result]},
    ]
    session = new()

    session.record([history[0], answer, history[2]])

    written = shapes.to_anthropic(session.messages)["messages"]
    assert kinds(history) == kinds([history[0], answer, history[2]])
    assert TypeAdapter(list[anthropic.types.MessageParam]).validate_python(written)
    assert [block["type"] for block in written[1]["content"]] == ["thinking", "text", "tool_use"]
    assert to_openai(session.messages)[1]["tool_calls"][0]["function"] == {"name": "count", "arguments": '{"a":1}'}
