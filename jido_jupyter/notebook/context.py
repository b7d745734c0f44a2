"""Which notebook and cell the kernel is running for; None where a front end does not say."""

from __future__ import annotations

import os
from typing import Any

from jido_jupyter.core.messages import Origin


def notebook_path() -> str | None:
    """Return the path of the kernel's notebook as far as the server told it."""
    return os.environ.get("JPY_SESSION_NAME") or None


def pointer() -> str | None:
    """Return the id of the session that the saved notebook points to; None on any doubt."""
    from jido_jupyter.notebook import saved

    path = notebook_path()
    found = saved.glance(path) if path else None
    return found.session if found else None


def origin(ip: Any) -> Origin:
    """Return the cell that runs now.

    Source: jupyterlab sends ``cellId`` in the metadata of an execute request.
    """
    parent = ip.get_parent() if hasattr(ip, "get_parent") else {}
    cell_id = parent.get("metadata", {}).get("cellId") if isinstance(parent, dict) else None
    return Origin(notebook_path(), cell_id if isinstance(cell_id, str) else None, running_cell(ip))


def running_cell(ip: Any) -> int:
    """Return the execution count of the cell that runs, or ran last."""
    # Not ip.execution_count: newer IPythons have it at the next cell's number while a cell runs.
    return max(len(ip.history_manager.input_hist_raw) - 1, 0)


def shows_html(ip: Any) -> bool:
    """Whether output goes to a front end that renders; a terminal only prints."""
    return hasattr(ip, "kernel")
