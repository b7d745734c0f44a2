"""What Tab offers after ``%jido`` and ``%%jido``: verbs, options, sessions, models, variables, filters.

IPython replaces only the piece behind the last blank, colon or quote; so what is returned is the rest of a candidate from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.query import STATES
from jido_jupyter.core.text import one_line
from jido_jupyter.notebook.grammar import ASK, FORMATS, VERBS
from jido_jupyter.notebook.options import Option, Verb, Word, split
from jido_jupyter.notebook.shell import Shell

NEWEST: Final = 50  # sessions that are offered
PROVIDERS: Final = ("guide:jido-guide-1", "openai:", "ollama:")
FILTERS: Final = ("tag:", "notebook:", "model:", "after:", "before:", "is:")
_QUOTED: Final = re.compile(r"""(?:^|\s|=)(["'])([^"']*)$""")


def complete(shell: Shell, text: str, symbol: str) -> list[str]:
    """Return what may stand where the cursor is.

    Args:
        text: the line up to the cursor.
        symbol: the end of it that a completion replaces.

    Raises:
        JidoError: the store cannot be read.
    """
    magic, body = _parted(text)
    verb: Verb | None = ASK
    words = split(body)
    if magic == "%%jido":
        before, current = _current(words, body)
    else:
        before, current = _current(words, body)
        if not before:
            return _rest([*VERBS, "--help"], current, symbol)
        verb, before = VERBS.get(before[0].text), before[1:]
    if verb is None:
        return []
    options = {option.name: option for option in verb.options}
    if (option := _awaits_value(before, current, options)) is not None:
        typed = current.partition("=")[2] if current.startswith("--") else current
        return _offered(shell, option.kind, _quoted(body, typed), symbol, is_value=True)
    if current.startswith("-") and not any(word.raw == "--" for word in before):
        used = {word.raw.partition("=")[0] for word in before}
        free = [name for name, option in options.items() if option.is_repeatable or name not in used]
        return _rest([*free, "--help"], current, symbol)
    typed = current if verb.kind in _WORD_BY_WORD else _words_typed(before, body, options)
    return _offered(shell, verb.kind, _quoted(body, typed), symbol)


def _parted(text: str) -> tuple[str, str]:
    """Return the magic and what stands behind it."""
    magic = text.split(None, 1)[0]
    return magic, text[text.index(magic) + len(magic) :]


def _current(words: Sequence[Word], body: str) -> tuple[list[Word], str]:
    """Return the words before the one that is being typed, and that one."""
    if not words or body[-1:].isspace():
        return list(words), ""
    return list(words[:-1]), words[-1].raw


def _awaits_value(before: Sequence[Word], current: str, options: dict[str, Option]) -> Option | None:
    name, has_value, _ = current.partition("=")
    if has_value and name in options and options[name].value:
        return options[name]
    for word in reversed(before):
        if (option := options.get(word.raw)) is not None:
            # The words of an unfinished quote are not words yet.
            is_last = word is before[-1] or before[before.index(word) + 1].raw[0] in "\"'"
            return option if option.value and is_last else None
    return None


def _words_typed(before: Sequence[Word], body: str, options: dict[str, Option]) -> str:
    """Return the line from the first word that is no option and no value of one."""
    takes_value = False
    for word in before:
        if takes_value:
            takes_value = False
        elif word.raw.startswith("--"):
            option = options.get(word.raw)
            takes_value = option is not None and bool(option.value)
        else:
            return body[word.start :]
    return "" if body[-1:].isspace() or not body else split(body)[-1].raw


def _quoted(body: str, typed: str) -> str:
    """Return what stands in a quote that is still open, with that quote; else what is typed."""
    found = _QUOTED.search(body)
    return found[1] + found[2] if found else typed


def _offered(shell: Shell, kind: str, typed: str, symbol: str, *, is_value: bool = False) -> list[str]:
    quote = typed[:1] if typed[:1] in ('"', "'") else ""
    candidates = list(_CANDIDATES[kind](shell)) if kind in _CANDIDATES else []
    if quote:
        return _rest([f"{quote}{found}{quote}" for found in candidates], typed, symbol)
    if is_value:  # one word is all that an option takes without quotes
        candidates = [found if " " not in found else f'"{found}"' for found in candidates]
    return _rest(candidates, typed, symbol)


def _rest(candidates: Iterable[str], typed: str, symbol: str) -> list[str]:
    """Return the candidates that begin with what is typed, from where ``symbol`` begins."""
    if not typed.endswith(symbol):
        return []
    start, wanted = len(typed) - len(symbol), typed.casefold()
    return list(dict.fromkeys(found[start:] for found in candidates if found.casefold().startswith(wanted)))


def _targets(shell: Shell) -> Iterable[str]:
    hits = shell.kernel.sessions.find(limit=NEWEST).hits
    yield from (short(hit.summary.id) for hit in hits)
    yield from (one_line(hit.summary.title, 200) for hit in hits)


def _models(shell: Shell) -> Iterable[str]:
    """Models that were used lately; a server that knows more is not asked, for it may take its time."""
    yield shell.kernel.model().model_id
    yield from (hit.summary.model for hit in shell.kernel.sessions.find(limit=NEWEST).hits if hit.summary.model)
    yield from PROVIDERS


def _tags(shell: Shell) -> Iterable[str]:
    for hit in shell.kernel.sessions.find(limit=NEWEST).hits:
        yield from hit.summary.tags


def _query(shell: Shell) -> Iterable[str]:
    yield from FILTERS
    yield from (f"is:{state}" for state in STATES)
    yield from (f"tag:{tag}" for tag in _tags(shell) if " " not in tag)


def _variables(shell: Shell) -> Iterable[str]:
    hidden = getattr(shell.ip, "user_ns_hidden", {})
    return (name for name in shell.ip.user_ns if not name.startswith("_") and name not in hidden)


_WORD_BY_WORD: Final = ("tag", "query")
_CANDIDATES: Final[dict[str, Callable[[Shell], Iterable[str]]]] = {
    "target": _targets,
    "trashed": lambda shell: map(short, shell.kernel.sessions.trashed()),
    "model": _models,
    "tag": _tags,
    "query": _query,
    "variable": _variables,
    "verb": lambda shell: VERBS,
    "format": lambda shell: FORMATS,
    "summary": lambda shell: ("undo",),
}
