"""The adapter to pydantic-ai: one code path for the guide and for every OpenAI-compatible server.

Laws of this file:

- One step is one request. The openai client repeats it twice on 429, 5xx and lost connections, never after the first
  piece of the answer; nothing here repeats.
- One HTTP client per step, on the loop that runs it and closed with it: whatever ends the step closes the
  connection, and an assistant may be used from any event loop.
- Foreign errors are told apart by class name and HTTP status. openai 2 brings httpx, openai 3 brings httpx2, and
  which classes leak through differs; a list of imported classes would miss half of them.

Importing this module imports pydantic-ai (about 0.8 s), making a `ServerSource` imports openai (as much again).
`jido_jupyter.assistants.models.build` does both and says what is wrong when that fails.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from itertools import groupby
from typing import Any, Final, Protocol

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
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.tools import ToolDefinition

from jido_jupyter.assistants import guide
from jido_jupyter.assistants.endpoints import NO_KEY, Endpoint
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
from jido_jupyter.assistants.turn import cancel
from jido_jupyter.core.messages import Message, Usage
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.services import parsing

INSTRUCTION: Final = (
    "You are an assistant in a Jupyter notebook. Answer in Markdown, and put code into fenced blocks that name their "
    "language."
)
CONNECT_S: Final = 5.0
SILENCE_S: Final = 600.0  # local models load and think for minutes before the first word
RETRIES: Final = 2
WORD_S: Final = 0.015  # between two words of the guide, so that streaming is seen

# How a turn ends by the reason the model gives; any other reason is a failure.
_FINISHES: Final[dict[str | None, StepEnd]] = {
    "stop": StepEnd("complete"),
    "length": StepEnd("truncated", "The answer reached the model's length limit. Ask it to go on."),
    "content_filter": StepEnd("truncated", "The provider's content filter ended the answer. Ask in other words."),
    "tool_call": StepEnd("failed", "The model asked for a tool that it did not name. Ask again."),
    None: StepEnd("truncated", "The answer ended without saying that it is complete. Ask it to go on."),
}
_Sent = SystemPromptPart | UserPromptPart | TextPart | ToolCallPart | ToolReturnPart
_TEXTS: Final[dict[str, Callable[[str], _Sent]]] = {
    "system": SystemPromptPart,
    "user": UserPromptPart,
    "assistant": TextPart,
    "tool": UserPromptPart,
}
_ASKING: Final = ("complete", "failed")  # some servers say "stop" where tools are asked for
_UNKNOWN_FINISH: Final = StepEnd("failed", "The model ended with an error. What came before is kept; ask again.")
_EMPTY: Final = StepEnd("failed", "The model ended without a word of answer. Ask again, or choose another model.")

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Where the answers come from: a model for one turn, and what its errors mean."""

    silence_s: float  # longest wait for the first piece, and between two pieces

    def open(self, prompts: Sequence[str]) -> AbstractAsyncContextManager[Model]:
        """Return the model for a turn; ``prompts`` are the user's, the one to answer last."""

    def end(self, response: ModelResponse, has_text: bool) -> StepEnd:
        """Return how a turn without error ended."""

    def explain(self, error: Exception, has_text: bool) -> StepEnd:
        """Return the end that ``error`` means; ``has_text``: part of the answer came before it."""


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
                end = self._source.end(response, has_text)
                calls = _calls(response)
                return replace(end, how="calls", error=None, calls=calls) if calls and end.how in _ASKING else end
        except Exception as error:
            _log.debug("A step of %s failed.", self._model_id, exc_info=True)
            return self._source.explain(error, has_text)


