"""A process that serves a store for long, beside a dictionary of what was acknowledged; started by the probe `soak`.

It does what the doors do, one thing at a time, chosen at random. Meanwhile other processes write and are killed, ends
are torn, the disk is full now and then, the index vanishes, and newcomers open the store. Sessions go to the trash and
are purged as fast as they come, so that whatever grows is a leak.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import resource
import secrets
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from jido_jupyter.core import ids, records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import compacted, replay
from jido_jupyter.core.times import stamp
from jido_jupyter.core.window import Admitted, Charge, Window
from jido_jupyter.errors import IllegalTransition, JidoError, LimitReached, RateLimited
from jido_jupyter.services.cleanup import Cleanup
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.catalogue import SCAN_S
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.limiter import FileLimiter
from tests.reliability import children, shim, twins, workload
from tests.reliability.gauges import Gauges
from tests.reliability.report import TOLD, Tally
from tests.reliability.workload import KEYS, MAX_BYTES

WARM_UP: Final = 0.2  # of the time: caches fill, the trash comes into use
SAMPLE_S: Final = 0.25
SESSIONS: Final = 30  # stored at once, about
LONGEST: Final = 40  # messages; then a session goes to the trash
OPEN: Final = 5
HOT: Final = Window(7, 0.3)
CALLS_OF_CREATE: Final = 30
AN_HOUR_AND_MORE_S: Final = 7200.0
OWNER: Final = Owner("kernel", "here", 1, "a.ipynb")
STORES: Final[dict[str, Callable[..., FileStore]]] = {
    "": FileStore,
    "leaks": twins.Leaks,
    "lies": twins.LiesAboutErrors,
}


@dataclass
class Known:
    """What was acknowledged of one session."""

    said: list[str] = field(default_factory=list)  # ids of its messages
    is_trashed: bool = False


class Soak:
    """The long-lived process. Each operation is a method of `_CHANCES`; ``known`` is what it was told."""

    def __init__(self, place: str, seed: int, twin: str) -> None:
        self.home, self.cache = os.path.join(place, "home"), os.path.join(place, "cache")
        self.rng = random.Random(seed)
        self.make = STORES[twin]
        self.tally = Tally()
        self.kinds: set[str] = set()
        self.known: dict[str, Known] = {}
        self.lives: dict[str, LiveSession] = {}
        self.unmarked: dict[str, float] = {}  # s, monotonic: until when a search need not know the end of a session
        self.number = 0
        self.torn = 0  # ends, on purpose
        self.hot: deque[float] = deque(maxlen=HOT.limit)  # s, monotonic: before each of the last calls let in
        self.gauges = Gauges(self.home)
        self.store = self.make(self.home, KEYS, MAX_BYTES, self.cache)
        self.limiter = FileLimiter(os.path.join(self.home, "limits"))
        self.sessions = self._sessions(self.store)
        self.cleanup = Cleanup(self.store, OWNER, _now, lambda line: None)

    def _sessions(self, store: FileStore) -> Sessions:
        limits = Limits(self.limiter, Window(4, 0.5), Window(40, 0.5))
        return Sessions(store, limits, max_sessions=2 * SESSIONS, max_open=OPEN, clock=_now, mint_id=_mint)

    def run(self, seconds: float) -> None:
        operations, chances = zip(*_CHANCES, strict=True)
        for operation in operations:  # so that each has opened what it keeps open
            self._do(operation)
        start = time.monotonic()
        warm, end = start + WARM_UP * seconds, start + seconds
        sampled = warm
        while (now := time.monotonic()) < end:
            operation = self.rng.choices(operations, chances)[0]
            self._do(operation)
            if now >= sampled:
                self.gauges.sample(len(self.lives))
                sampled = now + SAMPLE_S
        for session_id in list(self.lives):
            self.attempt("close", lambda session_id=session_id: self._close(session_id))
        self._compare_all()
        self._judge()

    def _do(self, operation: Callable[[Soak], object]) -> None:
        self.attempt(operation.__name__.lstrip("_").replace("_", " "), lambda: operation(self))

    def attempt(self, name: str, act: Callable[[], object]) -> None:
        """Do one thing; what it was told and is not so is in an AssertionError, refusals that are right are counted."""
        try:
            act()
        except (RateLimited, LimitReached) as error:
            self.tally.count(error.code)
        except AssertionError as error:
            self.kinds.add("lost")
            self.tally.violations += 1
            if len(self.tally.told) < TOLD:
                self.tally.told.append(f"{name}: {error}")
            self._believe()
        except Exception as error:
            self.kinds.add("error")
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.tally.violations += 1
            if len(self.tally.told) < TOLD:
                self.tally.told.append(f"{name}: {type(error).__name__}: {error} ({where.name}:{where.lineno})"[:300])
            self._believe()
        self.tally.tried += 1

    def _believe(self) -> None:
        """After a violation: take what is there for right, so that it is told once."""
        for session_id in self.known.keys() - set(self.lives):
            with contextlib.suppress(JidoError):
                self.known[session_id] = Known(self._read(session_id))

    # What is there

    def _read(self, session_id: str) -> list[str]:
        stored = self.store.read(session_id)
        assert workload.is_sound(stored), f"{session_id} is damaged: {[damage.kind for damage in stored.damage]}"
        return list(workload.messages(stored))

    def _compare(self, session_id: str) -> None:
        found, said = self._read(session_id), self.known[session_id].said
        assert found == said, f"{session_id} holds {_short(found)}, acknowledged were {_short(said)}"

    def _settle(self, session_id: str, more: Sequence[str], acknowledged: int) -> None:
        """See what a writer left that was killed: all that was acknowledged, and at most one more."""
        found, said = self._read(session_id), self.known[session_id].said
        allowed = [[*said, *more[:count]] for count in (acknowledged, acknowledged + 1)]
        assert found in allowed, f"{session_id} holds {_short(found)}, acknowledged were {_short(allowed[0])}"
        self.known[session_id].said = found
        if len(found) > len(said) + acknowledged:
            self._expect_late(session_id)

    def _expect_late(self, session_id: str) -> None:
        """A write may be there without its mark for the index, which then sees it at its next look at all files."""
        self.unmarked[session_id] = time.monotonic() + SCAN_S + 1

    def _compare_all(self) -> None:
        def compare() -> None:
            stored = {session_id for session_id, known in self.known.items() if not known.is_trashed}
            assert {summary.id for summary in self.sessions.list()} == stored, "the list does not show what is stored"
            assert set(self.store.trashed()) == self.known.keys() - stored, "the trash is not what was trashed"
            for session_id in self.known.keys() - stored:
                self.store.restore(session_id)
            for session_id in self.known:
                self._compare(session_id)

        self.attempt("all sessions", compare)

    # Choosing

    def _message(self, text: str = "", days_ago: int = 0) -> Message:
        self.number += 1
        text = f"{_word(self.number)} {text or 'and some more words ' * self.rng.randrange(1, 30)}"
        at = stamp(_now() - timedelta(days=days_ago))
        return Message(f"m{self.number}", self.rng.choice(["user", "assistant"]), (text_part(text),), at)

    def _closed(self) -> str | None:
        """Return one of the sessions that are stored and that nobody has open."""
        found = [
            session_id
            for session_id, known in self.known.items()
            if not known.is_trashed and session_id not in self.lives
        ]
        return self.rng.choice(found) if found else None

    # What the doors do

    def _create(self) -> None:
        if self.store.count() >= SESSIONS:
            self._make_way()
            return
        said = [self._message() for _ in range(self.rng.randrange(1, 4))]
        shown = self.sessions.create(self.rng.choice([None, "A title"]), said)
        self.known[shown.state.id] = Known([message.id for message in said])

    def _bring_in_an_old_one(self) -> None:
        if self.store.count() >= SESSIONS:
            self._make_way()
            return
        said = [self._message(days_ago=40)]
        shown = self.sessions.bring_in({"origin": {"kind": "import"}}, said)
        self.known[shown.state.id] = Known([said[0].id])

    def _make_way(self) -> None:
        if session_id := self._closed():
            self.sessions.trash(session_id)
            self.known[session_id].is_trashed = True

    def _open(self) -> None:
        if len(self.lives) >= OPEN:
            self._close(self.rng.choice(list(self.lives)))
            return
        if self.rng.random() < 0.3 and self.store.count() < SESSIONS:
            live = self.sessions.new(OWNER, self.rng.choice([None, "A title"]))
            self.known[live.id] = Known()
        elif session_id := self._closed():
            live, _ = self.sessions.resume(session_id, OWNER)
            assert [message.id for message in live.state.messages] == self.known[session_id].said, (
                f"resumed {[message.id for message in live.state.messages]}, not {self.known[session_id].said}"
            )
        else:
            return
        self.lives[live.id] = live

    def _close(self, session_id: str) -> None:
        self.lives.pop(session_id).close()

    def _say(self) -> None:
        """A turn in an open session: an answer that streams, and its end; now and then it is left without one."""
        if not self.lives:
            self._open()
            return
        session_id, live = self.rng.choice(list(self.lives.items()))
        said = self.known[session_id].said
        answer = self._message()
        for piece in range(self.rng.choice([0, 0, 3])):
            live.record_partial(answer.id, f"{_word(self.number)} {piece} ", None)
            if answer.id not in said:
                said.append(answer.id)
        if answer.id in said and self.rng.random() < 0.2:
            self._close(session_id)
            return
        live.record([answer], ends_turn=True)
        if answer.id not in said:
            said.append(answer.id)
        if len(said) > LONGEST:
            self._close(session_id)
            self.sessions.trash(session_id)
            self.known[session_id].is_trashed = True

    def _say_while_something_fails(self) -> None:
        """What cannot be written stays in memory, and `save` writes it."""
        if not self.lives:
            self._open()
            return
        session_id, live = self.rng.choice(list(self.lives.items()))
        answer = self._message()
        with self._failing(), contextlib.suppress(JidoError):
            live.record([answer])
        live.save()
        self._expect_late(session_id)
        self.known[session_id].said.append(answer.id)
        self._compare(session_id)

    def _add(self) -> None:
        if session_id := self._closed():
            said = [self._message()]
            self.sessions.add(session_id, said)
            self.known[session_id].said.append(said[0].id)
            if len(self.known[session_id].said) > LONGEST:
                self.sessions.trash(session_id)
                self.known[session_id].is_trashed = True

    def _show(self) -> None:
        if session_id := self._closed():
            shown = self.sessions.show(session_id)
            said = self.known[session_id].said
            assert [message.id for message in shown.state.messages] == said, f"{session_id} is shown without a part"

    def _list(self) -> None:
        found = {summary.id for summary in self.sessions.list()}
        stored = {session_id for session_id, known in self.known.items() if not known.is_trashed}
        assert found == stored, f"the list lacks {stored - found} and has {found - stored}"
        self.sessions.changes()

    def _search(self) -> None:
        session_id = self._closed()
        if session_id and (said := self.known[session_id].said) and time.monotonic() > self.unmarked.get(session_id, 0):
            word = _word(int(self.rng.choice(said).removeprefix("m")))
            found = [hit.summary.id for hit in self.sessions.find(word, by_rank=self.rng.random() < 0.5).hits]
            assert session_id in found, f"{word} of {session_id} is not found"

    def _edit(self) -> None:
        if session_id := self._closed():
            title = f"Title {self.rng.randrange(100)}"
            shown = self.sessions.edit(session_id, title=title, tags=self.rng.choice([[], ["a"], ["a", "b"]]))
            assert shown.summary.title == title, "the title is another"

    def _rewind(self) -> None:
        session_id = self._closed()
        if session_id and (said := self.known[session_id].said):
            place = self.rng.randrange(len(said))
            self.sessions.rewind(session_id, said[place])
            del said[place + 1 :]

    def _fork(self) -> None:
        session_id = self._closed()
        if session_id and self.store.count() < SESSIONS:
            shown = self.sessions.fork(session_id)
            self.known[shown.state.id] = Known(list(self.known[session_id].said))

    def _compact(self) -> None:
        if session_id := self._closed():
            self.sessions.compact(session_id)
            self._compare(session_id)

    def _restore(self) -> None:
        trashed = [session_id for session_id, known in self.known.items() if known.is_trashed]
        if trashed and self.store.count() < SESSIONS:
            session_id = self.rng.choice(trashed)
            self.sessions.restore(session_id)
            self.known[session_id].is_trashed = False
            self._compare(session_id)

    def _purge(self) -> None:
        trashed = {session_id for session_id, known in self.known.items() if known.is_trashed}
        if len(trashed) < 10:
            return
        report = self.cleanup.purge_trash(older_than_days=0)
        assert {entry.summary.id for entry in report.removed} == trashed, "purged are others than the trashed"
        for session_id in trashed:
            del self.known[session_id]
            self.unmarked.pop(session_id, None)

    def _clean_up(self) -> None:
        for entry in self.cleanup.run(days=30, keep=3).removed:
            self.known[entry.summary.id].is_trashed = True
        before = set(self.store.trashed())
        if self.store.count() >= SESSIONS and self.cleanup.make_room(self.store.count()):
            for session_id in set(self.store.trashed()) - before:
                self.known[session_id].is_trashed = True

    def _limit(self) -> None:
        """Many keys, and one that is asked all the time."""
        self.limiter.acquire([Charge(f"soak/{self.rng.randrange(10**9)}", HOT) for _ in range(3)])
        before = time.monotonic()
        if isinstance(self.limiter.acquire([Charge("soak/hot", HOT)]), Admitted):
            first = self.hot[0] if len(self.hot) == HOT.limit else before - HOT.seconds
            self.hot.append(before)
            assert time.monotonic() - first >= HOT.seconds, f"more than {HOT.limit} let in within {HOT.seconds} s"

    # What goes wrong

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Let a system call fail, or the disk be full."""
        if self.rng.random() < 0.5:
            with shim.faults({self.rng.randrange(30): self.rng.choice(["ENOSPC", "EDQUOT", "EIO"])}):
                yield
            return
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.rng.randrange(4000), before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def _write_while_something_fails(self) -> None:
        """The three outcomes, each as it is told."""
        session_id = self._closed()
        if session_id is None:
            return
        message, revision, said = self._message(), self.store.revision(session_id), self.known[session_id].said
        stored = self.store.read(session_id)
        header = records.header(session_id, str(stored.header["created_at"]))
        log = [records.messages([message], stamp(_now()))]
        state = replay(stored.header, stored.records)
        if state.unsettled:
            return  # no door adds anything before it has settled what was cut off
        act, adds = self.rng.choice(
            [
                (lambda: self.store.append(session_id, log, revision), True),
                (
                    lambda: self.store.replace(
                        session_id, header, compacted(state, stored.records, stamp(_now())), revision
                    ),
                    False,
                ),
            ]
        )
        with self._failing():
            outcome = workload.outcome_of(act)
        self._expect_late(session_id)
        old, new = list(said), [*said, message.id] if adds else list(said)
        allowed = {"returned": [new], "refused": [old], "unknown": [old, new]}.get(outcome, [])
        found = self._read(session_id)
        self.tally.count(f"write with a fault {outcome.partition(':')[0]}")
        assert found in allowed, f"{outcome}, and {session_id} holds {_short(found)} after {_short(old)}"
        self.known[session_id].said = found

    def _move_while_something_fails(self) -> None:
        session_id = self._closed()
        if session_id is None:
            return
        with self._failing():
            outcome = workload.outcome_of(lambda: self.store.trash(session_id))
        is_trashed = session_id in self.store.trashed()
        allowed = {"returned": [True], "refused": [False], "unknown": [True, False]}.get(outcome, [])
        assert is_trashed in allowed, f"trash: {outcome}, and in the trash is {is_trashed}"
        self.known[session_id].is_trashed = is_trashed

    def _tear(self) -> None:
        """Leave the end of a write that was cut off, and see that the next writer mends it."""
        if session_id := self._closed():
            with open(workload.file_of(self.home, session_id), "ab") as file:
                file.write(b'{"t":"messages","at":"2026-11-22T09:00'[: self.rng.randrange(1, 38)])
            self.torn += 1
            said = [self._message()]
            self.sessions.add(session_id, said)
            self.known[session_id].said.append(said[0].id)
            self._compare(session_id)

    def _lose_the_index(self) -> None:
        for path in Path(self.cache).iterdir():
            path.unlink()
        self._list()

    def _kill(self) -> None:
        self.rng.choice(
            [
                self._kill_one_that_appends,
                self._kill_one_that_streams,
                self._kill_one_that_creates,
                self._kill_one_that_moves,
                self._kill_one_that_compacts,
                self._kill_one_at_a_call,
                self._kill_one_at_a_call,
                self._kill_one_that_lists,
                self._kill_one_that_asks,
                self._take_over,
            ]
        )()

    def _killed(self, work: Callable[[Callable[[], None]], None]) -> int:
        """Run ``work`` in a process that is killed soon; return how often it said that something was done."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                work(lambda: os.write(writer, b".") and None)
                os.write(writer, b"!")
                time.sleep(10)
            except BaseException:
                os.write(writer, b"!" + traceback.format_exc().encode()[-2000:])
            finally:
                os._exit(0)
        os.close(writer)
        time.sleep(self.rng.uniform(0.001, 0.02))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(reader, "rb") as pipe:
            done, _, failure = pipe.read().partition(b"!")
        self.tally.count("kills")
        if failure:
            raise RuntimeError(failure.decode())
        return len(done)

    def _kill_one_that_appends(self) -> None:
        if session_id := self._closed():
            said = [self._message() for _ in range(12)]

            def work(done: Callable[[], None]) -> None:
                for message in said:
                    self.sessions.add(session_id, [message])
                    done()

            self._settle(session_id, [message.id for message in said], self._killed(work))

    def _kill_one_that_streams(self) -> None:
        if session_id := self._closed():
            answer, word = self._message(), _word(self.number)

            def work(done: Callable[[], None]) -> None:
                revision = self.store.revision(session_id)
                for piece in range(50):
                    log = [records.partial(answer.id, f"{word} {piece} ", stamp(_now()))]
                    revision = self.store.append(session_id, log, revision, durable=False)
                    done()

            acknowledged = self._killed(work)
            self._settle(session_id, [answer.id], min(1, acknowledged))
            found = {message.id: message.text for message in self.sessions.show(session_id).state.messages}
            pieces = "".join(f"{word} {piece} " for piece in range(acknowledged))
            assert found.get(answer.id, "").startswith(pieces), f"{found[answer.id]!r} lacks some of {pieces!r}"

    def _kill_one_that_creates(self) -> None:
        if self.store.count() >= SESSIONS:
            self._make_way()
            return
        minted, said = [_mint() for _ in range(4)], [self._message() for _ in range(4)]

        def work(done: Callable[[], None]) -> None:
            for session_id, message in zip(minted, said, strict=True):
                at = stamp(_now())
                self.store.create(records.header(session_id, at), [records.messages([message], at)])
                done()

        acknowledged = self._killed(work)
        there = [(Path(self.home) / "sessions" / f"{session_id}.jsonl").exists() for session_id in minted]
        assert acknowledged <= sum(there) <= acknowledged + 1, f"{there}, acknowledged {acknowledged}"
        assert all(there[:acknowledged]), f"{there}, acknowledged {acknowledged}"
        for session_id, message, is_there in zip(minted, said, there, strict=True):
            if is_there:
                self.known[session_id] = Known([message.id])
                self._compare(session_id)

    def _kill_one_that_moves(self) -> None:
        if session_id := self._closed():

            def work(done: Callable[[], None]) -> None:
                for _ in range(20):
                    self.store.trash(session_id)
                    self.store.restore(session_id)

            self._killed(work)
            if session_id in self.store.trashed():
                self.store.restore(session_id)
            self._compare(session_id)

    def _kill_one_that_compacts(self) -> None:
        if session_id := self._closed():
            self._killed(lambda done: [self.sessions.compact(session_id) for _ in range(20)] and None)
            self._compare(session_id)

    def _kill_one_at_a_call(self) -> None:
        """End a process at one of its system calls: some of them leave a temporary file."""
        if session_id := self._closed():
            first = self.rng.randrange(80)

            def compact() -> str:
                with shim.faults({first: shim.KILL}):
                    self.sessions.compact(session_id)
                return "done"

            children.run(compact)
            self.tally.count("kills")
            self._compare(session_id)

    def _kill_one_that_lists(self) -> None:
        def work(done: Callable[[], None]) -> None:
            sessions = self._sessions(FileStore(self.home, KEYS, MAX_BYTES, self.cache))
            for word in ("", "words", "title", "tag:a"):
                sessions.list(word)

        self._killed(work)
        self._list()

    def _kill_one_that_asks(self) -> None:
        def work(done: Callable[[], None]) -> None:
            for number in range(10_000):
                self.limiter.acquire([Charge(f"killed/{number}", HOT)])

        self._killed(work)
        self._limit()

    def _take_over(self) -> None:
        """Another process takes a session that is open here, adds to it, and is killed: its lease goes with it."""
        if not self.lives:
            self._open()
            return
        session_id, live = self.rng.choice(list(self.lives.items()))
        said = [self._message() for _ in range(6)]

        def work(done: Callable[[], None]) -> None:
            with contextlib.suppress(RateLimited):
                taken, _ = self.sessions.resume(session_id, OWNER, take_over=True)
                for message in said:
                    taken.record([message])
                    done()

        acknowledged = self._killed(work)
        self._settle(session_id, [message.id for message in said], acknowledged)
        if not live.is_open:
            answer = self._message()
            try:
                live.record([answer])
            except IllegalTransition:
                pass
            else:  # it was taken, and its taker was killed before it wrote anything
                assert not acknowledged, "added to what another process took over"
                self.known[session_id].said.append(answer.id)
            assert self.store.owner(session_id) is None, "the lease of a killed process is still held"
            self._close(session_id)
        elif acknowledged:
            raise AssertionError("still open here after it was taken over")

    def _come_back_after_an_hour(self) -> None:
        """Let the temporary files that killed writers left grow old, and another process open the store."""
        past = time.time() - AN_HOUR_AND_MORE_S
        for path in self.gauges.temporary():
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (past, past))

        def newcomer() -> str:
            store = self.make(self.home, KEYS, MAX_BYTES, self.cache if self.rng.random() < 0.5 else None)
            return json.dumps(sorted(summary.id for summary in self._sessions(store).list()))

        answer = children.run(newcomer)
        stored = sorted(session_id for session_id, known in self.known.items() if not known.is_trashed)
        assert answer == json.dumps(stored), f"a newcomer lists {answer}"

    # What it costs

    def _judge(self) -> None:
        for name, problems in self.gauges.judged(self.tally.counts.get("kills", 0), self.torn):
            self._check(name, name, problems)
        self._check("abandoned temporary files", "abandoned", self._abandoned())

    def _abandoned(self) -> list[str]:
        """Return what is left of temporary files once all are old and the store was opened and listed again."""
        for first in range(CALLS_OF_CREATE):
            children.run(lambda first=first: self._end_while_creating(first))
        past = time.time() - AN_HOUR_AND_MORE_S
        for path in self.gauges.temporary():
            os.utime(path, (past, past))
        list(self._sessions(self.make(self.home, KEYS, MAX_BYTES)).list())
        FileLimiter(os.path.join(self.home, "limits"))
        left = self.gauges.temporary()
        return [f"{len(left)} left, as {path.relative_to(self.home)}" for path in left[:1]]

    def _end_while_creating(self, first: int) -> str:
        with shim.faults({first: shim.KILL}):
            self.store.create(records.header(_mint(), stamp(_now())), [])
        return "done"

    def _check(self, name: str, kind: str, problems: Sequence[str]) -> None:
        self.tally.check(name, problems)
        if problems:
            self.kinds.add(kind)


_CHANCES: Final[tuple[tuple[Callable[[Soak], object], int], ...]] = (
    (Soak._create, 60), (Soak._bring_in_an_old_one, 10), (Soak._open, 60), (Soak._say, 200), (Soak._add, 100),
    (Soak._show, 150), (Soak._list, 60), (Soak._search, 60), (Soak._edit, 50), (Soak._rewind, 40), (Soak._fork, 30),
    (Soak._compact, 40), (Soak._make_way, 60), (Soak._restore, 30), (Soak._purge, 30), (Soak._clean_up, 10),
    (Soak._limit, 200), (Soak._say_while_something_fails, 20), (Soak._write_while_something_fails, 40),
    (Soak._move_while_something_fails, 15), (Soak._tear, 10), (Soak._kill, 40), (Soak._lose_the_index, 2),
    (Soak._come_back_after_an_hour, 3),
)  # fmt: skip


def _word(number: int) -> str:
    return f"w{number:09d}"


def _short(said: Sequence[str]) -> str:
    return " ".join(said[-6:]) or "nothing"


def _now() -> datetime:
    return datetime.now(UTC)


def _mint() -> str:
    return ids.from_random(secrets.token_bytes(ids.ID_BYTES))


def main(seconds: str, seed: str, twin: str) -> None:
    with workload.folder() as place, twins.no_sweeping() if twin == "leaks" else contextlib.nullcontext():
        soak = Soak(place, int(seed), twin)
        soak.run(float(seconds))
        print(
            json.dumps(
                {"tally": dataclasses.asdict(soak.tally), "notes": [soak.gauges.told()], "kinds": sorted(soak.kinds)}
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
