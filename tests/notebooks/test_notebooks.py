"""Every notebook that we ship runs from top to bottom, without a server, a key or a network."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.kernels import ROOT, environment

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    """No cell fails, and the follow-up question is answered with the earlier turns."""
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(notebook, timeout=60).execute(env=environment(tmp_path), cwd=str(tmp_path))

    outputs = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output
    ]
    assert any("Full context" in text for text in outputs)
    assert any("How do I save a session?" in text and "Before this you asked" in text for text in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_kept_without_outputs(path: Path) -> None:
    """What is committed holds no output and no count of somebody's run."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
