"""A kernel that gets SIGKILL in each phase of a turn: what was acknowledged is there, and the next request is valid.

Each trial resumes the session that the trials before left behind, so every question is also the request after a kill.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.connection import connect
from jido_jupyter.core.messages import Message
from tests.support.kernels import Kernel, Ran, running
from tests.support.openai_loopback import Loopback, Seen

KILLS = int(os.environ.get("JIDO_TEST_KILLS", "20"))  # of each phase
JITTER_S = 0.05  # after a phase has begun

# A tool that leaves a mark where it is, and stays there: before it asks for the main thread, in it, or not at all.
TOOL = """
import asyncio, pathlib, time
import jido_jupyter as jido
from jido_jupyter.assistants.conversation import Nowhere
from jido_jupyter.assistants.port import Tool, ToolResult

class Around(Nowhere):
    def tools(self, session, desk):
        async def run(arguments):
            if {phase!r} == "tool asked":
                pathlib.Path({mark!r}).touch()
                await asyncio.sleep(60)
            def work():
                if {phase!r} == "tool running":
                    pathlib.Path({mark!r}).touch()
                    time.sleep(60)
                return "the tool's result"
            return ToolResult(await desk.in_main(work))
        return [Tool("wait", "Waits.", {{"type": "object"}}, run)]

session = jido.resume("1") if {again} else jido.new("matrix")
session._around = Around()
"""

# What the model does, and what must be stored of the turn when the kernel dies in this phase.
PHASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "before the first token": ("hang", ("user",)),
    "streaming": ("count-3000+delay-5", ("user",)),
    "tool asked": ("tool", ("user", "assistant")),
    "tool running": ("tool", ("user", "assistant")),
    "between tool and answer": ("tool+delay-2000", ("user", "assistant", "tool")),
}

pytestmark = pytest.mark.kill


@pytest.mark.parametrize("phase", PHASES)
def test_kill(phase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing acknowledged is lost, and the next question goes out as a request that a server takes."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    model, durable = PHASES[phase]
    violations: list[str] = []
    with Loopback() as server:
        env = {"OPENAI_BASE_URL": server.url, "JIDO_MODEL": f"openai:{model}", "JIDO_RESUME_LIMIT": "10000"}
        for number in range(KILLS + 1):
            mark = tmp_path / f"mark-{number}"
            before = len(server.requests)
            with running(tmp_path, **env) as kernel:
                kernel.run("%load_ext jido_jupyter")
                made = kernel.run(TOOL.format(phase=phase, mark=str(mark), again=number > 0))
                assert made.status == "ok", made
                kill_in(kernel, server, before, phase, mark, f"question {number}", rng.uniform(0, JITTER_S))
            asked = server.requests[before]
            violations += [f"trial {number}: {what}" for what in invalid(asked, number)]
            said = last_turn(tmp_path, monkeypatch, f"question {number}")
            if tuple(message.role for message in said)[: len(durable)] != durable:
                violations.append(f"trial {number}: only {[message.role for message in said]} is stored")
            if "tool" in durable and "the tool's result" not in str(said[2:3]):
                violations.append(f"trial {number}: the tool's result is not stored")

    print(f"KILL IN A TURN, {phase}: {KILLS + 1} tried, {len(violations)} violations, seed {seed}")
    assert not violations


def kill_in(
    kernel: Kernel, server: Loopback, before: int, phase: str, mark: Path, question: str, wait_s: float
) -> None:
    """Ask, and kill the kernel ``wait_s`` after the phase has begun."""

    def has_begun(ran: Ran) -> bool:
        new = server.requests[before:]
        conditions: dict[str, Callable[[], object]] = {
            "before the first token": lambda: new,
            "streaming": lambda: new and new[0].sent,
            "tool asked": mark.exists,
            "tool running": mark.exists,
            "between tool and answer": lambda: len(new) > 1,
        }
        return bool(conditions[phase]())

    def watch(ran: Ran) -> None:
        deadline = time.monotonic() + 30
        while "Hello" not in ran.text and not has_begun(ran) and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(wait_s)
        kernel.kill()

    ran = kernel.run(f"%%jido\n{question}", during=watch)
    assert ran.status == "dead", ran


def invalid(asked: Seen, number: int) -> list[str]:
    """Return why a server would refuse the request, and which earlier question is not in it."""
    problems = []
    messages: list[dict[str, Any]] = asked.body["messages"]
    text = str(messages)
    problems += [f"question {n} is gone" for n in range(number + 1) if f"question {n}" not in text]
    waiting: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                problems.append(f"a result without a call: {message}")
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            problems.append(f"calls without a result: {sorted(waiting)}")
        waiting = {call["id"] for call in message.get("tool_calls") or ()}
    if waiting or messages[-1]["role"] != "user":
        problems.append(f"it ends with {messages[-1]['role']}")
    return problems


def last_turn(home: Path, monkeypatch: pytest.MonkeyPatch, question: str) -> list[Message]:
    """Return what is stored from the question on."""
    monkeypatch.setenv("JIDO_HOME", str(home / "jido"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(home / "config"))
    sessions = connect().sessions
    [summary] = sessions.list()
    state = sessions.show(summary.id).state
    place = next((n for n, message in enumerate(state.messages) if message.text == question), len(state.messages))
    return list(state.messages[place:])
