"""What a session sees of its notebook, and that nobody notices it looking."""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.core.session import SessionState
from jido_jupyter.notebook import surroundings
from jido_jupyter.notebook.surroundings import MAX_BYTES, NotebookSurroundings, fitted
from jido_jupyter.services.briefing import brief
from jido_jupyter.testing.clock import FakeClock
from tests.support.scripted import Desk, make_session, used
from tests.support.shells import make_shell, run


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return make_shell()


@pytest.fixture
def around(shell: Any) -> NotebookSurroundings:
    found = NotebookSurroundings(shell)
    found.attach()
    return found


def looked(around: NotebookSurroundings) -> dict[str, Any]:
    found = around.look()
    assert found is not None
    json.dumps(found)  # it is JSON
    return dict(found)


def hooks(shell: Any) -> int:
    return sum(len(shell.events.callbacks[name]) for name in ("pre_run_cell", "post_run_cell"))


def test_variables_know_the_cell_that_made_them(shell: Any, around: NotebookSurroundings) -> None:
    """The cells are kept with id, number and code; of what is not named nothing is."""
    run(shell, "import math", "r = 2", "area = math.pi * r", "print('nothing bound')")

    found = looked(around)

    assert {name: facts["by"] for name, facts in found["variables"].items()} == {"r": "2", "area": "3"}
    assert found["made_by"] == {
        "1": {"cell_id": "c1", "execution_count": 1, "code": "import math"},
        "2": {"cell_id": "c2", "execution_count": 2, "code": "r = 2"},
        "3": {"cell_id": "c3", "execution_count": 3, "code": "area = math.pi * r", "needs": {"math": "1", "r": "2"}},
    }


def test_imports_stand_apart(shell: Any, around: NotebookSurroundings) -> None:
    """With the cells that made them; no variable needs them to be offered again."""
    run(shell, "import math\nfrom collections import OrderedDict as Ordered", "r = 2")

    found = looked(around)

    assert found["imports"] == {"math": {"by": "1"}, "Ordered": {"by": "1"}}
    assert list(found["variables"]) == ["r"]
    assert list(found["made_by"]) == ["1", "2"]


def test_cells_from_before_are_known_from_the_history(shell: Any) -> None:
    """The extension is often loaded late."""
    run(shell, "a = 1", "%time b = 2")
    around = NotebookSurroundings(shell)
    around.attach()
    run(shell, "c = 3")

    assert {name: facts["by"] for name, facts in looked(around)["variables"].items()} == {"a": "1", "b": "2", "c": "3"}


def test_cells_that_ran_unwatched_are_not_missed(shell: Any) -> None:
    """A resume that was refused looks once and watches nothing; an extension that is unloaded stops."""
    around = NotebookSurroundings(shell)
    run(shell, "a = 1")
    around.look()
    run(shell, "b = 2")
    around.attach()
    run(shell, "c = 3")
    surroundings.leave(shell)
    run(shell, "d = 4")

    assert {name: facts["by"] for name, facts in looked(around)["variables"].items()} == {
        "a": "1",
        "b": "2",
        "c": "3",
        "d": "4",
    }


def test_names_that_no_cell_spells_are_attributed(shell: Any, around: NotebookSurroundings) -> None:
    """Star imports, ``exec`` and ``%run`` bind names too."""
    run(shell, "from string import *", "exec('hidden = 1')")

    variables = looked(around)["variables"]

    assert variables["ascii_letters"]["by"] == "1"
    assert variables["hidden"]["by"] == "2"


def test_a_cell_that_failed_counts_as_far_as_it_came(shell: Any, around: NotebookSurroundings) -> None:
    """What it bound before the error is its own, the rest is not."""
    run(shell, "x = 'old'; y = 'old'", "x = 'new'; 1/0; y = 'new'")

    variables = looked(around)["variables"]

    assert variables["x"]["by"] == "2"
    assert variables["y"]["by"] == "1"


def test_code_of_a_tool_is_a_cell_of_its_own(shell: Any, around: NotebookSurroundings) -> None:
    """What an assistant ran inside of a cell can be run again without asking the assistant again."""
    shell.user_ns["tool"] = lambda: shell.run_cell("x = 7", store_history=False)
    run(shell, "1", "tool()")

    found = looked(around)

    assert found["variables"]["x"]["by"] == "2.1"
    assert found["made_by"]["2.1"]["code"] == "x = 7"
    assert found["made_by"]["2.1"]["execution_count"] == 2


