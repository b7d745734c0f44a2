"""The parts of a message as Markdown for people to read: what was said first, tools and thoughts in their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from jido_jupyter.core.messages import Message, Part
from jido_jupyter.core.text import storable
from jido_jupyter.services.exchange.inert import fenced, inert, inert_line

LONGEST: Final = 20_000  # characters of what a tool was given or gave back; all of it is in the JSON export
SPEAKERS: Final = {"system": "System", "user": "You", "assistant": "Assistant", "tool": "Tool"}


def heading(message: Message) -> str:
    """Return who speaks, and how it ended where that is not well."""
    speaker = SPEAKERS[message.role]
    if message.role == "assistant" and message.model:
        speaker += f" ({inert_line(message.model)})"
    return speaker if message.status == "complete" else f"{speaker} · {message.status}"


def body(message: Message) -> str:
    pieces = [*map(_part, message.parts)]
    if message.error:
        pieces.append(f"*{inert_line(message.error)}*")
    return "\n\n".join(piece for piece in pieces if piece)


def said(message: Message) -> Iterator[str]:
    """Return the texts of a message that is nothing but text; nothing for any other."""
    if all(part["type"] == "text" for part in message.parts) and message.text.strip():
        yield message.text


def _part(part: Part) -> str:
    kind = part["type"]
    if kind == "text":
        return inert(part["content"])
    if kind == "reasoning":
        return "\n".join(["> *Reasoning*", ">", *(f"> {line}" for line in inert(part["content"]).split("\n"))])
    if kind == "tool_call":
        return f"*Calls {inert_line(str(part['name']))}*\n\n{_code(part.get('arguments'))}"
    if kind == "tool_call_response":
        return f"*The tool answers*\n\n{_code(part['response'])}"
    size = len(_json(part))
    return f"*{inert_line(kind)} ({size:,} characters; all of it is in the JSON export)*"


def _code(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _json(value)
    left_out = len(text) - LONGEST
    rest = f"\n\n*{left_out:,} characters more are in the JSON export.*" if left_out > 0 else ""
    return fenced(text[:LONGEST], "" if isinstance(value, str) else "json") + rest


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:  # lone surrogates, as a cut emoji leaves them
        return orjson.dumps(storable(value), option=orjson.OPT_INDENT_2).decode()
