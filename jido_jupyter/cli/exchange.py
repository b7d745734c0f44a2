"""``jido export`` and ``import``: sessions to files and back."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from jido_jupyter.cli import endings, output
from jido_jupyter.connection import connect
from jido_jupyter.core.ids import short
from jido_jupyter.errors import JidoError
from jido_jupyter.services import exchange, wording
from jido_jupyter.services.exchange import files
from jido_jupyter.services.sessions import Sessions, Shown


@click.command("export")
@click.argument("targets", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Export every session.")
@click.option(
    "--format", "name", type=click.Choice(list(exchange.EXPORTS)), help="By default as --output ends, else json."
)
@click.option("--output", "-o", "path", type=click.Path(), help="A file, '-' for stdout, or a folder for several.")
@click.option("--force", is_flag=True, help="Write over files that are there already.")
@output.json_option
def export_command(
    targets: tuple[str, ...], is_all: bool, name: str | None, path: str | None, force: bool, as_json: bool
) -> int:
    """Write sessions as JSON (complete, can be imported), Markdown or notebooks.

    One TARGET goes to stdout unless --output names a file; several, or --all, go into a folder, a file each.
    """
    sessions = connect().sessions
    if is_all == bool(targets):
        raise click.UsageError("Say which sessions, or --all.")
    ids = [found.id for found in sessions.list()] if is_all else [sessions.resolve(target) for target in targets]
    name = name or files.format_of(path)
    if len(targets) == 1 and not (path and files.is_folder(path)):
        return _to_one(sessions.show(ids[0]), name, path, force=force, as_json=as_json)
    if path == "-":
        raise click.UsageError("Several sessions go into a folder, not to stdout.")
    os.makedirs(path or ".", mode=0o700, exist_ok=True)
    return _to_folder(sessions, list(dict.fromkeys(ids)), name, path or ".", force=force, as_json=as_json)


@click.command("import")
@click.argument("paths", metavar="FILES", nargs=-1, required=True, type=click.Path())
@click.option("--format", "name", type=click.Choice(list(exchange.IMPORTS)), help="By default found out.")
@output.json_option
def import_command(paths: tuple[str, ...], name: str | None, as_json: bool) -> int:
    """Bring sessions in from FILES ('-' is stdin), each under a new id.

    The same content is brought in once, however often it is imported. What cannot be used is named, and the rest comes in.
    """
    sessions = connect().sessions
    brought: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    ended = 0
    for path in output.progress(paths, "Importing"):
        try:
            found_name, found = exchange.read(_content(path), name)
            for session in found:
                one = exchange.bring_in(sessions, session, found_name)
                brought.append({"file": path, **one.to_wire()})
                ended = max(ended, endings.DATA if one.notes else 0)
                if not as_json:
                    _tell_brought(one)
        except (JidoError, OSError) as error:
            reason = endings.in_a_shell(str(error)) if isinstance(error, JidoError) else f"{error.strerror}."
            failed.append({"file": path, "reason": reason})
            output.tell(f"{path}: {reason}", "red")
            ended = max(ended, endings.code_of(error) if len(paths) == 1 else endings.DATA)
    if as_json:
        output.print_json({"imported": brought, "failed": failed})
    return ended


def _to_one(shown: Shown, name: str, path: str | None, *, force: bool, as_json: bool) -> int:
    if path is None or path == "-":
        if as_json:
            raise click.UsageError("--json tells what was written to files; with stdout there is nothing to tell.")
        for piece in exchange.export(shown, name):
            click.echo(output.clean(piece) if sys.stdout.isatty() else piece.encode(), nl=False)
    else:
        files.write(path, exchange.export(shown, name), force=force)
        _report([{"id": shown.state.id, "file": path}], [], as_json=as_json)
    return _tell_problems(shown)


def _to_folder(sessions: Sessions, ids: list[str], name: str, folder: str, *, force: bool, as_json: bool) -> int:
    written: list[dict[str, str]] = []
    failed: list[dict[str, str]] = []
    ended = 0
    for session_id in output.progress(ids, "Exporting"):
        try:
            shown = sessions.show(session_id)
            path = os.path.join(folder, files.name_of(shown) + exchange.EXPORTS[name].suffix)
            files.write(path, exchange.export(shown, name), force=force)
        except JidoError as error:
            failed.append({"id": session_id, "reason": endings.in_a_shell(str(error))})
            output.tell(f"{short(session_id)}: {failed[-1]['reason']}", "red")
            ended = endings.DATA
        else:
            written.append({"id": session_id, "file": path})
            ended = max(ended, _tell_problems(shown))
    _report(written, failed, as_json=as_json)
    return ended


def _report(written: list[dict[str, str]], failed: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        output.print_json({"exported": written, "failed": failed})
        return
    for entry in written:
        output.say(entry["file"])


def _tell_problems(shown: Shown) -> int:
    for problem in shown.summary.problems:
        output.tell(f"{short(shown.state.id)}: {problem}", "red")
    return endings.DATA if shown.summary.problems else 0


def _content(path: str) -> bytes:
    """Return a file's bytes, but no more of them than can be imported."""
    if path == "-":
        return sys.stdin.buffer.read(exchange.MAX_FILE + 1)
    return files.content(path)


def _tell_brought(one: exchange.Brought) -> None:
    what = f"{short(one.session_id)} {one.title!r}"
    if one.is_trashed:
        output.say(f"in the trash already: {what}; 'jido restore {one.session_id}' brings it back")
    else:
        output.say(
            f"{'imported' if one.is_new else 'here already'}: {what}, {wording.counted(one.message_count, 'message')}"
        )
    for note in one.notes:
        output.tell(f"  {note}", "yellow")
