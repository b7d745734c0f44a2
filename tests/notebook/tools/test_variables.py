"""What a model sees of variables."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from jido_jupyter.notebook.tools import variables
from jido_jupyter.notebook.tools.variables import MAX_PREVIEW, preview
from tests.support.scripted import Desk, used
from tests.support.shells import make_shell, run


class Table:
    shape = (10**9, 2)

    def __repr__(self) -> str:
        raise AssertionError("a big value is not shown whole")

    def head(self, rows: int) -> str:
        return f"the first {rows} rows"


def tool_in(*cells: str, **names: Any) -> Any:
    shell = make_shell()
    run(shell, *cells)
    shell.user_ns.update(names)
    return variables.tool(shell, Desk())


def test_variables_are_listed() -> None:
    """Name, type, size and the beginning of small values, a line each."""
    tool = tool_in("x = 3\nnames = ['a', 'b']\nimport os\n_hidden = 1", df=Table())

    told = used(tool)

    assert told.outcome == "done"
    assert told.response.splitlines()[:2] == ["x: int = 3", "names: list length 2 = ['a', 'b']"]
    assert told.response.splitlines()[2].endswith("Table shape [1000000000, 2]")


def test_imports_are_named_in_a_line_of_their_own() -> None:
    """They are no variables, and a model does well to know them; asked for by name they are shown."""
    tool = tool_in("x = 3", "import os\nfrom math import sqrt")

    assert used(tool).response == "x: int = 3\nImported: os, sqrt"
    assert used(tool_in("import os")).response == "No variables are defined.\nImported: os"
    assert used(tool, names=["sqrt"]).response == "sqrt: <built-in function sqrt>"


def test_nothing_defined_is_said() -> None:
    """An empty answer would leave a model guessing."""
    assert used(tool_in()).response == "No variables are defined."


def test_single_variables_are_previewed() -> None:
    """Of tables the first rows; an unknown name is told beside the others."""
    told = used(tool_in("x = 3", df=Table()), names=["df", "x", "nope"])

    assert told.response == "df: the first 5 rows\n\nx: 3\n\nnope: there is no such variable"


@pytest.mark.parametrize("names", ["df", [1], {"a": 1}])
def test_wrong_arguments_are_a_sentence(names: Any) -> None:
    """A model is told what it did wrong, and the turn goes on."""
    told = used(tool_in(), names=names)

    assert told.outcome == "failed"
    assert told.response == "'names' must be a list of texts."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "geheim"),
        ("config", {"user": "me", "password": "geheim", "nested": [{"token": "geheim"}]}),
        ("env", os._Environ({"API_TOKEN": "geheim"}, *[str] * 4)),
        ("text", "key = AKIA" + "QWERTYUIOPASDFGH"),
    ],
)
def test_secrets_are_not_shown(name: str, value: Any) -> None:
    """Neither by the name of the variable, nor of a member, nor by its form."""
    told = preview(name, value)

    assert "geheim" not in told
    assert "AKIA" not in told


@pytest.mark.parametrize(
    "value", ["x" * 10**7, list(range(10**6)), {n: n for n in range(10**6)}, [["y" * 9999] * 999] * 99]
)
def test_previews_are_short_and_fast(value: Any) -> None:
    """Only as much of a value is read as is shown."""
    started = time.perf_counter()
    told = preview("x", value)

    assert len(told) < MAX_PREVIEW + 100
    assert time.perf_counter() - started < 1


def test_hostile_values_are_told() -> None:
    """An error of somebody's class is shown in place of the value."""

    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert "Hostile" in preview("x", Hostile()) or "RuntimeError" in preview("x", Hostile())
    assert preview("x", {"a": {"b": {"c": {"d": {"e": 1}}}}}).endswith("}")
    looped: list[Any] = []
    looped.append(looped)
    assert preview("x", looped)
