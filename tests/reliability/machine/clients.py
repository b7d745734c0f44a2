"""Two clients of one shared folder: processes that do what they are told, and what must hold between them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.errors import JidoError, StaleRevision, StoreBusy
from jido_jupyter.store import keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import all_summaries
from tests.reliability.report import Tally

ROUNDS: Final = 20
AT: Final = "2026-11-22T09:00:00.000Z"


class Client:
    """A process that works on the shared folder as it sees it at ``path``.

    Args:
        name: what it calls its host.
        before: the command that starts it elsewhere, as nsenter does.
        twin: ``unlocked`` or ``positioned`` for one that is broken on purpose.
    """

    def __init__(self, name: str, path: str, before: Sequence[str] = (), *, twin: str = "") -> None:
        command = [*before, sys.executable, "-m", "tests.reliability.machine.clients", name, path, twin]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, operation: str, *arguments: Any) -> None:
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # `result` says so
            self.process.stdin.write(json.dumps([operation, *arguments]) + "\n")
            self.process.stdin.flush()

    def result(self, timeout_s: float = 240) -> Any:
        """Return what the operation started last returned; an error of ours as ``{"error": code}``."""
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], timeout_s)[0]:
            self.end()
            return {"error": f"no answer in {timeout_s:g} s"}
        return json.loads(self.process.stdout.readline() or '{"error": "the client ended"}')

    def do(self, operation: str, *arguments: Any) -> Any:
        self.start(operation, *arguments)
        return self.result()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Worker:
    """What a client does when it is told to; runs in the client's process."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.store = FileStore(f"{path}/home", keys.load_or_create(f"{path}/keys"), 10 * 2**20)
        self.leases: dict[str, Any] = {}

    def identity(self) -> list[str]:
        """Return the store's id and that of the key it seals with."""
        session_id = f"by-{self.name}"
        self.create(session_id)
        return [self.store.id, self.store.read(session_id).header["kid"]]

    def create(self, session_id: str) -> None:
        self.store.create(records.header(session_id, AT), [])

    def append(self, session_id: str, text: str) -> int:
        """Append, and try again from the newer state as long as somebody else was first; return the tries."""
        tries = 0
        while True:
            tries += 1
            with contextlib.suppress(StaleRevision, StoreBusy):
                self.store.append(session_id, [_record(text)], self.store.revision(session_id))
                return tries

    def append_many(self, session_id: str, start: str, count: int) -> list[Any]:
        """Append ``start 0``, ``start 1`` ...; return the acknowledged texts, the tries, and the errors."""
        said, tries, errors = [], 0, []
        for number in range(count):
            try:
                tries += self.append(session_id, f"{start} {number}")
                said.append(f"{start} {number}")
            except JidoError as error:
                errors.append(error.code)
        return [said, tries, errors]

    def know(self, session_id: str) -> None:
        self.known = self.store.revision(session_id)

    def append_blind(self, session_id: str, text: str) -> None:
        """Append to what this client knew before the other one changed it."""
        self.store.append(session_id, [_record(text)], self.known)

    def texts(self, session_id: str) -> list[str]:
        stored = self.store.read(session_id)
        return [f"damaged: {damage.message}" for damage in stored.damage] + [
            record["messages"][0]["parts"][0]["content"] for record in stored.records
        ]

    def listed(self) -> list[str]:
        return sorted(summary.id for summary in all_summaries(self.store) if not summary.is_damaged)

    def trash(self, session_id: str) -> None:
        self.store.trash(session_id)

    def restore(self, session_id: str) -> None:
        self.store.restore(session_id)

    def replace(self, session_id: str, text: str) -> None:
        header, revision = records.header(session_id, AT), self.store.revision(session_id)
        self.store.replace(session_id, header, [_record(text)], revision)

    def lease(self, session_id: str, take_over: bool = False) -> None:
        owner = Owner("kernel", self.name, os.getpid())
        self.leases[session_id] = self.store.lease(session_id, owner, take_over=take_over)

    def is_held(self, session_id: str) -> bool:
        return bool(self.leases[session_id].is_held)

    def release(self, session_id: str) -> None:
        self.leases.pop(session_id).release()

    def owner(self, session_id: str) -> str | None:
        owner = self.store.owner(session_id)
        return owner and owner.host


def start_together(one: Client, two: Client, _: Tally) -> list[str]:
    """Both start on an empty folder at once, and agree on its key and id."""
    one.start("identity")
    two.start("identity")
    found = [one.result(), two.result()]
    return [] if found[0] == found[1] and isinstance(found[0], list) else [f"they do not agree: {found}"]


def read_fresh(one: Client, two: Client, tally: Tally) -> list[str]:
    """What one has appended, the other reads at once."""
    problems = errors_in(one.do("create", "fresh"))
    stale = 0
    for number in range(ROUNDS):
        writer, reader = (one, two) if number % 2 else (two, one)
        problems += errors_in(writer.do("append", "fresh", str(number)))
        stale += reader.do("texts", "fresh") != [str(n) for n in range(number + 1)]
    tally.count("fresh reads", ROUNDS - stale)
    return problems + ([f"{stale} of {ROUNDS} reads were stale"] if stale else [])


