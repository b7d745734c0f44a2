"""The records that a session's log is made of, as JSON objects before they are sealed.

====================  ==================================================================================
``header``            first and once: format version ``v``, ``id``, ``created_at``
``messages``          one or more whole messages (a turn, or all of them after compaction)
``partial``           the next piece of an answer that is still streaming: ``message``, ``text``
``meta``              what changed about the session: ``set`` with its title, tags, notebook ...
``rewind``            the conversation goes on after message ``to`` (empty: its start); what came later counts no more
``todos``             what the assistant still has to do: the whole list, each time it changes
``summary``           a text that stands for the messages up to ``to`` when a model is asked; empty undoes it
``context``           what the notebook looked like at the end of a turn: folder, cells, variables
``open``, ``close``   a process took or gave up the session: ``owner``
====================  ==================================================================================

Every record but the header carries ``at``. Records and members that a reader does not know are kept and passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from jido_jupyter.core import messages as wire
from jido_jupyter.core.messages import Message

FORMAT: Final = 1
START: Final = ""  # a rewind to it leaves nothing of the conversation
KINDS: Final = ("header", "messages", "partial", "meta", "rewind", "todos", "summary", "context", "open", "close")

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that has a session open."""

    kind: str  # "kernel", "server", "cli"
    host: str
    pid: int
    notebook: str | None = None

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)


def header(session_id: str, created_at: str) -> Record:
    return {"t": "header", "v": FORMAT, "id": session_id, "created_at": created_at}


def messages(said: Sequence[Message], at: str) -> Record:
    return {"t": "messages", "at": at, "messages": [wire.to_wire(message) for message in said]}


def partial(message_id: str, text: str, at: str, model: str | None = None) -> Record:
    return {"t": "partial", "at": at, "message": message_id, "text": text} | ({"model": model} if model else {})


def meta(changes: Mapping[str, Any], at: str) -> Record:
    return {"t": "meta", "at": at, "set": dict(changes)}


def rewind(message_id: str, at: str) -> Record:
    return {"t": "rewind", "at": at, "to": message_id}


def todos(items: Sequence[Mapping[str, Any]], at: str) -> Record:
    return {"t": "todos", "at": at, "todos": [dict(item) for item in items]}


def summary(text: str, to: str, at: str, model: str | None = None) -> Record:
    return {"t": "summary", "at": at, "to": to, "text": text} | ({"model": model} if model else {})


def context(found: Mapping[str, Any], at: str) -> Record:
    return {"t": "context", "at": at, "context": dict(found)}


def opened(owner: Owner, at: str) -> Record:
    return {"t": "open", "at": at, "owner": owner.to_wire()}


def closed(at: str) -> Record:
    return {"t": "close", "at": at}
