"""Markdown of a model to HTML that is safe to show.

A fresh notebook output is trusted: HTML in it runs. So no HTML of a model's passes, links lead to http, https or mailto
only, and images are shown as links, because loading one tells its server that the notebook was opened. Formulas pass as they
are, for the page to typeset, without the commands that link or load.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from html import escape
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from jido_jupyter.core.text import printable
from jido_jupyter.notebook.code import highlighted

_SAFE: Final = ("http://", "https://", "mailto:")
_PAIRS: Final = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_BLOCKS: Final = {"$$": "$$", "\\[": "\\]"}
# TeX that links, loads, defines or styles: split in two by a space of no width, it is a command that nobody knows.
_LIVE_TEX: Final = re.compile(
    r"\\(?=(?:href|url|require|includegraphics|html\w*|class|cssid|style|data|mmltoken|bbox|def|let|newcommand)(?![a-z]))",
    re.IGNORECASE,
)
_BROKEN: Final = "\\\u200b"


@lru_cache(maxsize=32)  # the finished pieces of an answer are rendered again with each update of the growing one
def to_html(text: str) -> str:
    return str(_parser().render(printable(text)))


@cache
def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": False, "highlight": lambda code, language, _: highlighted(code, language)}
    parser = MarkdownIt("js-default", options)
    parser.validateLink = _is_safe  # type: ignore[method-assign]
    parser.block.ruler.before("fence", "math_block", _math_block, {"alt": ["paragraph", "blockquote", "list"]})
    parser.inline.ruler.before("escape", "math", _math)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _image)
    for name in ("text", "math", "math_block"):
        parser.add_render_rule(name, _text)
    return parser


def _is_safe(url: str) -> bool:
    return url.strip().lower().startswith(_SAFE)


def _math(state: StateInline, silent: bool) -> bool:
    """Keep a formula in one piece: what Markdown would make emphasis of, or take as an escape, belongs to TeX there."""
    for opening, closing in _PAIRS:
        if state.src.startswith(opening, state.pos):
            end = _end_of_math(state, opening, closing)
            if end is None:
                return False
            if not silent:
                state.push("math", "", 0).content = state.src[state.pos : end]
            state.pos = end
            return True
    return False


def _end_of_math(state: StateInline, opening: str, closing: str) -> int | None:
    start = state.pos + len(opening)
    end = state.src.find(closing, start, state.posMax)
    if end <= start:
        return None
    inside = state.src[start:end]
    after = state.src[end + 1 : end + 2]
    if opening == "$" and (inside[0].isspace() or inside[-1].isspace() or after.isdecimal() or "\n\n" in inside):
        return None  # "$5 and $6" are prices
    return end + len(closing)


def _math_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Keep a formula of several lines in one piece; a line of it may look like a heading or a list."""
    place = state.bMarks[start_line] + state.tShift[start_line]
    first = state.src[place : state.eMarks[start_line]]
    opening = next((opening for opening in _BLOCKS if first.startswith(opening)), None)
    if opening is None:
        return False
    closing = _BLOCKS[opening]
    for line in range(start_line, end_line):
        text = state.src[state.bMarks[line] : state.eMarks[line]].rstrip()
        if text.endswith(closing) and (line > start_line or len(first.rstrip()) > 2 * len(opening)):
            if not silent:
                state.push("math_block", "", 0).content = state.getLines(start_line, line + 1, state.blkIndent, False)
                state.line = line + 1
            return True
    return False


def _text(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    text = escape(_shown(tokens[index].content))
    return f"<p>{text}</p>" if tokens[index].type == "math_block" else text


def _link_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    if title := tokens[index].attrGet("title"):
        tokens[index].attrSet("title", printable(str(title)))
    tokens[index].attrSet("rel", "noopener noreferrer")
    tokens[index].attrSet("target", "_blank")
    return str(self.renderToken(tokens, index, options, env))


def _image(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    source = str(tokens[index].attrGet("src") or "")
    name = escape(_shown(tokens[index].content or source))
    return f'<a href="{escape(source)}" rel="noopener noreferrer" target="_blank">{name}</a>'


def _shown(text: str) -> str:
    """Return text that was read: references such as ``&#8238;`` stand for characters here."""
    return _LIVE_TEX.sub(lambda _: _BROKEN, printable(text))
