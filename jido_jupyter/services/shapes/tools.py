"""What a model asks of a tool, and what the tool gives back, between the ways that libraries write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jido_jupyter.core.messages import Part
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.services.parsing import parse


def call(call_id: Any, name: Any, arguments: Any, **more: Any) -> Part:
    """Return a call as a part; arguments in a text that is no sound JSON object stay that text."""
    return {"type": "tool_call", "id": _id(call_id), "name": _id(name), "arguments": parsed(arguments), **more}


def answer(call_id: Any, response: Any, **more: Any) -> Part:
    return {"type": "tool_call_response", "id": _id(call_id), "response": response, **more}


def parsed(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    try:
        found = parse(arguments.encode(errors="replace"))
    except InvalidRequest:
        return arguments
    return found if isinstance(found, dict) else arguments


def as_text(value: Any) -> str:
    """Return arguments or a response as the text that servers expect."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_object(arguments: Any) -> Mapping[str, Any]:
    """Return arguments as the object that servers expect."""
    if isinstance(arguments, Mapping):
        return arguments
    return {"arguments": arguments} if arguments else {}


def _id(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
