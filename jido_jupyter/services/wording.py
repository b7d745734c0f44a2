"""Facts about sessions in a few words, the same at every door."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from jido_jupyter.core.query import fold, parse
from jido_jupyter.core.session import Summary
from jido_jupyter.core.text import one_line
from jido_jupyter.core.times import age, seconds_between
from jido_jupyter.services.exchange import is_imported

_WORD: Final = re.compile(r"\w+")


def marks(summary: Summary) -> str:
    """Return what is special about a session."""
    found = {
        "damaged": summary.is_damaged or bool(summary.problems),
        "open": summary.owner is not None,
        "pinned": summary.pinned,
        "archived": summary.archived,
        "imported": is_imported(summary.id),
    }
    tags = [f"#{one_line(tag, 50)}" for tag in summary.tags]
    return " ".join([*(name for name, holds in found.items() if holds), *tags])


def when(stamp: str, now: datetime) -> str:
    """Return how long ago an instant was; empty where it is no stamp of ours."""
    seconds = seconds_between(stamp, now)
    return "" if seconds is None else age(max(0.0, seconds))


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def came_from(origin: Mapping[str, Any]) -> str:
    """Return where a fork or an import comes from."""
    if origin.get("kind") == "import":
        return f"Imported from a {origin.get('format')} file; nothing proves who said what in it before."
    return f"A {origin.get('kind')} of session {origin.get('session')}."


def asked_words(text: str, query: str) -> Iterator[tuple[int, int]]:
    """Yield where the words of ``text`` stand that a query asks for: start and end of each."""
    asked = parse(query)
    whole = {word for phrase in asked.phrases for word in phrase}
    begun = tuple(phrase[-1] for phrase, is_begun in zip(asked.phrases, asked.is_open_ended, strict=True) if is_begun)
    for found in _WORD.finditer(text):
        word = fold(found[0])
        if word in whole or (begun and word.startswith(begun)):
            yield found.start(), found.end()
