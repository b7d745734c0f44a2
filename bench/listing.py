"""Lists and searches over many sessions: with a fresh index, and after another host changed something unseen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.content import COMMON, RARE, Author
from bench.corpus import SEARCHED, corpus
from bench.measure import Case, Work, interleave
from bench.rows import Row, judged
from bench.scale import Scale
from bench.store import TURN, Bed
from jido_jupyter.core.query import Query
from jido_jupyter.store import catalogue

_US: Final = 1e6
_MS: Final = 1e3


def run(scale: Scale) -> list[Row]:
    rows = []
    for count in scale.corpora:
        bed = Bed(*corpus(scale.folder, count))
        rows += [*_pages(bed, count, scale), *_after_others(bed, count, scale)]
        if count <= SEARCHED:
            rows += _searches(bed, count, scale)
    return rows


def _pages(bed: Bed, count: int, scale: Scale) -> list[Row]:
    first = Case("page", lambda: lambda: bed.sessions.find(limit=50))
    room = Case("room", lambda: lambda: [bed.sessions.room() for _ in range(20)], 20)
    times = interleave([first, room], scale.rounds)
    value, is_full = times["page"].median * _MS, times["room"].median * _US
    return [
        judged("listing", f"first page of 50 of {count:,} sessions", value, "ms", f"page {count}"),
        judged("listing", f"is the limit reached, {count:,} sessions", is_full, "µs", "room"),
    ]


def _after_others(bed: Bed, count: int, scale: Scale) -> list[Row]:
    """The look at all files, after a change that no change file and no folder time tells of. Floor: a stat of each file."""
    other = Bed(bed.folder)
    other.store._mark = lambda session_id: None  # type: ignore[method-assign]
    oldest = min(bed.sessions.list(), key=lambda summary: summary.updated_at).id
    author = Author(count + 1)

    def prepare() -> Work:
        other.store.append(oldest, [author.turn_of(TURN)], other.store.revision(oldest), durable=False)
        return work

    def work() -> None:
        with _looking_always():
            page = bed.sessions.find(limit=50)
        assert page.hits, "the page is empty"

    folder = os.path.join(bed.folder, "sessions")

    def stat_all() -> int:
        with os.scandir(folder) as entries:
            return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)

    times = interleave([Case("look", prepare), Case("floor", lambda: stat_all)], scale.slow_rounds, budget_s=15)
    shown = bed.store.find(Query(), limit=10**6).hits
    seen = next(hit.summary for hit in shown if hit.summary.id == oldest).revision
    assert seen == str(other.store.revision(oldest)), "the look missed a change"
    value, floor = times["look"].median * _MS, times["floor"].median * _MS
    name = f"first page of {count:,} sessions, complete again after changes by another host"
    return [judged("listing", name, value, "ms", f"look {count}", floor)]


@contextmanager
def _looking_always() -> Iterator[None]:
    usual = catalogue.SCAN_S
    catalogue.SCAN_S = 0.0  # type: ignore[misc]
    try:
        yield
    finally:
        catalogue.SCAN_S = usual  # type: ignore[misc]


def _searches(bed: Bed, count: int, scale: Scale) -> list[Row]:
    for word in (COMMON, RARE):
        assert bed.sessions.find(word, limit=20).hits, f"nobody says {word}"

    def search(word: str) -> Case:
        return Case(word, lambda: lambda: bed.sessions.find(word, limit=20))

    times = interleave([search(COMMON), search(RARE)], scale.rounds)
    return [
        judged(
            "listing",
            f"search {count:,} sessions, newest 20, {kind} word",
            times[word].median * _MS,
            "ms",
            "search",
            note=f"the {kind} word stands in {len(bed.sessions.list(word)):,} sessions",
        )
        for word, kind in ((COMMON, "a common"), (RARE, "a rare"))
    ]
