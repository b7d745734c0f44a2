"""An open session keeps no keys and passwords: neither in its state nor in its log."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import replay
from jido_jupyter.core.window import Window
from jido_jupyter.errors import OutcomeUnknown, PayloadTooLarge, StaleRevision, StoreFull
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.testing.clock import FakeClock
from tests.support.stores import FullStore

OWNER = Owner("kernel", "here", 1)
KEY = "sk-" + "aB3dE5fG7hJ9kL1m" * 3
MARK = "[redacted: OpenAI key]"


@pytest.fixture
def store() -> FullStore:
    return FullStore(max_bytes=20_000)


@pytest.fixture
def make(tmp_path: Path, store: FullStore) -> Callable[..., LiveSession]:
    clock, numbers = FakeClock(), itertools.count(1)
    limits = Limits(FileLimiter(str(tmp_path), clock.boot), Window(5, 60), Window(20, 60))

    def make(redacts: bool = True) -> LiveSession:
        return Sessions(
            store, limits, max_sessions=99, clock=clock.now, mint_id=lambda: f"id{next(numbers):04}", redacts=redacts
        ).new(OWNER)

    return make


def said(text: str, message_id: str = "m1") -> Message:
    return Message(message_id, "user", (text_part(text),), "2026-11-22T09:00:00.000Z")


def log(store: FullStore, live: LiveSession) -> str:
    return json.dumps([dict(record) for record in store.read(live.id).records], default=str)


CHANGES: list[Callable[[LiveSession], Any]] = [
    lambda live: live.record([said(f"my key is {KEY}", "m2")]),
    lambda live: live.record([said("hi", "m2")], context={"cells": [{"source": f"key = '{KEY}'"}]}),
    lambda live: live.record_partial("a1", f"it is {KEY} here ", None),
    lambda live: live.set_todos([{"text": f"use {KEY}", "status": "open"}]),
    lambda live: live.summarise(f"The key is {KEY}.", "m1"),
    lambda live: live.edit(title=f"About {KEY}", tags=[f"t {KEY}"[:50]]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_that_is_stored_holds_a_key(make, store: FullStore, change: Callable[[LiveSession], Any]) -> None:
    """Messages, context, pieces, todos, summaries and titles are redacted in the state and in the log."""
    live = make()
    live.record([said("hello")])

    change(live)

    assert KEY not in log(store, live)
    assert KEY not in str(live.state)
    assert MARK in log(store, live)


def test_the_message_knows_how_much_was_taken_out(make) -> None:
    """The count is stored with the message; a message without secrets has none."""
    live = make()

    live.record([said(f"{KEY} and {KEY}"), said("nothing here", "m2")])

    assert [message.ext for message in live.state.messages] == [{"redacted": 2}, {}]
    assert live.message("m1") is live.state.messages[0]
    assert live.message("m9") is None


def test_a_title_made_from_a_question_holds_no_key(make) -> None:
    """The first question becomes the title after it was redacted."""
    live = make()

    live.record([said(f"use {KEY}")])

    assert live.state.title == f"use {MARK}"


def test_a_key_that_comes_in_two_pieces_is_never_stored(make, store: FullStore) -> None:
    """Wherever an answer is cut into two pieces, no piece of the log holds a part of the key that is in it."""
    text = f"Take {KEY} now. "

    for cut in range(1, len(text)):
        live = make()
        live.record_partial("a1", text[:cut], None)
        first = log(store, live)
        live.record_partial("a1", text[cut:], None)
        pieces = [record["text"] for record in store.read(live.id).records if record["t"] == "partial"]
        live.close()

        assert KEY[:8] not in first
        assert "".join(pieces) == f"Take {MARK} now. "


def test_the_end_of_another_answer_is_not_mixed_in(make, store: FullStore) -> None:
    """What waits of one answer is not written with the next one."""
    live = make()
    live.record_partial("a1", "first wai", None)
    live.record_partial("a2", "second ", None)

    pieces = [(record["message"], record["text"]) for record in store.read(live.id).records if record["t"] == "partial"]

    assert pieces == [("a1", "first "), ("a2", "second ")]


def test_who_switches_it_off_stores_everything_as_it_comes(make, store: FullStore) -> None:
    """Without redaction nothing is changed, and nothing waits."""
    live = make(redacts=False)

    live.record([said(f"use {KEY}")])
    live.record_partial("a1", "half a wo", None)

    assert live.state.messages[0].text == f"use {KEY}"
    assert '"text": "half a wo"' in log(store, live)


def test_a_message_that_does_not_fit_leaves_nothing_behind(make) -> None:
    """A full session takes no redacted message either."""
    live = make()

    with pytest.raises(PayloadTooLarge):
        live.record([said(f"{KEY} " * 2000)])

    assert live.state.messages == ()


@pytest.mark.parametrize("first", ["", "answer", "request"])
@pytest.mark.parametrize("second", ["", "answer", "request"])
@pytest.mark.parametrize("third", ["", "answer", "request"])
def test_what_is_in_doubt_is_stored_once(make, store: FullStore, first: str, second: str, third: str) -> None:
    """Two pieces of an answer and the answer, each with its answer lost, or not written at all: the session goes on."""
    live = make()
    live.record([said("What?")])

    for loses, write in (
        (first, lambda: live.record_partial("a1", "One, ", None)),
        (second, lambda: live.record_partial("a1", "two, ", None)),
        (third, lambda: live.record([said("One, two, three", "a1")], ends_turn=True)),
    ):
        store.loses = loses
        with contextlib.suppress(OutcomeUnknown):
            write()
        assert store.loses == ""
    live.record([said("And?", "m2")])

    stored = store.read(live.id)
    texts = [message.text for message in replay(stored.header, stored.records).messages]
    assert texts == ["What?", "One, two, three", "And?"]
    assert len([record for record in stored.records if record["t"] == "messages"]) == 3
    live.close()
    assert live.is_saved


def test_a_doubt_hides_no_other_writer(make, store: FullStore) -> None:
    """What somebody else wrote meanwhile is a conflict, whatever of one's own may have arrived."""
    live = make()
    store.loses = "answer"
    with pytest.raises(OutcomeUnknown):
        live.record_partial("a1", "One, ", None)
    store.append(live.id, [records.messages([said("Me, too", "x")], live.now())], store.revision(live.id))

    with pytest.raises(StaleRevision):
        live.record([said("One", "a1")])


