"""From the event loop to the services and back: all file work happens in a few worker threads, and never without end.

A server has one store for all who are let in, unless it knows its owner: then each other identity has a store of its own,
and with it its own list, limits, leases and events.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Final, TypeVar

from jido_jupyter.connection import Connection, connect
from jido_jupyter.errors import JidoError, KeptElsewhere, OutcomeUnknown, StoreBusy
from jido_jupyter.server.feed import Feed
from jido_jupyter.server.leases import Bare, Leases
from jido_jupyter.server.pages import Pages
from jido_jupyter.services.folders import folders_of, read_settings
from jido_jupyter.services.live import LiveSession

T = TypeVar("T")

WORKERS: Final = 3  # threads that wait for the disk; the event loop never does
PATIENCE_S: Final = 30.0  # longer than any lock is waited for
MOST_WAITING: Final = 2000  # requests
_FAREWELL_S: Final = 1.0  # for giving up leases when the server ends; they end with it anyway
OWNERS: Final = ""  # the identity whose store is that of the kernels


class NoAnswer(OutcomeUnknown):
    """A change was begun, and the store has not answered in time."""

    status_hint = 503

    def __init__(self, seconds: float) -> None:
        JidoError.__init__(
            self,
            f"The store has not answered within {seconds:g} s, so it is unknown whether the change was made. "
            "Look at the session again before you repeat it.",
        )


class Access:
    """What one identity works with."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.store = connection.store
        self.sessions = connection.sessions
        self.limits = connection.limits
        self.leases: Leases[LiveSession] = Leases()
        self.bare: Leases[Bare] = Leases()  # of clients that write records
        self.feed = Feed(connection.sessions)
        self.pages = Pages()


class Doorway:
    """The services of one server, connected at first use, and tried again after that failed.

    Args:
        environ: what settings are read from.
        workers: threads.
        patience_s: how long an answer of the store is waited for.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        workers: int = WORKERS,
        patience_s: float = PATIENCE_S,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._environ = environ
        self._patience_s = patience_s
        self._most_waiting = most_waiting
        self._waiting = 0
        self._accesses: dict[str, Access] = {}
        self._connecting = threading.Lock()
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="jido-store")

    def known(self) -> list[tuple[str, Access]]:
        """Return the identities that were here, with what they work with."""
        return list(self._accesses.items())

    def access(self, identity: str = OWNERS) -> Access:
        """Return what an identity works with. Touches the disk.

        Raises: as `connect`.
        """
        if (found := self._accesses.get(identity)) is not None:
            return found
        with self._connecting:
            if identity not in self._accesses:
                self._accesses[identity] = Access(connect(self._environ_of(identity)))
            return self._accesses[identity]

    def check_keeps(self, identity: str = OWNERS) -> None:
        """Refuse what is about the records of sessions, where they are not kept here.

        Raises:
            KeptElsewhere: another server keeps them. It is not asked for them: it might be this one.
        """
        if identity == OWNERS and (url := read_settings(self._environ).url):
            raise KeptElsewhere(
                url,
                "This one only passes them on: set JIDO_URL to that address; if that is this very server, start it without "
                "JIDO_URL.",
            )

    async def run(
        self,
        work: Callable[[Access], T],
        identity: str = OWNERS,
        *,
        is_change: bool = False,
        is_of_records: bool = False,
    ) -> T:
        """Do ``work`` in a worker thread.

        Args:
            is_change: whether it may change anything; what is said after too long a wait depends on it.
            is_of_records: whether it is for the records as they are kept here, see `check_keeps`.

        Raises:
            NoAnswer: it was begun, and may still be going on.
            StoreBusy: it was not begun, or changes nothing.
        """
        if self._waiting >= self._most_waiting:
            raise _busy("too many requests wait for it")
        if is_of_records:  # in no worker of ours: all of them may be asking this very server
            await asyncio.to_thread(self.check_keeps, identity)
        task = self._workers.submit(lambda: work(self.access(identity)))
        self._waiting += 1
        try:
            # Not `wait_for`: before Python 3.12 it forgets that it was cancelled when its answer comes at that moment.
            async with asyncio.timeout(self._patience_s):
                return await asyncio.wrap_future(task)
        except TimeoutError:
            if is_change and not task.cancelled():
                raise NoAnswer(self._patience_s) from None
            raise _busy(f"it has not answered within {self._patience_s:g} s") from None
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End the streams, give up all leases, and let the threads go."""
        for _, access in self.known():
            access.feed.close()
            for leases in (access.leases, access.bare):
                if len(leases):
                    task = self._workers.submit(leases.close)
                    await asyncio.wait([asyncio.wrap_future(task)], timeout=_FAREWELL_S)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _environ_of(self, identity: str) -> Mapping[str, str]:
        if identity == OWNERS:
            return self._environ
        home = folders_of(read_settings(self._environ)).home
        # By a digest: a name may be anything, and a path shows in logs.
        name = sha256(identity.encode()).hexdigest()[:32]
        kept = {key: value for key, value in self._environ.items() if key not in ("JIDO_URL", "JIDO_TOKEN")}
        return {**kept, "JIDO_HOME": os.path.join(home, "identities", name)}


def _busy(reason: str) -> StoreBusy:
    return StoreBusy("of this server", reason, "Nothing was changed; try again in a few seconds.")
