"""The kernel's session: taken up again in another kernel, with what is missing there, and with tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.connection import connect
from jido_jupyter.core.messages import Origin
from jido_jupyter.errors import InvalidRequest, RateLimited, SessionOpen, StoreFull
from jido_jupyter.notebook.kernel import Kernel
from jido_jupyter.notebook.surroundings import NotebookSurroundings
from jido_jupyter.services.comparison import Cells
from tests.support import kernels
from tests.support.openai_loopback import Loopback
from tests.support.scripted import Scripted
from tests.support.shells import make_shell, run

MakeKernel = Callable[[], tuple[Kernel, Any]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeKernel]:
    """Return what makes a kernel on one store, and its shell."""
    for name, value in kernels.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    made: list[Kernel] = []

    def make() -> tuple[Kernel, Any]:
        shell = make_shell()
        made.append(Kernel(connect(), NotebookSurroundings(shell)))
        return made[-1], shell

    yield make
    for kernel in made:
        if kernel.session is not None:
            kernel.close()


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what saves the kernel's notebook, with a pointer to a session and cells."""

    def save(name: str, session: str | None = None, **sources: str) -> str:
        metadata = {"jido_jupyter": {"session": session}} if session else {}
        cells = [{"id": cell_id, "source": source, "outputs": []} for cell_id, source in sources.items()]
        (tmp_path / name).write_text(json.dumps({"cells": cells, "metadata": metadata}))
        monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / name))
        return str(tmp_path / name)

    return save


def asked(kernel: Kernel, *calls: tuple[str, dict[str, Any]], **more: Any) -> Scripted:
    assistant = Scripted(*calls)
    kernel.current().ask("Hi", assistant=assistant, **more)
    return assistant


def test_a_new_kernel_gets_back_what_the_old_one_had(make: MakeKernel, notebook: Callable[..., str]) -> None:
    """The briefing names what is gone, the cells that make it run again, and the model knows meanwhile."""
    notebook("a.ipynb", c1="import math", c2="r = 2")
    old, shell = make()
    session = old.new()
    run(shell, "import math", "r = 2", "area = math.pi * r", "unrelated = 'x'")
    asked(old)
    old.close()
    notebook("a.ipynb", c1="import math", c2="r = 3", c9="new")
    new, shell = make()

    session, briefing = new.resume(session.id[:8])
    gone = asked(new)
    codes = new.rebuild()
    for code in codes:
        run(shell, code)
    back = asked(new)

    assert briefing.lines[1] == "Cells of the notebook since then: 1 changed, 1 new."
    assert briefing.lines[2] == (
        "This kernel is new, and lacks 3 variables: area, r, unrelated, and 1 import: math. "
        "Running 4 cells again would bring back area, r, unrelated, math."
    )
    assert codes == ("import math", "r = 2", "area = math.pi * r", "unrelated = 'x'")
    assert new.rebuild() == ()  # all of it is back
    assert shell.user_ns["area"] == pytest.approx(6.283, abs=0.001)
    assert "The kernel is new" in gone.instruction
    assert "do not exist any more: area, r, unrelated, math." in gone.instruction
    assert "do not exist" not in back.instruction


def test_cells_that_were_saved_late_are_not_new(make: MakeKernel, notebook: Callable[..., str]) -> None:
    """The file is older than what ran and what was asked; what came later is new, and what changed since is changed."""
    notebook("a.ipynb", c1="x = 1")
    old, shell = make()
    session = old.new()
    run(shell, "x = 1", "y = 2", "z = 3", "q = 4")
    asked(old, origin=Origin(None, "ask", 5))
    old.close()
    late = {"c1": "x = 1", "c2": "y = 2", "c3": "z = 33", "pasted": "q = 4", "ask": "%%jido\nHi", "empty": ""}

    notebook("a.ipynb", **late)
    _, briefing = make()[0].resume(session.id[:8])
    notebook("a.ipynb", **late, c9="w = 9")
    _, later = make()[0].resume(session.id[:8], take_over=True)

    assert briefing.cells == Cells(changed=("c3",), kept=1)
    assert later.cells == Cells(changed=("c3",), new=("c9",), kept=1)


