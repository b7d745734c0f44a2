"""What a model is sent of a long conversation; the stored log stays as it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.assistants import window
from jido_jupyter.assistants.conversation import Session
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Emit, Event, Notice, StepEnd, StopToken, TextDelta, Tool
from jido_jupyter.core.messages import Message, Role, Usage, text_part
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import SessionState, replay
from jido_jupyter.core.window import Window
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.testing.clock import FakeClock
from tests.support.stores import FullStore

OWNER = Owner("kernel", "here", 1)
AT = "2026-11-20T10:00:00.000Z"


def said(message_id: str, role: Role, text: str = "", **part: object) -> Message:
    parts = (text_part(text), *([part] if part else []))
    return Message(message_id, role, parts, AT)


def turn(number: int, size: int = 400) -> list[Message]:
    """Return a turn with a tool call, of about ``size`` characters."""
    words = f"{number} ".ljust(size // 4, "x")
    return [
        said(f"q{number}", "user", words),
        said(f"c{number}", "assistant", words, type="tool_call", id="call", name="look", arguments={}),
        said(f"r{number}", "tool", type="tool_call_response", id="call", response=words),
        said(f"a{number}", "assistant", words),
    ]


def state(*turns: Sequence[Message], summary: dict[str, str] | None = None) -> SessionState:
    messages = tuple(message for messages in turns for message in messages)
    return SessionState("s", AT, AT, messages=messages, summary=summary)


def ids(said: Sequence[Message]) -> list[str]:
    return [message.id for message in said]


@pytest.mark.parametrize(
    ("model_id", "setting", "expected"),
    [
        ("openai:x", None, 100_000),
        ("anthropic:x", None, 100_000),
        ("ollama:x", None, 8192),
        ("lmstudio:x", None, 8192),
        ("vllm:x", None, 8192),
        ("ollama:x", 32_000, 32_000),
        ("openai:x", 5000, 5000),
        ("guide:jido-guide-1", 10, window.NO_LIMIT),
    ],
)
def test_limit(model_id: str, setting: int | None, expected: int) -> None:
    """The setting holds for all models; without it, models at home are sent less. The guide reads everything."""
    assert window.limit(model_id, setting) == expected


def test_what_fits_is_sent_whole() -> None:
    """While all fits nothing is left out, also where a summary is in force."""
    conversation = state(turn(1), turn(2), summary={"text": "short", "to": "a1"})

    assert window.excerpt(conversation, 10_000) == window.Excerpt(conversation.messages)


def test_the_newest_turns_are_sent() -> None:
    """What does not fit is left out from the start, in whole turns."""
    found = window.excerpt(state(turn(1), turn(2), turn(3)), 250)

    assert ids(found.sent) == ids([*turn(2), *turn(3)])
    assert ids(found.left_out) == ids(turn(1))


def test_a_summary_stands_for_what_it_was_made_of() -> None:
    """With a summary in force that is sent, and what came after it."""
    found = window.excerpt(state(turn(1), turn(2), turn(3), summary={"text": "We met.", "to": "a1"}), 300)

    assert [message.role for message in found.sent[:2]] == ["system", "user"]
    assert found.sent[0].text.endswith("We met.")
    assert ids(found.sent[1:]) == ids([*turn(2), *turn(3)])
    assert found.left_out == ()


def test_the_last_turn_is_sent_however_long_it_is() -> None:
    """A question is never cut off from what was found out to answer it."""
    assert ids(window.excerpt(state(turn(1), turn(2, 100_000)), 100).sent) == ids(turn(2, 100_000))


def test_what_a_system_said_first_stays() -> None:
    """The instruction at the start is sent whatever is left out behind it; a briefing goes with the question after it."""
    opening, briefing = said("s1", "system", "Be brief."), said("s2", "system", "The kernel is new.")

    found = window.excerpt(state([opening], turn(1), [briefing], turn(2), turn(3)), 260)

    assert ids(found.sent) == ["s1", "s2", *ids([*turn(2), *turn(3)])]


@given(
    sizes=st.lists(st.integers(0, 4000), min_size=1, max_size=12),
    tokens=st.integers(1, 5000),
    covered=st.integers(0, 12),
)
def test_calls_and_results_stay_together(sizes: list[int], tokens: int, covered: int) -> None:
    """However it is cut, what is sent begins with a question, and nothing is both sent and left out."""
    turns = [turn(number, size) for number, size in enumerate(sizes)]
    summary = {"text": "So far.", "to": f"a{covered}"} if covered < len(turns) else None
    conversation = state(*turns, summary=summary)

    found = window.excerpt(conversation, tokens)

    spoken = [message for message in found.sent if message.role != "system"]
    assert spoken[0].role == "user"
    assert ids(conversation.messages)[-len(spoken) :] == ids(spoken)
    assert not set(ids(found.sent)) & set(ids(found.left_out))


def test_a_new_summary_makes_room_for_more_than_one_turn() -> None:
    """It stands for so much that half of the room is free, so that not every turn needs another one."""
    conversation = state(*(turn(number) for number in range(10)))

    older = window.to_summarise(conversation, 1000)

    kept = conversation.messages[len(older) :]
    assert window.estimate(kept) <= 500
    assert kept[0].role == "user"


class Recorder:
    """A model that answers at length and summarises when asked to, or fails at that."""

    model_id = "test:recorder"
    label = "a recorder"

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[Message], str, Sequence[Tool]]] = []
        self.summary = StepEnd("complete", usage=Usage(100, 10))

    async def step(
        self, said: Sequence[Message], instruction: str, tools: Sequence[Tool], emit: Emit, stop: StopToken
    ) -> StepEnd:
        self.asked.append((said, instruction, tools))
        if "Summarise" in instruction:
            emit(TextDelta("They talked."))
            return self.summary
        emit(TextDelta("x" * 800))
        return StepEnd("complete", usage=Usage(7, 3))


@pytest.fixture
def store() -> FullStore:
    return FullStore(max_bytes=1_000_000)


@pytest.fixture
def make(tmp_path: Path, store: FullStore) -> Callable[[Recorder], Session]:
    clock, numbers = FakeClock(), itertools.count(1)
    limits = Limits(FileLimiter(str(tmp_path), clock.boot), Window(5, 60), Window(20, 60))
    sessions = Sessions(store, limits, max_sessions=9, clock=clock.now, mint_id=lambda: f"id{next(numbers)}")
    return lambda model: Session(sessions.new(OWNER), Engine(), lambda: model, sessions.mint_id, context_tokens=1000)


def ask_until_full(session: Session) -> tuple[list[Event], object]:
    """Ask until something is left out; return the events of that turn, and the turn."""
    for number in range(9):
        events: list[Event] = []
        turn = session.ask(f"question {number}", show=events.append)
        if any(isinstance(event, Notice) for event in events):
            return events, turn
    raise AssertionError("everything fitted")


def test_a_conversation_that_grew_too_long_is_summarised(make, store: FullStore) -> None:
    """The same model is asked for a summary, it is stored as a record, and the user is told; the log is untouched."""
    model = Recorder()
    session = make(model)

    events, taken = ask_until_full(session)

    (notice,) = [event for event in events if isinstance(event, Notice)]
    summary = session.live.state.summary
    stored = store.read(session.id)
    assert "were sent as a summary" in notice.text
    assert "All of them stay stored." in notice.text
    assert summary is not None
    assert (summary["text"], summary["model"]) == ("They talked.", "test:recorder")
    assert model.asked[-2][2] == ()
    assert "question 0" in model.asked[-2][0][0].text
    assert model.asked[-1][0][0].text.endswith("They talked.")
    assert replay(stored.header, stored.records).messages == session.messages
    assert session.messages[0].text == "question 0"
    assert taken.usage == Usage(107, 13)


def test_the_next_turn_needs_no_new_summary(make) -> None:
    """A summary in force is used without a word, and an empty one undoes it."""
    session = make(Recorder())
    ask_until_full(session)
    first = session.live.state.summary
    events: list[Event] = []

    session.ask("and now?", show=events.append)

    assert not any(isinstance(event, Notice) for event in events)
    assert session.live.state.summary == first
    session.live.summarise("", first["to"])
    assert session.live.state.summary is None


def test_without_a_summary_older_messages_are_left_out(make) -> None:
    """A model that cannot summarise still answers, and the user is told what it does not see."""
    model = Recorder()
    model.summary = StepEnd("failed", "The server is gone.")
    session = make(model)

    events, taken = ask_until_full(session)

    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert "were not sent" in notice.text
    assert "The server is gone." in notice.text
    assert session.live.state.summary is None
    assert window.estimate(model.asked[-1][0]) <= 1000
    assert taken.answer.status == "complete"


def test_a_second_summary_builds_on_the_first(make) -> None:
    """What the first one stood for is not lost when more has to go."""
    model = Recorder()
    session = make(model)
    ask_until_full(session)

    ask_until_full(session)

    assert "They talked." in model.asked[-2][0][0].text
    assert "question 0" not in model.asked[-2][0][0].text


def test_a_full_disk_does_not_take_the_answer(make, store: FullStore) -> None:
    """A summary that cannot be stored waits in memory like the turn it was made for."""
    session = make(Recorder())
    for number in range(5):
        session.ask(f"question {number}")
    store.is_full = True

    turn = session.ask("question 5")

    assert turn.answer.status == "complete"
    assert turn.unsaved is not None
    store.is_full = False
    session.save()
    stored = store.read(session.id)
    assert replay(stored.header, stored.records).summary is not None


def test_the_request_for_a_summary_fits_itself(make) -> None:
    """Long messages are shortened in the middle, so that the model can read what it has to summarise."""
    model = Recorder()
    session = make(model)
    session.ask("y" * 50_000)

    session.ask("and now?")

    request = model.asked[-2][0][0].text
    assert len(request) < 1000 * window.CHARACTERS
    assert " … " in request
