"""The panel in a real JupyterLab: what a person does in it, and how it stands thousands of sessions and messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Lab
from tests.support.kernels import running
from tests.support.openai_loopback import Loopback
from tests.support.pages import append_cell, run, run_command, wait_until_ready

pytestmark = pytest.mark.browser

TOOL = """
from jido_jupyter.assistants.conversation import Nowhere, Request
from jido_jupyter.assistants.port import Tool, ToolResult
from jido_jupyter.notebook.kernel import kernel
import threading

class Around(Nowhere):
    def tools(self, session, desk):
        async def run(arguments):
            if not await desk.allows(Request("run_code", "set x to 41 + 1", "x = 41 + 1")):
                return ToolResult("The user said no.", "denied")
            def work():
                get_ipython().run_cell("x = 41 + 1; where = threading.current_thread() is threading.main_thread()")
                return "x is 42"
            return ToolResult(await desk.in_main(work))
        return [Tool("run_code", "run it", {"type": "object", "properties": {}}, run)]

kernel().current()._around = Around()
"""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


def open_panel(lab: Lab, page: Page, *cells: str) -> Locator:
    """Open the notebook, run ``cells``, and show the panel."""
    page.goto(lab.address("/lab/tree/panel.ipynb"))
    wait_until_ready(page)
    for source in cells:
        run(page, append_cell(page, source))
    run(page, append_cell(page, "%load_ext jido_jupyter\n%jido panel"))
    return panel_in(page)


def panel_in(page: Page) -> Locator:
    return page.locator(".jp-jido-app.jp-jido-mod-panel")


def talk_to(server: Loopback, model: str) -> str:
    return (
        f"import os; os.environ.update(JIDO_MODEL='openai:{model}', OPENAI_BASE_URL='{server.url}', OPENAI_API_KEY='k')"
    )


@pytest.fixture(autouse=True)
def notebook(lab: Lab) -> None:
    (lab.root / "panel.ipynb").write_text(
        '{"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},'
        ' "nbformat": 4, "nbformat_minor": 5}'
    )


def ask(panel: Locator, prompt: str, status: str | None = "complete") -> Locator:
    """Ask and return the answer, once it has ``status``; None does not wait."""
    asked = panel.locator("[data-role=user]")
    earlier = asked.count()
    panel.get_by_test_id("jido-composer").fill(prompt)
    panel.get_by_test_id("jido-composer").press("Enter")
    expect(asked).to_have_count(earlier + 1)
    answer = panel.get_by_test_id("jido-message").last
    if status is not None:
        expect(panel.get_by_test_id("jido-send")).to_be_visible(timeout=30_000)
        expect(answer).to_have_attribute("data-status", status)
    return answer


def test_a_conversation(lab: Lab, page: Page, server: Loopback) -> None:
    """A failed answer is tried again, a stopped one gone on with; fork, go back, tick off; a reload shows the same."""
    panel = open_panel(lab, page, talk_to(server, "flaky-3-500+count-90+delay-10"))
    messages = panel.get_by_test_id("jido-message")

    failed = ask(panel, "Count", "failed")
    expect(failed).to_contain_text("500")
    panel.get_by_test_id("jido-retry").click()
    expect(messages.last).to_have_attribute("data-status", "complete", timeout=30_000)
    expect(messages).to_have_count(2)
    expect(panel.get_by_test_id("jido-saved-state")).to_contain_text("tokens")

    stopped = ask(panel, "Count again", None)
    expect(stopped).to_contain_text("20 21", timeout=30_000)
    panel.get_by_test_id("jido-composer").press("Escape")
    expect(stopped).to_have_attribute("data-status", "interrupted")
    panel.get_by_test_id("jido-go-on").click()
    expect(messages).to_have_count(6)
    expect(panel.get_by_test_id("jido-send")).to_be_visible(timeout=30_000)
    assert server.requests[-1].messages[-1] == ("user", "Go on from where you stopped.")

    messages.nth(1).hover()
    messages.nth(1).get_by_test_id("jido-fork").click()
    expect(panel.get_by_test_id("jido-current-title")).to_have_text("Count (fork)")
    expect(messages).to_have_count(2)

    panel.get_by_test_id("jido-toggle-list").click()
    original = panel.get_by_test_id("jido-session-row").filter(has_not_text="fork")
    original.get_by_test_id("jido-resume").click()
    expect(messages).to_have_count(6)
    messages.nth(1).hover()
    messages.nth(1).get_by_test_id("jido-rewind").click()
    expect(messages).to_have_count(2)
    panel.get_by_test_id("jido-rename-current").click()
    panel.get_by_label("Title of the session").fill("All the numbers")
    panel.get_by_label("Title of the session").press("Enter")
    expect(panel.get_by_test_id("jido-current-title")).to_have_text("All the numbers")

    run(page, append_cell(page, TODOS))
    expect(panel.get_by_role("checkbox")).to_have_count(2)
    panel.get_by_role("checkbox", name="look at x").check()
    expect(panel.get_by_test_id("jido-todos")).to_contain_text("1 of 2 open")
    run_command(page, "docmanager:save")

    page.reload()
    wait_until_ready(page)
    panel = panel_in(page)
    expect(panel.get_by_test_id("jido-current-title")).to_have_text("All the numbers", timeout=30_000)
    expect(panel.get_by_test_id("jido-message")).to_have_count(2)
    expect(panel.get_by_role("checkbox", name="look at x")).to_be_checked()


def test_consent(lab: Lab, page: Page, server: Loopback) -> None:
    """Code runs in the kernel's main thread after leave was given; a closed page gives none."""
    panel = open_panel(lab, page, talk_to(server, "tool"), "%load_ext jido_jupyter", TOOL)
    card = panel.get_by_test_id("jido-consent")
    calls = panel.get_by_test_id("jido-call")

    denied = ask(panel, "Compute", None)
    expect(card).to_contain_text("x = 41 + 1")
    card.get_by_test_id("jido-deny").click()
    expect(calls.last).to_have_attribute("data-outcome", "denied")
    expect(panel.get_by_test_id("jido-send")).to_be_visible(timeout=30_000)
    expect(panel.get_by_test_id("jido-message").last).to_contain_text("The user said no.")
    assert denied.count() == 1

    panel.get_by_test_id("jido-new").click()
    expect(panel.get_by_test_id("jido-message")).to_have_count(0)
    run(page, append_cell(page, TOOL))
    ask(panel, "Compute", None)
    card.get_by_test_id("jido-allow-always").click()
    expect(calls.last).to_have_attribute("data-outcome", "done")
    expect(panel.get_by_test_id("jido-message").last).to_contain_text("x is 42")
    expect(card).to_have_count(0)
    expect(run(page, append_cell(page, "print(x, where)"))).to_have_text("42 True")

    panel.get_by_test_id("jido-new").click()
    expect(panel.get_by_test_id("jido-message")).to_have_count(0)
    run(page, append_cell(page, TOOL))
    run_command(page, "docmanager:save")
    ask(panel, "Compute", None)
    expect(card).to_be_visible()
    page.reload()
    wait_until_ready(page)
    panel = panel_in(page)
    expect(panel.get_by_test_id("jido-call").last).to_have_attribute("data-outcome", "denied", timeout=30_000)


