"""A session as cells: questions, answers, code that ran."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.notebook import cells
from jido_jupyter.notebook.cells import CellsWidget
from tests.support.magic_shell import MagicShell

AT = "2026-11-22T10:00:00.000Z"


def call(name: str, call_id: str = "c1", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def answered(response: str, call_id: str = "c1", **more: Any) -> dict[str, Any]:
    return {"type": "tool_call_response", "id": call_id, "response": response, **more}


def cells_of(shell: MagicShell, *said: Message) -> list[dict[str, Any]]:
    """Return the cells of a session behind its title; all of them make a notebook."""
    session = shell.kernel.new("Rows")
    session.live.record(said)
    found = list(cells.of(shell.kernel.sessions.show(session.id)))
    nbformat.validate(nbformat.from_dict(notebook(found)))
    assert found[0]["source"].startswith("# Rows")
    return found[1:]


def notebook(found: list[dict[str, Any]]) -> dict[str, Any]:
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(found)]
    return {"cells": numbered, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_a_cell_for_each_question_and_answer_and_for_code_that_ran(shell: MagicShell) -> None:
    """In the order in which it was said; code has what it printed, which is not told a second time."""
    found = cells_of(
        shell,
        Message("m1", "user", (text_part("How many **rows**?"),), AT),
        Message("m2", "assistant", (text_part("I count."), call("run_code", code="print(len(df))")), AT),
        Message("m3", "tool", (answered("42"),), AT),
        Message("m4", "assistant", (text_part("There are 42."),), AT),
        Message("m5", "user", (text_part("Thanks"),), AT),
    )

    assert [(cell["cell_type"], cell["source"]) for cell in found] == [
        ("markdown", "**You**\n\nHow many **rows**?"),
        ("markdown", "**Assistant**\n\nI count."),
        ("code", "print(len(df))"),
        ("markdown", "**Assistant**\n\nThere are 42."),
        ("markdown", "**You**\n\nThanks"),
    ]
    assert found[2]["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "42"}]
    assert [cell["metadata"]["jido_jupyter"]["message"] for cell in found] == ["m1", "m2", "m2", "m4", "m5"]


@pytest.mark.parametrize("outcome", ["denied", "failed", "interrupted"])
def test_code_that_did_not_run_is_no_cell_of_code(shell: MagicShell, outcome: str) -> None:
    """Nor is what another tool was given; both are told."""
    found = cells_of(
        shell,
        Message("m1", "assistant", (call("run_code", code="rm"), call("variables", "c2", names=["code"])), AT),
        Message("m2", "tool", (answered("It did not run.", outcome=outcome), answered("df: Frame", "c2")), AT),
    )

    assert [cell["cell_type"] for cell in found] == ["markdown", "markdown"]
    assert "rm" in found[0]["source"]
    assert "It did not run." in found[1]["source"]
    assert "df: Frame" in found[1]["source"]


def test_an_id_that_comes_again_is_another_call(shell: MagicShell) -> None:
    """Some servers begin to count anew in each step."""
    found = cells_of(
        shell,
        Message("m1", "assistant", (call("run_code", code="first"),), AT),
        Message("m2", "tool", (answered("no", outcome="denied"),), AT),
        Message("m3", "assistant", (call("run_code", code="second"),), AT),
        Message("m4", "tool", (answered("It ran, and showed nothing."),), AT),
    )

    assert [cell["cell_type"] for cell in found] == ["markdown", "markdown", "code"]
    assert (found[2]["source"], found[2]["outputs"]) == ("second", [])


def test_nothing_of_a_models_is_live(shell: MagicShell) -> None:
    """A Markdown cell that a kernel puts in may count as trusted."""
    found = cells_of(shell, Message("m1", "assistant", (text_part("<script>x</script> ![a](https://b.c)"),), AT))

    assert "<script" not in found[0]["source"]
    assert "![" not in found[0]["source"]


def test_the_widget_holds_the_cells(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no page takes them, the output says what else there is; a terminal has no cells at all."""
    made: list[CellsWidget] = []
    original = CellsWidget.__init__

    def make(self: CellsWidget, *arguments: Any) -> None:
        original(self, *arguments)
        made.append(self)

    monkeypatch.setattr(CellsWidget, "__init__", make)
    shell.kernel.new("Rows").record("user", "Hi \ud83d")

    told = shell.run("log --cells").plain
    del shell.ip.kernel
    refused = shell.refused("log --cells")

    assert [cell["source"] for cell in made[0].cells][1:] == ["**You**\n\nHi \ufffd"]
    assert made[0].is_placed is False
    assert "put 2 cells below this one" in told
    assert "'%jido log' puts the session into one cell" in told
    assert shell.next_cells == []
    assert "There are no cells here" in refused
