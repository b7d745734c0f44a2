"""The magics in a real kernel: the whole story, and each way in which it can go wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kernels import Kernel, running
from tests.support.openai_loopback import Loopback

LOAD = "%load_ext jido_jupyter"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    with running(tmp_path) as started:
        started.run(LOAD)
        yield started


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


def talking_to(server: Loopback, model: str) -> dict[str, str]:
    return {"JIDO_MODEL": f"openai:{model}", "OPENAI_BASE_URL": server.url}


def test_the_story(tmp_path: Path) -> None:
    """Ask, lose the kernel, resume in one line, go on with the earlier turns; the sixth resume has to wait."""
    with running(tmp_path) as kernel:
        assert kernel.run(LOAD).text == ""
        asked = kernel.run("%%jido\nHow do I save a session?")
        assert asked.status == "ok", asked.error
        assert "not a language model" in asked.text
        assert "saved · built-in guide" in asked.text
        assert asked.counts["display_data"] == 1
        assert asked.updates > 5
        assert "on disk" in kernel.run("%jido save").text
        assert re.search(r"1 +\w{8} +How do I save a session\?", kernel.run("%jido list").text)
        kernel.kill()

    with running(tmp_path) as kernel:
        kernel.run(LOAD)
        resumed = kernel.run("%jido resume 1")
        assert "Full context: 1 question, 2 messages" in resumed.text
        assert "every turn is saved" in resumed.text
        followed = kernel.run("%%jido\nWhat did I ask before?")
        assert "How do I save a session?" in followed.text
        for _ in range(4):
            kernel.run("%jido close")
            assert kernel.run("%jido resume 1").status == "ok"
        kernel.run("%jido close")
        refused = kernel.run("%jido resume 1")
        assert refused.status == "error"
        assert re.fullmatch(r"jido: That was 5 times 'resume' within 60 s; try again in \d+ s\. .*", refused.error)


def test_a_real_endpoint_gets_the_earlier_turns(tmp_path: Path, server: Loopback) -> None:
    """With JIDO_MODEL and an address the same cells talk HTTP, and the request holds the conversation."""
    with running(tmp_path, **talking_to(server, "echo"), HTTP_PROXY="http://127.0.0.1:9") as kernel:
        kernel.run(LOAD)
        first = kernel.run("%%jido\nthe answer is 42")
        kernel.kill()
    with running(tmp_path, **talking_to(server, "echo")) as kernel:
        kernel.run(LOAD)
        kernel.run("%jido resume 1")
        kernel.run("%%jido\nand now?")

    assert "You said: the answer is 42" in first.text
    sent = server.requests[-1].messages
    assert sent[-3:] == [
        ("user", "the answer is 42"),
        ("assistant", "You said: the answer is 42"),
        ("user", "and now?"),
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%jido resume 99", "There is no session '99'. No session is stored yet"),
        ("%jido resume", "Say which session"),
        ("%jido show nothing", "No session is stored yet"),
        ("%jido sav", "Did you mean '%jido save'?"),
        ("%jido hologram", "'%jido help' lists what it knows"),
        ("%jido save", "'%%jido' and a question start one"),
        ("%jido close", "'%jido resume' opens one"),
        ("%jido restore zz", "The trash holds nothing"),
        ("%jido model gpt-4", "openai:<model name>"),
        ("%%jido\n  \n", "Write it in the lines below"),
        ("%%jido what now\nx", "Write the question in the lines below"),
        ('%jido resume "unclosed', "There is no session"),
    ],
)
def test_wrong_input_is_one_clear_sentence(kernel: Kernel, code: str, words: str) -> None:
    """No traceback, one line, with the next step."""
    ran = kernel.run(code)

    assert ran.status == "error"
    assert words in ran.error
    assert len(ran.error.splitlines()) == 1


def test_wrong_targets_in_a_full_list(kernel: Kernel) -> None:
    """An ambiguous prefix names the candidates; a number out of range names the range."""
    for title in ("Alpha one", "Alpha two"):
        kernel.run(f"%jido new {title}")

    assert "fits 2 sessions" in kernel.run("%jido show alpha").error
    assert "numbers 1 to 2" in kernel.run("%jido show 99").error


def test_a_second_kernel_is_offered_the_ways_on(tmp_path: Path, kernel: Kernel) -> None:
    """A session that is open elsewhere is not opened silently; take-over works, and the first kernel is told."""
    kernel.run("%%jido\nhello")
    with running(tmp_path, JPY_SESSION_NAME="/home/me/second.ipynb") as second:
        second.run(LOAD)
        refused = second.run("%jido resume 1")
        read = second.run("%jido show 1")
        taken = second.run("%jido resume 1 --take-over")
        lost = kernel.run("%%jido\nstill mine?")
        listed = kernel.run("%jido list")

    assert f"process {kernel.pid}" in refused.error
    assert "--take-over" in refused.error
    assert "hello" in read.text
    assert taken.status == "ok"
    assert re.search("taken over elsewhere.*--take-over.*%jido new", lost.error)
    assert listed.text.count("hello") == 1
    assert "open in second.ipynb" in listed.text


def test_resuming_what_is_open_here_is_no_error(kernel: Kernel) -> None:
    """Run All without a restart works: the session is shown, and stays open."""
    kernel.run("%%jido\nhello")

    assert "Full context" in kernel.run("%jido resume 1").text
    assert kernel.run("%%jido\nand on").status == "ok"


def test_interrupt_keeps_and_marks_what_had_come(tmp_path: Path, server: Loopback) -> None:
    """After an interrupt the stored text is the shown text, marked; the next cell works."""
    with running(tmp_path, **talking_to(server, "count-400+delay-10")) as kernel:
        kernel.run(LOAD)
        sent = []

        def press(ran) -> None:
            if "20 " in ran.text and not sent:
                sent.append(True)
                kernel.manager.interrupt_kernel()

        ran = kernel.run("%%jido\ncount", during=press)
        shown = kernel.run("%jido show 1").text
        after = kernel.run("1 + 1")

    assert ran.status == "error"
    assert ran.error == "jido: Interrupted; what had arrived is kept in the session. Ask again, or go on."
    counted = re.findall(r"\d+", ran.text.split("interrupted")[0])
    assert "20" in counted
    assert "399" not in counted
    assert " ".join(counted) in shown
    assert "interrupted" in shown
    assert after.text == "2"


@pytest.mark.parametrize(
    ("model", "words", "kept"),
    [
        ("drop-5", "was lost", "part4"),
        ("eof-5", "without saying that it is complete", "part4"),
        ("garbage-5", "cannot be read", "part4"),
        ("errchunk-5", "has trouble (502)", "part4"),
        ("err-401", "refused the key", ""),
        ("err-404", "knows no model", ""),
    ],
)
def test_a_failing_endpoint_never_looks_complete(
    tmp_path: Path, server: Loopback, model: str, words: str, kept: str
) -> None:
    """What arrived stays, with a mark and one sentence; no traceback."""
    with running(tmp_path, **talking_to(server, model)) as kernel:
        kernel.run(LOAD)
        ran = kernel.run("%%jido\nhello")
        shown = kernel.run("%jido show 1").text

    for text in (ran.text, shown):
        assert words in text
        assert kept in text
    assert "Traceback" not in ran.text + ran.error


def test_a_dead_endpoint_and_a_missing_key(tmp_path: Path) -> None:
    """Nobody there, or no key: one sentence each; the question is kept where it was asked."""
    with running(tmp_path, JIDO_MODEL="openai:x", OPENAI_BASE_URL="http://127.0.0.1:9/v1") as kernel:
        kernel.run(LOAD)
        dead = kernel.run("%%jido\nhello")
    with running(tmp_path, JIDO_MODEL="openai:x", OPENAI_API_KEY="") as kernel:
        kernel.run(LOAD)
        keyless = kernel.run("%%jido\nhello")
        listed = kernel.run("%jido list")

    assert "Nothing answers at http://127.0.0.1:9/v1" in dead.text
    assert "OPENAI_API_KEY is not set" in keyless.error
    assert listed.text.count("hello") == 1


def test_an_unusable_store_is_one_sentence(tmp_path: Path) -> None:
    """A store folder that cannot be used is told with the way out, by each magic."""
    (tmp_path / "file").write_text("")
    with running(tmp_path, JIDO_HOME=str(tmp_path / "file" / "home")) as kernel:
        kernel.run(LOAD)
        for code in ("%jido list", "%%jido\nhello"):
            ran = kernel.run(code)
            assert "choose another" in ran.error
            assert len(ran.error.splitlines()) == 1


def test_an_invalid_setting_is_named(tmp_path: Path) -> None:
    """A wrong value is refused by name, not taken for another."""
    with running(tmp_path, JIDO_MAX_SESSIONS="many") as kernel:
        kernel.run(LOAD)
        assert "JIDO_MAX_SESSIONS='many'" in kernel.run("%jido list").error


def test_a_damaged_session_does_not_hide_others(tmp_path: Path, kernel: Kernel) -> None:
    """The list shows it with its reason; resuming it says what is wrong and where the file is."""
    kernel.run("%%jido\nhello")
    (tmp_path / "jido" / "sessions" / "bad.jsonl").write_bytes(b"\0" * 413)

    listed = kernel.run("%jido list")
    refused = kernel.run("%jido resume bad")

    assert "hello" in listed.text
    assert "413 NUL bytes" in listed.text
    assert "bad.jsonl" in refused.error


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path, kernel: Kernel) -> None:
    """The answer is shown and told to be unsaved; with room again, '%jido save' makes it durable."""
    kernel.run("%%jido\nhello")
    [path] = (tmp_path / "jido" / "sessions").iterdir()
    limit = "import resource; _, hard = resource.getrlimit(resource.RLIMIT_FSIZE); resource.setrlimit(resource.RLIMIT_FSIZE, ({}, hard))"
    kernel.run("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)")
    kernel.run(limit.format(path.stat().st_size + 50))

    asked = kernel.run("%%jido\nwhere are the files?")
    status = kernel.run("%jido")
    kernel.run(limit.format("hard"))
    saved = kernel.run("%jido save")

    assert "Your sessions are plain files" in asked.text
    assert "not saved yet" in asked.text
    assert "'%jido save' tries again" in status.text
    assert "4 messages, on disk" in saved.text
    assert "Your sessions are plain files" in path.read_text()


def test_no_html_of_a_model_runs(tmp_path: Path, server: Loopback) -> None:
    """Raw HTML, dangerous links and images in an answer or a title reach the page as text only."""
    hostile = "<script>x</script> <img src=x onerror=y> [a](javascript:z) ![b](http://evil/p.png) <b>t</b>"
    with running(tmp_path, **talking_to(server, "echo")) as kernel:
        kernel.run(LOAD)
        pages = [kernel.run(code).html for code in (f"%%jido\n{hostile}", "%jido list", "%jido show 1", "%jido close")]
        pages.append(kernel.run("%jido resume 1").html)

    for page in pages:
        body = re.sub(r"<style>.*?</style>", "", page)
        assert "<script" not in body
        assert "<img" not in body
        assert "<b>t" not in body
        assert 'href="javascript' not in body


def test_cells_are_remembered(tmp_path: Path) -> None:
    """A turn knows the notebook, the cell and the execution count that it came from."""
    with running(tmp_path, JPY_SESSION_NAME="/home/me/work.ipynb") as kernel:
        kernel.run(LOAD)
        kernel.run("%%jido\nhello", cell_id="abc-1")
        told = kernel.run("import jido_jupyter as jido; jido.current().messages[0].origin")

    assert told.text == "Origin(notebook='/home/me/work.ipynb', cell_id='abc-1', execution_count=2)"


def test_the_python_api(kernel: Kernel) -> None:
    """The documented names do in Python what the magics do."""
    kernel.run("import jido_jupyter as jido; s = jido.new('By hand')")
    kernel.run("s.record('user', 'said elsewhere'); s.rename('Renamed')")
    assert kernel.run("s.ask('hello').answer.status").text == "'complete'"
    assert kernel.run("s.title, len(s.messages), s.usage.input_tokens, s.todos").text == "('Renamed', 3, None, ())"
    assert kernel.run("s.close(); [t.title for t in jido.sessions('ren*')]").text == "['Renamed']"
    assert kernel.run("jido.resume('ren').id == s.id").text == "True"


def test_ollama_is_offered_but_used_only_when_chosen(tmp_path: Path, server: Loopback) -> None:
    """A local model that is found is named once; after '%jido model' it answers, in later kernels too."""
    host = server.url.removesuffix("/v1")
    with running(tmp_path, OLLAMA_HOST=host) as kernel:
        kernel.run(LOAD)
        offered = kernel.run("%%jido\nhello")
        again = kernel.run("%%jido\nhello")
        chosen = kernel.run("%jido model ollama:echo")
    with running(tmp_path, OLLAMA_HOST=host) as kernel:
        kernel.run(LOAD)
        answered = kernel.run("%%jido\nhello")

    assert "'%jido model ollama:echo' uses it" in offered.text
    assert "not a language model" in offered.text
    assert "Ollama" not in again.text
    assert "ollama:echo (you chose it" in chosen.text
    assert "You said: hello" in answered.text


def test_loading_imports_no_model_library(kernel: Kernel) -> None:
    """Until the first question nothing heavy is imported, by listing neither."""
    kernel.run("%jido list")

    heavy = (
        "[name for name in ('pydantic', 'pydantic_ai', 'openai', 'anywidget', 'markdown_it') if name in sys.modules]"
    )
    assert kernel.run(f"import sys; {heavy}").text == "[]"


def test_a_notebook_without_input_works(tmp_path: Path) -> None:
    """In plain IPython the answer is printed as it comes, once."""
    import subprocess
    import sys

    from tests.support.kernels import environment

    code = "%load_ext jido_jupyter\n%jido list\nget_ipython().run_cell_magic('jido', '', 'hello')\n"
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "--simple-prompt"],
        input=code,
        env=environment(tmp_path) | {"TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.stdout.count("Welcome! Everything said here is kept") == 1, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    assert os.listdir(tmp_path / "jido" / "sessions")


def test_a_tool_in_a_kernel_without_input(tmp_path: Path, server: Loopback) -> None:
    """The call stands in the one output that grows, folded, with its result and the tokens; nobody is asked twice."""
    with running(tmp_path, **talking_to(server, "tool")) as kernel:
        kernel.run(LOAD)
        kernel.run("frame = [1, 2, 3]")
        ran = kernel.run("%%jido --attach frame\nlook")
        shown = kernel.run("%jido show 1")

    assert ran.status == "ok", ran.error
    assert "<details class='jido-fold'>" in ran.html
    assert re.search(r"\[tool\] \w+\(.*\) · (done|failed|denied)", ran.text)
    assert re.search(r"[\d,]+ tokens in, [\d,]+ out\]", ran.text)
    assert "[attached frame]" in shown.text
    assert "[1, 2, 3]" in shown.text


def test_nbclient_runs_the_verbs(tmp_path: Path) -> None:
    """Without a front end nothing waits for input, and no cell fails."""
    import nbformat
    from nbclient import NotebookClient

    from tests.support.kernels import environment

    cells = [
        LOAD,
        "%%jido\nhello",
        "%jido retry",
        "%jido continue",
        "%jido list",
        "%jido cleanup",
        "%jido log",
        "%jido limits",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])

    NotebookClient(notebook, timeout=60).execute(env=environment(tmp_path), cwd=str(tmp_path))

    assert all(cell.outputs for cell in notebook.cells[1:])
