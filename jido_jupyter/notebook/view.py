"""What the magics show: each thing as HTML for notebooks with a plain-text twin for everything else.

Nothing that a model or a file said reaches HTML unescaped (`markdown` for answers, `escape` for the rest).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from jido_jupyter.assistants.port import Event, TextDelta
from jido_jupyter.core.ids import short
from jido_jupyter.core.messages import Message
from jido_jupyter.core.session import SessionState, Summary
from jido_jupyter.core.times import age, seconds_between

GAP_S: Final = 0.06  # between two updates of a streaming answer
Bundle = dict[str, str]

_STYLE: Final = (
    "<style>"
    ".jido{font-family:var(--jp-content-font-family,sans-serif);max-width:60em}"
    ".jido-foot,.jido-dim{color:var(--jp-ui-font-color2,#666);font-size:.85em}"
    ".jido-foot{border-top:1px solid var(--jp-border-color2,#ddd);margin-top:.5em;padding-top:.25em}"
    ".jido-warn{color:var(--jp-error-color1,#b3261e)}"
    ".jido table.jido-list{border-collapse:collapse;margin:.25em 0}"
    ".jido table.jido-list td,.jido table.jido-list th{text-align:left;padding:.2em .8em .2em 0;vertical-align:top}"
    ".jido .jido-said{border-left:3px solid var(--jp-brand-color2,#7aa7d8);padding-left:.6em;margin:.4em 0}"
    ".jido .jido-said[data-role=user]{border-color:var(--jp-border-color1,#bbb)}"
    ".jido summary{cursor:pointer}"
    "</style>"
)
_STATUS: Final = {
    "interrupted": "interrupted - what had arrived is kept",
    "failed": "failed",
    "truncated": "cut off before its end",
}


class Live:
    """One output that grows with a streaming answer; its mime types never change, so that it does not flicker.

    Source: JupyterLab reuses a renderer as long as the preferred mime type of an output stays the same.
    """

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self._handle = DisplayHandle()
        self._text = ""
        self._shown = "…"
        self._shown_at = 0.0
        self._handle.display(_answer(self._shown, ""), raw=True)

    def add(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._text += event.text
            # Rendering grows with the text, and so does the pause between two of them.
            if time.monotonic() - self._shown_at >= max(GAP_S, len(self._text) / 200_000):
                self.flush()

    def flush(self) -> None:
        if self._text != self._shown:
            self._handle.update(_answer(self._text, ""), raw=True)
            self._shown, self._shown_at = self._text, time.monotonic()

    def finish(self, answer: Message, footer: str, warning: str = "") -> None:
        note = "\n".join(part for part in (warning, _ending(answer)) if part)
        self._handle.update(_answer(answer.text, footer, note), raw=True)


class Printed:
    """The same for a terminal, where an update would print everything anew."""

    def add(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            print(event.text, end="", flush=True)

    def flush(self) -> None:
        pass

    def finish(self, answer: Message, footer: str, warning: str = "") -> None:
        print("".join(f"\n{line}" for line in (_ending(answer), warning, f"[{footer}]") if line))


def sessions(listed: Sequence[Summary], current_id: str | None) -> Bundle:
    """Show a numbered list; the numbers are what targets refer to."""
    if not listed:
        return note("No sessions yet. '%%jido' and a question below it start one.")
    rows = [_row(number, summary, current_id) for number, summary in enumerate(listed, start=1)]
    head = ("", "id", "title", "last turn", "messages", "where")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    plain = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
    cells = "".join(
        f"<tr><td>{escape(row[0])}</td><td><code>{escape(row[1])}</code></td><td><b>{escape(row[2])}</b></td>"
        + "".join(f"<td class='jido-dim'>{escape(cell)}</td>" for cell in row[3:])
        + "</tr>"
        for row in rows
    )
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    problems = [f"{summary.title}: {problem}" for summary in listed for problem in summary.problems]
    warnings = "".join(f"<div class='jido-warn'>{escape(problem)}</div>" for problem in problems)
    return _bundle(
        f"<table class='jido-list'><tr>{titles}</tr>{cells}</table>{warnings}", "\n".join([*plain, *problems])
    )


def transcript(state: SessionState, told: Sequence[str], *, is_folded: bool = False) -> Bundle:
    """Show a conversation, headed by what there is to tell about it.

    Args:
        is_folded: the messages open at a click.
    """
    said = "".join(_said(message) for message in state.messages) or "<div class='jido-dim'>Nothing was said yet.</div>"
    if is_folded and state.messages:
        said = f"<details><summary>The conversation so far ({len(state.messages)} messages)</summary>{said}</details>"
    head = f"<b>{escape(state.title)}</b> <code>{short(state.id)}</code>"
    html = head + "".join(f"<div>{escape(line)}</div>" for line in told) + said
    plain = [f"{state.title} [{short(state.id)}]", *told]
    plain += [f"\n{_speaker(message)}: {message.text}{_plain_ending(message)}" for message in state.messages]
    return _bundle(html, "\n".join(plain))


def note(text: str) -> Bundle:
    """Show a sentence or two."""
    return _bundle("<br>".join(escape(line) for line in text.splitlines()), text)


def show(bundle: Bundle) -> None:
    from IPython.display import display

    display(bundle, raw=True)


def _row(number: int, summary: Summary, current_id: str | None) -> tuple[str, ...]:
    seconds = seconds_between(summary.updated_at, datetime.now(UTC))
    where = _name(summary.notebook) or ""
    if summary.is_damaged:
        where = "damaged"
    elif summary.id == current_id:
        where = "open here"
    elif summary.owner is not None:
        where = f"open in {_name(summary.owner.notebook) or summary.owner.kind}"
    when = "" if seconds is None else age(seconds)
    return (str(number), short(summary.id), summary.title, when, str(summary.message_count), where)


def _name(notebook: str | None) -> str:
    return (notebook or "").rpartition("/")[2]


def _said(message: Message) -> str:
    from jido_jupyter.notebook import markdown

    body = markdown.to_html(message.text) if message.role == "assistant" else f"<p>{_lines(message.text)}</p>"
    ending = f"<div class='jido-warn'>{escape(_ending(message))}</div>" if _ending(message) else ""
    return (
        f"<div class='jido-said' data-role='{message.role}'><div class='jido-dim'>{escape(_speaker(message))}</div>"
        f"{body}{ending}</div>"
    )


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _speaker(message: Message) -> str:
    if message.role == "user":
        return "You"
    return message.model or message.role


def _ending(message: Message) -> str:
    if message.status == "complete":
        return ""
    return f"{_STATUS[message.status]}{': ' + message.error if message.error else ''}"


def _plain_ending(message: Message) -> str:
    return f" [{_ending(message)}]" if _ending(message) else ""


def _answer(text: str, footer: str, warning: str = "") -> Bundle:
    from jido_jupyter.notebook import markdown  # not at the top: listing sessions needs no Markdown

    html = markdown.to_html(text)
    html += f"<div class='jido-warn'>{_lines(warning)}</div>" if warning else ""
    html += f"<div class='jido-foot'>{escape(footer)}</div>" if footer else ""
    plain = "\n".join(part for part in (text, warning, f"[{footer}]" if footer else "") if part)
    return _bundle(html, plain)


def _bundle(html: str, plain: str) -> Bundle:
    return {"text/html": f"{_STYLE}<div class='jido'>{html}</div>", "text/plain": plain}
