"""What differs between two looks at a notebook."""

from __future__ import annotations

from typing import Any

import pytest

from jido_jupyter.services.comparison import Cells, Rebuild, Variables, compare_cells, compare_variables, rebuild


def cells(notebook: str = "a.ipynb", **hashes: str) -> dict[str, Any]:
    return {"notebook": notebook, "cells": [{"id": name, "hash": digest} for name, digest in hashes.items()]}


def made(**needs: dict[str, str]) -> dict[str, Any]:
    """Return a context in which cell ``c1`` made the variable ``v1``, and so on."""
    return {
        "variables": {f"v{name[1:]}": {"type": "int", "by": name[1:]} for name in needs},
        "made_by": {name[1:]: {"code": f"code {name[1:]}", "needs": need} for name, need in needs.items()},
    }


def test_cells_are_compared_by_id() -> None:
    """A cell that moved is the same cell; the order of the report is the notebook's."""
    before, now = cells(a="1", b="2", c="3"), cells(d="4", c="3", b="9")

    assert compare_cells(before, now) == Cells(changed=("b",), new=("d",), missing=("a",), kept=2)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, cells(a="1")),
        (cells(a="1"), {"cells": None}),
        (cells(a="1"), cells("b.ipynb", z="1")),
        ({"cells": "odd"}, cells(a="1")),
        ({"cells": [5, None]}, cells(a="1")),
    ],
)
def test_what_cannot_be_compared_is_not(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Nothing saved yet, or another notebook altogether: no cell is called new or missing."""
    assert compare_cells(before, now) is None


def test_a_renamed_notebook_is_compared() -> None:
    """Its cells tell that it is the same one."""
    assert compare_cells(cells("old.ipynb", a="1"), cells("new.ipynb", a="1")) == Cells(kept=1)


def test_a_list_that_was_cut_calls_nothing_new() -> None:
    """What stands behind the cut was perhaps there before."""
    found = compare_cells({**cells(a="1"), "cells_cut": True}, cells(a="1", b="2"))

    assert found == Cells(kept=1)


BEHIND = {
    **cells(a="1", b="2"),
    "ran": [{"id": "b", "hash": "3"}, {"id": "c", "hash": "4"}, {"id": None, "hash": "5"}],
    "is_behind": True,
}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (cells(a="1", b="3"), Cells(kept=2)),  # it ran as it is, and was saved later
        (cells(a="1", b="2"), Cells(kept=2)),
        (cells(a="1", b="7"), Cells(changed=("b",), kept=2)),
        (cells(a="1", b="3", c="4"), Cells(kept=2)),
        (cells(a="1", b="3", c="8"), Cells(changed=("c",), kept=2)),
        (cells(a="1", b="3", d="5"), Cells(kept=2)),  # who it was is not known, but what it says
        (cells(a="1", b="3", d="1"), Cells(kept=2)),  # a copy
        (cells(a="1", b="3", d="9"), Cells(new=("d",), kept=2)),
        (cells(a="1", b="3", asked="9"), Cells(kept=2)),
        (cells(a="1"), Cells(missing=("b",), kept=1)),  # what ran and was never saved is not missed
    ],
)
def test_a_file_that_was_saved_late_makes_no_cell_new(now: dict[str, Any], found: Cells) -> None:
    """What ran was there, whatever the file said then; so was what a turn names."""
    assert compare_cells(BEHIND, now, {"asked"}) == found


def test_text_that_nobody_ran_is_not_called_new() -> None:
    """A kernel never sees it: where the file was behind, it may have been there."""
    now = {"notebook": "a.ipynb", "cells": [*BEHIND["cells"], {"id": "t", "hash": "9", "is_text": True}]}

    assert compare_cells(BEHIND, now) == Cells(kept=2)
    assert compare_cells({**BEHIND, "is_behind": False}, now) == Cells(new=("t",), kept=2)


def test_variables_are_same_changed_or_gone() -> None:
    """By type, size and hash; the cell that made them does not count."""
    before = {
        "variables": {
            "same": {"type": "int", "hash": "1", "by": "3"},
            "value": {"type": "int", "hash": "1"},
            "shape": {"type": "pandas.DataFrame", "shape": [3, 4]},
            "gone": {"type": "int"},
            "unlisted": {"type": "int"},
        }
    }
    now = {
        "variables": {
            "same": {"type": "int", "hash": "1", "by": "7"},
            "value": {"type": "int", "hash": "2"},
            "shape": {"type": "pandas.DataFrame", "shape": [3, 5]},
        }
    }

    found = compare_variables(before, now, {"same", "value", "shape", "unlisted"})

    assert found == Variables(same=("same",), changed=("shape", "value"), gone=("gone",))


def test_imports_are_there_or_gone() -> None:
    """They do not change; their cells are offered like those of variables."""
    before = {"imports": {"np": {"by": "1"}, "os": {"by": "2"}}, "made_by": {"1": {"code": "import numpy as np"}}}

    found = compare_variables(before, {}, {"os"})

    assert found == Variables(imports=("np",))
    assert rebuild(before, found.lost, {"os"}) == Rebuild(("import numpy as np",), ("np",))


def test_the_cells_of_what_is_gone_come_with_what_they_need() -> None:
    """In the order in which they ran, which is not the order of their names as text."""
    before = made(c2={}, c10={"v2": "2"}, c11={})

    assert rebuild(before, ["v10"], set()) == Rebuild(("code 2", "code 10"), ("v10",))


def test_what_is_there_is_not_made_again() -> None:
    """A cell whose names exist need not run, however long it took the first time."""
    before = made(c1={}, c2={"v1": "1"})

    assert rebuild(before, ["v2"], {"v1"}) == Rebuild(("code 2",), ("v2",))


def test_half_known_code_is_not_offered() -> None:
    """A name comes back only if each cell that it needs is known whole."""
    before = made(c1={}, c2={"v1": "1"}, c3={})
    before["made_by"]["1"]["is_cut"] = True

    assert rebuild(before, ["v2", "v3"], set()) == Rebuild(("code 3",), ("v3",))


@pytest.mark.parametrize("odd", [None, [], "x", {"v1": 5}, {"v1": {"by": 3}}, {"v1": {"by": "x"}}])
def test_records_of_another_shape_do_no_harm(odd: Any) -> None:
    """A file from elsewhere may hold anything."""
    before = {"variables": odd, "made_by": odd, "cells": odd, "imports": odd, "ran": odd}

    compare_variables(before, before, set())
    assert compare_cells(before, before) is None
    assert compare_cells({**cells(a="1"), "ran": odd}, cells(a="1")) == Cells(kept=1)
    assert rebuild(before, ["v1"], set()) == Rebuild()
