"""What commands print: tables for people, JSON for programs, progress for long work. Nothing of a session's reaches a terminal as a command to it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jido_jupyter.core.ids import short
from jido_jupyter.core.session import Summary
from jido_jupyter.core.text import one_line, printable, storable
from jido_jupyter.services import wire, wording
from jido_jupyter.services.exchange import is_imported

# Everything that a terminal may take for an order to it, line ends and tabs left out.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PIPED: Final = 200  # columns where nobody looks: nothing is cut off

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@cache
def _console(stream: Any) -> Console:
    width = None if stream.isatty() else _PIPED
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def say(text: str | Text = "", style: str = "") -> None:
    """Print a line of a result."""
    _console(sys.stdout).print(clean(text), style=style or None, soft_wrap=True)


def tell(text: str, style: str = "") -> None:
    """Print a line that is no part of the result."""
    _console(sys.stderr).print(clean(text), style=style or None, soft_wrap=True)


def print_json(value: Any) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    try:
        data = orjson.dumps(value, option=options)
    except orjson.JSONEncodeError:  # lone surrogates, as a cut emoji leaves them
        data = orjson.dumps(storable(value), option=options)
    # What JSON lets pass, a terminal may obey; in JSON each of these can only stand inside of a text.
    click.echo(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", data.decode()), nl=False)


def progress(items: Sequence[T], what: str) -> Iterable[T]:
    """Return ``items`` one by one, with a bar on stderr where a person looks at it."""
    if not sys.stderr.isatty() or len(items) < 2:
        return items
    from rich.progress import track

    return track(items, f"{what} ...", console=_console(sys.stderr), transient=True)


def clean(text: str | Text) -> str | Text:
    return text if isinstance(text, Text) else printable(text)


def sessions_table(listed: Sequence[Summary], *, is_numbered: bool, last: Sequence[str] = (), title: str = "") -> None:
    """Print a table of sessions.

    Args:
        is_numbered: the numbers are those that a target may be.
        last: of each session, what stands in a column ``title``.
    """
    columns = [*(["#"] if is_numbered else []), "id", "title", "last turn", "messages", "", *([title] if title else [])]
    rows: list[list[str | Text]] = [
        [
            *([str(number)] if is_numbered else []),
            short(summary.id),
            Text(one_line(summary.title, 200), "red" if summary.is_damaged else ""),
            when(summary.updated_at),
            "" if summary.is_damaged else str(summary.message_count),
            Text(wording.marks(summary), "dim"),
            *([one_line(last[number - 1], 500)] if title else []),
        ]
        for number, summary in enumerate(listed, 1)
    ]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        gives_way = column in ("title", "", title)  # the others are no use when they are cut off
        table.add_column(
            column,
            justify="right" if column in ("#", "messages") else "left",
            min_width=None if gives_way else max(len(column), *(len(row[place]) for row in rows)),
            overflow="ellipsis",
            no_wrap=True,
        )
    for row in rows:
        table.add_row(*row)
    _console(sys.stdout).print(table)


def when(stamp: str) -> str:
    return wording.when(stamp, datetime.now(UTC))


def highlighted(snippet: str, query: str) -> Text:
    """Return a snippet with the words that were asked for standing out."""
    text = Text(one_line(snippet, 500))
    for start, end in wording.asked_words(text.plain, query):
        text.stylize("bold yellow", start, end)
    return text


def summary_to_wire(summary: Summary) -> dict[str, Any]:
    return {**wire.summary(summary), "imported": is_imported(summary.id)}


def lines_of(text: str) -> Iterator[str]:
    """Return the lines of a message for a terminal, with no control character but tabs."""
    yield from printable(text).split("\n")
