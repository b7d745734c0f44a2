"""The quiet line at start-up: there when the notebook has a session, cheap, and never an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jido_jupyter.notebook import offer
from jido_jupyter.store.glimpse import Glimpse
from tests.support.kernels import environment, running
from tests.support.magic_shell import MagicShell

LOAD = "%load_ext jido_jupyter"


def notebook(path: Path, session_id: str | None) -> str:
    metadata = {"jido_jupyter": {"session": session_id}} if session_id else {}
    path.write_text(json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return str(path)


def here() -> Glimpse | None:
    return offer.find(os.environ["JPY_SESSION_NAME"])


def test_a_notebook_with_a_session_is_offered_it(tmp_path: Path) -> None:
    """One line in a real kernel, by the notebook's path; resume without a target takes that session."""
    path = notebook(tmp_path / "Ärger.ipynb", None)
    cache = str(tmp_path / "cache")
    with running(tmp_path, JPY_SESSION_NAME=path, XDG_CACHE_HOME=cache) as kernel:
        assert kernel.run(LOAD).text == ""
        kernel.run("%%jido\nHow do I save a session?")
        kernel.run("%jido list")
        kernel.kill()
    with running(tmp_path, JPY_SESSION_NAME=path, XDG_CACHE_HOME=cache) as kernel:
        loaded = kernel.run(LOAD)
        resumed = kernel.run("%jido resume")

    assert loaded.text == (
        "This notebook has a session: “How do I save a session?”, just now, 2 messages. %jido resume goes on with it."
    )
    assert loaded.status == "ok"
    assert "Full context" in resumed.text


def test_the_pointer_of_the_file_comes_first(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that was moved names its session itself; one that points nowhere is silent."""
    session = shell.kernel.new("Pointed to")
    shell.kernel.sessions.list()
    monkeypatch.setenv("JPY_SESSION_NAME", notebook(shell.home / "moved.ipynb", session.id))

    found = here()
    monkeypatch.setenv("JPY_SESSION_NAME", notebook(shell.home / "other.ipynb", "0123456789abcdef"))

    assert found is not None
    assert found.title == "Pointed to"
    assert here() is None


def test_a_trashed_session_is_not_offered(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index may not know yet; the folder does."""
    session = shell.kernel.new("Gone")
    shell.kernel.sessions.list()
    shell.run("close")
    os.rename(
        shell.home / "jido" / "sessions" / f"{session.id}.jsonl", shell.home / "jido" / "trash" / f"{session.id}.jsonl"
    )
    monkeypatch.setenv("JPY_SESSION_NAME", notebook(shell.home / "a.ipynb", session.id))

    assert here() is None


@pytest.mark.parametrize(
    "damage", ["no store", "no index", "broken index", "broken store", "bad setting", "no notebook"]
)
def test_it_is_never_an_error(shell: MagicShell, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """Whatever is missing or broken: silence."""
    session = shell.kernel.new("One")
    shell.kernel.sessions.list()
    monkeypatch.setenv("JPY_SESSION_NAME", notebook(shell.home / "a.ipynb", session.id))
    assert here() is not None
    [index] = (shell.home / "cache").rglob("index-*.sqlite")
    if damage == "no store":
        monkeypatch.setenv("JIDO_HOME", str(shell.home / "nowhere"))
    elif damage == "no index":
        index.unlink()
    elif damage == "broken index":
        for path in (shell.home / "cache").rglob("index-*"):
            path.write_bytes(b"no database at all" * 100)
    elif damage == "broken store":
        (shell.home / "jido" / "store.json").write_text("[")
    elif damage == "bad setting":
        monkeypatch.setenv("JIDO_MAX_SESSIONS", "many")
    else:
        monkeypatch.setenv("JPY_SESSION_NAME", str(shell.home))

    assert here() is None


def test_told_in_one_line() -> None:
    """A title with line ends stays one line; a session without turns says no age."""
    found = Glimpse("a" * 16, "Churn\nmodel", "2026-11-22T10:00:00.000Z", 1)

    told = offer.told(found, datetime(2026, 11, 22, 13, tzinfo=UTC))

    assert told == ("This notebook has a session: “Churn model”, 3 hours ago, 1 message. %jido resume goes on with it.")


def test_loading_imports_next_to_nothing(tmp_path: Path) -> None:
    """Neither store nor model library, also where there is a session to offer; unloading leaves nothing behind."""
    code = (
        "import sys; from tests.support.shells import make_shell; import jido_jupyter as j; ip = make_shell(); "
        "before = len(ip.Completer.custom_matchers); j.load_ipython_extension(ip); "
        "print([m for m in ('pydantic', 'anywidget', 'markdown_it', 'jido_jupyter.store.file') if m in sys.modules]); "
        "j.unload_ipython_extension(ip); print(len(ip.Completer.custom_matchers) == before)"
    )
    env = environment(tmp_path, JPY_SESSION_NAME=notebook(tmp_path / "a.ipynb", None))

    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)

    assert ran.stdout.split("\n")[:2] == ["[]", "True"], ran.stderr
