"""A session as a notebook, nbformat 4.5: questions as ``%%jido`` cells that ask them again, everything else as Markdown.

A question stands in its cell letter for letter: code cells are shown as text and do nothing until somebody runs them.
Source: https://nbformat.readthedocs.io/en/latest/format_description.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from jido_jupyter.core.messages import Message
from jido_jupyter.core.text import storable
from jido_jupyter.services.exchange import markdown, parts
from jido_jupyter.services.exchange.inert import inert_line
from jido_jupyter.services.sessions import Shown

_END: Final = {
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


def write(shown: Shown) -> Iterator[str]:
    yield '{\n"cells": [\n' + _json({"id": "title", **markdown_cell(title_of(shown))})
    if shown.state.messages:
        yield ",\n" + _json({"id": "load", **code_cell("%load_ext jido_jupyter")})
    for number, message in enumerate(shown.state.messages):
        yield ",\n" + _json({"id": f"message-{number}", **_cell(message)})
    yield "\n],\n" + _json(_END)[1:] + "\n"


def title_of(shown: Shown) -> str:
    """Return a heading in Markdown, with what there is to know about the session."""
    problems = "".join(f"\n\n*{inert_line(problem)}*" for problem in shown.summary.problems)
    return f"# {inert_line(shown.state.title)}\n\n*{markdown.about(shown)}*{problems}"


def _cell(message: Message) -> dict[str, Any]:
    if message.role == "user":
        for text in parts.said(message):
            return code_cell(f"%%jido\n{text}", message)
    return markdown_cell(f"**{parts.heading(message)}**\n\n{parts.body(message)}", message)


def markdown_cell(source: str, message: Message | None = None) -> dict[str, Any]:
    """Return a cell without its id.

    Args:
        source: inert already.
        message: that it shows.
    """
    return {"cell_type": "markdown", "metadata": _metadata(message), "source": source}


def code_cell(source: str, message: Message | None = None) -> dict[str, Any]:
    """Return a cell without its id; nobody has run it."""
    cell = {"cell_type": "code", "metadata": _metadata(message), "source": source}
    return {**cell, "execution_count": None, "outputs": []}


def _metadata(message: Message | None) -> dict[str, Any]:
    if message is None:
        return {}
    return {"jido_jupyter": {"message": message.id, "role": message.role, "created_at": message.created_at}}


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # lone surrogates, as a cut emoji leaves them
        return orjson.dumps(storable(value)).decode()
