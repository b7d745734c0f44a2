"""A store for the conversations of pydantic-ai, in which each conversation is a session of ours.

::

    store = JidoStore()
    conversation = await store.load("rows") or Conversation(conversation_id="rows")
    result = await agent.run("How many rows?", conversation=conversation)
    await store.save(result)

How it is kept: each message of pydantic-ai stands verbatim beside the messages that came of it, with the id of its entry;
what the store keeps of a conversation besides (usage, revision, branches) stands in the session's ``extras``, as do the
entries of branches that were left. All of a save is one write. A session that was made otherwise can be loaded by its id
and gone on with; once it was added to elsewhere, its revision says so, and a save meets a conflict.

Source: pydantic-ai 2.68.0, ``pydantic_ai.conversation_store``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from pydantic import ValidationError
from pydantic_ai.conversation import Conversation, ConversationTypeAdapter
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
)
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter
from pydantic_ai.usage import RunUsage

from jido_jupyter.adapters.matching import said_in
from jido_jupyter.adapters.recorder import mint_id
from jido_jupyter.adapters.threads import in_thread
from jido_jupyter.connection import connect
from jido_jupyter.core import ids
from jido_jupyter.core import messages as wire
from jido_jupyter.core.messages import Message
from jido_jupyter.core.records import START
from jido_jupyter.core.times import stamp
from jido_jupyter.errors import SessionExists, SessionNotFound, StaleRevision
from jido_jupyter.services import shapes
from jido_jupyter.services.sessions import Sessions, Shown
from jido_jupyter.services.shapes import pydantic_ai
from jido_jupyter.services.shapes.draft import RECORDED

_NAME: Final = "pydantic-ai"  # of what is ours in extras and messages
_LEFT: Final = "pydantic-ai/"  # and an entry's id: an entry of a branch that was left
_MARK: Final = "u"  # first letter of the sessions that are made here; ids that are minted never use it (`core.ids`)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An entry of a history and the messages that hold it."""

    id: str
    parent_id: str | None
    messages: tuple[Message, ...]


class JidoStore(ConversationStore):
    """Keeps conversations as sessions: listed, searched, exported and resumed like any other.

    Deleting a conversation moves its session to the trash, from where it can be restored. A session that is open in some
    notebook has to be closed there before it can be saved from here (`SessionOpen` says where).

    Args:
        sessions: where they are kept; None opens the store that the settings name.
    """

    def __init__(self, sessions: Sessions | None = None) -> None:
        self._log = _Log(connect().sessions if sessions is None else sessions)

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        return await in_thread(lambda: self._log.read_record(conversation_id))

    async def read_records(self, *, scope: str | None = None, limit: int | None = None) -> Sequence[ConversationRecord]:
        return await in_thread(lambda: self._log.read_records(scope, limit))

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        await in_thread(lambda: self._log.write_record(record, new_entries, expected_revision))

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        await in_thread(lambda: self._log.delete_record(conversation_id, expected_revision))

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        return await in_thread(lambda: self._log.history(entry_id)[-1])

    async def read_history(self, head_id: str | None, *, limit: int | None = None) -> list[ConversationEntry]:
        if head_id is None or limit == 0:
            return []
        found = await in_thread(lambda: self._log.history(head_id))
        return found if limit is None else found[-limit:]


