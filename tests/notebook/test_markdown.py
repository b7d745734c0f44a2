"""Markdown of a model: what is shown, and what never runs."""

from __future__ import annotations

import pytest

from jido_jupyter.notebook.markdown import to_html


@pytest.mark.parametrize(
    "formula",
    [
        "$x_1*y_2*z$",
        r"\(a_b*c*\)",
        r"$$\sum_i x_i$$",
        "\\[\na\n= b\n- c\n\\]",
        "$$\na\n= b\n\\\\ c\n$$",
        r"$\alpha\,\beta$",
    ],
)
def test_formulas_stay_in_one_piece(formula: str) -> None:
    """The page typesets them: no emphasis, heading or escape is made of what belongs to TeX."""
    html = to_html(f"before\n\n{formula}\n\nafter")

    assert formula in html
    assert "<em>" not in html
    assert "<h" not in html


def test_prices_are_no_formula() -> None:
    """Two dollar signs in a sentence leave its emphasis alone."""
    assert "<em>and</em>" in to_html("it costs $5 *and* $6")


@pytest.mark.parametrize(
    "command", ["href", "url", "require", "includegraphics", "htmlClass", "style", "HREF", "mmlToken", "bbox"]
)
def test_commands_of_tex_that_link_or_load_are_broken(command: str) -> None:
    """In a formula and in a sentence around dollar signs; code keeps them."""
    for text in (f"$\\{command}{{javascript:x}}{{y}}$", f"$ a \\{command}{{x}} $", f"# $$\\{command}{{x}}$$"):
        assert f"\\{command}" not in to_html(text)
    assert f"\\{command}" in to_html(f"`\\{command}`")


def test_code_is_highlighted_and_escaped() -> None:
    """Known languages get colours, all of it is text."""
    html = to_html('```python\ndef f(): return "<script>"\n```\n\n```nonsense\n<b>\n```')

    assert '<span class="k">def</span>' in html
    assert "<script" not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "$<img src=x onerror=y>$",
        "$$\n<img src=x onerror=y>\n$$",
        "\\[ <iframe srcdoc=x> \\]",
        "```<img src=x onerror=y>\ncode\n```",
        "[a](javascript:x)",
        "![a](data:text/html,x)",
        "[a]: javascript:x\n\n[a]",
        "| a |\n|-|\n| <b onclick=x> `$<i>$` |",
    ],
)
def test_nothing_of_it_is_live(text: str) -> None:
    """No tag of the model's, no script link, no image that loads."""
    html = to_html(text)

    for tag in ("<script", "<img", "<iframe", "<b ", "<i>", 'href="javascript', 'href="data'):
        assert tag not in html


def test_control_characters_show() -> None:
    """Text that would disguise itself does not."""
    assert "\u202e" not in to_html("a \u202e b")
    assert "\u202e" not in to_html('a &#8238; &#x202E; [b](https://c.d "&#8238;") ![&#8238;](https://c.d)')