def test_no_contents_are_recorded(shell: Any, around: NotebookSurroundings) -> None:
    """Of values a type, a size and a hash; keys in code are taken out, and such code is not run again."""
    key = "AKIA" + "QWERTYUIOPASDFGH"
    run(shell, f"client = ('{key}',)", "api_token = input_ = 'geheim'")

    text = json.dumps(looked(around))

    assert key not in text
    assert looked(around)["made_by"]["1"]["is_cut"] is True
    assert looked(around)["variables"]["api_token"] == {"type": "str", "by": "2"}


def test_the_folder_and_the_saved_cells_are_recorded(
    shell: Any, around: NotebookSurroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is the notebook's, wherever the kernel went."""
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"id": "c1", "source": "x"}], "metadata": {}}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    found = looked(around)

    assert found["notebook"] == str(path)
    assert [cell["id"] for cell in found["cells"]] == ["c1"]
    assert found["folder"]["path"] == str(tmp_path.resolve())
    assert found["folder"]["inode"] == os.stat(tmp_path).st_ino
    assert len(found["kernel"]) == 16


def test_what_ran_is_recorded_where_the_file_is_behind(
    shell: Any, around: NotebookSurroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notebooks are saved every two minutes; questions name their cells themselves, code of a tool is in no cell."""
    path = tmp_path / "a.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    shell.user_ns["tool"] = lambda: shell.run_cell("inner = 7", store_history=False)
    shell.register_magic_function(lambda line, cell: None, "cell", "jido")
    run(shell, "x = 1", "tool()", "%%jido\nHi", "x = 2")

    def saved_as(**sources: str) -> dict[str, Any]:
        cells = [
            {"id": cell_id, "source": source, "cell_type": "markdown" if cell_id == "text" else "code"}
            for cell_id, source in sources.items()
        ]
        path.write_text(json.dumps({"cells": cells, "metadata": {}}))
        return looked(around)

    behind = saved_as(c1="x = 1", text="# Title", empty="")
    saved = saved_as(c1="x = 1", c2="tool()", c4="x = 2")

    assert [(cell["id"], cell.get("is_text")) for cell in behind["cells"]] == [("c1", None), ("text", True)]
    assert [cell["id"] for cell in behind["ran"]] == ["c2", "c4"]
    assert behind["is_behind"] is True
    assert saved["ran"] == []
    assert "is_behind" not in saved


def test_a_cell_that_runs_and_is_not_saved_tells_that_the_file_is_behind(
    shell: Any, around: NotebookSurroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the one that asks; its turn names it, so that it is not listed."""
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"id": "c1", "source": "x"}], "metadata": {}}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "a.ipynb"))
    found: list[dict[str, Any]] = []
    shell.user_ns["ask"] = lambda: found.append(looked(around))

    run(shell, "ask()")

    assert (found[0]["ran"], found[0]["is_behind"]) == ([], True)


def test_a_folder_that_is_gone_is_none(
    around: NotebookSurroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel can outlive its folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "work").rmdir()

    assert looked(around)["folder"] is None


def test_two_looks_at_the_same_are_equal(shell: Any, around: NotebookSurroundings) -> None:
    """Nothing is stored again when nothing changed."""
    run(shell, "x = 1")

    assert looked(around) == looked(around)


class Frame:
    """Stands for a table that takes seconds to read."""

    shape = (50_000_000, 12)

    def __len__(self) -> int:
        return self.shape[0]

    def __eq__(self, other: object) -> bool:
        raise AssertionError("nobody compares it")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise AssertionError("nobody reads it")


def test_a_look_reads_no_values(shell: Any, around: NotebookSurroundings) -> None:
    """With 200 variables, a big table among them, and 100 cells, it takes far less than reading the table would."""
    shell.user_ns["df"] = Frame()
    run(shell, *["\n".join(f"v{cell}_{line} = {line}" for line in range(2)) for cell in range(100)])
    around.look()
    spans = []
    for _ in range(50):
        run(shell, "w = 1")
        started = time.perf_counter()
        around.look()
        spans.append(time.perf_counter() - started)

    assert statistics.median(spans) < 0.05


def test_a_cell_is_not_slowed(shell: Any, around: NotebookSurroundings) -> None:
    """The hooks of a cell parse nothing, with 1,000 names and a cell of 100 kB."""
    run(shell, "globals().update({f'n{number}': number for number in range(1000)})", "import types")
    info = type("Info", (), {"raw_cell": "x = 1\n" * 16_000, "store_history": True, "cell_id": "c"})()
    result = type("Result", (), {"info": info, "execution_count": 3, "success": True})()
    spans = []
    for _ in range(50):
        started = time.perf_counter()
        around._begin(info)
        around._end(result)
        spans.append(time.perf_counter() - started)

    assert statistics.median(spans) < 0.01


