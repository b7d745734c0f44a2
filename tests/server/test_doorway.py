"""The threads that wait for the disk, so that the event loop does not; and whose store a request is about."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest

from jido_jupyter.connection import this_process
from jido_jupyter.errors import KeptElsewhere, StoreBusy
from jido_jupyter.server.doorway import Doorway, NoAnswer


@pytest.fixture
def gate():
    """A store that hangs until it is set."""
    gate = threading.Event()
    yield gate
    gate.set()


def doorway(tmp_path: Path, **options) -> Doorway:
    return Doorway({**os.environ, "JIDO_HOME": str(tmp_path / "home")}, **options)


def test_the_loop_goes_on_while_the_store_hangs(tmp_path: Path, gate: threading.Event) -> None:
    """A change that hangs is answered "unknown", one that never began is not, and meanwhile the loop turns."""
    door = doorway(tmp_path, workers=1, patience_s=0.2)
    door.access()
    turns = 0

    async def story() -> list[BaseException]:
        nonlocal turns
        hanging = asyncio.gather(
            door.run(lambda access: gate.wait(), is_change=True),
            door.run(lambda access: gate.wait(), is_change=True),
            return_exceptions=True,
        )
        while not hanging.done():
            turns += 1
            await asyncio.sleep(0.01)
        return hanging.result()

    begun, waiting = asyncio.run(story())

    assert isinstance(begun, NoAnswer)
    assert (begun.code, begun.status_hint) == ("outcome_unknown", 503)
    assert "unknown whether the change was made" in str(begun)
    assert isinstance(waiting, StoreBusy)
    assert "Nothing was changed" in str(waiting)
    assert turns > 5


@pytest.mark.parametrize("turns", range(4))
def test_who_is_cancelled_ends(tmp_path: Path, gate: threading.Event, turns: int) -> None:
    """Also when the answer comes just then: a task that went on would keep its server from ending."""
    door = doorway(tmp_path)
    door.access()

    async def story() -> asyncio.Task[bool]:
        asking = asyncio.create_task(door.run(lambda access: gate.wait()))
        await asyncio.sleep(0.05)
        gate.set()
        time.sleep(0.05)  # the answer is there, and the loop has not seen it
        for _ in range(turns):
            await asyncio.sleep(0)
        if asking.cancel():
            await asyncio.wait({asking})
            assert asking.cancelled()
        return asking

    asyncio.run(story())


def test_reading_changes_nothing(tmp_path: Path, gate: threading.Event) -> None:
    """A read that hangs is only busy."""
    door = doorway(tmp_path, workers=1, patience_s=0.05)

    with pytest.raises(StoreBusy):
        asyncio.run(door.run(lambda access: gate.wait()))


def test_a_crowd_is_turned_away(tmp_path: Path, gate: threading.Event) -> None:
    """More than so many do not wait: they are told at once."""
    door = doorway(tmp_path, workers=1, patience_s=5.0, most_waiting=2)

    async def story() -> float:
        waiting = [asyncio.ensure_future(door.run(lambda access: gate.wait())) for _ in range(2)]
        await asyncio.sleep(0)
        began = time.monotonic()
        with pytest.raises(StoreBusy, match="too many"):
            await door.run(lambda access: None)
        took = time.monotonic() - began
        gate.set()
        await asyncio.gather(*waiting)
        return took

    assert asyncio.run(story()) < 1.0


def test_an_identity_has_a_store_of_its_own(tmp_path: Path) -> None:
    """What one stores, another does not find; the name stands in no path."""
    door = doorway(tmp_path)

    door.access("../ada").sessions.create("Ada's", [])

    assert [found.title for found in door.access("../ada").sessions.list()] == ["Ada's"]
    assert door.access("bob").sessions.list() == door.access().sessions.list() == []
    assert door.access("bob") is door.access("bob")
    assert not [path for path in tmp_path.rglob("*") if "ada" in path.name]


def test_the_end_of_the_server_frees_its_sessions(tmp_path: Path) -> None:
    """Leases are given up, and streams are told."""
    door = doorway(tmp_path)
    access = door.access()
    owner = this_process("server")
    live = access.sessions.new(owner)
    access.leases.grant(live, owner)

    asyncio.run(door.close())

    assert access.feed.is_closed
    assert access.sessions.show(live.id).owner is None
    assert not live.is_open


def test_a_server_without_leases_ends_at_once(tmp_path: Path) -> None:
    """There is nothing to wait for."""
    door = doorway(tmp_path)
    door.access()

    asyncio.run(door.close())

    assert door.access().feed.is_closed


def test_first_comers_share_a_connection(tmp_path: Path) -> None:
    """Two requests that come first at the same time get the same leases."""
    door, found = doorway(tmp_path), []
    threads = [threading.Thread(target=lambda: found.append(door.access("ada"))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(map(id, found))) == 1


def test_records_are_not_passed_on(tmp_path: Path) -> None:
    """A server whose sessions another one keeps says which, and does not ask it: it might be itself."""
    environ = {"JIDO_URL": "http://127.0.0.1:9/", "JIDO_TOKEN": "x", "JUPYTER_DATA_DIR": str(tmp_path)}
    door = Doorway(environ)

    with pytest.raises(KeptElsewhere, match=r"http://127\.0\.0\.1:9/.*only passes them on"):
        asyncio.run(door.run(lambda access: access, is_of_records=True))
    assert door.known() == []


def test_a_stranger_has_his_own_store_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token for the sessions of the owner is not for those of others."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    door = Doorway({"JIDO_URL": "http://127.0.0.1:9/", "JIDO_TOKEN": "x"})

    door.check_keeps("bob")

    assert door.access("bob").connection.home.startswith(str(tmp_path))


def test_a_server_that_is_sent_to_itself_says_so_to_all_at_once(tmp_path: Path) -> None:
    """Also while every worker waits for the very server that this one is."""
    door = Doorway({"JIDO_URL": "http://127.0.0.1:9/", "JIDO_TOKEN": "x"}, workers=1, patience_s=5.0)
    gate = threading.Event()

    async def ask() -> None:
        door._workers.submit(gate.wait)
        with pytest.raises(KeptElsewhere):
            await door.run(lambda access: access, is_of_records=True)
        gate.set()

    asyncio.run(ask())
