"""What the host itself offers for sessions: palette, keys, menus, launcher, toolbar and settings, in JupyterLab and Notebook 7."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.support.kernels import ROOT
from tests.support.pages import append_cell, cell, run, run_command, wait_until_ready, write_notebook

pytestmark = pytest.mark.browser

HOSTS = {"lab": "/lab/workspaces/{name}/tree/{name}.ipynb", "notebook": "/notebooks/{name}.ipynb"}
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LONG = "A title of so many words that no toolbar in the world has the room to show all of them at once"


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def stored(lab: Lab, title: str, *texts: str) -> str:
    """Store a closed session and return its id."""
    messages = [{"role": "assistant" if place % 2 else "user", "text": text} for place, text in enumerate(texts)]
    body = {"title": title} | ({"messages": messages} if messages else {})
    request = urllib.request.Request(
        f"{lab.url}/jido/api/v1/sessions",
        json.dumps(body).encode(),
        {"Authorization": f"token {lab.token}", "Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
        return str(json.load(response)["id"])


def open_notebook(lab: Lab, page: Page, host: str, name: str, session: str | None = None) -> None:
    """Open a notebook of one empty cell; it may point to a session."""
    path = lab.root / f"{name}.ipynb"
    write_notebook(path, "")
    if session is not None:
        notebook = json.loads(path.read_text())
        notebook["metadata"]["jido_jupyter"] = {"session": session}
        path.write_text(json.dumps(notebook))
    page.goto(lab.address(HOSTS[host].format(name=name)))
    wait_until_ready(page)


def open_palette(page: Page, words: str) -> Locator:
    page.get_by_role("menuitem", name="View", exact=True).click()
    page.locator('.lm-Menu-item[data-command="apputils:activate-command-palette"]').click()
    page.fill("#modal-command-palette input", words)
    return page.locator("#modal-command-palette .lm-CommandPalette-item")


def sidebar(page: Page) -> Locator:
    return page.locator("#jido-sessions")


def row(page: Page, title: str) -> Locator:
    return sidebar(page).locator("[data-session-id]").filter(has_text=title).first


def choose(page: Page, which: Locator, label: str) -> None:
    """Take an entry of the menu of a row."""
    which.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # what scrolls by is rendered, and may move what stands below
    which.click(button="right", position={"x": 40, "y": 12})
    page.locator(".lm-Menu-item").get_by_text(label, exact=True).click()


def accept(page: Page, text: str | None = None) -> None:
    """Answer a dialog."""
    if text is not None:
        page.locator(".jp-Dialog input").fill(text)
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.locator(".jp-Dialog")).to_have_count(0)


def button(page: Page) -> Locator:
    return page.get_by_test_id("jido-session-button").locator("visible=true")


def test_palette_and_keys(shared_lab: Lab, page: Page, host: str) -> None:
    """The palette offers what can be done now; keys show the sidebar and its search, and are nobody else's."""
    session = stored(shared_lab, f"Palette {host}", "What is a palette?", "A board for colours.")
    open_notebook(shared_lab, page, host, f"palette-{host}", session)
    expect(button(page)).to_have_text(f"Palette {host}")

    items = open_palette(page, "jido session")
    expect(items.filter(has_text="Export This Notebook's Jido Session…")).to_have_count(1)
    expect(items.filter(has_text="Search Jido Sessions")).to_contain_text(re.compile("Ctrl.*Alt.*Shift.*J|⌃.*J"))
    items.filter(has_text="Search Jido Sessions").click()
    search = sidebar(page).get_by_role("searchbox")
    expect(search).to_be_focused()

    cell(page, "").first.locator(".cm-content").click()
    page.keyboard.press("Control+Alt+Shift+J")
    expect(search).to_be_focused()

    mine = page.evaluate(
        """() => {
          const all = window.jupyterapp.commands.keyBindings;
          const ours = all.filter(({command}) => command.startsWith('jido:'));
          const others = all.filter(({command}) => !command.startsWith('jido:'));
          const starts = (one, other) => one.every((key, place) => key === other[place]);
          return ours.map(({command, keys}) => [command, others
            .filter(other => starts(keys, other.keys) || starts(other.keys, keys))
            .map(other => other.command)]);
        }"""
    )
    assert dict(mine) == {"jido:open-sidebar": [], "jido:search-sessions": []}


