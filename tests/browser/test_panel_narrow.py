"""The panel at 320 px: what is asked, and what is left to do, can be read whole and answered there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Lab
from tests.support.openai_loopback import Loopback
from tests.support.pages import append_cell, run, running_code, wait_until_ready, write_notebook

pytestmark = pytest.mark.browser

TODOS = """
jido.current().live.set_todos([
    {"text": "compare recall at several thresholds and write the table into the report", "status": "doing"},
    {"text": "a_name_without_any_space_" * 8, "status": "open"},
])
"""
CODE = "import jido_jupyter as jido; jido.new('Narrow')\n" + running_code(
    "\n".join(f"column_{number} = {number}  # with a long remark on why it is so" for number in range(40)), "Count"
)
OVERFLOWING = """panel => [...panel.querySelectorAll('.jp-jido-todos, .jp-jido-todos label, .jp-jido-consent, .jp-jido-consent pre')]
  .filter(element => element.scrollWidth > element.clientWidth).map(element => element.className || element.tagName)"""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


def test_a_question_for_leave_and_todos(lab: Lab, page: Page, server: Loopback) -> None:
    """Nothing is cut off at the side, all buttons stand inside; while leave is asked for, the todos make room."""
    write_notebook(lab.root / "narrow.ipynb", "")
    page.goto(lab.address("/lab/tree/narrow.ipynb"))
    wait_until_ready(page)
    settings = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k", "JIDO_MODEL": "openai:tool"}
    for source in (f"import os; os.environ.update({settings!r})", CODE, TODOS, "%load_ext jido_jupyter\n%jido panel"):
        run(page, append_cell(page, source))
    panel = page.locator(".jp-jido-app.jp-jido-mod-panel")
    panel.evaluate("panel => (panel.style.width = '320px')")
    expect(panel.get_by_test_id("jido-todos")).to_contain_text("in progress")
    cut_off = panel.evaluate(OVERFLOWING)

    panel.get_by_test_id("jido-composer").fill("Compute")
    panel.get_by_test_id("jido-composer").press("Enter")
    card = panel.get_by_test_id("jido-consent")
    expect(card).to_contain_text("40 lines: scroll to read all of it.", timeout=30_000)
    expect(panel.get_by_test_id("jido-call")).to_have_attribute("data-outcome", "waiting")
    expect(panel.get_by_test_id("jido-todos")).to_have_count(0)
    cut_off += panel.evaluate(OVERFLOWING)
    box = panel.bounding_box()
    buttons = [card.get_by_test_id(f"jido-{name}").bounding_box() for name in ("allow", "allow-always", "deny")]
    buttons.append(panel.get_by_test_id("jido-stop").bounding_box())
    card.get_by_test_id("jido-deny").click()

    expect(panel.get_by_test_id("jido-todos")).to_be_visible(timeout=30_000)
    assert cut_off == []
    assert box is not None
    for button in buttons:
        assert button is not None
        assert button["x"] >= box["x"]
        assert button["x"] + button["width"] <= box["x"] + box["width"]
        assert button["y"] + button["height"] <= box["y"] + box["height"]