def test_thousands_of_sessions(lab: Lab, page: Page) -> None:
    """All of 1,200 are reached by scrolling; search marks what it found; what was trashed comes back."""
    with running(lab.home, JIDO_MAX_SESSIONS="5000") as kernel:
        made = kernel.run(MANY_SESSIONS)
        assert made.status == "ok", made.error
    panel = open_panel(lab, page, "import os; os.environ['JIDO_MAX_SESSIONS'] = '5000'")
    rows = panel.get_by_test_id("jido-session-row")

    panel.get_by_test_id("jido-toggle-list").click()
    expect(panel.get_by_role("search")).to_contain_text("1,200 sessions")
    expect(rows.first).to_contain_text("Session 1199")
    for _ in range(60):
        panel.get_by_role("list", name="Sessions").evaluate("list => list.scrollTop = list.scrollHeight")
        page.wait_for_timeout(100)
        if panel.get_by_text("Session 0 ", exact=False).count():
            break
    expect(panel.get_by_text("Session 0 about")).to_be_visible()
    assert rows.count() < 100

    panel.get_by_test_id("jido-search").fill("zebra")
    expect(rows).to_have_count(1)
    expect(rows.locator("mark").first).to_have_text("zebra")
    rows.first.hover()
    rows.get_by_test_id("jido-pin").click()
    expect(rows).to_contain_text("Pinned")
    rows.get_by_test_id("jido-tag").click()
    panel.get_by_placeholder("Tags, with commas between").fill("zoo, work")
    panel.get_by_placeholder("Tags, with commas between").press("Enter")
    expect(rows).to_contain_text("#zoo")
    rows.get_by_test_id("jido-delete").click()
    expect(rows).to_have_count(0)
    panel.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(1)

    panel.get_by_test_id("jido-search").fill("")
    expect(rows.nth(1)).to_contain_text("Session 1199")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(panel.get_by_test_id("jido-preview-view")).to_contain_text("Session 1199")
    page.keyboard.press("Escape")
    expect(rows.first).to_be_visible()