def test_the_session_of_the_notebook(shared_lab: Lab, page: Page, host: str) -> None:
    """Resume it, begin another one, rename, pin, fork, export and trash it, all from the palette."""
    session = stored(shared_lab, f"Mine {host}", "What is mine?", "This is.")
    open_notebook(shared_lab, page, host, f"mine-{host}", session)
    expect(button(page)).to_have_text(f"Mine {host}")

    open_palette(page, "resume this notebook").first.click()
    resumed = cell(page, "%load_ext jido_jupyter %jido resume")
    expect(resumed.locator(".jp-OutputArea-output").last).to_contain_text("Full context: 1 question", timeout=20_000)
    expect(page.get_by_test_id("jido-offer")).to_have_count(0)

    open_palette(page, "rename this notebook").first.click()
    accept(page, f"Renamed {host}")
    expect(button(page)).to_have_text(f"Renamed {host}")

    open_palette(page, "export this notebook").first.click()
    with page.expect_download() as download:
        accept(page)
    assert f"Renamed {host}" in Path(download.value.path()).read_text()

    open_palette(page, "fork this notebook").first.click()
    expect(sidebar(page).get_by_test_id("jido-notice").filter(has_text="Copied")).to_be_visible()

    open_palette(page, "new jido session in").first.click()
    expect(button(page)).to_have_text("New session", timeout=20_000)
    run(page, append_cell(page, "%jido close"))
    open_palette(page, "move this notebook").first.click()
    expect(sidebar(page).get_by_test_id("jido-notice")).to_contain_text("to the trash")
    expect(button(page)).to_have_text("No session")


def test_resume_by_id(shared_lab: Lab, page: Page) -> None:
    """Any session by its id, or one of those that are proposed."""
    named = stored(shared_lab, "Named", "Who?", "Me.")
    stored(shared_lab, "Proposed", "Who else?", "You.")
    open_notebook(shared_lab, page, "lab", "by-id")

    open_palette(page, "resume jido session").first.click()
    accept(page, named)
    expect(button(page)).to_have_text("Named", timeout=20_000)

    open_palette(page, "resume jido session").first.click()
    proposed = page.locator(".jp-Dialog datalist option").filter(has_text="Proposed (").first
    accept(page, proposed.get_attribute("value") or proposed.text_content())
    expect(button(page)).to_have_text("Proposed", timeout=20_000)


def test_the_menu_of_a_row(shared_lab: Lab, page: Page, host: str) -> None:
    """A right click on a session: rename, pin, fork, and resume in a notebook that is made for it."""
    stored(shared_lab, f"Clicked {host}", "What is a menu?", "A list of dishes.")
    open_notebook(shared_lab, page, host, f"menu-{host}")
    run_command(page, "jido:open-sidebar")
    expect(row(page, f"Clicked {host}")).to_be_visible()

    row(page, f"Clicked {host}").click(button="right", position={"x": 40, "y": 12})
    labels = page.locator(".lm-Menu-item .lm-Menu-itemLabel").locator("visible=true").all_inner_texts()
    assert list(filter(None, labels))[:8] == [
        "Resume in This Notebook",
        "Resume in a New Notebook",
        "Rename…",
        "Pin",
        "Archive",
        "Fork",
        "Export…",
        "Move to Trash",
    ]
    page.keyboard.press("Escape")

    choose(page, row(page, f"Clicked {host}"), "Rename…")
    accept(page, f"Chosen {host}")
    choose(page, row(page, f"Chosen {host}"), "Pin")
    expect(row(page, f"Chosen {host}")).to_contain_text("Pinned")

    if host == "lab":
        choose(page, row(page, f"Chosen {host}"), "Resume in a New Notebook")
        made = page
    else:  # it opens another page
        with page.expect_popup() as opened:
            choose(page, row(page, f"Chosen {host}"), "Resume in a New Notebook")
        made = opened.value
    resumed = cell(made, "%load_ext jido_jupyter %jido resume")
    expect(resumed.locator(".jp-OutputArea-output").last).to_contain_text("Full context: 1 question", timeout=40_000)
    expect(button(made)).to_have_text(f"Chosen {host}")
    expect(made.get_by_test_id("jido-offer").locator("visible=true")).to_have_count(0)


