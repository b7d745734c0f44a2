"""The stores of `bench.stores` side by side with ours: the same sessions, the same rounds."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from typing import Any, Final

from bench.content import COMMON, Author
from bench.measure import Case, Work, interleave
from bench.rows import Row, compared
from bench.scale import KB, Scale, told
from bench.stores import OWN, Peer, installed
from jido_jupyter.core.messages import Message

_MS: Final = 1e3
_BUDGET_S: Final = 4.0  # of one store and operation
_SPAWN: Final = multiprocessing.get_context("spawn")


def run(scale: Scale) -> list[Row]:
    peers, missing = installed(os.path.join(scale.folder, "peers"))
    author = Author(11)
    kept = {peer.name: _kept(peer, scale) for peer in peers}
    turns = scale.writers * scale.turns
    rows = [
        Row("peers", f"turns kept of {turns} by {scale.writers} processes: {peer.name}", kept[peer.name], "", None, None,
            None, None)
        for peer in peers
    ]  # fmt: skip
    # Who returns before the bytes are safe, or loses turns, promises less; being quicker then is no merit.
    durable = {peer.name for peer in peers if peer.is_durable}
    shared = {name for name in durable if kept[name] == turns}
    for size in (scale.sizes[0], scale.sizes[-2], scale.sizes[-1]) if len(scale.sizes) > 2 else scale.sizes:
        said = [message for turn in author.turns(size) for message in turn]
        for what, cases, same in (
            ("save", [_saving(peer, author, said) for peer in peers if size <= peer.longest_save], durable),
            ("append a turn to", [_appending(peer, author, said, size) for peer in peers], shared),
            ("load", [_loading(peer, author, said) for peer in peers], durable),
        ):
            times = interleave(cases, scale.peer_rounds, is_durable=what != "load", budget_s=_BUDGET_S)
            rows += compared("peers", f"{what} {told(size)}", {n: t.median * _MS for n, t in times.items()}, "ms", same)
    rows += _many(scale, author, durable)
    return [*rows, *(Row("peers", f"not installed: {name}", 0.0, "", None, None, None, None) for name in missing)]


def _saving(peer: Peer, author: Author, said: Sequence[Message]) -> Case:
    native = peer.native(said)

    def prepare() -> Work:
        session_id = author.session_id()
        peer.held.clear()
        peer.open(session_id)
        fresh = peer.fresh(native, session_id)
        return lambda: peer.save(session_id, fresh)

    return Case(peer.name, prepare)


def _appending(peer: Peer, author: Author, said: Sequence[Message], size: int) -> Case:
    """A session of 10 KB would grow too much: it is a new one each time."""
    native, held = peer.native(said), ""

    def prepare() -> Work:
        nonlocal held
        if not held or size <= 100 * KB:
            peer.held.clear()
            held = author.session_id()
            peer.open(held)
            peer.seed(held, native)
        session_id, turn = held, peer.native(_turn(author))
        return lambda: peer.append(session_id, turn)

    return Case(peer.name, prepare)


def _loading(peer: Peer, author: Author, said: Sequence[Message]) -> Case:
    session_id = author.session_id()
    peer.held.clear()
    peer.open(session_id)
    peer.seed(session_id, peer.native(said))

    def work() -> None:
        assert peer.load(session_id) == len(said), f"{peer.name} lost messages"

    return Case(peer.name, lambda: work)


def _many(scale: Scale, author: Author, durable: set[str]) -> list[Row]:
    """Lists and searches; where a store has none of its own, a query by hand stands in and is not judged."""
    count = scale.listed_by_peers
    peers, _ = installed(os.path.join(scale.folder, "many"))
    peers = [peer for peer in peers if peer.lists or peer.searches]
    for _ in range(count):
        turn = author.turn(1600)
        for peer in peers:
            session_id = author.session_id()
            peer.seed(session_id, peer.native(turn))
            peer.held.clear()
    listing = [_listing(peer) for peer in peers if peer.lists]
    searching = [_searching(peer) for peer in peers if peer.searches]
    rows = []
    lists = {peer.name for peer in peers if peer.lists == OWN} & durable
    searches = {peer.name for peer in peers if peer.searches == OWN} & durable
    for what, cases, same in (
        (f"list all of {count:,}", listing, lists),
        (f"search {count:,}, newest 20", searching, searches),
    ):
        for case in cases:
            case.prepare()()  # what is read only once
        times = interleave(cases, scale.peer_rounds, budget_s=_BUDGET_S)
        rows += compared("peers", what, {name: timing.median * _MS for name, timing in times.items()}, "ms", same)
    return rows


def _listing(peer: Peer) -> Case:
    return Case(peer.name, lambda: peer.list)


def _searching(peer: Peer) -> Case:
    return Case(peer.name, lambda: lambda: peer.search(COMMON))


def _turn(author: Author) -> list[Message]:
    return author.turn(2700)  # 4 KB on average


# --- several processes that add to one session; each reads it first where a store rewrites it whole


def _kept(peer: Peer, scale: Scale) -> float:
    author = Author(13)
    session_id, start = author.session_id(), author.turn()
    peer.open(session_id)
    peer.save(session_id, peer.native(start))
    barrier, done = _SPAWN.Barrier(scale.writers), _SPAWN.SimpleQueue()
    writers = [
        _SPAWN.Process(target=_write, args=(type(peer), peer.folder, session_id, number, scale.turns, barrier, done))
        for number in range(scale.writers)
    ]
    for writer in writers:
        writer.start()
    for _ in writers:
        done.get()
    for writer in writers:
        writer.join()
    peer.held.clear()
    try:
        return max(0.0, (peer.load(session_id) - len(start)) / 2)
    except Exception:  # whatever a broken file makes a store raise
        return 0.0


def _write(
    kind: type[Peer], folder: str, session_id: str, number: int, count: int, barrier: Barrier, done: Any
) -> None:
    failed = 0
    try:
        peer, author = kind(folder), Author(100 + number)
        turns = [peer.native(_turn(author)) for _ in range(count)]
        barrier.wait(60)
        for turn in turns:
            peer.held.clear()
            try:
                peer.append(session_id, turn)
            except Exception:
                failed += 1
    finally:
        done.put(failed)