def test_a_piece_that_was_refused_comes_with_the_next(make, store: FullStore) -> None:
    """What a killed process leaves of an answer has no hole in its middle."""
    live = make()
    live.record_partial("a1", "One, two, ", None)
    store.is_full = True
    with pytest.raises(StoreFull):
        live.record_partial("a1", "NOT drop the table; ", None)
    store.is_full = False
    live.record_partial("a1", "drop the table. ", None)

    stored = store.read(live.id)
    found = replay(stored.header, stored.records).messages[-1]
    assert (found.text, found.status) == ("One, two, NOT drop the table; drop the table. ", "interrupted")


def test_what_cannot_be_saved_keeps_a_session_open(make, store: FullStore) -> None:
    """Once it can be, closing saves it; without anything to save a session is closed, noted or not."""
    live = make()
    store.is_full = True
    with pytest.raises(StoreFull):
        live.record([said("precious")])
    with pytest.raises(StoreFull):
        live.close()
    assert live.is_open

    store.is_full = False
    live.close()

    assert not live.is_open
    assert "precious" in log(store, live)


def test_a_note_that_cannot_be_written_keeps_no_session_open(make, store: FullStore) -> None:
    live = make()
    store.is_full = True

    with pytest.raises(StoreFull):
        live.close()

    assert not live.is_open
    assert store.owner(live.id) is None
