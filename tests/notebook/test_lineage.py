"""Which cells made a name."""

from __future__ import annotations

from jido_jupyter.notebook.lineage import MAX_CELLS, Lineage, RanCell


def grown(*codes: str) -> Lineage:
    """Return the lineage of cells that ran in this order, with the keys 1, 2 ..."""
    lineage = Lineage()
    for number, code in enumerate(codes, 1):
        lineage.add(RanCell(str(number), code, code))
    return lineage


def keys(lineage: Lineage, *names: str) -> list[str]:
    return [maker.ran.key for maker in lineage.makers(names)]


def test_the_last_cell_that_bound_a_name_made_it() -> None:
    """An earlier binding counts no more, and a cell that is not needed is not named."""
    lineage = grown("x = 1", "y = 2", "x = 3")

    assert lineage.owner("x") == "3"
    assert keys(lineage, "x") == ["3"]


def test_cells_come_with_what_they_need() -> None:
    """To make a name again, its imports and its sources have to run first, in the order in which they ran."""
    lineage = grown("import pandas as pd", "raw = pd.read_csv('f')", "other = 1", "df = raw.dropna()")

    assert keys(lineage, "df") == ["1", "2", "4"]


def test_a_change_in_place_keeps_the_cell_before() -> None:
    """What is added to, or set in, needs the cell that made it."""
    lineage = grown("df = load()", "df['a'] = 1", "n = 0", "n += 1")

    assert keys(lineage, "df") == ["1", "2"]
    assert keys(lineage, "n") == ["3", "4"]


def test_a_cell_that_runs_again_and_again_stands_once() -> None:
    """``x += 1`` run a thousand times is no chain of a thousand cells."""
    lineage = grown("x = 0", *["x += 1"] * 1000)

    assert keys(lineage, "x") == ["1", "1001"]


def test_a_cell_that_failed_made_what_was_seen_to_change() -> None:
    """Of a cell that ended early its text says too much."""
    lineage = grown("x = 1", "y = 1")
    lineage.add(RanCell("3", "x = 2; 1/0; y = 2", "x = 2; 1/0; y = 2", is_whole=False, rebound={"x"}))

    assert lineage.owner("x") == "3"
    assert lineage.owner("y") == "2"


def test_names_that_only_the_namespace_tells_are_known() -> None:
    """``from m import *`` binds names that stand nowhere in the cell."""
    lineage = Lineage()
    lineage.add(RanCell("1", "from m import *", "from m import *", rebound={"sqrt"}))

    assert keys(lineage, "sqrt") == ["1"]


def test_a_deleted_name_has_no_cell() -> None:
    """Whatever binds it later unseen is not attributed to the old cell."""
    lineage = grown("x = 1", "del x")

    assert lineage.owner("x") is None


def test_old_cells_are_forgotten_but_not_those_that_count() -> None:
    """Memory is bounded; cells that own nothing any more go first."""
    lineage = grown("first = 1", *[f"x = {number}" for number in range(3 * MAX_CELLS)])

    assert keys(lineage, "first") == ["1"]
    assert len(lineage.makers(["first", "x"])) == 2