def list_fresh(one: Client, two: Client, tally: Tally) -> list[str]:
    """What one has created, the other lists at once."""
    stale, ids = 0, set(one.do("listed"))
    for number in range(ROUNDS):
        writer, reader = (one, two) if number % 2 else (two, one)
        ids.add(f"new{number}")
        writer.do("create", f"new{number}")
        stale += set(reader.do("listed")) != ids
    tally.count("fresh lists", ROUNDS - stale)
    return [f"{stale} of {ROUNDS} lists were stale"] if stale else []


def append_together(session_id: str, count: int) -> Callable[[Client, Client, Tally], list[str]]:
    """Both append at once, from the newer state after a conflict; what was acknowledged is there, once, and whole."""

    def case(one: Client, two: Client, tally: Tally) -> list[str]:
        one.do("create", session_id)
        one.start("append_many", session_id, "one", count)
        two.start("append_many", session_id, "two", count)
        answers = [one.result(), two.result()]
        if problems := errors_in(*answers):
            return problems
        said = [text for answer in answers for text in answer[0]]
        problems = [f"append: {code}" for answer in answers for code in answer[2]]
        found = two.do("texts", session_id)
        if not isinstance(found, list):
            return [*problems, f"cannot be read: {found}"]
        lost = set(said) - set(found)
        damaged = [text for text in found if text.startswith("damaged")]
        tally.count("acknowledged appends of two clients", len(said))
        tally.count("of them kept", len(said) - len(lost))
        tally.count("conflicts told", sum(answer[1] for answer in answers) - 2 * count)
        if lost or damaged or len(found) != len(said):
            problems.append(f"{len(lost)} of {len(said)} acknowledged appends lost, {len(found)} found, {damaged[:2]}")
        return problems

    return case


def move_away(one: Client, two: Client, _: Tally) -> list[str]:
    """A session that the other trashed or replaced: no write into a file that is no longer there."""
    problems = []
    for move, refusal in {"trash": "session_not_found", "replace": "stale_revision"}.items():
        session_id = f"moved-{move}"
        one.do("create", session_id)
        one.do("append", session_id, "before")
        one.do("know", session_id)
        arguments = [session_id] if move == "trash" else [session_id, "anew"]
        if refused := errors_in(two.do(move, *arguments)):
            problems.append(f"{move}: {refused}")
            continue
        if (answer := one.do("append_blind", session_id, "blind")) != {"error": refusal}:
            problems.append(f"append after the other's {move}: {answer}")
        if move == "trash":
            problems += errors_in(one.do("restore", session_id))
        problems += errors_in(one.do("append", session_id, "after"))
        if (found := two.do("texts", session_id)) != ["before" if move == "trash" else "anew", "after"]:
            problems.append(f"after {move}: {found}")
    return problems


def lease(one: Client, two: Client, tally: Tally) -> list[str]:
    """One holds a session's lease at a time, and both see who."""
    one.do("create", "leased")
    steps = [
        ("one leases", one, ["lease"], None),
        ("two is refused", two, ["lease"], {"error": "session_open"}),
        ("two sees whose it is", two, ["owner"], "one"),
        ("one still has it", one, ["is_held"], True),
        ("one releases", one, ["release"], None),
        ("two leases", two, ["lease"], None),
        ("one is refused", one, ["lease"], {"error": "session_open"}),
        ("one takes over", one, ["lease", True], None),
        ("one sees its own", one, ["owner"], "one"),
        ("one has it", one, ["is_held"], True),
        ("two sees that it lost it", two, ["is_held"], False),
        ("it ends", one, ["release"], None),
        ("both see that it ended", two, ["owner"], None),
        ("two leases again", two, ["lease"], None),
        ("two releases", two, ["release"], None),
    ]
    problems = []
    for what, client, (operation, *flags), wanted in steps:
        found = client.do(operation, "leased", *flags)
        if found != wanted:
            problems.append(f"{what}: {found} instead of {wanted}")
    return problems


def errors_in(*answers: Any) -> list[str]:
    return [f"error: {answer['error']}" for answer in answers if isinstance(answer, dict)]


def judge(tally: Tally, where: str, cases: dict[str, Callable[..., list[str]]], one: Client, two: Client) -> None:
    for name, case in cases.items():
        try:
            tally.check(f"{where}, {name}", case(one, two, tally))
        except (ValueError, TypeError) as error:  # an answer that no case foresees
            tally.check(f"{where}, {name}", [repr(error)])


def _break(twin: str) -> None:
    if twin == "unlocked":
        fcntl.flock = lambda _fd, _operation: None
    elif twin == "positioned":
        opened = os.open
        os.open = lambda path, flags, *rest, **named: opened(path, flags & ~os.O_APPEND, *rest, **named)
        os.write = lambda fd, data: os.pwrite(fd, data, os.fstat(fd).st_size)


def serve(name: str, path: str, twin: str) -> None:
    _break(twin)
    worker = None
    for line in sys.stdin:
        operation, *arguments = json.loads(line)
        try:
            worker = worker or Worker(name, path)
            answer = getattr(worker, operation)(*arguments)
        except JidoError as error:
            answer = {"error": error.code}
        except Exception as error:
            answer = {"error": f"none of ours: {type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def _record(text: str) -> Record:
    return records.messages([Message("m", "user", (text_part(text),), AT)], AT)


if __name__ == "__main__":
    serve(*sys.argv[1:])
