"""A turn in an open session: durable before it is asked, while it streams, and when it ends."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.assistants.conversation import Desk, Request, Session
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Emit, Said, StepEnd, StopToken, TextDelta, Tool, ToolCall, ToolResult
from jido_jupyter.core.messages import Message, Usage
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import replay
from jido_jupyter.core.window import Window
from jido_jupyter.errors import IllegalTransition, PayloadTooLarge, SessionNotFound, StoreFull
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.clock import FakeClock
from tests.support.stores import FullStore

OWNER = Owner("kernel", "here", 1)


class Scripted:
    """An assistant that does what a test says."""

    model_id = "test:scripted"
    label = "a script"

    def __init__(self, play: Callable[[Emit, StopToken], StepEnd]) -> None:
        self.play = play
        self.histories: list[Sequence[Message]] = []

    async def step(
        self, said: Sequence[Message], instruction: str, tools: Sequence[Tool], emit: Emit, stop: StopToken
    ) -> StepEnd:
        import asyncio

        self.histories.append(said)
        return await asyncio.to_thread(self.play, emit, stop)


def echo(emit: Emit, stop: StopToken) -> StepEnd:
    emit(TextDelta("Hello "))
    emit(TextDelta("there."))
    return StepEnd("complete")


@pytest.fixture
def store() -> FullStore:
    return FullStore(max_bytes=10_000)


@pytest.fixture
def make(tmp_path: Path, store: FullStore) -> Callable[..., Session]:
    clock = FakeClock()
    limits = Limits(FileLimiter(str(tmp_path), clock.boot), Window(5, 60), Window(20, 60))
    numbers = itertools.count(1)
    sessions = Sessions(store, limits, max_sessions=9, clock=clock.now, mint_id=lambda: f"id{next(numbers)}")
    return lambda assistant, around=None: Session(
        sessions.new(OWNER), Engine(), lambda: assistant, sessions.mint_id, around
    )


def read(store: MemoryStore, session: Session) -> list[tuple[str, str, str]]:
    stored = store.read(session.id)
    return [(said.role, said.text, said.status) for said in replay(stored.header, stored.records).messages]


def test_a_turn_is_stored_and_shown_alike(make, store) -> None:
    """The text that was shown is the text that is stored, behind its question."""
    session, shown = make(Scripted(echo)), []

    turn = session.ask("Hi", show=lambda event: isinstance(event, TextDelta) and shown.append(event.text))

    assert "".join(shown) == turn.answer.text == "Hello there."
    assert read(store, session) == [("user", "Hi", "complete"), ("assistant", "Hello there.", "complete")]
    assert turn.unsaved is None


def test_the_next_question_comes_with_the_earlier_turns(make) -> None:
    """An assistant gets the whole conversation, the question last."""
    assistant = Scripted(echo)
    session = make(assistant)

    session.ask("one")
    session.ask("two")

    assert [message.text for message in assistant.histories[1]] == ["one", "Hello there.", "two"]


def test_the_question_is_stored_before_it_is_asked(make, store) -> None:
    """A process that dies while it waits for the first word has kept the question."""
    seen = []
    session = make(Scripted(lambda emit, stop: seen.append(read(store, session)) or StepEnd("complete")))

    session.ask("Hi")

    assert seen == [[("user", "Hi", "complete")]]


def test_text_is_stored_while_it_streams(make, store) -> None:
    """Within a second of its arrival text is in the session's log, but for the last word, which may be half a key."""
    seen = []

    def slow(emit: Emit, stop: StopToken) -> StepEnd:
        emit(TextDelta("early words and"))
        deadline = time.monotonic() + 1
        while len(read(store, session)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        seen.extend(read(store, session))
        return StepEnd("complete")

    session = make(Scripted(slow))
    session.ask("Hi")

    assert seen[1] == ("assistant", "early words ", "interrupted")
    assert read(store, session)[1] == ("assistant", "early words and", "complete")


@pytest.mark.parametrize("how", ["failed", "truncated", "interrupted"])
def test_how_an_answer_ended_is_stored(make, store, how) -> None:
    """An answer that did not end well never looks complete, and keeps its text and reason."""

    def play(emit: Emit, stop: StopToken) -> StepEnd:
        emit(TextDelta("part"))
        return StepEnd(how, "The server went away; ask again.")

    session = make(Scripted(play))
    turn = session.ask("Hi")

    assert read(store, session)[1] == ("assistant", "part", how)
    assert turn.answer.error == "The server went away; ask again."


def test_stop_ends_the_answer_and_keeps_it(make, store) -> None:
    """Stopping from another thread ends the turn at once; what had come is stored."""

    def endless(emit: Emit, stop: StopToken) -> StepEnd:
        emit(TextDelta("first"))
        stopped = threading.Event()
        stop.on_stop(stopped.set)
        assert stopped.wait(5)
        return StepEnd("interrupted")

    session = make(Scripted(endless))
    threading.Timer(0.1, session.stop).start()
    session.ask("Hi")

    assert read(store, session)[1] == ("assistant", "first", "interrupted")
    assert not session.is_busy


def test_a_second_question_waits_its_turn(make) -> None:
    """While an answer streams another question is refused with the next step."""
    release = threading.Event()
    session = make(Scripted(lambda emit, stop: StepEnd("complete") if release.wait(5) else StepEnd("failed")))
    running = session.start("one", lambda event: None).turn

    with pytest.raises(IllegalTransition, match="stop it first"):
        session.ask("two")

    release.set()
    running.result(5)
    session.ask("three")


def test_a_full_disk_still_gives_the_answer(make, store) -> None:
    """The answer is shown, told to be unsaved, and saved once there is room."""
    session = make(Scripted(echo))
    store.is_full = True

    turn = session.ask("Hi")

    assert turn.answer.text == "Hello there."
    assert isinstance(turn.unsaved, StoreFull)
    store.is_full = False
    session.save()
    assert read(store, session) == [("user", "Hi", "complete"), ("assistant", "Hello there.", "complete")]


def test_a_full_session_is_not_asked(make, store) -> None:
    """A question that does not fit is refused before the model sees it."""
    assistant = Scripted(echo)
    session = make(assistant)

    with pytest.raises(PayloadTooLarge):
        session.ask("x" * 20_000)

    assert assistant.histories == []
    assert session.messages == ()


def test_a_closed_session_says_how_to_go_on(make) -> None:
    """Asking in a closed session names the resume."""
    session = make(Scripted(echo))
    session.close()

    with pytest.raises(IllegalTransition, match="%jido resume"):
        session.ask("Hi")


def calling(*calls: ToolCall) -> Callable[[Emit, StopToken], StepEnd]:
    """A model that asks for tools in its first step, and says "done" in the second."""
    steps = [StepEnd("calls", calls=calls)]

    def play(emit: Emit, stop: StopToken) -> StepEnd:
        if steps:
            return steps.pop()
        emit(TextDelta("done"))
        return StepEnd("complete")

    return play


class Shelf:
    """Surroundings with one tool."""

    def __init__(self, work: Callable[[], str]) -> None:
        self.work = work

    def instruction(self) -> str:
        return "Be brief."

    def tools(self, session: Session, desk: Desk) -> Sequence[Tool]:
        async def run(arguments: Mapping[str, Any]) -> ToolResult:
            if not await desk.allows(Request("double", f"double {arguments}")):
                return ToolResult("The user said no.", "denied")
            return ToolResult(await desk.in_main(self.work))

        return [Tool("double", "Doubles.", {"type": "object"}, run)]

    def look(self) -> Mapping[str, Any]:
        return {"cells": []}


def test_tools_run_in_the_asking_thread_and_every_step_is_stored(make, store) -> None:
    """A call is stored before its tool runs, the result before the model goes on, the notebook's looks with the end."""
    seen, threads = [], []

    def work() -> str:
        seen.extend(read(store, session))
        threads.append(threading.current_thread())
        return "84"

    session = make(Scripted(calling(ToolCall("c1", "double", {"n": 42}))), Shelf(work))
    turn = session.ask("Hi", consent=lambda request: request.tool == "double")

    assert threads == [threading.current_thread()]
    assert [role for role, _, _ in seen] == ["user", "assistant", "tool"]  # the last one: closed as if it were cut off
    assert [message.role for message in turn.said] == ["assistant", "tool", "assistant"]
    assert turn.said[1].parts == ({"type": "tool_call_response", "id": "c1", "response": "84"},)
    assert turn.answer.text == "done"
    assert session.live.state.context == {"cells": []}


@pytest.mark.parametrize(
    ("call", "consent", "outcome", "words"),
    [
        (ToolCall("c1", "double", {}), None, "denied", "said no"),
        (ToolCall("c1", "treble", {}), None, "failed", "no tool 'treble'"),
        (ToolCall("c1", "double", {}), lambda request: 1 / 0, "failed", "ZeroDivisionError"),
    ],
)
def test_a_tool_that_does_not_run_is_told_to_the_model(make, call: ToolCall, consent, outcome: str, words: str) -> None:
    """Denied, unknown or broken: the model hears why, and the turn goes on."""
    session = make(Scripted(calling(call)), Shelf(lambda: "never"))

    turn = session.ask("Hi", consent=consent)

    part = turn.said[1].parts[0]
    assert part["outcome"] == outcome
    assert words in part["response"]
    assert turn.answer.text == "done"


def test_an_interrupted_tool_is_stored_as_such(make) -> None:
    """^C while a tool runs in the main thread ends the turn; the engine lives on."""

    def work() -> str:
        raise KeyboardInterrupt

    session = make(Scripted(calling(ToolCall("c1", "double", {}))), Shelf(work))
    turn = session.ask("Hi", consent=lambda request: True)

    assert turn.said[1].parts[0]["outcome"] == "interrupted"
    assert session.ask("again").answer.status == "complete"


KEY = "sk-" + "aB3dE5fG7hJ9kL1m" * 3
MARK = "[redacted: OpenAI key]"


def test_a_key_is_neither_stored_nor_sent(make, store) -> None:
    """What was taken out of question, answer, call and result is gone everywhere but in the call that runs."""
    steps = [StepEnd("calls", calls=(ToolCall("c1", "double", {"env": {"KEY": KEY}}),))]
    heard = []

    def play(emit: Emit, stop: StopToken) -> StepEnd:
        emit(TextDelta(f"use {KEY}"))
        return steps.pop() if steps else StepEnd("complete")

    assistant = Scripted(play)
    session = make(assistant, Shelf(lambda: f"it is {KEY}"))
    turn = session.ask(f"my key: {KEY}", show=heard.append, consent=lambda request: KEY in request.summary)

    assert turn.redacted == 5
    assert [message.ext.get("redacted") for message in session.messages] == [1, 2, 1, 1]
    assert turn.question.text == f"my key: {MARK}"
    assert turn.answer.text == f"use {MARK}"
    assert KEY not in str(assistant.histories)
    assert KEY not in str([event for event in heard if isinstance(event, Said)])
    assert KEY not in str(store.read(session.id).records)


def test_what_was_said_elsewhere_comes_back_as_it_is_stored(make) -> None:
    """A recorded message is returned without the key that is not stored."""
    assert make(Scripted(echo)).record("user", f"key {KEY}").text == f"key {MARK}"


def test_usage_is_the_sum_of_the_steps(make) -> None:
    """Each step of a turn is counted; where no server said, the number is unknown and not zero."""
    ends = [StepEnd("complete"), StepEnd("calls", usage=Usage(10, None), calls=(ToolCall("c1", "x", {}),))]
    session = make(Scripted(lambda emit, stop: ends.pop() if ends else StepEnd("complete")))

    counted = session.ask("Hi")
    uncounted = session.ask("again")

    assert counted.usage == Usage(10, None)
    assert uncounted.usage == Usage(None, None)
    assert session.usage == Usage(10, None)


def test_half_a_call_does_not_run(make) -> None:
    """A call that says why it cannot run is told to the model instead."""
    call = ToolCall("c1", "double", {"arguments": '{"n": 4'}, "The arguments are cut.")
    session = make(Scripted(calling(call)), Shelf(lambda: 1 / 0))

    turn = session.ask("Hi", consent=lambda request: True)

    assert turn.said[1].parts[0] == {
        "type": "tool_call_response",
        "id": "c1",
        "response": "The arguments are cut.",
        "outcome": "failed",
    }


def test_a_store_that_hangs_holds_up_no_stream(make, store, monkeypatch) -> None:
    """While a piece of an answer waits for the store, the engine's loop goes on; the answer is stored after the piece."""
    append, began, gate = store.append, threading.Event(), threading.Event()

    def hang(*arguments: Any, durable: bool = True, **options: Any) -> Any:
        if not durable:
            began.set()
            assert gate.wait(10)
        return append(*arguments, durable=durable, **options)

    def wait_for_the_piece(emit: Emit, stop: StopToken) -> StepEnd:
        emit(TextDelta("early words and "))
        assert began.wait(10)
        loop_went_on.extend([session._engine.submit(nothing()).result(5)])
        gate.set()
        return StepEnd("complete")

    async def nothing() -> bool:
        return not gate.is_set()

    loop_went_on: list[bool] = []
    monkeypatch.setattr(store, "append", hang)
    session = make(Scripted(wait_for_the_piece))

    session.ask("Hi")

    assert loop_went_on == [True]
    assert read(store, session)[1] == ("assistant", "early words and ", "complete")


def test_a_piece_that_meets_a_conflict_does_not_cost_the_answer(make, store, monkeypatch) -> None:
    append, refused = store.append, threading.Event()

    def refuse(session_id: str, *arguments: Any, durable: bool = True, **options: Any) -> Any:
        if not durable:
            refused.set()
            raise SessionNotFound(session_id)
        return append(session_id, *arguments, durable=durable, **options)

    def play(emit: Emit, stop: StopToken) -> StepEnd:
        emit(TextDelta("early words and "))
        assert refused.wait(10)
        return StepEnd("complete")

    monkeypatch.setattr(store, "append", refuse)
    session = make(Scripted(play))

    session.ask("Hi")

    assert read(store, session)[1] == ("assistant", "early words and ", "complete")
