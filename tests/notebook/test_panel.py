"""The panel without a page: what it answers, tells and asks. The page itself is tested in tests/browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.assistants.conversation import Nowhere, Request, Session
from jido_jupyter.assistants.port import Tool, ToolResult
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.notebook.desk import Consent
from jido_jupyter.notebook.kernel import Kernel
from jido_jupyter.notebook.panel import PanelWidget
from tests.support.kernels import Kernel as RealKernel
from tests.support.kernels import running
from tests.support.openai_loopback import Loopback

AT = "2026-01-01T10:00:00.000Z"


class Page(PanelWidget):
    """The panel together with a page that remembers what it is sent."""

    def __init__(self, kernel: Kernel) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(kernel)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.sent.append(content)

    def ask(self, method: str, **params: Any) -> Any:
        """Send a request and return its result, or its problem's code."""
        number = len(self.sent)
        reply = self._reply({"kind": "request", "id": f"r{number}", "method": method, "params": params})
        self._kernel.engine.submit(reply).result(20)
        found = next(got for got in self.sent if got.get("id") == f"r{number}")
        return found["result"] if "result" in found else found["problem"]["code"]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [got for got in self.sent if got.get("event") == name]

    def wait_for(self, name: str, count: int = 1) -> dict[str, Any]:
        """Return the last event called ``name`` once there are ``count`` of them."""
        deadline = time.monotonic() + 20
        while len(self.events(name)) < count:
            assert time.monotonic() < deadline, f"no {name!r} event; {[got.get('event') for got in self.sent]}"
            time.sleep(0.01)
        return self.events(name)[-1]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    from jido_jupyter.connection import connect

    for name, value in {"JIDO_HOME": tmp_path / "jido", "JUPYTER_CONFIG_DIR": tmp_path / "config"}.items():
        monkeypatch.setenv(name, str(value))
    made = Kernel(connect())
    yield made
    if made.session is not None:
        made.close()


@pytest.fixture
def page(kernel: Kernel) -> Iterator[Page]:
    made = Page(kernel)
    yield made
    made.close()


def stored(kernel: Kernel, title: str, count: int = 2) -> str:
    said = [
        Message(f"{title}{number}", "assistant" if number % 2 else "user", (text_part(f"{title} says {number}"),), AT)
        for number in range(count)
    ]
    return kernel.sessions.bring_in({"title": title}, said).state.id


def ids(found: dict[str, Any]) -> list[str]:
    return [hit["session"]["id"] for hit in found["hits"]]


def test_the_list_comes_in_pages_with_pinned_sessions_first(kernel: Kernel, page: Page) -> None:
    """Each session once, by cursor; archived ones only where they are asked for."""
    made = [stored(kernel, f"T{number}") for number in range(7)]
    page.ask("edit", id=made[3], pinned=True)
    page.ask("edit", id=made[5], archived=True)

    first = page.ask("find", query="", cursor=None, limit=4)
    second = page.ask("find", query="", cursor=first["next_cursor"], limit=4)

    assert ids(first)[0] == made[3]
    assert sorted(ids(first) + ids(second)) == sorted(set(made) - {made[5]})
    assert second["next_cursor"] is None
    assert first["count"] == 7
    assert ids(page.ask("find", query="is:archived")) == [made[5]]


def test_search_gives_the_text_around_what_it_found(kernel: Kernel, page: Page) -> None:
    """The snippet comes with each hit, and a filter without meaning is told."""
    wanted = stored(kernel, "Zebra")
    stored(kernel, "Horse")

    found = page.ask("find", query="zebr*")

    assert ids(found) == [wanted]
    assert "Zebra says" in found["hits"][0]["snippet"]
    assert page.ask("find", query="is:opn") == "invalid_field"


