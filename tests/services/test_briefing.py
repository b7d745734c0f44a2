"""What a user and a model are told when a session goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from jido_jupyter.core.messages import Message, Status, Usage, text_part
from jido_jupyter.core.session import SessionState
from jido_jupyter.services.briefing import Briefing, Here, brief

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
THEN = "2026-11-22T09:00:00.000Z"


def answer(status: Status = "complete", usage: Usage | None = None) -> Message:
    return Message("m2", "assistant", (text_part("Hello"),), THEN, status, usage=usage)


def state(**more: Any) -> SessionState:
    said = (Message("m1", "user", (text_part("Hi"),), THEN), more.pop("answer", answer()))
    return replace(SessionState("id1", THEN, THEN), messages=said, **more)


def context(kernel: str = "k1", **variables: dict[str, Any]) -> dict[str, Any]:
    return {"kernel": kernel, "notebook": "a.ipynb", "cells": [{"id": "c1", "hash": "1"}], "variables": variables}


def test_the_simplest_briefing_is_two_lines() -> None:
    """Whole, how old, and what is not known is said to be unknown; there is nothing for the model to know."""
    briefing = brief(state(), (), NOW)

    assert briefing.lines == (
        "Full context: 1 question, 2 messages. Last turn 3 hours ago.",
        "Tokens used so far: unknown, no server said.",
    )
    assert briefing.instruction == ""


def test_a_full_briefing_is_five_lines_and_the_repairs() -> None:
    """Conversation, notebook, folder, variables, todos and tokens."""
    before = {
        **context(df={"type": "pandas.DataFrame", "by": "2"}, n={"type": "int", "hash": "1"}),
        "made_by": {"2": {"code": "df = load()"}},
    }
    now = {**context("k2", n={"type": "int", "hash": "2"}), "cells": [{"id": "c1", "hash": "9"}, {"id": "c2"}]}
    todos = ({"text": "plot it", "status": "open"}, {"text": "load", "status": "done"})
    resumed = state(context=before, todos=todos, answer=answer("interrupted", Usage(1200, 30)))

    briefing = brief(resumed, ["Line 7 is damaged."], NOW, Here(now, {"n"}, ("The folder moved.",)))

    assert briefing.lines == (
        "1 question, 2 messages, with 1 repair(s). Last turn 3 hours ago. "
        "The last answer is interrupted; ask again, or go on from it.",
        "Cells of the notebook since then: 1 changed, 1 new.",
        "The folder moved.",
        "This kernel is new, and lacks 1 variable: df. Running 1 cell again would bring back df. Changed: n.",
        "Open todos: 1, the first is “plot it”. Tokens used so far: 1,200 in, 30 out.",
        "Line 7 is damaged.",
    )
    assert briefing.rebuild == ("df = load()",)
    assert briefing.rebuilt == ("df",)


def test_the_model_gets_one_instruction() -> None:
    """What is not there any more, and that the present wins."""
    before = context(df={"type": "int"}, n={"type": "int", "hash": "1"})
    now = {**context("k2", n={"type": "int", "hash": "2"}), "cells": [{"id": "c1", "hash": "9"}]}

    briefing = brief(state(context=before), (), NOW, Here(now, {"n"}))

    assert briefing.instruction == (
        "The kernel is new: what was defined before the conversation was resumed is there only if your tools show it. "
        "These names do not exist any more: df. These variables are not what they were when it was left: n. "
        "Cells of the notebook that are changed, by id: c1. What is there now wins over the conversation."
    )


def test_imports_are_told_as_such() -> None:
    """What a cell would bring back is offered, whether it is a variable or an import."""
    before = {
        **context(df={"type": "pandas.DataFrame", "by": "2"}),
        "imports": {"pd": {"by": "1"}, "sqrt": {"by": "1"}, "os": {"by": "1"}},
        "made_by": {"1": {"code": "import pandas as pd"}, "2": {"code": "df = load()", "needs": {"pd": "1"}}},
    }
    only_imports = {**before, "variables": {}}

    briefing = brief(state(context=before), (), NOW, Here(context("k2"), {"os"}))
    there = brief(state(context=only_imports), (), NOW, Here(context("k1"), {"os", "pd"}))

    assert briefing.lines[1] == (
        "This kernel is new, and lacks 1 variable: df, and 2 imports: pd, sqrt. "
        "Running 2 cells again would bring back df, pd, sqrt."
    )
    assert "These names do not exist any more: df, pd, sqrt." in briefing.instruction
    assert "more: sqrt." in briefing.instruction_with({"df", "pd"})
    assert there.lines[1].startswith("Gone since then: 1 import: sqrt. Running 1 cell again would bring back sqrt.")
    assert briefing.to_wire()["imports"] == ["pd", "sqrt"]


def test_names_that_came_back_are_not_called_gone() -> None:
    """The instruction is given at each turn, and cells run in between."""
    briefing = brief(state(context=context(df={}, x={})), (), NOW, Here(context("k2")))

    assert "more: df, x." in briefing.instruction
    assert "more: x." in briefing.instruction_with({"df"})
    assert "more:" not in briefing.instruction_with({"df", "x"})


def test_the_same_kernel_is_recognised() -> None:
    """A session that goes on where it was left has nothing to tell."""
    here = Here(context(n={"type": "int", "hash": "1"}), {"n"})

    briefing = brief(state(context=here.context), (), NOW, here)

    assert not briefing.is_new_kernel
    assert briefing.variables.same == ("n",)
    assert briefing.instruction == ""
    assert len(briefing.lines) == 2


def test_without_a_notebook_nothing_is_compared() -> None:
    """The command line and the REST door have no variables that could be missing."""
    briefing = brief(state(context=context(df={})), (), NOW, None)

    assert briefing.variables.gone == ()
    assert briefing.cells is None
    assert not briefing.is_new_kernel


def test_many_names_are_counted() -> None:
    """A line stays a line."""
    before = context(**{f"v{number:02}": {} for number in range(30)})

    briefing = brief(state(context=before), (), NOW, Here(context("k2")))

    assert "lacks 30 variables: v00, v01, v02, v03, v04 and 25 more." in briefing.lines[1]


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(5, None), "5 in, unknown out"),
        (Usage(None, None), "unknown, no server said"),
        (Usage(0, 7), "0 in, 7 out"),
    ],
)
def test_tokens_that_no_server_told_are_unknown(usage: Usage, words: str) -> None:
    """Never zero, never guessed."""
    assert words in brief(state(answer=answer(usage=usage)), (), NOW).lines[-1]


def test_the_note_about_a_copied_notebook_stands_with_its_cells() -> None:
    """It is told first, in the line of the notebook."""
    before = context()
    now = {**context(), "cells": [{"id": "c1", "hash": "2"}]}

    briefing = brief(state(context=before), (), NOW, Here(now, note="This notebook is a copy."))

    assert briefing.lines[1] == "This notebook is a copy. Cells of the notebook since then: 1 changed."


def test_the_wire_form_is_json() -> None:
    """The panel and REST get every part of it."""
    import orjson

    briefing: Briefing = brief(state(context=context(df={})), ("odd",), NOW, Here(context("k2")))

    wire = orjson.loads(orjson.dumps(briefing.to_wire()))

    assert wire["variables"] == {"same": [], "changed": [], "gone": ["df"]}
    assert wire["cells"] == {"changed": [], "new": [], "missing": []}
    assert wire["usage"] == {"input_tokens": None, "output_tokens": None}
    assert wire["lines"][0].startswith("1 question, 2 messages, with 1 repair(s).")
    assert wire["is_new_kernel"] is True
