"""`jido.watch` in a real kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from jido_jupyter.connection import connect
from tests.adapters.conftest import told
from tests.support.kernels import running


@pytest.mark.kill
def test_a_kernel_that_is_killed(tmp_path: Path, monkeypatch) -> None:
    """In a real kernel: what stood in a watched list when a cell ended is there after SIGKILL, and a restart goes on."""
    with running(tmp_path) as kernel:
        kernel.run("import jido_jupyter as jido; chat = []; watch = jido.watch(chat, 'Watched')")
        for number in range(5):
            assert kernel.run(f"chat.append({{'role': 'user', 'content': 'question {number}'}})").status == "ok"
        kernel.kill()
    with running(tmp_path) as kernel:
        went_on = kernel.run(
            "import jido_jupyter as jido; session = jido.resume('Watched')\n"
            "from jido_jupyter.adapters import to_openai\n"
            "chat = to_openai(session.messages); watch = jido.watch(chat, session=session)\n"
            "chat.append({'role': 'user', 'content': 'after'})"
        )
        assert went_on.status == "ok", went_on
        kernel.kill()

    monkeypatch.setenv("JIDO_HOME", str(tmp_path / "jido"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    sessions = connect().sessions
    [summary] = sessions.list()
    state = sessions.show(summary.id).state
    assert [text for _, text in told(state)] == [*(f"question {number}" for number in range(5)), "after"]
    assert state.messages[0].origin.cell_id == "cell-1"
