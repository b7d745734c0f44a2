"""A client of OpenAI or Anthropic that records what goes through it: a thin object around the client, which stays as it is.

``client.chat.completions.create``, ``client.responses.create`` and ``client.messages.create`` are recorded, streaming or
not, of synchronous and asynchronous clients. Everything else is the client's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from jido_jupyter.adapters.recorder import Call, Recorder
from jido_jupyter.adapters.streams import AnthropicAssembly, Assembly, ChatAssembly, ResponsesAssembly
from jido_jupyter.adapters.threads import in_thread
from jido_jupyter.core.messages import Status
from jido_jupyter.errors import InvalidField
from jido_jupyter.services import shapes

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Door:
    """A method that asks a model."""

    provider: str
    said: str  # its argument that holds the conversation
    instruction: str | None  # its argument that holds what the model is told before
    assembly: Callable[[], Assembly]

    def sent(self, arguments: Mapping[str, Any]) -> list[Any]:
        """Return everything that a call sends, as items."""
        told = arguments.get(self.instruction) if self.instruction else None
        said = arguments.get(self.said)
        items = [{"role": "user", "content": said}] if isinstance(said, str) else said or []
        is_told = isinstance(told, str | list) and bool(told)
        return [*([{"role": "system", "content": told}] if is_told else []), *items]


_DOORS: Final[Mapping[tuple[str, ...], Door]] = {
    ("chat", "completions", "create"): Door("openai", "messages", None, ChatAssembly),
    ("chat", "completions", "parse"): Door("openai", "messages", None, ChatAssembly),
    ("responses", "create"): Door("openai", "input", "instructions", ResponsesAssembly),
    ("responses", "parse"): Door("openai", "input", "instructions", ResponsesAssembly),
    ("messages", "create"): Door("anthropic", "messages", "system", AnthropicAssembly),
}
_COPIES: Final = ("with_options", "copy")  # of a client; they record, too


def wrapped(client: C, recorder: Recorder) -> C:
    """Return an object that does what ``client`` does and records what goes through it.

    Raises:
        InvalidField: it has none of the methods that could be recorded.
    """
    if not any(_find(client, path) for path in _DOORS):
        raise InvalidField(
            "client", f"expected a client of OpenAI or Anthropic, found {type(client).__name__}; 'watch' follows lists"
        )
    found: Any = _Wrapped(client, recorder, ())
    return found  # type: ignore[no-any-return]


class _Around:
    """An object that is another one but for what its class says; ``isinstance`` takes it for the other one."""

    def __init__(self, target: Any) -> None:
        self._target = target

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_target"], name)

    def __repr__(self) -> str:
        return f"<recorded {self._target!r}>"


class _Wrapped(_Around):
    """A client, or one of the objects on the way to a method that asks."""

    def __init__(self, target: Any, recorder: Recorder, path: tuple[str, ...]) -> None:
        super().__init__(target)
        self._recorder = recorder
        self._path = path

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__dict__["_target"], name)
        path = (*self._path, name)
        if path in _DOORS:
            return _recorded(found, _DOORS[path], self._recorder)
        if any(door[: len(path)] == path for door in _DOORS):
            return _Wrapped(found, self._recorder, path)
        if not self._path and name in _COPIES:
            return lambda *args, **options: _Wrapped(found(*args, **options), self._recorder, ())
        return found

    def __enter__(self) -> Any:
        self._target.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._target.__exit__(*error)

    async def __aenter__(self) -> Any:
        await self._target.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._target.__aexit__(*error)


def _recorded(create: Callable[..., Any], door: Door, recorder: Recorder) -> Callable[..., Any]:
    """Return what calls ``create`` and records the question before, the answer after."""

    def begin(arguments: dict[str, Any]) -> Call | None:
        return recorder.begin(door.sent(arguments), f"{door.provider}:{arguments.get('model')}")

    def ask(*args: Any, **arguments: Any) -> Any:
        call = begin(_repeatable(arguments, door.said))
        try:
            answer = create(*args, **arguments)
        except BaseException as error:
            if call:
                call.fail(error)
            raise
        if call is None:
            return answer
        if arguments.get("stream") is True:
            return _Stream(answer, _Following(call, door.assembly(), recorder))
        _keep(call, answer, recorder)
        return answer

    async def ask_async(*args: Any, **arguments: Any) -> Any:
        _repeatable(arguments, door.said)
        call = await in_thread(lambda: begin(arguments))
        try:
            answer = await create(*args, **arguments)
        except BaseException as error:
            raised = error
            if call:
                await in_thread(lambda: call.fail(raised))
            raise
        if call is None:
            return answer
        if arguments.get("stream") is True:
            return _AsyncStream(answer, _Following(call, door.assembly(), recorder))
        await in_thread(lambda: _keep(call, answer, recorder))
        return answer

    return ask_async if inspect.iscoroutinefunction(inspect.unwrap(create)) else ask


def _repeatable(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    """Let a conversation that can be read but once be read by us and by the client."""
    said = arguments.get(name)
    if isinstance(said, Iterable) and not isinstance(said, str | Sequence):
        arguments[name] = list(said)
    return arguments


def _keep(call: Call, answer: Any, recorder: Recorder) -> None:
    with recorder.guarded():
        call.end(shapes.read_item(answer, "answer"))
    if not call.is_over:  # it could not be read; its question is there
        call.interrupt()


class _Following:
    """An answer that streams, from its first piece to its end."""

    def __init__(self, call: Call, assembly: Assembly, recorder: Recorder) -> None:
        self._call = call
        self._assembly = assembly
        self._recorder = recorder
        call.stream()

    @property
    def is_over(self) -> bool:
        return self._call.is_over

    def feed(self, piece: Any) -> None:
        with self._recorder.guarded():
            self._call.add(self._assembly.feed(piece))

    def end(self, status: Status | None = None) -> None:
        """The stream is over, well or not: the answer says how, where ``status`` does not."""
        with self._recorder.guarded():
            self._call.end(self._assembly.drafts(), status)
        self._call.interrupt()  # what arrived is kept, too, where it makes no answer

    def leave(self) -> None:
        """Nobody reads on. One that was told how the answer ended has all of it."""
        if not self.is_over:
            self.end(None if self._assembly.is_whole else "interrupted")

    def fail(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._call.fail(error)
        else:
            self.leave()


class _Stream(_Around):
    """A stream of an answer; each piece passes as it comes."""

    def __init__(self, target: Any, following: _Following) -> None:
        super().__init__(target)
        self._following = following

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        try:
            piece = next(self._target)
        except StopIteration:
            self._following.end()
            raise
        except BaseException as error:
            self._following.fail(error)
            raise
        self._following.feed(piece)
        return piece

    def __enter__(self) -> Any:
        self._target.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        self._following.leave()
        return self._target.__exit__(*error)

    def close(self) -> Any:
        self._following.leave()
        return self._target.close()

    def __del__(self) -> None:
        if "_following" in self.__dict__:
            self._following.leave()


class _AsyncStream(_Around):
    """The same for asynchronous clients."""

    def __init__(self, target: Any, following: _Following) -> None:
        super().__init__(target)
        self._following = following

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        try:
            piece = await self._target.__anext__()
        except StopAsyncIteration:
            await in_thread(self._following.end)
            raise
        except BaseException as error:
            raised = error
            await in_thread(lambda: self._following.fail(raised))
            raise
        self._following.feed(piece)
        return piece

    async def __aenter__(self) -> Any:
        await self._target.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        await in_thread(self._following.leave)
        return await self._target.__aexit__(*error)

    async def close(self) -> Any:
        await in_thread(self._following.leave)
        return await self._target.close()

    def __del__(self) -> None:
        if "_following" in self.__dict__:
            self._following.leave()


def _find(found: Any, path: Sequence[str]) -> bool:
    for name in path:
        found = getattr(found, name, None)
    return callable(found)
