"""What a user waits for in a notebook: a turn that is saved, an answer that streams, a list. Measured in real kernels.

The model is the tests' own server, in this process; the kernel's processor time is its own account of it.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Final

from bench.corpus import SEARCHED, corpus
from bench.rows import Row, judged
from bench.scale import MB, Scale
from bench.store import KEY
from tests.support.kernels import Kernel, running
from tests.support.openai_loopback import Loopback

RATE: Final = 200  # pieces of an answer a second

# Cells print their result as JSON in the last line.
_SAVED: Final = """
import json, time, statistics
import jido_jupyter as jido
from jido_jupyter.assistants.port import StepEnd, TextDelta
from jido_jupyter.notebook.kernel import kernel

class Echo:
    model_id = label = "bench:echo"
    async def step(self, said, instruction, tools, emit, stop):
        emit(TextDelta("word " * 800))
        self.ended = time.perf_counter()
        return StepEnd("complete")

echo, took = Echo(), []
session = jido.new("bench")
while sum(len(message.text) for message in session.messages) < {size}:
    session.record("user", "text " * 20_000)
session._assistant = lambda: echo
for number in range({rounds}):
    session.ask("go on")
    took.append(saved[0] - echo.ended)
print(json.dumps(statistics.median(took)))
"""

_WRAP: Final = """
import time
from jido_jupyter.services.live import LiveSession
saved, record = [0.0], LiveSession.record
def timed(self, *arguments, **options):
    record(self, *arguments, **options)
    saved[0] = time.perf_counter()
LiveSession.record = timed
"""

# The engine alone: the same question over the same port, nothing shown and nothing stored.
_ALONE: Final = """
import json, resource
from jido_jupyter.assistants.port import StopToken
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.notebook.kernel import kernel

def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

question = Message("q", "user", (text_part("count"),), "2026-01-01T00:00:00.000Z")
assistant = kernel().assistant()
before = spent()
kernel().engine.submit(assistant.step([question], "", (), lambda event: None, StopToken())).result()
print(json.dumps(spent() - before))
"""
_BEFORE: Final = "before = spent()"
_AFTER: Final = "print(json.dumps(spent() - before))"

_LIST: Final = """
import json, time, statistics
took = []
for number in range({rounds}):
    started = time.perf_counter()
    get_ipython().run_line_magic("jido", "list")
    took.append(time.perf_counter() - started)
print(json.dumps(statistics.median(took)))
"""


def run(scale: Scale) -> list[Row]:
    return [*_saved(scale), *_streaming(scale), *_list(scale)]


def _saved(scale: Scale) -> list[Row]:
    """From the end of the model's answer to the answer on disk, the notebook's looks with it."""
    with _home(scale) as home, running(Path(home)) as kernel:
        _ok(kernel, "%load_ext jido_jupyter")
        _ok(kernel, _WRAP)
        value = _ok(kernel, _SAVED.format(size=MB, rounds=scale.rounds))
    return [judged("notebook", "from the end of an answer to saved, session of 1 MB", value * 1e3, "ms", "saved")]


def _streaming(scale: Scale) -> list[Row]:
    """Processor time of a kernel while an answer streams: shown, journalled and saved, beside the engine alone."""
    pieces = RATE * (10 if scale.rounds > 10 else 1)
    shares = []
    with Loopback() as server:
        env = {"OPENAI_BASE_URL": server.url, "JIDO_MODEL": f"openai:count-{pieces}+delay-{1000 // RATE}"}
        for _ in range(3):
            with _home(scale) as home, running(Path(home), **env) as kernel:
                _ok(kernel, "%load_ext jido_jupyter")
                _ok(kernel, _ALONE)  # the first question imports
                alone = _ok(kernel, _ALONE)
                _ok(kernel, _BEFORE)
                assert kernel.run("%%jido\ncount").status == "ok"
                whole = _ok(kernel, _AFTER)
                shares.append(100 * (whole - alone) / (pieces / RATE))
    name = f"an answer of {RATE} pieces a second: processor beyond the engine alone"
    return [judged("notebook", name, statistics.median(shares), "% of a core", "streaming")]


def _list(scale: Scale) -> list[Row]:
    count = min(SEARCHED, max(scale.corpora))
    sessions, _ = corpus(scale.folder, count)
    with _home(scale) as home:
        keys = Path(home, "config", "jido", "keys")
        keys.mkdir(parents=True, mode=0o700)
        os.chmod(keys.parent, 0o700)
        (keys / "0001").write_bytes(KEY)
        (keys / "0001").chmod(0o600)
        with running(Path(home), JIDO_HOME=sessions, JIDO_MAX_SESSIONS="1000000") as kernel:
            _ok(kernel, "%load_ext jido_jupyter")
            _ok(kernel, "%jido list")  # makes the index
            value = _ok(kernel, _LIST.format(rounds=scale.rounds))
    return [judged("notebook", f"%jido list of {count:,} sessions", value * 1e3, "ms", "list magic")]


def _home(scale: Scale) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=scale.folder)


def _ok(kernel: Kernel, code: str) -> float:
    ran = kernel.run(code, timeout_s=300)
    assert ran.status == "ok", ran.error or ran
    last = ran.text.strip().splitlines()[-1:] or ["0"]
    try:
        return float(json.loads(last[0]))
    except ValueError:
        return 0.0
