"""Models of Anthropic, Google and Bedrock, where their libraries are installed (``make engines`` installs them)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from jido_jupyter.assistants.endpoints import PROVIDERS, Endpoint
from jido_jupyter.assistants.port import Event, StepEnd, StopToken, TextDelta, Tool, ToolCall, ToolResult
from jido_jupyter.assistants.pydantic_engine import PydanticAssistant
from jido_jupyter.assistants.sources import ServerSource
from jido_jupyter.assistants.troubles import Troubles
from jido_jupyter.core.messages import Message, Usage, text_part
from tests.support.openai_loopback import Loopback, patience_s

KEY = "sk-very-secret-key"


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as loopback:
        yield loopback


async def _never(arguments: Any) -> ToolResult:
    raise AssertionError("a step runs no tools")


LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"text": {"type": "string"}}}, _never)


def ask(
    provider: str,
    endpoint: Endpoint,
    model: str,
    history: Sequence[Message] = (),
    tools: Sequence[Tool] = (),
) -> tuple[str, StepEnd]:
    pieces: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, TextDelta):
            pieces.append(event.text)

    assistant = PydanticAssistant(
        f"{provider}:{model}", model, ServerSource(provider, model, endpoint, patience_s(model))
    )
    question = message("m", "user", "What is in df?")
    end = asyncio.run(assistant.step([*history, question], "", tools, emit, StopToken()))
    return "".join(pieces), end


def message(message_id: str, role: Any, *content: Any) -> Message:
    parts = tuple(text_part(part) if isinstance(part, str) else part for part in content)
    return Message(message_id, role, parts, "2026-11-20T10:00:00.000Z")


def anthropic_at(server: Loopback) -> Endpoint:
    pytest.importorskip("anthropic")
    return Endpoint(server.root, KEY, False, "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")


def test_anthropic_streams(server: Loopback) -> None:
    """An answer comes out as it was sent, with its tokens; the key goes in a header."""
    text, end = ask("anthropic", anthropic_at(server), "count-20")

    assert text == "".join(server.requests[-1].sent)
    assert end == StepEnd("complete", usage=Usage(4, 20), model_name="count-20")
    headers = server.requests[-1].headers
    assert headers.get("x-api-key") == KEY or headers.get("authorization") == f"Bearer {KEY}"


# What the server does: how the step ends, a piece of the sentence for the user.
FAULTS = [
    ("err-400", "failed", "refused the request (400)"),
    ("err-401", "failed", "refused the key (401). Set ANTHROPIC_API_KEY"),
    ("err-404", "failed", "knows no model 'err-404'"),
    ("err-429", "failed", "takes no more requests now (429)"),
    ("err-500", "failed", "has trouble (500)"),
    ("drop-5", "failed", "The connection to {url} was lost. What came before is kept"),
    ("reset-5", "failed", "The connection to {url} was lost"),
    ("errchunk-5", "failed", "loopback upstream failed"),
    ("garbage-5", "failed", "{url} sent something that cannot be read. What came before is kept"),
    ("eof-5", "truncated", "ended without saying that it is complete"),
    ("eof-0", "failed", ""),
    ("stall-5", "failed", "{url} was silent for 0.5 s. What came before is kept"),
    ("hang", "failed", "{url} was silent for 0.5 s. Your question is kept"),
    ("length", "truncated", "length limit"),
    ("mute", "failed", "without a word of answer"),
]


@pytest.mark.parametrize(("model", "how", "sentence"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_anthropic_faults(server: Loopback, model: str, how: str, sentence: str) -> None:
    """Whatever the server does, its text comes out as it was sent, and one sentence tells what happened."""
    text, end = ask("anthropic", anthropic_at(server), model)

    assert text == "".join(server.requests[-1].sent)
    assert end.how == how
    assert sentence.format(url=server.root) in (end.error or "")
    assert KEY not in (end.error or "")


def test_anthropic_asks_for_tools(server: Loopback) -> None:
    """A whole call comes out with its arguments; its result goes back where Anthropic wants it."""
    endpoint = anthropic_at(server)
    _, end = ask("anthropic", endpoint, "tool+args", tools=[LOOK])
    call = ToolCall("call_0", "look", {"text": "a value long enough to be cut", "n": 1})
    history = [
        message("q", "user", "first"),
        message("a", "assistant", {"type": "tool_call", "id": "call_0", "name": "look", "arguments": {}}),
        message("t", "tool", {"type": "tool_call_response", "id": "call_0", "response": "seen"}),
    ]

    ask("anthropic", endpoint, "echo", history, [LOOK])

    assert (end.how, end.calls) == ("calls", (call,))
    sent = server.requests[-1].body["messages"]
    assert [block["type"] for turn in sent for block in turn["content"]] == ["text", "tool_use", "tool_result", "text"]


@pytest.mark.parametrize("fault", ["drop-3", "reset-3", "eof-3", "errchunk-3", "garbage-3", "stall-3", "length"])
def test_anthropic_never_asks_for_half_a_call(server: Loopback, fault: str) -> None:
    """A call that is cut in its arguments is no call."""
    _, end = ask("anthropic", anthropic_at(server), f"tool+args+{fault}", tools=[LOOK])

    assert end.how in ("failed", "truncated")
    assert end.calls == ()


def test_google_tells_that_nobody_answers() -> None:
    """Errors of Google's library come back as the end of the step, in our words."""
    pytest.importorskip("google.genai")
    endpoint = Endpoint("http://127.0.0.1:9", KEY, False, "GOOGLE_GEMINI_BASE_URL", "GOOGLE_API_KEY")

    _, end = ask("google", endpoint, "gemini-x")

    assert end == StepEnd(
        "failed", "Nothing answers at http://127.0.0.1:9; start the server or set GOOGLE_GEMINI_BASE_URL."
    )


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "credentials"),
        ({}, "region"),
        (
            {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"},
            "Nothing answers at http://127.0.0.1:9",
        ),
    ],
)
def test_bedrock_tells_what_is_missing(
    environ: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Missing credentials, a missing region and a silent address come back as the end of the step, in our words."""
    pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    endpoint = Endpoint("http://127.0.0.1:9", "none", False, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_PROFILE")

    _, end = ask("bedrock", endpoint, "eu.some-model")

    assert end.how == "failed"
    assert sentence in (end.error or "")


class NoCredentialsError(Exception):
    """Named as boto3 names it."""


@pytest.mark.parametrize(
    ("provider", "error", "sentence"),
    [
        ("bedrock", NoCredentialsError(), "Bedrock has no credentials here. Run 'aws configure'"),
        ("anthropic", ConnectionResetError(), "The connection to https://api.anthropic.com was lost."),
        ("google", TimeoutError(), "https://generativelanguage.googleapis.com was silent for 5 s."),
    ],
)
def test_errors_are_told_apart_by_name(provider: str, error: Exception, sentence: str) -> None:
    """No library needs to be there for its errors to be explained."""
    who = PROVIDERS[provider]
    troubles = Troubles(who, "some-model", Endpoint(who.url, KEY, True, who.setting, who.key_settings[0]), 5)

    assert troubles.explain(error, has_text=False).startswith(sentence)
