"""Which notebook and cell the kernel is running for; None where a front end does not say."""

from __future__ import annotations

import os
from typing import Any

from jido_jupyter.core.messages import Origin


def notebook_path() -> str | None:
    """Return the path of the kernel's notebook as far as the server told it."""
    return os.environ.get("JPY_SESSION_NAME") or None


def origin(ip: Any) -> Origin:
    """Return the cell that runs now.

    Source: jupyterlab sends ``cellId`` in the metadata of an execute request.
    """
    parent = ip.get_parent() if hasattr(ip, "get_parent") else {}
    cell_id = parent.get("metadata", {}).get("cellId") if isinstance(parent, dict) else None
    # Not ip.execution_count: newer IPythons have it at the next cell's number while a cell runs.
    number = len(ip.history_manager.input_hist_raw) - 1
    return Origin(notebook_path(), cell_id if isinstance(cell_id, str) else None, max(number, 0))


def shows_html(ip: Any) -> bool:
    """Whether output goes to a front end that renders; a terminal only prints."""
    return hasattr(ip, "kernel")
