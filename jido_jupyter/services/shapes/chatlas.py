"""Turns of chatlas: a role and contents that each name their type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jido_jupyter.core.messages import Part, Role
from jido_jupyter.errors import InvalidField
from jido_jupyter.services.shapes import contents, tools
from jido_jupyter.services.shapes.draft import Draft, Item, Shape


def fits(item: Item) -> bool:
    return item.get("role") in ("user", "assistant", "system") and isinstance(item.get("contents"), list)


def read(item: Item, path: str) -> list[Draft]:
    """Return the message of a turn.

    Raises:
        InvalidField: a content is no object.
    """
    parts: list[Part] = []
    for number, content in enumerate(item["contents"]):
        if not isinstance(content, Mapping):
            raise InvalidField(f"{path}.contents[{number}]", "expected an object with a 'content_type'")
        parts.append(_part(content))
    results = [part.get("type") == "tool_call_response" for part in parts]
    role: Role = "tool" if results and all(results) else item["role"]
    members = {name: value for name, value in item.items() if name not in ("role", "contents")}
    return [Draft(role, tuple(parts), members)]


def write(role: Role, parts: Sequence[Part], members: Mapping[str, Any]) -> list[dict[str, Any]]:
    text = contents.texts(parts)
    if text is None:
        return []
    return [{"role": role, "contents": [{"text": text, "content_type": "text"}], **members}]


def _part(content: Mapping[str, Any]) -> Part:
    kind = content.get("content_type")
    if kind == "text" and isinstance(content.get("text"), str):
        return {"type": "text", "content": content["text"]}
    if kind == "thinking" and isinstance(content.get("thinking"), str):
        return {"type": "reasoning", "content": content["thinking"]}
    if kind == "tool_request":
        return tools.call(content.get("id"), content.get("name"), content.get("arguments"))
    if kind == "tool_result":
        asked = content.get("request")
        call_id = asked.get("id") if isinstance(asked, Mapping) else content.get("id")
        response = content.get("error") or content.get("value")
        return tools.answer(call_id, response)
    return {"type": kind, **content} if isinstance(kind, str) else contents.kept(content)


SHAPE: Final = Shape("chatlas", fits, read, write)
