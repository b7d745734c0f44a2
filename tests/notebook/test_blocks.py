"""What messages are shown as, live and later."""

from __future__ import annotations

from dataclasses import replace

from jido_jupyter.assistants.port import Began, Said, TextDelta, ToolCall
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.session import SessionState
from jido_jupyter.notebook import blocks
from jido_jupyter.notebook.streaming import Growing
from jido_jupyter.notebook.transcript import transcript

AT = "2026-11-22T10:00:00.000Z"
CALL = {"type": "tool_call", "id": "c1", "name": "run_code", "arguments": {"code": "1 < 2", "purpose": "<b>look</b>"}}
DONE = {"type": "tool_call_response", "id": "c1", "response": "<i>True</i>"}
ASKS = Message("a1", "assistant", (text_part("Let me *see*."), CALL), AT)
TOLD = Message("t1", "tool", (DONE,), AT)
ANSWERS = Message("a2", "assistant", (text_part("Yes."),), AT, "truncated", "It stopped.")


def test_a_tool_call_is_a_folded_line_with_its_result() -> None:
    """Name, arguments, outcome and result, all escaped; the plain twin has the same."""
    [_, call] = blocks.of(ASKS, blocks.results_of([TOLD]))

    assert "run_code({&quot;purpose&quot;: &quot;&lt;b&gt;look&lt;/b&gt;&quot;}) · done</summary>" in call.html
    assert "&lt;i&gt;True&lt;/i&gt;" in call.html
    assert "<b>" not in call.html
    assert call.plain == '[tool] run_code({"purpose": "<b>look</b>"}) · done\n    1 < 2\n    <i>True</i>'


def test_what_streams_becomes_what_is_stored() -> None:
    """Pieces, a running tool, its result, the answer: at each end the stored message is what is shown."""
    turn = Growing()
    seen = []
    for event in (
        Began("a1"),
        TextDelta("Let me "),
        TextDelta("*see*."),
        Said(ASKS),
        ToolCall("c1", "run_code", CALL["arguments"]),  # type: ignore[arg-type]
        Said(TOLD),
        Began("a2"),
        TextDelta("Ye"),
        Said(ANSWERS),
    ):
        turn.add(event)
        seen.append(blocks.plain(turn.pages[0]))

    state = SessionState("s", AT, AT, messages=(ASKS, TOLD, ANSWERS))
    assert seen[1:3] == ["Let me ", "Let me *see*."]
    assert "· waits" in seen[3]
    assert "· runs" in seen[4]
    assert "· done" in seen[5]
    assert seen[8].endswith("Yes.\n[cut off before its end: It stopped.]")
    for block in turn.pages[0]:
        assert block.plain in transcript(state, ())["text/plain"]


def test_results_stand_with_their_calls_in_a_transcript() -> None:
    """A message of a tool is not shown by itself, and keeps its number."""
    plain = transcript(SessionState("s", AT, AT, messages=(ASKS, TOLD, ANSWERS)), ["Told."])["text/plain"]

    assert "1. assistant: Let me *see*.\n[tool] run_code" in plain
    assert "2. " not in plain
    assert "3. assistant: Yes." in plain


def test_a_long_result_is_cut_off_and_says_so() -> None:
    """20,000 characters are shown; the export has all."""
    result = Message("t1", "tool", ({**DONE, "response": "x" * 20_005},), AT)

    [_, call] = blocks.of(ASKS, blocks.results_of([result]))

    assert "5 characters more are in the JSON export" in call.html


def test_titles_and_tools_are_never_typeset() -> None:
    """MathJax passes over everything but what a model says."""
    html = transcript(SessionState("s", AT, AT, title="$x$", messages=(ASKS, TOLD)), ())["text/html"]

    before, inside = html.split("class='mathjax_process", 1)
    assert "mathjax_ignore" in before
    assert "$x$" in before
    assert "run_code" not in inside.split("</div>", 1)[0]


def test_an_id_that_comes_again_is_another_call() -> None:
    """Some servers begin to count anew in each step: a call that was denied does not get the result of a later one."""
    denied = {"type": "tool_call_response", "id": "c1", "response": "no", "outcome": "denied"}
    said = (ASKS, Message("t0", "tool", (denied,), AT), replace(ASKS, id="a3"), TOLD)
    turn = Growing()

    for message in said:
        if message is said[2]:
            turn.add(Began("a3"))
        turn.add(Said(message))
        if message.role == "assistant":
            turn.add(ToolCall("c1", "run_code", {}))
    stored = transcript(SessionState("s", AT, AT, messages=said), ())["text/plain"]

    for shown in (stored, blocks.plain(turn.pages[0])):
        assert shown.index("· denied") < shown.index("    no") < shown.index("· done") < shown.index("<i>True</i>")
