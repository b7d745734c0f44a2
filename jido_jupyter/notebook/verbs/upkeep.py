"""Looking after the store: cleanup, verify, doctor, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.text import one_line
from jido_jupyter.core.window import Admitted, Refused
from jido_jupyter.errors import SessionNotFound
from jido_jupyter.notebook import listing, view
from jido_jupyter.notebook.options import Arguments
from jido_jupyter.notebook.shell import Shell
from jido_jupyter.services.cleanup import KEEP, Entry, Report, told


def cleanup(shell: Shell, arguments: Arguments) -> None:
    connection = shell.kernel.connection
    days = arguments.value("days") or connection.settings.cleanup_days
    keep = KEEP if (given := arguments.value("keep")) is None else given
    report = connection.cleanup.run(days=days, keep=keep, dry_run=True)
    view.show(_preview(report))
    if not report.removed:
        return
    if arguments.has("yes") or shell.agrees(f"Move {len(report.removed)} session(s) to the trash?"):
        shell.say(f"{told(connection.cleanup.run(days=days, keep=keep))} '%jido trash' lists what went.")
    else:
        shell.say("Nothing was moved; '%jido cleanup --yes' does it.")


def verify(shell: Shell, arguments: Arguments) -> None:
    sessions = shell.kernel.sessions
    target = arguments.target()
    ids = [found.id for found in sessions.each()] if target is None else [sessions.resolve(target)]
    bad: list[str] = []
    checked = 0
    for session_id in ids:
        try:
            problems = sessions.verify(session_id)
        except SessionNotFound:
            continue  # trashed meanwhile
        checked += 1
        bad += [f"{short(session_id)}: {problem}" for problem in problems[:1]] + [f"  {more}" for more in problems[1:]]
    damaged = sum(not line.startswith("  ") for line in bad)
    lines = [*bad, f"{checked - damaged} of {checked} sessions are sound."]
    if damaged:
        lines.append("What can be read of the others is shown ('%jido show') and exported ('%jido export').")
    shell.say("\n".join(lines))


def doctor(shell: Shell, arguments: Arguments) -> None:
    from jido_jupyter.connection import examine

    rows = [[check.status, check.name, f"{check.text}\n{check.next}".strip()] for check in examine()]
    cells = [[_coloured(row[0]), *map(view.lines, row[1:])] for row in rows]
    plain = [[status, name, text.replace("\n", " ")] for status, name, text in rows]
    view.show(view.table(["", "what", "found"], plain, cells))


def limits(shell: Shell, arguments: Arguments) -> None:
    kernel, target = shell.kernel, arguments.target()
    session_id = None if target is None else kernel.sessions.resolve(target)
    if session_id is None and kernel.session is not None:
        session_id = kernel.session.id
    settings, room, opened = kernel.connection.settings, kernel.sessions.room(), kernel.sessions.opened()
    per_user = f"{settings.user_window.limit} in {settings.resume_window:g} s"
    rows = [
        ["stored sessions", f"{room.count:,}", f"{room.limit:,}", "JIDO_MAX_SESSIONS"],
        ["open sessions", f"{opened.count}", f"{opened.limit}", ""],
        ["size of a session", "", f"{settings.max_session_size:,} bytes", "JIDO_MAX_SESSION_SIZE"],
        ["resumes of all sessions", _left(kernel.sessions.resumes()), per_user, ""],
    ]
    if session_id is not None:
        per_session = f"{settings.resume_limit} in {settings.resume_window:g} s"
        left = _left(kernel.sessions.resumes(session_id))
        rows.append([f"resumes of {short(session_id)}", left, per_session, "JIDO_RESUME_LIMIT, JIDO_RESUME_WINDOW"])
    notes = [view.quiet(str(room))] if room.is_tight else []
    view.show(view.together(view.table(["what", "now", "limit", "set by"], rows), *notes))


def _left(verdict: Admitted | Refused) -> str:
    if isinstance(verdict, Refused):
        return f"none left for {verdict.retry_after_s:.0f} s"
    return f"{verdict.remaining} left"


def _preview(report: Report) -> view.Bundle:
    if not report.removed:
        return view.note(told(report))
    rows = [_row(entry) for entry in report.removed]
    cells = [
        [listing.copied(entry.summary.id), *map(view.lines, row[1:])]
        for entry, row in zip(report.removed, rows, strict=True)
    ]
    return view.together(view.table(["id", "title", "why"], rows, cells), view.note(told(report)))


def _row(entry: Entry) -> list[str]:
    return [short(entry.summary.id), one_line(entry.summary.title, 200), entry.reason]


def _coloured(status: str) -> str:
    return view.lines(status) if status == "ok" else f"<span class='jido-warn'>{view.lines(status)}</span>"


RUN: Final[dict[str, Callable[[Shell, Arguments], Any]]] = {
    "cleanup": cleanup,
    "verify": verify,
    "doctor": doctor,
    "limits": limits,
}
