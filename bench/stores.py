"""Stores that a user would pick instead, each behind the same few verbs; one that is not installed is passed over.

Messages are put into a store's own types by `native`, before the clock starts. ``is_durable``: what was written survives a power
cut once the call has returned. Sources: each project's documentation, read with the versions of the ``bench`` extra.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, Final

import orjson

from bench.store import Bed
from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, to_wire
from jido_jupyter.core.query import parse
from jido_jupyter.errors import StaleRevision

OWN: Final = "its own call"


class Peer:
    """A store under comparison.

    Args:
        folder: its own.
    """

    name: ClassVar[str]
    is_durable: ClassVar[bool]
    durable: ClassVar[str]  # for the reader
    longest_save: ClassVar[int] = 2**40  # bytes; larger ones take minutes
    lists: ClassVar[str] = ""  # how all sessions are listed: its own call, or by hand
    searches: ClassVar[str] = ""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.held: dict[str, Any] = {}  # what a program would keep of an open session

    def native(self, said: Sequence[Message]) -> Any:
        return [to_wire(message) for message in said]

    def fresh(self, said: Any, session_id: str) -> Any:
        """Return ``said`` so that no copy of it is stored yet, for a store that keeps equal messages once."""
        return said

    def open(self, session_id: str) -> None:
        """Do what precedes the first save or load of a session; untimed."""

    def save(self, session_id: str, said: Any) -> None:
        """Store a new session."""
        raise NotImplementedError

    def seed(self, session_id: str, said: Any) -> None:
        """Store a new session in any way; untimed."""
        self.save(session_id, said)

    def append(self, session_id: str, said: Any) -> None:
        raise NotImplementedError

    def load(self, session_id: str) -> int:
        """Read a session whole; return how many messages it has."""
        raise NotImplementedError

    def list(self) -> int:
        raise NotImplementedError

    def search(self, word: str) -> int:
        raise NotImplementedError


class Ours(Peer):
    name = "jido_jupyter"
    is_durable = True
    durable = "yes"
    lists = OWN
    searches = OWN

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._bed = Bed(folder)

    def native(self, said: Sequence[Message]) -> Any:
        return [records.messages(said, "2026-11-23T00:00:00.000Z")]

    def save(self, session_id: str, said: Any) -> None:
        header = records.header(session_id, "2026-11-23T00:00:00.000Z")
        self.held[session_id] = self._bed.store.create(header, said)

    def append(self, session_id: str, said: Any) -> None:
        expected = self.held.get(session_id) or self._bed.store.revision(session_id)
        while True:
            try:
                self.held[session_id] = self._bed.store.append(session_id, said, expected)
            except StaleRevision:
                expected = self._bed.store.revision(session_id)
            else:
                return

    def load(self, session_id: str) -> int:
        return sum(len(record.get("messages", ())) for record in self._bed.store.read(session_id).records)

    def list(self) -> int:
        return len(self._bed.sessions.list())

    def search(self, word: str) -> int:
        return len(self._bed.store.find(parse(word), limit=20).hits)


class OpenAIAgents(Peer):
    name = "OpenAI Agents SQLiteSession"
    is_durable = True
    durable = "yes (WAL, FULL)"
    lists = searches = "SQL by hand"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from agents import SQLiteSession

        self._new = lambda session_id: SQLiteSession(session_id, os.path.join(folder, "sessions.sqlite"))
        self._loop = asyncio.new_event_loop()

    def open(self, session_id: str) -> None:
        self.held[session_id] = self._new(session_id)

    def save(self, session_id: str, said: Any) -> None:
        self._loop.run_until_complete(self._of(session_id).add_items(said))

    append = save

    def load(self, session_id: str) -> int:
        return len(self._loop.run_until_complete(self._of(session_id).get_items()))

    def list(self) -> int:
        return len(self._ask(
            "SELECT s.session_id, s.updated_at, count(m.id) FROM agent_sessions s "
            "LEFT JOIN agent_messages m ON m.session_id = s.session_id GROUP BY s.session_id ORDER BY s.updated_at DESC"
        ))  # fmt: skip

    def search(self, word: str) -> int:
        sql = "SELECT DISTINCT session_id FROM agent_messages WHERE message_data LIKE ? ORDER BY id DESC LIMIT 20"
        return len(self._ask(sql, f"%{word}%"))

    def _of(self, session_id: str) -> Any:
        if session_id not in self.held:
            self.open(session_id)
        return self.held[session_id]

    def _ask(self, sql: str, *values: str) -> Sequence[Any]:
        import sqlite3

        with contextlib.closing(sqlite3.connect(os.path.join(self.folder, "sessions.sqlite"))) as db:
            return db.execute(sql, values).fetchall()


def _langchain(said: Sequence[Message]) -> list[Any]:
    from langchain_core.messages import AIMessage, HumanMessage

    return [
        HumanMessage(message.text, id=message.id)
        if message.role == "user"
        else AIMessage(
            message.text, id=message.id, additional_kwargs={"parts": [dict(part) for part in message.parts[1:]]}
        )
        for message in said
    ]


class LangChainFile(Peer):
    name = "LangChain FileChatMessageHistory"
    is_durable = False
    durable = "no"
    longest_save = 100 * 1024  # it rewrites the file for each message

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from langchain_community.chat_message_histories import FileChatMessageHistory
        from langchain_core.messages import messages_to_dict

        self._new, self._to_dict = FileChatMessageHistory, messages_to_dict

    def native(self, said: Sequence[Message]) -> Any:
        return _langchain(said)

    def save(self, session_id: str, said: Any) -> None:
        self._new(self._path(session_id)).add_messages(said)

    append = save

    def seed(self, session_id: str, said: Any) -> None:
        with open(self._path(session_id), "w") as file:
            json.dump(self._to_dict(said), file)

    def load(self, session_id: str) -> int:
        return len(self._new(self._path(session_id)).messages)

    def _path(self, session_id: str) -> str:
        return os.path.join(self.folder, f"{session_id}.json")


class LangChainSQL(Peer):
    name = "LangChain SQLChatMessageHistory"
    is_durable = True
    durable = "yes (DELETE journal, FULL)"
    lists = searches = "SQL by hand"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from langchain_community.chat_message_histories import SQLChatMessageHistory
        from sqlalchemy import create_engine

        self._engine = create_engine(f"sqlite:///{os.path.join(folder, 'history.sqlite')}")
        self._new = lambda session_id: SQLChatMessageHistory(session_id, connection=self._engine)

    def native(self, said: Sequence[Message]) -> Any:
        return _langchain(said)

    def open(self, session_id: str) -> None:
        self.held[session_id] = self._new(session_id)

    def save(self, session_id: str, said: Any) -> None:
        self._of(session_id).add_messages(said)

    append = save

    def load(self, session_id: str) -> int:
        return len(self._of(session_id).messages)

    def list(self) -> int:
        return self._ask("SELECT session_id, max(id), count(*) FROM message_store GROUP BY session_id ORDER BY 2 DESC")

    def search(self, word: str) -> int:
        sql = f"SELECT DISTINCT session_id FROM message_store WHERE message LIKE '%{word}%' ORDER BY id DESC LIMIT 20"
        return self._ask(sql)

    def _of(self, session_id: str) -> Any:
        if session_id not in self.held:
            self.open(session_id)
        return self.held[session_id]

    def _ask(self, sql: str) -> int:
        with self._engine.connect() as db:
            return len(db.exec_driver_sql(sql).fetchall())


class LangGraph(Peer):
    name = "LangGraph SqliteSaver"
    is_durable = True
    durable = "yes (WAL, FULL)"
    lists = OWN

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        import sqlite3

        from langgraph.checkpoint.base import empty_checkpoint
        from langgraph.checkpoint.sqlite import SqliteSaver

        path = os.path.join(folder, "checkpoints.sqlite")
        self._saver = SqliteSaver(sqlite3.connect(path, check_same_thread=False, timeout=60))
        self._empty = empty_checkpoint

    def native(self, said: Sequence[Message]) -> Any:
        return _langchain(said)

    def save(self, session_id: str, said: Any) -> None:
        self.held[session_id] = said
        checkpoint = {**self._empty(), "channel_values": {"messages": said}}
        self._saver.put(_thread(session_id), checkpoint, {}, {})

    def append(self, session_id: str, said: Any) -> None:
        before = self.held[session_id] if session_id in self.held else self._messages(session_id)
        self.save(session_id, [*before, *said])

    def load(self, session_id: str) -> int:
        return len(self._messages(session_id))

    def list(self) -> int:
        return sum(1 for _ in self._saver.list(None))

    def _messages(self, session_id: str) -> Any:
        found = self._saver.get_tuple(_thread(session_id))
        assert found is not None
        return found.checkpoint["channel_values"]["messages"]


def _thread(session_id: str) -> Any:
    return {"configurable": {"thread_id": session_id, "checkpoint_ns": ""}}


class JupyterContents(Peer):
    name = "jupyter_server LargeFileManager"
    is_durable = False
    durable = "file yes, folder no"
    lists = OWN

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from jupyter_server.services.contents.largefilemanager import LargeFileManager

        self._manager = LargeFileManager(root_dir=folder)

    def save(self, session_id: str, said: Any) -> None:
        self.held[session_id] = said
        content = orjson.dumps(said).decode()
        self._manager.save({"type": "file", "format": "text", "content": content}, f"{session_id}.json")

    def append(self, session_id: str, said: Any) -> None:
        before = self.held[session_id] if session_id in self.held else self._messages(session_id)
        self.save(session_id, [*before, *said])

    def load(self, session_id: str) -> int:
        return len(self._messages(session_id))

    def list(self) -> int:
        return len(self._manager.get("", content=True)["content"])

    def _messages(self, session_id: str) -> Any:
        return orjson.loads(self._manager.get(f"{session_id}.json", type="file", format="text")["content"])


class JupyterChat(Peer):
    """A chat document, saved to its ``.chat`` file; the session is open in memory when a turn is added."""

    name = "jupyterlab-chat YChat + LargeFileManager"
    is_durable = False
    durable = "file yes, folder no"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from jupyter_server.services.contents.largefilemanager import LargeFileManager
        from jupyterlab_chat.models import NewMessage
        from jupyterlab_chat.ychat import YChat

        self._manager, self._chat, self._message = LargeFileManager(root_dir=folder), YChat, NewMessage
        self._loop = asyncio.new_event_loop()

    def native(self, said: Sequence[Message]) -> Any:
        return [self._message(body=message.text, sender=message.role) for message in said]

    def save(self, session_id: str, said: Any) -> None:
        wire = [
            {
                "body": one.body,
                "sender": one.sender,
                "id": f"{session_id}-{number}",
                "time": float(number),
                "type": "msg",
            }
            for number, one in enumerate(said)
        ]
        self.held[session_id] = self._run(self._opened(orjson.dumps({"messages": wire}).decode()))
        self._write(session_id)

    def append(self, session_id: str, said: Any) -> None:
        if session_id not in self.held:
            self.load(session_id)
        self._run(self._add(self.held[session_id], said))
        self._write(session_id)

    def load(self, session_id: str) -> int:
        content = self._manager.get(f"{session_id}.chat", type="file", format="text")["content"]
        self.held[session_id] = self._run(self._opened(content))
        return len(self.held[session_id].get_messages())

    def _write(self, session_id: str) -> None:
        content = self.held[session_id].get()
        self._manager.save({"type": "file", "format": "text", "content": content}, f"{session_id}.chat")

    async def _opened(self, content: str) -> Any:
        chat = self._chat()
        chat.set(content)
        return chat

    async def _add(self, chat: Any, said: Any) -> None:
        for message in said:
            chat.add_message(message)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)


class DiskCache(Peer):
    name = "diskcache.Cache"
    is_durable = False
    durable = "no (NORMAL, value files unsynced)"
    lists = OWN  # keys only

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from diskcache import Cache

        self._cache = Cache(folder, size_limit=2**40)

    def save(self, session_id: str, said: Any) -> None:
        self.held[session_id] = said
        self._cache.set(session_id, said)

    def append(self, session_id: str, said: Any) -> None:
        before = self.held[session_id] if session_id in self.held else self._cache[session_id]
        self.save(session_id, [*before, *said])

    def load(self, session_id: str) -> int:
        return len(self._cache[session_id])

    def list(self) -> int:
        return sum(1 for _ in self._cache.iterkeys())


class TinyDBFiles(Peer):
    name = "TinyDB, a file per session"
    is_durable = False
    durable = "file yes, folder no"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from tinydb import TinyDB

        self._new = TinyDB

    def save(self, session_id: str, said: Any) -> None:
        with self._new(os.path.join(self.folder, f"{session_id}.json")) as db:
            db.insert_multiple(said)

    append = save

    def load(self, session_id: str) -> int:
        with self._new(os.path.join(self.folder, f"{session_id}.json")) as db:
            return len(db.all())


class LLM(Peer):
    name = "simonw/llm LogStore"
    is_durable = True
    durable = "yes (DELETE journal, FULL)"
    longest_save = 2**20
    lists = searches = "SQL by hand"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        from llm import parts
        from llm.logs import LogStore
        from sqlite_utils import Database

        self._store, self._parts = LogStore(Database(os.path.join(folder, "logs.sqlite"))), parts

    def native(self, said: Sequence[Message]) -> Any:
        return [self._parts.Message(message.role, [self._part(part) for part in message.parts]) for message in said]

    def fresh(self, said: Any, session_id: str) -> Any:
        """A message is known by its content and all before it: another first one makes all of them new."""
        return [self._parts.Message("system", [self._parts.TextPart(text=session_id)]), *said[1:]]

    def save(self, session_id: str, said: Any) -> None:
        self._store.ensure_thread(session_id)
        self._store.append(session_id, said)

    def append(self, session_id: str, said: Any) -> None:
        self._store.append(session_id, said)

    def load(self, session_id: str) -> int:
        return len(self._store.thread_messages(session_id))

    def list(self) -> int:
        return len(list(self._store.db.query("SELECT id, name, datetime_utc FROM threads ORDER BY datetime_utc DESC")))

    def search(self, word: str) -> int:
        sql = "SELECT DISTINCT message_hash FROM parts WHERE text LIKE ? ORDER BY id DESC LIMIT 20"
        return len(list(self._store.db.query(sql, [f"%{word}%"])))

    def _part(self, part: Any) -> Any:
        if part["type"] == "text":
            return self._parts.TextPart(text=part["content"])
        if part["type"] == "tool_call":
            return self._parts.ToolCallPart(name=part["name"], arguments=part["arguments"], tool_call_id=part["id"])
        output = orjson.dumps(part["response"]).decode()
        return self._parts.ToolResultPart(name="run", output=output, tool_call_id=part["id"])


PEERS: Final[Sequence[type[Peer]]] = (
    OpenAIAgents, LangChainFile, LangChainSQL, LangGraph, JupyterContents, JupyterChat, DiskCache, TinyDBFiles, LLM,
)  # fmt: skip


def installed(folder: str, kinds: Sequence[type[Peer]] = PEERS) -> tuple[list[Peer], list[str]]:
    """Return ours and the peers that are installed, and the names of those that are not."""
    found: list[Peer] = [Ours(os.path.join(folder, "ours"))]
    missing = []
    for kind in kinds:
        try:
            found.append(kind(os.path.join(folder, kind.__name__)))
        except ImportError:
            missing.append(kind.name)
    return found, missing
