"""The tool with which an assistant keeps its list of what is still to do; the user sees it."""

from __future__ import annotations

from typing import Any, Final

from jido_jupyter.assistants.conversation import Session
from jido_jupyter.assistants.port import Tool, ToolResult
from jido_jupyter.core.text import one_line
from jido_jupyter.notebook.tools import arguments as given

MAX_ITEMS: Final = 50
STATUSES: Final = ("open", "doing", "done")
_MAX_TEXT: Final = 500  # characters
_PARAMETERS: Final = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "maxItems": MAX_ITEMS,
            "description": "The whole list, which replaces the one before; leave out to read it.",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "status": {"type": "string", "enum": list(STATUSES)}},
                "required": ["text", "status"],
            },
        }
    },
}


def tool(session: Session) -> Tool:
    async def run(arguments: given.Arguments) -> ToolResult:
        if "items" in arguments:
            session.live.set_todos(_items(arguments["items"]))
        lines = [f"{todo.get('status')}: {todo.get('text')}" for todo in session.todos]
        return ToolResult("\n".join(lines) or "The list is empty.")

    return Tool(
        "todos",
        "Read or replace the list of what is still to do in this session. Keep it for work of several steps.",
        _PARAMETERS,
        given.checked(run),
    )


def _items(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise given.WrongArgument(f"'items' must be a list of at most {MAX_ITEMS} todos.")
    return [_item(item) for item in value]


def _item(value: Any) -> dict[str, str]:
    text = value.get("text") if isinstance(value, dict) else None
    clean = one_line(text, _MAX_TEXT) if isinstance(text, str) else ""
    if not clean or value.get("status") not in STATUSES:
        raise given.WrongArgument(f"A todo needs a 'text' and a 'status', which is one of {', '.join(STATUSES)}.")
    return {"text": clean, "status": value["status"]}
