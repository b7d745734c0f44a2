"""What changed in a store, told to those who listen.

Kernels, the command line and other servers write to the same folder, so the only sign that all of them give is the store's
own `changes`. It is looked at `TICK_S` apart while anybody listens: a few calls of stat. Notifications of the file system
would come sooner, but not on network file systems, where the polling would be needed all the same.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from jido_jupyter.core.window import Refused
from jido_jupyter.services import wire
from jido_jupyter.services.limits import RESUME
from jido_jupyter.services.sessions import Sessions

TICK_S: Final = 0.4  # with the look itself well below the second that is promised
KEPT: Final = 1000  # events that a client may have missed and still gets


@dataclass(frozen=True, slots=True)
class Event:
    n: int
    kind: str  # created, changed, trashed, limited
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What there is at a moment."""

    changes: str = ""
    sessions: Mapping[str, tuple[str, str]] | None = None  # id -> revision and state; None: as before
    retry_after_s: float = 0.0  # until a resume is let in; 0: now


class Feed:
    """The events of one store. All but `look` is for the event loop's thread."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._epoch = secrets.token_hex(4)
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._n = 0
        self._seen = Look()
        self.listeners: set[asyncio.Event] = set()
        self.is_closed = False

    def look(self) -> Look:
        """Return what there is now. For a worker thread."""
        changes, verdict = self._sessions.changes(), self._sessions.resumes()
        retry_after_s = verdict.retry_after_s if isinstance(verdict, Refused) else 0.0
        if changes == self._seen.changes:
            return Look(changes, None, retry_after_s)
        listed = map(wire.summary, self._sessions.each())
        return Look(changes, {found["id"]: (found["revision"], found["state"]) for found in listed}, retry_after_s)

    def take(self, now: Look) -> None:
        """Tell the listeners how ``now`` differs from what was seen before."""
        before = self._seen
        self._seen = replace(now, sessions=before.sessions) if now.sessions is None else now
        if now.sessions is not None and before.sessions is not None:
            self._tell_of(before.sessions, now.sessions)
        if now.retry_after_s > 0 and before.retry_after_s == 0:
            self.publish("limited", {"operation": RESUME, "retry_after_s": round(now.retry_after_s, 1)})

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        self._n += 1
        self._events.append(Event(self._n, kind, data))
        self._wake()

    def place(self, event_id: str) -> int | None:
        """Return the number of the event with that id; None when what came after it is not known any more."""
        epoch, _, number = event_id.partition("-")
        if epoch != self._epoch or not number.isdecimal() or not number.isascii():
            return None
        n = int(number)
        oldest = self._events[0].n if self._events else self._n + 1
        return n if oldest - 1 <= n <= self._n else None

    @property
    def last(self) -> int:
        return self._n

    def since(self, n: int) -> Sequence[Event] | None:
        """Return the events after number ``n``; None when some of them are gone."""
        if self.place(self.id_of(n)) is None:
            return None
        return [event for event in self._events if event.n > n]

    def id_of(self, n: int) -> str:
        return f"{self._epoch}-{n}"

    def close(self) -> None:
        self.is_closed = True
        self._wake()

    def _tell_of(self, before: Mapping[str, tuple[str, str]], now: Mapping[str, tuple[str, str]]) -> None:
        for session_id, (revision, state) in now.items():
            if before.get(session_id) != (revision, state):
                kind = "changed" if session_id in before else "created"
                self.publish(kind, {"id": session_id, "revision": revision, "state": state})
        for session_id in before.keys() - now.keys():
            self.publish("trashed", {"id": session_id})

    def _wake(self) -> None:
        for listener in self.listeners:
            listener.set()
