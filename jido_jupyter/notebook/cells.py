"""A session as cells of the notebook: each question and each answer in Markdown, code that the assistant ran as code.

A kernel may ask for one new cell per cell that runs, and of code only. So the page puts them in: a widget hands them to our
extension of JupyterLab and Notebook 7, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

from jido_jupyter.core.messages import Part
from jido_jupyter.notebook.blocks import Call, results_of
from jido_jupyter.notebook.tools import run
from jido_jupyter.services.exchange import notebook, parts
from jido_jupyter.services.sessions import Shown

Cell = dict[str, Any]  # of nbformat 4.5, without an id: the page gives it one

_SCRIPT: Final = Path(__file__).parent / "cells.js"


class CellsWidget(anywidget.AnyWidget):
    """Puts cells below the cell that shows it, where the page lets it; says so, or what else there is.

    Args:
        cells: to put there.
        told: what is said where they cannot be put.
    """

    _esm = _SCRIPT
    cells: traitlets.List[Any] = traitlets.List().tag(sync=True)
    told = traitlets.Unicode().tag(sync=True)
    is_placed = traitlets.Bool(False).tag(sync=True)  # a page that is loaded again must not do it twice

    def __init__(self, cells: list[Cell], told: str) -> None:
        super().__init__(cells=cells, told=told)


def of(shown: Shown) -> Iterator[Cell]:
    """Yield the cells of a session. What is no code that ran stands in Markdown that does nothing."""
    yield notebook.markdown_cell(notebook.title_of(shown))
    said = shown.state.messages
    ran: dict[str, str] = {}  # code that stands in cells, by call; its results come in the next messages
    for place, message in enumerate(said, 1):
        if message.role != "tool":
            results = results_of(takewhile(lambda later: later.role == "tool", islice(said, place, None)))
            ran = {str(part["id"]): code for part in message.parts if (code := _code(part, results)) is not None}
        rest = tuple(part for part in message.parts if str(part.get("id")) not in ran)
        if rest or message.error:
            told = replace(message, parts=rest)
            yield notebook.markdown_cell(f"**{parts.heading(told)}**\n\n{parts.body(told)}", message)
        if message.role != "tool":
            for call_id, code in ran.items():
                yield {**notebook.code_cell(code, message), "outputs": _outputs(results[call_id])}


def _code(part: Part, results: Mapping[str, Call]) -> str | None:
    """Return the code of a call that ran; None for any other part."""
    if part.get("type") != "tool_call" or part.get("name") != run.NAME:
        return None
    arguments, result = part.get("arguments"), results.get(str(part.get("id")))
    code = arguments.get("code") if isinstance(arguments, Mapping) else None
    return code if isinstance(code, str) and result is not None and result.outcome == "done" else None


def _outputs(result: Call) -> list[dict[str, Any]]:
    if not result.response or result.response == run.SILENT:
        return []
    return [{"output_type": "stream", "name": "stdout", "text": result.response}]
