"""The tool that reads the notebook's cells as they are saved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from jido_jupyter.assistants.port import Tool, ToolResult
from jido_jupyter.notebook import context, saved
from jido_jupyter.notebook.tools import arguments as given

MAX_TEXT: Final = 20_000  # characters of an answer
_MAX_OUTPUT: Final = 500  # characters of the outputs of a cell
_MAX_SOURCE: Final = 6000
_PARAMETERS: Final = {
    "type": "object",
    "properties": {
        "ids": {"type": "array", "items": {"type": "string"}, "description": "Ids of cells to read."},
        "first": {"type": "integer", "minimum": 1, "description": "Number of the first cell to read, from 1."},
        "last": {"type": "integer", "minimum": 1, "description": "Number of the last cell to read."},
    },
}

Cell = Mapping[str, Any]


def tool() -> Tool:
    return Tool(
        "notebook",
        "Read the cells of the notebook as last saved, with short outputs: all, some by id, or a range.",
        _PARAMETERS,
        given.checked(_read),
    )


async def _read(arguments: given.Arguments) -> ToolResult:
    ids = given.texts(arguments, "ids")
    first, last = given.number(arguments, "first") or 1, given.number(arguments, "last")
    path = context.notebook_path()
    notebook = await asyncio.to_thread(saved.load, path) if path else None
    if notebook is None:
        return ToolResult("The notebook cannot be read: it is not saved on this machine, or is very large.", "failed")
    numbered = [(number, cell) for number, cell in enumerate(notebook["cells"], 1) if isinstance(cell, dict)]
    if ids is not None:
        chosen = [(number, cell) for number, cell in numbered if cell.get("id") in ids]
    else:
        chosen = [(number, cell) for number, cell in numbered if first <= number <= (last or number)]
    return ToolResult(_told(chosen, len(numbered)))


def _told(chosen: Sequence[tuple[int, Cell]], count: int) -> str:
    if not chosen:
        return f"There are no such cells; the notebook has {count}."
    texts: list[str] = []
    room = MAX_TEXT
    for number, cell in chosen:
        text = _cell(number, cell)
        room -= len(text)
        if room < 0 and texts:
            texts.append(f"Cells {number} to {chosen[-1][0]} are left out; ask for them with 'first' and 'last'.")
            break
        texts.append(text)
    return "\n\n".join(texts)


def _cell(number: int, cell: Cell) -> str:
    ran = f", ran as [{cell['execution_count']}]" if isinstance(cell.get("execution_count"), int) else ""
    head = f"[cell {number}, id {cell.get('id')}, {cell.get('cell_type', 'unknown')}{ran}]"
    parts = [head, given.shortened(saved.source(cell), _MAX_SOURCE)]
    if output := _outputs(cell):
        parts.append(f"[output]\n{output}")
    return "\n".join(parts)


def _outputs(cell: Cell) -> str:
    outputs = cell.get("outputs")
    listed = outputs if isinstance(outputs, list) else []
    texts = [text for output in listed if isinstance(output, dict) and (text := _output(output).strip())]
    return given.shortened("\n".join(texts), _MAX_OUTPUT)


def _output(output: Cell) -> str:
    if output.get("output_type") == "error":
        return f"{output.get('ename')}: {output.get('evalue')}"
    data = output.get("data")
    if not isinstance(data, dict):
        return saved.text(output.get("text"))
    return saved.text(data.get("text/plain")) or f"({', '.join(map(str, data))})"