def test_a_turn_stores_what_it_left(make: MakeKernel) -> None:
    """Once: a turn after which nothing differs adds no record."""
    kernel, shell = make()
    session = kernel.new()
    run(shell, "x = 1")
    asked(kernel)
    stored = kernel.sessions.show(session.id).state.context
    count = kernel.sessions.show(session.id).record_count
    asked(kernel)

    assert stored is not None
    assert stored["variables"]["x"] == {"type": "int", "hash": stored["variables"]["x"]["hash"], "by": "1"}
    assert kernel.sessions.show(session.id).record_count == count + 2  # question and answer


def test_a_session_that_is_new_has_nothing_to_rebuild(make: MakeKernel) -> None:
    """The briefing belongs to the session that it was made for."""
    kernel, shell = make()
    kernel.new()
    run(shell, "x = 1")
    asked(kernel)
    first = kernel.close()
    other, _ = make()
    other.resume(first.id)
    resumed = other.rebuild()
    other.new()

    assert resumed == ("x = 1",)
    assert other.rebuild() == ()


def test_the_notebook_takes_its_own_session(make: MakeKernel, notebook: Callable[..., str]) -> None:
    """Without a target: the one that it points to, before the last one that went on in it."""
    path = notebook("a.ipynb")
    kernel, _ = make()
    pointed, later = kernel.new("Pointed").id, kernel.new("Later").id
    kernel.close()
    by_path = kernel.resume()[0].id
    notebook("a.ipynb", session=pointed)
    by_pointer = kernel.resume()[0].id
    notebook("a.ipynb", session="deleted1")
    by_nothing_else = kernel.of_this_notebook()

    assert (by_path, by_pointer, by_nothing_else) == (later, pointed, by_nothing_else)
    assert kernel.sessions.show(pointed).state.notebook == path


def test_a_notebook_without_a_session_says_what_to_do(make: MakeKernel, notebook: Callable[..., str]) -> None:
    """There is nothing to guess."""
    notebook("a.ipynb")
    kernel, _ = make()

    with pytest.raises(InvalidRequest, match="Say which session"):
        kernel.resume()


def test_a_renamed_notebook_keeps_its_session(make: MakeKernel, notebook: Callable[..., str], tmp_path: Path) -> None:
    """The pointer went with the file; the session is linked to the new name."""
    old_path = notebook("old.ipynb")
    kernel, _ = make()
    session = kernel.new().id
    kernel.close()
    Path(old_path).unlink()
    new_path = notebook("new.ipynb", session=session)

    _, briefing = kernel.resume()

    assert kernel.sessions.show(session).state.notebook == new_path
    assert not any("copy" in line for line in briefing.lines)


def test_a_copied_notebook_is_offered_a_fork(make: MakeKernel, notebook: Callable[..., str]) -> None:
    """The session stays with the original; a session that is named is taken wherever one is."""
    original = notebook("original.ipynb")
    kernel, _ = make()
    session = kernel.new().id
    kernel.close()
    copy = notebook("copy.ipynb", session=session)

    _, briefing = kernel.resume()
    linked = kernel.sessions.show(session).state.notebook
    kernel.close()
    _, named = kernel.resume(session)

    assert briefing.lines[1].startswith(f"This notebook is a copy of {original}")
    assert linked == original
    assert not any("copy of" in line for line in named.lines)
    assert kernel.sessions.show(session).state.notebook == copy


def test_a_refused_resume_leaves_the_session_alone(make: MakeKernel) -> None:
    """Open elsewhere, or too often: its revision is the same as before."""
    first, _ = make()
    session = first.new().id
    other, _ = make()
    revision = first.sessions.show(session).revision
    with pytest.raises(SessionOpen):
        other.resume(session)
    after_open = first.sessions.show(session).revision
    first.close()
    closed = first.sessions.show(session).revision
    with pytest.raises(RateLimited):
        for _ in range(9):
            other.resume(session)

    assert after_open == revision
    assert other.session is not None
    assert closed != revision


