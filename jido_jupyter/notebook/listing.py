"""Sessions as lists: what is stored, what was found, what is in the trash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from jido_jupyter.core.ids import short
from jido_jupyter.core.session import Summary
from jido_jupyter.core.text import one_line, printable
from jido_jupyter.notebook import view
from jido_jupyter.notebook.view import Bundle
from jido_jupyter.services import wording
from jido_jupyter.store.contract import Hit

NOTHING = "No session is stored yet. '%%jido' and a question below it start one."
_SNIPPET = 500  # characters


def sessions(listed: Sequence[Summary], now: datetime, current_id: str | None, *, is_numbered: bool) -> Bundle:
    """Show a list.

    Args:
        current_id: of the session that is open here.
        is_numbered: its numbers are those that a target may be.
    """
    head = [*(["#"] if is_numbered else []), "id", "title", "last turn", "messages", ""]
    rows: list[list[str]] = []
    cells: list[list[str]] = []
    for number, summary in enumerate(listed, start=1):
        row = [
            *([str(number)] if is_numbered else []),
            short(summary.id),
            one_line(summary.title, 200),
            wording.when(summary.updated_at, now),
            "" if summary.is_damaged else str(summary.message_count),
            where(summary, current_id),
        ]
        rows.append(row)
        cells.append([*map(_dim, row[:-5]), copied(summary.id), f"<b>{view.lines(row[-4])}</b>", *map(_dim, row[-3:])])
    problems = [f"{summary.title}: {problem}" for summary in listed for problem in summary.problems]
    found = view.table(head, rows, cells)
    if not problems:
        return found
    warnings = "".join(f"<div class='jido-warn'>{view.lines(problem)}</div>" for problem in problems)
    return view.together(found, view.bundle(warnings, "\n".join(problems)))


def hits(found: Sequence[Hit], query: str, now: datetime, current_id: str | None) -> Bundle:
    """Show what a search found, with the words that were asked for standing out."""
    html: list[str] = []
    plain: list[str] = []
    for hit in found:
        summary, snippet = hit.summary, one_line(hit.snippet, _SNIPPET)
        facts = [wording.when(summary.updated_at, now), where(summary, current_id)]
        told = " · ".join(fact for fact in facts if fact)
        html.append(
            f"<div><b>{marked(summary.title, query)}</b> {copied(summary.id)} "
            f"<span class='jido-dim'>{view.lines(told)}</span><div>{marked(snippet, query)}</div></div>"
        )
        plain.append(f"{one_line(summary.title, 200)}  [{short(summary.id)}] {told}\n    {snippet}".rstrip())
    return view.bundle("".join(html), "\n".join(plain))


def marked(text: str, query: str) -> str:
    """Return text as HTML in which the words of a query stand out."""
    text = printable(text)
    pieces: list[str] = []
    place = 0
    for start, end in wording.asked_words(text, query):
        pieces += [escape(text[place:start]), f"<mark>{escape(text[start:end])}</mark>"]
        place = end
    return "".join([*pieces, escape(text[place:])])


def where(summary: Summary, current_id: str | None) -> str:
    """Return where a session is open or goes on, and what is special about it."""
    if summary.id == current_id:
        place = "open here"
    elif summary.owner is not None:
        place = f"open in {name_of(summary.owner.notebook) or summary.owner.kind}"
    else:
        place = name_of(summary.notebook)
    marks = " ".join(mark for mark in wording.marks(summary).split(" ") if mark != "open")
    return " · ".join(part for part in (place, marks) if part)


def name_of(notebook: str | None) -> str:
    return one_line((notebook or "").rpartition("/")[2], 100)


def copied(session_id: str) -> str:
    """Return a short id that one click selects."""
    return f"<code class='jido-id'>{escape(short(session_id))}</code>"


def _dim(text: str) -> str:
    return f"<span class='jido-dim'>{view.lines(text)}</span>"
