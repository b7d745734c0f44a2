"""``jido verify``, ``doctor``, ``cleanup``, ``trash`` and ``restore``: looking after a store."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.text import Text

from jido_jupyter.cli import endings, output
from jido_jupyter.connection import connect, examine, key_ids, rotate_key
from jido_jupyter.core.ids import short
from jido_jupyter.errors import SessionNotFound
from jido_jupyter.services.cleanup import KEEP, Report, told

_STYLES = {"ok": "green", "warn": "yellow", "bad": "red"}

yes_option = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")


@click.command("verify")
@click.argument("targets", nargs=-1)
@output.json_option
def verify_command(targets: tuple[str, ...], as_json: bool) -> int:
    """Read sessions whole and check every seal: those named, or all. Ends with 1 when one is damaged."""
    sessions = connect().sessions
    titles = {found.id: found.title for found in sessions.list()}
    ids = [sessions.resolve(target) for target in targets] or list(titles)
    checked: list[dict[str, Any]] = []
    for session_id in output.progress(ids, "Verifying"):
        try:
            problems = sessions.verify(session_id)
        except SessionNotFound:
            continue  # trashed meanwhile
        checked.append({"id": session_id, "title": titles.get(session_id, ""), "problems": list(problems)})
    damaged = [entry for entry in checked if entry["problems"]]
    if as_json:
        output.print_json({"sessions": checked, "damaged": len(damaged)})
    else:
        for entry in damaged:
            output.say(f"{short(entry['id'])} {entry['title']}", "red")
            for problem in entry["problems"]:
                output.say(f"  {endings.in_a_shell(problem)}")
        sound = len(checked) - len(damaged)
        output.say(f"{sound} of {len(checked)} sessions are sound." + (_AFTER_DAMAGE if damaged else ""))
    return endings.DATA if damaged else 0


_AFTER_DAMAGE = " What can be read of the others is shown ('jido show') and exported ('jido export')."


@click.command("doctor")
@output.json_option
def doctor_command(as_json: bool) -> int:
    """Check folders, keys, locks, index, space and settings; it changes nothing. Ends with 1 when something is bad."""
    checks = []
    for check in examine():
        checks.append(check)
        if not as_json:
            line = Text.assemble((f"{check.status:<5}", _STYLES[check.status]), (f"{check.name:<17}", "bold"))
            line.append(str(output.clean(endings.in_a_shell(check.text))))
            output.say(line)
            if check.next:
                output.say(f"{'':22}{endings.in_a_shell(check.next)}", "dim")
    if as_json:
        output.print_json({"checks": [check.to_wire() for check in checks]})
    return endings.DATA if any(check.status == "bad" for check in checks) else 0


@click.command("keys")
@click.option("--rotate", is_flag=True, help="Make a new key; it seals from now on, the others still check.")
@output.json_option
def keys_command(rotate: bool, as_json: bool) -> int:
    """List the keys that seal sessions, by their public ids; the last one seals."""
    made = rotate_key() if rotate else None
    ids = key_ids()
    if as_json:
        output.print_json({"keys": ids, "seals": ids[-1], "made": made})
        return 0
    for kid in ids:
        output.say(f"{kid}  {'seals and checks' if kid == ids[-1] else 'checks'}")
    if made:
        output.say("Kernels and servers that run already seal with it once they are restarted.", "dim")
    return 0


@click.command("cleanup")
@click.option("--days", type=click.IntRange(min=1), help="Age of the last turn.  [default: JIDO_CLEANUP_DAYS, or 30]")
@click.option("--keep", type=click.IntRange(min=0), default=KEEP, show_default=True, help="Newest sessions that stay.")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@yes_option
@output.json_option
def cleanup_command(days: int | None, keep: int, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Move sessions to the trash whose last turn is long ago; shows which, then asks.

    Pinned, tagged, open and damaged ones stay, and those whose title was given by hand. 'jido restore' brings back what
    went; cleanup.log in the store's folder names it.
    """
    connection = connect()
    days = days or connection.settings.cleanup_days
    report = connection.cleanup.run(days=days, keep=keep, dry_run=True)
    if not as_json:
        _show(report, "why")
    if report.removed and not dry_run and (yes or _agreed(f"Move {len(report.removed)} session(s) to the trash?")):
        report = connection.cleanup.run(days=days, keep=keep)
        if not as_json:
            output.say(told(report))
    elif report.removed and not dry_run and not as_json and not sys.stdin.isatty():
        output.tell("Nothing was moved; --yes does it.")
    if as_json:
        output.print_json(report.to_wire())
    return endings.DATA if report.failed else 0


