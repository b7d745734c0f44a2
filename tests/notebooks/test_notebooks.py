"""Every notebook that we ship runs as a person runs it, restarts included, without a server, a key or a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.kernels import ROOT, environment

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    """No cell fails, and the follow-up question is answered with the earlier turns; also when nobody restarts."""
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(notebook, timeout=60).execute(env=environment(tmp_path), cwd=str(tmp_path))

    told = list(shown(notebook.cells))
    assert any("Full context" in text for text in told)
    assert any("Before this you asked" in text for text in told)


def test_an_analysis_that_is_interrupted(tmp_path: Path) -> None:
    """A second kernel takes it up: the briefing names what is gone, the cells that it offers bring it back."""
    notebook = nbformat.read(ROOT / "notebooks" / "interrupted-analysis.ipynb", as_version=4)
    place = next(n for n, cell in enumerate(notebook.cells) if "restart" in cell.metadata.get("tags", ()))
    before, after = notebook.cells[:place], notebook.cells[place:]

    run(before, tmp_path)
    run(after, tmp_path)

    told = list(shown(before))
    assert any("[tool] variables() · done" in text for text in told)
    [briefing] = [text for text in shown(after) if "This kernel is new, and lacks" in text]
    assert "Full context: 2 questions" in briefing
    assert all(name in briefing.split("Running")[0] for name in ("counts", "odd", "weekdays", "weekly"))
    assert "'May 18'" in str(told)
    assert any("In the week of May 18 the counter missed something on Tue" in text for text in shown(after))
    assert any("1. Which variables are there?" in text for text in shown(after))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_kept_without_outputs(path: Path) -> None:
    """What is committed holds no output and no count of somebody's run."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def run(cells: list[Any], home: Path) -> None:
    """Run cells in a kernel of their own; what a cell puts below itself is run right after it."""
    offered: list[str] = []

    def take(cell: Any, cell_index: int, execute_reply: Any) -> None:
        offered.extend(found["text"] for found in execute_reply["content"].get("payload", []) if "text" in found)

    notebook = nbformat.v4.new_notebook(cells=[cell for cell in cells if cell.cell_type == "code"])
    client = NotebookClient(notebook, timeout=60, on_cell_executed=take)
    with client.setup_kernel(env=environment(home), cwd=str(home)):
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
            while offered:
                client.execute_cell(nbformat.v4.new_code_cell(offered.pop()), number)


def shown(cells: list[Any]) -> Iterator[str]:
    """Yield what code cells showed, as plain text."""
    for cell in cells:
        for output in cell.outputs if cell.cell_type == "code" else ():
            if "data" in output:
                yield output["data"]["text/plain"]
