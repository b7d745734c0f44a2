"""Which session and message made a cell, and which cells of a notebook were made in which sessions.

A message names the cell in which it was made (`jido_jupyter.core.messages.Origin`). No index holds that: sessions are read,
those of the notebook first, then the newest others, because a conversation may have moved to another notebook since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from jido_jupyter.core.messages import Message
from jido_jupyter.core.query import fold
from jido_jupyter.core.session import Summary
from jido_jupyter.errors import JidoError
from jido_jupyter.services.sessions import Sessions

OTHERS: Final = 300  # newest sessions that are read besides those of the notebook: about a second of work


@dataclass(frozen=True, slots=True)
class Made:
    """A question that was asked in a cell."""

    session: Summary
    number: int  # of the message in its session, from 1
    message: Message


@dataclass(frozen=True, slots=True)
class Found:
    made: tuple[Made, ...]
    read: int  # sessions that were read
    stored: int


def sessions_of(sessions: Sessions, notebook: str) -> list[Summary]:
    """Return the sessions that go on in a notebook, newest turn first.

    Args:
        notebook: its path as the server names it.
    """
    name = notebook.replace('"', "")  # which the query language has no way to write
    return [found for found in sessions.each(f'notebook:"{name}"') if fold(found.notebook or "") == fold(notebook)]


def by_cell(sessions: Sessions, cell_id: str, notebook: str | None = None) -> Found:
    """Return the questions that were asked in a cell; the first session that has any ends the search.

    Args:
        cell_id: as the notebook file names it, or the start of it.
        notebook: whose sessions are read first.
    """
    read = 0
    for summary in _candidates(sessions, notebook):
        read += 1
        made = [one for one in _made(sessions, summary) if (_cell(one) or "").startswith(cell_id)]
        if made:
            return Found(tuple(made), read, sessions.room().count)
    return Found((), read, sessions.room().count)


def by_notebook(sessions: Sessions, notebook: str, cell_ids: frozenset[str] = frozenset()) -> Found:
    """Return the questions that were asked in the cells of a notebook, by session, newest first.

    Args:
        cell_ids: of the notebook's cells now; they tell it after it was moved or renamed.
    """
    made: list[Made] = []
    read = 0
    for summary in _candidates(sessions, notebook):
        read += 1
        made += [one for one in _made(sessions, summary) if _is_of(one, notebook, cell_ids)]
    return Found(tuple(made), read, sessions.room().count)


def _candidates(sessions: Sessions, notebook: str | None) -> Iterator[Summary]:
    first = sessions_of(sessions, notebook) if notebook else []
    yield from first
    known = {summary.id for summary in first}
    for hit in sessions.find(limit=OTHERS).hits:
        if hit.summary.id not in known:
            yield hit.summary


def _made(sessions: Sessions, summary: Summary) -> list[Made]:
    if summary.is_damaged:
        return []
    try:
        said = sessions.show(summary.id).state.messages
    except JidoError:  # moved or damaged since it was listed; the others are still worth a look
        return []
    return [
        Made(summary, number, message)
        for number, message in enumerate(said, start=1)
        if message.role == "user" and message.origin is not None
    ]


def _cell(made: Made) -> str | None:
    return made.message.origin.cell_id if made.message.origin else None


def _is_of(made: Made, notebook: str, cell_ids: frozenset[str]) -> bool:
    origin = made.message.origin
    return origin is not None and (origin.notebook == notebook or origin.cell_id in cell_ids)
