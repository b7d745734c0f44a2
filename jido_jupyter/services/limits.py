"""Which calls are limited, and by what windows. Counting is the limiter's; every door of every process counts together."""

from __future__ import annotations

import math
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
    """

    def __init__(self, limiter: Limiter, per_session: Window, per_user: Window) -> None:
        self._limiter = limiter
        self._per_session = per_session
        self._per_user = per_user

    def acquire(self, operation: str, key: str | None = None) -> Admitted:
        """Count a call, before its work is done: one that then fails has counted too.

        Args:
            operation: such as `RESUME`.
            key: the session; None when the target named none.

        Raises:
            RateLimited: a window is full; the call did not count.
        """
        charges = [Charge(f"{operation}/user", self._per_user)]
        if key is not None:
            charges.append(Charge(f"{operation}/session/{key}", self._per_session))
        verdict = self._limiter.acquire(charges)
        if isinstance(verdict, Refused):
            raise _refusal(operation, verdict)
        return verdict


def _refusal(operation: str, verdict: Refused) -> RateLimited:
    window = verdict.charge.window
    wait_s = math.ceil(verdict.retry_after_s)
    return RateLimited(operation, window.limit, window.seconds, wait_s, is_closed=verdict.is_closed)
