"""From the event loop to the services and back: all file work happens in a few worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from jido_jupyter.connection import Connection, connect
from jido_jupyter.services.sessions import Sessions

T = TypeVar("T")


class Doorway:
    """The services of one server; connected at first use, and tried again after that failed."""

    def __init__(self, workers: ThreadPoolExecutor) -> None:
        self._workers = workers
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """Return the connection. Raises: as `connect`."""
        if self._connection is None:
            self._connection = connect()
        return self._connection

    async def run(self, work: Callable[[Sessions], T]) -> T:
        """Do ``work`` in a worker thread, so that the event loop never waits for a disk."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, lambda: work(self.connection().sessions))
