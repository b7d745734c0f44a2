"""A session as its log says it is: a fold over records that never fails, and tells what it had to mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jido_jupyter.core import messages as wire
from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.text import MAX_TITLE, one_line, title_from
from jido_jupyter.errors import InvalidField

UNTITLED = "New session"
PREVIEW = 120  # characters
_NAMELESS = "nameless"  # the id of an answer whose pieces do not tell it
_SOMETIME = "1970-01-01T00:00:00.000Z"  # and its time
_MARKS = str.maketrans("", "", "*`#")


@dataclass(frozen=True, slots=True)
class SessionState:
    """Everything a session holds; values only."""

    id: str
    created_at: str
    updated_at: str  # time of the last turn, never of the file
    title: str = UNTITLED
    title_source: str = "auto"  # "auto", or "user" once somebody named it
    opened_at: str = ""  # when it was opened last
    notebook: str | None = None
    model: str | None = None  # of the last answer
    assistant: str | None = None  # model id that the user chose for this session; None: the kernel's
    origin: Mapping[str, Any] | None = None  # for a fork or an import: where it came from
    tags: tuple[str, ...] = ()
    pinned: bool = False
    archived: bool = False
    messages: tuple[Message, ...] = ()
    todos: tuple[Mapping[str, Any], ...] = ()  # each with text and status
    summary: Mapping[str, Any] | None = None  # text that stands for the messages up to "to"
    context: Mapping[str, Any] | None = None  # the notebook at the end of the last turn
    extras: Mapping[str, Any] | None = None  # what adapters keep beside the messages, by name
    repairs: tuple[str, ...] = ()  # what was mended on load, one sentence each
    unsettled: frozenset[str] = frozenset()  # ids of answers without an end: cut off, or streaming elsewhere right now

    def with_messages(self, said: Iterable[Message]) -> SessionState:
        """Return the session after ``said``; an id that is there already is not added again."""
        known = {message.id for message in self.messages}
        new = tuple(message for message in said if message.id not in known)
        if not new:
            return self
        title = self.title
        if title == UNTITLED and self.title_source == "auto":
            asked = next((text for message in new if message.role == "user" and (text := _first_text(message))), "")
            title = title_from(asked) or title
        return replace(
            self,
            messages=self.messages + new,
            title=title,
            updated_at=max(self.updated_at, new[-1].created_at),
            model=next((message.model for message in reversed(new) if message.model), self.model),
        )

    def with_meta(self, changes: Mapping[str, Any]) -> SessionState:
        """Return the session after a ``meta`` record; values of the wrong shape are passed over."""
        accepted = {name: _META[name](value) for name, value in changes.items() if name in _META and _fits(name, value)}
        if "extras" in accepted:  # name by name; None takes one away
            extras = {**(self.extras or {}), **accepted["extras"]}
            accepted["extras"] = {name: value for name, value in extras.items() if value is not None} or None
        return replace(self, **accepted)

    @property
    def meta(self) -> dict[str, Any]:
        """Return what `with_meta` takes to come to this session from an empty one."""
        fields = {name: getattr(self, name) for name in _META}
        fields["tags"] = list(self.tags)
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of a session."""

    id: str
    title: str
    created_at: str
    updated_at: str
    message_count: int
    title_source: str = "auto"
    opened_at: str = ""  # when it was opened last
    notebook: str | None = None
    model: str | None = None
    tags: tuple[str, ...] = ()
    pinned: bool = False
    archived: bool = False
    preview: str = ""
    problems: tuple[str, ...] = ()
    revision: str = ""
    is_damaged: bool = False
    owner: Owner | None = field(default=None, compare=False)  # None: closed


def summarise(state: SessionState, revision: str) -> Summary:
    return Summary(
        id=state.id,
        title=state.title,
        created_at=state.created_at,
        updated_at=state.updated_at,
        message_count=len(state.messages),
        title_source=state.title_source,
        opened_at=state.opened_at,
        notebook=state.notebook,
        model=state.model,
        tags=state.tags,
        pinned=state.pinned,
        archived=state.archived,
        preview=_preview(state.messages[-1].text) if state.messages else "",
        problems=state.repairs,
        revision=revision,
    )


