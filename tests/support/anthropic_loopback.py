"""The server of `openai_loopback`, which also answers Anthropic's clients that do not stream."""

from __future__ import annotations

from typing import Any

from tests.support import openai_loopback
from tests.support.openai_loopback import Loopback, Seen, make_plan

_ENDS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class AnthropicLoopback(Loopback):
    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self._http.RequestHandlerClass = _Handler


class _Handler(openai_loopback._Handler):
    def _speak_anthropic(self, seen: Seen, options: dict[str, list[int]]) -> None:
        if seen.body.get("stream"):
            super()._speak_anthropic(seen, options)
            return
        plan = make_plan(seen, options)
        content: list[dict[str, Any]] = [{"type": "text", "text": "".join(plan.pieces)}] if plan.pieces else []
        content += [
            {"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": {}}
            for call in plan.tool_calls
        ]
        self._reply(
            200,
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": seen.body["model"],
                "content": content,
                "stop_reason": _ENDS[plan.finish],
                "stop_sequence": None,
                "usage": {"input_tokens": 3, "output_tokens": len(plan.pieces)},
            },
        )