def test_the_trash_by_menu(shared_lab: Lab, page: Page) -> None:
    """What was thrown away has one entry in its menu: the way back."""
    stored(shared_lab, "Thrown away", "Is it gone?", "No.")
    open_notebook(shared_lab, page, "lab", "trash")
    run_command(page, "jido:open-sidebar")
    choose(page, row(page, "Thrown away"), "Move to Trash")
    expect(sidebar(page).get_by_test_id("jido-notice")).to_contain_text("to the trash")

    sidebar(page).get_by_test_id("jido-group-trashed").click()
    choose(page, row(page, "Thrown away"), "Restore")

    expect(sidebar(page).get_by_test_id("jido-notice").filter(has_text="out of the trash")).to_be_visible()
    expect(row(page, "Thrown away")).to_be_visible()


def test_the_launcher(shared_lab: Lab, page: Page) -> None:
    """One card opens a notebook in which the assistant waits."""
    page.goto(shared_lab.address("/lab/workspaces/launcher"))
    card = page.locator(".jp-LauncherCard").filter(has_text="Notebook with Jido")

    card.click()

    expect(page.get_by_test_id("jido-composer")).to_be_visible(timeout=40_000)
    expect(page.locator(".jp-Launcher")).to_have_count(0)
    expect(button(page)).to_have_text("No session")
    button(page).click()
    expect(sidebar(page)).to_be_visible()


def test_a_new_notebook_in_notebook_7(shared_lab: Lab, page: Page) -> None:
    """There is no launcher; the menu for new files has it."""
    open_notebook(shared_lab, page, "notebook", "menu-new")
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text=re.compile("^New")).first.hover()
    with page.expect_popup() as opened:
        page.locator(".lm-Menu-item").get_by_text("Notebook with Jido", exact=True).click()

    expect(opened.value.get_by_test_id("jido-composer")).to_be_visible(timeout=40_000)


