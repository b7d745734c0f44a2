"""A kernel that gets SIGKILL while an answer streams: nothing acknowledged is lost, of the rest at most a second."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest

from jido_jupyter.connection import connect
from jido_jupyter.core.session import SessionState
from tests.support.kernels import Kernel, Ran, running
from tests.support.openai_loopback import Loopback

KILLS = int(os.environ.get("JIDO_TEST_KILLS", "30"))
DELTA_S = 0.005  # between two pieces of the answer
AT_MOST_LOST_S = 1.0

pytestmark = pytest.mark.kill


def killed_while_streaming(kernel: Kernel, server: Loopback, after_s: float) -> int:
    """Kill the kernel ``after_s`` into an answer; return how many pieces the server had sent a second before."""
    earlier = len(server.requests)
    first_seen: list[float] = []
    sent_by_then: list[tuple[float, int]] = []

    def watch(ran: Ran) -> None:
        now = time.monotonic()
        if ran.updates and not first_seen:
            first_seen.append(now)
        sent_by_then.append((now, len(server.requests[-1].sent) if len(server.requests) > earlier else 0))
        if first_seen and now - first_seen[0] >= after_s and kernel.manager.is_alive():
            kernel.kill()

    ran = kernel.run("%%jido\ncount", during=watch)
    assert ran.status == "dead", ran
    killed_at = sent_by_then[-1][0]
    return max((sent for at, sent in sent_by_then if at <= killed_at - AT_MOST_LOST_S), default=0)


def stored(home: Path, monkeypatch: pytest.MonkeyPatch) -> SessionState:
    monkeypatch.setenv("JIDO_HOME", str(home / "jido"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(home / "config"))
    sessions = connect().sessions
    [summary] = sessions.list()
    assert summary.problems == ()
    return sessions.show(summary.id).state


def test_kill_while_streaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One session through all kills: each acknowledged turn is there, each cut answer up to its last second."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    acknowledged: list[str] = []
    violations: list[str] = []
    with Loopback() as server:
        env = {"OPENAI_BASE_URL": server.url, "JIDO_MODEL": f"openai:count-3000+delay-{int(DELTA_S * 1000)}"}
        for number in range(KILLS):
            with running(tmp_path, **env, JIDO_RESUME_LIMIT="10000") as kernel:
                kernel.run("%load_ext jido_jupyter")
                if number:
                    assert kernel.run("%jido resume 1").status == "ok"
                acknowledged.append(f"said in trial {number}")
                recorded = kernel.run(
                    f"import jido_jupyter as jido; s = jido.current() or jido.new(); s.record('user', {acknowledged[-1]!r}).id"
                )
                assert recorded.status == "ok", recorded
                due = killed_while_streaming(kernel, server, rng.uniform(0.0, 3.0))
            state = stored(tmp_path, monkeypatch)
            texts = [message.text for message in state.messages]
            violations += [f"trial {number}: {text!r} is gone" for text in acknowledged if text not in texts]
            cut = state.messages[-1]
            kept = len(re.findall(r"\d+", cut.text)) if cut.role == "assistant" else 0
            if due and (kept < due or cut.status != "interrupted"):
                violations.append(f"trial {number}: {kept} of {due} pieces are kept, {cut.status}")
            if cut.text and cut.text.split() != [str(piece) for piece in range(kept)] and cut.role == "assistant":
                violations.append(f"trial {number}: the kept text is no beginning of the answer")

    print(f"KERNEL KILLS: {KILLS} tried, {len(violations)} violations, seed {seed}")
    assert not violations


def test_the_check_sees_a_kernel_that_does_not_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: an engine that writes only at the end of a turn loses the answer, and is caught."""
    with Loopback() as server:
        env = {"OPENAI_BASE_URL": server.url, "JIDO_MODEL": f"openai:count-3000+delay-{int(DELTA_S * 1000)}"}
        with running(tmp_path, **env) as kernel:
            kernel.run("%load_ext jido_jupyter")
            kernel.run("import jido_jupyter.assistants.turn as turn; turn.JOURNAL_S = 1e6")
            due = killed_while_streaming(kernel, server, 2.0)

    assert due > 20
    assert stored(tmp_path, monkeypatch).messages[-1].role == "user"