class _Log:
    """What `JidoStore` promises, without its coroutines."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._homes: dict[str, str] = {}  # the session of each entry that was seen

    def read_record(self, conversation_id: str) -> ConversationRecord | None:
        shown = self._show(conversation_id)
        return None if shown is None else self._record(shown, conversation_id)

    def read_records(self, scope: str | None, limit: int | None) -> Sequence[ConversationRecord]:
        found: list[ConversationRecord] = []
        for summary in self._sessions.each():
            if summary.is_damaged:
                continue
            shown = self._sessions.show(summary.id)
            if (conversation_id := _conversation_id(shown)) is not None:
                found.append(self._record(shown, conversation_id))
        wanted = [record for record in found if scope is None or record.scope == scope]
        return sorted(wanted, key=lambda record: record.updated_at, reverse=True)[:limit]

    def write_record(
        self, record: ConversationRecord, new_entries: Sequence[ConversationEntry], expected: str | None
    ) -> None:
        shown = self._show(record.conversation_id)
        stored = None if shown is None else self._record(shown, record.conversation_id)
        if (stored.revision if stored else None) != expected:
            raise ConversationConflict(record.conversation_id)
        known = {} if shown is None else _entries(shown)
        new = {entry.id: _kept(entry) for entry in new_entries}
        chain = self._chain(record, {**known, **new})
        session_id = self._free_id(record.conversation_id) if shown is None else shown.state.id
        try:
            if shown is None:
                said = [message for entry in chain for message in entry.messages]
                meta = {"extras": {_NAME: _to_wire(record, said)}, "origin": {"kind": _NAME, "session": None}}
                self._sessions.begin(session_id, meta, said)
            else:
                self._revise(shown, record, chain)
        except (SessionExists, StaleRevision):
            raise ConversationConflict(record.conversation_id) from None
        self._homes |= dict.fromkeys([*known, *(entry.id for entry in chain)], session_id)

    def _revise(self, shown: Shown, record: ConversationRecord, chain: Sequence[_Kept]) -> None:
        """Go on from what the stored history and the new one share; entries that are left stay in the extras."""
        main = _main(said_in(shown.state.messages))
        shared = 0
        while shared < min(len(main), len(chain)) and main[shared].id == chain[shared].id:
            shared += 1
        said = [message for entry in chain[shared:] for message in entry.messages]
        kept = [message for entry in chain[:shared] for message in entry.messages]
        extras: dict[str, Any] = {f"{_LEFT}{entry.id}": _left_to_wire(entry) for entry in main[shared:]}
        extras |= {f"{_LEFT}{entry.id}": None for entry in chain[shared:] if f"{_LEFT}{entry.id}" in _extras(shown)}
        extras[_NAME] = _to_wire(record, [*kept, *said])
        after = kept[-1].id if kept else START
        self._sessions.revise(shown.state.id, after, said, extras, str(shown.revision))

    def delete_record(self, conversation_id: str, expected: str) -> None:
        shown = self._show(conversation_id)
        if shown is None or self._record(shown, conversation_id).revision != expected:
            raise ConversationConflict(conversation_id)
        self._sessions.trash(shown.state.id)

    def _chain(self, record: ConversationRecord, known: Mapping[str, _Kept]) -> list[_Kept]:
        """Return the entries up to the record's head; those of another conversation, for a fork, with messages anew."""
        chain: list[_Kept] = []
        entry_id = record.head_id
        while entry_id is not None:
            entry = known.get(entry_id)
            if entry is None:
                foreign = self._foreign(entry_id)
                if foreign is None:
                    raise ConversationConflict(record.conversation_id)
                return [*foreign, *reversed(chain)]
            chain.append(entry)
            entry_id = entry.parent_id
        return chain[::-1]

    def _foreign(self, entry_id: str) -> list[_Kept] | None:
        """Return the entries of another conversation up to one of its entries."""
        try:
            found = self._line(entry_id)
        except LookupError:
            return None
        return [_Kept(entry.id, entry.parent_id, _copies(entry.id, entry.parent_id, entry.messages)) for entry in found]

    def history(self, head_id: str) -> list[ConversationEntry]:
        line = self._line(head_id)
        items = [item for entry in line for item in [_item(entry.messages)]]
        pydantic_ai.fill_names(items)
        return [
            ConversationEntry(id=entry.id, parent_id=entry.parent_id, message=_message(item, entry.messages))
            for entry, item in zip(line, items, strict=True)
        ]

    def _line(self, head_id: str) -> list[_Kept]:
        """Return the entries up to one of them, oldest first.

        Raises:
            LookupError: no conversation has it.
        """
        entries = self._home(head_id)
        line: list[_Kept] = []
        entry_id: str | None = head_id
        while entry_id is not None:
            line.append(entries[entry_id])
            entry_id = entries[entry_id].parent_id
        return line[::-1]

    def _home(self, entry_id: str) -> Mapping[str, _Kept]:
        """Return the entries of the conversation that holds one; where it was not seen yet, all are looked through."""
        for session_id in self._candidates(entry_id):
            try:
                shown = self._sessions.show(session_id)
            except SessionNotFound:
                continue
            entries = _entries(shown)
            self._homes |= dict.fromkeys(entries, session_id)
            if entry_id in entries:
                return entries
        raise LookupError(entry_id)

    def _candidates(self, entry_id: str) -> Iterator[str]:
        if (known := self._homes.get(entry_id)) is not None:
            yield known
        for summary in self._sessions.each():
            if summary.id != known and not summary.is_damaged:
                yield summary.id

    def _show(self, conversation_id: str) -> Shown | None:
        """Return the session of a conversation; a session of ours has its own id for one, too."""
        if ids.is_valid(conversation_id):
            try:
                return self._sessions.show(conversation_id)
            except SessionNotFound:
                pass
        for session_id in _session_ids(conversation_id):
            try:
                shown = self._sessions.show(session_id)
            except SessionNotFound:
                if session_id not in self._sessions.trashed():
                    return None
                continue
            if _conversation_id(shown) == conversation_id:
                return shown
        return None

    def _free_id(self, conversation_id: str) -> str:
        trashed = self._sessions.trashed()
        return next(session_id for session_id in _session_ids(conversation_id) if session_id not in trashed)

    def _record(self, shown: Shown, conversation_id: str) -> ConversationRecord:
        entries = _main(said_in(shown.state.messages))
        self._homes |= dict.fromkeys(_entries(shown), shown.state.id)
        found = _extras(shown).get(_NAME)
        head_id = entries[-1].id if entries else None
        if not isinstance(found, Mapping) or _conversation_id(shown) != conversation_id:
            return _record_of_session(shown, conversation_id, head_id)
        conversation = ConversationTypeAdapter.validate_python(found["conversation"])
        said = said_in(shown.state.messages)
        is_as_written = found["last"] == (said[-1].id if said else None)
        return ConversationRecord(
            conversation_id=conversation_id,
            head_id=head_id,
            usage=conversation.usage,
            deferred_tool_requests=conversation.deferred_tool_requests if is_as_written else None,
            scope=found["scope"],
            forked_from=found["forked_from"],
            forked_at=found["forked_at"],
            branches=list(found["branches"]),
            revision=str(conversation.revision) if is_as_written else f"jido {shown.revision}",
            updated_at=datetime.fromisoformat(found["updated_at"] if is_as_written else shown.state.updated_at),
        )


