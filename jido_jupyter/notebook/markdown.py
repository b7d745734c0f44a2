"""Markdown of a model to HTML that is safe to show.

A fresh notebook output is trusted: HTML in it runs. So no HTML of a model's passes, links lead to http, https or mailto
only, and images are shown as links, because loading one tells its server that the notebook was opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_SAFE = ("http://", "https://", "mailto:")


def to_html(text: str) -> str:
    return str(_parser().render(text))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("js-default", {"html": False, "linkify": False})
    parser.validateLink = _is_safe  # type: ignore[method-assign]
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _image)
    return parser


def _is_safe(url: str) -> bool:
    return url.strip().lower().startswith(_SAFE)


def _link_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer")
    tokens[index].attrSet("target", "_blank")
    return str(self.renderToken(tokens, index, options, env))


def _image(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    source = str(tokens[index].attrGet("src") or "")
    name = escape(tokens[index].content or source)
    return f'<a href="{escape(source)}" rel="noopener noreferrer" target="_blank">{name}</a>'
