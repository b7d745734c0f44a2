"""What stands behind a magic: words, quotes, options, and errors that name the next step."""

from __future__ import annotations

import pytest

from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook.grammar import ASK, VERBS
from jido_jupyter.notebook.options import Arguments, HelpAsked, help_of, parse, split


def parsed(line: str) -> Arguments:
    words = split(line)
    return parse(VERBS[words[0].text], words[1:])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rename don't stop", ["rename", "don't", "stop"]),
        ('rename "two words" x', ["rename", "two words", "x"]),
        ("rename 'don't stop'", ["rename", "don't stop"]),
        ('show "unclosed quote', ["show", '"unclosed', "quote"]),
        ('list tag:"two words" x', ["list", 'tag:"two words"', "x"]),
        ("a  \t b", ["a", "b"]),
        ("", []),
    ],
)
def test_quotes_hold_words_together_and_apostrophes_do_not(line: str, words: list[str]) -> None:
    """A quote counts at the start of a word when its partner ends one."""
    assert [word.text for word in split(line)] == words


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('rename "Churn model"', "Churn model"),
        ('rename say "hi" now', 'say "hi" now'),
        ("rename -- --really", "--really"),
        ("rename it's 5 - 3", "it's 5 - 3"),
    ],
)
def test_a_title_is_what_was_typed(line: str, text: str) -> None:
    """Quotes around all of it go, quotes inside stay; after -- nothing is an option."""
    assert parsed(line).text == text


def test_options_may_stand_anywhere() -> None:
    """Before, between and after the words, with a blank or an equals sign."""
    found = parsed('rename New --session="a b" title')

    assert (found.text, found.value("session")) == ("New title", "a b")
    assert parsed("rename --session 3 x").value("session") == "3"


def test_an_option_that_repeats() -> None:
    """--attach is given as often as there are variables."""
    assert parse(ASK, split("--attach df --attach y")).values("attach") == ("df", "y")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("resume 1 --tkae-over", "Did you mean '--take-over'?"),
        ("resume 1 --zzz", "'%jido resume --help' shows how"),
        ("rename", "Say the title: '%jido rename <title>"),
        ("delete", "Say which session"),
        ("save now", "takes no words beside it, but has 'now'"),
        ("rename x --session", "--session needs <target> behind it"),
        ("rename x --session --all", "--session needs <target>"),
        ("resume 1 --trust=yes", "--trust takes no value"),
        ("list --limit many", "--limit 'many' is not valid: it must be a whole number of at least 1"),
        ("export 1 --format docx", "one of json, markdown, ipynb"),
        ("show 1 --session 2 --session 3", "--session stands twice"),
    ],
)
def test_wrong_usage_names_the_mistake(line: str, words: str) -> None:
    """One sentence with what is wrong, and what to write instead."""
    with pytest.raises(InvalidRequest) as caught:
        parsed(line)

    assert words in str(caught.value)


def test_two_targets_are_refused() -> None:
    """A session named as a word and by --session is one too many."""
    with pytest.raises(InvalidRequest, match="names two sessions: '1' and '2'"):
        parsed("pin 1 --session 2").target()


@pytest.mark.parametrize("name", list(VERBS))
def test_each_verb_has_help(name: str) -> None:
    """--help anywhere shows usage and what it does; the example parses."""
    verb = VERBS[name]

    with pytest.raises(HelpAsked):
        parse(verb, split("x --help"))
    assert verb.help in help_of(verb)
    if verb.example:
        assert parsed(verb.example.removeprefix("%jido ")).verb is verb


def test_the_table_is_whole() -> None:
    """Each verb has something that runs it, in the module that it names."""
    from jido_jupyter.notebook.verbs import run_of

    assert all(callable(run_of(verb)) for verb in [*VERBS.values(), ASK])
