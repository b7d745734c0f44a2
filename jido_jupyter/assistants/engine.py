"""The engine: one event loop in a thread of its own, on which assistants run.

A kernel's main thread runs a cell and its own loop may be running already, so neither can run an assistant. Everything
here only computes and stores; what is shown goes through the thread that asked.
Source: https://github.com/ipython/ipython/issues/11314 (magics cannot be coroutines).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Engine:
    """Starts its thread at the first `submit`; the thread ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run ``work`` on the engine's loop; safe from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._started())

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True, name="jido-engine").start()
            return self._loop
