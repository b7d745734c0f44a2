"""Work on the disk from a coroutine: its loop goes on, and a cancelled caller still knows what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in another thread and wait until it is decided, also when the caller is cancelled meanwhile.

    The cancellation is raised afterwards, so that nothing is half done when the caller learns of it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
    if cancelled is not None:
        running.exception()  # looked at, so that the loop does not complain of it
        raise cancelled
    return running.result()