def test_blank_nested_and_failing_cells_keep_the_watch_right(shell: Any, around: NotebookSurroundings) -> None:
    """IPython ends some cells that never began."""
    shell.user_ns["inner"] = lambda: [
        shell.run_cell(code, store_history=False) for code in ("", "  ", "def f(:", "b = 1")
    ]
    run(shell, "", "a = 1; inner(); c = 2", "def g(:", "d = 3")

    by = {name: facts.get("by") for name, facts in looked(around)["variables"].items()}

    assert by["a"] == by["c"] == "1"
    assert by["b"].startswith("1.")
    assert by["d"] == "3"
    assert around._before == []


def test_nothing_is_hooked_until_a_session_is_used(shell: Any) -> None:
    """And nothing is left when the extension is unloaded."""
    before = hooks(shell)
    around = NotebookSurroundings(shell)
    unused = hooks(shell)
    around.attach()
    around.attach()
    used_ = hooks(shell)
    surroundings.leave(shell)
    surroundings.leave(shell)

    assert (unused, used_, hooks(shell)) == (before, before + 2, before)


def test_a_look_never_raises(around: NotebookSurroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is stored together with it."""
    monkeypatch.setattr(around, "_ip", None)

    assert around.look() is None


def test_a_context_fits_in_its_limit() -> None:
    """What is cut off says so, or a briefing would call it missing."""
    cells = [{"id": f"cell-{number:036}", "hash": "0" * 16} for number in range(2500)]
    variables = {f"a_rather_long_name_of_a_variable_{number}": {"type": "some.Type"} for number in range(200)}
    made_by = {str(number): {"code": "x" * 4000} for number in range(6)}
    imports: dict[str, Any] = {f"name_{number}": {} for number in range(200)}
    ran = [{"id": None, "hash": f"{number:016}"} for number in range(1000)]
    whole = {"cells": cells, "ran": ran, "variables": variables, "imports": imports, "made_by": made_by}

    found = fitted(whole, MAX_BYTES)
    tiny = fitted(whole, 5000)

    assert len(json.dumps(found, separators=(",", ":"))) <= MAX_BYTES
    assert found["cells_cut"] is True
    assert len(found["cells"]) > 200
    assert found["variables"] == variables
    assert found["ran"][-1] == ran[-1]
    assert len(json.dumps(tiny, separators=(",", ":"))) <= 5000
    assert tiny["variables"]
    assert len(tiny["imports"]) < 200


def test_the_instruction_after_a_resume(shell: Any, around: NotebookSurroundings) -> None:
    """Until the names are there again, a model is told that they are not."""
    before = {"kernel": "another", "variables": {"df": {"type": "int"}, "x": {"type": "int"}}}
    state = SessionState("id1", "", "", context=before)
    around.briefing = brief(state, (), FakeClock().now(), around.here(state, is_pointed_to=False))

    first = around.instruction()
    run(shell, "df = 1")
    second = around.instruction()

    assert "The kernel is new" in first
    assert "These names do not exist any more: df, x." in first
    assert "These names do not exist any more: x." in second


def test_a_copied_notebook_is_recognised(around: NotebookSurroundings, tmp_path: Path, monkeypatch: Any) -> None:
    """The session's own notebook is still there; one that was renamed is not there any more."""
    (tmp_path / "original.ipynb").write_text("{}")
    (tmp_path / "copy.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "copy.ipynb"))
    copied = SessionState("id1", "", "", notebook=str(tmp_path / "original.ipynb"))
    renamed = SessionState("id1", "", "", notebook=str(tmp_path / "before.ipynb"))
    chosen = around.here(copied, is_pointed_to=False)
    pointed = around.here(copied, is_pointed_to=True)
    moved = around.here(renamed, is_pointed_to=True)

    assert chosen is not None
    assert pointed is not None
    assert moved is not None
    assert pointed.note.startswith(f"This notebook is a copy of {tmp_path / 'original.ipynb'}")
    assert "'%jido fork'" in pointed.note
    assert (chosen.note, moved.note) == ("", "")


def test_the_tools_of_a_notebook(shell: Any, around: NotebookSurroundings) -> None:
    """What needs no leave and no arguments is offered first."""
    run(shell, "x = 1")

    tools = around.tools(make_session(), Desk())

    assert [tool.name for tool in tools] == ["variables", "notebook", "run_code", "todos"]
    assert used(tools[0]).response == "x: int = 1"
    for tool in tools:
        assert tool.parameters["type"] == "object"
        assert tool.description
