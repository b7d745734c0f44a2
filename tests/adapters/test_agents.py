"""The Agents SDK's own SQLite session and ours, side by side, under its real runner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jido_jupyter.adapters.agents import AgentsSession
from jido_jupyter.assistants.conversation import Session
from jido_jupyter.errors import InvalidField
from tests.adapters.conftest import told

ITEMS: list[Any] = [
    {"role": "user", "content": "Rows in df?"},
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"type": "function_call", "call_id": "call_1", "name": "run_cell", "arguments": '{"code": "len(df)"}'},
    {"type": "function_call_output", "call_id": "call_1", "output": "120"},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "120 rows.", "annotations": [], "logprobs": []}],
    },
]


def test_items(new, resumed) -> None:
    """Items come back as they were, the newest of them on request, also by a process that opens the session anew."""

    async def run() -> None:
        session = new()
        await AgentsSession(session).add_items([])
        await AgentsSession(session).add_items(ITEMS[:2])
        await AgentsSession(session).add_items(ITEMS[2:])
        again = AgentsSession(resumed(session))

        assert again.session_id == session.id
        assert await again.get_items() == ITEMS
        assert await again.get_items(limit=2) == ITEMS[-2:]
        assert await again.get_items(limit=9) == ITEMS
        assert await again.get_items(limit=0) == []
        assert await AgentsSession(new(), {"limit": 3}).get_items() == []

    asyncio.run(run())


def test_settings(new) -> None:
    """The limit of the SDK's settings counts where a call has none."""

    async def run() -> None:
        session = AgentsSession(new(), {"limit": 1})
        await session.add_items(ITEMS)

        assert await session.get_items() == ITEMS[-1:]
        assert await session.get_items(limit=2) == ITEMS[-2:]

    asyncio.run(run())


def test_pop_and_clear(new, resumed) -> None:
    """Items are taken away one by one, down to none; what was cleared stays away."""

    async def run() -> None:
        session = new()
        ours = AgentsSession(session)
        assert await ours.pop_item() is None
        await ours.add_items(ITEMS)

        popped = [await ours.pop_item() for _ in ITEMS]
        await ours.add_items(ITEMS[:1])
        await ours.clear_session()
        await ours.clear_session()

        assert popped == ITEMS[::-1]
        assert await ours.get_items() == []
        assert await AgentsSession(resumed(session)).get_items() == []

    asyncio.run(run())


def test_a_call_without_its_result(new, resumed) -> None:
    """A crash between a call and its result leaves the items as they were; the answer that a load makes up is not one."""

    async def run() -> None:
        session = new()
        await AgentsSession(session).add_items(ITEMS[:3])
        again = AgentsSession(resumed(session))

        assert await again.get_items() == ITEMS[:3]
        assert await again.pop_item() == ITEMS[2]

    asyncio.run(run())


def test_what_was_said_otherwise(new) -> None:
    """Messages of the session that no agent wrote are part of the history, and can be popped item by item."""

    async def run() -> None:
        session = new()
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        session.record(
            [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "I look.", "tool_calls": [call]}]
        )
        ours = AgentsSession(session)

        assert await ours.get_items() == [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        ]
        assert (await ours.pop_item())["type"] == "function_call"
        assert [text for _, text in told(session.live.state)] == ["hi", "I look."]

    asyncio.run(run())


def test_a_wrong_item(new) -> None:
    """An item that is none is refused, and those beside it are not added."""

    async def run() -> None:
        session = AgentsSession(new())
        with pytest.raises(InvalidField):
            await session.add_items([ITEMS[0], {"text": "x"}])
        assert await session.get_items() == []

    asyncio.run(run())


def test_a_cancelled_write_is_decided(new, monkeypatch) -> None:
    """Who is cancelled while items are written learns of it after they are written."""

    async def run() -> None:
        session = new()
        writing = asyncio.ensure_future(AgentsSession(session).add_items(ITEMS))
        await asyncio.sleep(0)
        writing.cancel()

        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await AgentsSession(session).get_items() == ITEMS

    asyncio.run(run())


@pytest.fixture(params=["theirs", "ours"])
def open_session(request, tmp_path, new: Callable[..., Session], resumed) -> Callable[[str], Any]:
    """Return what opens a session by a name, as another process would."""
    agents = pytest.importorskip("agents")
    if request.param == "theirs":
        return lambda name: agents.SQLiteSession(name, tmp_path / "theirs.db")
    known: dict[str, Session] = {}

    def ours(name: str) -> AgentsSession:
        known[name] = resumed(known[name]) if name in known else new(name)
        return AgentsSession(known[name])

    return ours


