"""The sidebar in a real JupyterLab and Notebook 7: what a person does with the sessions of a whole store."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.browser.conftest import Lab, serving
from tests.support.kernels import Kernel, running
from tests.support.pages import append_cell, cell, run, run_command, wait_until_ready, write_notebook

pytestmark = pytest.mark.browser

MANY = 10_000  # sessions

OURS = "/lab/extensions/jido-jupyter/static/"
AT_START = 120_000  # bytes of these that a page loads until its list stands there
MESSAGES = b"jidoAct"  # stands in the code that shows messages, and in no other

# What is to be done when the browser is idle waits until it is let go.
HOLD_IDLE = "window.idle = []; window.requestIdleCallback = task => window.idle.push(task);"
LET_GO = "window.idle.splice(0).forEach(task => task({didTimeout: false, timeRemaining: () => 50}))"

# It shows these without us, too.
NOTEBOOK_7S_OWN = ("reading 'schema')", "Command 'filebrowser:open-path' not registered.")

STORED = """
%load_ext jido_jupyter
import jido_jupyter as jido
for title, question in (
    ("Churn model", "Why does it overfit?"), ("Sales by week", "How do I resample?"), ("Survey", "It is not UTF-8."),
):
    session = jido.new(title)
    session.record("user", question)
    session.record("assistant", f"About {title}: here is what I would try first.")
    session.close()
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One server for all; each test has a notebook of its own, and finds what it made by its name."""
    with serving(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="module")
def kernel(lab: Lab) -> Iterator[Kernel]:
    """A kernel beside the page, as another notebook would be."""
    with running(lab.home) as started:
        assert started.run("%load_ext jido_jupyter").status == "ok"
        yield started


@pytest.fixture
def problems(page: Page) -> list[str]:
    """What the page's console complained of."""
    found: list[str] = []
    page.on("console", lambda message: message.type == "error" and found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def open_sidebar(lab: Lab, page: Page, name: str, app: str = "lab") -> Locator:
    """Open a notebook of this name, and the sidebar beside it."""
    if not (lab.root / f"{name}.ipynb").exists():
        write_notebook(lab.root / f"{name}.ipynb", "")
    page.goto(lab.address(f"/lab/workspaces/{name}/tree/{name}.ipynb" if app == "lab" else f"/notebooks/{name}.ipynb"))
    wait_until_ready(page)
    run_command(page, "jido:open-sidebar")
    return page.locator("#jido-sessions")


def make(kernel: Kernel, title: str, *, said: str = "hello", more: str = "") -> None:
    """Store a session by the other kernel, and close it."""
    made = kernel.run(f"""
import jido_jupyter as jido
session = jido.new({title!r})
session.record("user", {said!r})
session.record("assistant", "Here is an answer to: " + {said!r})
{more}
session.close()
""")
    assert made.status == "ok", made.error


def row(sidebar: Locator, title: str) -> Locator:
    return sidebar.get_by_test_id("jido-session-row").filter(
        has=sidebar.page.locator(".jp-jido-row-title", has_text=re.compile(f"^{re.escape(title)}$"))
    )


def choose(sidebar: Locator, title: str, item: str) -> None:
    """Choose an item of a row's menu."""
    row(sidebar, title).hover()
    row(sidebar, title).get_by_test_id("jido-more").click()
    sidebar.get_by_role("menuitem", name=item).click()


def group(sidebar: Locator, name: str) -> Locator:
    return sidebar.get_by_test_id(f"jido-group-{name}")


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_groups_follow_what_kernels_do(lab: Lab, page: Page, kernel: Kernel, problems: list[str], app: str) -> None:
    """A change by a kernel shows within a second, in its group; groups fold, and what was folded stays so."""
    sidebar = open_sidebar(lab, page, f"groups-{app}", app)
    title = f"Live in {app}"
    expect(sidebar.get_by_role("search")).to_contain_text("session")
    page.wait_for_timeout(1500)  # the stream of events is there

    for line, badge in ((f"%jido new {title}", "Open"), ("%jido pin", "Pinned")):
        assert kernel.run(line).status == "ok"
        expect(row(sidebar, title)).to_contain_text(badge, timeout=1_000)
    expect(group(sidebar, "open")).to_have_attribute("aria-label", re.compile(r"^Open, \d"))
    assert kernel.run("%jido close").status == "ok"
    expect(row(sidebar, title).get_by_test_id("jido-pin")).to_have_attribute("aria-pressed", "true", timeout=1_000)
    expect(group(sidebar, "pinned")).to_be_visible()

    group(sidebar, "pinned").click()
    expect(row(sidebar, title)).to_have_count(0)
    make(kernel, f"Unrelated to {app}")
    expect(row(sidebar, f"Unrelated to {app}")).to_be_visible(timeout=1_000)
    expect(row(sidebar, title)).to_have_count(0)
    group(sidebar, "pinned").click()
    expect(row(sidebar, title)).to_be_visible()
    assert kernel.run(f"%jido delete {title}").status == "ok"
    expect(row(sidebar, title)).to_have_count(0, timeout=1_000)
    assert [problem for problem in problems if not problem.endswith(NOTEBOOK_7S_OWN)] == []


def test_this_notebook_comes_first(lab: Lab, page: Page, kernel: Kernel) -> None:
    """Sessions of the notebook in front stand above all others, and follow when another one comes to the front."""
    make(kernel, "Somewhere else")
    sidebar = open_sidebar(lab, page, "mine")
    run(page, append_cell(page, "%load_ext jido_jupyter\n%jido new Of this notebook"))

    expect(group(sidebar, "notebook")).to_contain_text("mine.ipynb")
    expect(sidebar.get_by_test_id("jido-session-row").first).to_contain_text("Of this notebook")
    expect(row(sidebar, "Of this notebook")).to_contain_text("Open here")
    expect(row(sidebar, "Of this notebook").get_by_test_id("jido-resume")).to_have_count(0)

    write_notebook(lab.root / "other.ipynb", "")
    page.evaluate("void window.jupyterapp.commands.execute('docmanager:open', {path: 'other.ipynb'})")
    expect(group(sidebar, "notebook")).to_have_count(0)
    expect(row(sidebar, "Of this notebook")).to_contain_text("Open in mine.ipynb")


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_search_as_one_types(lab: Lab, page: Page, kernel: Kernel, app: str) -> None:
    """Words of messages are found from their first letters on, and marked; filters narrow down; Escape gives all back."""
    make(kernel, f"Zoology {app}", said=f"Why do zebras of {app} have stripes?", more='session.tag("animals")')
    make(kernel, f"Botany {app}", said=f"Why are leaves of {app} green?")
    sidebar = open_sidebar(lab, page, f"search-{app}", app)

    sidebar.get_by_test_id("jido-search").press_sequentially(f"{app} zebr")
    expect(sidebar.get_by_test_id("jido-session-row")).to_have_count(1)
    expect(row(sidebar, f"Zoology {app}").locator("mark").first).to_be_visible()
    assert "zebr" in [text.lower() for text in sidebar.locator("mark").all_inner_texts()]
    sidebar.get_by_test_id("jido-filter-pinned").click()
    expect(sidebar).to_contain_text("No session matches")
    sidebar.get_by_test_id("jido-filter-all").click()
    sidebar.get_by_test_id("jido-search").fill("is:nonsense")
    expect(sidebar.locator(".jp-jido-refusal")).to_contain_text("write is: and one of")
    sidebar.get_by_test_id("jido-search").press("Escape")
    expect(row(sidebar, f"Botany {app}")).to_be_visible()
    expect(group(sidebar, "recent")).to_be_visible()


def test_a_session_is_put_in_order(lab: Lab, page: Page, kernel: Kernel) -> None:
    """Rename by F2, tag, pin, archive with undo, fork: each lands in the store, and shows."""
    make(kernel, "Untidy")
    sidebar = open_sidebar(lab, page, "order")

    row(sidebar, "Untidy").focus()
    page.keyboard.press("F2")
    sidebar.get_by_label("New title of Untidy").fill("Tidy")
    page.keyboard.press("Enter")
    expect(row(sidebar, "Tidy")).to_be_visible()
    choose(sidebar, "Tidy", "Tags…")
    sidebar.get_by_placeholder("Tags, with commas between").fill("work, a b")
    page.keyboard.press("Enter")
    expect(row(sidebar, "Tidy")).to_contain_text("#work")
    row(sidebar, "Tidy").hover()
    row(sidebar, "Tidy").get_by_test_id("jido-pin").click()
    expect(row(sidebar, "Tidy")).to_contain_text("Pinned")
    assert "work" in kernel.run("%jido tag --session Tidy").text

    choose(sidebar, "Tidy", "Archive")
    expect(row(sidebar, "Tidy")).to_have_count(0)
    group(sidebar, "archived").click()
    expect(row(sidebar, "Tidy")).to_contain_text("Archived")
    sidebar.get_by_role("button", name="Undo").click()
    expect(row(sidebar, "Tidy")).not_to_contain_text("Archived")

    choose(sidebar, "Tidy", "Fork into a copy")
    expect(sidebar.get_by_test_id("jido-notice")).to_contain_text("Tidy (fork)")
    expect(row(sidebar, "Tidy (fork)")).to_be_visible()


def test_the_trash_gives_back(lab: Lab, page: Page, kernel: Kernel) -> None:
    """Delete by the key, undo; delete again, restore from the trash's group; the focus stays in the list."""
    make(kernel, "Thrown away")
    sidebar = open_sidebar(lab, page, "trash")
    row(sidebar, "Thrown away").focus()

    page.keyboard.press("Delete")
    expect(row(sidebar, "Thrown away")).to_have_count(0)
    assert page.evaluate("document.activeElement.matches('[data-row]')")
    sidebar.get_by_role("button", name="Undo").click()
    expect(row(sidebar, "Thrown away")).to_be_visible()

    row(sidebar, "Thrown away").hover()
    row(sidebar, "Thrown away").get_by_test_id("jido-delete").click()
    expect(row(sidebar, "Thrown away")).to_have_count(0)
    group(sidebar, "trashed").click()
    row(sidebar, "Thrown away").get_by_test_id("jido-restore").click()
    expect(row(sidebar, "Thrown away").get_by_test_id("jido-resume")).to_be_visible()
    assert "Thrown away" in kernel.run("%jido list").text


def test_several_at_once(lab: Lab, page: Page, kernel: Kernel) -> None:
    """Boxes on demand; tags, files and the trash for all that are chosen, and one undo."""
    titles = [f"Batch {number}" for number in range(4)]
    for title in titles:
        make(kernel, title)
    sidebar = open_sidebar(lab, page, "several")
    expect(sidebar.get_by_role("checkbox")).to_have_count(0)

    sidebar.get_by_test_id("jido-select").click()
    for title in titles[:3]:
        row(sidebar, title).get_by_role("checkbox").check()
    expect(sidebar.get_by_test_id("jido-bulk")).to_contain_text("3 chosen")
    sidebar.get_by_test_id("jido-bulk-tag").click()
    sidebar.get_by_label("Tags for the chosen sessions, with commas between").fill("bunch")
    page.keyboard.press("Enter")
    expect(sidebar.get_by_text("#bunch")).to_have_count(3)

    for title in titles[:3]:
        row(sidebar, title).get_by_role("checkbox").check()
    downloads: list[str] = []
    page.on("download", lambda download: downloads.append(download.suggested_filename))
    sidebar.get_by_test_id("jido-bulk-export").click()
    sidebar.get_by_role("menuitem", name="Markdown").click()
    expect(sidebar.get_by_test_id("jido-notice")).to_contain_text("Exported 3 sessions")
    page.wait_for_timeout(500)
    assert len(downloads) == 3
    assert all(name.endswith(".md") for name in downloads)

    sidebar.get_by_test_id("jido-bulk-delete").click()
    expect(sidebar.get_by_test_id("jido-notice")).to_contain_text("Moved 3 sessions to the trash")
    expect(row(sidebar, "Batch 0")).to_have_count(0)
    sidebar.get_by_role("button", name="Undo").click()
    expect(sidebar.get_by_text("#bunch")).to_have_count(3)
    sidebar.get_by_test_id("jido-bulk-done").click()
    expect(sidebar.get_by_role("checkbox")).to_have_count(0)


def test_files_out_and_in(lab: Lab, page: Page, kernel: Kernel, tmp_path: Path) -> None:
    """What one exports comes in again by the button and by a drop; what is no session is refused with its reason."""
    make(kernel, "Travels")
    sidebar = open_sidebar(lab, page, "files")
    with page.expect_download() as exported:
        choose(sidebar, "Travels", "Export as JSON")
    file = tmp_path / "travels.json"
    exported.value.save_as(file)
    changed = json.loads(file.read_text())
    changed["meta"]["title"] = "Came back"
    del changed["digest"]
    file.write_text(json.dumps(changed))
    (tmp_path / "notes.json").write_text('{"nothing": "of ours"}')

    sidebar.get_by_test_id("jido-import-files").set_input_files([file, tmp_path / "notes.json"])
    expect(row(sidebar, "Came back")).to_be_visible()
    expect(sidebar.get_by_test_id("jido-notice")).to_contain_text("Imported 1 session")
    expect(sidebar.get_by_test_id("jido-problem")).to_contain_text("notes.json: ")

    changed["meta"]["title"] = "Dropped in"
    sidebar.locator(".jp-jido-app").evaluate(DROP, json.dumps(changed))
    expect(row(sidebar, "Dropped in")).to_be_visible()
    expect(sidebar.locator(".jp-jido-drop")).to_have_count(0)
    sidebar.locator(".jp-jido-app").evaluate(DROP, json.dumps(changed))
    expect(sidebar.get_by_test_id("jido-notice")).to_contain_text("it was here already")


def test_a_preview_says_what_seals_prove(lab: Lab, page: Page, kernel: Kernel) -> None:
    """Verified; a record that was changed on disk is left out; a changed first line asks for trust, and gets it."""
    for title in ("Sound", "Scratched", "Forged"):
        make(kernel, title)
    spoil(lab, "Scratched", b'"content":"hello"', b'"content":"jello"')
    spoil(lab, "Forged", b'"t":"header","v":1', b'"v":1,"t":"header"')
    sidebar = open_sidebar(lab, page, "seals")
    seal = sidebar.get_by_test_id("jido-seal")

    for title, state in (("Sound", "verified"), ("Scratched", "repaired"), ("Forged", "altered")):
        row(sidebar, title).locator(".jp-jido-row-title").click()
        expect(seal).to_have_attribute("data-seal", state)
        if state != "altered":
            page.keyboard.press("Escape")
    expect(seal).to_contain_text("It was changed after it was saved")
    sidebar.get_by_test_id("jido-trust").click()

    resumed = cell(page, "%load_ext jido_jupyter %jido resume")
    expect(resumed.locator(".cm-content")).to_contain_text("--trust")
    expect(row(sidebar, "Forged")).to_contain_text("Open here", timeout=20_000)


def test_resume_where_one_wants(lab: Lab, page: Page, kernel: Kernel) -> None:
    """Into the notebook in front, into a new one, and into a new one where there is none."""
    for title in ("Goes on here", "Goes on elsewhere", "Goes on from nothing"):
        make(kernel, title)
    sidebar = open_sidebar(lab, page, "resume")

    row(sidebar, "Goes on here").get_by_test_id("jido-resume").click()
    expect(row(sidebar, "Goes on here")).to_contain_text("Open here", timeout=20_000)
    row(sidebar, "Goes on elsewhere").get_by_test_id("jido-resume-where").click()
    sidebar.get_by_role("menuitem", name="In a new notebook").click()
    expect(row(sidebar, "Goes on elsewhere")).to_contain_text("Open here", timeout=40_000)
    assert page.evaluate("window.jupyterapp.shell.currentWidget.context.path") != "resume.ipynb"

    page.evaluate("[...window.jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose())")
    expect(page.locator(".jp-NotebookPanel")).to_have_count(0)
    row(sidebar, "Goes on from nothing").get_by_test_id("jido-resume").click()
    expect(row(sidebar, "Goes on from nothing")).to_contain_text("Open here", timeout=40_000)


def test_a_notebook_that_is_not_python(lab: Lab, page: Page, kernel: Kernel) -> None:
    """Its sessions are read and exported; resuming is refused with a sentence, and a Python notebook offered."""
    make(kernel, "For Python only")
    install_other_kernel(lab)
    other = {"name": "other", "display_name": "Other", "language": "other"}
    notebook = {"cells": [], "metadata": {"kernelspec": other}, "nbformat": 4, "nbformat_minor": 5}
    (lab.root / "other-language.ipynb").write_text(json.dumps(notebook))
    page.goto(lab.address("/lab/workspaces/other-language/tree/other-language.ipynb"))
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel", timeout=40_000)
    run_command(page, "jido:open-sidebar")
    sidebar = page.locator("#jido-sessions")

    row(sidebar, "For Python only").get_by_test_id("jido-resume").click()
    problem = sidebar.get_by_test_id("jido-problem")
    expect(problem).to_contain_text("runs other", timeout=40_000)
    problem.get_by_role("button", name="Read here").click()
    expect(sidebar.get_by_test_id("jido-preview-view")).to_contain_text("Here is an answer")
    sidebar.get_by_test_id("jido-back").click()
    row(sidebar, "For Python only").get_by_test_id("jido-resume").click()
    problem.get_by_role("button", name="New Python notebook").click()
    expect(row(sidebar, "For Python only")).to_contain_text("Open here", timeout=40_000)


def test_a_refused_resume_counts_down(lab: Lab, page: Page, kernel: Kernel) -> None:
    """After five resumes no cell is made in vain: the button says when it will be possible."""
    make(kernel, "In demand")
    for _ in range(5):
        kernel.run("%jido resume In demand")
    kernel.run("%jido close")
    sidebar = open_sidebar(lab, page, "limited")
    cells = page.locator(".jp-CodeCell").count()

    row(sidebar, "In demand").get_by_test_id("jido-resume").click()

    expect(row(sidebar, "In demand").get_by_test_id("jido-resume")).to_have_text(re.compile(r"Resume in \d+ s"))
    expect(row(sidebar, "In demand").get_by_test_id("jido-resume")).to_be_disabled()
    assert page.locator(".jp-CodeCell").count() == cells


def test_the_keyboard_is_enough(lab: Lab, page: Page, kernel: Kernel) -> None:
    """From the search field to a preview and back, through a menu, without a pointer."""
    make(kernel, "By keys")
    sidebar = open_sidebar(lab, page, "keys")
    focused = "document.activeElement.closest('[data-row]')?.dataset.row"
    sidebar.get_by_test_id("jido-search").click()

    for _ in range(3):
        page.keyboard.press("Tab")
    first = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    second = page.evaluate(focused)
    assert first.startswith("group ")
    assert second != first
    page.keyboard.press("Enter")
    expect(sidebar.get_by_test_id("jido-preview-view")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sidebar.get_by_test_id("jido-preview-view")).to_have_count(0)
    assert page.evaluate(focused) == second
    row(sidebar, "By keys").focus()
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.testid") == "jido-more":
            break
    page.keyboard.press("Enter")
    expect(sidebar.get_by_role("menu")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(sidebar.get_by_label("New title of By keys")).to_be_focused()


def open_held(lab: Lab, page: Page, name: str) -> Locator:
    """Open a page without a notebook, and the sidebar in it; nothing is done when it is idle."""
    page.add_init_script(HOLD_IDLE)
    page.goto(lab.address(f"/lab/workspaces/{name}"))
    page.wait_for_function("window.jupyterapp?.isPluginActivated('jido-jupyter:plugin')")
    page.evaluate("window.jupyterapp.restored.then(() => null)")
    run_command(page, "jido:open-sidebar")
    return page.locator("#jido-sessions")


def test_little_is_loaded_at_start(lab: Lab, page: Page, kernel: Kernel) -> None:
    """A list needs less than 120 kB of ours; what shows messages comes when the browser is idle, and once."""
    make(kernel, "Read later")
    loaded: list[Response] = []
    page.on("response", lambda response: OURS in response.url and loaded.append(response))
    sidebar = open_held(lab, page, "start")
    expect(row(sidebar, "Read later")).to_be_visible()
    at_start = [response.body() for response in loaded]
    sizes = {response.url.rpartition("/")[2]: len(body) for response, body in zip(loaded, at_start, strict=True)}

    assert 0 < sum(sizes.values()) < AT_START, sizes
    assert not any(MESSAGES in body for body in at_start), sizes

    with page.expect_response(lambda response: OURS in response.url):
        page.evaluate(LET_GO)
    row(sidebar, "Read later").locator(".jp-jido-row-title").click()
    expect(sidebar.get_by_test_id("jido-preview-view")).to_contain_text("Here is an answer to: hello")
    assert sum(MESSAGES in response.body() for response in loaded) == 1


@pytest.mark.parametrize("missing", [0, 1])
def test_code_that_does_not_come(lab: Lab, page: Page, kernel: Kernel, problems: list[str], missing: int) -> None:
    """One of the two files that show messages is missing: a preview says so, and has them once the server has it again."""
    make(kernel, f"Read at last {missing}")
    sidebar = open_held(lab, page, f"late-code-{missing}")
    expect(row(sidebar, f"Read at last {missing}")).to_be_visible()
    preview = sidebar.get_by_test_id("jido-preview-view")
    asked: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url not in asked:
            asked.append(route.request.url)
        if asked.index(route.request.url) == missing:
            route.abort()
        else:
            route.continue_()

    page.route(f"**{OURS}**", answer)
    row(sidebar, f"Read at last {missing}").locator(".jp-jido-row-title").click()
    expect(preview).to_contain_text("Try again, or reload the page.")
    expect(preview).to_contain_text("2 messages")
    preview.get_by_test_id("jido-load-again").click()
    expect(preview).to_contain_text("Try again, or reload the page.")
    page.unroute(f"**{OURS}**")
    preview.get_by_test_id("jido-load-again").click()
    expect(preview).to_contain_text("Here is an answer to: hello")
    assert [problem for problem in problems if "net::ERR_FAILED" not in problem] == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="starts the server again as /proc says it was")
def test_a_server_that_goes_away(tmp_path: Path, page: Page) -> None:
    """The list stays and says so; when the server is back, it goes on by itself, with what happened meanwhile."""
    with serving(tmp_path) as lab, running(lab.home) as kernel:
        assert kernel.run(STORED).status == "ok"
        sidebar = open_sidebar(lab, page, "away")
        expect(row(sidebar, "Survey")).to_be_visible()
        pid = int(next((lab.home / "runtime").glob("jpserver-*.json")).stem.removeprefix("jpserver-"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]

        os.kill(pid, signal.SIGKILL)
        expect(sidebar.get_by_test_id("jido-problem")).to_contain_text("does not answer")
        expect(row(sidebar, "Survey")).to_be_visible()
        make(kernel, "Made meanwhile")
        with open(lab.home / "again.log", "wb") as log:
            again = subprocess.Popen(command, env=lab.env, stdout=log, stderr=log)
        try:
            expect(row(sidebar, "Made meanwhile")).to_be_visible(timeout=40_000)
            expect(sidebar.get_by_test_id("jido-problem")).to_have_count(0)
        finally:
            again.terminate()
            again.wait(20)


def test_ten_thousand_sessions(tmp_path: Path, page: Page) -> None:
    """All are found and reached, and few stand in the page; how long it took is printed, as no test is timed."""
    with serving(tmp_path) as lab:
        with running(lab.home, JIDO_MAX_SESSIONS="20000") as kernel:
            made = kernel.run(TEN_THOUSAND.format(count=MANY), timeout_s=400)
            assert made.status == "ok", made.error
        write_notebook(lab.root / "many.ipynb", "")
        page.add_init_script(FIRST_PAINT)
        sidebar = open_sidebar(lab, page, "many")
        expect(sidebar.get_by_role("search")).to_contain_text("10,000 sessions")
        page.wait_for_timeout(3000)  # until the layout is stored
        painted_ms = min(painted_again(page, sidebar) for _ in range(3))  # whatever else the machine does

        expect(group(sidebar, "recent")).to_have_attribute("aria-label", re.compile(r"^Recent, \d+\+$"))
        expect(group(sidebar, "archived")).to_have_attribute("aria-label", "Archived, 50+")
        search = sidebar.get_by_test_id("jido-search")
        page.evaluate(WATCH_KEYS)
        for _ in range(3):  # once after a reload Lab puts the focus into the notebook, whoever types elsewhere
            search.fill("")
            search.press_sequentially("horse 77", delay=120)
            if search.input_value() == "horse 77":
                break
        # The first search of a store makes an index of its words.
        expect(sidebar.get_by_test_id("jido-session-row").first).to_contain_text("77", timeout=60_000)
        expect(sidebar.get_by_role("search")).to_contain_text("50+ of 10,000")
        keys_ms = page.evaluate("window.__keys")

        search.fill("")
        expect(group(sidebar, "recent")).to_be_visible()
        started = time.monotonic()
        for _ in range(40):
            sidebar.get_by_role("list", name="Sessions").evaluate("list => list.scrollTop = list.scrollHeight")
            page.wait_for_timeout(50)
        assert sidebar.get_by_test_id("jido-session-row").count() < 100
        scrolled_s = time.monotonic() - started
        print(
            f"{MANY} sessions: there {painted_ms:.0f} ms after Lab, a key {max(keys_ms):.0f} ms, 40 screens {scrolled_s:.1f} s"
        )


def painted_again(page: Page, sidebar: Locator) -> float:
    """Reload with the sidebar open, and return when the list stood there [ms after Lab was ready]."""
    page.reload()
    wait_until_ready(page)
    expect(sidebar.get_by_role("search")).to_contain_text("10,000 sessions")
    took_ms: float = page.evaluate("window.__listed - Math.max(window.__ready, window.__opened)")
    return took_ms


def spoil(lab: Lab, title: str, before: bytes, after: bytes) -> None:
    """Change a session's file on disk, as nobody should."""
    files = (lab.home / "jido" / "sessions").glob("*.jsonl")
    path = next(file for file in files if f'"{title}"'.encode() in file.read_bytes())
    assert before in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(before, after, 1))


def install_other_kernel(lab: Lab) -> None:
    """A kernel that answers, and says that it is not Python."""
    folder = lab.home / "data" / "kernels" / "other"
    folder.mkdir(parents=True)
    (lab.home / "other_kernel.py").write_text(OTHER_KERNEL)
    argv = ["python", str(lab.home / "other_kernel.py"), "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "other"}))


OTHER_KERNEL = """
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

class Other(Kernel):
    implementation = implementation_version = banner = "other"
    language_info = {"name": "other", "mimetype": "text/plain", "file_extension": ".txt"}

    async def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **more):
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

IPKernelApp.launch_instance(kernel_class=Other)
"""

DROP = """(app, text) => {
  const files = new DataTransfer();
  files.items.add(new File([text], 'dropped.json', {type: 'application/json'}));
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    app.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: files}));
  }
}"""

# Nothing is synced: ten thousand durable files take minutes, and prove nothing about a list.
TEN_THOUSAND = """
import os
os.fsync = os.fdatasync = lambda fd: None
from jido_jupyter.connection import connect
from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
sessions = connect().sessions
store = sessions._store  # which does not count them each time
for number in range({count}):
    at = f"2026-01-{{1 + number // 400:02}}T{{number % 400 // 60:02}}:{{number % 60:02}}:00.000Z"
    said = [Message(f"m{{number}}", "user", (text_part(f"Tell me of the horse number {{number}}"),), at)]
    meta = {{"title": f"Session {{number}} about horses", "archived": number % 100 == 0}}
    store.create(records.header(sessions.mint_id(), at), [records.meta(meta, at), records.messages(said, at)])
"""

# When Lab was ready, and when the list stood in the page.
FIRST_PAINT = """
const waiting = setInterval(() => {
  if (window.jupyterapp?.restored && !window.__asked) {
    window.__asked = true;
    window.jupyterapp.restored.then(() => (window.__ready = performance.now()));
  }
  const sidebar = document.querySelector('#jido-sessions');
  if (sidebar?.offsetParent && !window.__opened) window.__opened = performance.now();
  if (window.__ready && sidebar?.querySelector('[data-session-id]')) {
    window.__listed = performance.now();
    clearInterval(waiting);
  }
}, 5);
"""

# How long the page is busy with each key: from its event to the frame after it.
WATCH_KEYS = """() => {
  window.__keys = [];
  document.querySelector('[data-testid=jido-search]').addEventListener('keydown', () => {
    const began = performance.now();
    requestAnimationFrame(() => setTimeout(() => window.__keys.push(performance.now() - began)));
  });
}"""