def replay(header: Record, log: Iterable[Record]) -> SessionState:
    """Return the session that a header and the records after it describe.

    An answer that was still streaming when its process died is closed as ``interrupted``, so that the next request to a
    model is valid; records that make no sense are passed over. Both are told in ``repairs``.
    """
    created_at = str(header.get("created_at", ""))
    state = SessionState(id=str(header["id"]), created_at=created_at, updated_at=created_at)
    said: list[Message] = []
    known: set[str] = set()
    unfinished: dict[str, _Unfinished] = {}
    repairs: list[str] = []
    opened_at = ""
    for record in log:
        kind = record.get("t")
        if kind == "messages":
            for message in _messages_of(record, repairs):
                unfinished.pop(message.id, None)
                if message.id in known:
                    repairs.append("A message that stands twice in the file is shown once.")
                    continue
                known.add(message.id)
                said.append(message)
        elif kind == "partial":
            answer_id = str(record.get("message")) or _NAMELESS
            if answer_id in known:  # it has ended, and is there whole
                continue
            started = unfinished.setdefault(answer_id, _Unfinished(len(said), record))
            started.texts.append(str(record.get("text", "")))
            started.last = record
        elif kind == "rewind":
            place = -1 if record.get("to") == records.START else _place(said, record.get("to"))
            if place is None:
                repairs.append("A rewind to a message that is not there was passed over.")
                continue
            known -= {message.id for message in said[place + 1 :]}
            del said[place + 1 :]
            unfinished.clear()
        elif kind == "open":
            opened_at = str(record.get("at", ""))
        elif kind == "todos" and isinstance(record.get("todos"), list):
            state = replace(state, todos=tuple(item for item in record["todos"] if isinstance(item, Mapping)))
        elif kind == "summary":
            has_text = all(isinstance(record.get(name), str) and record[name] for name in ("text", "to"))
            state = replace(state, summary=record if has_text else None)
        elif kind == "context" and isinstance(record.get("context"), Mapping):
            state = replace(state, context=record["context"])
        elif kind == "meta" and isinstance(record.get("set"), Mapping):
            state = state.with_meta(record["set"])
    for message_id, answer in reversed(unfinished.items()):
        said.insert(answer.place, answer.as_message(message_id))
    said = _with_closed_calls(said)
    if state.summary is not None and state.summary.get("to") not in known:  # it was rewound to before
        state = replace(state, summary=None)
    return replace(
        state.with_messages(said),
        opened_at=opened_at,
        repairs=tuple(dict.fromkeys(repairs)),
        unsettled=frozenset(unfinished),
    )


def _place(said: Sequence[Message], message_id: Any) -> int | None:
    return next((place for place, message in enumerate(said) if message.id == message_id), None)


def _with_closed_calls(said: list[Message]) -> list[Message]:
    """Return the messages with an answer to each tool call that has none: a model refuses a conversation without.

    The answer is made anew at each load, in the place where it belongs, and never written.
    """
    parts = [
        part for message in said for part in message.parts if part.get("type") in ("tool_call", "tool_call_response")
    ]
    answered = {part["id"] for part in parts if part["type"] == "tool_call_response"}
    if all(part["id"] in answered for part in parts):
        return said
    closed: list[Message] = []
    for message in said:
        closed.append(message)
        calls = [part for part in message.parts if part.get("type") == "tool_call" and part["id"] not in answered]
        if calls:
            parts = [{"type": "tool_call_response", "id": part["id"], "response": "interrupted"} for part in calls]
            closed.append(Message(f"{message.id}-closed", "tool", tuple(parts), message.created_at, "interrupted"))
    return closed


def _preview(text: str) -> str:
    """Return the start of a text in one line, without the marks of Markdown that say nothing there."""
    return one_line(text[: 4 * PREVIEW].translate(_MARKS), PREVIEW)


@dataclass(slots=True)
class _Unfinished:
    place: int  # messages before it
    last: Record
    texts: list[str] = field(default_factory=list)

    def as_message(self, message_id: str) -> Message:
        model = self.last.get("model")
        return Message(
            id=message_id,
            role="assistant",
            parts=(text_part("".join(self.texts)),),
            created_at=str(self.last.get("at") or _SOMETIME),
            status="interrupted",
            model=model if isinstance(model, str) else None,
        )


def _first_text(message: Message) -> str:
    """Return what the user typed; what goes with a question stands in parts after it."""
    found: str = next((part["content"] for part in message.parts if part.get("type") == "text"), "")
    return found.strip()


def _messages_of(record: Record, repairs: list[str]) -> Iterable[Message]:
    said = record.get("messages")
    if not isinstance(said, list):
        repairs.append("A record without its messages was passed over.")
        return
    for message in said:
        try:
            yield wire.from_wire(message)
        except InvalidField as error:
            repairs.append(f"A message was passed over ({error}) It is kept in the file.")


def _fits(name: str, value: Any) -> bool:
    if name in ("notebook", "model", "assistant"):
        return value is None or isinstance(value, str)
    if name in ("origin", "extras"):
        return isinstance(value, Mapping)
    if name in ("pinned", "archived"):
        return isinstance(value, bool)
    if name == "tags":
        return isinstance(value, list | tuple) and all(isinstance(tag, str) for tag in value)
    return isinstance(value, str) and bool(value.strip())


def _title(value: str) -> str:
    return one_line(value, MAX_TITLE) or UNTITLED


_META: dict[str, Any] = {
    "title": _title,
    "title_source": str,
    "notebook": lambda value: value,
    "model": lambda value: value,
    "assistant": lambda value: value,
    "origin": dict,
    "extras": dict,
    "tags": tuple,
    "pinned": bool,
    "archived": bool,
}


def compacted(state: SessionState, log: Iterable[Record], at: str) -> list[Record]:
    """Return the shortest log of a session: what was rewound and the pieces of answers are gone, what is unknown is kept."""
    unknown = [
        {name: value for name, value in record.items() if name != "n"}
        for record in log
        if record.get("t") not in records.KINDS
    ]
    return [records.meta(state.meta, at), records.messages(state.messages, at), *beside(state, at), *unknown]


def beside(state: SessionState, at: str) -> list[Record]:
    """Return the records of what a session holds beside its messages and its meta."""
    log = []
    if state.todos:
        log.append(records.todos(state.todos, at))
    if state.summary is not None:
        log.append(records.summary(state.summary["text"], state.summary["to"], at, state.summary.get("model")))
    if state.context is not None:
        log.append(records.context(state.context, at))
    return log
