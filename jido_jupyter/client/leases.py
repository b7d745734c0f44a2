"""The lease of a session that a server keeps: the server holds it for as long as it hears from here."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any, Final

import orjson

from jido_jupyter.client.link import QUICK_S, Link, Request
from jido_jupyter.core.records import Owner
from jido_jupyter.errors import JidoError, SessionNotFound, SessionOpen

BEATS: Final = 3  # in the time after which a silent holder counts as gone


class RemoteLease:
    """A `Lease` with its heartbeat, a thread that ends with it.

    A server that was started anew knows of no lease; then it is taken again, unless somebody was quicker. While the server
    cannot be reached the lease counts as held: what became of it is told by the next append.

    Raises: (the constructor)
        SessionOpen, SessionNotFound, StoreError
    """

    def __init__(self, link: Link, session_id: str, owner: Owner, *, take_over: bool) -> None:
        self.session_id = session_id
        self._link = link
        self._owner = owner
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._over = threading.Event()
        lifetime_s = self._take(take_over)
        name = f"jido-lease-{session_id[:8]}"
        threading.Thread(target=self._beat_on, args=(lifetime_s / BEATS,), name=name, daemon=True).start()

    @property
    def is_held(self) -> bool:
        if self._pid != os.getpid():  # a forked child holds nothing
            return False
        self._beat()
        return not self._over.is_set()

    def release(self) -> None:
        if self._pid != os.getpid() or self._over.is_set():
            return
        self._over.set()
        with self._lock, contextlib.suppress(JidoError):  # it ends without that, too, only later
            self._link.ask(self._word("release"))

    def _take(self, take_over: bool) -> float:
        """Take the lease and return its lifetime [s]."""
        body = {"owner": _to_wire(self._owner), "take_over": take_over}
        granted = self._link.ask(Request("POST", f"/sessions/{self.session_id}/lease", orjson.dumps(body)))
        self._token = str(granted["token"])
        return float(granted["lifetime_s"])

    def _beat_on(self, pause_s: float) -> None:
        while not self._over.wait(pause_s):
            self._beat()

    def _beat(self) -> None:
        """Say that this process is still there, and hear what became of the lease."""
        with self._lock:
            if self._over.is_set():
                return
            try:
                state = self._link.ask(self._word("heartbeat"))["state"]
                if state == "gone":
                    self._take(take_over=False)
                elif state == "taken":
                    self._over.set()
            except SessionOpen as error:
                if error.data.get("owner") != self._owner.to_wire():
                    self._over.set()
                # Else the answer that gave it to us was lost; it ends by itself, and is taken again.
            except SessionNotFound:
                self._over.set()
            except JidoError:  # told by whatever asks for more than a lease
                return

    def _word(self, what: str) -> Request:
        path = f"/sessions/{self.session_id}/{what}"
        return Request("POST", path, b"{}", lease=self._token, patience_s=QUICK_S)


def _to_wire(owner: Owner) -> dict[str, Any]:
    return {name: value for name, value in owner.to_wire().items() if value is not None}
