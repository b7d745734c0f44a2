"""A real kernel with a store of its own, driven as a front end drives it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Ran:
    """What one cell did."""

    status: str
    text: str = ""  # everything that was shown, as plain text, updates in place
    html: str = ""  # the last shown HTML
    error: str = ""  # what a front end shows for an error
    updates: int = 0  # of displays
    counts: dict[str, int] = field(default_factory=dict)


class Kernel:
    """A running kernel; see `running`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=dict(env))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def pid(self) -> int:
        assert self.manager.provisioner is not None
        return int(self.manager.provisioner.process.pid)  # type: ignore[attr-defined]

    def run(
        self, code: str, *, timeout_s: float = 60, during: Callable[[Ran], None] | None = None, cell_id: str = "cell-1"
    ) -> Ran:
        """Run a cell and wait for its end.

        Args:
            during: called after each message; may interrupt or kill.
        """
        msg = self.client.session.msg("execute_request", _request(code), metadata={"cellId": cell_id})
        self.client.shell_channel.send(msg)
        ran = Ran("")
        shown: dict[str, str] = {}
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                got = self.client.get_iopub_msg(timeout=0.2)
            except Exception:  # nothing came; jupyter_client raises queue.Empty or zmq's own
                if not self.manager.is_alive():
                    ran.status = "dead"
                    break
                continue
            if got["parent_header"].get("msg_id") != msg["header"]["msg_id"]:
                continue
            kind, content = got["msg_type"], got["content"]
            ran.counts[kind] = ran.counts.get(kind, 0) + 1
            if kind in ("display_data", "update_display_data", "execute_result"):
                place = content.get("transient", {}).get("display_id") or f"#{len(shown)}"
                shown[place] = content["data"].get("text/plain", "")
                ran.html = content["data"].get("text/html", ran.html)
                ran.updates += kind == "update_display_data"
            elif kind == "stream":
                shown[f"#{len(shown)}"] = content["text"]
            elif kind == "error":
                ran.error = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content["traceback"]))
            ran.text = "\n".join(shown.values())
            if during:
                during(ran)
            if kind == "status" and content["execution_state"] == "idle":
                ran.status = "error" if ran.error else "ok"
                break
        assert ran.status, f"no end within {timeout_s} s: {code!r}"
        return ran

    def kill(self) -> None:
        """End the process as a crash does."""
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which Jupyter and jido keep everything below ``home`` and nothing of the user's is seen."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JIDO_", "JPY_", "OPENAI_", "OLLAMA_"))
    }
    places = {
        "HOME": home,
        "JIDO_HOME": home / "jido",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
    }
    return {
        **kept,
        **{name: str(path) for name, path in places.items()},
        "PYTHONPATH": str(ROOT),
        "OLLAMA_HOST": "127.0.0.1:9",  # nothing answers there: no test depends on what runs on this machine
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **more,
    }


@contextmanager
def running(home: Path, **more: str) -> Iterator[Kernel]:
    """Yield a kernel that keeps everything below ``home``."""
    kernel = Kernel(environment(home, **more))
    try:
        yield kernel
    finally:
        kernel.stop()


def _request(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }
