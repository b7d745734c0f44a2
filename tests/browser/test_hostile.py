"""What is hostile in answers, titles and results of tools, in Chromium: none of it runs, loads or leads anywhere.

Every door shows every payload: magic output, lists and resumed transcripts in the notebook, chat, list and preview of the
panel, list and preview of the sidebar. The page is watched throughout, and its elements are looked through at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.support.hostile import PAYLOADS
from tests.support.openai_loopback import Loopback
from tests.support.pages import append_cell, run, run_command, wait_until_ready, write_notebook

pytestmark = pytest.mark.browser

LEAVING = ("http-equiv", "<base", "<plaintext", "position:fixed")  # what would end the twin of this test
PER_CELL = 48  # outputs; JupyterLab folds a cell with more than 50

START = """
import os
os.environ.update(
    OPENAI_BASE_URL={url!r}, OPENAI_API_KEY="k", JIDO_MODEL="openai:tool", JIDO_MAX_SESSIONS="1000",
    JIDO_RESUME_LIMIT="10000",
)
%load_ext jido_jupyter
import jido_jupyter as jido
from jido_jupyter.assistants.conversation import Nowhere
from jido_jupyter.assistants.port import Tool, ToolResult
from jido_jupyter.connection import connect
from jido_jupyter.core.messages import Message, text_part
from tests.support.hostile import PAYLOADS

class Around(Nowhere):
    def __init__(self, payload):
        self.payload = payload
    def tools(self, session, desk):
        async def run(arguments):
            return ToolResult("\\n\\n" + self.payload)
        return [Tool("look", "Looks.", {{"type": "object", "properties": {{}}}}, run)]

def magic(line, cell=None):
    ip = get_ipython()
    ip.run_line_magic("jido", line) if cell is None else ip.run_cell_magic("jido", line, cell)
"""

# A session for each payload: its title, the question, the result of a tool, and the answer, which repeats that.
ASK = """
for payload in PAYLOADS[{start}:{end}]:
    session = jido.new(payload)
    session._around = Around(payload)
    magic("", payload)
ids = [found.id for found in connect().sessions.list()]
"""
SHOW = """
for session_id in ids[{start}:{end}]:
    magic("{verb} " + session_id)
"""

# All that a message has, in one session: thoughts, calls with arguments, errors, names of models; tags and todos.
EVERYTHING = """
said = []
at = session.live.now()
for number, payload in enumerate(PAYLOADS):
    call = {"type": "tool_call", "id": f"c{number}", "name": payload, "arguments": {"code": payload, payload: payload}}
    result = {"type": "tool_call_response", "id": f"c{number}", "response": payload, "outcome": payload}
    said += [
        Message(f"q{number}", "user", (text_part(payload), {**text_part(payload), "attached": payload}), at),
        Message(f"a{number}", "assistant", ({"type": "reasoning", "content": payload}, call), at, model=payload),
        Message(f"t{number}", "tool", (result,), at),
        Message(f"b{number}", "assistant", (text_part(payload), {"type": payload}), at, "failed", payload, payload),
    ]
