"""What a user types to find sessions, and which sessions it means.

``churn overfit* "test set" tag:work notebook:report model:gpt after:2026-11-01 before:2026-12-01 is:pinned``: each word must
stand in the title or in a message, one with a star as the beginning of a word, a quoted phrase as it is; every filter must hold.
Case, accents and compatibility forms do not matter. `matches` is the definition; an index only gets there faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from jido_jupyter.core.session import Summary
from jido_jupyter.core.text import fold as fold
from jido_jupyter.errors import InvalidField

_WORD: Final = re.compile(r"\w+")
_TERM: Final = re.compile(
    r'(?P<filter>[a-z]+):(?:"(?P<quoted_value>[^"]*)"|(?P<value>\S+))|"(?P<phrase>[^"]*)"|(?P<word>\S+)'
)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
STATES: Final = ("open", "archived", "pinned", "trashed")

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """All of it must hold."""

    phrases: tuple[Phrase, ...] = ()  # folded words that stand one after the other
    is_open_ended: tuple[bool, ...] = ()  # of each phrase: its last word is the beginning of one
    tags: tuple[str, ...] = ()  # folded
    notebook: str | None = None  # folded; part of the path
    model: str | None = None  # folded; part of "provider:name"
    after: str | None = None  # YYYY-MM-DD, UTC; last turn on this day or later
    before: str | None = None  # YYYY-MM-DD, UTC; last turn before this day
    is_open: bool = False
    is_archived: bool = False
    is_pinned: bool = False
    is_trashed: bool = False  # False: only what is not in the trash

    @property
    def has_text(self) -> bool:
        return bool(self.phrases)


def words(text: str) -> list[str]:
    """Return the words of ``text``, folded."""
    return _WORD.findall(fold(text))


def parse(text: str) -> Query:
    """Return the query that ``text`` means.

    Raises:
        InvalidField: a filter has a value without meaning; the message says which ones there are.
    """
    phrases: list[tuple[Phrase, bool]] = []
    tags: list[str] = []
    found: dict[str, Any] = {}
    for term in _TERM.finditer(text):
        name = term["filter"]
        value = term["quoted_value"] if term["quoted_value"] is not None else term["value"]
        if name == "tag":
            tags.append(fold(value))
        elif name in _FILTERS:
            found.update(_FILTERS[name](value))
        else:  # an unknown filter, as in "std::vector" or "http://x", is text
            said = tuple(words(term[0]))
            if said:
                phrases.append((said, term[0].endswith("*")))
    return Query(
        phrases=tuple(phrase for phrase, _ in phrases),
        is_open_ended=tuple(is_open_ended for _, is_open_ended in phrases),
        tags=tuple(tags),
        **found,
    )


def matches(query: Query, summary: Summary, texts: Sequence[str], *, is_trashed: bool = False) -> bool:
    """Return whether a session is meant: the definition that every store is held to.

    Args:
        texts: of its messages; words of one phrase stand in one text, or in the title.
    """
    places = [words(text) for text in (summary.title, *texts)] if query.has_text else []
    return (
        query.is_trashed == is_trashed
        and all(
            any(_stands_in(phrase, is_open_ended, place) for place in places)
            for phrase, is_open_ended in zip(query.phrases, query.is_open_ended, strict=True)
        )
        and all(tag in map(fold, summary.tags) for tag in query.tags)
        and (query.notebook is None or query.notebook in fold(summary.notebook or ""))
        and (query.model is None or query.model in fold(summary.model or ""))
        and (query.after is None or summary.updated_at >= query.after)
        and (query.before is None or summary.updated_at < query.before)
        and (not query.is_open or summary.owner is not None)
        and (not query.is_archived or summary.archived)
        and (not query.is_pinned or summary.pinned)
    )


def snippet(query: Query, text: str, width: int = 120) -> str:
    """Return the part of ``text`` around the first word that was asked for, in one line; empty where none stands there."""
    at = _place(query, text)
    if at < 0:
        return ""
    start = max(0, at - width // 3)
    piece = " ".join(text[start : start + width].split())
    return f"{'…' if start else ''}{piece}{'…' if start + width < len(text) else ''}"


def _place(query: Query, text: str) -> int:
    """Return where the first word of a phrase stands in ``text``; -1 where none does."""
    lowered = text.lower()
    starts = [start for phrase in query.phrases if (start := lowered.find(phrase[0])) >= 0]
    if starts or text.isascii():
        return min(starts, default=-1)
    sought = tuple(phrase[0] for phrase in query.phrases)
    return next((word.start() for word in _WORD.finditer(text) if fold(word[0]).startswith(sought)), -1)


def _stands_in(phrase: Phrase, is_open_ended: bool, place: Sequence[str]) -> bool:
    size = len(phrase)
    for start in range(len(place) - size + 1):
        here = tuple(place[start : start + size])
        if here == phrase or (is_open_ended and here[:-1] == phrase[:-1] and here[-1].startswith(phrase[-1])):
            return True
    return False


def _text(name: str) -> Callable[[str], dict[str, Any]]:
    return lambda value: {name: fold(value)}


def _day(name: str) -> Callable[[str], dict[str, Any]]:
    def read(value: str) -> dict[str, Any]:
        try:
            if not _DAY.fullmatch(value):
                raise ValueError
            date.fromisoformat(value)
        except ValueError:
            raise InvalidField(f"{name}:{value}", "write a day as in 2026-11-22") from None
        return {name: value}

    return read


def _state(value: str) -> dict[str, Any]:
    if value not in STATES:
        raise InvalidField(f"is:{value}", f"write is: and one of {', '.join(STATES)}")
    return {f"is_{value}": True}


_FILTERS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "notebook": _text("notebook"),
    "model": _text("model"),
    "after": _day("after"),
    "before": _day("before"),
    "is": _state,
}