@click.command("trash")
@click.argument("targets", nargs=-1)
@click.option("--purge", is_flag=True, help="Delete what is in the trash for good.")
@click.option(
    "--older-than", type=click.IntRange(min=0), default=0, metavar="DAYS", help="Purge only what is there longer."
)
@yes_option
@output.json_option
def trash_command(targets: tuple[str, ...], purge: bool, older_than: int, yes: bool, as_json: bool) -> int:
    """List the trash; with TARGETS move those sessions there; with --purge empty it for good, after asking."""
    if purge and targets:
        raise click.UsageError("--purge empties the trash; it takes no target.")
    if purge:
        return _purge(older_than, yes=yes, as_json=as_json)
    sessions = connect().sessions
    if not targets:
        listed = sessions.list("is:trashed")
        if as_json:
            output.print_json({"sessions": [output.summary_to_wire(found) for found in listed]})
        elif listed:
            output.sessions_table(listed, is_numbered=False)
            output.tell("'jido restore ID' brings one back; 'jido trash --purge' deletes them for good.")
        else:
            output.tell("The trash is empty.")
        return 0
    ids = list(dict.fromkeys(sessions.resolve(target) for target in targets))  # before numbers shift
    for session_id in ids:
        sessions.trash(session_id)
        if not as_json:
            output.say(f"{short(session_id)} is in the trash; 'jido restore {session_id}' brings it back.")
    if as_json:
        output.print_json({"trashed": ids})
    return 0


@click.command("restore")
@click.argument("target")
@output.json_option
def restore_command(target: str, as_json: bool) -> int:
    """Bring a session back from the trash; TARGET is its id or the start of it."""
    if not target.strip():
        raise click.UsageError("Say which session; 'jido trash' lists the trash.")
    session_id = connect().sessions.restore(target.strip())
    if as_json:
        output.print_json({"restored": session_id})
    else:
        output.say(f"{short(session_id)} is back.")
    return 0


def _purge(older_than: int, *, yes: bool, as_json: bool) -> int:
    cleanup = connect().cleanup
    report = cleanup.purge_trash(older_than_days=older_than, dry_run=True)
    if not as_json:
        _show(report, "why")
    count = len(report.removed)
    if count and (yes or _agreed(f"Delete {count} session(s) for good? Nothing brings them back.")):
        report = cleanup.purge_trash(older_than_days=older_than)
        if not as_json:
            output.say(f"{len(report.removed)} session(s) are deleted for good.")
            for entry in report.failed:
                output.tell(f"{short(entry.summary.id)}: {entry.reason}", "red")
    elif count and not as_json and not sys.stdin.isatty():
        output.tell("Nothing was deleted; --yes does it.")
    if as_json:
        output.print_json(report.to_wire())
    return endings.DATA if report.failed else 0


def _show(report: Report, column: str) -> None:
    removed = [entry.summary for entry in report.removed]
    if removed:
        reasons = [entry.reason for entry in report.removed]
        output.sessions_table(removed, is_numbered=False, last=reasons, title=column)
    output.tell(told(report))


def _agreed(question: str) -> bool:
    """Ask a person; where nobody can answer, nothing is done."""
    return sys.stdin.isatty() and click.confirm(question, err=True)
