"""The watch of a server: what fails in one look ends none of those to come."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from jido_jupyter.errors import StoreBusy
from jido_jupyter.server.doorway import Doorway
from jido_jupyter.server.watch import Watch


@pytest.mark.parametrize("error", [ValueError("a bug"), StoreBusy("of this server", "it is slow", "Try again.")])
def test_a_look_that_fails_is_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """What is a bug is told in the log; a store that is away now is not."""
    door = Doorway({"JUPYTER_DATA_DIR": str(tmp_path)})
    looks = 0

    async def fail(*arguments: object, **options: object) -> None:
        nonlocal looks
        looks += 1
        raise error

    async def watch() -> None:
        access = await door.run(lambda access: access)
        access.feed.listeners.add(asyncio.Event())
        monkeypatch.setattr(door, "run", fail)
        monkeypatch.setattr("jido_jupyter.server.watch.TICK_S", 0.01)
        watch = Watch(door)
        watch.start()
        async with asyncio.timeout(10):
            while looks < 3:
                await asyncio.sleep(0.01)
        await watch.stop()

    with caplog.at_level(logging.ERROR):
        asyncio.run(watch())

    assert ("a bug" in caplog.text) == isinstance(error, ValueError)