def test_messages_come_in_pages(kernel: Kernel, page: Page) -> None:
    """Of a stored session and of the open one, from the end or before a number."""
    session_id = stored(kernel, "Long", 250)
    head = page.ask("show", id=session_id)

    last = page.ask("messages", id=session_id, revision=head["revision"], before=None, limit=100)
    earlier = page.ask("messages", id=session_id, revision=head["revision"], before=100, limit=100)

    assert "messages" not in head
    assert (last["start"], len(last["messages"]), last["total"]) == (150, 100, 250)
    assert [message["id"] for message in earlier["messages"]][::99] == ["Long0", "Long99"]
    assert page.ask("messages", id=session_id, limit=-1) == "invalid_field"


def test_what_is_trashed_comes_back(kernel: Kernel, page: Page) -> None:
    """Delete moves to the trash, where it is listed; restore takes it out."""
    session_id = stored(kernel, "Gone")

    page.ask("delete", id=session_id)
    trashed = ids(page.ask("find", query="is:trashed"))
    page.ask("restore", id=session_id)

    assert trashed == [session_id]
    assert ids(page.ask("find", query="")) == [session_id]


def test_a_turn_is_told_step_by_step(page: Page) -> None:
    """The question, the answer as it grows, the whole of it, the end; then what is stored."""
    page.ask("hello", view="v1")

    begun = page.ask("ask", prompt="How do I save?")
    page.wait_for("turn_end")

    told = [got["event"] for got in page.sent if got.get("event") in ("asked", "began", "delta", "said", "turn_end")]
    assert told[:3] == ["asked", "began", "delta"]
    assert told[-2:] == ["said", "turn_end"]
    assert page.events("asked")[0]["message"]["id"] == begun["user_message_id"]
    answer = page.events("said")[0]["message"]
    assert answer["id"] == begun["message_id"]
    assert answer["parts"][-1]["content"] == "".join(event["text"] for event in page.events("delta"))
    assert page.ask("hello", view="v2")["turn"] is None


def test_the_same_question_again_leaves_the_conversation_and_stays_in_the_file(kernel: Kernel, page: Page) -> None:
    """Also the first one: nothing stands before it."""
    page.ask("ask", prompt="How do I save?")
    page.wait_for("turn_end")
    first = page.events("said")[0]["message"]["id"]

    page.ask("retry")
    page.wait_for("turn_end", 2)

    assert kernel.session is not None
    assert [message.text for message in kernel.session.messages if message.role == "user"] == ["How do I save?"]
    assert first not in [message.id for message in kernel.session.messages]
    assert first.encode() in next((Path(kernel.connection.home) / "sessions").glob("*.jsonl")).read_bytes()


def test_fork_rewind_rename_and_todos(kernel: Kernel, page: Page) -> None:
    """A fork opens the copy; the rest changes what is open."""
    session_id = stored(kernel, "Tree", 4)

    forked = page.ask("fork", id=session_id, message="Tree1")["session"]
    page.ask("edit", id=forked["id"], title="Branch")
    page.ask("rewind", message="Tree0")
    page.ask("todos", todos=[{"text": "plot", "status": "open"}])
    current = page.ask("hello", view="v")["current"]

    assert (forked["title"], forked["message_count"]) == ("Tree (fork)", 2)
    assert (current["title"], current["message_count"]) == ("Branch", 1)
    assert current["todos"] == [{"text": "plot", "status": "open"}]
    assert current["is_here"]
    assert page.ask("todos", todos="plot") == "invalid_field"
    assert page.ask("rewind", message="nowhere") == "invalid_field"


def test_only_what_changed_is_pushed(kernel: Kernel, page: Page) -> None:
    """A change made elsewhere is told within two seconds, without the list."""
    page.wait_for("changed")
    before = len(page.events("changed"))

    stored(kernel, "Elsewhere")
    told = page.wait_for("changed", before + 1)

    assert told == {"kind": "event", "event": "changed", "current": None}


