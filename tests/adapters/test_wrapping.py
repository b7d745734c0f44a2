"""Real clients of OpenAI and Anthropic against real servers: what they ask and are answered stands in the session."""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest

from jido_jupyter.adapters.recorder import Recorder, RecordingWarning
from jido_jupyter.adapters.wrapping import wrapped
from jido_jupyter.assistants.conversation import Session
from jido_jupyter.assistants.turn import JOURNAL_S
from jido_jupyter.errors import InvalidField
from jido_jupyter.services.shapes import to_openai
from tests.adapters.conftest import told
from tests.support.anthropic_loopback import AnthropicLoopback
from tests.support.kernels import ROOT, environment
from tests.support.openai_loopback import Loopback
from tests.support.responses_loopback import ResponsesLoopback

ECHO = "You said: "
USER = {"role": "user", "content": "one"}


@dataclass
class Dialect:
    """One way to ask: which method, with which arguments, and where the text stands in what comes back."""

    provider: str
    make: Callable[..., Any]  # a client; ``is_async`` asks for the asynchronous one
    method: Callable[[Any], Callable[..., Any]]
    said: str
    text: Callable[[Any], str]
    piece: Callable[[Any], str]
    options: dict[str, Any]

    def ask(self, client: Any, model: str, messages: list[Any], **options: Any) -> Any:
        return self.method(client)(model=model, **{self.said: messages}, **self.options, **options)


def chat(server: Loopback) -> Dialect:
    def make(is_async: bool = False) -> Any:
        kind = openai.AsyncOpenAI if is_async else openai.OpenAI
        return kind(base_url=server.url, api_key="none", max_retries=0)

    def piece(chunk: Any) -> str:
        return (chunk.choices[0].delta.content or "") if chunk.choices else ""

    return Dialect(
        "openai",
        make,
        lambda client: client.chat.completions.create,
        "messages",
        lambda answer: answer.choices[0].message.content,
        piece,
        {},
    )


def responses(server: ResponsesLoopback) -> Dialect:
    def make(is_async: bool = False) -> Any:
        kind = openai.AsyncOpenAI if is_async else openai.OpenAI
        return kind(base_url=server.url, api_key="none", max_retries=0)

    return Dialect(
        "openai",
        make,
        lambda client: client.responses.create,
        "input",
        lambda answer: answer.output_text,
        lambda event: event.delta if event.type == "response.output_text.delta" else "",
        {},
    )


def claude(server: Loopback) -> Dialect:
    anthropic = pytest.importorskip("anthropic")

    def make(is_async: bool = False) -> Any:
        kind = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
        return kind(base_url=server.root, api_key="none", max_retries=0)

    def piece(event: Any) -> str:
        is_text = event.type == "content_block_delta" and event.delta.type == "text_delta"
        return event.delta.text if is_text else ""

    return Dialect(
        "anthropic",
        make,
        lambda client: client.messages.create,
        "messages",
        lambda answer: "".join(block.text for block in answer.content if block.type == "text"),
        piece,
        {"max_tokens": 99},
    )


@pytest.fixture(params=["chat", "responses", "claude"])
def dialect(request) -> Iterator[Dialect]:
    with ExitStack() as stack:
        if request.param == "responses":
            yield responses(stack.enter_context(ResponsesLoopback()))
        else:
            server = stack.enter_context(Loopback() if request.param == "chat" else AnthropicLoopback())
            yield chat(server) if request.param == "chat" else claude(server)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


@pytest.fixture
def session(new) -> Session:
    return new()


def recorded(client: Any, session: Session) -> Any:
    return wrapped(client, Recorder(lambda: session.live))


def said(state: Any) -> list[tuple[str, str]]:
    """Return who said what; thoughts, of which nothing is shown, left out."""
    return [(role, text.rstrip()) for role, text in told(state) if text]


def test_turns(dialect: Dialect, session, stored) -> None:
    """Of histories that are sent again whole, only what is new is recorded, with the answer and what it cost."""
    client = recorded(dialect.make(), session)
    history: list[Any] = [USER]
    first = dialect.ask(client, "echo", history)
    history += [{"role": "assistant", "content": dialect.text(first)}, {"role": "user", "content": "two"}]

    second = dialect.ask(client, "echo", history)

    state = stored(session.id)
    assert dialect.text(second).strip() == f"{ECHO}two"
    assert said(state) == [("user", "one"), ("assistant", f"{ECHO}one"), ("user", "two"), ("assistant", f"{ECHO}two")]
    assert state.messages[-1].model == f"{dialect.provider}:echo"
    assert state.messages[-1].usage is not None
    assert {message.status for message in state.messages} == {"complete"}


