"""The adapter to pydantic-ai: one code path for the guide and for every server.

One step is one request. Importing this module imports pydantic-ai (about 0.8 s), making a `ServerSource` imports openai
(as much again) or another provider's library. `jido_jupyter.assistants.models.build` does both and says what is wrong
when that fails.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby, islice, takewhile
from typing import Any, Final

from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from jido_jupyter.assistants import guide
from jido_jupyter.assistants.endpoints import Endpoint
from jido_jupyter.assistants.port import (
    Emit,
    Event,
    ReasoningDelta,
    StepEnd,
    StopToken,
    TextDelta,
    Tool,
    ToolCall,
)
from jido_jupyter.assistants.sources import GuideSource, ServerSource, Source
from jido_jupyter.assistants.turn import cancel
from jido_jupyter.core.messages import Message, Part
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.services import parsing

INSTRUCTION: Final = (
    "You are an assistant in a Jupyter notebook. Answer in Markdown, and put code into fenced blocks that name their "
    "language."
)

_Sent = SystemPromptPart | UserPromptPart | TextPart | ToolCallPart | ToolReturnPart
_TEXTS: Final[dict[str, Callable[[str], _Sent]]] = {
    "system": SystemPromptPart,
    "user": UserPromptPart,
    "assistant": TextPart,
    "tool": UserPromptPart,
}

_log = logging.getLogger(__name__)


class PydanticAssistant:
    """An `Assistant` over pydantic-ai."""

    def __init__(self, model_id: str, label: str, source: Source) -> None:
        self._model_id = model_id
        self._label = label
        self._source = source

    @property
    def model_id(self) -> str:
        return self._model_id

    @property
    def label(self) -> str:
        return self._label

    async def step(
        self, said: Sequence[Message], instruction: str, tools: Sequence[Tool], emit: Emit, stop: StopToken
    ) -> StepEnd:
        """Go on after ``said``; see `Assistant.step`. Cancelling the coroutine closes the connection and propagates."""
        was_stopped = stop.is_stopped
        if was_stopped:
            return StepEnd("interrupted")
        answering = asyncio.ensure_future(self._answer(said, instruction, tools, emit))
        loop = asyncio.get_running_loop()
        stop.on_stop(lambda: cancel(loop, answering))
        try:
            return await answering
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if not stop.is_stopped or (caller is not None and caller.cancelling()):
                raise
            return StepEnd("interrupted")

    async def _answer(self, said: Sequence[Message], instruction: str, tools: Sequence[Tool], emit: Emit) -> StepEnd:
        prompts = [message.text for message in said if message.role == "user"]
        has_text = False
        try:
            # Our own watch: after a timeout of the HTTP client, openai would ask (and the server think) twice more.
            async with (
                asyncio.timeout(self._source.silence_s) as watch,
                self._source.open(prompts) as model,
                model_request_stream(
                    model, conversation(said, instruction), model_request_parameters=_offering(tools)
                ) as stream,
            ):
                async for event in stream:
                    watch.reschedule(asyncio.get_running_loop().time() + self._source.silence_s)
                    if (delta := _delta(event)) is not None:
                        has_text = has_text or isinstance(delta, TextDelta)
                        emit(delta)
                response = stream.get()
                calls = _calls(response)
                end = self._source.end(response, has_text, bool(calls))
                return replace(end, calls=calls) if end.how == "calls" else end
        except Exception as error:
            _log.debug("A step of %s failed.", self._model_id, exc_info=True)
            return self._source.explain(error, has_text)


def guide_assistant() -> PydanticAssistant:
    return PydanticAssistant(guide.MODEL_ID, "built-in guide, not a language model", GuideSource())


def server_assistant(provider: str, name: str, endpoint: Endpoint) -> PydanticAssistant:
    model_id = f"{provider}:{name}"
    return PydanticAssistant(model_id, model_id, ServerSource(provider, name, endpoint))


def conversation(said: Sequence[Message], instruction: str = "") -> list[ModelMessage]:
    """Return what is sent: the instruction, then what was said, with calls of tools and their results.

    An unfinished answer goes back as the assistant's turn. What is empty is left out, as are reasoning, calls without a
    result in the messages right behind them, and results without a call: models refuse those. Neighbours of the same
    side become one message, because many chat templates insist that the sides alternate.
    """
    spoken: list[_Sent] = [SystemPromptPart("\n\n".join(filter(None, (INSTRUCTION, instruction))))]
    for place, message in enumerate(said):
        if message.text.strip():
            spoken.append(_TEXTS[message.role](message.text))
        calls = {part["id"]: part for part in message.parts if part["type"] == "tool_call"}
        results = _results(said, place) if calls else {}
        answered = [call for call_id, call in calls.items() if call_id in results]
        spoken += [ToolCallPart(call["name"], call.get("arguments") or {}, call["id"]) for call in answered]
        spoken += [ToolReturnPart(call["name"], results[call["id"]]["response"], call["id"]) for call in answered]
    return [
        ModelResponse(parts=_joined(group)) if is_answer else ModelRequest(parts=_joined(group))
        for is_answer, group in groupby(spoken, key=lambda part: isinstance(part, TextPart | ToolCallPart))
    ]


def _results(said: Sequence[Message], place: int) -> dict[str, Part]:
    """Return the results that follow a message with calls, by the id of the call; ids come again in later turns."""
    behind = takewhile(lambda message: message.role == "tool", islice(said, place + 1, None))
    return {part["id"]: part for message in behind for part in message.parts if part["type"] == "tool_call_response"}


def _joined(parts: Iterable[Any]) -> list[Any]:
    """Return the parts with neighbouring texts of one kind as one."""
    joined: list[Any] = []
    for part in parts:
        if joined and type(joined[-1]) is type(part) and isinstance(part, TextPart | UserPromptPart | SystemPromptPart):
            joined[-1] = replace(part, content=f"{joined[-1].content}\n\n{part.content}")
        else:
            joined.append(part)
    return joined


def _offering(tools: Sequence[Tool]) -> ModelRequestParameters:
    return ModelRequestParameters(
        function_tools=[
            ToolDefinition(name=tool.name, parameters_json_schema=dict(tool.parameters), description=tool.description)
            for tool in tools
        ]
    )


def _calls(response: ModelResponse) -> tuple[ToolCall, ...]:
    return tuple(_call(part) for part in response.parts if isinstance(part, ToolCallPart))


def _call(part: ToolCallPart) -> ToolCall:
    """Return a call; one whose arguments are no sound JSON object is half a call, and says that it cannot run."""
    if isinstance(part.args, dict):
        return ToolCall(part.tool_call_id, part.tool_name, part.args)
    try:
        found = parsing.parse((part.args or "{}").encode())
    except InvalidRequest:
        found = None
    if isinstance(found, dict):
        return ToolCall(part.tool_call_id, part.tool_name, found)
    problem = "The arguments are no whole JSON object, so nothing ran. Call the tool again with all of them."
    return ToolCall(part.tool_call_id, part.tool_name, {"arguments": part.args}, problem)


def _delta(event: ModelResponseStreamEvent) -> Event | None:
    """Return what an event of the stream adds to the answer; None when that is nothing."""
    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return TextDelta(text) if text else None
        case PartStartEvent(part=ThinkingPart(content=text)):
            return ReasoningDelta(text) if text else None
        case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=thought)):
            return ReasoningDelta(thought) if thought else None
    return None
