"""Where the answers come from: a model of pydantic-ai for one step, and what its end and its errors mean.

One HTTP client per step, on the loop that runs it and closed with it: whatever ends the step closes the connection, and
an assistant may be used from any event loop. The clients repeat a request twice on 429, 5xx and lost connections, never
after the first piece of the answer; nothing here repeats.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from typing import Any, Final, Protocol

from pydantic_ai.messages import ModelMessage, ModelResponse, ToolReturnPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from jido_jupyter.assistants import guide
from jido_jupyter.assistants.endpoints import NO_KEY, PROVIDERS, Dialect, Endpoint
from jido_jupyter.assistants.port import StepEnd
from jido_jupyter.assistants.troubles import Troubles
from jido_jupyter.core.messages import Usage

CONNECT_S: Final = 5.0
SILENCE_S: Final = 600.0  # local models load and think for minutes before the first word
RETRIES: Final = 2
WORD_S: Final = 0.015  # between two words of the guide, so that streaming is seen

# How a step ends by the reason the model gives; any other reason is a failure.
_FINISHES: Final[dict[str | None, StepEnd]] = {
    "stop": StepEnd("complete"),
    "length": StepEnd("truncated", "The answer reached the model's length limit. Ask it to go on."),
    "content_filter": StepEnd("truncated", "The provider's content filter ended the answer. Ask in other words."),
    "tool_call": StepEnd("failed", "The model asked for a tool that it did not name. Ask again."),
    None: StepEnd("truncated", "The answer ended without saying that it is complete. Ask it to go on."),
}
_ASKING: Final = ("stop", "tool_call")  # some servers say "stop" where tools are asked for
_UNKNOWN_FINISH: Final = StepEnd("failed", "The model ended with an error. What came before is kept; ask again.")
_EMPTY: Final = StepEnd("failed", "The model ended without a word of answer. Ask again, or choose another model.")


class Source(Protocol):
    """Where the answers come from."""

    silence_s: float  # longest wait for the first piece, and between two pieces

    def open(self, prompts: Sequence[str]) -> AbstractAsyncContextManager[Model]:
        """Return the model for a step; ``prompts`` are the user's, the one to answer last."""

    def end(self, response: ModelResponse, has_text: bool, has_calls: bool) -> StepEnd:
        """Return how a step without error ended; ``calls`` only where the model said that it asked for all of them."""

    def explain(self, error: Exception, has_text: bool) -> StepEnd:
        """Return the end that ``error`` means; ``has_text``: part of the answer came before it."""


