"""What a person does in JupyterLab and Notebook 7, as functions over a Playwright page."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

# The real tool that runs code, asked by a model that can only send empty arguments; goes into the open session.
_RUN_CODE = """
from jido_jupyter.assistants.port import Tool
from jido_jupyter.notebook.surroundings import NotebookSurroundings
from jido_jupyter.notebook.tools import run

class Around(NotebookSurroundings):
    def tools(self, session, desk):
        real = run.tool(get_ipython(), session, desk, self.folder)
        return [Tool(real.name, real.description, {{"type": "object"}}, lambda arguments: real.run({asked!r}))]

import jido_jupyter as jido
jido.current()._around = Around(get_ipython())
"""

# Keys pressed when the kernel merely looks idle get lost: wait for the session itself.
READY = """async () => {
  const started = Date.now();
  while (Date.now() - started < 40000) {
    const widget = window.jupyterapp?.shell?.currentWidget;
    if (widget?.context && widget?.sessionContext) {
      await widget.context.ready;
      await widget.sessionContext.ready;
      await widget.sessionContext.session.kernel.info;
      return true;
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return false;
}"""


def write_notebook(path: Path, *sources: str) -> None:
    """Write a notebook with these code cells."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernelspec}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook))


def wait_until_ready(page: Page) -> None:
    """Wait until the open notebook has a kernel that answers."""
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    assert page.evaluate(READY), "the notebook's kernel did not get ready"


def cell(page: Page, source: str, occurrence: int = 0) -> Locator:
    """Return the code cell whose text starts with ``source``; a space stands for a line end, too."""
    start = re.compile(r"^\s*" + r"\s*".join(map(re.escape, source.split())))
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=start)).nth(occurrence)


def run(page: Page, which: Locator, *, wait: bool = True) -> Locator:
    """Run a cell and return its output area."""
    which.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    if wait:
        expect(which.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=60_000)
    return which.locator(".jp-OutputArea-output")


def append_cell(page: Page, source: str) -> Locator:
    """Add a code cell at the end of the notebook and return it."""
    page.evaluate(
        """source => {
          const notebook = window.jupyterapp.shell.currentWidget;
          const cells = notebook.model.sharedModel;
          cells.insertCell(cells.cells.length, {cell_type: 'code', source});
          notebook.content.activeCellIndex = cells.cells.length - 1;
        }""",
        source,
    )
    cells = page.locator(".jp-CodeCell")
    added = cells.nth(cells.count() - 1)  # it stays the same when running it puts another one below
    added.scroll_into_view_if_needed()
    return added


def run_command(page: Page, command: str, **arguments: object) -> None:
    page.evaluate("([command, args]) => window.jupyterapp.commands.execute(command, args)", [command, arguments])


def restart_kernel(page: Page) -> None:
    page.evaluate("void window.jupyterapp.commands.execute('kernelmenu:restart')")  # it ends with the dialog
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_timeout(1000)
    wait_until_ready(page)


def running_code(code: str, purpose: str) -> str:
    """Return a cell after which a model that asks for a tool wants to run ``code``."""
    return _RUN_CODE.format(asked={"code": code, "purpose": purpose})
