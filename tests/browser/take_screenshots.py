"""The pictures of the README, taken from the running thing: `make screenshots`."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.support.kernels import ROOT, running
from tests.support.openai_loopback import Loopback
from tests.support.pages import (
    append_cell,
    cell,
    restart_kernel,
    run,
    run_command,
    running_code,
    wait_until_ready,
    write_notebook,
)

IMAGES = ROOT / "docs" / "images"
EARLIER = """
import os
os.environ["JPY_SESSION_NAME"] = "/home/me/analysis/churn.ipynb"
import jido_jupyter as jido
for title, question, answer in (
    ("Why does the churn model overfit?", "Training accuracy is 0.99, test 0.71. What now?",
     "The gap says **overfitting**. Try:\\n\\n1. fewer trees or `max_depth=6`\\n2. early stopping on a validation split\\n"
     "3. drop `customer_id`: it leaks\\n\\n```python\\nmodel = HistGradientBoostingClassifier(max_depth=6, early_stopping=True)\\n```"),
    ("Group sales by week", "How do I resample daily sales to weeks?",
     "Set the date as index, then:\\n\\n```python\\nweekly = sales.resample('W')['amount'].sum()\\n```"),
    ("Read the survey file", "UnicodeDecodeError when I read survey.csv", "The file is not UTF-8: try `encoding='cp1252'`."),
):
    session = jido.new(title)
    session.record("user", question)
    session.record("assistant", answer)
    session.close()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_take(lab: Lab, page: Page, theme: str) -> None:
    """Sidebar, panel, a preview and a refused resume, in both themes."""
    choose_theme(lab, theme)
    with running(lab.home) as kernel:
        kernel.run("%load_ext jido_jupyter")
        assert kernel.run(EARLIER).status == "ok"
    page.set_viewport_size({"width": 1240, "height": 900})
    page.goto(lab.address("/lab/tree/first-session.ipynb"))
    wait_until_ready(page)

    run(page, cell(page, "%load_ext jido_jupyter"))
    run(page, cell(page, "%%jido How do I save"))
    run(page, cell(page, "%jido list"))
    run_command(page, "jido:open-sidebar")
    sidebar = page.locator("#jido-sessions")
    expect(sidebar.get_by_test_id("jido-session-row")).to_have_count(4)
    cell(page, "%%jido How do I save").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / f"lab-{theme}.png")
    sidebar.screenshot(path=IMAGES / f"sidebar-{theme}.png")

    sidebar.get_by_role("button", name="Preview Why does").first.click()
    expect(sidebar.get_by_test_id("jido-preview-view")).to_contain_text("overfitting")
    sidebar.screenshot(path=IMAGES / f"sidebar-preview-{theme}.png")
    sidebar.get_by_test_id("jido-back").click()

    page.set_viewport_size({"width": 1500, "height": 1000})
    run(page, append_cell(page, "%jido panel"))
    panel = page.locator(".jp-jido-app.jp-jido-mod-panel")
    panel.get_by_test_id("jido-composer").fill("Where are the files?")
    panel.get_by_test_id("jido-send").click()
    expect(panel.get_by_test_id("jido-message")).to_have_count(4)
    expect(panel.get_by_test_id("jido-message").last).to_have_attribute("data-status", "complete", timeout=20_000)
    panel.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    panel.screenshot(path=IMAGES / f"panel-{theme}.png")
    take_panel(page, panel, theme)

    for _ in range(5):
        run(page, cell(page, "%jido resume 1"))
    refused = cell(page, "%jido resume 1")
    run(page, refused)
    refused.screenshot(path=IMAGES / f"refused-{theme}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_take_magics(lab: Lab, page: Page, theme: str) -> None:
    """What cells show: an answer with tables, formulas and code; a question for leave, and what came of it; a briefing."""
    choose_theme(lab, theme)
    write_notebook(lab.root / "churn.ipynb", "")
    page.set_viewport_size({"width": 1000, "height": 900})
    page.goto(lab.address("/lab/tree/churn.ipynb"))
    wait_until_ready(page)
    run_command(page, "application:toggle-left-area")
    with Loopback() as server:
        settings = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k", "JIDO_MODEL": "openai:echo"}
        run(page, append_cell(page, f"import os; os.environ.update({settings!r})\n%load_ext jido_jupyter"))
        take(page, "answer", theme, RICH)
        run(page, append_cell(page, "rows, rate = 1000, 0.26"))
        run(page, append_cell(page, RUN_CODE))
        asking = append_cell(page, "%%jido --model openai:tool\nHow many customers stay?")
        run(page, asking, wait=False)
        expect(asking.locator(".jp-Stdin-input")).to_be_visible(timeout=20_000)
        asking.screenshot(path=IMAGES / f"consent-{theme}.png")
        asking.locator(".jp-Stdin-input").fill("y")
        asking.locator(".jp-Stdin-input").press("Enter")
        expect(asking).to_contain_text("saved ·", timeout=20_000)
        asking.screenshot(path=IMAGES / f"tools-{theme}.png")
        run_command(page, "docmanager:save")
        restart_kernel(page)
        take(page, "offer", theme, "%load_ext jido_jupyter")
        take(page, "briefing", theme, "%jido resume")
        take(page, "list", theme, "%jido list")
        take(page, "search", theme, "%jido search customers")


def take(page: Page, name: str, theme: str, source: str) -> None:
    """Run a cell and keep its picture."""
    added = append_cell(page, source)
    run(page, added)
    page.wait_for_timeout(500)
    added.screenshot(path=IMAGES / f"{name}-{theme}.png")


def choose_theme(lab: Lab, theme: str) -> None:
    if theme == "dark":
        folder = lab.home / "settings" / "@jupyterlab" / "apputils-extension"
        (folder / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')


def take_panel(page: Page, panel: Locator, theme: str) -> None:
    """The panel's list beside a conversation, what it looks like while it asks for leave, and all of it at 320 px."""
    panel.get_by_test_id("jido-toggle-list").click()
    rows = panel.get_by_test_id("jido-session-row")
    rows.filter(has_text="overfit").get_by_test_id("jido-fork-session").click(force=True)
    expect(panel.get_by_test_id("jido-current-title")).to_contain_text("(fork)")
    run(page, append_cell(page, TODOS))
    expect(panel.get_by_role("checkbox")).to_have_count(2)
    panel.get_by_test_id("jido-toggle-list").click()
    panel.get_by_test_id("jido-search").fill("overf")
    expect(panel.locator("mark").first).to_be_visible()
    rows.first.hover()
    panel.screenshot(path=IMAGES / f"panel-list-{theme}.png")

    run_command(page, "application:toggle-left-area")
    panel.evaluate("panel => (panel.style.width = '320px')")
    page.wait_for_timeout(300)
    panel.screenshot(path=IMAGES / f"panel-narrow-list-{theme}.png")
    panel.get_by_test_id("jido-toggle-list").click()
    panel.get_by_test_id("jido-message").last.hover()
    panel.screenshot(path=IMAGES / f"panel-narrow-{theme}.png")
    panel.evaluate("panel => (panel.style.width = '')")


TODOS = """
from jido_jupyter.notebook.kernel import kernel
kernel().session.live.set_todos([
    {"text": "drop customer_id and fit again", "status": "doing"}, {"text": "plot the learning curve", "status": "open"}
])
"""

RICH = """%%jido --new Churn model
With the logistic model

$$p = \\frac{1}{1 + e^{-\\beta x}}$$

the **recall** at $p > 0.5$ is too low:

| threshold | precision | recall |
|---:|---:|---:|
| 0.5 | 0.81 | 0.42 |
| 0.3 | 0.66 | 0.71 |

Lower it, and see [the curve](https://example.org/pr):

```python
def churned(p, threshold=0.3):
    return p > threshold  # of losing a customer
```"""

RUN_CODE = running_code("stay = round(rows * (1 - rate))\nprint(stay, 'customers stay')", "Count who stays")
