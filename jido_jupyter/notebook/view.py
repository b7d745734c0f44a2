"""What all output of the magics is made of: HTML for notebooks with a plain-text twin for everything else.

Nothing that a model or a file said reaches HTML unescaped, or a terminal with its control characters. Only what a model says
is typeset as mathematics: a formula in a title or a tool's result is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from jido_jupyter.core.text import printable

Bundle = dict[str, str]

# Source: the class names that MathJax 3 and 2 pass over, and go into again.
NO_MATH: Final = "mathjax_ignore tex2jax_ignore"
MATH: Final = "mathjax_process tex2jax_process"

_STYLE: Final = (
    "<style>"
    ".jido{font-family:var(--jp-content-font-family,sans-serif);max-width:60em}"
    ".jido-foot,.jido-dim{color:var(--jp-ui-font-color2,#666);font-size:.85em}"
    ".jido-foot{border-top:1px solid var(--jp-border-color2,#ddd);margin-top:.5em;padding-top:.25em}"
    ".jido-warn{color:var(--jp-error-color1,#b3261e)}"
    ".jido table.jido-list{border-collapse:collapse;margin:.25em 0}"
    ".jido table.jido-list td,.jido table.jido-list th{text-align:left;padding:.2em .8em .2em 0;vertical-align:top}"
    ".jido table.jido-list code{white-space:nowrap}"
    ".jido code.jido-id{user-select:all}"
    ".jido mark{background:var(--jp-warn-color3,#ffe9a8);color:#222;padding:0 .1em}"
    ".jido .jido-said{border-left:3px solid var(--jp-brand-color2,#7aa7d8);padding-left:.6em;margin:.4em 0}"
    ".jido .jido-said[data-role=user]{border-color:var(--jp-border-color1,#bbb)}"
    ".jido summary{cursor:pointer}"
    ".jido details.jido-fold{margin:.25em 0;color:var(--jp-ui-font-color2,#666);font-size:.92em}"
    ".jido pre{white-space:pre-wrap;overflow-wrap:anywhere;word-break:normal;margin:.3em 0}"
    ".jp-OutputArea .jido.jido pre:has(>code),.jido pre:has(>code){border:1px solid var(--jp-border-color2,#ddd);padding:.5em}"
    ".jido pre.jido-box{border:1px solid var(--jp-border-color2,#ddd);padding:.5em;max-height:24em;overflow:auto}"
    ".jido .k,.jido .kn,.jido .ow{color:var(--jp-mirror-editor-keyword-color,#008000)}"
    ".jido .s,.jido .s1,.jido .s2,.jido .sd,.jido .sa{color:var(--jp-mirror-editor-string-color,#ba2121)}"
    ".jido .c,.jido .c1,.jido .cm{color:var(--jp-mirror-editor-comment-color,#408080);font-style:italic}"
    ".jido .mi,.jido .mf,.jido .kc{color:var(--jp-mirror-editor-number-color,#080)}"
    ".jido .nf,.jido .nc,.jido .fm{color:var(--jp-mirror-editor-def-color,#00f)}"
    ".jido .o{color:var(--jp-mirror-editor-operator-color,#a2f)}"
    "</style>"
)


def bundle(html: str, plain: str) -> Bundle:
    """Return both forms of an output.

    Args:
        html: safe already.
        plain: anything.
    """
    return {"text/html": f"{_STYLE}<div class='jido {NO_MATH}'>{html}</div>", "text/plain": printable(plain)}


def note(text: str) -> Bundle:
    """Show a sentence or two."""
    return bundle(lines(text), text)


def quiet(text: str) -> Bundle:
    """Show a line that does not ask for attention."""
    return bundle(f"<span class='jido-dim'>{lines(text)}</span>", text)


def preformatted(text: str) -> Bundle:
    """Show text whose lines and columns mean something."""
    return bundle(f"<pre>{escape(printable(text))}</pre>", text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], cells: Sequence[Sequence[str]] | None = None) -> Bundle:
    """Show rows under a head.

    Args:
        rows: plain text.
        cells: the same as HTML; None escapes ``rows``.
    """
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    plain = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
    shown = cells if cells is not None else [[lines(cell) for cell in row] for row in rows]
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in shown)
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    return bundle(
        f"<table class='jido-list'><tr>{titles}</tr>{body}</table>", "\n".join(line.rstrip() for line in plain)
    )


def together(*bundles: Bundle) -> Bundle:
    """Return several outputs as one."""
    html = "".join(found["text/html"].removeprefix(_STYLE) for found in bundles)
    return {"text/html": _STYLE + html, "text/plain": "\n".join(found["text/plain"] for found in bundles)}


def folded(line: str, found: Bundle) -> Bundle:
    """Show an output that opens at a click; as text it is open."""
    html = f"<details><summary>{escape(printable(line))}</summary>{found['text/html'].removeprefix(_STYLE)}</details>"
    return bundle(html, f"{line}:\n{found['text/plain']}")


def lines(text: str) -> str:
    """Return text as HTML that keeps its lines."""
    return escape(printable(text)).replace("\n", "<br>")


def show(found: Bundle) -> None:
    from IPython.display import display

    display(found, raw=True)
