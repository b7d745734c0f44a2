"""Code as highlighted HTML; its words are escaped, its characters all visible."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from jido_jupyter.core.text import printable

LONGEST = 50_000  # characters; a lexer takes its time


@lru_cache(maxsize=128)  # a streaming answer is rendered again and again, with the same code in it
def highlighted(code: str, language: str) -> str:
    """Return ``code`` as HTML for inside a ``<pre>``; as plain text where nobody knows the language."""
    code = printable(code)
    if not language or len(code) > LONGEST:
        return escape(code)
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))