class GuideSource:
    """The built-in guide as a model."""

    silence_s = SILENCE_S

    @asynccontextmanager
    async def open(self, prompts: Sequence[str]) -> AsyncIterator[Model]:
        async def speak(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
            for word in re.findall(r"\S+\s*", guide.answer(prompts[-1], prompts[:-1])):
                yield word
                await asyncio.sleep(WORD_S)

        yield FunctionModel(stream_function=speak, model_name=guide.MODEL_NAME)

    def end(self, response: ModelResponse, has_text: bool) -> StepEnd:
        return StepEnd("complete", model_name=guide.MODEL_NAME)  # no usage: FunctionModel invents the counts

    def explain(self, error: Exception, has_text: bool) -> StepEnd:
        return StepEnd(
            "failed", f"The built-in guide failed ({type(error).__name__}); this is a bug of jido, report it."
        )


class ServerSource:
    """A model behind an OpenAI-compatible server."""

    def __init__(self, provider: str, name: str, endpoint: Endpoint, silence_s: float = SILENCE_S) -> None:
        import pydantic_ai.models.openai  # noqa: F401 - a missing or wrong openai shows here, not in a turn

        self._provider = provider
        self._name = name
        self._endpoint = endpoint
        self.silence_s = silence_s

    @asynccontextmanager
    async def open(self, prompts: Sequence[str]) -> AsyncIterator[Model]:
        import openai
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.profiles.openai import OpenAIModelProfile
        from pydantic_ai.providers.openai import OpenAIProvider

        # openai's own class and Timeout: right for the httpx or httpx2 that this openai is built on.
        http_client = openai.DefaultAsyncHttpxClient(trust_env=self._endpoint.use_proxy)
        client = openai.AsyncOpenAI(
            base_url=self._endpoint.url,
            api_key=self._endpoint.api_key,
            timeout=openai.Timeout(None, connect=CONNECT_S),
            max_retries=RETRIES,
            http_client=http_client,
        )
        async with client:
            yield OpenAIChatModel(
                self._name,
                provider=OpenAIProvider(openai_client=client),
                # Otherwise an answer that was cut off comes back as complete.
                profile=OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True),
            )

    def end(self, response: ModelResponse, has_text: bool) -> StepEnd:
        end = _FINISHES.get(response.finish_reason, _UNKNOWN_FINISH)
        if end.how == "complete" and not has_text:
            end = _EMPTY
        usage = Usage(response.usage.input_tokens, response.usage.output_tokens)
        is_counted = response.usage.has_values()  # a server that counts nothing leaves zeros
        return replace(end, usage=usage if is_counted else None, model_name=response.model_name)

    def explain(self, error: Exception, has_text: bool) -> StepEnd:
        if "finish_reason" in str(error) and error.__cause__ is None:  # what the profile asks for in `open`
            return _FINISHES[None] if has_text else StepEnd("failed", self._doubt("sent no answer"))
        status = getattr(error, "status_code", None)
        if isinstance(status, int):
            return StepEnd("failed", self._explain_status(status, error, has_text))
        return StepEnd("failed", self._explain_transport(error, has_text))

    def _explain_status(self, status: int, error: Exception, has_text: bool) -> str:
        where = self._endpoint.shown
        said = f" It said: {said}." if (said := self._server_message(error)) else ""
        if status in (401, 403):  # without what the server said: some repeat the key
            return f"{where} refused the key ({status}). Set OPENAI_API_KEY to a valid key before you start Jupyter."
        if status == 404 and self._provider == "ollama":
            return f"Ollama has no model {self._name!r} (404). Run 'ollama pull {self._name}', or choose another model."
        if status == 404:
            return (
                f"{where} knows no model {self._name!r} (404). Choose another with '%jido model', "
                f"or check that {self._endpoint.setting} is right (it usually ends in /v1)."
            )
        if status == 429:
            wait = getattr(error, "retry_after", None)
            when = f"in {wait:.0f} s" if isinstance(wait, int | float) and wait >= 1 else "in a minute"
            return f"{where} takes no more requests now (429).{said} Try again {when}, or check your plan there."
        if status >= 500:
            return f"{where} has trouble ({status}).{said} {_kept(has_text)}"
        return f"{where} refused the request ({status}).{said} Change the question, or choose another model."

    def _explain_transport(self, error: Exception, has_text: bool) -> str:
        where, setting = self._endpoint.shown, self._endpoint.setting
        chain = list(_chain(error))
        names = {kind.__name__ for link in chain for kind in type(link).__mro__}
        if "ProxyError" in names:
            return f"The proxy on the way to {where} refused. Check HTTPS_PROXY and HTTP_PROXY, or add it to NO_PROXY."
        if names & {"ConnectError", "ConnectTimeout"}:
            if any("SSL" in str(link) for link in chain):  # the class is lost on the way, its words are not
                return f"There is no trusted encrypted connection to {where}. Check its certificate, or {setting}."
            if self._endpoint.use_proxy:
                return f"{where} cannot be reached. Check the network and the proxy settings, or {setting}."
            return f"Nothing answers at {where}; start the server or set {setting}."
        if names & {"TimeoutError", "TimeoutException"}:
            return f"{where} was silent for {self.silence_s:g} s. {_kept(has_text)}"
        if names & {"JSONDecodeError", "UnicodeDecodeError"}:
            what = "sent something that cannot be read"
            return f"{where} {what}. {_kept(has_text)}" if has_text else self._doubt(what)
        if names & {"ModelConnectionError", "APIConnectionError", "TransportError", "OSError"}:
            return f"The connection to {where} was lost. {_kept(has_text)}"
        if "APIError" in names:
            said = self._server_message(error)
            return f"{where} reported an error{f': {said}' if said else ''}. {_kept(has_text)}"
        return f"The answer of {where} could not be used ({type(error).__name__}). {_kept(has_text)}"

    def _doubt(self, what: str) -> str:
        return (
            f"{self._endpoint.shown} {what}. Is {self._endpoint.setting} the address of an OpenAI-compatible server "
            "(it usually ends in /v1)?"
        )

    def _server_message(self, error: Exception) -> str:
        """Return what the server said about its error: one short line, without the key."""
        body = next((body for link in _chain(error) if (body := getattr(link, "body", None))), None)
        if isinstance(body, dict) and isinstance(body.get("error"), dict | str):
            body = body["error"]
        message = body.get("message") if isinstance(body, dict) else body
        if not isinstance(message, str) or "<" in message:  # an HTML page of some gateway
            return ""
        line = " ".join(message.split()).rstrip(".")
        if self._endpoint.api_key != NO_KEY:
            line = line.replace(self._endpoint.api_key, "…")
        return line if len(line) <= 200 else f"{line[:199]}…"


