"""``jido list``, ``show`` and ``search``: what is there."""

from __future__ import annotations

import click

from jido_jupyter.cli import output
from jido_jupyter.connection import connect
from jido_jupyter.core.messages import Message
from jido_jupyter.services import wire, wording
from jido_jupyter.services.exchange import parts
from jido_jupyter.services.sessions import Sessions

_ALL = 10**9


@click.command("list")
@click.argument("query", nargs=-1)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many to show.")
@click.option("--all", "is_all", is_flag=True, help="Show all of them.")
@output.json_option
def list_command(query: tuple[str, ...], limit: int, is_all: bool, as_json: bool) -> None:
    """The stored sessions, newest turn first.

    QUERY keeps those that fit: words of the title or messages (word* begins one, '"two words"' is a phrase) and filters:
    tag:work notebook:report model:gpt after:2026-11-01 before:2026-12-01 is:open|archived|pinned|trashed.
    """
    sessions = connect().sessions
    text = " ".join(query)
    page = sessions.find(text, limit=_ALL if is_all else limit)
    listed = [hit.summary for hit in page.hits]
    room = sessions.room()
    if as_json:
        output.print_json(
            {
                "sessions": [output.summary_to_wire(found) for found in listed],
                "has_more": page.next_cursor is not None,
                "room": {"count": room.count, "limit": room.limit, "is_tight": room.is_tight},
            }
        )
        return
    if listed:
        output.sessions_table(listed, is_numbered=not text)
    else:
        output.tell(_nothing(sessions, text))
    if page.next_cursor is not None:
        output.tell(f"There are more than these {len(listed)}: --all shows them.")
    if room.is_tight:
        output.tell(str(room), "yellow")


@click.command("show")
@click.argument("target", nargs=-1, required=True)
@output.json_option
def show_command(target: tuple[str, ...], as_json: bool) -> None:
    """Read a session, without opening it."""
    sessions = connect().sessions
    shown = sessions.show(sessions.resolve(" ".join(target)))
    if as_json:
        origin = dict(shown.state.origin) if shown.state.origin else None
        output.print_json({**wire.detail(shown), **output.summary_to_wire(shown.summary), "origin": origin})
        return
    summary = shown.summary
    output.say(summary.title, "bold")
    facts = [
        summary.id,
        wording.counted(summary.message_count, "message"),
        output.when(summary.updated_at),
        wording.marks(summary),
    ]
    output.say(" · ".join(fact for fact in facts if fact), "dim")
    if shown.state.origin:
        output.say(wording.came_from(shown.state.origin), "dim")
    for problem in summary.problems:
        output.say(problem, "red")
    for message in shown.state.messages:
        output.say()
        output.say(_speaker(message), "bold cyan" if message.role == "user" else "bold green")
        for line in output.lines_of(_spoken(message)):
            output.say(line)


@click.command("search")
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many to show.")
@output.json_option
def search_command(query: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find sessions by what was said, best match first.

    QUERY is as in 'jido list', with at least one word.
    """
    sessions = connect().sessions
    text = " ".join(query)
    hits = sessions.find(text, by_rank=True, limit=limit).hits
    if as_json:
        found = [{"session": output.summary_to_wire(hit.summary), "snippet": hit.snippet} for hit in hits]
        output.print_json({"query": text, "hits": found})
        return
    if not hits:
        output.tell(_nothing(sessions, text))
    for hit in hits:
        facts = [hit.summary.id[:8], output.when(hit.summary.updated_at), wording.marks(hit.summary)]
        output.say(output.highlighted(hit.summary.title, text))
        output.say("  " + " · ".join(fact for fact in facts if fact), "dim")
        if hit.snippet:
            output.say(output.highlighted(hit.snippet, text))


def _nothing(sessions: Sessions, text: str) -> str:
    if not text:
        return "No session is stored yet; '%%jido' and a question in a notebook start one."
    return f"None of {sessions.room().count} sessions fits {text!r}."


def _speaker(message: Message) -> str:
    name = parts.SPEAKERS[message.role]
    name += f" ({message.model})" if message.role == "assistant" and message.model else ""
    return name if message.status == "complete" else f"{name} · {message.status}"


def _spoken(message: Message) -> str:
    """Return a message as plain text; what is no text is named."""
    said = [
        part["content"] if part["type"] == "text" else f"[{part['type']} {part.get('name', '')}".rstrip() + "]"
        for part in message.parts
    ]
    return "\n".join([*said, *([message.error] if message.error else [])])
