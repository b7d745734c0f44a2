"""Token counts, by the names that libraries give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jido_jupyter.core.messages import Usage


def usage_of(found: Any) -> Usage | None:
    """Return the counts of an answer; None where the server did not say."""
    if not isinstance(found, Mapping):
        return None
    usage = Usage(
        _count(found, "input_tokens", "prompt_tokens", "request_tokens"),
        _count(found, "output_tokens", "completion_tokens", "response_tokens"),
    )
    return None if usage.input_tokens is None and usage.output_tokens is None else usage


def _count(found: Mapping[str, Any], *names: str) -> int | None:
    counts = [found.get(name) for name in names]
    return next(
        (count for count in counts if isinstance(count, int) and not isinstance(count, bool) and count >= 0), None
    )
