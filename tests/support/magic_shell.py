"""A real IPython shell in this process with the magics loaded, a store of its own, and what it showed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output

import jido_jupyter
from jido_jupyter.notebook import kernel as kernels
from jido_jupyter.notebook.kernel import Kernel
from jido_jupyter.notebook.magics import Refused
from tests.support.kernels import environment
from tests.support.shells import make_shell


class Shown:
    """What a cell showed."""

    def __init__(self, printed: str, outputs: list[RichOutput]) -> None:
        # An update stands in the place of what it updates.
        places = [(output.transient or {}).get("display_id") or number for number, output in enumerate(outputs)]
        bundles = list(dict(zip(places, [output.data for output in outputs], strict=True)).values())
        self.plain = "\n".join([printed, *(bundle.get("text/plain", "") for bundle in bundles)]).strip()
        html = "".join(bundle.get("text/html", "") for bundle in bundles)
        self.html = re.sub(r"<style>.*?</style>", "", html)


class MagicShell:
    """Cells run as a user types them.

    Args:
        renders: a front end that shows HTML; otherwise a terminal.
    """

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, *, renders: bool = True) -> None:
        for name in ("JIDO_MODEL", "JIDO_STORE", "JPY_SESSION_NAME", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment(home).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        monkeypatch.chdir(home)
        monkeypatch.setattr(kernels, "_kernel", None)
        self.home = home
        self.ip: Any = make_shell()
        monkeypatch.setattr(InteractiveShell, "_instance", self.ip)  # where `display` publishes
        self.next_cells: list[str] = []
        self.ip.set_next_input = lambda text, replace=False: self.next_cells.append(text)
        if renders:
            self.ip.kernel = object()
        self._patch = monkeypatch
        jido_jupyter.load_ipython_extension(self.ip)

    @property
    def kernel(self) -> Kernel:
        return kernels.kernel()

    def run(self, line: str) -> Shown:
        """Run ``%jido line``.

        Raises:
            Refused: as a user sees it.
        """
        return self._shown(lambda: self.ip.run_line_magic("jido", line))

    def ask(self, question: str, options: str = "") -> Shown:
        """Run a ``%%jido`` cell."""
        return self._shown(lambda: self.ip.run_cell_magic("jido", options, question))

    def refused(self, line: str) -> str:
        """Return the sentence with which ``%jido line`` is refused."""
        with pytest.raises(Refused) as caught:
            self.run(line)
        return str(caught.value)

    def answers(self, *answers: str) -> list[str]:
        """Let a user type these at the questions to come; return the list in which the questions appear."""
        asked: list[str] = []
        waiting = list(answers)

        def type_in(question: str = "") -> str:
            asked.append(question)
            return waiting.pop(0)

        self._patch.setattr("builtins.input", type_in)
        return asked

    def restart(self) -> None:
        """Lose the kernel; the store stays."""
        self.stop()
        self._patch.setattr(kernels, "_kernel", None)

    def stop(self) -> None:
        if kernels._kernel is not None:
            kernels._kernel._leave()

    def _shown(self, work: Any) -> Shown:
        with capture_output() as captured:
            work()
        return Shown(captured.stdout, captured.outputs)