def test_a_rate_limited_resume_leaves_the_session_alone(make: MakeKernel) -> None:
    """The sixth attempt within a minute writes nothing."""
    kernel, _ = make()
    session = kernel.new().id
    for _ in range(5):
        kernel.close()
        kernel.resume(session)
    kernel.close()
    revision = kernel.sessions.show(session).revision

    with pytest.raises(RateLimited):
        kernel.resume(session)

    assert kernel.sessions.show(session).revision == revision
    assert kernel.session is None


def test_a_system_folder_is_said_and_refuses_code(make: MakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The conversation goes on there; code does not run."""
    kernel, shell = make()
    kernel.new()
    asked(kernel)
    session = kernel.close()
    monkeypatch.chdir("/etc")

    _, briefing = kernel.resume(session.id)
    asked(kernel, ("run_code", {"code": "x = 1"}), consent=lambda request: True)

    assert "/etc is a folder of the system; no code of an assistant runs there." in " ".join(briefing.lines)
    assert "x" not in shell.user_ns
    told = next(message for message in kernel.opened().messages if message.role == "tool")
    assert "folder of the system" in told.parts[0]["response"]


def test_outside_of_ipython_a_kernel_works(make: MakeKernel) -> None:
    """A script has sessions without a notebook."""
    kernel = Kernel(connect())
    kernel.new()
    assistant = asked(kernel)

    assert assistant.offered == []
    assert kernel.rebuild() == ()
    assert kernel.close().messages


# In a kernel of its own: what depends on its threads and on how it talks to a front end.


SETUP = """\
import threading
import jido_jupyter as jido
from tests.support.scripted import Scripted
session = jido.new()
asked = []
def ask(*calls, allow=True):
    turn = session.ask("Hi", assistant=Scripted(*calls), consent=lambda request: asked.append(request) or allow)
    return [part for message in turn.said if message.role == "tool" for part in message.parts]
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kernels.Kernel]:
    with kernels.running(tmp_path_factory.mktemp("home")) as started:
        assert started.run(SETUP).status == "ok"
        yield started


def test_code_runs_in_the_main_thread_and_is_shown(kernel: kernels.Kernel) -> None:
    """Where the user's code runs; its output is in the cell, and in the session."""
    code = "where = threading.current_thread() is threading.main_thread(); print('from the tool'); 40 + 2"

    ran = kernel.run(f"told = ask(('run_code', {{'code': {code!r}}}))")
    told = kernel.run("print(where, told, asked[-1].code == told and 1)").text

    assert ran.status == "ok", ran.error
    assert "from the tool" in ran.text
    assert "42" in ran.text
    assert "True" in told
    assert r"from the tool\n42" in told


def test_an_error_of_the_code_does_not_fail_the_cell(kernel: kernels.Kernel) -> None:
    """The model is told, and may try again."""
    kernel.run("told = ask(('run_code', {'code': '1/0'}), ('run_code', {'code': 'after = 1'}))")

    told = kernel.run("print(told, after)").text

    assert "ZeroDivisionError" in told
    assert "'outcome': 'failed'" in told
    assert told.endswith("1\n")


def test_a_display_in_the_code_is_told_as_text(kernel: kernels.Kernel) -> None:
    """A kernel sends it apart from what is printed."""
    code = "from IPython.display import display, HTML; display(HTML('<b>bold</b>')); display({'a': 1})"
    kernel.run(f"told = ask(('run_code', {{'code': {code!r}}}))")

    told = kernel.run("print(told[0]['response'])").text

    assert "IPython.core.display.HTML object" in told
    assert "{'a': 1}" in told


