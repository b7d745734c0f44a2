"""Messages of pydantic-ai: requests and responses, each of parts that different sides said.

A request may hold what the system, the user and tools said, so one item may become several messages.
Source: https://ai.pydantic.dev/api/messages/ (read with 2.68.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from jido_jupyter.core.messages import Part, Role, Status
from jido_jupyter.errors import InvalidField
from jido_jupyter.services.shapes import contents, tools
from jido_jupyter.services.shapes.counts import usage_of
from jido_jupyter.services.shapes.draft import Draft, Item, Shape
from jido_jupyter.services.shapes.plain import word

_ROLES: Final[Mapping[str, Role]] = {
    "system-prompt": "system",
    "user-prompt": "user",
    "tool-return": "tool",
    "retry-prompt": "tool",
    "builtin-tool-return": "assistant",
    "native-tool-return": "assistant",
}
_STATES: Final[Mapping[str, Status]] = {"interrupted": "interrupted", "incomplete": "truncated", "failed": "failed"}


def fits(item: Item) -> bool:
    return item.get("kind") in ("request", "response") and isinstance(item.get("parts"), list)


def read(item: Item, path: str) -> list[Draft]:
    """Return the messages of an item, one for each side in turn.

    Raises:
        InvalidField: a part is no object.
    """
    is_answer = item["kind"] == "response"
    said: list[tuple[Role, Part]] = []
    for number, part in enumerate(item["parts"]):
        if not isinstance(part, Mapping) or not isinstance(part.get("part_kind"), str):
            raise InvalidField(f"{path}.parts[{number}]", "expected an object with a 'part_kind'")
        role: Role = "assistant" if is_answer else _role(part)
        said += [(role, found) for found in _parts(part, f"{path}.parts[{number}]")]
    drafts = [
        Draft(role, tuple(part for _, part in group)) for role, group in groupby(said, key=lambda one: one[0])
    ] or [Draft("assistant" if is_answer else "user", ())]
    if not is_answer:
        return drafts
    name, provider = item.get("model_name"), item.get("provider_name")
    model = f"{provider or 'pydantic-ai'}:{name}" if name else None
    status = _STATES.get(word(item.get("state")), "truncated" if item.get("finish_reason") == "length" else "complete")
    return [Draft("assistant", drafts[0].parts, model=model, usage=usage_of(item.get("usage")), status=status)]


def write(role: Role, parts: Sequence[Part], members: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the item; without names of tools, which `fill_names` knows from the calls before."""
    kind = "response" if role == "assistant" else "request"
    written = [found for part in parts for found in _written(role, part)]
    return [{"kind": kind, "parts": written, **members}] if written else []


def fill_names(items: Sequence[Mapping[str, Any]]) -> None:
    """Name the tools in what they gave back, which is required there, after the calls that stand before."""
    names: dict[Any, Any] = {}
    for item in items:
        for part in item["parts"]:
            if part.get("part_kind") == "tool-call":
                names[part.get("tool_call_id")] = part.get("tool_name")
            elif part.get("part_kind") == "tool-return" and not part.get("tool_name"):
                part["tool_name"] = names.get(part.get("tool_call_id"), "unknown")


def _role(part: Mapping[str, Any]) -> Role:
    if part["part_kind"] == "retry-prompt" and not part.get("tool_name"):
        return "user"
    return _ROLES.get(part["part_kind"], "user")


def _parts(part: Mapping[str, Any], path: str) -> Iterator[Part]:
    kind, content = part["part_kind"], part.get("content")
    if kind == "user-prompt":
        if not isinstance(content, str | list):
            raise InvalidField(f"{path}.content", "expected a text or a list of texts and objects")
        for block in contents.blocks_of(content, path):
            yield contents.text_block(block) or _media(block)
    elif kind in ("text", "system-prompt") and isinstance(content, str):
        yield {"type": "text", "content": content}
    elif kind == "thinking" and isinstance(content, str):
        signature = part.get("signature")
        yield {"type": "reasoning", "content": content} | ({"signature": signature} if signature else {})
    elif kind in ("tool-call", "builtin-tool-call", "native-tool-call"):
        yield tools.call(part.get("tool_call_id"), part.get("tool_name"), part.get("args"))
    elif kind in ("tool-return", "builtin-tool-return", "native-tool-return"):
        yield tools.answer(part.get("tool_call_id"), content)
    elif kind == "retry-prompt" and part.get("tool_name"):
        yield tools.answer(part.get("tool_call_id"), content, outcome="failed")
    elif kind == "retry-prompt":
        yield {"type": "text", "content": tools.as_text(content)}
    else:
        yield {"type": kind, **part}


def _media(block: Mapping[str, Any]) -> Part:
    kind = block.get("kind")
    return {"type": kind, **block} if isinstance(kind, str) else contents.kept(block)


def _written(role: Role, part: Part) -> Iterator[dict[str, Any]]:
    kind = part.get("type")
    if kind == "text" and part["content"]:
        names = {"assistant": "text", "system": "system-prompt"}
        yield {"part_kind": names.get(role, "user-prompt"), "content": part["content"]}
    elif kind == "reasoning" and role == "assistant":
        yield {"part_kind": "thinking", "content": part["content"]}
    elif kind == "tool_call" and role == "assistant":
        arguments = part.get("arguments")
        yield {"part_kind": "tool-call", "tool_name": part["name"], "args": arguments, "tool_call_id": part["id"]}
    elif kind == "tool_call_response" and role != "assistant":
        yield {"part_kind": "tool-return", "tool_name": "", "content": part["response"], "tool_call_id": part["id"]}


SHAPE: Final = Shape("pydantic-ai", fits, read, write)
