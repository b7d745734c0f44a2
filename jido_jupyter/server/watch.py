"""One task for a server: looks for changes while anybody listens, and closes the sessions of clients that went silent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from jido_jupyter.errors import JidoError
from jido_jupyter.server.doorway import Access, Doorway
from jido_jupyter.server.feed import TICK_S, Look

_log = logging.getLogger(__name__)


class Watch:
    """Runs from the first call of `start` on, until `stop`."""

    def __init__(self, doorway: Doorway) -> None:
        self._doorway = doorway
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            for identity, access in self._doorway.known():
                try:
                    if len(access.leases) or len(access.bare):
                        await self._doorway.run(_expire, identity)
                    if access.feed.listeners:
                        access.feed.take(await self._doorway.run(_look, identity))
                except JidoError:  # a store that cannot be read now: whoever asks for it is told
                    pass
                except Exception:  # a bug; without the watch no lease would ever end
                    _log.exception("Looking after a store failed; the next look comes all the same.")
            # A store that is slow to list is not listed all the time.
            await asyncio.sleep(max(TICK_S, 3 * (time.monotonic() - began)))


def _expire(access: Access) -> None:
    access.leases.expire()
    access.bare.expire()


def _look(access: Access) -> Look:
    return access.feed.look()
