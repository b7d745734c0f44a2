"""Messages of Anthropic's API: content blocks of text, thinking, tools and images; whole answers of it, too.

Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jido_jupyter.core.messages import Part, Role, Status
from jido_jupyter.services.shapes import contents, images, tools
from jido_jupyter.services.shapes.counts import usage_of
from jido_jupyter.services.shapes.draft import Draft, Item, Shape
from jido_jupyter.services.shapes.plain import lean, word

_BLOCKS: Final = frozenset(
    (
        "thinking",
        "redacted_thinking",
        "tool_use",
        "tool_result",
        "image",
        "document",
        "server_tool_use",
        "container_upload",
    )
)
_ENDS: Final[Mapping[str, Status]] = {"max_tokens": "truncated", "refusal": "truncated", "pause_turn": "truncated"}


def fits(item: Item) -> bool:
    content = item.get("content")
    if item.get("role") not in ("user", "assistant") or not isinstance(content, list):
        return False
    kinds = {word(block.get("type")) for block in content if isinstance(block, Mapping)}
    return bool(kinds & _BLOCKS) or any(kind.endswith("_tool_result") for kind in kinds) or is_answer(item)


def is_answer(item: Item) -> bool:
    """Whether it is a whole answer of a server."""
    return item.get("type") == "message" and "stop_reason" in item


def read(item: Item, path: str) -> list[Draft]:
    """Return the message of an item; one that only hands results of tools back is the tools'.

    Raises:
        InvalidField: its content has another shape.
    """
    blocks = contents.blocks_of(item.get("content"), path)
    parts = tuple(_part(block) for block in blocks)
    members = {name: value for name, value in lean(item).items() if name not in ("role", "content")}
    results = [part.get("type") == "tool_call_response" for part in parts]
    role: Role = "assistant" if item["role"] == "assistant" else "tool" if results and all(results) else "user"
    if not is_answer(item):
        return [Draft(role, parts, members)]
    model = item.get("model")
    return [
        Draft(
            role,
            parts,
            members,
            model=f"anthropic:{model}" if model else None,
            usage=usage_of(item.get("usage")),
            status=end_of(item.get("stop_reason")),
        )
    ]


def end_of(stop_reason: Any) -> Status:
    """Return how an answer ended by the reason that the server gave; none at all is no good end."""
    return _ENDS.get(stop_reason, "complete") if isinstance(stop_reason, str) else "truncated"


def write(role: Role, parts: Sequence[Part], members: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the item; nothing where there is nothing that the server would take."""
    text = contents.texts(parts)
    speaker = role if role in ("assistant", "system") else "user"
    if text is not None and members.get("type") != "message":
        return [{"role": speaker, "content": text, **members}] if text else []
    blocks = [block for part in parts if (block := _block(part)) is not None]
    return [{"role": speaker, "content": blocks, **members}] if blocks else []


def _part(block: Mapping[str, Any]) -> Part:
    kind = block.get("type")
    if kind == "thinking" and isinstance(block.get("thinking"), str):
        return {"type": "reasoning", "content": block["thinking"], **_rest(block, "type", "thinking")}
    if kind == "tool_use":
        more = _rest(block, "type", "id", "name", "input")
        return tools.call(block.get("id"), block.get("name"), block.get("input"), **more)
    if kind == "tool_result":
        more = _rest(block, "type", "tool_use_id", "content")
        return tools.answer(block.get("tool_use_id"), block.get("content"), **more)
    return contents.text_block(block) or contents.kept(block)


def _block(part: Part) -> dict[str, Any] | None:
    kind = part.get("type")
    if kind == "text":
        return contents.block_of_text(part, "text") if part["content"] else None
    if kind == "reasoning":  # without its signature the server refuses it
        more = _rest(part, "type", "content")
        return {"type": "thinking", "thinking": part["content"], **more} if "signature" in part else None
    if kind == "tool_call":
        more = _rest(part, "type", "id", "name", "arguments")
        return {
            "type": "tool_use",
            "id": part["id"],
            "name": part["name"],
            "input": dict(tools.as_object(part.get("arguments"))),
            **more,
        }
    if kind == "tool_call_response":
        response = part["response"]
        content = response if isinstance(response, list) else tools.as_text(response)
        more = _rest(part, "type", "id", "response", "outcome")
        return {"type": "tool_result", "tool_use_id": part["id"], "content": content, **more}
    return dict(images.for_anthropic(part))


def _rest(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names and value is not None}


SHAPE: Final = Shape("anthropic", fits, read, write)
