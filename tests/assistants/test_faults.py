"""Turns with tools against a server that misbehaves: nothing half is run, nothing is lost, and the next question is valid.

The server refuses, as OpenAI does, a conversation in which calls and results do not fit together.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.assistants import turn as turns
from jido_jupyter.assistants.conversation import Desk, Session
from jido_jupyter.assistants.endpoints import find_endpoint
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Event, Said, StopToken, TextDelta, Tool, ToolCall, ToolResult
from jido_jupyter.assistants.pydantic_engine import PydanticAssistant
from jido_jupyter.assistants.sources import ServerSource
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import replay
from jido_jupyter.core.window import Window
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.clock import FakeClock
from tests.support.openai_loopback import Loopback, patience_s

OWNER = Owner("kernel", "here", 1)


class Notebook:
    """Surroundings with a tool that takes a text, and remembers what it was called with."""

    def __init__(self) -> None:
        self.calls: list[Mapping[str, Any]] = []

    def instruction(self) -> str:
        return ""

    def tools(self, session: Session, desk: Desk) -> Sequence[Tool]:
        async def run(arguments: Mapping[str, Any]) -> ToolResult:
            self.calls.append(arguments)
            if arguments and "text" not in arguments:
                return ToolResult("'text' is missing.", "failed")
            return ToolResult("looked")

        return [Tool("look", "Looks.", {"type": "object", "properties": {"text": {"type": "string"}}}, run)]

    def look(self) -> None:
        return None


class Bench:
    """A session whose model is a behaviour of the server, another one for each question if need be."""

    def __init__(self, server: Loopback, path: Path) -> None:
        clock, numbers = FakeClock(), itertools.count(1)
        self.server, self.store, self.notebook = server, MemoryStore(), Notebook()
        limits = Limits(FileLimiter(str(path), clock.boot), Window(5, 60), Window(20, 60))
        self.sessions = Sessions(
            self.store, limits, max_sessions=9, clock=clock.now, mint_id=lambda: f"id{next(numbers)}"
        )
        self.model = ""
        self.session = self._session(self.sessions.new(OWNER))
        self.shown: list[str] = []

    def ask(self, model: str, prompt: str = "Hi") -> turns.Turn:
        self.model, self.shown = model, []
        return self.session.ask(
            prompt, show=lambda event: self.shown.append(event.text) if isinstance(event, TextDelta) else None
        )

    def restart(self) -> None:
        """Resume as after the death of the process."""
        self.session.live._lease.release()  # the system drops it with the process
        self.session = self._session(self.sessions.resume(self.session.id, OWNER)[0])

    def stored(self) -> list[tuple[str, str, str]]:
        stored = self.store.read(self.session.id)
        return [(said.role, said.text, said.status) for said in replay(stored.header, stored.records).messages]

    def _session(self, live: Any) -> Session:
        return Session(live, Engine(), self._assistant, self.sessions.mint_id, self.notebook)

    def _assistant(self) -> PydanticAssistant:
        endpoint = find_endpoint("openai", {"OPENAI_BASE_URL": self.server.url})
        source = ServerSource("openai", self.model, endpoint, patience_s(self.model))
        return PydanticAssistant(f"openai:{self.model}", self.model, source)


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as loopback:
        yield loopback


@pytest.fixture
def bench(server: Loopback, tmp_path: Path) -> Bench:
    return Bench(server, tmp_path)


FAULTS = ("drop", "reset", "eof", "stall", "errchunk", "garbage")
TROUBLED = [
    *(f"{fault}-{number}" for fault in FAULTS for number in (0, 3)),
    *("err-429", "err-500", "hang", "length", "mute"),
    *(f"tool+args+{fault}-{number}" for fault in FAULTS for number in (0, 3)),
    "tool+args+length",
]


@pytest.mark.parametrize("model", TROUBLED)
def test_after_any_fault_the_next_question_is_valid(bench: Bench, model: str) -> None:
    """What had come is stored as it was shown and never complete, no half call runs, and the next question is answered."""
    troubled = bench.ask(model)
    shown = "".join(bench.shown)
    bench.restart()
    after = bench.ask("echo", "Go on.")

    assert troubled.answer.status in ("failed", "truncated")
    assert troubled.answer.error
    assert troubled.answer.text == shown
    assert bench.notebook.calls == []
    assert after.answer.status == "complete"
    assert after.answer.text.endswith("Go on.")
    assert bench.stored()[1] == ("assistant", shown, troubled.answer.status)


def test_a_call_runs_once_and_its_result_goes_back(bench: Bench) -> None:
    """The tool gets the arguments that were sent in pieces, and the answer builds on its result."""
    turn = bench.ask("tool+args")

    assert bench.notebook.calls == [{"text": "a value long enough to be cut", "n": 1}]
    assert turn.answer.text == "The tool said: looked"


def test_parallel_calls_run_one_after_the_other(bench: Bench) -> None:
    """Calls at once each run, and their results go back in one message."""
    turn = bench.ask("tools-3")

    assert bench.notebook.calls == [{}, {}, {}]
    assert [message.role for message in turn.said] == ["assistant", "tool", "assistant"]
    assert turn.answer.text == "The tool said: looked looked looked"


def test_a_call_that_ends_with_stop_is_a_call(bench: Bench) -> None:
    """Some servers say "stop" where tools are asked for."""
    assert bench.ask("tool+stop").answer.text == "The tool said: looked"


def test_wrong_arguments_are_told_to_the_model(bench: Bench) -> None:
    """A tool that refuses its arguments does not end the turn."""
    turn = bench.ask("tool+wrongargs")

    assert turn.said[1].parts[0]["outcome"] == "failed"
    assert turn.answer.text == "The tool said: 'text' is missing."


def test_half_arguments_run_nothing(bench: Bench) -> None:
    """Arguments that are no whole JSON are refused before the tool, although the server says that all is well."""
    turn = bench.ask("tool+badargs")

    assert bench.notebook.calls == []
    assert turn.said[1].parts[0]["outcome"] == "failed"
    assert "nothing ran" in turn.answer.text
    assert bench.ask("echo").answer.status == "complete"


def test_an_unknown_tool_is_told_to_the_model(bench: Bench) -> None:
    """A name that was not offered runs nothing, and the model hears what there is."""
    turn = bench.ask("tool+unknown")

    assert bench.notebook.calls == []
    assert "There is no tool 'no_such_tool'; there is: look." in turn.answer.text


def test_endless_calls_come_to_an_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that asks for tools for ever is stopped, with a reason; ids that come again fit together all the same."""
    monkeypatch.setattr(turns, "MAX_STEPS", 5)

    turn = bench.ask("tool+endless")
    after = bench.ask("echo", "Go on.")

    assert len(bench.notebook.calls) == 4
    assert turn.answer.status == "failed"
    assert "without an end" in (turn.answer.error or "")
    assert after.answer.status == "complete"


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("phase", [Said, ToolCall], ids=["asked", "running"])
def test_a_process_that_dies_between_call_and_result_leaves_a_valid_session(bench: Bench, phase: type) -> None:
    """A call without a result is closed as interrupted when the session is resumed."""

    def die(event: Event) -> None:
        if isinstance(event, phase):
            raise Killed

    live, bench.model = bench.session.live, "tool+args"
    tools = bench.notebook.tools(bench.session, None)  # type: ignore[arg-type]
    asked = turns.Asked(turns.ask_message("q1", "Hi", live.now(), None), tools=tools)
    with pytest.raises(Killed):
        asyncio.run(turns.take(live, bench._assistant(), asked, "a1", lambda: "x1", die, StopToken()))

    bench.restart()
    after = bench.ask("echo", "Go on.")

    assert [role for role, _, _ in bench.stored()][:3] == ["user", "assistant", "tool"]
    assert after.answer.status == "complete"
