import pytest

from jido_jupyter.assistants.guide import answer, report, wanted_tool

QUESTIONS = {
    "hello": "Welcome!",
    "": "Welcome!",
    "How do I save my work?": "every turn is saved",
    "My kernel restarted, how do I go on?": "%jido resume 1",
    "How can I find an old conversation, is there a sidebar?": "%jido list words",
    "How do I connect a real model?": "JIDO_MODEL=openai:",
    "can I use ollama": "`ollama:`",
    "can I retry that?": "%jido retry",
    "Which tools may it use?": "asked each time",
    "Are my passwords stored?": "[redacted: OpenAI key]",
    "Which limits are there?": "5 resumes",
    "Where are the files?": "jupyter --data-dir",
}


@pytest.mark.parametrize(("question", "expected"), QUESTIONS.items())
def test_topic(question: str, expected: str) -> None:
    """The words of the question pick the topic."""
    assert expected in answer(question, [])


@pytest.mark.parametrize("question", QUESTIONS)
def test_says_what_it_is(question: str) -> None:
    """Each answer says that no language model wrote it."""
    assert "not a language model" in answer(question, ["before"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_length(question: str) -> None:
    """An answer is short enough to be read: 40 to 120 words."""
    assert 40 <= len(answer(question, ["an earlier question"]).split()) <= 120


def test_knows_the_conversation() -> None:
    """With earlier questions, an answer tells how many there are and what the first was."""
    assert "This session holds 2 earlier questions; the first was “one”." in answer("hi", ["one", "two"])


def test_new_conversation() -> None:
    """Without earlier questions, nothing is claimed about any."""
    assert "earlier" not in answer("hi", [])


@pytest.mark.parametrize(
    "question",
    ["What did I ask before?", "what did I ask first", "Which was my first question?", "Do you remember me?"],
)
def test_lists_earlier_questions(question: str) -> None:
    """Asked for the past, the guide lists the earlier questions in their order."""
    assert "1. How are\n" not in answer(question, [])
    assert "1. How are you?\n2. Load the data" in answer(question, ["How are you?", "Load\nthe data"])


def test_long_list_is_cut_in_the_middle() -> None:
    """Of many earlier questions the first and the last are listed, with their numbers."""
    text = answer("what did I ask before?", [f"question {number}" for number in range(1, 31)])

    assert "5. question 5\n" in text
    assert "… 20 more …" in text
    assert "26. question 26\n" in text
    assert "question 15" not in text


def test_quotes_are_harmless() -> None:
    """A quoted question is shortened to one line, and what Markdown would act on is escaped."""
    text = answer("hi", ["**`x`** [click](javascript:1) <b>\n" + "long " * 100])

    assert r"\*\*\`x\`\*\* \[click\](javascript:1) \<b>" in text
    assert "…”." in text


OFFERED = ("variables", "notebook", "run", "todos")


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("Which variables are there?", "variables"),
        ("list my variables", "variables"),
        ("What is in this notebook?", "notebook"),
        ("show the cells", "notebook"),
        ("What todos are left?", "todos"),
        ("How do I save this notebook?", None),
        ("What is a variable in Python?", None),
        ("run x = 1", None),
        ("hello", None),
    ],
)
def test_looks_where_the_question_is_plainly_about_it(question: str, tool: str | None) -> None:
    """A question about what is there asks for the tool that shows it; a question about jido does not."""
    assert wanted_tool(question, OFFERED) == tool


def test_asks_only_for_what_is_offered() -> None:
    """Without the tool there are only words."""
    assert wanted_tool("Which variables are there?", ("notebook",)) is None


def test_reports_that_it_looked() -> None:
    """What a tool gave back stands with its call; the answer says so instead of saying it twice."""
    text = report(["df: 3 x 4\nx: int = 3"])

    assert "what I found, 2 lines, stands above, in the line of the tool" in text
    assert "df" not in text
    assert "not a language model" in text
    assert "1 line," in report(["No variables are defined."])
