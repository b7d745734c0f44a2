"""Messages of LangChain, as its objects dump themselves and as its ``messages_to_dict`` writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jido_jupyter.core.messages import Part, Role, Status
from jido_jupyter.errors import InvalidField
from jido_jupyter.services.shapes import anthropic, contents, tools
from jido_jupyter.services.shapes.counts import usage_of
from jido_jupyter.services.shapes.draft import Draft, Item, Shape
from jido_jupyter.services.shapes.openai_chat import end_of
from jido_jupyter.services.shapes.plain import word

_ROLES: Final[Mapping[str, Role]] = {
    "human": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "SystemMessageChunk": "system",
    "tool": "tool",
    "ToolMessageChunk": "tool",
    "function": "tool",
}
_READ: Final = ("type", "content", "tool_calls", "tool_call_id")


def fits(item: Item) -> bool:
    has_content = "content" in item or isinstance(item.get("data"), Mapping)
    return word(item.get("type")) in _ROLES and "role" not in item and has_content


def read(item: Item, path: str) -> list[Draft]:
    """Return the message of an item.

    Raises:
        InvalidField: its content or its calls have another shape.
    """
    kind: str = item["type"]
    data: Mapping[str, Any] = item["data"] if isinstance(item.get("data"), Mapping) else item
    role = _ROLES[kind]
    members = {name: value for name, value in data.items() if name not in _READ}
    if role == "tool":
        answered = tools.answer(data.get("tool_call_id") or data.get("name"), data.get("content"))
        return [Draft(role, (answered,), {"type": kind, **members})]
    calls = _calls(data.get("tool_calls"), path)
    known = {part["id"] for part in calls}
    said = [
        part
        for block in contents.blocks_of(data.get("content"), path)
        if (part := _part(block)).get("type") != "tool_call" or part.get("id") not in known
    ]
    told = data.get("response_metadata")
    told = told if isinstance(told, Mapping) else {}
    name = told.get("model_name") or told.get("model")
    return [
        Draft(
            role,
            (*said, *calls),
            {"type": kind, **members},
            model=f"{told.get('model_provider', 'langchain')}:{name}" if name else None,
            usage=usage_of(data.get("usage_metadata")),
            status=_end(told),
        )
    ]


def write(role: Role, parts: Sequence[Part], members: Mapping[str, Any]) -> list[dict[str, Any]]:
    text = contents.texts([part for part in parts if part.get("type") != "tool_call"])
    calls = [
        {"name": part["name"], "args": part.get("arguments"), "id": part["id"], "type": "tool_call"}
        for part in parts
        if part.get("type") == "tool_call"
    ]
    answers = [part for part in parts if part.get("type") == "tool_call_response"]
    if answers:
        [*_, last] = answers
        return [{"content": last["response"], "tool_call_id": last["id"], **members}]
    return [{"content": text or "", **({"tool_calls": calls} if role == "assistant" else {}), **members}]


def _part(block: Mapping[str, Any]) -> Part:
    [said] = anthropic.SHAPE.read({"role": "user", "content": [block]}, "message")
    return said.parts[0]


def _calls(found: Any, path: str) -> list[Part]:
    if not found:
        return []
    if not isinstance(found, list) or not all(isinstance(call, Mapping) for call in found):
        raise InvalidField(f"{path}.tool_calls", "expected a list of objects")
    return [tools.call(call.get("id"), call.get("name"), call.get("args")) for call in found]


def _end(told: Mapping[str, Any]) -> Status:
    reason = told.get("finish_reason") or told.get("stop_reason")
    if reason is None:
        return "complete"
    return "truncated" if "truncated" in (end_of(reason), anthropic.end_of(reason)) else "complete"


SHAPE: Final = Shape("langchain", fits, read, write)
