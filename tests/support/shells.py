"""A real IPython shell in this process, with a history of its own that is never written."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


def make_shell() -> Any:
    """Return a fresh shell."""
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    shell = InteractiveShell(config=config, user_ns={})
    shell.history_manager.end_session()  # stops the thread that writes the history
    return shell


def run(shell: Any, *cells: str) -> None:
    """Run cells as a front end does; cell ids are c1, c2 ... by execution count."""
    for code in cells:
        shell.run_cell(code, store_history=True, cell_id=f"c{shell.execution_count}")
