"""What a person does with the magics in a real JupyterLab, a story for each promise; the panel has its own in `test_panel`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.support.openai_loopback import Loopback
from tests.support.pages import (
    append_cell,
    restart_kernel,
    run,
    run_command,
    running_code,
    wait_until_ready,
    write_notebook,
)

pytestmark = pytest.mark.browser

RICH = """%%jido --new Rich
Euler: $e^{i\\pi} + 1 = 0$ and

$$\\int_0^1 x^2\\,dx = \\frac13$$

| a | b |
|---|---|
| 1 | 2 |

```python
def double(x):
    return 2 * x
```"""

RUN_CODE = 'import jido_jupyter as jido; jido.new("Consent")\n' + running_code(
    "total = sum(range(10))\nprint('the total is', total)", "Add the numbers up"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


def begin(lab: Lab, page: Page, name: str, server: Loopback | None = None, *, model: str = "", **env: str) -> None:
    """Open a notebook of its own with the extension loaded."""
    write_notebook(lab.root / f"{name}.ipynb", "")
    page.goto(lab.address(f"/lab/workspaces/{name}/tree/{name}.ipynb"))  # without the notebooks of other tests
    wait_until_ready(page)
    settings = {
        **({"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"} if server else {}),
        **({"JIDO_MODEL": f"openai:{model}"} if model else {}),
        **env,
    }
    do(page, f"import os; os.environ.update({settings!r})\n%load_ext jido_jupyter")


def do(page: Page, source: str, *, wait: bool = True) -> Locator:
    """Run a cell of its own and return its outputs."""
    return run(page, append_cell(page, source), wait=wait)


def stored(lab: Lab) -> str:
    """Return everything that stands in the store."""
    return "".join(path.read_text() for path in (lab.home / "jido" / "sessions").glob("*.jsonl"))


def test_the_model_and_the_keys(shared_lab: Lab, page: Page, server: Loopback) -> None:
    """Shown, listed, chosen for one session and remembered there; a key in a question is told about and not stored."""
    begin(shared_lab, page, "models", server)

    expect(do(page, "%jido model")).to_contain_text("guide:")
    listed = do(page, "%jido model --list")
    expect(listed.locator("table")).to_contain_text("answers now")
    expect(listed).to_contain_text("openai:echo")

    do(page, "%jido new Own model")
    expect(do(page, "%jido model openai:echo --here")).to_contain_text("you chose it for this session")
    key = "sk-" + "proj-" + "Ab3dEf6hIj9lMn0pQr5tUv8x" * 2
    answered = do(page, f"%%jido\nWhy is my key {key} refused?")
    expect(answered).to_contain_text("You said:")
    expect(answered).to_contain_text(re.compile("key left out of the session|keys left out of the session"))
    assert key not in stored(shared_lab)
    assert "[redacted" in stored(shared_lab)

    do(page, "%jido new Another")
    expect(do(page, "%jido model")).to_contain_text("guide:")
    do(page, "%jido resume own")
    expect(do(page, "%jido model")).to_contain_text("openai:echo")


def test_an_answer_on_its_way(shared_lab: Lab, page: Page, server: Loopback) -> None:
    """Typeset and coloured; interrupted it keeps what came; a fault says so; continue and retry go on."""
    begin(shared_lab, page, "streams", server, model="echo")

    rich = do(page, RICH)
    expect(rich.locator("mjx-container")).to_have_count(2)
    expect(rich.locator("td").first).to_have_text("1")
    expect(rich.locator("pre .k, pre .kd").first).to_have_text("def")

    asking = do(page, "%%jido --new Slow --model openai:count-2000+delay-10\nCount", wait=False)
    expect(asking).to_contain_text("20 21", timeout=20_000)
    run_command(page, "notebook:interrupt-kernel")
    expect(asking.first).to_contain_text("interrupted - what had arrived is kept", timeout=20_000)
    shown = numbers(asking.first.inner_text())
    kept = numbers(do(page, "%jido show").inner_text())
    assert len(shown) > 20
    assert kept == shown

    expect(do(page, "%jido continue --model openai:count-5")).to_contain_text("0 1 2 3 4")
    broken = do(page, "%%jido --model openai:drop-5\nAgain")
    expect(broken).to_contain_text("part0 part1 part2 part3 part4")
    expect(broken.locator(".jido-warn")).to_contain_text("connection")
    expect(do(page, "%jido retry --model openai:echo")).to_contain_text("You said: Again")
    run_command(page, "docmanager:save")


def numbers(text: str) -> list[str]:
    """Return the longest run of numbers that count up from 0."""
    return max(re.findall(r"\b0 1 2(?: \d+)*", text), key=len).split()


def test_consent(shared_lab: Lab, page: Page, server: Loopback) -> None:
    """The code stands there whole before the question; no runs nothing, yes runs it here, all of it is in the session."""
    begin(shared_lab, page, "consent", server, model="tool")
    do(page, RUN_CODE)

    denied = append_cell(page, "%%jido\nHow much is it?")
    run(page, denied, wait=False)
    prompt = denied.locator(".jp-Stdin-input")
    expect(prompt).to_be_visible(timeout=20_000)
    expect(denied).to_contain_text("total = sum(range(10))")
    expect(denied).to_contain_text("Run this? [y/N/a=always in this session]")
    prompt.fill("n")
    prompt.press("Enter")
    expect(denied).to_contain_text("The user did not allow this code to run", timeout=20_000)
    expect(do(page, "'total' in globals()")).to_have_text("False")

    allowed = append_cell(page, "%%jido\nThen do it.")
    run(page, allowed, wait=False)
    prompt = allowed.locator(".jp-Stdin-input")
    expect(prompt).to_be_visible(timeout=20_000)
    prompt.fill("y")
    prompt.press("Enter")
    expect(allowed).to_contain_text("saved ·", timeout=20_000)
    expect(allowed).to_contain_text("the total is 45")
    expect(do(page, "total")).to_have_text("45")

    told = do(page, "%jido show")
    expect(told).to_contain_text("· denied")
    expect(told).to_contain_text("· done")


def test_a_day(shared_lab: Lab, page: Page) -> None:
    """List, search, rename, pin, tag, fork, rewind, where, log, export: what a person does with sessions all day."""
    begin(shared_lab, page, "day")
    do(page, "%%jido --new Morning\nHow do I save a session?")
    do(page, "%%jido\nAnd where are the files?")
    do(page, "%%jido --new Noon\nWhat are the limits?")

    listed = do(page, "%jido list")
    expect(listed.locator("table.jido-list tr").nth(1)).to_contain_text("Noon")
    expect(listed.locator("table.jido-list tr").nth(1)).to_contain_text("open here")
    short_id = listed.locator("code.jido-id").nth(1).inner_text()
    expect(do(page, "%jido search limits")).to_contain_text("Noon")
    expect(do(page, "%jido rename 'A long \"noon\"'")).to_contain_text('A long "noon"')
    do(page, "%jido pin")
    do(page, "%jido tag work ml")
    expect(do(page, "%jido list tag:work is:pinned")).to_contain_text('A long "noon"')

    expect(do(page, f"%jido resume {short_id}")).to_contain_text("2 questions")
    expect(do(page, "%jido fork --at 2 --open")).to_contain_text("open here now")
    expect(do(page, "%jido show")).to_contain_text("How do I save a session?")
    expect(do(page, "%jido resume morning")).to_contain_text("Full context")
    expect(do(page, "%jido rewind")).to_contain_text("2 messages taken back")
    expect(do(page, "%jido show")).not_to_contain_text("And where are the files?")
    expect(do(page, "%jido where")).to_contain_text("Morning")

    do(page, "%jido log")
    log = page.locator(".jp-CodeCell", has_text="%%markdown").last
    run(page, log)
    expect(log.locator(".jp-RenderedMarkdown")).to_contain_text("How do I save a session?")
    expect(do(page, "%jido log --cells")).to_contain_text("cells were put below this one")
    expect(page.locator(".jp-MarkdownCell").first).to_contain_text("Morning")
    expect(page.locator(".jp-MarkdownCell").nth(1)).to_contain_text("How do I save a session?")
    expect(do(page, "%jido export --output morning.md")).to_contain_text("is in morning.md")
    assert "How do I save a session?" in (shared_lab.root / "morning.md").read_text()
    expect(do(page, "%jido pin --help")).to_contain_text("Keep a session from every cleanup")


def test_another_day(shared_lab: Lab, page: Page) -> None:
    """After a restart one quiet line offers the notebook's session; resume tells what is gone, rebuild brings it back."""
    begin(shared_lab, page, "analysis")
    do(page, "prices = [3, 4, 5]")
    do(page, "mean = sum(prices) / len(prices)")
    do(page, "%%jido --new Prices\nHow do I save a session?")
    run_command(page, "docmanager:save")
    page.wait_for_timeout(500)

    restart_kernel(page)
    offer = do(page, "%load_ext jido_jupyter")
    expect(offer).to_contain_text("This notebook has a session: “Prices”")
    resumed = do(page, "%jido resume")
    expect(resumed).to_contain_text("This kernel is new, and lacks 2 variables: mean, prices, and 1 import: os")
    expect(resumed).to_contain_text("Running 3 cells again would bring back mean, prices, os")
    do(page, "%jido rebuild")
    rebuilt = page.locator(".jp-CodeCell").last
    expect(rebuilt.locator(".cm-content")).to_contain_text("mean = sum(prices) / len(prices)")
    run(page, rebuilt)
    expect(do(page, "mean")).to_have_text("4.0")


