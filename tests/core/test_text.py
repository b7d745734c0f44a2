"""Text from anywhere: one clean line, and nothing that cannot be stored."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from jido_jupyter.core.text import AUTO_TITLE, MAX_TITLE, fold, one_line, printable, storable, title_from


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plot\n  the\tdata ", "plot the data"),
        ("a\x00\x1fb\x7f\x9fc", "a b c"),
        ("a\u2028b\u2029c", "a b c"),
        ("a\u202ab\u202ec\u2066d\u2069e", "a b c d e"),
        ("a\x80b\u2065c", "a b\u2065c"),
        ("~\xa0\xa1", "~ \xa1"),
        ("\n", ""),
        ("", ""),
    ],
)
def test_one_clean_line(text: str, line: str) -> None:
    """Controls and overrides that break or disguise a line become blanks; everything else stays."""
    assert one_line(text, 40) == line


@pytest.mark.parametrize(
    ("text", "line"), [("abcde", "abcde"), ("abcdef", "abcd…"), ("abc def", "abc…"), ("abcd    ", "abcd")]
)
def test_a_line_of_at_most_five_characters(text: str, line: str) -> None:
    """What is too long ends in an ellipsis, within the limit and not after a blank."""
    assert one_line(text, 5) == line


def test_titles_have_their_lengths() -> None:
    """An automatic title is short; a chosen one may be longer."""
    assert title_from("x" * 60) == "x" * 60
    assert title_from("x" * 61) == "x" * 59 + "…"
    assert (AUTO_TITLE, MAX_TITLE) == (60, 200)


def test_half_a_pair_becomes_a_mark() -> None:
    """Lone surrogates at any depth, in names too; whole pairs and everything else stay."""
    half = "a\ud83d"

    assert storable({half: [half, (half, "😀")], "n": MappingProxyType({"x": half}), "z": 5}) == {
        "a\ufffd": ["a\ufffd", ["a\ufffd", "😀"]],
        "n": {"x": "a\ufffd"},
        "z": 5,
    }
    assert storable("\ud83d\ude00") == "😀"
    assert storable(None) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\r\nd", "a\tb\nc\nd"),
        ("\x1b[31m\x00\x07\x7f\x9b", "\ufffd[31m\ufffd\ufffd\ufffd\ufffd"),
        ("a\rb\x0bc", "a\ufffdb\ufffdc"),
        ("\u202ex\u2066y\u2069z\u2028", "\ufffdx\ufffdy\ufffdz\ufffd"),
        ("~\xa0é 😀", "~\xa0é 😀"),
    ],
)
def test_what_a_terminal_could_obey_is_shown_as_a_mark(text: str, shown: str) -> None:
    """Line ends and tabs stay; each other control or override becomes one mark."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ABC def", "abc def"),
        ("Ärger", "arger"),
        ("STRAẞE", "strasse"),
        ("ﬁt", "fit"),
        ("e\u0301", "e"),
        ("\u0130", "i"),
        ("Ⅷ", "viii"),
        ("가", "가"),
        ("\u1100\u1161", "가"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    """Case, accents and compatibility forms do not matter, composed or not."""
    assert fold(text) == folded
    assert fold(folded) == folded
