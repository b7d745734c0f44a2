"""What is there: status, help, list, search, show, todos, trash, where. Nothing here changes a session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.text import one_line
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook import context, listing, view
from jido_jupyter.notebook.grammar import ASK, VERBS
from jido_jupyter.notebook.options import Arguments, help_of
from jido_jupyter.notebook.shell import Shell
from jido_jupyter.notebook.verbs import known
from jido_jupyter.services import where as origins
from jido_jupyter.services import wording
from jido_jupyter.services.where import Found, Made

LISTED: Final = 50  # sessions that a list shows
FOUND: Final = 20  # that a search shows
_ALL: Final = 10**9
_HOW: Final = (
    "A target is a number in the list, an id, or the start of an id or title.\n"
    "'%jido <verb> --help' names its options, '%jido help %%jido' those of a question."
)


def status(shell: Shell, arguments: Arguments) -> None:
    told = [
        ("answers come from", shell.kernel.model().model_id),
        ("sessions are kept in", shell.kernel.connection.home),
    ]
    rows = [[what, one_line(now, 500)] for what, now in [*_open_session(shell), *told]]
    cells = [[f"<span class='jido-dim'>{what}</span>", view.lines(now)] for what, now in rows]
    view.show(view.together(view.table(["what", "now"], rows, cells), view.folded("All verbs", _all_verbs())))


def _open_session(shell: Shell) -> list[tuple[str, str]]:
    if (session := shell.kernel.session) is None:
        return [("session", "No session is open here. '%%jido' and a question below it start one.")]
    if not session.live.is_open:
        state = f"; closed or taken over elsewhere: '%jido resume {short(session.id)}' opens it"
    elif not session.live.is_saved:
        state = ", the last turn is not saved yet: '%jido save' tries again"
    else:
        state = ", saved"
    return [("session", f"{short(session.id)} {session.title}"), ("messages", f"{len(session.messages)}{state}")]


def help_(shell: Shell, arguments: Arguments) -> None:
    if not arguments.words:
        view.show(_all_verbs())
        return
    verb = ASK if arguments.text == ASK.magic else known(arguments.text.removeprefix("%jido "))
    view.show(view.preformatted(help_of(verb)))


def list_(shell: Shell, arguments: Arguments) -> None:
    sessions = shell.kernel.sessions
    limit = _ALL if arguments.has("all") else arguments.value("limit") or LISTED
    page = sessions.find(arguments.raw, limit=limit)
    listed = [hit.summary for hit in page.hits]
    shown = listing.sessions(listed, _now(), _here(shell), is_numbered=not arguments.words)
    if not listed:
        shown = view.note(_nothing(shell, arguments.raw))
    notes = []
    if page.next_cursor is not None:
        notes.append(f"These are the newest {limit}; '%jido list <words>' shows those that hold the words, --all all.")
    if (room := sessions.room()).is_tight:
        notes.append(str(room))
    view.show(view.together(shown, *(view.quiet(text) for text in notes)))


def search(shell: Shell, arguments: Arguments) -> None:
    limit = arguments.value("limit") or FOUND
    hits = shell.kernel.sessions.find(arguments.raw, by_rank=True, limit=limit).hits
    shown = (
        listing.hits(hits, arguments.raw, _now(), _here(shell)) if hits else view.note(_nothing(shell, arguments.raw))
    )
    view.show(shown)


def show(shell: Shell, arguments: Arguments) -> None:
    from jido_jupyter.notebook.transcript import NEWEST, transcript

    shown = shell.read(arguments)
    origin = shown.state.origin
    told = [*([wording.came_from(origin)] if origin else []), *shown.summary.problems]
    view.show(transcript(shown.state, told, limit=None if arguments.has("all") else NEWEST))


def todos(shell: Shell, arguments: Arguments) -> None:
    state = shell.read(arguments).state
    rows = [[str(todo.get("status", "")), str(todo.get("text", ""))] for todo in state.todos]
    nothing = view.note(f"Session {short(state.id)} has nothing to do.")
    view.show(view.table(["status", "todo"], rows) if rows else nothing)


def trash(shell: Shell, arguments: Arguments) -> None:
    listed = shell.kernel.sessions.list("is:trashed")
    if not listed:
        shell.say("The trash is empty.")
        return
    how = "'%jido restore <id>' brings one back; 'jido trash --purge' in a terminal deletes them for good."
    view.show(view.together(listing.sessions(listed, _now(), None, is_numbered=False), view.quiet(how)))


def where(shell: Shell, arguments: Arguments) -> None:
    sessions, notebook = shell.kernel.sessions, context.notebook_path()
    if arguments.words:
        found = origins.by_cell(sessions, arguments.text, notebook)
        missing = f"No session that was looked at made a cell {arguments.text!r}."
    elif notebook is None:
        raise InvalidRequest("Nothing tells which notebook this is. Name a cell: '%jido where <cell id>'.")
    else:
        found = origins.by_notebook(sessions, notebook, _cell_ids(notebook))
        missing = "No cell of this notebook was made in a session that was looked at. '%%jido' and a question make one."
    shown = view.table(["session", "title", "cells"], *_places(found)) if found.made else view.note(missing)
    looked = f"{found.read} of {wording.counted(found.stored, 'session')} looked at."
    view.show(view.together(shown, view.quiet(looked)))


def _all_verbs() -> view.Bundle:
    verbs = [verb for verb in VERBS.values() if verb.name != "status"]
    rows = [[f"{verb.spelled} {verb.takes}".rstrip(), verb.help] for verb in [*verbs, ASK]]
    cells = [[f"<code>{view.lines(usage)}</code>", view.lines(text)] for usage, text in rows]
    return view.together(view.table(["verb", "what it does"], rows, cells), view.quiet(_HOW))


def _nothing(shell: Shell, text: str) -> str:
    if not text:
        return listing.NOTHING
    return f"None of {wording.counted(shell.kernel.sessions.room().count, 'session')} fits {text!r}."


def _here(shell: Shell) -> str | None:
    here = shell.open_here
    return here.id if here is not None else None


def _now() -> datetime:
    return datetime.now(UTC)


def _cell_ids(notebook: str) -> frozenset[str]:
    from jido_jupyter.notebook import saved

    found = saved.glance(notebook)
    return frozenset(cell_id for cell_id, _ in found.cells) if found else frozenset()


def _places(found: Found) -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows of a table of questions by session, as text and as HTML."""
    rows: list[list[str]] = []
    cells: list[list[str]] = []
    for _, group in groupby(found.made, lambda made: made.session.id):
        made = list(group)
        summary = made[0].session
        told = "\n".join(map(_place, made))
        rows.append([short(summary.id), one_line(summary.title, 60), "; ".join(map(_place, made))])
        cells.append([listing.copied(summary.id), f"<b>{view.lines(summary.title)}</b>", view.lines(told)])
    return rows, cells


def _place(made: Made) -> str:
    origin = made.message.origin
    count = f"[{origin.execution_count}]" if origin and origin.execution_count is not None else ""
    cell = (origin.cell_id if origin else None) or "a cell without an id"
    return f"message {made.number} in {one_line(cell, 64)} {count} {one_line(made.message.text, 60)!r}".replace(
        "  ", " "
    )


RUN: Final[dict[str, Callable[[Shell, Arguments], Any]]] = {
    "status": status,
    "help": help_,
    "list": list_,
    "search": search,
    "show": show,
    "todos": todos,
    "trash": trash,
    "where": where,
}
