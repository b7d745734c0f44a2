"""What stands behind a magic: its words, told apart from its options by a table.

Quotes hold words together, and an apostrophe in a title is none: a quote counts where a word begins with it, or a value after
``:`` or ``=``, and where its partner ends a word. After ``--`` everything is a word. Nothing here prints or ends anything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jido_jupyter.errors import InvalidRequest

_QUOTES: Final = "\"'"
_OPTION: Final = re.compile(r"-h|--[a-z][a-z-]*(?:=.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    text: str  # without its quotes
    raw: str  # as it was typed
    start: int  # in the line


@dataclass(frozen=True, slots=True)
class Option:
    """``value`` is what it takes, as help shows it; without one it is a flag. ``kind`` is what completion offers for it."""

    name: str  # "--take-over"
    help: str
    value: str = ""
    kind: str = ""
    read: Callable[[str], Any] = str  # raises ValueError with what it must be
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that a magic does.

    ``takes`` is what its words are, as help shows it: ``<title>`` must be there, ``[target]`` may be, empty takes none.
    """

    name: str
    help: str
    module: str = ""  # of `jido_jupyter.notebook.verbs`
    takes: str = ""
    kind: str = ""  # of its words: what completion offers for them
    options: tuple[Option, ...] = ()
    example: str = ""
    magic: str = "%jido"

    @property
    def spelled(self) -> str:
        return f"{self.magic} {self.name}".rstrip()

    @property
    def usage(self) -> str:
        options = [f"[{option.name}{' ' + option.value if option.value else ''}]" for option in self.options]
        return " ".join(part for part in (self.spelled, self.takes, *options) if part)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The words and options of one magic, checked against its `Verb`."""

    verb: Verb
    words: tuple[Word, ...] = ()
    options: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # by name without the dashes

    @property
    def text(self) -> str:
        """The words as one title, name or target: quotes around all of it are taken off."""
        return self.words[0].text if len(self.words) == 1 else self.raw

    @property
    def raw(self) -> str:
        """The words as they were typed."""
        return " ".join(word.raw for word in self.words)

    def has(self, name: str) -> bool:
        return name in self.options

    def value(self, name: str) -> Any:
        """Return the value of an option; None where it was not given."""
        found = self.options.get(name)
        return found[-1] if found else None

    def values(self, name: str) -> tuple[Any, ...]:
        return self.options.get(name, ())

    def target(self) -> str | None:
        """Return the session that is meant, as a word or by ``--session``; None where neither is given.

        Raises:
            InvalidRequest: both are given.
        """
        named = self.value("session")
        if named is not None and self.words and self.verb.kind == "target":
            raise InvalidRequest(f"{self.verb.spelled!r} names two sessions: {self.text!r} and {named!r}. Name one.")
        return named if named is not None else (self.text if self.words and self.verb.kind == "target" else None)


class HelpAsked(Exception):
    """``--help`` stands among the options."""


def split(line: str) -> list[Word]:
    """Return the words of a line.

    >>> [word.text for word in split('rename "don\\'t stop" it\\'s')]
    ['rename', "don't stop", "it's"]
    """
    words: list[Word] = []
    place = 0
    while place < len(line):
        if line[place].isspace():
            place += 1
            continue
        end = _end_of_word(line, place)
        raw = line[place:end]
        words.append(Word(_unquoted(raw), raw, place))
        place = end
    return words


def parse(verb: Verb, words: Sequence[Word]) -> Arguments:
    """Return what a user typed after a verb.

    Raises:
        InvalidRequest: an option or word that the verb does not take; the message names it and the next step.
        HelpAsked
    """
    known = {option.name: option for option in verb.options}
    plain: list[Word] = []
    found: dict[str, list[Any]] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.raw == "--":
            plain += rest
            break
        if not _OPTION.fullmatch(word.raw):
            plain.append(word)
            continue
        name, has_value, value = word.raw.partition("=")
        if name in ("--help", "-h"):
            raise HelpAsked
        if (option := known.get(name)) is None:
            raise InvalidRequest(_unknown(verb, name, known))
        found.setdefault(name[2:], []).append(_value(verb, option, _unquoted(value) if has_value else None, rest))
    for name, values in found.items():
        if len(values) > 1 and not known[f"--{name}"].is_repeatable:
            raise InvalidRequest(f"--{name} stands twice in {verb.spelled!r}. Give it once.")
    _check_words(verb, plain, is_named="session" in found)
    return Arguments(verb, tuple(plain), {name: tuple(values) for name, values in found.items()})


def help_of(verb: Verb) -> str:
    """Return what ``--help`` shows."""
    lines = [verb.usage, "", f"  {verb.help}"]
    if verb.kind == "target" or any(option.kind == "target" for option in verb.options):
        lines.append("  A target is a number in '%jido list', an id, or the start of an id or title.")
    rows = [(f"{option.name} {option.value}".rstrip(), option.help) for option in verb.options]
    width = max((len(name) for name, _ in rows), default=0)
    lines += ["", *(f"  {name.ljust(width)}  {text}" for name, text in rows)] if rows else []
    lines += ["", f"  Example: {verb.example}"] if verb.example else []
    return "\n".join(lines)


def count(text: str) -> int:
    """Read a whole number of at least 1."""
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise ValueError("a whole number of at least 1")
    return int(text)


def count_or_none(text: str) -> int:
    """Read a whole number of at least 0."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("a whole number")
    return int(text)


def one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return read


def _value(verb: Verb, option: Option, given: str | None, rest: list[Word]) -> Any:
    if not option.value:
        if given is not None:
            raise InvalidRequest(f"{option.name} takes no value, but has {given!r}. Write {option.name!r} alone.")
        return True
    if given is None:
        if not rest or _OPTION.fullmatch(rest[0].raw):
            raise InvalidRequest(f"{option.name} needs {option.value} behind it. {_help_hint(verb)}")
        given = rest.pop(0).text
    try:
        return option.read(given)
    except ValueError as error:
        raise InvalidRequest(f"{option.name} {given!r} is not valid: it must be {error}.") from None


def _check_words(verb: Verb, words: Sequence[Word], *, is_named: bool) -> None:
    if words and not verb.takes:
        said = " ".join(word.raw for word in words)
        raise InvalidRequest(f"{verb.spelled!r} takes no words beside it, but has {said!r}. {_help_hint(verb)}")
    if not words and verb.takes.startswith("<") and not (verb.kind == "target" and is_named):
        raise InvalidRequest(f"Say {_WANTED.get(verb.kind, 'which')}: {verb.usage!r}. {_help_hint(verb)}")


_WANTED: Final = {"target": "which session", "title": "the title", "tag": "which tags", "file": "which file"}


def _unknown(verb: Verb, name: str, known: Mapping[str, Option]) -> str:
    near = difflib.get_close_matches(name, [*known, "--help"], 1)
    hint = f"Did you mean {near[0]!r}?" if near else _help_hint(verb)
    return f"{verb.spelled!r} has no option {name!r}. {hint} After '--' everything is taken as words."


def _help_hint(verb: Verb) -> str:
    return f"'{verb.spelled} --help' shows how."


def _end_of_word(line: str, place: int) -> int:
    start = place
    while place < len(line) and not line[place].isspace():
        if line[place] in _QUOTES and (place == start or line[place - 1] in ":="):
            place = _closing(line, place) or place
        place += 1
    return place


def _closing(line: str, opening: int) -> int | None:
    """Return where the partner of a quote stands: the next one that ends a word."""
    place = opening
    while (place := line.find(line[opening], place + 1)) >= 0:
        if place + 1 == len(line) or line[place + 1].isspace():
            return place
    return None


def _unquoted(raw: str) -> str:
    if len(raw) >= 2 and raw[0] == raw[-1] and raw[0] in _QUOTES:
        return raw[1:-1]
    return raw
