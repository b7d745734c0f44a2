"""Sessions as the JSON objects that the REST door and the panel speak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from jido_jupyter.core import messages
from jido_jupyter.core.messages import Message
from jido_jupyter.core.session import Summary
from jido_jupyter.errors import InvalidField, JidoError
from jido_jupyter.services.sessions import Shown

PROBLEM_TYPE: Final = "https://jido-jupyter.readthedocs.io/problems/"


def summary(found: Summary) -> dict[str, Any]:
    return {
        "id": found.id,
        "title": found.title,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "message_count": found.message_count,
        "state": "damaged" if found.is_damaged else "open" if found.owner else "closed",
        "owner": found.owner.to_wire() if found.owner else None,
        "tags": list(found.tags),
        "pinned": found.pinned,
        "archived": found.archived,
        "notebook": found.notebook,
        "model": found.model,
        "preview": found.preview,
        "problems": list(found.problems),
        "revision": found.revision,
    }


def detail(shown: Shown) -> dict[str, Any]:
    return {
        **summary(shown.summary),
        "messages": [messages.to_wire(message) for message in shown.state.messages],
        "todos": [dict(todo) for todo in shown.state.todos],
    }


def head(shown: Shown) -> dict[str, Any]:
    """Return all that `detail` does but the messages, and what is counted over them."""
    said = shown.state.messages
    return {
        **summary(shown.summary),
        "todos": [dict(todo) for todo in shown.state.todos],
        "usage": usage(said),
        "seal": shown.seal,
        "redacted": sum(count for message in said if isinstance(count := message.ext.get("redacted"), int)),
    }


def usage(said: Iterable[Message]) -> dict[str, int]:
    """Return the tokens of a conversation; ``unknown`` counts the answers whose server did not say."""
    total = {"input_tokens": 0, "output_tokens": 0, "unknown": 0}
    for message in said:
        if message.usage is not None:
            total["input_tokens"] += message.usage.input_tokens or 0
            total["output_tokens"] += message.usage.output_tokens or 0
        elif message.role == "assistant":
            total["unknown"] += 1
    return total


def problem(error: JidoError) -> dict[str, Any]:
    """Return an error as a problem document. Source: RFC 9457."""
    return {
        **error.data,
        "type": PROBLEM_TYPE + error.code,
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.status_hint,
        "detail": str(error),
        "code": error.code,
    }


def said(wire: object, mint_id: Callable[[], str], now: str) -> list[Message]:
    """Return the messages of a request; id and time are given where they are missing, ``text`` stands for one text part.

    Raises:
        InvalidField: not a list of messages, or one of them has the wrong shape.
    """
    if not isinstance(wire, list) or not wire:
        raise InvalidField("messages", "must be an array with at least one message")
    return [_message(item, f"messages[{number}]", mint_id, now) for number, item in enumerate(wire)]


def _message(item: object, path: str, mint_id: Callable[[], str], now: str) -> Message:
    if not isinstance(item, Mapping):
        raise InvalidField(path, "a message is a JSON object")
    whole = {"id": mint_id(), "created_at": now, **item}
    if isinstance(text := whole.pop("text", None), str):
        whole["parts"] = [messages.text_part(text)]
    return messages.from_wire(whole, path)


def whole(shown: Shown) -> dict[str, Any]:
    """Return all that there is to show of a session."""
    return {**head(shown), "messages": [messages.to_wire(message) for message in shown.state.messages]}


def page(shown: Shown, start: int, end: int) -> dict[str, Any]:
    """Return the messages number ``start`` up to ``end``, that one left out."""
    said = shown.state.messages
    return {
        "messages": [messages.to_wire(message) for message in said[start:end]],
        "start": start,
        "total": len(said),
    }