made = connect().sessions.bring_in({"title": "Menagerie", "tags": PAYLOADS[:3], "notebook": PAYLOADS[0]}, said)
session = jido.resume(made.state.id)
session.live.set_todos([{"text": payload, "status": "pending"} for payload in PAYLOADS])
magic("show --all")
magic("list --all")
magic("search pwn --limit 500")
magic("todos")
magic("where")
magic("tag")
"""

# Also in frames: what runs there calls the top one.
CANARY = """
window.__pwned = [];
window.pwn = number => window.top.__pwned.push(number);
"""

# What must not stand in an output, the panel or the sidebar; a style is the magics' own.
AUDIT = """(style, within) => {
  const banned = 'script iframe frame frameset object embed applet form base meta link style portal fencedframe video ' +
    'audio source track img image picture template noscript foreignobject animate set use input select textarea';
  const own = ['.jp-jido-app input', '.jp-jido-app select', '.jp-jido-app textarea'].join();
  const found = [];
  const inside = within.matches('.jp-jido-app *') ? '*' : '.jp-OutputArea-output *, .jp-jido-app *';
  for (const element of within.querySelectorAll(inside)) {
    const name = element.localName.toLowerCase();
    const isOwn = (name === 'style' && element.textContent === style) || element.matches(own);
    if (banned.split(' ').includes(name) && !isOwn) found.push(`<${name}> ${element.outerHTML.slice(0, 200)}`);
    for (const { name: attribute, value } of element.attributes) {
      const isLink = /^(?:xlink:)?href$|^(?:form)?action$|^src$|^srcset$|^srcdoc$|^data$|^ping$|^poster$|^background$/i;
      const isSafe = /^(?:https?:\\/\\/|mailto:)/i;
      if (/^on/i.test(attribute)) found.push(`${attribute}=${value} in <${name}>`);
      if (isLink.test(attribute) && !(/href$/.test(attribute) && isSafe.test(value))) found.push(`${attribute}=${value}`);
      if (attribute === 'style' && /url\\(|expression|javascript/i.test(value)) found.push(`style=${value}`);
    }
  }
  const everywhere = 'iframe, object, embed, base, meta[http-equiv=refresh i], [src*="hostile.test"]';
  for (const element of document.querySelectorAll(everywhere)) found.push(`in the page: ${element.outerHTML}`);
  return found;
}"""

# From one end of a virtual list to the other: a feed opens at its newest message, which is the last one.
SCROLL = """async box => {
  const pause = time_ms => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, time_ms)));
  const isUp = box.getAttribute('role') === 'feed';
  const isAtEnd = () => isUp ? box.scrollTop <= 0 : box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
  const seen = new Set();
  if (isUp) box.scrollTop = box.scrollHeight;
  for (let step = 0, atEnd = 0; step < 600 && atEnd < 3; step++) {
    await pause(atEnd ? 200 : 20);
    for (const item of box.querySelectorAll('[aria-posinset], [data-session-id]')) {
      seen.add(item.ariaPosInSet ?? item.dataset.sessionId);
    }
    window.__found.push(...window.__audit(box));
    box.scrollTop += (isUp ? -0.8 : 0.8) * box.clientHeight;
    atEnd = isAtEnd() ? atEnd + 1 : 0;
  }
  return seen.size;
}"""


@dataclass
class Watch:
    """What a page did that it should not."""

    page: Page
    origin: str
    style: str = ""
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)  # that were opened, or gone to

    def __post_init__(self) -> None:
        context = self.page.context
        context.add_init_script(CANARY)
        context.route(lambda url: not self._is_own(url), lambda route: route.abort())
        context.on("request", lambda request: self._is_own(request.url) or self.requests.append(request.url))
        context.on("page", lambda page: self.pages.append(page.url))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on(
            "framenavigated",
            lambda frame: self._is_own(frame.url) or self.pages.append(frame.url),
        )

    def _is_own(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob", "about") or parts.netloc == urlsplit(self.origin).netloc

    def begin(self) -> None:
        """Look through the page from here on; it has no outputs of the others yet."""
        self.pages.clear()
        self.page.evaluate(
            f"style => {{ window.__found = []; window.__audit = within => ({AUDIT})(style, within) }}", arg=self.style
        )

    def look_through(self, box: Locator) -> None:
        """Note what stands in an element, once its folds are open."""
        box.evaluate(
            """async box => {
              box.querySelectorAll('details').forEach(fold => (fold.open = true));
              await new Promise(resolve => setTimeout(resolve, 50));
              window.__found.push(...window.__audit(box));
            }"""
        )

    def found(self) -> list[str]:
        """Return everything that was noted, and what the page did."""
        ran = [f"ran: {number}" for number in self.page.evaluate("window.__pwned")]
        stood = self.page.evaluate("[...new Set(window.__found)]")
        asked = [f"asked for {url}" for url in self.requests]
        opened = [f"went to {url}" for url in self.pages]
        return [*ran, *stood, *asked, *opened, *(f"dialog: {text}" for text in self.dialogs)]


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


@pytest.fixture
def watch(shared_lab: Lab, page: Page) -> Watch:
    from jido_jupyter.notebook import view

    style = view.bundle("", "")["text/html"].split("</style>")[0].removeprefix("<style>")
    return Watch(page, shared_lab.url, style)


def open_notebook(lab: Lab, page: Page, watch: Watch, name: str) -> None:
    write_notebook(lab.root / f"{name}.ipynb", "")
    page.goto(lab.address(f"/lab/workspaces/{name}/tree/{name}.ipynb"))  # without the notebooks of other tests
    wait_until_ready(page)
    watch.begin()


def test_nothing_hostile_gets_through(shared_lab: Lab, page: Page, watch: Watch, server: Loopback) -> None:
    """Each payload as title, answer and tool result, at each door."""
    assert len(set(PAYLOADS)) >= 120
    open_notebook(shared_lab, page, watch, "hostile")

    play_magics(page, watch, server)
    play_panel(page, watch)
    play_sidebar(page, watch)
    watch.look_through(page.locator("body"))

    assert watch.found() == []


def test_raw_html_is_caught(shared_lab: Lab, page: Page, watch: Watch) -> None:
    """The same watch over a cell that shows payloads as HTML: it sees what runs, what loads, and what stands there."""
    open_notebook(shared_lab, page, watch, "raw")
    shown = [payload for payload in PAYLOADS if not any(word in payload for word in LEAVING)]

    added = append_cell(
        page, f"from IPython.display import HTML, display\nfor raw in {shown[:PER_CELL]!r}: display(HTML(raw))"
    )
    run(page, added)
    watch.look_through(added)
    run(
        page, append_cell(page, "display(HTML('<script>alert(1)</script><iframe src=http://hostile.test/x></iframe>'))")
    )
    run_command(page, "jido:open-sidebar")
    sidebar = page.locator("#jido-sessions .jp-jido-app")
    sidebar.evaluate("app => app.firstElementChild.insertAdjacentHTML('beforeend', '<a href=javascript:pwn(0)>a</a>')")
    watch.look_through(page.locator("body"))

    found = "\n".join(watch.found())
    for sign in ("ran: 0\n", "ran: 15\n", "<script>", "onerror=", "onfocus=", "dialog: 1", "<iframe>"):
        assert sign in found
    assert "asked for http://hostile.test/2\n" in found
    assert "asked for http://hostile.test/x" in found
    assert "href=javascript:pwn(0)" in found


def play_magics(page: Page, watch: Watch, server: Loopback) -> None:
    """Ask, show and resume all of them in cells."""
    run_well(page, watch, START.format(url=server.url), 0)
    for start in range(0, len(PAYLOADS), PER_CELL):
        end = min(start + PER_CELL, len(PAYLOADS))
        run_well(page, watch, ASK.format(start=start, end=end), end - start)
    for verb in ("show", "resume"):
        for start in range(0, len(PAYLOADS), PER_CELL):
            end = min(start + PER_CELL, len(PAYLOADS))
            run_well(page, watch, SHOW.format(verb=verb, start=start, end=end), end - start)
    run_well(page, watch, EVERYTHING, 6)
    outputs = page.evaluate(
        """() => [...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells]
          .flatMap(cell => cell.toJSON().outputs ?? [])"""
    )
    shown = "".join("".join(output.get("data", {}).get("text/plain", "")) for output in outputs)
    assert all(f"pwn({number})" in shown for number, payload in enumerate(PAYLOADS) if f"pwn({number})" in payload)
    assert not set(shown) & {*map(chr, [*range(9), *range(11, 32), *range(127, 160)]), *"\u202e\u2066\u2028"}


def play_panel(page: Page, watch: Watch) -> None:
    """The chat as it is resumed and as it streams, the list, a preview."""
    run(page, append_cell(page, "%jido panel"))
    panel = page.locator(".jp-jido-app.jp-jido-mod-panel")
    expect(panel.get_by_test_id("jido-current-title")).to_have_text("Menagerie")
    assert panel.get_by_role("feed").evaluate(SCROLL) >= 3 * len(PAYLOADS)
    panel.get_by_test_id("jido-new").click()
    expect(panel.get_by_test_id("jido-message")).to_have_count(0)
    for start in range(0, len(PAYLOADS), 12):
        ask(panel, "\n\n".join(PAYLOADS[start : start + 12]))
        watch.look_through(panel)
    panel.get_by_role("feed").evaluate(SCROLL)
    panel.get_by_test_id("jido-toggle-list").click()
    look_through_list(panel, len(PAYLOADS))


def play_sidebar(page: Page, watch: Watch) -> None:
    run_command(page, "jido:open-sidebar")
    sidebar = page.locator("#jido-sessions")
    look_through_list(sidebar, len(PAYLOADS))
    watch.look_through(sidebar)


def look_through_list(app: Locator, least: int) -> None:
    """Scroll through ``least`` titles or more; a search marks words in them; a preview shows the rest."""
    expect(app.get_by_test_id("jido-session-row").first).to_be_visible()
    assert app.get_by_role("list", name="Sessions").evaluate(SCROLL) >= least
    app.get_by_test_id("jido-search").fill("img src onerror")
    expect(app.locator("mark").first).to_be_visible()
    app.get_by_role("list", name="Sessions").evaluate(SCROLL)
    app.get_by_test_id("jido-search").fill("Menagerie")
    title = app.page.locator(".jp-jido-row-title", has_text=re.compile("^Menagerie$"))
    app.get_by_test_id("jido-session-row").filter(has=title).locator(".jp-jido-row-title").click()
    expect(app.get_by_test_id("jido-preview-view")).to_contain_text("Menagerie")
    assert app.get_by_test_id("jido-preview-view").get_by_role("feed").evaluate(SCROLL) >= 3 * len(PAYLOADS)
    app.get_by_test_id("jido-back").click()


def ask(panel: Locator, prompt: str) -> None:
    asked = panel.locator("[data-role=user]")
    panel.get_by_test_id("jido-composer").fill(prompt)
    panel.get_by_test_id("jido-composer").press("Enter")
    expect(panel.get_by_test_id("jido-send")).to_be_visible(timeout=30_000)
    expect(asked.last).to_be_visible()


def run_well(page: Page, watch: Watch, source: str, count: int) -> None:
    """Run a cell of its own, which must not fail, and look its outputs through; ``count`` of them."""
    added = append_cell(page, source)
    outputs = run(page, added)
    assert added.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0, source
    expect(outputs).to_have_count(count)
    watch.look_through(added)