def test_a_long_conversation(lab: Lab, page: Page, browser: Browser, tmp_path: Path) -> None:
    """5,000 messages: soon there, and scrolled through without a task of 50 ms, whatever else the machine does."""
    with running(lab.home) as kernel:
        made = kernel.run(LONG_SESSION)
        assert made.status == "ok", made.error
    panel = open_panel(lab, page)

    panel.get_by_test_id("jido-toggle-list").click()
    expect(panel.get_by_test_id("jido-session-row")).to_have_count(1)
    opened_ms = panel.evaluate(OPEN_PREVIEW)
    browser.start_tracing(page=page, path=tmp_path / "trace.json", categories=["toplevel"])
    scrolled = panel.get_by_role("feed").evaluate(SCROLL_THROUGH)
    browser.stop_tracing()

    longest_ms = longest_task_ms(tmp_path / "trace.json")
    print(f"5,000 messages: open after {opened_ms:.0f} ms, {scrolled}, longest task {longest_ms:.0f} ms of CPU")
    assert scrolled["first"] == "1"
    assert scrolled["seen"] > 300
    assert longest_ms < 50
    assert opened_ms < 2000  # 0.3 s on a machine that does nothing else


def test_a_notebook_and_its_session(lab: Lab, page: Page) -> None:
    """The notebook points to its session and goes with it; a copy is offered a fork; answers become cells and formulas."""
    with running(lab.home, JPY_SESSION_NAME=str(lab.root / "panel.ipynb")) as kernel:
        assert kernel.run(ANSWER).status == "ok"
    panel = open_panel(lab, page, "%load_ext jido_jupyter\n%jido resume maths")
    expect(panel.get_by_test_id("jido-message")).to_have_count(2)

    expect(panel.locator("mjx-container")).to_have_count(1)
    panel.get_by_role("button", name="Insert as cell").click()
    expect(page.locator(".jp-CodeCell").last.locator(".cm-content")).to_have_text("area = 42")
    pointed_to = page.evaluate(POINTER)
    run_command(page, "docmanager:save")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    assert pointed_to
    (lab.root / "moved.ipynb").write_bytes((lab.root / "panel.ipynb").read_bytes())

    page.goto(lab.address("/lab/tree/moved.ipynb"))
    wait_until_ready(page)
    offer = page.get_by_test_id("jido-offer")
    expect(offer).to_contain_text("“Maths” (2 messages, just now) is open in panel.ipynb")
    offer.get_by_role("button", name="Fork").click()
    expect(page.get_by_text("open here now")).to_be_visible(timeout=30_000)
    page.wait_for_function(f"({POINTER})() !== {pointed_to!r}")


