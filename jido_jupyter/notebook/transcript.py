"""A conversation as it is read: who said what, its newest messages first in reach."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, takewhile
from typing import Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.messages import Message
from jido_jupyter.core.session import SessionState
from jido_jupyter.core.text import one_line
from jido_jupyter.notebook import blocks, listing, view
from jido_jupyter.notebook.view import Bundle

NEWEST: Final = 50  # messages of a long session that are shown unless all are asked for


def transcript(
    state: SessionState, told: Sequence[str], *, is_folded: bool = False, limit: int | None = NEWEST
) -> Bundle:
    """Show a conversation, headed by what there is to tell about it; messages carry the numbers that ``--at`` takes.

    Args:
        is_folded: the messages open at a click.
        limit: how many of the newest to show; None: all.
    """
    count = len(state.messages)
    first = 0 if limit is None else max(0, count - limit)
    shown = [
        (number, message, blocks.of(message, _results(state.messages, number)))
        for number, message in enumerate(state.messages[first:], first + 1)
        if message.role != "tool"  # results stand with their calls
    ]
    earlier = f"{first:,} earlier: '%jido show {short(state.id)} --all' shows them." if first else ""
    said = f"<div class='jido-dim'>{view.lines(earlier)}</div>" if earlier else ""
    said += "".join(_said(*one) for one in shown) or "<div class='jido-dim'>Nothing was said yet.</div>"
    if is_folded and state.messages:
        said = f"<details><summary>The conversation so far ({count} messages)</summary>{said}</details>"
    head = f"<b>{view.lines(one_line(state.title, 200))}</b> {listing.copied(state.id)}"
    html = head + "".join(f"<div>{view.lines(line)}</div>" for line in told) + said
    plain = [f"{state.title} [{short(state.id)}]", *told, *([earlier] if earlier else [])]
    plain += [f"\n{number}. {speaker(message)}: {blocks.plain(found)}" for number, message, found in shown]
    return view.bundle(html, "\n".join(plain))


def _results(said: Sequence[Message], place: int) -> dict[str, blocks.Call]:
    """Return how the calls of a message ended: in the messages right behind it, for ids come again in later turns."""
    return blocks.results_of(takewhile(lambda message: message.role == "tool", islice(said, place, None)))


def speaker(message: Message) -> str:
    return "You" if message.role == "user" else message.model or message.role


def _said(number: int, message: Message, found: Sequence[blocks.Block]) -> str:
    return (
        f"<div class='jido-said' data-role='{message.role}'>"
        f"<div class='jido-dim'>{number}. {view.lines(speaker(message))}</div>{blocks.html(found)}</div>"
    )
