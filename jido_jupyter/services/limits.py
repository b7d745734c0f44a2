"""Which calls are limited, and by what windows. Counting is the limiter's; every door of every process counts together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from jido_jupyter.core.window import Admitted, Charge, Refused, Window
from jido_jupyter.errors import RateLimited
from jido_jupyter.store.limiter import Limiter

RESUME: Final = "resume"


class Limits:
    """The rate limits of one user.

    Args:
        limiter: where calls are counted.
        per_session: window of resumes of one session.
        per_user: window of resumes of all sessions together.
        others: windows of other operations, by name; those are counted over all sessions only.
    """

    def __init__(
        self, limiter: Limiter, per_session: Window, per_user: Window, others: Mapping[str, Window] | None = None
    ) -> None:
        self._limiter = limiter
        self._per_session = per_session
        self._per_user = {RESUME: per_user, **(others or {})}

    @property
    def windows(self) -> Mapping[str, Window]:
        """The window of each operation, over all sessions."""
        return self._per_user

    def window(self, operation: str, key: str | None = None) -> Window:
        """Return the window of an operation: of one session, or over all of them."""
        return self._per_user[operation] if key is None else self._per_session

    def acquire(self, operation: str, key: str | None = None) -> Admitted:
        """Count a call, before its work is done: one that then fails has counted too.

        Args:
            operation: such as `RESUME`.
            key: the session; None when the target named none.

        Raises:
            RateLimited: a window is full; the call did not count.
        """
        verdict = self._limiter.acquire(self._charges(operation, key))
        if isinstance(verdict, Refused):
            raise _refusal(operation, verdict)
        return verdict

    def check(self, operation: str, key: str | None = None) -> Admitted | Refused:
        """Say what `acquire` would say now, and count nothing."""
        return self._limiter.check(self._charges(operation, key))

    def _charges(self, operation: str, key: str | None) -> list[Charge]:
        charges = [Charge(f"{operation}/user", self._per_user[operation])]
        if key is not None:
            charges.append(Charge(f"{operation}/session/{key}", self._per_session))
        return charges


def _refusal(operation: str, verdict: Refused) -> RateLimited:
    window = verdict.charge.window
    wait_s = math.ceil(verdict.retry_after_s)
    return RateLimited(operation, window.limit, window.seconds, wait_s, is_closed=verdict.is_closed)
