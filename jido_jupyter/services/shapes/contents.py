"""The content of a message: a text, or a list of blocks that libraries call by different names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jido_jupyter.core.messages import Part, parts_from_wire
from jido_jupyter.errors import InvalidField

# Blocks whose text is what was said, however they are called.
_TEXTS: Final = ("text", "input_text", "output_text")


def text_block(block: Mapping[str, Any]) -> Part | None:
    """Return a block of text as a part, with what else it carries; None for any other block."""
    if block.get("type") not in _TEXTS or not isinstance(block.get("text"), str):
        return None
    more = {name: value for name, value in block.items() if name not in ("type", "text") and value is not None}
    return {"type": "text", "content": block["text"], **more}


def blocks_of(content: Any, path: str) -> list[Mapping[str, Any]]:
    """Return a content as blocks.

    Raises:
        InvalidField: it is neither a text nor a list of texts and objects.
    """
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise InvalidField(f"{path}.content", "expected a text or a list of content blocks")
    blocks: list[Mapping[str, Any]] = []
    for number, block in enumerate(content):
        if isinstance(block, str):
            blocks.append({"type": "text", "text": block})
        elif isinstance(block, Mapping):
            blocks.append(block)
        else:
            raise InvalidField(f"{path}.content[{number}]", "expected a text or an object with a 'type'")
    return blocks


def kept(block: Mapping[str, Any]) -> Part:
    """Return a block that nobody here knows as a part of its own type, verbatim."""
    try:
        parts_from_wire([block])
    except InvalidField:  # without a type, or called like a part of ours and not made like one
        return {"type": "unknown", "block": dict(block)}
    return dict(block)


def texts(parts: Sequence[Part]) -> str | None:
    """Return what the parts say where they are nothing but one plain text; None for any other."""
    if len(parts) == 1 and parts[0].get("type") == "text" and parts[0].keys() <= {"type", "content"}:
        found: str = parts[0]["content"]
        return found
    return None


def block_of_text(part: Part, kind: str) -> dict[str, Any]:
    """Return a part of text as a block."""
    more = {name: value for name, value in part.items() if name not in ("type", "content")}
    return {"type": kind, "text": part["content"], **more}
