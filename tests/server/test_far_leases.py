"""Sessions that clients elsewhere have open: kept by a heartbeat, free without it, named to others, taken over both ways."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from jido_jupyter.client import Link, RemoteStore
from jido_jupyter.client.leases import RemoteLease
from jido_jupyter.connection import connect
from jido_jupyter.core import records
from jido_jupyter.core.records import Owner
from jido_jupyter.errors import OutcomeUnknown, SessionOpen, StaleRevision
from jido_jupyter.testing.store_conformance import AT, created, said

FAR = Owner("kernel", "far-away", 4711, "far.ipynb")
OTHER = Owner("kernel", "elsewhere", 4712, "other.ipynb")
NEAR = Owner("kernel", "here", 1, "near.ipynb")
LIFETIME_S = 0.6

T = TypeVar("T")


@pytest.fixture
def access(jp_serverapp):
    """What the server works with; its clients may be silent for a moment only."""
    found = jp_serverapp.web_app.settings["jido_doorway"].access()
    found.bare.lifetime_s = LIFETIME_S
    return found


@pytest.fixture
def store(jp_serverapp, http_server_client, access, jp_http_port, jp_base_url) -> RemoteStore:
    url = f"http://127.0.0.1:{jp_http_port}{jp_base_url}"
    return RemoteStore(Link(url, jp_serverapp.identity_provider.token))


async def far(work: Callable[[], T]) -> T:
    """Do what a client does; the server is in this thread."""
    return await asyncio.to_thread(work)


async def until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not await far(holds):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_heartbeat_keeps_a_lease(store: RemoteStore) -> None:
    """For many lifetimes, and until it is given up; then its thread ends."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))

    await asyncio.sleep(4 * LIFETIME_S)

    assert connect().store.owner("one") == FAR
    with pytest.raises(SessionOpen, match=r"far\.ipynb \(process 4711 on far-away\)"):
        connect().store.lease("one", NEAR)
    await far(lease.release)
    assert connect().store.owner("one") is None
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name == "jido-lease-one"])


async def test_silence_frees_a_session(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that was killed says nothing more."""
    monkeypatch.setattr(RemoteLease, "_beat", lambda lease: None)
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))
    began = time.monotonic()

    with pytest.raises(SessionOpen):
        connect().store.lease("one", NEAR)
    await until(lambda: connect().store.owner("one") is None)

    assert LIFETIME_S <= time.monotonic() - began < LIFETIME_S + 2
    monkeypatch.undo()
    lease._over.set()


async def test_who_wakes_up_takes_his_session_again(store: RemoteStore, access) -> None:
    """After a sleep, or a restart of the server, nobody has it: it is still his."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))

    access.bare.close()  # as its end does
    assert connect().store.owner("one") is None

    assert await far(lambda: lease.is_held)
    assert connect().store.owner("one") == FAR
    await far(lease.release)


async def test_who_wakes_up_late_has_lost_it(store: RemoteStore, access) -> None:
    """Somebody took it meanwhile, and keeps it."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))
    access.bare.close()
    near = connect().store.lease("one", NEAR)

    assert not await far(lambda: lease.is_held)
    await far(lease.release)

    assert near.is_held
    near.release()


async def test_a_session_that_is_gone_cannot_be_held(store: RemoteStore, access) -> None:
    """It was trashed while its holder slept."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))
    access.bare.close()
    connect().store.trash("one")

    assert not await far(lambda: lease.is_held)


async def test_a_kernel_here_takes_over_and_back(store: RemoteStore) -> None:
    """Both ways the loser learns it by his next append, and what he had is not overwritten."""
    revision = await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))

    near_store = connect().store
    near = near_store.lease("one", NEAR, take_over=True)
    revision = near_store.append("one", [records.opened(NEAR, AT)], revision)

    assert not await far(lambda: lease.is_held)
    with pytest.raises(StaleRevision) as refusal:
        await far(lambda: store.append("one", [said(1)], records_before(revision)))
    assert refusal.value.found == str(revision)

    again = await far(lambda: store.lease("one", FAR, take_over=True))
    await far(lambda: store.append("one", [records.opened(FAR, AT)], revision))
    assert not near.is_held
    assert connect().store.owner("one") == FAR
    with pytest.raises(StaleRevision):
        near_store.append("one", [said(2)], revision)
    near.release()
    assert await far(lambda: again.is_held)
    await far(again.release)


async def test_one_client_takes_over_from_another(store: RemoteStore, jp_serverapp) -> None:
    """The first one is told so, however long the second one stays, and does not take it again when that is done."""
    await far(lambda: created(store))
    first = await far(lambda: store.lease("one", FAR))
    second = await far(lambda: store.lease("one", OTHER, take_over=True))
    await far(second.release)

    assert not await far(lambda: first.is_held)
    assert await far(lambda: store.owner("one")) is None


async def test_a_lease_outlives_a_moment_without_the_server(
    store: RemoteStore, jp_serverapp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot ask does not claim that it was taken; the next append tells."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))
    url = store._link.url

    monkeypatch.setattr(store._link, "url", "http://127.0.0.1:9/")
    assert await far(lambda: lease.is_held)
    monkeypatch.setattr(store._link, "url", url)
    assert await far(lambda: lease.is_held)
    await far(lease.release)


async def test_a_forked_child_holds_nothing(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kernel starts with multiprocessing does not end its lease."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))

    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        assert not lease.is_held
        lease.release()

    assert connect().store.owner("one") == FAR
    await far(lease.release)


async def test_the_end_of_the_server_frees_all(store: RemoteStore, jp_serverapp, access) -> None:
    """Its locks go with it; it gives them up by itself where it ends in peace."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))

    await jp_serverapp.web_app.settings["jido_doorway"].close()

    assert len(access.bare) == 0
    assert connect().store.owner("one") is None
    lease._over.set()


async def test_anothers_token_holds_nothing(store: RemoteStore, access) -> None:
    """Neither a made-up one, nor that of another session."""
    for session_id in ("one", "two"):
        await far(lambda session_id=session_id: created(store, session_id))
    lease = await far(lambda: store.lease("one", FAR))

    for session_id, token in (("one", "x"), ("one", ""), ("two", lease._token)):
        thief = RemoteLease.__new__(RemoteLease)
        thief.session_id, thief._token = session_id, token
        with contextlib.suppress(Exception):
            await far(lambda thief=thief: store._link.ask(thief._word("release")))

    assert await far(lambda: lease.is_held)
    await far(lease.release)


def records_before(revision):
    """Return a state that is older than ``revision``."""
    return type(revision)(revision.n - 1, revision.seal)


async def test_who_missed_the_answer_has_not_lost_it(
    store: RemoteStore, access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server forgot the lease, gave it again, and its answer was lost: nobody else has it, so it is not given up."""
    await far(lambda: created(store))
    lease = await far(lambda: store.lease("one", FAR))
    take = RemoteLease._take

    def unheard(lease: RemoteLease, take_over: bool) -> float:
        take(lease, take_over)
        lease._token = "of an answer that never came"
        raise OutcomeUnknown("one", "the line broke")

    await far(lambda: lease._link.ask(lease._word("release")))
    with monkeypatch.context() as patched:
        patched.setattr(RemoteLease, "_take", unheard)
        assert await far(lambda: lease.is_held)

    assert await far(lambda: lease.is_held)
    await until(lambda: connect().store.owner("one") == FAR)
    await far(lease.release)
