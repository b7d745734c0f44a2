"""The store that a live server keeps holds the contract: each test has a user, and so a store, of its own there."""

from __future__ import annotations

import contextlib
import math
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jido_jupyter.client import Link, RemoteLimiter, RemoteStore
from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.window import Admitted, Charge, Refused, Window
from jido_jupyter.errors import InvalidField, PayloadTooLarge, SessionNotFound
from jido_jupyter.store.contract import Store
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.store_conformance import AT, OWNER, StoreConformance, created, said
from tests.support.identities import SEVERAL_USERS
from tests.support.servers import Server, serving

FIVE = Charge("resume/session/one", Window(5, 60))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Server]]:
    """Return a function from a size limit [bytes] to a server that has it."""
    with contextlib.ExitStack() as stack:
        running: dict[int, Server] = {}

        def server(max_bytes: int) -> Server:
            if max_bytes not in running:
                folder = tmp_path_factory.mktemp("server")
                environ = {"JIDO_MAX_SESSION_SIZE": str(max_bytes)}
                running[max_bytes] = stack.enter_context(serving(folder, SEVERAL_USERS, **environ))
            return running[max_bytes]

        yield server


class TestRemoteStore(StoreConformance):
    @pytest.fixture(autouse=True)
    def _servers(self, servers: Callable[[int], Server]) -> None:
        self.servers = servers

    def make_store(self, tmp_path: Path, max_bytes: int = 10 * 2**20) -> Store:
        return RemoteStore(Link(self.servers(max_bytes).url, secrets.token_hex(8)))


@pytest.fixture
def link(servers: Callable[[int], Server]) -> Link:
    return Link(servers(10 * 2**20).url, secrets.token_hex(8))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_what_is_sent_is_what_is_read(link: Link, value: Any) -> None:
    """Any JSON value comes back as it was, bit for bit, as from a store in this process."""
    near, far = MemoryStore(), RemoteStore(link)
    session_id = secrets.token_hex(8)
    record = {"t": "x", "at": AT, "value": value}

    for store in (near, far):
        created(store, session_id, record)

    [kept], [expected] = far.read(session_id).records, near.read(session_id).records
    assert repr(kept) == repr(expected)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, object(), [[]] * 3 + [{1, 2}]], ids=str)
def test_what_cannot_be_kept_is_refused_as_here(link: Link, value: Any) -> None:
    """The same error from both, and nothing is stored."""
    for store in (MemoryStore(), RemoteStore(link)):
        with pytest.raises(InvalidField, match="cannot be stored as JSON"):
            created(store, "one", {"t": "x", "value": value})
        assert store.count() == 0


def test_what_json_cannot_say_becomes_the_same(link: Link) -> None:
    """NaN, which messages are checked for before, and lone surrogates."""
    store = RemoteStore(link)
    created(store, "one", {"t": "x", "nan": math.nan, "cut": "a\ud83d"})

    [record] = store.read("one").records

    assert (record["nan"], record["cut"]) == (None, "a\ufffd")


def test_a_deep_record_is_taken_as_deep_as_here(link: Link) -> None:
    """The body around it takes nothing off."""
    store = RemoteStore(link)
    deep: Any = []
    for _ in range(240):
        deep = [deep]
    created(store, "one", {"t": "x", "deep": deep})

    assert store.read("one").records[0]["deep"] == deep


def test_a_long_session_comes_whole(link: Link) -> None:
    """Nine MiB in 900 messages, in one piece each way."""
    store = RemoteStore(link)
    log = [records.messages([Message(f"m{n}", "user", (text_part("x" * 10_000),), AT)], AT) for n in range(900)]
    revision = store.create(records.header("long", AT), log)

    assert store.read("long").revision == revision
    assert len(store.read("long").records) == 900
    with pytest.raises(PayloadTooLarge) as refusal:
        store.append("long", log[:200], revision)
    assert refusal.value.limit == 10 * 2**20


def test_resumes_are_counted_by_the_server(link: Link) -> None:
    """Its windows hold, whatever a client believes; what is counted is counted for all."""
    limiter = RemoteLimiter(link)
    generous = Charge(FIVE.key, Window(1000, 1))

    assert isinstance(limiter.check([FIVE]), Admitted)
    verdicts = [limiter.acquire([generous]) for _ in range(6)]

    assert [verdict.remaining for verdict in verdicts if isinstance(verdict, Admitted)] == [4, 3, 2, 1, 0]
    assert isinstance(verdicts[5], Refused)
    assert verdicts[5].charge == FIVE
    assert 50 < verdicts[5].retry_after_s <= 60


@pytest.mark.parametrize("key", ["resume", "resume/", "resume/session/", "nothing/user", "resume/session/A", "x" * 200])
def test_only_what_is_limited_is_counted(link: Link, key: str) -> None:
    """No key of a client's making takes up room."""
    with pytest.raises(InvalidField, match="keys"):
        RemoteLimiter(link).acquire([Charge(key, Window(5, 60))])


def test_nothing_that_would_not_be_readable_is_stored(link: Link) -> None:
    """A header of another session, a second header, a record without its kind."""
    store = RemoteStore(link)
    revision = created(store)

    for call in (
        lambda: store.replace("one", records.header("two", AT), [], revision),
        lambda: store.append("one", [records.header("one", AT)], revision),
        lambda: store.append("one", [{}], revision),
        lambda: store.create({**records.header("two", AT), "more": "x" * 600}, []),
        lambda: store.create({**records.header("two", AT), "v": 2}, []),
    ):
        with pytest.raises(InvalidField):
            call()
    assert store.revision("one") == revision
    assert store.count() == 1


def test_users_do_not_meet(servers: Callable[[int], Server]) -> None:
    """One user's sessions, leases and counts are not another's."""
    ada, bob = (RemoteStore(Link(servers(10 * 2**20).url, secrets.token_hex(8))) for _ in range(2))
    created(ada, "one", said(1))
    lease = ada.lease("one", OWNER)

    assert bob.count() == 0
    assert bob.owners() == {}
    created(bob, "one")
    bob.lease("one", OWNER).release()
    assert lease.is_held
    lease.release()


def test_what_is_not_in_the_trash_has_no_time(link: Link) -> None:
    """A stored session was not trashed at any time."""
    store = RemoteStore(link)
    created(store)

    with pytest.raises(SessionNotFound, match="trash"):
        store.trashed_at("one")
