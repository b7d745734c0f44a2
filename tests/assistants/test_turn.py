"""A turn in an open session: durable before it is asked, while it streams, and when it ends."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from jido_jupyter.assistants.conversation import Session
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Emit, StopToken, TextDelta, TurnEnd
from jido_jupyter.core.messages import Message
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import replay
from jido_jupyter.core.window import Window
from jido_jupyter.errors import IllegalTransition, PayloadTooLarge, StoreFull
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

    def __init__(self, play: Callable[[Emit, StopToken], TurnEnd]) -> None:
        self.play = play
        self.histories: list[Sequence[Message]] = []

    async def turn(self, history: Sequence[Message], prompt: str, emit: Emit, stop: StopToken) -> TurnEnd:
        import asyncio

        self.histories.append(history)
        return await asyncio.to_thread(self.play, emit, stop)


def echo(emit: Emit, stop: StopToken) -> TurnEnd:
    emit(TextDelta("Hello "))
    emit(TextDelta("there."))
    return TurnEnd("complete")


@pytest.fixture
def store() -> FullStore:
    return FullStore(max_bytes=10_000)


@pytest.fixture
def make(tmp_path: Path, store: FullStore) -> Callable[[Scripted], Session]:
    clock = FakeClock()
    limits = Limits(FileLimiter(str(tmp_path), clock.boot), Window(5, 60), Window(20, 60))
    numbers = itertools.count(1)
    sessions = Sessions(store, limits, max_sessions=9, clock=clock.now, mint_id=lambda: f"id{next(numbers)}")
    return lambda assistant: Session(sessions.new(OWNER), Engine(), lambda: assistant, sessions.mint_id)


def read(store: MemoryStore, session: Session) -> list[tuple[str, str, str]]:
    stored = store.read(session.id)
    return [(said.role, said.text, said.status) for said in replay(stored.header, stored.records).messages]


def test_a_turn_is_stored_and_shown_alike(make, store) -> None:
    """The text that was shown is the text that is stored, behind its question."""
    session, shown = make(Scripted(echo)), []

    turn = session.ask("Hi", show=lambda event: shown.append(event.text))

    assert "".join(shown) == turn.answer.text == "Hello there."
    assert read(store, session) == [("user", "Hi", "complete"), ("assistant", "Hello there.", "complete")]
    assert turn.unsaved is None


def test_the_next_question_comes_with_the_earlier_turns(make) -> None:
    """An assistant gets the whole conversation before the question."""
    assistant = Scripted(echo)
    session = make(assistant)

    session.ask("one")
    session.ask("two")

    assert [message.text for message in assistant.histories[1]] == ["one", "Hello there."]


def test_the_question_is_stored_before_it_is_asked(make, store) -> None:
    """A process that dies while it waits for the first word has kept the question."""
    seen = []
    session = make(Scripted(lambda emit, stop: seen.append(read(store, session)) or TurnEnd("complete")))

    session.ask("Hi")

    assert seen == [[("user", "Hi", "complete")]]


def test_text_is_stored_while_it_streams(make, store) -> None:
    """Within a second of its arrival text is in the session's log, marked interrupted until the answer ends."""
    seen = []

    def slow(emit: Emit, stop: StopToken) -> TurnEnd:
        emit(TextDelta("early words"))
        deadline = time.monotonic() + 1
        while len(read(store, session)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        seen.extend(read(store, session))
        return TurnEnd("complete")

    session = make(Scripted(slow))
    session.ask("Hi")

    assert seen[1] == ("assistant", "early words", "interrupted")
    assert read(store, session)[1] == ("assistant", "early words", "complete")


@pytest.mark.parametrize("how", ["failed", "truncated", "interrupted"])
def test_how_an_answer_ended_is_stored(make, store, how) -> None:
    """An answer that did not end well never looks complete, and keeps its text and reason."""

    def play(emit: Emit, stop: StopToken) -> TurnEnd:
        emit(TextDelta("part"))
        return TurnEnd(how, "The server went away; ask again.")

    session = make(Scripted(play))
    turn = session.ask("Hi")

    assert read(store, session)[1] == ("assistant", "part", how)
    assert turn.answer.error == "The server went away; ask again."


def test_stop_ends_the_answer_and_keeps_it(make, store) -> None:
    """Stopping from another thread ends the turn at once; what had come is stored."""

    def endless(emit: Emit, stop: StopToken) -> TurnEnd:
        emit(TextDelta("first"))
        stopped = threading.Event()
        stop.on_stop(stopped.set)
        assert stopped.wait(5)
        return TurnEnd("interrupted")

    session = make(Scripted(endless))
    threading.Timer(0.1, session.stop).start()
    session.ask("Hi")

    assert read(store, session)[1] == ("assistant", "first", "interrupted")
    assert not session.is_busy


def test_a_second_question_waits_its_turn(make) -> None:
    """While an answer streams another question is refused with the next step."""
    release = threading.Event()
    session = make(Scripted(lambda emit, stop: TurnEnd("complete") if release.wait(5) else TurnEnd("failed")))
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
