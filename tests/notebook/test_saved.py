"""The notebook file, as it is found on a disk."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.notebook import saved


def written(path: Path, *cells: dict[str, Any], **metadata: Any) -> str:
    path.write_text(json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return str(path)


def code(cell_id: str, source: Any) -> dict[str, Any]:
    return {"id": cell_id, "cell_type": "code", "source": source, "outputs": [], "metadata": {}}


def test_cells_have_ids_and_hashes(tmp_path: Path) -> None:
    """The hash is of the text, whichever way the file holds it; a changed text has another."""
    before = saved.glance(written(tmp_path / "a.ipynb", code("c1", "x = 1\ny = 2"), code("c2", "z")))
    after = saved.glance(written(tmp_path / "b.ipynb", code("c1", ["x = 1\n", "y = 2"]), code("c2", "zz")))

    assert before is not None
    assert after is not None
    assert [cell for cell, _ in before.cells] == ["c1", "c2"]
    assert before.cells[0] == after.cells[0]
    assert before.cells[1] != after.cells[1]
    assert len(before.cells[0][1]) == 16


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cells": 3}', b"\xff\xfe", b"null"])
def test_what_is_no_notebook_is_none(tmp_path: Path, content: bytes) -> None:
    """Half written, damaged or something else: not known, and no error."""
    (tmp_path / "a.ipynb").write_bytes(content)

    assert saved.glance(str(tmp_path / "a.ipynb")) is None


@pytest.mark.parametrize("cell", [3, None, {}, {"id": 5}, {"id": "c", "source": 7}, {"id": "c", "source": [1]}])
def test_odd_cells_do_no_harm(tmp_path: Path, cell: Any) -> None:
    """Cells of a wrong shape are passed over, the others are read."""
    found = saved.glance(written(tmp_path / "a.ipynb", cell, code("good", "x")))

    assert found is not None
    assert "good" in dict(found.cells)


def test_missing_huge_and_special_files_are_none(tmp_path: Path) -> None:
    """None of them is waited for or read whole."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(saved.MAX_BYTES + 1)

    for name in ("pipe", "huge", "missing", "", "a\0b"):
        assert saved.glance(str(tmp_path / name)) is None
    assert saved.glance(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("metadata", "session"),
    [
        ({"jido_jupyter": {"session": "abcd1234"}}, "abcd1234"),
        ({"jido_jupyter": {"session": "../../etc"}}, None),
        ({"jido_jupyter": {"session": 5}}, None),
        ({"jido_jupyter": "abcd"}, None),
        ({}, None),
    ],
)
def test_the_pointer(tmp_path: Path, metadata: dict[str, Any], session: str | None) -> None:
    """Only what can be a session's id is one."""
    found = saved.glance(written(tmp_path / "a.ipynb", **metadata))

    assert found is not None
    assert found.session == session


def test_a_saved_change_is_seen(tmp_path: Path) -> None:
    """The file is read once for each version of it, and never a version too late."""
    path = written(tmp_path / "a.ipynb", code("c1", "x"))
    first = saved.glance(path)
    same = saved.glance(path)
    written(tmp_path / "a.ipynb", code("c1", "longer"))

    assert same is first
    assert saved.glance(path) != first


def test_a_large_notebook_is_read_fast(tmp_path: Path) -> None:
    """A notebook of 1 MB is not parsed as a whole, and costs nothing once it was read."""
    path = written(tmp_path / "a.ipynb", *[code(f"c{number}", "x = 1\n" * 170) for number in range(1000)])
    started = time.perf_counter()
    saved.glance(path)
    first_s = time.perf_counter() - started
    started = time.perf_counter()
    saved.glance(path)

    assert time.perf_counter() - started < first_s < 1