def test_what_others_say_is_recorded(shared_lab: Lab, page: Page, server: Loopback) -> None:
    """A wrapped client of OpenAI and a watched list go into sessions without a question to ours."""
    begin(shared_lab, page, "records", server)

    do(
        page,
        "import jido_jupyter as jido, openai\n"
        "client = jido.wrap(openai.OpenAI(max_retries=0), session=jido.new('Wrapped'))\n"
        "said = client.chat.completions.create(model='echo', messages=[{'role': 'user', 'content': 'by hand'}])\n"
        "said.choices[0].message.content",
    )
    expect(do(page, "%jido show wrapped")).to_contain_text("You said: by hand")
    do(page, "chat = [{'role': 'user', 'content': 'in a list'}]\n%jido watch chat --title Watched")
    do(page, "chat.append({'role': 'assistant', 'content': 'heard'})")
    expect(do(page, "%jido show watched")).to_contain_text("heard")


def test_a_long_session(shared_lab: Lab, page: Page, server: Loopback) -> None:
    """What no longer fits is summed up and said so; nothing stored is lost, and the summary can be undone."""
    begin(shared_lab, page, "long", server, model="echo", JIDO_CONTEXT_TOKENS="300")
    do(page, "%jido new Long")

    do(
        page,
        "ip = get_ipython()\nfor number in range(4):\n    ip.run_cell_magic('jido', '', f'{number} ' + 'word ' * 60)",
    )
    told = do(page, "%%jido\nand now?")
    expect(told).to_contain_text("were sent as a summary, which '%jido summary' shows")
    expect(do(page, "%jido show --all")).to_contain_text("0 word word")
    expect(do(page, "%jido summary")).to_contain_text("the model is sent this summary")
    expect(do(page, "%jido summary undo")).to_contain_text("sent the whole conversation again")


def test_notebook_7(shared_lab: Lab, page: Page) -> None:
    """Asking, listing and taking up again work the same there, and the start-up line stands there, too."""
    write_notebook(
        shared_lab.root / "seven.ipynb", "%load_ext jido_jupyter", "%%jido --new Seven\nWhat are the limits?"
    )
    page.goto(shared_lab.address("/notebooks/seven.ipynb"))
    wait_until_ready(page)

    cells = page.locator(".jp-CodeCell")
    run(page, cells.nth(0))
    expect(run(page, cells.nth(1))).to_contain_text("5 resumes of a session")
    expect(do(page, "%jido list")).to_contain_text("Seven")
    restart_kernel(page)
    expect(run(page, cells.nth(0))).to_contain_text("This notebook has a session: “Seven”")
    expect(do(page, "%jido resume")).to_contain_text("Full context: 1 question")
