"""Text from anywhere made fit to store and to show in one line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

MAX_TITLE: Final = 200  # characters
AUTO_TITLE: Final = 60

# C0, C1, bidirectional overrides and isolates, line and paragraph separators: they would break or disguise a line.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
# The same without line ends and tabs: everything that a terminal may take for an order to it, or that disguises code.
_NOT_PRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SPACE: Final = re.compile(r"\s+")


def one_line(text: str, limit: int) -> str:
    """Return ``text`` as one clean line of at most ``limit`` characters.

    >>> one_line("plot\\n  the data", 40)
    'plot the data'
    """
    clean = _SPACE.sub(" ", _CONTROL.sub(" ", text)).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def printable(text: str) -> str:
    """Return ``text`` with each control character but line ends and tabs shown as U+FFFD.

    >>> printable("red: \\x1b[31m")
    'red: \ufffd[31m'
    """
    return _NOT_PRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def title_from(prompt: str) -> str:
    """Return a title for a session that starts with ``prompt``."""
    return one_line(prompt, AUTO_TITLE)


def fold(text: str) -> str:
    """Return ``text`` as it is compared: no case, no accents, no compatibility forms.

    >>> fold("Ärger ﬁnden, STRAẞE")
    'arger finden, strasse'
    """
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(c for c in decomposed if not unicodedata.combining(c)).casefold())


def storable(value: Any) -> Any:
    """Return a JSON value with lone surrogates replaced by U+FFFD, so that it can be written as UTF-8.

    A cut emoji in one answer must not make a whole session unsavable.
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {storable(name): storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
