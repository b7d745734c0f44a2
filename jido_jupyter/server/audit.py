"""Who did what with which session, as events for the administrator: ``c.EventLogger.handlers`` writes them to a file.

They hold no title, no text and no token. The schema stands in ``audit.yaml``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jido_jupyter.core.times import stamp

SCHEMA_ID: Final = "https://jido-jupyter.readthedocs.io/events/access/v1"
SCHEMA: Final = Path(__file__).parent / "audit.yaml"

_EXPORTS: Final = ("exportSession", "readLog")  # a whole session leaves
_SIGNS_OF_LIFE: Final = ("extendLease", "beat")  # three a minute, and nothing happens


def is_told(operation: str, is_change: bool, status: int) -> bool:
    """Return whether an answer is worth an event."""
    return status in (403, 429) or operation in _EXPORTS or (is_change and operation not in _SIGNS_OF_LIFE)


def entry(operation: str, session_id: str | None, user: str | None, status: int, code: str | None) -> dict[str, Any]:
    """Return an event.

    Args:
        session_id: checked, as anything may stand in an address.
        user: name of the identity; None for whoever holds the server's token.
        code: of the problem, when it was refused.
    """
    return {
        "at": stamp(datetime.now(UTC)),  # the logger's own time is no ISO time
        "operation": operation,
        "session": session_id,
        "user": user,
        "status": status,
        "code": code,
    }
