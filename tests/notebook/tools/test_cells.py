"""What a model sees of the notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.notebook.tools import cells
from jido_jupyter.notebook.tools.cells import MAX_TEXT
from tests.support.scripted import used

OUTPUTS = [
    {"output_type": "stream", "text": ["line 1\n", "line 2\n"]},
    {"output_type": "display_data", "data": {"image/png": "AAAA"}},
    {"output_type": "execute_result", "data": {"text/plain": "42", "text/html": "<b>42</b>"}},
    {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["long"]},
]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what saves cells as the kernel's notebook."""
    path = tmp_path / "a.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    return lambda *found: path.write_text(json.dumps({"cells": list(found), "metadata": {}}))


def cell(cell_id: str, source: str, **more: Any) -> dict[str, Any]:
    return {"id": cell_id, "cell_type": "code", "source": source, "outputs": [], **more}


def test_cells_come_with_short_outputs(notebook: Any) -> None:
    """Number, id, kind, source, and outputs as text; of pictures only that there is one."""
    notebook(
        cell("c1", "x = 1", execution_count=3, outputs=OUTPUTS), {"id": "c2", "cell_type": "markdown", "source": "# A"}
    )

    told = used(cells.tool())

    assert told.response == (
        "[cell 1, id c1, code, ran as [3]]\nx = 1\n[output]\nline 1\nline 2\n(image/png)\n42\nValueError: no\n\n"
        "[cell 2, id c2, markdown]\n# A"
    )


def test_some_cells_are_read_by_id_or_range(notebook: Any) -> None:
    """Either names them; what does not exist is said."""
    notebook(*[cell(f"c{number}", f"x = {number}") for number in range(1, 6)])

    assert "id c4" in used(cells.tool(), ids=["c4"]).response
    assert "id c1" not in used(cells.tool(), ids=["c4"]).response
    assert used(cells.tool(), first=2, last=3).response.count("[cell") == 2
    assert used(cells.tool(), ids=["zz"]).response == "There are no such cells; the notebook has 5."


def test_a_long_notebook_is_cut_with_the_way_on(notebook: Any) -> None:
    """Not more than a model can use; where to go on is said."""
    notebook(*[cell(f"c{number}", "x" * 5000) for number in range(20)])

    told = used(cells.tool())

    assert len(told.response) < MAX_TEXT + 200
    assert "left out; ask for them with 'first' and 'last'" in told.response


@pytest.mark.parametrize("arguments", [{"ids": "c1"}, {"first": 0}, {"last": "3"}, {"first": True}])
def test_wrong_arguments_are_a_sentence(notebook: Any, arguments: dict[str, Any]) -> None:
    """A model is told what it did wrong."""
    notebook(cell("c1", "x"))

    told = used(cells.tool(), **arguments)

    assert told.outcome == "failed"
    assert "must be" in told.response


def test_no_notebook_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A console has none."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)

    assert used(cells.tool()).outcome == "failed"


def test_odd_notebooks_do_no_harm(notebook: Any) -> None:
    """Whatever a file holds in place of cells and outputs."""
    notebook(5, None, {}, cell("c", "x", outputs="odd"), cell("d", "x", outputs=[3, {"data": {"text/plain": 5}}, {}]))

    assert used(cells.tool()).outcome == "done"
