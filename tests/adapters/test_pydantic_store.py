"""pydantic-ai's own store for tests and ours, side by side: what one does, the other does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

conversation_store = pytest.importorskip("pydantic_ai.conversation_store")

from pydantic_ai import Agent  # noqa: E402
from pydantic_ai.conversation import Conversation, ConversationTypeAdapter  # noqa: E402
from pydantic_ai.exceptions import UserError  # noqa: E402
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart  # noqa: E402
from pydantic_ai.models.function import AgentInfo, FunctionModel  # noqa: E402
from pydantic_ai.models.test import TestModel  # noqa: E402
from pydantic_ai.tools import DeferredToolRequests  # noqa: E402

from jido_jupyter.adapters.pydantic_store import JidoStore  # noqa: E402
from jido_jupyter.connection import Connection, this_process  # noqa: E402
from jido_jupyter.errors import SessionOpen  # noqa: E402
from tests.adapters.conftest import told  # noqa: E402

Conflict = conversation_store.ConversationConflict
Store = conversation_store.ConversationStore


@pytest.fixture(params=["theirs", "ours"])
def make_store(request, connection: Connection) -> Callable[[], Store]:
    """Return what opens the store, as another process would; theirs lives in memory, and is always the same one."""
    if request.param == "theirs":
        theirs = conversation_store.InMemoryConversationStore()
        return lambda: theirs
    return lambda: JidoStore(connection.sessions)


def numbering(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """A model that says how many messages it was sent."""
    return ModelResponse(parts=[TextPart(f"message {len(messages)}")])


AGENT = Agent(FunctionModel(numbering), system_prompt="Be terse.")


async def turn(store: Store, prompt: str, conversation_id: str = "rows", agent: Agent = AGENT):
    conversation = await store.load(conversation_id) or Conversation(conversation_id=conversation_id)
    result = await agent.run(prompt, conversation=conversation)
    entries = await store.save(result)
    return result, entries


def texts(conversation: Conversation | None) -> list[str]:
    assert conversation is not None
    return [
        part.content
        for message in conversation.messages
        for part in message.parts
        if part.part_kind in ("user-prompt", "text")
    ]


def test_several_turns_with_restarts(make_store) -> None:
    """Each run goes on from what another process saved; only new messages are stored, and the usage adds up."""

    async def run() -> None:
        _, first = await turn(make_store(), "one")
        result, second = await turn(make_store(), "two")
        conversation = await make_store().load("rows")

        assert (len(first), len(second)) == (2, 2)
        assert texts(conversation) == ["one", "message 1", "two", "message 3"]
        assert conversation.messages == result.all_messages()
        assert conversation.usage == result.conversation.usage
        assert conversation.usage.requests == 2

    asyncio.run(run())


def test_tools(make_store) -> None:
    """Calls and results of tools are kept, and a run over them goes on."""
    agent = Agent(TestModel())

    @agent.tool_plain
    def count(column: str) -> dict[str, int]:
        return {column: 120}

    async def run() -> None:
        result, _ = await turn(make_store(), "How many rows?", agent=agent)
        again, _ = await turn(make_store(), "And now?", agent=agent)

        assert (await make_store().load("rows")).messages == again.all_messages()
        assert again.all_messages()[: len(result.all_messages())] == result.all_messages()

    asyncio.run(run())


def test_a_paused_run(make_store) -> None:
    """What a run waits for is kept with the conversation, and gone once it was answered."""
    agent = Agent(TestModel(), output_type=[str, DeferredToolRequests])

    @agent.tool_plain(requires_approval=True)
    def delete(name: str) -> str:
        return f"deleted {name}"

    async def run() -> None:
        result, _ = await turn(make_store(), "Delete it.", agent=agent)
        loaded = await make_store().load("rows")
        answers = loaded.deferred_tool_requests.build_results(approve_all=True)
        done = await agent.run(conversation=loaded, deferred_tool_results=answers)
        await make_store().save(done)

        assert isinstance(result.output, DeferredToolRequests)
        assert (await make_store().load("rows")).deferred_tool_requests is None
        assert "deleted" in done.output

    asyncio.run(run())


def test_a_stale_save_is_a_conflict(make_store) -> None:
    """Who saves over what somebody else saved meanwhile gets a conflict, and nothing is lost."""

    async def run() -> None:
        store = make_store()
        await turn(store, "one")
        mine, theirs = await store.load("rows"), await make_store().load("rows")
        await store.save(await AGENT.run("mine", conversation=mine))

        with pytest.raises(Conflict):
            await make_store().save(await AGENT.run("theirs", conversation=theirs))
        with pytest.raises(Conflict):
            await store.save(Conversation(conversation_id="rows"))
        assert texts(await store.load("rows"))[2] == "mine"

    asyncio.run(run())


def test_a_rewritten_history_branches(make_store) -> None:
    """A history that differs leaves a branch; both can be read, and the conversation can go back to the one that was left."""

    async def run() -> None:
        store = make_store()
        await turn(store, "one")
        await turn(store, "two")
        loaded = await store.load("rows")
        left = (await store.load_entries("rows"))[-1].id
        rewritten = ConversationTypeAdapter.validate_json(ConversationTypeAdapter.dump_json(loaded))
        rewritten.messages[3:] = [ModelResponse(parts=[TextPart("better")])]
        rewritten.new_message_index = None

        await store.save(rewritten)
        record = await make_store().read_record("rows")
        back = await make_store().branch("rows", from_entry=left, expected_revision=record.revision)

        assert texts(rewritten)[-1] == "better"
        assert record.branches == [left]
        assert texts(back) == ["one", "message 1", "two", "message 3"]
        assert texts(await make_store().load("rows")) == texts(back)
        tips = (await make_store().read_record("rows")).branches
        assert [(await make_store().read_entry(tip)).message.parts[0].content for tip in tips] == ["better"]

    asyncio.run(run())


def test_branches_at_a_message(make_store) -> None:
    """A conversation that goes on from an earlier message is stored so; from none of them, too."""

    async def run() -> None:
        store = make_store()
        await turn(store, "one")
        loaded = await store.load("rows")

        await store.branch("rows", at=1, expected_revision=loaded.revision)
        at_one = await make_store().load("rows")
        await store.branch("rows", at=0, expected_revision=at_one.revision)
        at_none = await make_store().load("rows")
        await make_store().save(await AGENT.run("anew", conversation=at_none))

        assert (texts(at_one), texts(at_none)) == (["one"], [])
        assert texts(await make_store().load("rows")) == ["anew", "message 1"]
        with pytest.raises(Conflict):
            await store.branch("rows", at=0, expected_revision=at_one.revision)

    asyncio.run(run())


def test_forks(make_store) -> None:
    """A fork shares the entries of its source, and neither notices what happens to the other."""

    async def run() -> None:
        store = make_store()
        await turn(store, "one")
        await store.fork("rows", new_conversation_id="copy", at=1)
        await turn(make_store(), "mine", "copy")
        await turn(make_store(), "two")

        assert texts(await make_store().load("copy")) == ["one", "mine", "message 1"]
        assert texts(await make_store().load("rows")) == ["one", "message 1", "two", "message 3"]
        source, copy = await store.load_entries("rows"), await make_store().load_entries("copy")
        assert source[0].id == copy[0].id
        record = await store.read_record("copy")
        assert (record.forked_from, record.forked_at) == ("rows", source[0].id)
        with pytest.raises(Conflict):
            await store.fork("rows", new_conversation_id="copy")
        with pytest.raises(UserError):
            await store.fork("nowhere")

    asyncio.run(run())


def test_windows(make_store) -> None:
    """A run over the last messages only is added to the whole."""

    async def run() -> None:
        await turn(make_store(), "one")
        window = await make_store().load("rows", limit=1)
        await make_store().save(await AGENT.run("two", conversation=window))

        assert len(window.messages) == 1
        assert texts(await make_store().load("rows"))[:3] == ["one", "message 1", "two"]
        assert await make_store().load_entries("rows", limit=0) == []

    asyncio.run(run())


def test_scopes_and_lists(make_store) -> None:
    """Conversations are listed newest first, and kept to the scope that they were saved with."""

    async def run() -> None:
        store = make_store()
        for name, scope in (("a", "ada"), ("b", "bob"), ("c", "ada")):
            await store.save(await AGENT.run(name, conversation=Conversation(conversation_id=name)), scope=scope)

        assert [record.conversation_id for record in await make_store().list_conversations()] == ["c", "b", "a"]
        assert [record.conversation_id for record in await store.list_conversations(scope="ada")] == ["c", "a"]
        assert len(await store.list_conversations(limit=1)) == 1
        assert await make_store().load("a", scope="bob") is None

    asyncio.run(run())


def test_delete(make_store) -> None:
    """What was deleted is gone, a new one may have its name, and a copy of the old one cannot be saved over that."""

    async def run() -> None:
        store = make_store()
        await turn(store, "one")
        old = await store.load("rows")
        await store.delete("rows", scope="other")
        assert await store.load("rows") is not None

        await store.delete("rows")

        assert await make_store().load("rows") is None
        with pytest.raises(Conflict):
            await store.save(old)
        await turn(make_store(), "anew")
        assert texts(await make_store().load("rows")) == ["anew", "message 1"]
        with pytest.raises(Conflict):
            await store.save(old)

    asyncio.run(run())


def test_an_empty_conversation(make_store) -> None:
    """One without messages is kept, and an unknown one is none."""

    async def run() -> None:
        await make_store().save(Conversation(conversation_id="empty"))

        assert texts(await make_store().load("empty")) == []
        assert await make_store().load("nowhere") is None
        with pytest.raises(LookupError):
            await make_store().read_entry("nowhere")

    asyncio.run(run())


def test_a_conversation_is_a_session(connection: Connection) -> None:
    """It is listed, found by its words and shown like any other session; deleting it puts it into the trash."""

    async def run() -> None:
        await turn(JidoStore(connection.sessions), "How many rows?")
        [summary] = connection.sessions.list("rows")

        assert summary.title == "How many rows?"
        assert told(connection.sessions.show(summary.id).state) == [
            ("system", "Be terse."),
            ("user", "How many rows?"),
            ("assistant", "message 1"),
        ]
        await JidoStore(connection.sessions).delete("rows")
        assert connection.sessions.trashed() == [summary.id]

    asyncio.run(run())


TEXTS = ["one", "first", "two", "message 3", "three", "four", "message 5"]


def test_a_session_is_a_conversation(connection: Connection, new) -> None:
    """A session that was made otherwise is loaded by its id; once it went on elsewhere, an old copy is a conflict."""

    async def run() -> None:
        session = new()
        session.record("user", "one")
        session.record({"role": "assistant", "content": "first"})
        session.close()
        store = JidoStore(connection.sessions)
        await turn(store, "two", session.id)
        old = await store.load(session.id)
        live, _ = connection.sessions.resume(session.id, this_process("kernel"))
        with pytest.raises(SessionOpen):
            await store.save(await AGENT.run("x", conversation=old))
        live.record([session.messages[0].__class__("m9", "user", ({"type": "text", "content": "three"},), live.now())])
        live.close()

        with pytest.raises(Conflict):
            await store.save(await AGENT.run("x", conversation=old))
        await turn(JidoStore(connection.sessions), "four", session.id)
        assert [text for _, text in told(connection.sessions.show(session.id).state)] == TEXTS
        assert [record.conversation_id for record in await store.list_conversations()] == [session.id]

    asyncio.run(run())


def test_a_fork_of_ours_is_no_conversation(connection: Connection) -> None:
    """A session that was forked with jido does not answer to the name of the one that it came from."""

    async def run() -> None:
        await turn(JidoStore(connection.sessions), "one")
        [summary] = connection.sessions.list()
        forked = connection.sessions.fork(summary.id).state.id

        assert len(await JidoStore(connection.sessions).list_conversations()) == 1
        assert texts(await JidoStore(connection.sessions).load(forked)) == ["one", "message 1"]

    asyncio.run(run())
