"""The digest of what a message says, the same however a library writes it down: histories are known again by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from jido_jupyter.core.messages import Part
from jido_jupyter.services.shapes import tools


def digest(role: str, parts: Sequence[Part]) -> str:
    """Return the digest of a message; empty for one that says nothing, as one that only holds reasoning.

    Reasoning, ids of messages and white space around a text do not count: programs drop them from what they send again.
    """
    text = "".join(part["content"] for part in parts if part.get("type") == "text").strip()
    said = [_said(part) for part in parts if part.get("type") not in ("text", "reasoning")]
    if not text and not said:
        return ""
    whole = json.dumps([role, text, said], sort_keys=True, default=str)
    return sha256(whole.encode(errors="surrogatepass")).hexdigest()[:32]


def _said(part: Part) -> Any:
    if part["type"] == "tool_call":
        return [part["id"], part["name"], tools.parsed(part.get("arguments")) or {}]
    if part["type"] == "tool_call_response":
        return [part["id"], _text(part["response"])]
    return dict(part)


def _text(response: Any) -> str:
    if isinstance(response, list) and all(isinstance(block, dict) and "text" in block for block in response):
        return "".join(str(block["text"]) for block in response)
    return tools.as_text(response)