def make_model() -> Any:
    """Return a model of the SDK's that says how many items it was sent, after calling a tool where there is one."""
    from agents import Model, ModelResponse, Usage
    from openai.types.responses import (
        Response,
        ResponseCompletedEvent,
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseOutputText,
    )

    class Counting(Model):
        def __init__(self) -> None:
            self.inputs: list[list[Any]] = []

        def output(self, sent: Any, tools: Any) -> list[Any]:
            items = [{"role": "user", "content": sent}] if isinstance(sent, str) else list(sent)
            self.inputs.append(items)
            if tools and items[-1].get("type") != "function_call_output":
                call_id = f"call_{len(items)}"
                return [
                    ResponseFunctionToolCall(type="function_call", call_id=call_id, name=tools[0].name, arguments="{}")
                ]
            text = ResponseOutputText(type="output_text", text=f"item {len(items)}", annotations=[])
            return [ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[text])]

        async def get_response(self, system_instructions, input, model_settings, tools, *args, **options):  # noqa: A002
            return ModelResponse(output=self.output(input, tools), usage=Usage(), response_id=None)

        async def stream_response(self, system_instructions, input, model_settings, tools, *args, **options):  # noqa: A002
            response = Response(
                id="r", created_at=0, model="m", object="response", output=self.output(input, tools),
                tool_choice="auto", tools=[], parallel_tool_calls=False,
            )  # fmt: skip
            yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=0)

    return Counting()


async def asked(way: str, agent: Any, prompt: Any, session: Any) -> str:
    from agents import RunConfig, Runner

    config = RunConfig(tracing_disabled=True)
    if way == "run":
        return (await Runner.run(agent, prompt, session=session, run_config=config)).final_output
    if way == "sync":

        def sync() -> Any:
            asyncio.set_event_loop(asyncio.new_event_loop())
            return Runner.run_sync(agent, prompt, session=session, run_config=config)

        return (await asyncio.to_thread(sync)).final_output
    result = Runner.run_streamed(agent, prompt, session=session, run_config=config)
    async for _ in result.stream_events():
        pass
    return str(result.final_output)


@pytest.mark.parametrize("way", ["run", "sync", "streamed"])
def test_several_turns_with_restarts(open_session, way) -> None:
    """The runner goes on from what another process stored, with each of its methods; sessions do not mix."""
    from agents import Agent, Session

    async def run() -> None:
        model = make_model()
        agent = Agent(name="counting", model=model)
        said = [
            await asked(way, agent, prompt, open_session(name))
            for name, prompt in (
                ("a", "one"),
                ("a", "two"),
                ("b", "other"),
                ("a", [{"role": "user", "content": "three"}]),
            )
        ]

        assert isinstance(open_session("c"), Session)
        assert said == ["item 1", "item 3", "item 1", "item 5"]
        assert [item.get("content") for item in model.inputs[1]][::2] == ["one", "two"]
        stored = await open_session("a").get_items()
        assert [item["role"] for item in stored] == ["user", "assistant"] * 3
        assert stored[:5] == [*model.inputs[3][:4], {"role": "user", "content": "three"}]

    asyncio.run(run())


@pytest.mark.parametrize("way", ["run", "streamed"])
def test_tools(open_session, way) -> None:
    """Calls and results of tools are kept between the messages, and sent again in the next run."""
    from agents import Agent, function_tool

    @function_tool
    def count() -> str:
        return "120"

    async def run() -> None:
        model = make_model()
        agent = Agent(name="counting", model=model, tools=[count])
        for prompt in ("one", "two"):
            await asked(way, agent, prompt, open_session("a"))
        stored = await open_session("a").get_items()

        kinds = [item.get("type", "message") for item in stored]
        assert kinds == ["message", "function_call", "function_call_output", "message"] * 2
        assert stored[2]["output"] == "120"

    asyncio.run(run())


def test_a_limit(open_session) -> None:
    """A run with a limit is sent the newest items, and adds to all of them."""
    from agents import Agent, RunConfig, Runner, SessionSettings

    async def run() -> None:
        model = make_model()
        agent = Agent(name="counting", model=model)
        for prompt in ("one", "two"):
            await asked("run", agent, prompt, open_session("a"))
        config = RunConfig(tracing_disabled=True, session_settings=SessionSettings(limit=1))
        await Runner.run(agent, "three", session=open_session("a"), run_config=config)

        assert len(model.inputs[-1]) == 2
        assert len(await open_session("a").get_items()) == 6

    asyncio.run(run())
