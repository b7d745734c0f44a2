"""Sessions that clients of the REST door have open: held by this process, for as long as the client keeps asking.

The lease itself is the store's, a lock that ends with the process: a killed server frees all of them. What is here is the
token that tells one client from another, and the time until which it is waited for. A token whose session was taken over is
known until its time is up, so that its client hears what became of it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Generic, Protocol, TypeVar

from jido_jupyter.core.records import Owner
from jido_jupyter.errors import JidoError, LeaseLost
from jido_jupyter.store.contract import Lease

LIFETIME_S: Final = 60.0  # since the client was heard last


class Opened(Protocol):
    """A session that is open in this process."""

    @property
    def id(self) -> str: ...

    @property
    def is_open(self) -> bool:
        """False once it was closed here or taken over elsewhere."""

    def close(self) -> None:
        """Give it up."""

    def abandon(self) -> None:
        """Give it up without writing."""


T = TypeVar("T", bound=Opened)


class Bare:
    """A lease alone, for a client that writes the session's records itself."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    @property
    def id(self) -> str:
        return self._lease.session_id

    @property
    def is_open(self) -> bool:
        return self._lease.is_held

    def close(self) -> None:
        self._lease.release()

    abandon = close


@dataclass(slots=True)
class Held(Generic[T]):
    """A session that a client has open."""

    live: T
    owner: Owner  # as others see it
    token: str
    until_s: float  # by the clock


class Leases(Generic[T]):
    """The leases of one store's clients; safe to use from several threads.

    Args:
        lifetime_s: how long a client may be silent.
        clock: monotonic [s].
    """

    def __init__(self, lifetime_s: float = LIFETIME_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.lifetime_s = lifetime_s
        self._clock = clock
        self._held: dict[bytes, Held[T]] = {}  # by a digest: how long a look-up takes tells nothing of a token
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def grant(self, live: T, owner: Owner) -> Held[T]:
        """Keep an open session for a client; the token is what the client goes on with."""
        held = Held(live, owner, secrets.token_urlsafe(24), self._clock() + self.lifetime_s)
        with self._lock:
            self._held[_digest(held.token)] = held
        return held

    def find(self, session_id: str, token: str) -> Held[T] | None:
        """Return what a client holds that was heard just now, be it taken over meanwhile; None for a token that is nobody's."""
        with self._lock:
            held = self._held.get(_digest(token))
            if held is None or held.live.id != session_id:
                return None
            held.until_s = self._clock() + self.lifetime_s
            return held

    def extend(self, session_id: str, token: str, owner: Callable[[], dict[str, Any] | None]) -> Held[T]:
        """Return the open session of a client that was heard just now.

        Args:
            owner: says who has it open, for the refusal.

        Raises:
            LeaseLost: the token is not, or no longer, that of the session's lease.
        """
        held = self.find(session_id, token)
        if held is None or not held.live.is_open:
            raise LeaseLost(session_id, owner())
        return held

    def drop(self, token: str) -> None:
        """Forget a lease whose session its caller has closed."""
        with self._lock:
            self._held.pop(_digest(token), None)

    def expire(self) -> None:
        """Close the sessions of clients that were not heard for too long."""
        with self._lock:
            now = self._clock()
            over = [held for held in self._held.values() if held.until_s <= now]
            for held in over:
                del self._held[_digest(held.token)]
        for held in over:
            _close(held.live)

    def close(self) -> None:
        """Close all."""
        with self._lock:
            over, self._held = list(self._held.values()), {}
        for held in over:
            _close(held.live)


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="surrogatepass")).digest()


def _close(live: Opened) -> None:
    try:
        live.close()
    except JidoError:  # a full disk, say: the record of closing is lost, the lease must not stay
        live.abandon()