class GuideSource:
    """The built-in guide as a model."""

    silence_s = SILENCE_S

    @asynccontextmanager
    async def open(self, prompts: Sequence[str]) -> AsyncIterator[Model]:
        async def speak(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
            behind = itertools.takewhile(lambda part: isinstance(part, ToolReturnPart), reversed(messages[-1].parts))
            found = [part.model_response_str() for part in behind if isinstance(part, ToolReturnPart)][::-1]
            offered = [tool.name for tool in info.function_tools]
            if not found and (wanted := guide.wanted_tool(prompts[-1], offered)):
                yield {0: DeltaToolCall(wanted, "{}", tool_call_id=f"guide-{len(messages)}")}
                return
            text = guide.report(found) if found else guide.answer(prompts[-1], prompts[:-1])
            for word in re.findall(r"\S+\s*", text):
                yield word
                await asyncio.sleep(WORD_S)

        yield FunctionModel(stream_function=speak, model_name=guide.MODEL_NAME)

    def end(self, response: ModelResponse, has_text: bool, has_calls: bool) -> StepEnd:
        # No usage: FunctionModel invents the counts.
        return StepEnd("calls" if has_calls else "complete", model_name=guide.MODEL_NAME)

    def explain(self, error: Exception, has_text: bool) -> StepEnd:
        return StepEnd(
            "failed", f"The built-in guide failed ({type(error).__name__}); this is a bug of jido, report it."
        )


class ServerSource:
    """A model behind a server."""

    def __init__(self, provider: str, name: str, endpoint: Endpoint, silence_s: float = SILENCE_S) -> None:
        who = PROVIDERS[provider]
        # A missing or wrong library shows here, not in a step.
        importlib.import_module(f"pydantic_ai.models.{who.dialect}")
        self._name = name
        self._endpoint = endpoint
        self._open = _OPENERS[who.dialect]
        self._troubles = Troubles(who, name, endpoint, silence_s)
        self.silence_s = silence_s

    def open(self, prompts: Sequence[str]) -> AbstractAsyncContextManager[Model]:
        return self._open(self._name, self._endpoint)

    def end(self, response: ModelResponse, has_text: bool, has_calls: bool) -> StepEnd:
        end = _FINISHES.get(response.finish_reason, _UNKNOWN_FINISH)
        if has_calls and response.finish_reason in _ASKING:
            end = StepEnd("calls")
        elif end.how == "complete" and not has_text:
            end = _EMPTY
        elif response.finish_reason is None and not has_text:
            end = self._no_answer()
        usage = Usage(response.usage.input_tokens, response.usage.output_tokens)
        is_counted = response.usage.has_values()  # a server that counts nothing leaves zeros
        return replace(end, usage=usage if is_counted else None, model_name=response.model_name)

    def explain(self, error: Exception, has_text: bool) -> StepEnd:
        if "finish_reason" in str(error) and error.__cause__ is None:  # what the profile asks for in `_openai`
            return _FINISHES[None] if has_text else self._no_answer()
        return StepEnd("failed", self._troubles.explain(error, has_text))

    def _no_answer(self) -> StepEnd:
        return StepEnd("failed", self._troubles.doubt("sent no answer"))


@asynccontextmanager
async def _openai(name: str, endpoint: Endpoint) -> AsyncIterator[Model]:
    import openai
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider

    # openai's own class and Timeout: right for the httpx or httpx2 that this openai is built on.
    http_client = openai.DefaultAsyncHttpxClient(trust_env=endpoint.use_proxy)
    client = openai.AsyncOpenAI(
        base_url=endpoint.url,
        api_key=endpoint.api_key,
        timeout=openai.Timeout(None, connect=CONNECT_S),
        max_retries=RETRIES,
        http_client=http_client,
    )
    async with client:
        yield OpenAIChatModel(
            name,
            provider=OpenAIProvider(openai_client=client),
            # Otherwise an answer that was cut off comes back as complete.
            profile=OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True),
        )


@asynccontextmanager
async def _anthropic(name: str, endpoint: Endpoint) -> AsyncIterator[Model]:
    import anthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = anthropic.AsyncAnthropic(
        base_url=endpoint.url,
        api_key=endpoint.api_key,
        timeout=anthropic.Timeout(None, connect=CONNECT_S),
        max_retries=RETRIES,
        http_client=anthropic.DefaultAsyncHttpxClient(trust_env=endpoint.use_proxy),
    )
    async with client:
        yield AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))


@asynccontextmanager
async def _google(name: str, endpoint: Endpoint) -> AsyncIterator[Model]:
    import httpx2
    from google.genai.types import HttpRetryOptions
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_S)
    async with httpx2.AsyncClient(trust_env=endpoint.use_proxy, timeout=timeout) as http_client:
        provider = GoogleProvider(
            api_key=endpoint.api_key,
            base_url=endpoint.url,
            http_client=http_client,
            retry_options=HttpRetryOptions(attempts=RETRIES + 1, initial_delay=0.5),
        )
        yield GoogleModel(name, provider=provider)


@asynccontextmanager
async def _bedrock(name: str, endpoint: Endpoint) -> AsyncIterator[Model]:
    from pydantic_ai.models.bedrock import BedrockConverseModel
    from pydantic_ai.providers.bedrock import BedrockProvider

    options: dict[str, Any] = {} if endpoint.api_key == NO_KEY else {"api_key": endpoint.api_key}
    provider = BedrockProvider(
        base_url=endpoint.url or None, aws_read_timeout=SILENCE_S, aws_connect_timeout=CONNECT_S, **options
    )
    with closing(provider.client):
        yield BedrockConverseModel(name, provider=provider)


_OPENERS: Final[Mapping[Dialect, Callable[[str, Endpoint], AbstractAsyncContextManager[Model]]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": _google,
    "bedrock": _bedrock,
}
