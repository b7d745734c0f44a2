"""Sessions that clients of the REST door have open: held by this process, for as long as the client keeps asking.

The lease itself is the store's, a lock that ends with the process: a killed server frees all of them. What is here is the
token that tells one client from another, and the time until which it is waited for.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from jido_jupyter.core.records import Owner
from jido_jupyter.errors import JidoError, LeaseLost
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.sessions import Shown

LIFETIME_S: Final = 60.0  # since the client was heard last


@dataclass(slots=True)
class Held:
    """A session that a client has open."""

    live: LiveSession
    owner: Owner  # as others see it
    token: str
    until_s: float  # by the clock

    @property
    def shown(self) -> Shown:
        return Shown(self.live.state, self.live.revision, owner=self.owner)


class Leases:
    """The leases of one store's clients; safe to use from several threads.

    Args:
        lifetime_s: how long a client may be silent.
        clock: monotonic [s].
    """

    def __init__(self, lifetime_s: float = LIFETIME_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.lifetime_s = lifetime_s
        self._clock = clock
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def grant(self, live: LiveSession, owner: Owner) -> Held:
        """Keep an open session for a client; the token is what the client goes on with."""
        held = Held(live, owner, secrets.token_urlsafe(24), self._clock() + self.lifetime_s)
        with self._lock:
            self._held[live.id] = held
        return held

    def extend(self, session_id: str, token: str, owner: Callable[[], dict[str, Any] | None]) -> Held:
        """Return the open session of a client that was heard just now.

        Args:
            owner: says who has it open, for the refusal.

        Raises:
            LeaseLost: the token is not, or no longer, that of the session's lease.
        """
        with self._lock:
            held = self._held.get(session_id)
            if held is not None and hmac.compare_digest(held.token.encode(), token.encode()) and held.live.is_open:
                held.until_s = self._clock() + self.lifetime_s
                return held
        raise LeaseLost(session_id, owner())

    def drop(self, session_id: str) -> None:
        """Forget a lease whose session its caller has closed."""
        with self._lock:
            self._held.pop(session_id, None)

    def expire(self) -> None:
        """Close the sessions of clients that were not heard for too long."""
        with self._lock:
            now = self._clock()
            over = [held for held in self._held.values() if held.until_s <= now]
            for held in over:
                del self._held[held.live.id]
        for held in over:
            _close(held.live)

    def close(self) -> None:
        """Close all."""
        with self._lock:
            over, self._held = list(self._held.values()), {}
        for held in over:
            _close(held.live)


def _close(live: LiveSession) -> None:
    try:
        live.close()
    except JidoError:  # a full disk, say: the record of closing is lost, the lease must not stay
        live.abandon()
