"""What the kernel knows about where it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jido_jupyter.notebook import context
from tests.support.shells import make_shell, run


def test_the_notebook_points_to_its_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pointer travels with the file: a renamed notebook has it still."""
    path = tmp_path / "renamed.ipynb"
    path.write_text(json.dumps({"cells": [], "metadata": {"jido_jupyter": {"session": "abcd1234"}}}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    assert context.pointer() == "abcd1234"


@pytest.mark.parametrize("path", ["", "/nowhere/a.ipynb", "relative.ipynb"])
def test_no_notebook_no_pointer(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console, or a path that the kernel's machine does not have."""
    monkeypatch.setenv("JPY_SESSION_NAME", path)

    assert context.pointer() is None


def test_the_running_cell_is_counted_as_the_front_end_counts() -> None:
    """Inside of a cell and after it the number is the one beside the cell."""
    shell = make_shell()
    shell.user_ns.update(context=context, shell=shell)
    run(shell, "1", "seen = context.running_cell(shell)")

    assert shell.user_ns["seen"] == 2
    assert context.running_cell(shell) == 2
