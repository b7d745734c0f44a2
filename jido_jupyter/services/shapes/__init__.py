"""Messages of other libraries, read and written: a registry of shapes, one module each.

The conversions are pure, import none of those libraries, and stand in the services because more than one door needs them:
`Session.record`, the adapters, and whatever brings histories in from files.

Nothing is lost: a content block that nobody here knows becomes a part of its own type, and an item that its shape could
not write again as it was is kept verbatim beside the message, in ``ext["recorded"]["item"]``. Of a whole answer, what stands beside its messages is kept in ``["answer"]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from jido_jupyter.core.messages import Message, Part, parts_from_wire
from jido_jupyter.core.messages import to_wire as message_to_wire
from jido_jupyter.errors import InvalidField
from jido_jupyter.services.shapes import (
    anthropic,
    chatlas,
    langchain,
    openai_chat,
    openai_responses,
    own,
    pydantic_ai,
)
from jido_jupyter.services.shapes.draft import RECORDED, Draft, Shape
from jido_jupyter.services.shapes.plain import lean, members_of, plain

__all__ = ["SHAPES", "Draft", "as_items", "read", "read_item", "to_anthropic", "to_openai", "written"]

# The first that fits reads an item: what is told by more stands before what is told by less.
SHAPES: Final[Sequence[Shape]] = (
    own.SHAPE,
    pydantic_ai.SHAPE,
    langchain.SHAPE,
    chatlas.SHAPE,
    openai_chat.ANSWER,
    openai_responses.ANSWER,
    anthropic.SHAPE,
    openai_responses.SHAPE,
    openai_chat.SHAPE,
)
_ASKED: Final = ("choices", "output", "tools", "instructions", "object")
_EXPECTED: Final = (
    "expected a message of OpenAI (role and content), Anthropic (content blocks), the Responses API (an item with a "
    "type), pydantic-ai (kind and parts) or LangChain (type and content), an object of theirs, or a list of these"
)


def read(said: object, path: str = "said") -> list[Draft]:
    """Return the messages that ``said`` holds: an item of any shape, or a list of items.

    Raises:
        InvalidField: an item has no shape that is known, or is not what its shape says; nothing is read then.
    """
    items = as_items(said)
    is_many = items is not said
    return [
        draft
        for number, item in enumerate([said] if not is_many else items)
        for draft in read_item(item, f"{path}[{number}]" if is_many else path)
    ]


def as_items(said: Any) -> Any:
    """Return the items of a list-like value or of an object that holds ``messages``; a single item as it is."""
    if isinstance(said, Mapping):
        inner = said.get("messages")
        return inner if isinstance(inner, list) and "role" not in said else said
    return (
        list(said) if isinstance(said, Iterable) and not isinstance(said, str | bytes) and not _is_item(said) else said
    )


def read_item(item: object, path: str = "said") -> list[Draft]:
    """Return the messages of one item.

    Raises:
        InvalidField
    """
    if isinstance(item, Message):
        item = message_to_wire(item)
    if isinstance(item, str | bytes | int | float) or item is None:
        raise InvalidField(path, f"a {type(item).__name__} says not who said it; {_EXPECTED}")
    found = plain(item if isinstance(item, Mapping) else members_of(item, path), path)
    shape = next((shape for shape in SHAPES if shape.fits(found)), None)
    if shape is None:
        names = ", ".join(list(found)[:8]) or "none"
        raise InvalidField(path, f"{_EXPECTED}; found an object with the members {names}")
    drafts = shape.read(found, path)
    for draft in drafts:
        parts_from_wire(draft.parts, path)
    return _with_source(shape, found, drafts)


def written(message: Message, shape: Shape) -> list[dict[str, Any]]:
    """Return a message as items of a shape; one that was recorded in that shape as it was."""
    recorded = message.ext.get(RECORDED)
    if not isinstance(recorded, Mapping) or recorded.get("shape") != shape.name:
        parts = [part for part in map(_bare, message.parts) if part.get("content") != ""]
        return shape.write(message.role, parts, {}) if parts else []
    if recorded.get("more"):  # what stands in the item of the message before
        return []
    if isinstance(item := recorded.get("item"), Mapping):
        return [dict(item)]
    members = recorded.get("members")
    return shape.write(message.role, message.parts, members if isinstance(members, Mapping) else {})


def to_openai(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return messages as ``client.chat.completions.create`` takes them."""
    return [item for message in messages for item in written(message, openai_chat.SHAPE)]


def to_anthropic(messages: Iterable[Message]) -> dict[str, Any]:
    """Return messages as arguments of ``client.messages.create``: ``messages``, and ``system`` where there is one."""
    messages = list(messages)
    system = "\n\n".join(message.text for message in messages if message.role == "system" and message.text)
    said = [item for message in messages if message.role != "system" for item in _sent_to_anthropic(message)]
    return {"messages": said} | ({"system": system} if system else {})


def _bare(part: Part) -> Part:
    """Return a text without what another library's server said about it."""
    return {"type": "text", "content": part["content"]} if part.get("type") == "text" else part


def _sent_to_anthropic(message: Message) -> list[dict[str, Any]]:
    # An answer carries what the server said of it, which the server refuses in a question.
    return [{"role": item["role"], "content": item["content"]} for item in written(message, anthropic.SHAPE)]


def _with_source(shape: Shape, item: Mapping[str, Any], drafts: list[Draft]) -> list[Draft]:
    """Return the drafts with what is needed to write their item again."""
    if shape is own.SHAPE:
        return drafts
    [first, *rest] = drafts
    source: dict[str, Any] = {"shape": shape.name}
    if shape in (openai_chat.ANSWER, openai_responses.ANSWER) or _same(shape, item, drafts):
        sources = [{**source, "members": draft.members} if draft.members else source for draft in drafts]
        if shape in (openai_chat.ANSWER, openai_responses.ANSWER):
            sources[-1] = {**sources[-1], "answer": _about_answer(item)}
    else:
        sources = [{**source, "item": item}, *({**source, "more": True} for _ in rest)]
    return [
        replace(draft, ext={**draft.ext, RECORDED: found}) for draft, found in zip([first, *rest], sources, strict=True)
    ]


def _about_answer(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a whole answer says beside its messages: ids, counts, other choices; not what was asked."""
    about = {name: value for name, value in lean(item).items() if name not in _ASKED}
    others = item["choices"][1:] if isinstance(item.get("choices"), list) else []
    return {**about, "choices": others} if others else about


def _same(shape: Shape, item: Mapping[str, Any], drafts: list[Draft]) -> bool:
    if len(drafts) != 1:
        return False
    [draft] = drafts
    [*again] = shape.write(draft.role, draft.parts, draft.members)
    return len(again) == 1 and again[0] in (item, lean(item))


def _is_item(said: Any) -> bool:
    """Whether an object that can be iterated over is a message all the same, as pydantic's models can be."""
    return callable(getattr(said, "model_dump", None))