def _record_of_session(shown: Shown, conversation_id: str, head_id: str | None) -> ConversationRecord:
    """Return the record of a session that pydantic-ai knows nothing of yet."""
    counted = [message.usage for message in shown.state.messages if message.usage is not None]
    usage = RunUsage(
        requests=sum(message.role == "assistant" for message in shown.state.messages),
        input_tokens=sum(usage.input_tokens or 0 for usage in counted),
        output_tokens=sum(usage.output_tokens or 0 for usage in counted),
    )
    return ConversationRecord(
        conversation_id=conversation_id,
        head_id=head_id,
        usage=usage,
        revision=f"jido {shown.revision}",
        updated_at=datetime.fromisoformat(shown.state.updated_at),
    )


def _to_wire(record: ConversationRecord, said: Sequence[Message]) -> Mapping[str, Any]:
    carried = Conversation(
        usage=record.usage,
        conversation_id=record.conversation_id,
        deferred_tool_requests=record.deferred_tool_requests,
        revision=record.revision,
    )
    return {
        "conversation": ConversationTypeAdapter.dump_python(carried, mode="json"),
        "scope": record.scope,
        "forked_from": record.forked_from,
        "forked_at": record.forked_at,
        "branches": list(record.branches),
        "updated_at": record.updated_at.isoformat(),
        "last": said[-1].id if said else None,
    }


