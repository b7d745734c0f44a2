import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from jido_jupyter.assistants import guide, sources
from jido_jupyter.assistants.endpoints import Endpoint, find_endpoint
from jido_jupyter.assistants.port import (
    Assistant,
    Event,
    ReasoningDelta,
    StepEnd,
    StopToken,
    TextDelta,
    Tool,
    ToolResult,
)
from jido_jupyter.assistants.pydantic_engine import (
    INSTRUCTION,
    PydanticAssistant,
    guide_assistant,
    server_assistant,
)
from jido_jupyter.assistants.sources import ServerSource
from jido_jupyter.core.messages import Message, Part, Role, Status, Usage, text_part
from tests.support.openai_loopback import Loopback, patience_s

PROMPT = "Hello there,\n  what is  in `df`? "
KEY = "sk-very-secret-key"
DEAD = "http://127.0.0.1:9"


@dataclass
class Heard:
    """What came out of a turn."""

    events: list[Event] = field(default_factory=list)
    end: StepEnd = field(default_factory=lambda: StepEnd("failed", "not asked"))

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def reasoning(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))


def ask(
    assistant: Assistant,
    prompt: str = PROMPT,
    history: Sequence[Message] = (),
    stop: StopToken | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Heard:
    heard = Heard()

    def emit(event: Event) -> None:
        heard.events.append(event)
        on_event(event)

    heard.end = asyncio.run(assistant.step([*history, message("user", prompt)], "", (), emit, stop or StopToken()))
    return heard


def at(server: Loopback, model: str, silence_s: float = 30) -> PydanticAssistant:
    """Return an assistant that asks ``model`` of the loopback server."""
    endpoint = find_endpoint("openai", {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY})
    return PydanticAssistant(f"openai:{model}", model, ServerSource("openai", model, endpoint, silence_s))


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as loopback:
        ask(at(loopback, "echo"))  # openai 2 loads half of itself at the first question
        yield loopback


def message(role: Role, *content: str | Part, status: Status = "complete") -> Message:
    parts = tuple(text_part(part) if isinstance(part, str) else part for part in content)
    return Message("m", role, parts, "2026-11-20T10:00:00.000Z", status)


def stop_when(condition: Callable[[], Any], stop: StopToken) -> None:
    """Stop from a thread of its own, as a button or ^C does, as soon as ``condition`` holds."""

    def wait() -> None:
        while not condition():
            time.sleep(0.005)
        stop.stop()

    threading.Thread(target=wait, daemon=True).start()


# What the server does: how the turn ends, a piece of the sentence for the user, how often the server was asked.
FAULTS = [
    ("err-400", "failed", "refused the request (400). It said: loopback says 400.", 1),
    ("err-401", "failed", "refused the key (401). Set OPENAI_API_KEY", 1),
    ("err-403", "failed", "refused the key (403)", 1),
    ("err-404", "failed", "knows no model 'err-404'", 1),
    ("err-429", "failed", "takes no more requests now (429)", 3),
    ("err-500", "failed", "has trouble (500). It said: loopback says 500. Your question is kept", 3),
    ("err-503", "failed", "has trouble (503)", 3),
    ("drop-5", "failed", "The connection to {url} was lost. What came before is kept", 1),
    ("drop-0", "failed", "The connection to {url} was lost. Your question is kept", 1),
    ("reset-5", "failed", "The connection to {url} was lost", 1),
    ("errchunk-5", "failed", "loopback upstream failed", 1),
    ("garbage-5", "failed", "{url} sent something that cannot be read. What came before is kept", 1),
    ("garbage-0", "failed", "{url} sent something that cannot be read. Is OPENAI_BASE_URL", 1),
    ("eof-5", "truncated", "ended without saying that it is complete", 1),
    ("eof-0", "failed", "{url} sent no answer. Is OPENAI_BASE_URL", 1),
    ("stall-5", "failed", "{url} was silent for 0.5 s. What came before is kept", 1),
    ("hang", "failed", "{url} was silent for 0.5 s. Your question is kept", 1),
    ("length", "truncated", "length limit", 1),
    ("mute", "failed", "without a word of answer", 1),
]


@pytest.mark.parametrize(("model", "how", "sentence", "asked"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_fault(server: Loopback, model: str, how: str, sentence: str, asked: int) -> None:
    """Whatever the server does, its text comes out as it was sent, and one sentence tells what happened."""
    before = len(server.requests)

    heard = ask(at(server, model, silence_s=patience_s(model)))

    seen = server.requests[before:]
    assert heard.text == "".join(seen[-1].sent)
    assert len(seen) == asked
    assert heard.end.how == how
    assert heard.end.error is not None
    assert sentence.format(url=server.url) in heard.end.error
    assert "\n" not in heard.end.error
    assert "Traceback" not in heard.end.error
    assert KEY not in heard.end.error


@pytest.mark.parametrize("model", ["echo", "count-200", "nousage", "flaky-2-500", "flaky-1-429", "think", "delay-1"])
def test_complete(server: Loopback, model: str) -> None:
    """An answer that ends well comes out piece by piece and as it was sent, after repeated tries too."""
    heard = ask(at(server, model))

    assert heard.end.how == "complete"
    assert heard.end.error is None
    assert heard.text == "".join(server.requests[-1].sent)
    assert len(heard.events) >= 5
    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"


def test_reasoning_comes_apart(server: Loopback) -> None:
    """What the model thinks is told apart from what it answers."""
    heard = ask(at(server, "think"))

    assert heard.reasoning == "thinking it over"
    assert heard.text == f"You said: {PROMPT}"


def test_usage(server: Loopback) -> None:
    """The server's token counts come out; where it sends none they are unknown, not zero."""
    counted = ask(at(server, "count-20")).end
    uncounted = ask(at(server, "nousage")).end

    assert counted.usage is not None
    assert counted.usage.output_tokens == 20
    assert counted.usage.input_tokens
    assert uncounted.usage is None


def test_model_name(server: Loopback) -> None:
    """The name that the server gives comes out beside the one that was asked."""
    assert ask(at(server, "any/echo")).end.model_name == "any/echo"


def test_history_reaches_the_server(server: Loopback) -> None:
    """The server gets the texts of the conversation in order, unfinished answers too, neighbours of a role as one."""
    history = [
        message("user", "first"),
        message(
            "assistant", {"type": "reasoning", "content": "hm"}, "one", {"type": "tool_call", "id": "1", "name": "f"}
        ),
        message("tool", {"type": "tool_call_response", "id": "1", "response": "r"}),
        message("user", "second"),
        message("assistant", "half", status="interrupted"),
        message("system", "The kernel is new."),
        message("user", "third"),
        message("assistant", status="failed"),
    ]

    heard = ask(at(server, "echo"), "fourth", history)

    assert server.requests[-1].messages == [
        ("system", INSTRUCTION),
        ("user", "first"),
        ("assistant", "one"),
        ("tool", "r"),
        ("user", "second"),
        ("assistant", "half"),
        ("system", "The kernel is new."),
        ("user", "third\n\nfourth"),
    ]
    assert heard.end.how == "complete"


def call(call_id: str) -> Part:
    return {"type": "tool_call", "id": call_id, "name": "look", "arguments": {"a": call_id}}


def result(call_id: str, text: str = "r") -> Part:
    return {"type": "tool_call_response", "id": call_id, "response": text}


@pytest.mark.parametrize(
    ("history", "roles"),
    [
        ([message("assistant", call("1")), message("tool", result("1"))], ["assistant", "tool"]),
        ([message("assistant", call("1"), call("2")), message("tool", result("2"))], ["assistant", "tool"]),
        (
            [message("assistant", call("1"), call("2")), message("tool", result("2")), message("tool", result("1"))],
            ["assistant", "tool", "tool"],
        ),
        ([message("assistant", "so", call("1"))], ["assistant"]),
        ([message("tool", result("1"))], []),
        ([message("assistant", call("1")), message("user", "wait"), message("tool", result("1"))], []),
        (
            [message("assistant", call("1")), message("tool", result("1")), message("assistant", "x", call("1"))],
            ["assistant", "tool", "assistant"],
        ),
    ],
)
def test_only_calls_with_their_results_are_sent(server: Loopback, history: list[Message], roles: list[str]) -> None:
    """Whatever a session holds, each call that is sent has its result right behind it, also where ids come again."""
    heard = ask(at(server, "echo"), "and now?", [message("user", "first"), *history])

    sent = [role for role, _ in server.requests[-1].messages if role not in ("system", "user")]
    assert heard.end.how == "complete"
    assert sent == roles


def test_going_on_after_an_interrupted_answer(server: Loopback) -> None:
    """A model that looks back sees the questions of the resumed session."""
    history = [message("user", "first"), message("assistant", "half", status="interrupted")]

    assert ask(at(server, "context"), "and now?", history).text == "1. first\n"


def test_first_system_message_is_one(server: Loopback) -> None:
    """A briefing at the start joins the instruction: many chat templates refuse a second system message."""
    ask(at(server, "echo"), "hi", [message("system", "Briefing.")])

    assert server.requests[-1].messages == [("system", f"{INSTRUCTION}\n\nBriefing."), ("user", "hi")]


@pytest.mark.parametrize(("model", "pieces"), [("count-2000+delay-2", 5), ("stall-3", 3)])
def test_stop(server: Loopback, model: str, pieces: int) -> None:
    """A stop while text comes, and while the server is silent, closes the connection at once and keeps the text."""
    stop, heard_pieces = StopToken(), threading.Semaphore(0)
    stop_when(lambda: [heard_pieces.acquire() for _ in range(pieces)], stop)

    heard = ask(at(server, model), stop=stop, on_event=lambda event: heard_pieces.release())
    ended = time.monotonic()

    seen = server.requests[-1]
    assert heard.end == StepEnd("interrupted")
    assert len(heard.events) >= pieces
    assert "".join(seen.sent).startswith(heard.text)
    assert seen.over.wait(2)
    assert seen.cut
    assert time.monotonic() - ended < 1


def test_stop_before_the_first_piece(server: Loopback) -> None:
    """A stop while the model still thinks closes the connection too."""
    stop, before = StopToken(), len(server.requests)
    stop_when(lambda: len(server.requests) > before, stop)

    heard = ask(at(server, "hang"), stop=stop)

    assert heard.end == StepEnd("interrupted")
    assert server.requests[-1].over.wait(2)
    assert server.requests[-1].cut


def test_stopped_before_the_turn(server: Loopback) -> None:
    """After a stop nothing is asked any more."""
    stop, before = StopToken(), len(server.requests)
    stop.stop()

    assert ask(at(server, "echo"), stop=stop).end == StepEnd("interrupted")
    assert len(server.requests) == before


def test_stop_after_the_turn(server: Loopback) -> None:
    """A stop that comes too late, when the loop is closed, changes nothing and raises nothing."""
    stop = StopToken()
    heard = ask(at(server, "echo"), stop=stop)

    stop.stop()

    assert heard.end.how == "complete"


def test_cancel(server: Loopback) -> None:
    """Cancelling the coroutine propagates, after the connection is closed."""

    async def cancel_after_first_piece() -> bool:
        first = asyncio.Event()
        turn = asyncio.create_task(
            at(server, "stall-3").step([message("user", "hi")], "", (), lambda event: first.set(), StopToken())
        )
        await first.wait()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        return asyncio.all_tasks() == {asyncio.current_task()}

    assert asyncio.run(cancel_after_first_piece()), "a task was left behind"
    assert server.requests[-1].over.wait(2)
    assert server.requests[-1].cut


def test_cancel_wins_over_stop(server: Loopback) -> None:
    """A turn that is stopped and cancelled at once does not swallow the cancellation."""

    async def stop_and_cancel() -> None:
        first, stop = asyncio.Event(), StopToken()
        turn = asyncio.create_task(
            at(server, "stall-3").step([message("user", "hi")], "", (), lambda event: first.set(), stop)
        )
        await first.wait()
        stop.stop()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn

    asyncio.run(stop_and_cancel())


def test_long_answer_is_not_silence(server: Loopback) -> None:
    """An answer may take longer than the longest silence, as long as pieces come."""
    assert ask(at(server, "count-40+delay-20", silence_s=0.5)).end.how == "complete"


def test_nothing_stays_open(server: Loopback) -> None:
    """A turn closes its connection when it ends, not when the loop or the garbage collector does."""

    async def connections_after_a_turn() -> int:
        await at(server, "echo").step([message("user", "hi")], "", (), lambda event: None, StopToken())
        for _ in range(100):
            if not server.connections:
                break
            await asyncio.sleep(0.01)
        return server.connections

    assert asyncio.run(connections_after_a_turn()) == 0


def test_nobody_answers() -> None:
    """A server that is not started is told with its address and the setting that moves it."""
    heard = ask(server_assistant("openai", "x", find_endpoint("openai", {"OPENAI_BASE_URL": f"{DEAD}/v1"})))

    assert heard.end == StepEnd("failed", f"Nothing answers at {DEAD}/v1; start the server or set OPENAI_BASE_URL.")


def test_unencrypted_server(server: Loopback) -> None:
    """https to a server that speaks http is told as a matter of encryption, not as a missing server."""
    url = server.url.replace("http:", "https:")

    heard = ask(server_assistant("openai", "x", find_endpoint("openai", {"OPENAI_BASE_URL": url})))

    assert heard.end.how == "failed"
    assert "no trusted encrypted connection" in (heard.end.error or "")


def test_unknown_ollama_model(server: Loopback) -> None:
    """A model that Ollama does not have is told with the command that fetches it."""
    heard = ask(server_assistant("ollama", "err-404", find_endpoint("ollama", {"OLLAMA_HOST": server.root})))

    assert "ollama pull err-404" in (heard.end.error or "")


def test_wrong_path(server: Loopback) -> None:
    """An address without /v1 is told as a possible reason of a 404."""
    heard = ask(server_assistant("openai", "echo", find_endpoint("openai", {"OPENAI_BASE_URL": server.root})))

    assert "check that OPENAI_BASE_URL is right (it usually ends in /v1)" in (heard.end.error or "")


def test_rate_limit_tells_when() -> None:
    """A server that says how long to wait is quoted."""
    source = ServerSource("openai", "x", find_endpoint("openai", {"OPENAI_BASE_URL": f"{DEAD}/v1"}))

    end = source.explain(ModelHTTPError(429, "x", headers={"Retry-After": "30"}), has_text=False)

    assert "Try again in 30 s" in (end.error or "")


def test_key_is_not_repeated(server: Loopback) -> None:
    """A key that a server repeats in its error does not reach the screen or the session."""
    heard = ask(at(server, "err-400+leak"))

    assert "It said: loopback says 400 to Bearer …." in (heard.end.error or "")


def use_dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, DEAD)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_proxy_does_not_capture_this_machine(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not asked for a server on this machine."""
    use_dead_proxy(monkeypatch)

    assert ask(at(server, "echo")).end.how == "complete"


def test_proxy_is_used_for_others(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server elsewhere is asked through the proxy, and a proxy that is down is thought of in the error."""
    use_dead_proxy(monkeypatch)
    endpoint = Endpoint(server.url, KEY, use_proxy=True, setting="OPENAI_BASE_URL")

    heard = ask(server_assistant("openai", "echo", endpoint))

    assert heard.end.how == "failed"
    assert "cannot be reached. Check the network and the proxy settings" in (heard.end.error or "")


def test_any_event_loop(server: Loopback) -> None:
    """One assistant answers on several event loops, one after the other: it keeps no connection."""
    assistant = at(server, "echo")

    assert [ask(assistant).end.how for _ in range(2)] == ["complete", "complete"]


def test_turns_side_by_side(server: Loopback) -> None:
    """Turns on one loop do not mix their answers."""

    async def both() -> list[str]:
        texts = ["", ""]

        async def one(number: int) -> None:
            def emit(event: Event) -> None:
                texts[number] += event.text

            await at(server, "echo+delay-2").step([message("user", f"question {number}")], "", (), emit, StopToken())

        await asyncio.gather(one(0), one(1))
        return texts

    assert asyncio.run(both()) == ["You said: question 0", "You said: question 1"]


def test_guide_speaks_word_by_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide goes through the same code: it streams, sees the conversation, and counts no tokens."""
    monkeypatch.setattr(sources, "WORD_S", 0)
    history = [message("user", "How do I save?"), message("assistant", "so"), message("user", "And then?")]

    heard = ask(guide_assistant(), "What did I ask before?", history)

    assert heard.text == guide.answer("What did I ask before?", ["How do I save?", "And then?"])
    assert len(heard.events) == len(heard.text.split())
    assert heard.end == StepEnd("complete", usage=None, model_name="jido-guide-1")


def test_guide_looks_before_it_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked what there is, the guide asks for the tool that shows it, then says where it stands; the next question is new."""
    monkeypatch.setattr(sources, "WORD_S", 0)
    question = message("user", "Which variables are there?")

    async def never(arguments: object) -> ToolResult:
        raise AssertionError("a step runs no tools")

    def step(*said: Message) -> tuple[str, StepEnd]:
        pieces: list[str] = []
        tools = [Tool("variables", "Lists.", {"type": "object", "properties": {}}, never)]
        work = guide_assistant().step(said, "", tools, lambda event: pieces.append(event.text), StopToken())
        end = asyncio.run(work)
        return "".join(pieces), end

    _, first = step(question)
    looked = [message("assistant", call(first.calls[0].id)), message("tool", result(first.calls[0].id, "df: 3 x 4"))]
    text, second = step(question, *looked)
    after, third = step(question, *looked, message("user", "hello"))

    assert (first.how, first.calls[0].name, first.calls[0].arguments) == ("calls", "variables", {})
    assert "what I found, 1 line, stands above" in text
    assert second.how == third.how == "complete"
    assert "I looked" not in after


def test_guide_can_be_stopped() -> None:
    """A stop ends the guide's answer in the middle."""
    stop = StopToken()

    heard = ask(guide_assistant(), stop=stop, on_event=lambda event: stop.stop())

    assert heard.end == StepEnd("interrupted")
    assert len(heard.events) < 10


def test_ends_carry_what_the_server_counted(server: Loopback) -> None:
    """An answer cut off by its length was paid for: its tokens are counted."""
    assert isinstance(ask(at(server, "length")).end.usage, Usage)
