"""Code that a model runs: only with leave, only where it does no harm, and with what it showed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.assistants.conversation import Session
from jido_jupyter.assistants.port import Interrupted, ToolResult
from jido_jupyter.notebook.tools import run as run_tool
from jido_jupyter.notebook.tools.run import MAX_TEXT
from jido_jupyter.services import project
from jido_jupyter.services.project import ProjectFolder
from tests.support.scripted import Desk, make_session, used
from tests.support.shells import make_shell


class Bench:
    """A shell in a project folder, and the tool that runs code in it."""

    def __init__(self, place: Path, desk: Desk | None = None) -> None:
        self.shell, self.session, self.desk, self.place = make_shell(), make_session(), desk or Desk(), place

    def folder(self) -> ProjectFolder | None:
        return project.look_at(str(self.place))

    def runs(self, code: Any, **more: Any) -> ToolResult:
        tool = run_tool.tool(self.shell, self.session, self.desk, self.folder)
        return used(tool, code=code, **more)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def remember(session: Session, folder: ProjectFolder | None) -> None:
    """Let a turn have ended in a folder."""
    assert folder is not None
    message = session.record("user", "earlier")
    session.live.record([message], context={"folder": folder.to_wire()})


def test_code_runs_in_the_users_namespace(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """It sees the user's names and leaves its own; the output is shown and told."""
    bench.shell.user_ns["x"] = 20

    told = bench.runs("y = x + 1\nprint('computed')\ny")

    assert told.outcome == "done"
    assert told.response.startswith("computed")
    assert "21" in told.response
    assert bench.shell.user_ns["y"] == 21
    assert "computed" in capsys.readouterr().out


def test_the_user_sees_the_code_before_it_runs(tmp_path: Path) -> None:
    """What is asked for is exactly what runs; without leave nothing does."""
    bench = Bench(tmp_path, Desk(allows=False))

    told = bench.runs("x = 1", purpose="Set\nx")

    assert told.outcome == "denied"
    assert "x" not in bench.shell.user_ns
    [request] = bench.desk.requests
    assert (request.tool, request.summary, request.code) == ("run_code", "Set x", "x = 1")


def test_the_history_of_the_user_stays_theirs(bench: Bench) -> None:
    """Code of an assistant takes no number and no place in the history."""
    before = bench.shell.execution_count
    bench.runs("1")

    assert bench.shell.execution_count == before
    assert bench.shell.history_manager.input_hist_raw == [""]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('before'); 1/0", ["before", "ZeroDivisionError"]),
        ("def f(:", ["SyntaxError"]),
        ("raise SystemExit(3)", ["SystemExit"]),
        ("%nosuchmagic", ["nosuchmagic"]),
    ],
)
def test_errors_are_told(bench: Bench, code: str, words: list[str]) -> None:
    """With what was shown before; nothing leaves the tool."""
    told = bench.runs(code)

    assert told.outcome == "failed" or code.startswith("%")
    for word in words:
        assert word in told.response
    assert "\x1b" not in told.response


def test_silence_is_told(bench: Bench) -> None:
    """An empty answer would leave a model guessing."""
    assert bench.runs("x = 1") == ToolResult("It ran, and showed nothing.", is_shown=True)


def test_long_output_is_cut_in_the_middle(bench: Bench) -> None:
    """Beginning and end say the most."""
    told = bench.runs("print('first'); print('x' * 100_000); print('last')")

    assert len(told.response) < MAX_TEXT + 100
    assert told.response.startswith("first")
    assert told.response.endswith("last")


@pytest.mark.parametrize("code", ["await f()", "import asyncio\nawait asyncio.sleep(0)", "async with a: pass"])
def test_a_top_level_await_is_refused_with_the_way_on(bench: Bench, code: str) -> None:
    """It would fail inside of a running cell; the user is not even asked."""
    told = bench.runs(code)

    assert told.outcome == "failed"
    assert "top-level 'await'" in told.response
    assert bench.desk.requests == []


def test_an_interrupt_stops_the_turn(bench: Bench) -> None:
    """The shell swallows it; the tool passes it on and stops what would come after."""
    stopped: list[bool] = []
    bench.session.stop = lambda: stopped.append(True)  # type: ignore[method-assign]

    with pytest.raises(Interrupted):
        bench.runs("raise KeyboardInterrupt")

    assert stopped == [True]


@pytest.mark.parametrize("code", [None, 5, "", "  "])
def test_wrong_arguments_are_a_sentence(bench: Bench, code: Any) -> None:
    """A model is told what it did wrong; the user is not asked."""
    told = bench.runs(code)

    assert told == ToolResult("'code' must be a text that is not empty.", "failed")
    assert bench.desk.requests == []


@pytest.mark.skipif(os.name == "nt", reason="system folders of POSIX")
def test_nothing_runs_in_a_system_folder() -> None:
    """Refused before the user is asked."""
    bench = Bench(Path("/etc"))

    told = bench.runs("x = 1")

    assert told.outcome == "failed"
    assert "/etc is a folder of the system" in told.response
    assert "x" not in bench.shell.user_ns
    assert bench.desk.requests == []


def test_a_folder_that_was_replaced_is_said_before_it_runs(tmp_path: Path) -> None:
    """In the question to the user, and to the model."""
    (tmp_path / "work").mkdir()
    bench = Bench(tmp_path / "work")
    remember(bench.session, bench.folder())
    (tmp_path / "work").rename(tmp_path / "old")
    (tmp_path / "work").mkdir()

    told = bench.runs("1")

    assert "was replaced by another one" in bench.desk.requests[0].summary
    assert "was replaced by another one" in told.response


def test_a_folder_that_changes_while_the_user_thinks_is_looked_at_again(tmp_path: Path) -> None:
    """Leave for one folder is no leave for a system folder that took its place."""

    class Slow(Desk):
        async def allows(self, request: Any) -> bool:
            bench.place = Path("/etc")
            return True

    bench = Bench(tmp_path, Slow())

    assert "folder of the system" in bench.runs("x = 1").response
    assert "x" not in bench.shell.user_ns


def test_a_folder_that_the_code_removes_is_said_after(tmp_path: Path) -> None:
    """It is looked at again when the code ran."""
    (tmp_path / "work").mkdir()
    bench = Bench(tmp_path / "work")

    told = bench.runs(f"import os; os.rmdir({str(tmp_path / 'work')!r})")

    assert f"{tmp_path.resolve() / 'work'} is gone" in told.response


def test_it_runs_where_the_desk_says(bench: Bench) -> None:
    """User code runs in one thread only: the desk's."""
    ran: list[Callable[[], Any]] = []

    class Main(Desk):
        async def in_main(self, work: Callable[[], Any]) -> Any:
            ran.append(work)
            return await asyncio.to_thread(lambda: (None, "elsewhere"))

    bench.desk = Main()

    assert bench.runs("x = 1").response == "elsewhere"
    assert len(ran) == 1
    assert "x" not in bench.shell.user_ns
