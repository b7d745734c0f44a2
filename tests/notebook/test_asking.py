"""``%%jido``, retry and continue in a real shell: options, tools with consent, what is shown and what is stored."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError
from IPython.utils.capture import capture_output

from jido_jupyter.assistants.port import (
    Emit,
    Notice,
    ReasoningDelta,
    StepEnd,
    StopToken,
    TextDelta,
    Tool,
    ToolCall,
)
from jido_jupyter.core.messages import Message, Usage
from jido_jupyter.notebook.magics import Refused
from tests.support.magic_shell import MagicShell


class Talker:
    """An assistant that thinks, asks for the tools that a test names, and repeats the question."""

    model_id = "test:talker"
    label = "a talker"

    def __init__(self, *calls: Mapping[str, Any], usage: Usage | None = None, notice: str = "") -> None:
        self.calls = list(calls)
        self.offered: list[str] = []
        self.asked: list[list[str]] = []
        self.usage = usage
        self._notice = notice

    async def step(
        self, said: list[Message], instruction: str, tools: list[Tool], emit: Emit, stop: StopToken
    ) -> StepEnd:
        await asyncio.sleep(0.02)  # a stop that was just pressed arrives
        if stop.is_stopped:
            return StepEnd("interrupted")
        self.offered = [tool.name for tool in tools]
        self.asked.append([message.text for message in said if message.role == "user"])
        if self._notice:
            emit(Notice(self._notice))
        emit(ReasoningDelta("hm, <i>"))
        if self.calls:
            call = self.calls.pop(0)
            return StepEnd("calls", usage=self.usage, calls=(ToolCall(f"c{len(self.calls)}", "run", call),))
        emit(TextDelta("You said: "))
        emit(TextDelta(self.asked[-1][-1]))
        return StepEnd("complete", usage=self.usage)


@pytest.fixture
def talker(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> Talker:
    return use(shell, monkeypatch, Talker())


def use(shell: MagicShell, monkeypatch: pytest.MonkeyPatch, talker: Talker) -> Talker:
    monkeypatch.setattr(shell.kernel, "assistant", lambda: talker)
    monkeypatch.setattr(shell.kernel, "assistant_named", lambda model_id: talker)
    return talker


def run_tool(monkeypatch: pytest.MonkeyPatch, shell: MagicShell, *codes: str) -> Talker:
    """Let the assistant ask to run code."""
    talker = use(shell, monkeypatch, Talker(*({"code": code} for code in codes)))
    original = Talker.step

    async def step(self: Talker, said: Any, instruction: str, tools: Any, emit: Emit, stop: StopToken) -> StepEnd:
        end = await original(self, said, instruction, tools, emit, stop)
        name = next((tool.name for tool in tools if "code" in tool.parameters["properties"]), "run")
        calls = tuple(ToolCall(call.id, name, call.arguments) for call in end.calls)
        return StepEnd(end.how, calls=calls)

    monkeypatch.setattr(Talker, "step", step)
    return talker


def test_the_footer_says_where_it_went_and_what_it_took(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Session, title, saved, model, tokens; unknown where the server said none."""
    talker = use(shell, monkeypatch, Talker(usage=Usage(1200, 34)))
    counted = shell.ask("hello").plain
    talker.usage = None
    uncounted = shell.ask("again").plain

    session = shell.kernel.opened()
    assert f"[new session {session.id[:8]} “hello” · saved · a talker · 1,200 tokens in, 34 out]" in counted
    assert f"[session {session.id[:8]} “hello” · saved · a talker · tokens unknown]" in uncounted


