"""What becomes of a request: an answer, the server's own refusal, or a sentence that says what stands in the way."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.client import Link, RemoteLimiter, RemoteStore, described
from jido_jupyter.client import link as links
from jido_jupyter.core import records
from jido_jupyter.core.query import Query
from jido_jupyter.core.window import Charge, Window
from jido_jupyter.errors import (
    InvalidSetting,
    JidoError,
    OutcomeUnknown,
    StaleRevision,
    StoreBusy,
    StoreUnavailable,
    UnsupportedFormat,
)
from jido_jupyter.store.contract import Revision
from jido_jupyter.testing.store_conformance import AT, OWNER, created, said
from tests.support.servers import Server, serving
from tests.support.wires import answering, wired

TOKEN = "a-token-that-nobody-may-see"
STATE = Revision(1, "0" * 64)
DATA = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
PROBLEM = {"Content-Type": "application/problem+json"}

READ: Callable[[RemoteStore], Any] = lambda store: store.read("one")  # noqa: E731
CHANGE: Callable[[RemoteStore], Any] = lambda store: store.append("one", [said(1)], STATE)  # noqa: E731


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (403, {"Content-Type": "application/json"}, b'{"message": "Forbidden"}', "does not know the token.*JIDO_TOKEN"),
        (401, HTML, b"<h1>Log in</h1>", "does not know the token"),
        (403, PROBLEM, b'{"code": "forbidden", "detail": "You are logged in, and may not do that."}', "authorizer"),
        (404, HTML, b"<h1>404</h1>", "no jido_jupyter at this address.*without /lab"),
        (404, PROBLEM, b'{"code": "not_found", "detail": "There is nothing"}', "older than this one.*Upgrade"),
        (200, HTML, b"<form action=login>", "answers with text/html instead of data.*proxy"),
        (200, {}, b"", "answers with nothing"),
        (
            302,
            {"Location": "https://login.example/sso?token=xyz"},
            b"",
            r"redirects to https://login\.example/sso\. The token is not",
        ),
        (301, {"Location": "/hub/user/ann/"}, b"", "redirects to /hub/user/ann/"),
        (413, HTML, b"<h1>413</h1>", "a proxy before it takes no request of .* bytes.*client_max_body_size"),
        (424, HTML, b"", "not running, or too busy .status 424.*Start it"),
        (503, HTML, b"<h1>Service Unavailable</h1>", "not running, or too busy"),
        (418, HTML, b"", "status 418"),
    ],
)
@pytest.mark.parametrize("call", [READ, CHANGE], ids=["read", "change"])
def test_what_stands_in_the_way_is_told(
    call: Callable[[RemoteStore], Any], status: int, headers: dict[str, str], body: bytes, words: str
) -> None:
    """One sentence that names the address, the reason and the next step; the request did nothing, and is not repeated."""
    with answering(status, body, headers) as (url, asked), pytest.raises(StoreUnavailable, match=words) as refusal:
        call(RemoteStore(Link(url, TOKEN)))

    assert str(refusal.value).startswith(f"The session store {url} cannot be used: ")
    assert "xyz" not in str(refusal.value)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_a_proxy_that_got_no_answer_does_not_know(status: int) -> None:
    """A change may have been made; reading has failed, that is all."""
    with answering(status, b"<h1>Bad Gateway</h1>", HTML) as (url, asked):
        store = RemoteStore(Link(url, TOKEN))
        with pytest.raises(OutcomeUnknown, match=f"session one .*status {status}"):
            CHANGE(store)
        with pytest.raises(StoreUnavailable, match=f"status {status}"):
            READ(store)

    assert len(asked) == 2


def test_an_answer_that_cannot_be_read_leaves_a_doubt() -> None:
    """It came from the server: what was asked for has been done."""
    half = b'{"n": 1, "se'
    with answering(200, half, DATA) as (url, _), pytest.raises(OutcomeUnknown, match="cannot be read"):
        CHANGE(RemoteStore(Link(url, TOKEN)))


def test_the_servers_errors_are_raised_as_its_own() -> None:
    """Class, sentence and data are those of the server; what a later version may raise is no riddle either."""
    stale = StaleRevision("one", "1-ab", "2-cd")
    problem = {**stale.data, "code": stale.code, "detail": str(stale), "status": 409, "title": "x", "type": "y"}
    with answering(409, json.dumps(problem).encode(), PROBLEM) as (url, _), pytest.raises(StaleRevision) as refusal:
        CHANGE(RemoteStore(Link(url, TOKEN)))
    assert (str(refusal.value), refusal.value.data) == (str(stale), stale.data)

    busy = b'{"code": "store_busy", "detail": "Busy."}'
    with answering(503, busy, PROBLEM) as (url, _), pytest.raises(StoreBusy, match=r"Busy\."):
        CHANGE(RemoteStore(Link(url, TOKEN)))
    unknown = b'{"code": "outcome_unknown", "detail": "Unknown."}'
    with answering(503, unknown, PROBLEM) as (url, _), pytest.raises(OutcomeUnknown, match=r"Unknown\."):
        CHANGE(RemoteStore(Link(url, TOKEN)))


def test_every_error_has_its_way_back() -> None:
    """Each class that can be raised there is known here by its code."""
    from jido_jupyter import errors

    for found in vars(errors).values():
        if isinstance(found, type) and issubclass(found, JidoError):
            assert links._CLASSES[found.code] is found


def test_nobody_listens() -> None:
    """Nothing was sent: the old state stands, whatever was asked for."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = RemoteStore(Link(f"http://127.0.0.1:{port}/", TOKEN))

    for call in (READ, CHANGE, lambda store: store.lease("one", OWNER)):
        with pytest.raises(StoreUnavailable, match=r"cannot be reached .*[Rr]efused.*Start it, or correct JIDO_URL"):
            call(store)