def test_the_panel_in_notebook_7(lab: Lab, page: Page) -> None:
    """The same panel streams, and its code becomes a cell."""
    page.goto(lab.address("/notebooks/panel.ipynb"))
    wait_until_ready(page)
    run(page, append_cell(page, "%load_ext jido_jupyter\n%jido panel"))
    panel = panel_in(page)
    ask(panel, "How do I save?")

    run(page, append_cell(page, RECORD))
    expect(panel.get_by_test_id("jido-message")).to_have_count(3)
    panel.get_by_role("button", name="Insert as cell").click()

    expect(page.locator(".jp-CodeCell .cm-content").get_by_text("area = 42", exact=True)).to_have_count(1)


def longest_task_ms(trace: Path) -> float:
    """Return the longest task of the page's main thread, in CPU time: a busy machine does not count."""
    events = json.loads(trace.read_text())["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"].get("name") == "CrRendererMain"
    }
    tasks = [
        event.get("tdur", 0)
        for event in events
        if (event["pid"], event["tid"]) in main and event["name"] == "ThreadControllerImpl::RunTask"
    ]
    return max(tasks) / 1000


TODOS = """
from jido_jupyter.notebook.kernel import kernel
kernel().session.live.set_todos([{"text": "look at x", "status": "open"}, {"text": "plot y", "status": "open"}])
"""

POINTER = "() => window.jupyterapp.shell.currentWidget.model.getMetadata('jido_jupyter')?.session"

ANSWER = r"""
%load_ext jido_jupyter
import jido_jupyter as jido
session = jido.new("Maths")
session.record("user", "How large?")
session.record("assistant", "It is $a \\cdot b$, or $\\href{javascript:alert(1)}{x}$:\n\n```python\narea = 42\n```")
session.close()
"""

RECORD = r"""
import jido_jupyter as jido
_ = jido.current().record("assistant", "```python\narea = 42\n```")
"""

MANY_SESSIONS = """
from jido_jupyter.connection import connect
from jido_jupyter.core.messages import Message, text_part
sessions = connect().sessions
for number in range(1200):
    at = f"2026-01-{1 + number // 60:02}T10:{number % 60:02}:00.000Z"
    word = "zebra" if number == 600 else "horse"
    said = [Message(f"m{number}", "user", (text_part(f"Tell me of the {word} number {number}"),), at)]
    sessions.bring_in({"title": f"Session {number} about animals"}, said)
"""

LONG_SESSION = r"""
from jido_jupyter.connection import connect
from jido_jupyter.core.messages import Message, text_part
sessions = connect().sessions
said = []
for number in range(5000):
    at = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
    role = "assistant" if number % 2 else "user"
    code = "\n\n```python\nfor i in range(3):\n    print(i)\n```\n\n|a|b|\n|-|-|\n|1|2|\n" if number % 6 == 5 else ""
    text = f"answer {number}: some **bold** words, `code` and a list\n\n- one\n- two{code}" if number % 2 else f"question {number}"
    said.append(Message(f"m{number}", role, (text_part(text),), at))
sessions.bring_in({"title": "Long"}, said)
"""

OPEN_PREVIEW = """async panel => {
  const started = performance.now();
  panel.querySelector('.jp-jido-row-title').click();
  while (!panel.querySelector('[aria-posinset="5000"]')) {
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - started;
}"""

SCROLL_THROUGH = """async feed => {
  const seen = new Set();
  const started = performance.now();
  while (feed.scrollTop > 0 && performance.now() - started < 60000) {
    feed.scrollTop -= 1200;
    await new Promise(requestAnimationFrame);
    for (const message of feed.querySelectorAll('article')) seen.add(message.ariaPosInSet);
  }
  await new Promise(resolve => setTimeout(resolve, 500));
  const seconds = (performance.now() - started) / 1000;
  return {seen: seen.size, seconds, first: feed.querySelector('article')?.ariaPosInSet};
}"""
