"""Items of OpenAI's Responses API, which its Agents SDK keeps, too; whole answers of it as well.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from jido_jupyter.core.messages import Part, Role, Status
from jido_jupyter.errors import InvalidField
from jido_jupyter.services.shapes import contents, tools
from jido_jupyter.services.shapes.counts import usage_of
from jido_jupyter.services.shapes.draft import Draft, Item, Shape
from jido_jupyter.services.shapes.openai_chat import SHAPE as CHAT
from jido_jupyter.services.shapes.plain import word

_ENDS: Final[Mapping[str, Status]] = {
    "completed": "complete",
    "incomplete": "truncated",
    "in_progress": "interrupted",
    "cancelled": "interrupted",
    "failed": "failed",
}
_BLOCKS: Final = frozenset(("input_text", "output_text", "input_image", "input_file"))
_OURS: Final = ("text", "reasoning", "tool_call", "tool_call_response")


def fits(item: Item) -> bool:
    kind, content = item.get("type"), item.get("content")
    blocks = content if isinstance(content, list) else []
    is_new = any(isinstance(block, Mapping) and word(block.get("type")) in _BLOCKS for block in blocks)
    if "role" in item:
        return is_new or (kind == "message" and isinstance(content, str | list))
    return isinstance(kind, str) and (kind in ("reasoning", "item_reference", "compaction") or "_call" in kind)


def read(item: Item, path: str) -> list[Draft]:
    """Return the message of an item; an item that nobody here knows is kept whole as a part of its type.

    Raises:
        InvalidField: its role or its content has another shape.
    """
    kind = "message" if "role" in item else word(item.get("type"))
    if kind == "message":
        return [_message(item, path)]
    if kind == "function_call":
        called = tools.call(item.get("call_id"), item.get("name"), item.get("arguments"))
        return [Draft("assistant", (called,), _rest(item, "call_id", "name", "arguments"))]
    if kind == "function_call_output":
        answered = tools.answer(item.get("call_id"), item.get("output"))
        return [Draft("tool", (answered,), _rest(item, "call_id", "output"))]
    if kind == "reasoning":
        thought = {"type": "reasoning", "content": _thought(item)}
        return [Draft("assistant", (thought,), dict(item))]
    role: Role = "tool" if kind.endswith("_output") else "assistant"
    return [Draft(role, (contents.kept(item),), {"type": kind})]


def write(role: Role, parts: Sequence[Part], members: Mapping[str, Any]) -> list[dict[str, Any]]:
    kind = members.get("type")
    if kind == "reasoning":
        return [dict(members)]
    if len(parts) == 1 and parts[0].get("type") == kind and kind not in _OURS:
        return [dict(parts[0])]
    items: list[dict[str, Any]] = []
    more = members if kind in ("function_call", "function_call_output") else {}
    said = [part for part in parts if part.get("type") not in _OURS or part.get("type") == "text"]
    if said:
        items.append(_written(role, said, {} if more else members))
    for part in parts:
        if part.get("type") == "tool_call":
            called = {"call_id": part["id"], "name": part["name"]}
            items.append(
                {"type": "function_call", **called, "arguments": tools.as_text(part.get("arguments")) or "{}", **more}
            )
        elif part.get("type") == "tool_call_response":
            response = part["response"]
            output = response if isinstance(response, list) else tools.as_text(response)
            items.append({"type": "function_call_output", "call_id": part["id"], "output": output, **more})
    return items


def fits_answer(item: Item) -> bool:
    return item.get("object") == "response" and isinstance(item.get("output"), list)


def read_answer(item: Item, path: str) -> list[Draft]:
    """Return the items of a whole answer; what it cost stands with the last one."""
    drafts: list[Draft] = []
    for number, found in enumerate(item["output"]):
        if not isinstance(found, Mapping):
            raise InvalidField(f"{path}.output[{number}]", "expected an object with a 'type'")
        drafts += read(found, f"{path}.output[{number}]")
    if not drafts:
        drafts = [Draft("assistant", ())]
    model, status = item.get("model"), _ENDS.get(word(item.get("status")), "truncated")
    drafts = [replace(draft, model=f"openai:{model}" if model else None) for draft in drafts]
    return [*drafts[:-1], replace(drafts[-1], usage=usage_of(item.get("usage")), status=status)]


def _message(item: Item, path: str) -> Draft:
    [said] = CHAT.read(
        {"role": item.get("role"), "content": item.get("content")} if item.get("role") != "tool" else item, path
    )
    return replace(said, members={**said.members, **_rest(item, "role", "content")})


def _written(role: Role, said: Sequence[Part], members: Mapping[str, Any]) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    text = None if members.get("type") == "message" and role == "assistant" else contents.texts(said)
    blocks = [contents.block_of_text(part, kind) if part.get("type") == "text" else dict(part) for part in said]
    return {"role": "user" if role == "tool" else role, "content": blocks if text is None else text, **members}


def _thought(item: Item) -> str:
    found = [*_texts(item.get("summary")), *_texts(item.get("content"))]
    return "\n\n".join(found)


def _texts(blocks: Any) -> list[str]:
    if not isinstance(blocks, list):
        return []
    return [block["text"] for block in blocks if isinstance(block, Mapping) and isinstance(block.get("text"), str)]


def _rest(item: Item, *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}


SHAPE: Final = Shape("openai-responses", fits, read, write)
ANSWER: Final = Shape("openai-responses", fits_answer, read_answer, write)
