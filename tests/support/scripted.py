"""An assistant that asks for the tools that a test names, and then says what they answered."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from jido_jupyter.assistants.conversation import Request, Session
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.assistants.port import Emit, StepEnd, StopToken, TextDelta, Tool, ToolCall, ToolResult
from jido_jupyter.core.messages import Message
from jido_jupyter.core.records import Owner
from jido_jupyter.core.window import Window
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.clock import FakeClock

T = TypeVar("T")


class Scripted:
    """Asks for one tool in each step.

    Args:
        calls: name and arguments of the tools.
    """

    model_id = "test:scripted"
    label = "a script"

    def __init__(self, *calls: tuple[str, Mapping[str, Any]]) -> None:
        self._calls = list(calls)
        self.instruction = ""
        self.offered: list[str] = []

    async def step(
        self, said: Sequence[Message], instruction: str, tools: Sequence[Tool], emit: Emit, stop: StopToken
    ) -> StepEnd:
        self.instruction, self.offered = instruction, [tool.name for tool in tools]
        if stop.is_stopped:
            return StepEnd("interrupted")
        if self._calls:
            name, arguments = self._calls.pop(0)
            return StepEnd("calls", calls=(ToolCall(f"call{len(self._calls)}", name, arguments),))
        emit(TextDelta("Done."))
        return StepEnd("complete")


class Desk:
    """A user who always says the same, at the thread that asks."""

    def __init__(self, allows: bool = True) -> None:
        self._allows = allows
        self.requests: list[Request] = []

    async def allows(self, request: Request) -> bool:
        self.requests.append(request)
        return self._allows

    async def in_main(self, work: Callable[[], T]) -> T:
        return work()


def used(tool: Tool, **arguments: Any) -> ToolResult:
    """Return what a tool answers."""

    async def run() -> ToolResult:
        return await tool.run(arguments)

    return asyncio.run(run())


def make_session() -> Session:
    """Return an open session that is kept in memory."""
    clock, numbers = FakeClock(), itertools.count(1)
    limits = Limits(FileLimiter(tempfile.mkdtemp(), clock.boot), Window(5, 60), Window(20, 60))
    sessions = Sessions(
        MemoryStore(max_bytes=100_000), limits, max_sessions=9, clock=clock.now, mint_id=lambda: f"id{next(numbers)}"
    )
    live = sessions.new(Owner("kernel", "here", 1))
    return Session(live, Engine(), lambda: Scripted(), sessions.mint_id)
