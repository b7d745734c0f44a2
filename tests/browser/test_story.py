"""The main job in a real JupyterLab, from the first question to the refused resume, through all doors."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Lab
from tests.support.kernels import running
from tests.support.pages import append_cell, cell, run, run_command, wait_until_ready

pytestmark = pytest.mark.browser


def test_the_whole_story(lab: Lab, page: Page) -> None:
    """Ask and see it stream; restart the kernel; resume; go on; be refused; then the panel and the sidebar."""
    problems: list[str] = []
    page.on(
        "console",
        lambda message: message.type == "error" and problems.append(f"{message.text} {message.location}"),
    )
    page.goto(lab.address("/lab/tree/first-session.ipynb"))
    wait_until_ready(page)

    run(page, cell(page, "%load_ext jido_jupyter"))
    asking = cell(page, "%%jido How do I save")
    answer = run(page, asking, wait=False)
    expect(answer).to_contain_text("Nothing to do", timeout=30_000)
    lengths = set()
    while "saved ·" not in (text := answer.inner_text()):
        lengths.add(len(text))
        time.sleep(0.05)
    assert len(lengths) >= 5, "the answer did not stream"
    assert answer.count() == 1
    assert "not a language model" in text
    expect(run(page, cell(page, "%jido save"))).to_contain_text("on disk")
    expect(run(page, cell(page, "%jido list"))).to_contain_text("How do I save a session?")

    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator('.lm-Menu-item[data-command="kernelmenu:restart"]').click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_timeout(1000)
    wait_until_ready(page)
    run(page, cell(page, "%load_ext jido_jupyter", 1))
    resuming = cell(page, "%jido resume 1")
    expect(run(page, resuming)).to_contain_text("Full context: 1 question, 2 messages")
    followed = run(page, cell(page, "%%jido What did I ask before?"))
    expect(followed).to_contain_text("Before this you asked")
    expect(followed).to_contain_text("How do I save a session?")

    for _ in range(4):
        run(page, resuming)
    expect(run(page, resuming)).to_contain_text(re.compile(r"5 times 'resume' within 60 s; try again in \d+ s"))

    play_panel(lab, page)
    play_sidebar(lab, page)
    assert problems == []


def play_panel(lab: Lab, page: Page) -> None:
    """Through the panel: see the conversation, ask, start another session, go back to the list, save."""
    panel = run(page, cell(page, "%jido panel"))
    panel.scroll_into_view_if_needed()
    expect(panel.get_by_test_id("jido-current-title")).to_contain_text("How do I save a session?")
    expect(panel.get_by_test_id("jido-message")).to_have_count(4)

    panel.get_by_test_id("jido-composer").fill("Where are the files?")
    panel.get_by_test_id("jido-send").click()
    expect(panel.get_by_test_id("jido-message")).to_have_count(6)
    last = panel.get_by_test_id("jido-message").last
    expect(last).to_contain_text("plain files on your own disk")
    expect(last).to_have_attribute("data-status", "complete", timeout=20_000)

    panel.get_by_test_id("jido-new").click()
    expect(panel.get_by_test_id("jido-message")).to_have_count(0)
    panel.get_by_test_id("jido-composer").fill("Hello from the panel")
    panel.get_by_test_id("jido-composer").press("Enter")
    expect(panel.get_by_test_id("jido-message").last).to_have_attribute("data-status", "complete", timeout=20_000)
    panel.get_by_test_id("jido-save").click()
    expect(panel.get_by_test_id("jido-saved-state")).to_contain_text("saved")
    expect(panel.get_by_test_id("jido-problem")).to_have_count(0)

    panel.get_by_test_id("jido-toggle-list").click()
    rows = panel.get_by_test_id("jido-session-row")
    expect(rows).to_have_count(2)
    with running(lab.home) as kernel:
        kernel.run("%load_ext jido_jupyter")
        kernel.run("%jido new Seen by the panel")
        expect(panel.get_by_text("Seen by the panel")).to_be_visible(timeout=2_000)
        kernel.run("%jido close")
        kernel.run("%jido delete seen")
    expect(rows).to_have_count(2)
    rows.last.get_by_test_id("jido-preview").click()
    expect(panel.get_by_test_id("jido-preview-view")).to_contain_text("How do I save a session?")
    panel.get_by_test_id("jido-back").click()


def play_sidebar(lab: Lab, page: Page) -> None:
    """Through the sidebar: what other doors save shows within 1 s; read, resume into the notebook, delete."""
    run_command(page, "jido:open-sidebar")
    sidebar = page.locator("#jido-sessions")
    rows = sidebar.get_by_test_id("jido-session-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Hello from the panel")

    with running(lab.home) as kernel:
        kernel.run("%load_ext jido_jupyter")
        kernel.run("%jido new Made by another kernel")
        expect(sidebar.get_by_text("Made by another kernel")).to_be_visible(timeout=1_000)
        kernel.run("%%jido\nhello")
        expect(rows).to_have_count(3)
        kernel.run("%jido close")

    sidebar.get_by_test_id("jido-search").fill("another")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Preview").click()
    expect(sidebar.get_by_test_id("jido-preview-view")).to_contain_text("Welcome!")
    sidebar.get_by_test_id("jido-back").click()

    cell(page, "%jido panel").locator(".cm-content").click()
    rows.get_by_test_id("jido-resume").click()
    resumed = cell(page, "%load_ext jido_jupyter %jido resume")
    expect(resumed.locator(".jp-OutputArea-output").last).to_contain_text("Full context: 1 question", timeout=20_000)
    expect(rows).to_contain_text("Open here", timeout=2_000)

    run(page, append_cell(page, "%jido close"))
    rows.hover()
    rows.get_by_test_id("jido-delete").click()
    expect(rows).to_have_count(0)
    sidebar.get_by_test_id("jido-search").fill("")
    expect(rows).to_have_count(2)


def test_the_sidebar_in_notebook_7(lab: Lab, page: Page) -> None:
    """The same sidebar opens in Notebook 7, lists what kernels saved, and resumes into the notebook."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    with running(lab.home) as kernel:
        kernel.run("%load_ext jido_jupyter")
        kernel.run("%%jido\nHello Notebook 7")
    page.goto(lab.address("/notebooks/first-session.ipynb"))
    wait_until_ready(page)

    run_command(page, "jido:open-sidebar")
    rows = page.locator("#jido-sessions").get_by_test_id("jido-session-row")
    expect(rows).to_have_count(1)
    rows.get_by_test_id("jido-resume").click()

    resumed = cell(page, "%load_ext jido_jupyter %jido resume")
    expect(resumed.locator(".jp-OutputArea-output").last).to_contain_text("Full context: 1 question", timeout=20_000)
    # Notebook 7 shows this one without us, too.
    assert [problem for problem in problems if "reading 'schema'" not in problem] == []