def test_a_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change is in doubt after the patience has run out; a piece of an answer waits shorter."""
    monkeypatch.setattr("jido_jupyter.client.store.ANSWER_S", 0.6)
    monkeypatch.setattr("jido_jupyter.client.store.QUICK_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        store = RemoteStore(Link(f"http://127.0.0.1:{hanging.getsockname()[1]}/", TOKEN))

        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match=r"not answered within 0\.2 s"):
            store.append("one", [records.partial("a", "x", AT)], STATE, durable=False)
        assert time.monotonic() - started < 0.5
        with pytest.raises(OutcomeUnknown, match=r"not answered within 0\.6 s"):
            CHANGE(store)


def test_a_broken_line_while_reading_is_tried_once_more(server: Server) -> None:
    """A connection that was kept too long is no reason to fail; a change is not sent twice."""
    with wired(server.port) as wire:
        store = RemoteStore(Link(wire.url, server.token))
        revision = created(store, "broken", said(1))

        wire.cut = "request"
        assert store.revision("broken") == revision
        wire.cut = "request"
        with pytest.raises(OutcomeUnknown, match="connection to the server was lost"):
            store.append("broken", [said(2)], revision)

        assert wire.cuts == 2
        assert store.revision("broken") == revision


@pytest.mark.parametrize("call", [READ, CHANGE], ids=["read", "change"])
def test_the_token_shows_nowhere(
    call: Callable[[RemoteStore], Any], server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in errors, their data and causes, nor in a repr, nor in the log, down to debug."""
    caplog.set_level(logging.DEBUG)
    link = Link(server.url, TOKEN)  # a wrong one
    store = RemoteStore(link)

    with pytest.raises(StoreUnavailable, match="does not know the token") as refusal:
        call(store)
    told = "".join(traceback.format_exception(refusal.value, chain=True))
    told += f"{refusal.value!r} {refusal.value.data} {link!r} {store!r} {vars(store)!r} {caplog.text} {server.log}"

    assert refusal.value.__suppress_context__
    assert TOKEN not in told


def test_the_token_goes_to_one_server_only() -> None:
    """A redirect is not followed, and nothing is sent to where it leads."""
    with (
        answering(200, b"{}") as (other, visited),
        answering(307, b"", {"Location": other}) as (url, asked),
        pytest.raises(StoreUnavailable, match=other),
    ):
        CHANGE(RemoteStore(Link(url, TOKEN)))

    assert [line.rpartition(" ")[2] for line in asked] == [TOKEN]
    assert visited == []


def test_what_is_for_this_machine_goes_to_no_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says; and nothing is sent to a proxy that cannot be reached."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert described(Link(server.url, server.token)).settings["max_sessions"] == 100
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        described(Link("http://jido.example/", TOKEN))


def test_another_format_is_refused() -> None:
    """Records of a later version are left alone; an address that answers something else is told."""
    later = b'{"format": 2, "version": "9", "settings": {}}'
    with answering(200, later, DATA) as (url, _), pytest.raises(UnsupportedFormat, match=r"format version 2.*Upgrade"):
        described(Link(url, TOKEN))
    other = b'{"ok": true}'
    with answering(200, other, DATA) as (url, _), pytest.raises(StoreUnavailable, match="not as a jido_jupyter does"):
        described(Link(url, TOKEN))


def test_an_address_that_is_none() -> None:
    """It is the setting that is wrong."""
    with pytest.raises(InvalidSetting, match="JIDO_URL"):
        Link(f"http://h/{'x' * 70_000}/", TOKEN)


def test_a_fork_has_connections_of_its_own(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a child says must not get between what its parent says."""
    link = Link(server.url, server.token)
    store = RemoteStore(link)
    store.count()
    before = link._client

    monkeypatch.setattr("os.getpid", lambda: -1)
    store.count()

    assert link._client is not before


def test_any_text_is_searched_for(server: Server) -> None:
    """Half an emoji, as a cut text leaves it, finds nothing and breaks nothing."""
    store = RemoteStore(Link(server.url, server.token))

    assert store.named("\ud83d") == []
    assert store.find(Query(tags=("\ud83d",))).hits == []


def test_a_limit_that_cannot_be_asked_is_no_open_door(tmp_path: Path) -> None:
    """Without an answer nobody is let in."""
    with answering(502, b"", HTML) as (url, _), pytest.raises(StoreUnavailable):
        RemoteLimiter(Link(url, TOKEN)).acquire([Charge("resume/user", Window(5, 60))])


def test_a_certificate_that_is_not_trusted_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how it becomes one; http where the server speaks https is told as well."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not here")
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([openssl, *words.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    config = {"ServerApp": {"certfile": certificate, "keyfile": key}}
    (tmp_path / "server").mkdir()
    with serving(tmp_path / "server", config) as server:
        with pytest.raises(StoreUnavailable, match=r"certificate is not trusted\. Set SSL_CERT_FILE"):
            described(Link(server.url, server.token))
        with pytest.raises(StoreUnavailable, match="If it speaks https, write that in JIDO_URL"):
            described(Link(server.url.replace("https", "http"), server.token))
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
        assert described(Link(server.url, server.token)).settings["max_sessions"] == 100


def test_a_host_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is full takes no connection: after a few seconds that is told."""
    monkeypatch.setattr(links, "CONNECT_S", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        store = RemoteStore(Link(f"http://127.0.0.1:{full.getsockname()[1]}/", TOKEN))
        with pytest.raises(StoreUnavailable, match=r"cannot be reached within 0\.2 s"):
            CHANGE(store)
        for one in waiting:
            one.close()
