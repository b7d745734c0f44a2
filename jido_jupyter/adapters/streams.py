"""Answers put together from the pieces that they stream in, one class for each way of streaming."""

from __future__ import annotations

import json
from typing import Any, Protocol

from jido_jupyter.services import shapes
from jido_jupyter.services.shapes.draft import Draft
from jido_jupyter.services.shapes.openai_chat import end_of
from jido_jupyter.services.shapes.plain import plain


class Assembly(Protocol):
    """What has come of an answer."""

    def feed(self, piece: Any) -> str:
        """Take a piece and return the text that it adds."""

    @property
    def is_whole(self) -> bool:
        """Whether the server has said how the answer ended."""

    def drafts(self) -> list[Draft]:
        """Return the answer as far as it has come."""


class ChatAssembly:
    """Chunks of ``chat.completions``; of several choices the first."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._refusals: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._model: str | None = None
        self._usage: Any = None

    def feed(self, piece: Any) -> str:
        self._model = getattr(piece, "model", None) or self._model
        self._usage = getattr(piece, "usage", None) or self._usage
        text = ""
        for choice in getattr(piece, "choices", None) or ():
            if choice.index == 0:
                self._finish = choice.finish_reason or self._finish
                text += self._add(choice.delta)
        return text

    @property
    def is_whole(self) -> bool:
        return self._finish is not None

    def drafts(self) -> list[Draft]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._texts) or None}
        if self._thoughts:
            message["reasoning_content"] = "".join(self._thoughts)
        if self._refusals:
            message["refusal"] = "".join(self._refusals)
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        usage = plain(self._usage, "usage") if self._usage is not None else None
        whole = {"object": "chat.completion", "model": self._model, "choices": [choice], "usage": usage}
        return shapes.read_item(whole, "answer")

    def _add(self, delta: Any) -> str:
        text = getattr(delta, "content", None) or ""
        self._texts.append(text)
        self._thoughts += filter(None, [getattr(delta, "reasoning_content", None)])
        self._refusals += filter(None, [getattr(delta, "refusal", None)])
        for call in getattr(delta, "tool_calls", None) or ():
            known = self._calls.setdefault(
                call.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            )
            known["id"] = call.id or known["id"]
            if call.function is not None:
                known["function"]["name"] += call.function.name or ""
                known["function"]["arguments"] += call.function.arguments or ""
        return text


class ResponsesAssembly:
    """Events of ``responses``; the last one holds the whole answer."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._response: Any = None

    def feed(self, piece: Any) -> str:
        kind = getattr(piece, "type", "")
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            self._response = piece.response
        if kind != "response.output_text.delta":
            return ""
        text: str = piece.delta
        self._texts.append(text)
        return text

    @property
    def is_whole(self) -> bool:
        return self._response is not None

    def drafts(self) -> list[Draft]:
        if self._response is not None:
            return shapes.read_item(self._response, "answer")
        [said] = shapes.read_item({"role": "assistant", "content": "".join(self._texts)}, "answer")
        return [Draft(said.role, said.parts, status=end_of(None))]


class AnthropicAssembly:
    """Events of ``messages``."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {"type": "message", "role": "assistant", "stop_reason": None}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, str] = {}

    def feed(self, piece: Any) -> str:
        match getattr(piece, "type", ""):
            case "message_start":
                self._message |= {"id": piece.message.id, "model": piece.message.model}
                self._usage |= plain(piece.message.usage, "usage")
            case "content_block_start":
                self._blocks[piece.index] = plain(piece.content_block, "block")
            case "content_block_delta":
                return self._add(self._blocks.setdefault(piece.index, {"type": "text", "text": ""}), piece)
            case "message_delta":
                self._message["stop_reason"] = piece.delta.stop_reason
                counted = plain(piece.usage, "usage") if piece.usage is not None else {}
                self._usage |= {name: count for name, count in counted.items() if count is not None}
        return ""

    @property
    def is_whole(self) -> bool:
        return self._message["stop_reason"] is not None

    def drafts(self) -> list[Draft]:
        for index, text in self._inputs.items():
            try:
                self._blocks[index]["input"] = json.loads(text)
            except ValueError:  # cut off
                self._blocks[index]["input"] = text
        content = [self._blocks[index] for index in sorted(self._blocks)]
        return shapes.read_item({**self._message, "content": content, "usage": self._usage}, "answer")

    def _add(self, block: dict[str, Any], piece: Any) -> str:
        match piece.delta.type:
            case "text_delta":
                text: str = piece.delta.text
                block["text"] = block.get("text", "") + text
                return text
            case "thinking_delta":
                block["thinking"] = block.get("thinking", "") + piece.delta.thinking
            case "signature_delta":
                block["signature"] = block.get("signature", "") + piece.delta.signature
            case "input_json_delta":
                self._inputs[piece.index] = self._inputs.get(piece.index, "") + piece.delta.partial_json
        return ""