def test_a_bug_is_told_too(kernel: Kernel, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page never waits for ever."""

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(kernel.sessions, "find", fail)

    assert page.ask("find", query="") == "error"


class Around(Nowhere):
    """Surroundings with one tool that needs leave."""

    def tools(self, session: Session, desk: Any) -> list[Tool]:
        async def run(arguments: Any) -> ToolResult:
            if await desk.allows(Request("run_code", "set x", "x = 1")):
                return ToolResult(await desk.in_main(lambda: "ran"))
            return ToolResult("no", "denied")

        return [Tool("run_code", "run it", {"type": "object", "properties": {}}, run)]


@pytest.mark.parametrize(
    ("act", "response"),
    [
        (lambda page, consent: page.ask("consent", id=consent["id"], allow=True), "ran"),
        (lambda page, consent: page.ask("consent", id=consent["id"], allow=False), "no"),
        (lambda page, consent: page.ask("gone", view="v1"), "no"),
        (lambda page, consent: page.ask("stop"), "interrupted"),
    ],
    ids=["allowed", "denied", "closed", "stopped"],
)
def test_a_tool_waits_for_the_user(
    kernel: Kernel,
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Page, dict[str, Any]], None],
    response: str,
) -> None:
    """It runs after leave was given; a no, the last page closed, and stop all keep it from running."""
    with Loopback() as server:
        ask_for_a_tool(kernel, page, server, monkeypatch)

        act(page, page.wait_for("consent"))
        page.wait_for("turn_end")

    assert kernel.session is not None
    results = [part["response"] for message in kernel.session.messages for part in message.parts if "response" in part]
    assert results == [response]
    assert page.events("consent_over")


def ask_for_a_tool(kernel: Kernel, page: Page, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    kernel.choose_model("openai:tool")
    kernel.current()._around = Around()
    page.ask("hello", view="v1")
    page.ask("ask", prompt="compute")


def test_leave_for_the_session_is_asked_once_and_no_page_is_a_no() -> None:
    """It holds for that session and that tool only."""
    asked: list[dict[str, Any]] = []
    views = {"v"}
    consent = Consent(asked.append, lambda: bool(views), lambda: f"c{len(asked)}")
    request = Request("run_code", "set x")

    async def talk() -> list[bool]:
        first = asyncio.create_task(consent.ask("s1", request))
        await asyncio.sleep(0)
        consent.settle("another", is_allowed=False, always=False)
        consent.settle("c0", is_allowed=True, always=True)
        answers = [await first, await consent.ask("s1", request)]
        views.clear()
        return [*answers, await consent.ask("s2", request), await consent.ask("s1", Request("delete", "all"))]

    assert asyncio.run(talk()) == [True, True, False, False]
    assert [event["event"] for event in asked] == ["consent", "consent_over"]


WORK = """
import asyncio, threading, time
from jido_jupyter.assistants.engine import Engine
from jido_jupyter.notebook.desk import MainThread
engine, main, told = Engine(), MainThread(get_ipython()), []
def work():
    return threading.current_thread() is threading.main_thread(), cell_is_over
cell_is_over = False
running = engine.submit(main.run(work, told.append))
time.sleep(1)
cell_is_over = True
"""


def test_work_runs_in_the_main_thread_between_cells(tmp_path: Path) -> None:
    """While a cell runs it waits, and says so; what runs can be stopped, and the kernel goes on."""
    with running(tmp_path) as real:
        assert real.run(WORK).status == "ok"
        assert told(real, "running.result(5), told") == "((True, True), [True, False])"

        assert real.run("stuck = engine.submit(main.run(lambda: time.sleep(30), told.append))").status == "ok"
        time.sleep(0.5)
        real.manager.interrupt_kernel()
        assert "Interrupted" in told(real, "type(stuck.exception(5)).__name__")
        assert told(real, "1 + 1") == "2"


def told(real: RealKernel, expression: str) -> str:
    return real.run(expression).text


def test_a_bug_in_a_turn_is_told(page: Page, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page hears of it, and the panel takes the next question."""

    class Broken:
        model_id = "test:broken"
        label = "a bug"

        async def step(self, *arguments: Any) -> Any:
            raise RuntimeError("no such luck")

    monkeypatch.setattr(kernel, "assistant", Broken)
    page.ask("ask", prompt="Hello")

    assert "RuntimeError: no such luck" in page.wait_for("problem")["problem"]["detail"]
    page.wait_for("turn_end")