def test_reasoning_is_folded_and_a_notice_is_told(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thoughts open at a click, escaped; both stand in the plain twin."""
    use(shell, monkeypatch, Talker(notice="The earlier part was summed up."))

    shown = shell.ask("hello")

    assert re.search(r"<details[^>]*><summary>Thinking</summary><div>hm, &lt;i&gt;</div>", shown.html)
    assert "[thinking] hm, <i>" in shown.plain
    assert "[The earlier part was summed up.]" in shown.plain


def test_nothing_is_asked_when_the_options_are_wrong(shell: MagicShell, talker: Talker) -> None:
    """No session is made, no question stored, whatever is wrong."""
    for options, question in [
        ("--attach nothing", "q"),
        ("--session 7", "q"),
        ("--new --session 1", "q"),
        ("words", "q"),
        ("--modle x", "q"),
        ("", " \n"),
    ]:
        with pytest.raises(Refused):
            shell.ask(question, options)

    assert shell.kernel.sessions.list() == []
    assert talker.asked == []


def test_a_variable_goes_with_the_question(shell: MagicShell, talker: Talker) -> None:
    """--attach adds a preview as a part of its own; the title is the question alone; showing it folds the preview."""
    shell.ip.user_ns.update(numbers=[1, 2, 3], text="<b>")

    shell.ask("what is this?", "--attach numbers --attach text")
    shown = shell.run("show")

    session = shell.kernel.opened()
    parts = session.messages[0].parts
    assert session.title == "what is this?"
    assert [part.get("attached") for part in parts] == [None, "numbers", "text"]
    assert "The variable numbers (" in talker.asked[0][0]
    assert "[1, 2, 3]" in talker.asked[0][0]
    assert "Attached: numbers" in shown.html
    assert "<b>" not in shown.html.replace("<b>what", "")


def test_new_and_session_choose_where_it_goes(shell: MagicShell, talker: Talker) -> None:
    """--new starts one, with a title; --session resumes another one; the footer names it."""
    shell.ask("one")
    shell.ask("two", "--new Second one")
    shell.ask("three", "--session one")

    titles = {found.title: found.message_count for found in shell.kernel.sessions.list()}
    assert titles == {"one": 4, "Second one": 2}
    assert talker.asked[-1] == ["one", "three"]


def test_asking_in_the_open_session_is_no_resume(shell: MagicShell, talker: Talker) -> None:
    """--session of what is open here costs no resume."""
    shell.ask("one")

    for _ in range(7):
        shell.ask("more", "--session one")

    assert len(shell.kernel.opened().messages) == 16


def test_no_tools_offers_none(shell: MagicShell, talker: Talker) -> None:
    """With --no-tools the model is offered nothing; otherwise it is."""
    shell.ask("one", "--no-tools")
    assert talker.offered == []

    shell.ask("two")
    assert talker.offered


def test_retry_asks_again_as_a_branch(shell: MagicShell, talker: Talker) -> None:
    """The same question, with what went with it; the first answer stays in the log only."""
    shell.ip.user_ns["df"] = [1]
    shell.ask("first")
    shell.ask("second", "--attach df")
    before = shell.kernel.opened().messages

    shell.run("retry")

    after = shell.kernel.opened().messages
    assert [message.text for message in after] == [message.text for message in before]
    assert after[2].parts == before[2].parts
    assert after[2].id != before[2].id
    assert talker.asked[-1] == talker.asked[-2]
    log = (shell.home / "jido" / "sessions" / f"{shell.kernel.opened().id}.jsonl").read_text()
    assert before[3].id in log


def test_retry_of_the_only_question(shell: MagicShell, talker: Talker) -> None:
    """The conversation begins anew, and stays so after a restart."""
    shell.ask("only")

    shell.run("retry")
    shell.restart()
    shell.run("resume 1")

    assert [message.role for message in shell.kernel.opened().messages] == ["user", "assistant"]


def test_continue_is_the_next_turn(shell: MagicShell, talker: Talker) -> None:
    """A turn like any other; without a question before it there is nothing to go on from."""
    shell.run("new Empty")
    assert "'%jido show' shows what was said" in shell.refused("continue")

    shell.ask("tell me")
    shell.run("continue")

    assert [message.text for message in shell.kernel.opened().messages][2] == "Go on from where you stopped."


def test_code_runs_only_after_a_yes(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is shown whole before the question; a no is stored as such, a yes runs it."""
    run_tool(monkeypatch, shell, "x = 1  # <one>", "x = 2")
    asked = shell.answers("n", "y")

    shown = shell.ask("go")

    assert asked == ["Run this? [y/N/a=always in this session] "] * 2
    assert "x = 1  # <one>" in shown.plain
    assert "&lt;one&gt;" in shown.html
    assert "<one>" not in shown.html
    assert shell.ip.user_ns["x"] == 2
    assert "· denied" in shown.plain
    assert "· done" in shown.plain
    outcomes = [part.get("outcome") for message in shell.kernel.opened().messages for part in message.parts]
    assert "denied" in outcomes


def test_always_ends_with_the_session(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """After "a" nothing is asked until the session is left; a resume asks again, also of the same open session."""
    talker = run_tool(monkeypatch, shell, "x = 1", "x = 2")
    asked = shell.answers("a", "n", "n")
    shell.ask("go")
    assert len(asked) == 1

    shell.run("resume 1")
    talker.calls.append({"code": "x = 3"})
    shell.ask("go on")
    shell.run("close")
    shell.run("resume 1")
    talker.calls.append({"code": "x = 4"})
    shell.ask("go on")

    assert len(asked) == 3
    assert shell.ip.user_ns["x"] == 2


@pytest.mark.parametrize("error", [EOFError, StdinNotImplementedError])
def test_where_nobody_can_answer_it_is_denied(
    shell: MagicShell, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """nbclient and closed terminals have no input: the tool is denied, the turn goes on."""
    run_tool(monkeypatch, shell, "x = 1")

    def nobody(question: str) -> str:
        raise error

    monkeypatch.setattr("builtins.input", nobody)
    shown = shell.ask("go")

    assert "x" not in shell.ip.user_ns
    assert "· denied" in shown.plain
    assert "You said: go" in shown.plain


def test_an_interrupt_at_the_question_ends_the_turn(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """^C instead of an answer: the tool does not run, the cell says so, the next question is taken."""
    run_tool(monkeypatch, shell, "x = 1")

    def press(question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", press)
    with pytest.raises(Refused, match="Interrupted; what had arrived is kept"):
        shell.ask("go")

    assert "x" not in shell.ip.user_ns
    assert "You said: next" in shell.ask("next").plain


def test_what_a_tool_shows_stands_where_it_came(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, call, question, output, answer, footer: a reader finds them in the order of time, allowed once or always."""
    show_table = "from IPython.display import display\ndisplay({'text/plain': 'a table'}, raw=True)"
    run_tool(monkeypatch, shell, show_table, show_table)
    shell.answers("a")

    plain = shell.ask("go").plain

    wanted = ["· done", "run_code: Run code", "a table", "· done", "a table", "You said: go", "[new session"]
    assert -1 not in ordered(plain, wanted), plain


@pytest.mark.parametrize("code", ["print('forty', 'two')", "'forty' + ' two'", "print('forty', 'two'); 1 / 0"])
def test_what_a_tools_code_shows_is_shown_once(shell: MagicShell, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Where the code runs; the folded call has the code. What is stored, and read later, has all of it."""
    run_tool(monkeypatch, shell, code)
    shell.answers("y")

    shown = shell.ask("go")

    assert (shown.plain + shown.html).count("forty two") == 1
    assert shell.run("show").plain.count("forty two") == 1
    responses = [part.get("response", "") for message in shell.kernel.opened().messages for part in message.parts]
    assert any("forty two" in response for response in responses)


def test_what_a_tool_did_not_show_stands_with_its_call(
    shell: MagicShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Refused code shows nothing by itself, and of a folder that is gone only the model would know."""
    run_tool(monkeypatch, shell, "await nothing", f"import os; os.rmdir({str(tmp_path / 'work')!r})")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    shell.answers("y")

    plain = shell.ask("go").plain
    monkeypatch.chdir(tmp_path)

    assert "Code with a top-level 'await' cannot run" in plain
    assert f"{tmp_path.resolve() / 'work'} is gone" in plain


def test_a_turn_without_a_tools_output_is_one_output(shell: MagicShell, talker: Talker) -> None:
    """One node that grows: it does not flicker."""
    with capture_output() as captured:
        shell.ip.run_cell_magic("jido", "", "hello")

    assert len({output.transient["display_id"] for output in captured.outputs}) == 1


def ordered(text: str, wanted: list[str]) -> list[int]:
    """Return where each of the wanted texts stands behind the one before; -1 for one that does not."""
    places = [0]
    for word in wanted:
        places.append(text.find(word, places[-1] + 1))
    return places[1:]


def test_a_terminal_prints_pieces_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thoughts, tool, result and answer are printed as they come, without control characters."""
    shell = MagicShell(tmp_path, monkeypatch, renders=False)
    run_tool(monkeypatch, shell, "print('out')")
    shell.answers("y")

    shown = shell.ask("go \x1b[31m")
    shell.stop()

    assert shown.plain.count("You said: go") == 1
    assert "[thinking] hm, <i>" in shown.plain
    assert "print('out')" in shown.plain
    assert shown.plain.splitlines().count("out") == 1
    assert "    out" not in shown.plain
    assert "\x1b" not in shown.plain
    assert "tokens unknown]" in shown.plain