def test_streams(dialect: Dialect, session, stored) -> None:
    """Each piece passes as the client gives it, and the answer stands in the session when the loop ends."""
    plain = [dialect.piece(piece) for piece in dialect.ask(dialect.make(), "count-9", [USER], stream=True)]
    stream = dialect.ask(recorded(dialect.make(), session), "count-9", [USER], stream=True)

    pieces = [dialect.piece(piece) for piece in stream]

    assert pieces == plain
    assert said(stored(session.id)) == [("user", "one"), ("assistant", "".join(plain).rstrip())]
    assert stored(session.id).messages[-1].status == "complete"


def test_asynchronous(dialect: Dialect, session, stored) -> None:
    """The same through an asynchronous client, streaming and not."""

    async def run() -> None:
        async with recorded(dialect.make(is_async=True), session) as client:
            answer = await dialect.ask(client, "echo", [USER])
            history = [USER, {"role": "assistant", "content": dialect.text(answer)}, {"role": "user", "content": "two"}]
            async for _ in await dialect.ask(client, "count-3", history, stream=True):
                pass

    asyncio.run(run())

    assert said(stored(session.id)) == [
        ("user", "one"),
        ("assistant", f"{ECHO}one"),
        ("user", "two"),
        ("assistant", "0 1 2"),
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_errors_pass(dialect: Dialect, session, stored, stream) -> None:
    """The client's own error comes through; the question is kept, and the answer as failed. Asking again asks once."""
    client = recorded(dialect.make(), session)

    with pytest.raises(Exception, match="401") as raised:
        dialect.ask(client, "err-401", [USER], stream=stream)
    dialect.ask(client, "echo", [USER])

    question, failed, answer = (message for message in stored(session.id).messages if message.text or message.error)
    assert type(raised.value).__name__ == "AuthenticationError"
    assert (question.text, failed.status, answer.text.rstrip()) == ("one", "failed", f"{ECHO}one")
    assert failed.error.startswith("AuthenticationError")


def test_a_stream_that_breaks(dialect: Dialect, session, stored) -> None:
    """A lost connection raises what the client raises; what had come is kept as failed."""
    stream = dialect.ask(recorded(dialect.make(), session), "drop-5", [USER], stream=True)
    pieces: list[str] = []

    with pytest.raises(Exception, match=r"(?i)peer|connection|incomplete") as raised:
        pieces += (dialect.piece(piece) for piece in stream)

    answer = stored(session.id).messages[-1]
    assert not isinstance(raised.value, RecordingWarning)
    assert (answer.status, len(answer.text.split())) == ("failed", 5)


@pytest.mark.parametrize("end", ["close", "break", "with", "interrupt"])
def test_a_stream_that_is_left(dialect: Dialect, session, stored, end) -> None:
    """A stream that is closed, left or interrupted is kept as far as it was read, and called so."""
    stream = dialect.ask(recorded(dialect.make(), session), "count-50", [USER], stream=True)

    def read(stream: Any) -> str:
        text = ""
        while text.count(" ") < 3:
            text += dialect.piece(next(stream))
        return text

    if end == "with":
        with stream:
            text = read(stream)
    elif end == "interrupt":
        text = read(stream)
        stream._target = InterruptedStream()
        with pytest.raises(KeyboardInterrupt):
            next(stream)
    else:
        text = read(stream)
        if end == "close":
            stream.close()
    del stream
    gc.collect()

    answer = stored(session.id).messages[-1]
    assert (answer.status, answer.text) == ("interrupted", text)


class InterruptedStream:
    """What ^C makes of a stream that waits."""

    def __next__(self) -> None:
        raise KeyboardInterrupt


def test_an_asynchronous_stream_that_is_left(dialect: Dialect, session, stored) -> None:
    """The same as for synchronous ones."""

    async def run() -> str:
        client = recorded(dialect.make(is_async=True), session)
        stream = await dialect.ask(client, "count-50", [USER], stream=True)
        text = ""
        async for piece in stream:
            text += dialect.piece(piece)
            if text.count(" ") == 3:
                break
        await stream.close()
        return text

    text = asyncio.run(run())

    answer = stored(session.id).messages[-1]
    assert (answer.status, answer.text) == ("interrupted", text)


def test_a_cancelled_task(session, stored, server) -> None:
    """A task that is cancelled while it waits for the next piece ends as cancelled; what had come is kept."""

    async def read() -> None:
        client = recorded(chat(server).make(is_async=True), session)
        async for _ in await client.chat.completions.create(model="stall-3", messages=[USER], stream=True):
            pass

    async def run() -> None:
        task = asyncio.ensure_future(read())
        while not server.requests or len(server.requests[-1].sent) < 3:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

    answer = stored(session.id).messages[-1]
    assert (answer.status, answer.text) == ("interrupted", "part0 part1 part2 ")


def test_an_answer_at_its_limit(session, stored, server) -> None:
    """An answer that ended at its length limit is not called complete."""
    client = recorded(chat(server).make(), session)

    client.chat.completions.create(model="length", messages=[USER])
    list(client.chat.completions.create(model="eof-2", messages=[{"role": "user", "content": "two"}], stream=True))

    assert [message.status for message in stored(session.id).messages][1::2] == ["truncated", "truncated"]


def test_calls_of_tools(dialect: Dialect, session, stored) -> None:
    """What the model asks of a tool is put together from its pieces, and results are recorded with the next call."""
    if dialect.said == "input":
        pytest.skip("the server of the Responses API calls no tools")
    parameters = {"type": "object", "properties": {}}
    tool = {"type": "function", "function": {"name": "count", "parameters": parameters}}
    tools = [tool] if dialect.provider == "openai" else [{"name": "count", "input_schema": parameters}]
    client = recorded(dialect.make(), session)

    for _ in dialect.ask(client, "tool", [USER], tools=tools, stream=True):
        pass
    [call] = [part for part in stored(session.id).messages[1].parts if part["type"] == "tool_call"]
    history = (
        [USER, *to_openai(session.messages[1:2]), {"role": "tool", "tool_call_id": call["id"], "content": "120"}]
        if dialect.provider == "openai"
        else [
            USER,
            {"role": "assistant", "content": [{"type": "tool_use", "id": call["id"], "name": "count", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "120"}]},
        ]
    )
    dialect.ask(client, "tool", history, tools=tools)

    state = stored(session.id)
    assert (call["name"], call["arguments"]) == ("count", {})
    assert [message.role for message in state.messages] == ["user", "assistant", "tool", "assistant"]
    assert state.messages[-1].text == "The tool said: 120"


def test_instructions(session, stored, server) -> None:
    """What the model is told before is recorded once, and again when it changes."""
    client = recorded(chat(server).make(), session)
    for told_before in ("Be terse.", "Be terse.", "Be kind."):
        client.chat.completions.create(
            model="echo",
            messages=[{"role": "system", "content": told_before}, {"role": "user", "content": told_before}],
        )

    assert [text for role, text in told(stored(session.id)) if role == "system"] == ["Be terse.", "Be kind."]


def test_a_window(session, stored, server) -> None:
    """Of a history that is sent without its beginning, what is known is known."""
    client = recorded(chat(server).make(), session)
    history: list[Any] = []
    for number in range(6):
        history.append({"role": "user", "content": f"question {number}"})
        answer = client.chat.completions.create(model="echo", messages=history[-3:])
        history.append(answer.choices[0].message)

    assert [text for _, text in told(stored(session.id))] == [
        text for number in range(6) for text in (f"question {number}", f"{ECHO}question {number}")
    ]


def test_the_same_question_again(session, stored, server) -> None:
    """A question that was answered and is asked again stands before its new answer."""
    client = recorded(chat(server).make(), session)
    for _ in range(2):
        client.chat.completions.create(model="echo", messages=[USER])

    assert [role for role, _ in told(stored(session.id))] == ["user", "assistant"] * 2


def test_another_process_goes_on(session, stored, server, resumed) -> None:
    """After a restart the history is known again by what the session holds; keys that were redacted do not hinder that."""
    key = "AKIAQWERTYUIOPASDFGH"
    history: list[Any] = [{"role": "user", "content": f"Use {key}."}]
    answer = recorded(chat(server).make(), session).chat.completions.create(model="echo", messages=history)
    history += [answer.choices[0].message, {"role": "user", "content": "two"}]
    session = resumed(session)

    recorded(chat(server).make(), session).chat.completions.create(model="echo", messages=history)

    assert [role for role, _ in told(stored(session.id))] == ["user", "assistant"] * 2
    assert key not in str(told(stored(session.id)))
    assert server.requests[-1].messages[0][1] == f"Use {key}."


def test_everything_else_is_the_clients(session, server) -> None:
    """A wrapped client is taken for the client, passes what is not recorded, and its copies record, too."""
    plain = chat(server).make()
    client = recorded(plain, session)

    assert isinstance(client, openai.OpenAI)
    assert inspect.signature(plain.models.list) == inspect.signature(client.models.list)
    assert {model.id for model in client.models.list()} >= {"echo"}
    assert client.base_url == plain.base_url
    assert "OpenAI" in repr(client)
    client.with_options(timeout=5).chat.completions.create(model="echo", messages=(message for message in [USER]))
    assert [role for role, _ in told(session.live.state)] == ["user", "assistant"]
    raw = client.chat.completions.with_raw_response.create(model="echo", messages=[USER])
    assert raw.parse().choices[0].message.content == f"{ECHO}one"
    with pytest.raises(AttributeError):
        client.nothing  # noqa: B018


def test_no_client(session) -> None:
    """What is no such client is refused, and the error says what was expected."""
    with pytest.raises(InvalidField, match="expected a client of OpenAI or Anthropic, found dict"):
        recorded({}, session)


def test_a_full_disk(session, server, stored, monkeypatch) -> None:
    """A store that fails is warned of once, never fails the call, and gets everything once it works again."""
    from jido_jupyter.errors import StoreFull
    from jido_jupyter.store.file import FileStore

    def full(*args: Any, **options: Any) -> Any:
        raise StoreFull("/store", "no space left on device", "Free some space.")

    client = recorded(chat(server).make(), session)
    with monkeypatch.context() as patched, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        patched.setattr(FileStore, "append", full)
        first = client.chat.completions.create(model="echo", messages=[USER])
        pieces = list(
            client.chat.completions.create(model="count-3", messages=[{"role": "user", "content": "x"}], stream=True)
        )

    assert first.choices[0].message.content == f"{ECHO}one"
    assert len(pieces) > 3
    [warning] = [one for one in warned if one.category is RecordingWarning]
    assert "save()" in str(warning.message)
    assert stored(session.id).messages == ()
    session.save()
    assert [role for role, _ in told(stored(session.id))] == ["user", "assistant"] * 2


def test_a_slow_disk(session, server, stored, monkeypatch) -> None:
    """While a piece is being written for a long time, the next ones pass."""
    from jido_jupyter.services.live import LiveSession

    write = LiveSession.record_partial

    def slow(*arguments: Any) -> None:
        time.sleep(0.6)
        write(*arguments)

    monkeypatch.setattr(LiveSession, "record_partial", slow)
    client = recorded(chat(server).make(), session)
    at = [
        time.monotonic()
        for _ in client.chat.completions.create(model="count-150+delay-8", messages=[USER], stream=True)
    ]

    assert max(later - earlier for earlier, later in itertools.pairwise(at)) < 0.4
    assert len(stored(session.id).messages[-1].text.split()) == 150


def test_a_recorder_that_fails(server) -> None:
    """Whatever is wrong here, the client works as it does."""

    def nowhere() -> Any:
        raise RuntimeError("no session")

    client = wrapped(chat(server).make(), Recorder(nowhere))
    with pytest.warns(RecordingWarning, match="no session"):
        answer = client.chat.completions.create(model="echo", messages=[USER])
    assert answer.choices[0].message.content == f"{ECHO}one"
    assert len(list(client.chat.completions.create(model="count-3", messages=[USER], stream=True))) > 3


def test_killed_while_streaming(tmp_path: Path, server, connection, stored) -> None:
    """SIGKILL amid a stream: the question and all but the last second of the answer are there, marked as interrupted."""
    program = textwrap.dedent(
        """
        import sys, openai, jido_jupyter as jido
        client = jido.wrap(openai.OpenAI(base_url=sys.argv[1], api_key="none"))
        messages = [{"role": "user", "content": "count"}]
        for chunk in client.chat.completions.create(model="count-3000+delay-5", messages=messages, stream=True):
            print(chunk.choices[0].delta.content or "-", flush=True)
        """
    )
    env = {**environment(tmp_path), "JIDO_HOME": os.environ["JIDO_HOME"]}
    child = subprocess.Popen(
        [sys.executable, "-c", program, server.url], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(3 * JOURNAL_S)
    child.send_signal(signal.SIGKILL)
    came = len(child.stdout.read().split()) - 1
    child.wait()

    [summary] = connection.sessions.list()
    question, answer = stored(summary.id).messages
    kept = len(answer.text.split())
    assert (question.text, answer.status) == ("count", "interrupted")
    assert kept >= came - 2 * JOURNAL_S / 0.005
    assert kept > 50
