"""What every `Store` must do; subclass `StoreConformance` in a test module and say how to make one.

::

    class TestMyStore(StoreConformance):
        def make_store(self, tmp_path, max_bytes=10 * 2**20):
            return MyStore(...)
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.query import Query, parse
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import Summary, compacted, replay
from jido_jupyter.errors import (
    InvalidField,
    InvalidSessionId,
    PayloadTooLarge,
    SessionExists,
    SessionNotFound,
    SessionOpen,
    StaleRevision,
)
from jido_jupyter.store.contract import Revision, Store

OWNER = Owner("kernel", "here", 1, "a.ipynb")
OTHER = Owner("kernel", "there", 2, "b.ipynb")
AT = "2026-11-22T09:00:00.000Z"


def said(number: int, text: str = "", at: str = AT) -> Record:
    """Return a record of one message; its id is made of ``number``."""
    return records.messages([Message(f"m{number}", "user", (text_part(text or f"text {number}"),), at)], at)


def created(store: Store, session_id: str = "one", *log: Record) -> Revision:
    return store.create(records.header(session_id, "2026-10-01T09:00:00.000Z"), list(log))


def all_summaries(store: Store) -> list[Summary]:
    return [hit.summary for hit in store.find(Query(), limit=10**6).hits]


def append_from_threads(store: Store, each: int) -> None:
    """Append ``each`` messages to session "one" from four threads, which try again after a conflict."""

    def write(start: int) -> None:
        for number in range(start, start + each):
            while True:
                try:
                    store.append("one", [said(number)], store.revision("one"))
                    break
                except StaleRevision:
                    continue

    threads = [threading.Thread(target=write, args=(1000 * worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class StoreConformance:
    """The laws, one a test."""

    def make_store(self, tmp_path: Path, max_bytes: int = 10 * 2**20) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return self.make_store(tmp_path)

    def test_reads_what_was_created_and_appended(self, store: Store) -> None:
        """Records come back whole and in order, with the revision that the writer was given."""
        first = created(store, "one", said(1))
        second = store.append("one", [said(2), said(3)], first)

        stored = store.read("one")

        assert [record["messages"][0]["id"] for record in stored.records] == ["m1", "m2", "m3"]
        assert stored.header["id"] == "one"
        assert stored.revision == second != first
        assert store.revision("one") == second
        assert stored.is_verified

    def test_keeps_any_text(self, store: Store) -> None:
        """NUL, line ends, emoji and half of a surrogate pair do not make a session unsavable."""
        text = "a\0b\r\nc \u2028 😀 \ud83d end"
        created(store, "one", said(1, text))

        [record] = store.read("one").records

        assert record["messages"][0]["parts"][0]["content"].replace("\ufffd", "\ud83d") == text

    def test_refuses_a_stale_writer(self, store: Store) -> None:
        """A writer that does not know the newest state writes nothing."""
        first = created(store)
        second = store.append("one", [said(1)], first)

        with pytest.raises(StaleRevision) as refusal:
            store.append("one", [said(2)], first)

        assert refusal.value.found == str(second)
        assert len(store.read("one").records) == 1

    def test_loses_no_append_of_many_threads(self, store: Store) -> None:
        """Writers that retry from the newer state after a conflict lose nothing between them."""
        created(store)

        append_from_threads(store, 20)

        ids = [record["messages"][0]["id"] for record in store.read("one").records]
        assert len(ids) == len(set(ids)) == 80

    def test_refuses_a_taken_id(self, store: Store) -> None:
        """A second session never replaces the first, stored or trashed."""
        created(store, "one", said(1))

        with pytest.raises(SessionExists):
            created(store)
        store.trash("one")
        with pytest.raises(SessionExists):
            created(store)

    def test_names_an_unknown_session(self, store: Store) -> None:
        """Every call on a session that is not there says so."""
        known = created(store)

        for call in (
            lambda: store.read("nobody"),
            lambda: store.revision("nobody"),
            lambda: store.append("nobody", [said(1)], known),
            lambda: store.trash("nobody"),
            lambda: store.restore("nobody"),
            lambda: store.lease("nobody", OWNER),
        ):
            with pytest.raises(SessionNotFound):
                call()

    @pytest.mark.parametrize("wrong", ["", "../one", "A", "a/b", "a\n", ".", "a" * 65, "é", "-x", "a\0"])
    def test_refuses_what_is_no_id(self, store: Store, wrong: str) -> None:
        """No text from outside becomes a path unless it is an id."""
        with pytest.raises(InvalidSessionId):
            store.read(wrong)
        with pytest.raises(InvalidSessionId):
            created(store, wrong)

    def test_blocks_at_the_size_limit(self, tmp_path: Path) -> None:
        """A session that is full takes no more, says so, and keeps what it has."""
        store = self.make_store(tmp_path, max_bytes=4000)
        first = created(store, "one", said(1))

        with pytest.raises(PayloadTooLarge) as refusal:
            store.append("one", [said(2, "x" * 4000)], first)

        assert refusal.value.limit == 4000
        assert store.revision("one") == first

    def test_ends_a_turn_beyond_the_size_limit(self, tmp_path: Path) -> None:
        """What ends a turn that has begun is stored even when the session is full."""
        store = self.make_store(tmp_path, max_bytes=4000)
        first = created(store)

        store.append("one", [said(1, "x" * 4000)], first, beyond_limit=True)

        assert len(store.read("one").records) == 1

    def test_keeps_pieces_that_need_not_be_durable(self, store: Store) -> None:
        """Records written without waiting for the disk are read like any other."""
        revision = store.append("one", [records.partial("m1", "so far", AT)], created(store), durable=False)

        stored = store.read("one")

        assert stored.revision == revision
        assert replay(stored.header, stored.records).messages[0].text == "so far"

    def test_lists_newest_turn_first(self, store: Store) -> None:
        """The order is that of the last turns, whenever the files were touched."""
        created(store, "old", said(1, "older question", "2026-11-20T09:00:00.000Z"))
        created(store, "new", said(2, "newer question", "2026-11-23T09:00:00.000Z"))
        store.append("old", [records.meta({"pinned": True}, AT)], store.revision("old"))

        found = all_summaries(store)

        assert [summary.title for summary in found] == ["newer question", "older question"]
        assert found[1].pinned
        assert store.count() == 2

    def test_tells_that_something_changed(self, store: Store) -> None:
        """`changes` differs after each thing that a list shows."""
        seen = {store.changes()}
        revision = created(store)
        seen.add(store.changes())
        store.append("one", [said(1)], revision)
        seen.add(store.changes())
        lease = store.lease("one", OWNER)
        seen.add(store.changes())
        lease.release()
        store.trash("one")
        seen.add(store.changes())

        assert len(seen) >= 4
        assert store.changes() == store.changes()

    def test_trashes_and_restores_whole(self, store: Store) -> None:
        """A trashed session leaves the list and comes back as it was."""
        revision = created(store, "one", said(1))

        store.trash("one")

        assert all_summaries(store) == []
        assert store.trashed() == ["one"]
        assert abs(store.trashed_at("one") - time.time()) < 5
        with pytest.raises(SessionNotFound):
            store.read("one")
        store.restore("one")
        assert store.read("one").revision == revision
        assert store.trashed() == []

    def test_leases_to_one_at_a_time(self, store: Store) -> None:
        """Whoever comes second learns who has the session; after the release it is free."""
        created(store)
        lease = store.lease("one", OWNER)

        with pytest.raises(SessionOpen) as refusal:
            store.lease("one", OTHER)

        assert refusal.value.owner["notebook"] == "a.ipynb"
        assert store.owner("one") == OWNER
        assert store.owners() == {"one": OWNER}
        assert all_summaries(store)[0].owner == OWNER
        lease.release()
        lease.release()
        assert store.owner("one") is None
        assert store.owners() == {}
        store.lease("one", OTHER).release()

    def test_takes_over(self, store: Store) -> None:
        """After a take-over the first holder has lost the lease, and its writes meet a newer revision."""
        revision = created(store)
        first = store.lease("one", OWNER)

        second = store.lease("one", OTHER, take_over=True)
        store.append("one", [records.opened(OTHER, AT)], revision)

        assert not first.is_held
        assert second.is_held
        assert store.owner("one") == OTHER
        with pytest.raises(StaleRevision):
            store.append("one", [said(1)], revision)
        first.release()
        assert store.owner("one") == OTHER
        second.release()

    def test_replaces_a_whole_log(self, store: Store) -> None:
        """A new log takes the place of one that is still at the expected revision, and takes appends."""
        first = created(store, "one", said(1), said(2))

        second = store.replace("one", records.header("one", AT), [said(3)], first)
        store.append("one", [said(4)], second)

        assert [record["messages"][0]["id"] for record in store.read("one").records] == ["m3", "m4"]
        assert store.read("one").is_verified
        with pytest.raises(StaleRevision):
            store.replace("one", records.header("one", AT), [], first)
        assert len(store.read("one").records) == 2

    def test_gives_the_records_after_a_number(self, store: Store) -> None:
        """A reader that knows the log up to a record gets the rest."""
        revision = store.append("one", [said(2)], created(store, "one", said(1)))
        store.append("one", [said(3), said(4)], revision)

        later = store.read("one").since(revision.n)

        assert [record["messages"][0]["id"] for record in later] == ["m3", "m4"]
        assert store.read("one").last(2) == later
        assert store.read("one").last(0) == ()

    def test_renames_tags_pins_and_archives(self, store: Store) -> None:
        """What a meta record changes shows in lists and searches at once."""
        revision = created(store, "one", said(1))

        changes = {"title": "Mine", "title_source": "user", "tags": ["a"], "pinned": True, "archived": True}
        store.append("one", [records.meta(changes, AT)], revision)

        [summary] = all_summaries(store)
        assert (summary.title, summary.tags, summary.pinned, summary.archived) == ("Mine", ("a",), True, True)
        assert [hit.summary.id for hit in store.find(parse("mine tag:a is:pinned is:archived")).hits] == ["one"]

    def test_rewinds(self, store: Store) -> None:
        """What came after a rewind's message is neither shown nor found; the records are still there."""
        revision = created(store, "one", said(1, "early"), said(2, "late"))

        store.append("one", [records.rewind("m1", AT), said(3, "other")], revision)

        stored = store.read("one")
        assert [message.text for message in replay(stored.header, stored.records).messages] == ["early", "other"]
        assert store.find(parse("late")).hits == []
        assert len(stored.records) == 4

    def test_forks(self, store: Store) -> None:
        """A session made of another's records goes its own way."""
        created(store, "one", said(1), said(2))
        stored = store.read("one")

        created(store, "two", *[{**record} for record in stored.records[:1]])
        store.append("two", [said(9)], store.revision("two"))

        assert [record["messages"][0]["id"] for record in store.read("two").records] == ["m1", "m9"]
        assert [record["messages"][0]["id"] for record in store.read("one").records] == ["m1", "m2"]

    def test_compacts(self, store: Store) -> None:
        """A log in its shortest form says what it said before."""
        revision = created(store, "one", said(1), records.partial("a1", "x", AT), said(2), records.rewind("m1", AT))
        before = store.read("one")

        store.replace(
            "one", before.header, compacted(replay(before.header, before.records), before.records, AT), revision
        )

        after = store.read("one")
        assert len(after.records) == 2
        assert replay(after.header, after.records).messages == replay(before.header, before.records).messages
        assert after.revision.n > revision.n

    def test_purges_from_the_trash_only(self, store: Store) -> None:
        """Deleting for good takes two steps: a stored session is not purged."""
        created(store)
        with pytest.raises(SessionNotFound):
            store.purge("one")

        store.trash("one")
        store.purge("one")

        assert store.trashed() == []
        created(store)

    def test_quarantines(self, store: Store) -> None:
        """A session that is set aside leaves the list, and its id is free."""
        created(store)

        assert "one" in store.quarantine("one")

        assert all_summaries(store) == []
        created(store)

    def test_pages_without_gaps(self, store: Store) -> None:
        """Cursors lead through all sessions, newest first, each once."""
        for number in range(25):
            created(store, f"s{number:02}", said(number, at=f"2026-11-{number + 1:02}T09:00:00.000Z"))

        seen, cursor = [], None
        while True:
            page = store.find(Query(), limit=10, cursor=cursor)
            seen += [hit.summary.id for hit in page.hits]
            if (cursor := page.next_cursor) is None:
                break

        assert seen == [f"s{number:02}" for number in reversed(range(25))]
        with pytest.raises(InvalidField):
            store.find(Query(), cursor="yesterday")

    @pytest.mark.parametrize(
        ("text", "ids"),
        [
            ("", {"a", "b", "c"}),
            ("gradient", {"a"}),
            ("GRAD* boost*", {"a"}),
            ("grad", set()),
            ("std::vec*", {"c"}),
            ("überprüfung", {"b"}),
            ("uberprufung", {"b"}),
            ('"learning rate"', {"a"}),
            ('"rate learning"', set()),
            ("tag:work", {"a"}),
            ("tag:wor", set()),
            ("notebook:churn", {"a"}),
            ("model:gpt", {"a"}),
            ("after:2026-11-02", {"b", "c"}),
            ("before:2026-11-02", {"a"}),
            ("after:2026-11-02 before:2026-11-03", {"b"}),
            ("is:pinned", {"b"}),
            ("is:archived", {"c"}),
            ("is:open", {"c"}),
            ("is:trashed", {"t"}),
            ("is:trashed gone", {"t"}),
            ("gone", set()),
            ("std::vector", {"c"}),
            ("snake_case", {"c"}),
            ("nothing like this", set()),
        ],
    )
    def test_finds(self, store: Store, text: str, ids: set[str]) -> None:
        """Words, phrases and filters mean what the query language says."""
        day = "2026-11-0{}T09:00:00.000Z".format
        created(
            store, "a", said(1, "Gradient boosting: which learning rate?", day(1)),
            records.meta({"tags": ["Work"], "notebook": "/home/me/Churn.ipynb", "model": "openai:gpt-5"}, AT),
        )  # fmt: skip
        created(store, "b", said(2, "Die Überprüfung der Daten", day(2)), records.meta({"pinned": True}, AT))
        created(store, "c", said(3, "std::vector and snake_case", day(3)), records.meta({"archived": True}, AT))
        created(store, "t", said(4, "gone", day(4)))
        store.trash("t")
        store.lease("c", OWNER)

        for by_rank in (False, True):
            assert {hit.summary.id for hit in store.find(parse(text), by_rank=by_rank).hits} == ids

    def test_shows_where_a_word_stands(self, store: Store) -> None:
        """A hit comes with the text around the word."""
        created(store, "a", said(1, "x " * 200 + "the needle in it" + " y" * 200))

        [hit] = store.find(parse("needle")).hits

        assert "the needle in it" in hit.snippet
        assert len(hit.snippet) < 200

    def test_names_beginnings(self, store: Store) -> None:
        """Ids and titles are found by their beginning, exact ones first."""
        created(store, "abc", said(1, "Plot the data", "2026-11-20T09:00:00.000Z"))
        created(store, "abd", said(2, "Plot", "2026-11-19T09:00:00.000Z"))

        assert [summary.id for summary in store.named("plot")] == ["abd", "abc"]
        assert [summary.id for summary in store.named("ABC")] == ["abc"]
        assert store.named("data") == []
        assert store.named("%") == []

    def test_passes_over_records_it_does_not_know(self, store: Store) -> None:
        """A record type of a later version is kept and does no harm."""
        unknown: dict[str, Any] = {"t": "hologram", "at": AT, "depth": 3}
        created(store, "one", unknown, said(1))

        stored = store.read("one")

        assert dict(stored.records[0]) == {**unknown, "n": 1}
        assert len(replay(stored.header, stored.records).messages) == 1