def _session_ids(conversation_id: str) -> Iterator[str]:
    """Yield the ids that the session of a conversation may have: the next one where the last was moved to the trash."""
    number = 0
    while True:
        name = sha256(f"{conversation_id}\n{number}".encode(errors="surrogatepass")).digest()
        yield _MARK + ids.from_random(name[: ids.ID_BYTES])[1:]
        number += 1


def _extras(shown: Shown) -> Mapping[str, Any]:
    return shown.state.extras or {}


def _conversation_id(shown: Shown) -> str | None:
    """Return the id that pydantic-ai has for a session; None for one that it knows nothing of, as a fork of ours."""
    found = _extras(shown).get(_NAME)
    conversation = found.get("conversation") if isinstance(found, Mapping) else None
    conversation_id = conversation.get("conversation_id") if isinstance(conversation, Mapping) else None
    is_its_own = conversation_id == shown.state.id or (shown.state.origin or {}).get("kind") == _NAME
    return conversation_id if is_its_own and isinstance(conversation_id, str) else None


def _entries(shown: Shown) -> dict[str, _Kept]:
    """Return all entries of a session: those of its history, and those of branches that were left."""
    left = {
        name.removeprefix(_LEFT): _left(name.removeprefix(_LEFT), found)
        for name, found in _extras(shown).items()
        if name.startswith(_LEFT)
    }
    return left | {entry.id: entry for entry in _main(said_in(shown.state.messages))}


def _main(messages: Sequence[Message]) -> list[_Kept]:
    """Return the entries of a history. A message that came otherwise is an entry of its own."""
    entries: list[_Kept] = []
    for message in messages:
        ours = message.ext.get(_NAME)
        entry_id = ours["entry"] if isinstance(ours, Mapping) else message.id
        if entries and entries[-1].id == entry_id:
            entries[-1] = replace(entries[-1], messages=(*entries[-1].messages, message))
        else:
            entries.append(_Kept(entry_id, entries[-1].id if entries else None, (message,)))
    return entries


def _kept(entry: ConversationEntry) -> _Kept:
    [item] = orjson.loads(ModelMessagesTypeAdapter.dump_json([entry.message]))
    now = stamp(datetime.now(UTC))
    said = tuple(draft.as_message(mint_id(), now) for draft in shapes.read_item(item, "message"))
    return _Kept(entry.id, entry.parent_id, _copies(entry.id, entry.parent_id, said))


def _copies(entry_id: str, parent_id: str | None, messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return messages with new ids that know their entry."""
    return tuple(
        replace(message, id=mint_id(), ext={**message.ext, _NAME: {"entry": entry_id, "parent": parent_id}})
        for message in messages
    )


def _left_to_wire(entry: _Kept) -> Mapping[str, Any]:
    return {"parent": entry.parent_id, "messages": [wire.to_wire(message) for message in entry.messages]}


def _left(entry_id: str, found: Mapping[str, Any]) -> _Kept:
    return _Kept(entry_id, found["parent"], tuple(wire.from_wire(message) for message in found["messages"]))


def _item(messages: Sequence[Message]) -> dict[str, Any]:
    """Return what pydantic-ai wrote, or what comes nearest to messages that it did not write."""
    items = [item for message in messages for item in shapes.written(message, pydantic_ai.SHAPE)]
    kind = "response" if messages[0].role == "assistant" else "request"
    return items[0] if items else {"kind": kind, "parts": []}


def _message(item: Mapping[str, Any], messages: Sequence[Message]) -> ModelMessage:
    """Return an item as pydantic-ai reads it; where it cannot (a later one wrote it), what our own messages say."""
    try:
        [message] = ModelMessagesTypeAdapter.validate_json(orjson.dumps([item]))
    except ValidationError:
        bare = [
            replace(message, ext={name: x for name, x in message.ext.items() if name != RECORDED})
            for message in messages
        ]
        written = [part for message in bare for part in _item([message])["parts"]]
        items = [{"kind": item["kind"], "parts": written}]
        pydantic_ai.fill_names(items)
        [message] = ModelMessagesTypeAdapter.validate_json(orjson.dumps(items))
    return message