def guide_assistant() -> PydanticAssistant:
    return PydanticAssistant(guide.MODEL_ID, "built-in guide, not a language model", GuideSource())


def server_assistant(provider: str, name: str, endpoint: Endpoint) -> PydanticAssistant:
    model_id = f"{provider}:{name}"
    return PydanticAssistant(model_id, model_id, ServerSource(provider, name, endpoint))


def conversation(said: Sequence[Message], instruction: str = "") -> list[ModelMessage]:
    """Return what is sent: the instruction, then what was said, with calls of tools and their results.

    An unfinished answer goes back as the assistant's turn. What is empty is left out, as are reasoning, and calls without
    a result, which models refuse. Neighbours of the same side become one message, because many chat templates insist
    that the sides alternate.
    """
    parts = [part for message in said for part in message.parts]
    names = {part["id"]: part["name"] for part in parts if part["type"] == "tool_call"}
    answered = {part["id"] for part in parts if part["type"] == "tool_call_response"}
    spoken: list[_Sent] = [SystemPromptPart("\n\n".join(filter(None, (INSTRUCTION, instruction))))]
    for message in said:
        if message.text.strip():
            spoken.append(_TEXTS[message.role](message.text))
        for part in message.parts:
            if part["type"] == "tool_call" and part["id"] in answered:
                spoken.append(ToolCallPart(part["name"], part.get("arguments") or {}, part["id"]))
            elif part["type"] == "tool_call_response" and part["id"] in names:
                spoken.append(ToolReturnPart(names[part["id"]], part["response"], part["id"]))
    return [
        ModelResponse(parts=_joined(group)) if is_answer else ModelRequest(parts=_joined(group))
        for is_answer, group in groupby(spoken, key=lambda part: isinstance(part, TextPart | ToolCallPart))
    ]


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
    return tuple(
        ToolCall(part.tool_call_id, part.tool_name, _arguments(part))
        for part in response.parts
        if isinstance(part, ToolCallPart)
    )


def _arguments(call: ToolCallPart) -> Mapping[str, Any]:
    """Return a call's arguments; what is no sound JSON object is handed on as text, for the tool to refuse."""
    if isinstance(call.args, dict):
        return call.args
    try:
        found = parsing.parse((call.args or "{}").encode())
    except InvalidRequest:
        found = None
    return found if isinstance(found, dict) else {"arguments": call.args}


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


def _kept(has_text: bool) -> str:
    return "What came before is kept; ask it to go on." if has_text else "Your question is kept; ask again."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what it was raised from."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
