"""What Tab offers, as IPython's own completer returns it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.kernels import running
from tests.support.magic_shell import MagicShell


def offered(shell: MagicShell, line: str) -> list[str]:
    """Return the whole lines that Tab would make of ``line``."""
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = list(shell.ip.Completer.completions(line, len(line)))
    return [line[: one.start] + one.text + line[one.end :] for one in found]


def test_verbs_and_options(shell: MagicShell) -> None:
    """Verbs by their beginning, options of the verb, none twice; nothing of Python's between them."""
    assert offered(shell, "%jido re") == [
        f"%jido {verb}" for verb in ("resume", "rebuild", "rename", "rewind", "retry", "restore")
    ]
    assert offered(shell, "%jido resume --t") == ["%jido resume --take-over", "%jido resume --trust"]
    assert "%jido resume --trust --trust" not in offered(shell, "%jido resume --trust --t")
    assert offered(shell, "%%jido --at") == ["%%jido --attach"]
    assert offered(shell, "%jido export --format m") == ["%jido export --format markdown"]
    assert offered(shell, "%jido help lim") == ["%jido help limits"]


def test_sessions_by_id_and_title(shell: MagicShell) -> None:
    """Short ids and titles, also in the middle of one, in quotes, and as the value of an option."""
    session = shell.kernel.new("Churn model of March")

    assert f"%jido show {session.id[:8]}" in offered(shell, "%jido show ")
    assert offered(shell, "%jido show Churn mo") == ["%jido show Churn model of March"]
    assert offered(shell, '%jido show "Churn model o') == ['%jido show "Churn model of March"']
    assert offered(shell, "%jido pin --session " + session.id[:3]) == [f"%jido pin --session {session.id[:8]}"]
    assert offered(shell, '%%jido --session "Chu') == ['%%jido --session "Churn model of March"']


def test_models_variables_tags_and_filters(shell: MagicShell) -> None:
    """Each where it belongs."""
    session = shell.kernel.new("One")
    session.tag("work")
    shell.ip.user_ns["frame"] = 1

    assert offered(shell, "%jido model gui") == ["%jido model guide:jido-guide-1"]
    assert offered(shell, "%%jido --model guide:ji") == ["%%jido --model guide:jido-guide-1"]
    assert offered(shell, "%%jido --attach fra") == ["%%jido --attach frame"]
    assert offered(shell, "%jido untag w") == ["%jido untag work"]
    assert offered(shell, "%jido list is:pi") == ["%jido list is:pinned"]
    assert offered(shell, "%jido list words no") == ["%jido list words notebook:"]


@pytest.mark.parametrize(
    "line",
    [
        "%jido",
        "%jido ",
        "%jido nonsense x",
        '%jido show "',
        "%jido -- ",
        '%jido list tag:"',
        "%%jido --session=",
        "%jido export --output /",
        "%jido \\'",
    ],
)
def test_never_raises(
    shell: MagicShell, monkeypatch: pytest.MonkeyPatch, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever stands there, and when the store is away."""
    offered(shell, line)
    monkeypatch.setattr(type(shell.kernel), "sessions", property(lambda self: 1 / 0))

    offered(shell, line)

    assert "Traceback" not in "".join(capsys.readouterr())


def test_in_a_real_kernel(tmp_path: Path) -> None:
    """As a front end asks for it."""
    with running(tmp_path) as kernel:
        kernel.run("%load_ext jido_jupyter")
        kernel.run("%jido new Churn model")
        code = "%jido show Chu"
        kernel.client.complete(code, len(code))
        reply = kernel.client.get_shell_msg(timeout=20)
        while reply["msg_type"] != "complete_reply":
            reply = kernel.client.get_shell_msg(timeout=20)

    content = reply["content"]
    assert content["matches"] == ["Churn model"]
    assert code[: content["cursor_start"]] == "%jido show "


def test_is_quick(shell: MagicShell) -> None:
    """A Tab takes a moment; bench measures it with 10,000 sessions."""
    for number in range(20):
        shell.kernel.sessions.create(f"Session {number}", [])
    offered(shell, "%jido show ")

    started = time.perf_counter()
    offered(shell, "%jido show Ses")

    assert time.perf_counter() - started < 5