def test_nobody_to_ask_means_no(kernel: kernels.Kernel) -> None:
    """Without leave nothing runs, and the session says so."""
    kernel.run("told = ask(('run_code', {'code': 'never = 1'}), allow=False)")

    told = kernel.run("print(told, 'never' in globals())").text

    assert "'outcome': 'denied'" in told
    assert told.strip().endswith("False")


def test_an_interrupt_of_the_code_stops_the_turn(kernel: kernels.Kernel) -> None:
    """Code that hangs is interrupted like a cell; the tools behind it do not run."""
    pressed = []

    def press(ran: kernels.Ran) -> None:
        if "started" in ran.text and not pressed:
            pressed.append(True)
            kernel.manager.interrupt_kernel()

    code = "import time\nprint('started', flush=True)\ntime.sleep(30)"
    kernel.run(f"told = ask(('run_code', {{'code': {code!r}}}), ('run_code', {{'code': 'later = 1'}}))", during=press)
    told = kernel.run("print(told, session.messages[-1].status, 'later' in globals())").text

    assert pressed
    assert "'outcome': 'interrupted'" in told
    assert "interrupted False" in told
    assert kernel.run("1 + 1").text == "2"


def test_cells_of_a_real_kernel_are_recorded(kernel: kernels.Kernel) -> None:
    """With the ids that the front end gave them."""
    kernel.run("recorded = 12345", cell_id="abc-1")
    kernel.run("ask()")

    told = kernel.run(
        "found = session.live.state.context\n"
        "key = found['variables']['recorded']['by']\n"
        "print(found['made_by'][key]['cell_id'], found['made_by'][key]['code'])"
    ).text

    assert told.strip() == "abc-1 recorded = 12345"


def test_loading_hooks_nothing_and_unloading_leaves_nothing(tmp_path: Path) -> None:
    """The first use of a session begins to watch."""
    count = "ip = get_ipython(); print(sum('jido' in str(f) for e in ('pre_run_cell', 'post_run_cell') for f in ip.events.callbacks[e]))"
    with kernels.running(tmp_path) as started:
        started.run("%load_ext jido_jupyter")
        loaded = started.run(count).text
        started.run("import jido_jupyter as jido; s = jido.new()")
        used = started.run(count).text
        started.run("%unload_ext jido_jupyter")
        unloaded = started.run(count).text

    assert [text.strip() for text in (loaded, used, unloaded)] == ["0", "2", "0"]


def test_a_model_looks_at_the_variables(tmp_path: Path) -> None:
    """A real request offers the tools; the call, its result and the answer stand in the session."""
    with Loopback() as server:
        env = {"JIDO_MODEL": "openai:tool", "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"}
        with kernels.running(tmp_path, **env) as started:
            started.run("x = 12345\nimport jido_jupyter as jido")
            ran = started.run("print(jido.new().ask('What is there?').answer.text)")

    assert "The tool said: x: int = 12345" in ran.text, ran.error
    offered = [tool["function"]["name"] for tool in server.requests[0].body["tools"]]
    assert offered == ["variables", "notebook", "run_code", "todos"]


@pytest.mark.parametrize("leave", [Kernel.close, Kernel.new, lambda kernel: kernel.resume("Another")])
def test_a_session_with_unsaved_turns_is_not_left(
    make: MakeKernel, leave: Callable[[Kernel], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving it says why not, and what to do; nothing is lost, and it can be left once the disk has room."""
    kernel, _ = make()
    kernel.new("Another")
    session = kernel.new("This one")
    store = kernel.connection.store
    append = store.append

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise StoreFull("/store", "no space left on device", "Free some space.")

    monkeypatch.setattr(store, "append", refuse)
    with pytest.raises(StoreFull):
        session.record("user", "precious")
    with pytest.raises(StoreFull, match="Free some space"):
        leave(kernel)
    assert kernel.session is session
    monkeypatch.setattr(store, "append", append)

    leave(kernel)

    assert [message.text for message in kernel.sessions.show(session.id).state.messages] == ["precious"]
    assert store.owner(session.id) is None
