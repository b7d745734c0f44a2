"""The query language: what each term means, and what a snippet shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jido_jupyter.core.query import Query, matches, parse, snippet, words
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import Summary
from jido_jupyter.errors import InvalidField

SUMMARY = Summary("one", "Plot the data", "", "2026-11-22T09:00:00.000Z", 1)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("Churn", Query((("churn",),), (False,))),
        ("churn over*", Query((("churn",), ("over",)), (False, True))),
        ('"Test Set"', Query((("test", "set"),), (False,))),
        ('"test*"', Query((("test",),), (False,))),
        ('""', Query()),
        ("***", Query()),
        ("a-b", Query((("a", "b"),), (False,))),
        ("a-b*", Query((("a", "b"),), (True,))),
        ("std::vector", Query((("std", "vector"),), (False,))),
        ("http://x", Query((("http", "x"),), (False,))),
        ("tag:Work", Query(tags=("work",))),
        ('tag:"My Work" tag:b', Query(tags=("my work", "b"))),
        ('tag:""', Query(tags=("",))),
        ("notebook:Ä", Query(notebook="a")),
        ("model:GPT", Query(model="gpt")),
        ("after:2026-11-01 before:2026-12-01", Query(after="2026-11-01", before="2026-12-01")),
        ("is:open", Query(is_open=True)),
        ("is:archived is:pinned", Query(is_archived=True, is_pinned=True)),
        ("is:trashed", Query(is_trashed=True)),
        ("Tag:x", Query((("tag", "x"),), (False,))),
    ],
)
def test_what_is_typed(text: str, query: Query) -> None:
    """Words, beginnings, phrases and filters; whatever is no filter of ours is text."""
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("after:yesterday", "after:yesterday"),
        ("before:2026-13-01", "before:2026-13-01"),
        ("after:2026-02-30", "after:2026-02-30"),
        ("after:20261101", "after:20261101"),
        ("after:2026-W10-1", "after:2026-W10-1"),
        ("after:2026-11-01T09", "after:2026-11-01T09"),
        ("is:fine", "is:fine"),
        ('is:""', "is:"),
    ],
)
def test_a_filter_with_a_wrong_value_is_named(text: str, path: str) -> None:
    """The error says which one, and what may stand there."""
    with pytest.raises(InvalidField) as refusal:
        parse(text)

    assert refusal.value.path == path


def test_the_states_are_told() -> None:
    """Whoever guesses wrong learns what there is."""
    with pytest.raises(InvalidField, match="open, archived, pinned, trashed"):
        parse("is:closed")


def test_has_text_is_about_words() -> None:
    """Filters alone need no text."""
    assert not parse("tag:x is:pinned").has_text
    assert parse("x").has_text


@pytest.mark.parametrize(
    ("text", "texts", "is_meant"),
    [
        ("plot", [], True),
        ("other", ["an other"], True),
        ("plot other", ["other"], True),
        ("plot nowhere", ["other"], False),
        ('"the data"', [], True),
        ('"data the"', [], False),
        ('"the other"', ["other"], False),
        ('"the dat"', [], False),
        ("the-dat*", [], True),
        ("plot-dat*", [], False),
        ("the-x*", [], False),
        ("dat*", [], True),
        ("data*", [], True),
        ("ata*", [], False),
        ('"a b"', ["a", "b"], False),
        ('"a b"', ["x a b"], True),
        ('"a b c d"', ["a b c"], False),
        ("tag:work", [], False),
        ("after:2026-11-22", [], True),
        ("after:2026-11-23", [], False),
        ("before:2026-11-23", [], True),
        ("before:2026-11-22", [], False),
        ("is:open", [], False),
        ("is:archived", [], False),
        ("is:pinned", [], False),
        ("is:trashed", [], False),
        ("notebook:x", [], False),
        ("model:x", [], False),
        ("", [], True),
    ],
)
def test_which_sessions_are_meant(text: str, texts: list[str], is_meant: bool) -> None:
    """Every word and filter must hold, a phrase within one text."""
    assert matches(parse(text), SUMMARY, texts) is is_meant


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("tag:work", {"tags": ("x", "Wörk")}),
        ("notebook:churn", {"notebook": "/home/Churn.ipynb"}),
        ("model:gpt", {"model": "openai:GPT-5"}),
        ("is:open", {"owner": Owner("kernel", "here", 1)}),
        ("is:archived", {"archived": True}),
        ("is:pinned", {"pinned": True}),
    ],
)
def test_filters_hold(text: str, change: dict) -> None:
    """Each filter lets in the session that has what it asks for."""
    assert matches(parse(text), replace(SUMMARY, **change), [])


def test_a_day_begins_with_itself() -> None:
    """A session whose last turn is stamped with the bare day is of that day."""
    summary = replace(SUMMARY, updated_at="2026-11-22")

    assert matches(parse("after:2026-11-22"), summary, [])
    assert not matches(parse("before:2026-11-22"), summary, [])


def test_the_trash_is_asked_for() -> None:
    """What is trashed is found only by who asks for it, and nothing else is then."""
    assert matches(parse("is:trashed plot"), SUMMARY, [], is_trashed=True)
    assert not matches(parse("plot"), SUMMARY, [], is_trashed=True)


def test_words_of_a_text() -> None:
    """Whatever is no letter, digit or underscore parts them."""
    assert words("snake_case, Ä-b! 3.5") == ["snake_case", "a", "b", "3", "5"]


def test_a_snippet_of_a_short_text_is_the_text() -> None:
    """Line ends and double blanks become one blank."""
    assert snippet(parse("b"), "a\n  b") == "a b"
    assert snippet(parse("a"), "a\n  b") == "a b"
    assert snippet(parse("x"), "a b") == ""
    assert snippet(Query(), "a b") == ""


def test_a_snippet_of_a_long_text_is_cut_on_both_sides() -> None:
    """A third of it stands before the word, and each cut is marked."""
    text = "x" * 100 + "needle" + "y" * 100

    assert snippet(parse("needle"), text, 30) == "…" + "x" * 10 + "needle" + "y" * 14 + "…"
    assert snippet(parse("needle"), text[90:], 30) == "x" * 10 + "needle" + "y" * 14 + "…"
    assert snippet(parse("needle"), text[91:], 30) == "x" * 9 + "needle" + "y" * 15 + "…"
    assert snippet(parse("needle"), text[:120], 30) == "…" + "x" * 10 + "needle" + "y" * 14
    assert snippet(parse("needle"), text[:119], 30) == "…" + "x" * 10 + "needle" + "y" * 13
    assert len(snippet(parse("needle"), text)) == 122


def test_a_snippet_shows_the_first_of_several_words() -> None:
    """Whichever was asked for first, the earlier place is shown."""
    text = "a" * 50 + " one " + "b" * 50 + " two"

    assert snippet(parse("two one"), text, 12) == "…aaa one bbbb…"
    assert snippet(parse('"one bb"'), text, 12) == "…aaa one bbbb…"


def test_a_snippet_finds_folded_words() -> None:
    """A word that is written with accents is found where it begins, and only at its beginning."""
    assert snippet(parse("uber"), "x" * 30 + " Überfitting", 12) == "…xxx Überfitt…"
    assert snippet(parse("fitting"), "Überfitting") == "Überfitting"
    assert snippet(parse("berfit arger"), "Ärger") == "Ärger"
    assert snippet(parse("rger"), "Ä Ärger") == "Ä Ärger"
    assert snippet(parse("gar"), "Ä Ärger") == ""