def test_the_tree_of_notebook_7(shared_lab: Lab, page: Page) -> None:
    """A page without notebooks, launcher and toolbars: the plugin starts there, too."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(shared_lab.address("/tree"))
    page.wait_for_selector(".jp-DirListing-item")
    page.wait_for_function("window.jupyterapp.isPluginActivated('jido-jupyter:plugin')")

    run_command(page, "jido:open-sidebar")

    assert page.evaluate("window.jupyterapp.commands.isEnabled('jido:new-session')") is False
    # Notebook 7 shows this one without us, too.
    assert [problem for problem in problems if "reading 'schema'" not in problem] == []


def test_the_toolbar(shared_lab: Lab, page: Page, host: str) -> None:
    """The button is cut where a name is long, follows each rename, and leads to the session."""
    session = stored(shared_lab, LONG, "What is long?", "This title.")
    open_notebook(shared_lab, page, host, f"toolbar-{host}", session)
    expect(button(page)).to_have_text(LONG)
    assert LONG in (button(page).get_attribute("title") or "")
    name = button(page).locator("span").last
    assert name.evaluate("span => span.scrollWidth > span.clientWidth")
    assert name.evaluate("span => getComputedStyle(span).textOverflow") == "ellipsis"
    assert (button(page).bounding_box() or {})["width"] <= 180

    button(page).click()
    expect(sidebar(page).get_by_test_id("jido-preview-view")).to_contain_text("What is long?")

    run(page, append_cell(page, f"%load_ext jido_jupyter\n%jido resume {session}"))
    expect(button(page)).to_have_class(re.compile("jp-mod-here"))
    run(page, append_cell(page, f'%jido rename "Short {host}"'))
    expect(button(page)).to_have_text(f"Short {host}")

    panel = run(page, append_cell(page, "%jido panel"))
    panel.get_by_test_id("jido-rename-current").click()
    panel.get_by_label("Title of the session").fill(f"By panel {host}")
    page.keyboard.press("Enter")
    expect(button(page)).to_have_text(f"By panel {host}")


def test_settings(shared_lab: Lab, page: Page) -> None:
    """The Settings Editor has them; each does at once, or with the next notebook, what it says."""
    session = stored(shared_lab, "Chosen by settings", "Is it offered?", "That is up to you.")
    open_notebook(shared_lab, page, "lab", "settings", session)
    expect(page.get_by_test_id("jido-offer")).to_be_visible()
    expect(button(page)).to_be_visible()

    run_command(page, "settingeditor:open", query="Jido")
    editor = page.locator("#setting-editor, .jp-SettingsEditor, .jp-SettingEditor").first
    expect(editor).to_contain_text("Offer a notebook's session when it is opened")
    page.get_by_label("Offer a notebook's session when it is opened").uncheck()
    page.get_by_label("Name the session in the toolbar of its notebook").uncheck()
    chosen = shared_lab.home / "settings" / "jido-jupyter" / "plugin.jupyterlab-settings"
    both = {"offersSession": False, "showsToolbarButton": False}
    deadline = time.monotonic() + 10
    while not (chosen.exists() and json.loads(chosen.read_text()) == both):
        assert time.monotonic() < deadline, "the settings were not saved"
        page.wait_for_timeout(100)

    open_notebook(shared_lab, page, "lab", "settings-again", session)
    page.wait_for_timeout(1500)
    expect(page.get_by_test_id("jido-offer")).to_have_count(0)
    expect(button(page)).to_have_count(0)
    chosen.unlink()


def test_import_by_palette(shared_lab: Lab, page: Page, tmp_path: Path) -> None:
    """A file that was exported comes back under a new id; what is no session is refused with a reason."""
    session = stored(shared_lab, "Travels", "Where to?", "Home.")
    request = f"{shared_lab.url}/jido/api/v1/sessions/{session}/export?token={shared_lab.token}"
    exported = tmp_path / "travels.json"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
        exported.write_bytes(response.read().replace(b"Travels", b"Travelled"))
    (tmp_path / "other.json").write_text('{"no": "session"}')
    open_notebook(shared_lab, page, "lab", "import")

    with page.expect_file_chooser() as chooser:
        open_palette(page, "import jido").first.click()
    chooser.value.set_files([exported, tmp_path / "other.json"])

    expect(row(page, "Travelled")).to_be_visible()
    expect(sidebar(page).get_by_test_id("jido-problem")).to_contain_text("other.json")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_accessible(shared_lab: Lab, page: Page, theme: str) -> None:
    """axe-core finds nothing in the sidebar, its preview, the panel, the offer and the toolbar's button."""
    session = stored(shared_lab, f"Seen in {theme}", "Show **bold**, `code` and\n\n```python\nx = 1\n```", "Gladly.")
    stored(shared_lab, f"Another in {theme}")
    name = theme.replace(" ", "-").lower()
    open_notebook(shared_lab, page, "lab", name, session)
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
    page.evaluate(AXE.read_text())

    assert violations(page, ".jp-jido-offer") == []
    assert violations(page, ".jp-jido-session-item") == []
    run_command(page, "jido:open-sidebar")
    expect(row(page, f"Seen in {theme}")).to_be_visible()
    row(page, f"Seen in {theme}").hover()
    assert violations(page, "#jido-sessions") == []
    sidebar(page).get_by_role("searchbox").fill("bold")
    expect(sidebar(page).locator("mark").first).to_be_visible()
    assert violations(page, "#jido-sessions") == []
    sidebar(page).get_by_role("searchbox").fill("")
    button(page).click()
    expect(sidebar(page).get_by_test_id("jido-preview-view")).to_contain_text("Gladly.")
    assert violations(page, "#jido-sessions") == []

    run(page, append_cell(page, f"%load_ext jido_jupyter\n%jido resume {session}\n%jido panel"))
    panel = page.locator(".jp-jido-app.jp-jido-mod-panel")
    expect(panel).to_contain_text("Gladly.")
    assert violations(page, ".jp-jido-mod-panel") == []
    panel.get_by_test_id("jido-toggle-list").click()
    expect(panel.get_by_test_id("jido-session-row").first).to_be_visible()
    assert violations(page, ".jp-jido-mod-panel") == []


def violations(page: Page, selector: str) -> list[str]:
    """Return what axe-core finds wrong below a selector: rule, element, and why."""
    found: dict[str, Any] = page.evaluate("selector => axe.run(selector, {resultTypes: ['violations']})", selector)
    return [
        f"{rule['id']}: {node['html'][:160]} - {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
