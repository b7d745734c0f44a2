"""Messages of OpenAI's chat completions, which most servers and libraries speak; whole answers of it, too.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jido_jupyter.core.messages import Part, Role, Status
from jido_jupyter.errors import InvalidField
from jido_jupyter.services.shapes import contents, images, tools
from jido_jupyter.services.shapes.counts import usage_of
from jido_jupyter.services.shapes.draft import Draft, Item, Shape
from jido_jupyter.services.shapes.plain import lean

_ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "tool": "tool",
    "function": "tool",
}
_READ: Final = ("role", "content", "tool_calls", "tool_call_id", "reasoning_content")
_ENDS: Final[Mapping[str | None, Status]] = {"length": "truncated", "content_filter": "truncated"}


def fits(item: Item) -> bool:
    return "role" in item and ("content" in item or "tool_calls" in item or "function_call" in item)


def read(item: Item, path: str) -> list[Draft]:
    """Return the message of an item.

    Raises:
        InvalidField: its role or its content has another shape.
    """
    said = item.get("role")
    role = _ROLES.get(said) if isinstance(said, str) else None
    if role is None:
        raise InvalidField(f"{path}.role", f"expected one of {', '.join(_ROLES)}, found {said!r}")
    members = {name: value for name, value in lean(item).items() if name not in _READ and value != []}
    if said != role:
        members["role"] = said
    if role == "tool":
        call_id = item.get("tool_call_id") or item.get("name")
        return [Draft("tool", (tools.answer(call_id, item.get("content")),), members)]
    return [Draft(role, (*_thoughts(item), *_content(item, path), *_calls(item, path)), members)]


def write(role: Role, parts: Sequence[Part], members: Mapping[str, Any]) -> list[dict[str, Any]]:
    answers = [part for part in parts if part.get("type") == "tool_call_response"]
    items: list[dict[str, Any]] = [
        {
            "role": "tool",
            "tool_call_id": part["id"],
            "content": part["response"] if isinstance(part["response"], list) else tools.as_text(part["response"]),
            **(members if role == "tool" else {}),
        }
        for part in answers
    ]
    said = [part for part in parts if part.get("type") not in ("tool_call_response", "tool_call", "reasoning")]
    calls = [_call(part) for part in parts if part.get("type") == "tool_call"]
    if said or calls:
        text = contents.texts(said)
        content = text if text is not None else [_block(part) for part in said] or None
        speaker = "user" if role == "tool" else role
        items.append({"role": speaker, "content": content} | ({"tool_calls": calls} if calls else {}) | dict(members))
    return items


def fits_answer(item: Item) -> bool:
    return item.get("object") == "chat.completion" and isinstance(item.get("choices"), list)


def read_answer(item: Item, path: str) -> list[Draft]:
    """Return the first choice of a whole answer."""
    choice = item["choices"][0] if item["choices"] else None
    if not isinstance(choice, Mapping) or not isinstance(choice.get("message"), Mapping):
        raise InvalidField(f"{path}.choices", "expected at least one choice with a message")
    [said] = read({"role": "assistant", **choice["message"]}, f"{path}.choices[0].message")
    model = item.get("model")
    return [
        Draft(
            said.role,
            said.parts,
            said.members,
            model=f"openai:{model}" if model else None,
            usage=usage_of(item.get("usage")),
            status=end_of(choice.get("finish_reason")),
        )
    ]


def end_of(finish_reason: Any) -> Status:
    """Return how an answer ended by the reason that the server gave; none at all is no good end."""
    return _ENDS.get(finish_reason, "complete") if isinstance(finish_reason, str) else "truncated"


def _content(item: Item, path: str) -> list[Part]:
    content = item.get("content")
    if isinstance(content, Mapping):  # gradio keeps one block without its list
        content = [content]
    blocks = contents.blocks_of(content, path)
    said = [contents.text_block(block) or contents.kept(block) for block in blocks]
    refusal = item.get("refusal")
    return [*said, {"type": "refusal", "refusal": refusal}] if isinstance(refusal, str) else said


def _thoughts(item: Item) -> tuple[Part, ...]:
    thought = item.get("reasoning_content")
    return ({"type": "reasoning", "content": thought},) if isinstance(thought, str) and thought else ()


def _calls(item: Item, path: str) -> list[Part]:
    found = item.get("tool_calls") or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise InvalidField(f"{path}.tool_calls", "expected a list of objects")
    calls = [_called(one) for one in found]
    old = item.get("function_call")
    if isinstance(old, Mapping):
        calls.append(tools.call(old.get("name"), old.get("name"), old.get("arguments")))
    return calls


def _called(call: Mapping[str, Any]) -> Part:
    function = call.get("function")
    if isinstance(function, Mapping):
        return tools.call(call.get("id"), function.get("name"), function.get("arguments"))
    custom = call.get("custom")
    inner = custom if isinstance(custom, Mapping) else call
    return tools.call(call.get("id"), inner.get("name"), inner.get("input", inner.get("arguments")))


def _call(part: Part) -> dict[str, Any]:
    function = {"name": part["name"], "arguments": tools.as_text(part.get("arguments")) or "{}"}
    return {"id": part["id"], "type": "function", "function": function}


def _block(part: Part) -> dict[str, Any]:
    return contents.block_of_text(part, "text") if part.get("type") == "text" else dict(images.for_openai(part))


SHAPE: Final = Shape("openai-chat", fits, read, write)
ANSWER: Final = Shape("openai-chat", fits_answer, read_answer, write)
