"""Markdown of anybody made safe to put into a Markdown cell or file: it still reads as Markdown, and nothing in it is live.

A notebook that was exported here may count as trusted, and readers differ in what they sanitise: nbconvert writes what it
finds. So no HTML passes, links lead to http, https or mailto only, and images are links, because loading one tells its server
that the notebook was opened.

Markdown parsers disagree about where code begins. So nothing here depends on one: whatever is *not* in a fence that this
module writes itself - at the left edge, between blank lines, longer than any fence inside - has no ``<`` that opens a tag, no
reference to a character, and no run of backticks or tildes that could open or close a fence, whether or not it is code.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LANGUAGE: Final = re.compile(r"[\w+#.-]{1,40}", re.ASCII)
_BACKTICKS: Final = re.compile(r"`+")

_BLANK: Final = re.compile(r"(\n[ \t]*\n)")
_PLAIN_SPAN: Final = re.compile(r"[^<>&\[\]!\\~\n]*")

_SAFE_PLACE: Final = r"(?!\s*(?:https?://|mailto:))"
_SUBSTITUTIONS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), entity)
    for pattern, entity in (
        (r"&(?=#|\w{1,40};)", "&amp;"),  # first: what follows writes references of its own
        (r"<(?=[a-z/!?])", "&lt;"),  # a tag, a comment, an automatic link
        (r"!(?=\[)", "&#33;"),  # an image
        (r"(?<=\])\(" + _SAFE_PLACE, "&#40;"),  # a link to elsewhere
        (r"(?<=\]):" + _SAFE_PLACE, "&#58;"),  # the same, defined further down
        (r"`(?=``)|(?<=``)`", "&#96;"),
        (r"~(?=~~)|(?<=~~)~", "&#126;"),
        # TeX that links, loads or styles; inside a formula a reference is an error, which is what it should be.
        (r"\\(?=(?:href|url|require|includegraphics|html\w*|class|cssid|style|data|mmltoken|bbox)(?![a-z]))", "&#92;"),
    )
)


def inert(text: str) -> str:
    """Return Markdown that shows what ``text`` says, its code as it is, and does nothing.

    >>> inert("a < b, <b>bold</b>, `x<y>`")
    'a < b, &lt;b>bold&lt;/b>, <code>x&#60;y&#62;</code>'
    """
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = text.split("\n")
    pieces: list[str] = []
    position = 0
    for start, end, info, code in _code_blocks(text):
        pieces += [_prose("\n".join(lines[position:start])), fenced(code, info)]
        position = end
    pieces.append(_prose("\n".join(lines[position:])))
    return "\n\n".join(piece for piece in pieces if piece)


def fenced(code: str, language: str = "") -> str:
    """Return ``code`` in a fence that nothing in it can close."""
    code = _CONTROL.sub("", code.replace("\r", "\n"))
    longest = max((len(run) for run in _BACKTICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    found = _LANGUAGE.match(language.strip())
    return f"{fence}{found[0] if found else ''}\n{code.rstrip(chr(10))}\n{fence}"


def _code_blocks(text: str) -> list[tuple[int, int, str, str]]:
    """Return the blocks of code: their first line, the one after their last, language and content."""
    tokens = _parser().parse(text)
    return [
        (token.map[0], token.map[1], token.info, token.content)
        for token in tokens
        if token.type in ("fence", "code_block") and token.map is not None
    ]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # not before there is something to export: lists start quicker without it

    # Only blocks are looked at: rules for what stands inside a line would cost time, and some of it quadratic.
    return MarkdownIt("commonmark", {"html": False}).disable(["inline", "text_join"])


def inert_line(text: str) -> str:
    """Return one line, such as a title, made safe."""
    return _prose(_CONTROL.sub("", text.replace("\n", " ")))


def _prose(text: str) -> str:
    """Return text outside of code blocks made safe."""
    return "".join(map(_paragraph, _BLANK.split(text))).strip("\n")


def _paragraph(text: str) -> str:
    """Return a paragraph made safe: what stands between two equal runs of backticks keeps its looks as code."""
    runs = list(_BACKTICKS.finditer(text))
    closing: dict[int, int] = {}  # by the place of a run: that of the next of its length
    last_of: dict[int, int] = {}
    for place in reversed(range(len(runs))):
        ticks = len(runs[place][0])
        if ticks in last_of:
            closing[place] = last_of[ticks]
        last_of[ticks] = place
    pieces: list[str] = []
    position = place = 0
    while place < len(runs):
        start = runs[place].start()
        if place not in closing or text[max(0, start - 1) : start] == "\\":
            place += 1
            continue
        end = runs[closing[place]]
        pieces += [_escaped(text[position:start]), _span(text[runs[place].end() : end.start()], len(end[0]))]
        position, place = end.end(), closing[place] + 1
    pieces.append(_escaped(text[position:]))
    return "".join(pieces)


def _span(code: str, ticks: int) -> str:
    if ticks < 3 and _PLAIN_SPAN.fullmatch(code):
        return "`" * ticks + code + "`" * ticks
    return f"<code>{re.sub(r'[^0-9A-Za-z ]', _reference, code.replace(chr(10), ' '))}</code>"


def _reference(character: re.Match[str]) -> str:
    return character[0] if ord(character[0]) > 127 else f"&#{ord(character[0])};"


def _escaped(text: str) -> str:
    for pattern, entity in _SUBSTITUTIONS:
        text = pattern.sub(entity, text)
    return text
