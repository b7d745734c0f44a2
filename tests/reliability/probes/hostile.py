"""Proves that no id, link, pipe or swapped folder leads the store outside its own, or makes it hang.

A canary folder beside the store holds what an attacker would want changed or read. Each attack runs every operation in a
process of its own with a deadline; afterwards not a byte, name or mode of the canary differs.
"""

from __future__ import annotations

import os
import random
import signal
import string
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jido_jupyter.core import records
from jido_jupyter.core.ids import is_valid
from jido_jupyter.core.query import Query
from jido_jupyter.errors import JidoError
from jido_jupyter.store.contract import Revision
from jido_jupyter.testing.store_conformance import AT, OWNER, said
from tests.reliability import children, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener

NAME = "hostile ids and links"
ROW = "S3"

SECRET = b"what nobody else may read or change"
DEADLINE_S = 5

_IDS = [
    "", ".", "..", "../x", "../../canary/secret", "../canary/secret", "/etc/passwd", "a/b", "a/../b", "./a", "a\\b", "..\\x",
    "a\0b", "\0", "a\n", "\na", "a\r", "a ", " a", "a\t", "A", "One", "ONE", "CON", "NUL", "a.json", "one.jsonl", ".one",
    "one.", "-rf", "_a", "~", "~root", "$HOME", "${x}", "a;b", "a|b", "a&b", "a`b`", "%2e%2e%2f", "..%2f", "%00", "a%00",
    "é", "e\u0301", "\uff41", "\u0430", "\u202egnp", "\u200ba", "a\u200b", "🙂", "🙂" * 80, "\ud800", "a" * 65, "a" * 300,
    "a" * 5000, "<img src=x>", "'", '"', "a:b", "a*", "a?", "[a]", "{a}", "#", "+", "=", "@", "!", "^", ",", "a\x7f", "\x1b[31m",
    "\uff10", "①", "\uff41b", "\u0131", "ß", "one\u2028", "one\x85", "file:///etc/passwd", "http://x/", "..;/", "....//", "..\u2215x",
]  # fmt: skip


def run(scale: Scale, seed: int) -> Probe:
    rng = random.Random(seed)
    real, twin = Tally(), Tally()
    _try_ids(real, workload.open_store, scale.pick(150, 3000), rng)
    for name, attack in _attacks():
        _attack(real, workload.open_store, name, attack)
    _swap_while_writing(real, workload.open_store, scale.pick(0.5, 10.0))
    _try_ids(twin, twins.NaivePaths, 20, rng)
    for name, attack in list(_attacks())[:3]:
        _attack(twin, twins.NaivePaths, name, attack)
    return judged(NAME, seed, real, {"joins paths": twin})


def _random_ids(count: int, rng: random.Random) -> Iterator[str]:
    """Yield random texts that are no ids: one bad character in a good id, or bad ones only."""
    bad = (
        string.ascii_uppercase + string.punctuation.replace("-", "").replace("_", "") + " \0\n\r\té🙂\u2028\u202e\uff10"
    )
    for number in range(count):
        text = list(rng.choices(string.ascii_lowercase + string.digits, k=rng.randint(0, 20)))
        for _ in range(1 + number % 3):
            text.insert(rng.randint(0, len(text)), rng.choice(bad))
        yield "".join(text)


def _try_ids(tally: Tally, make: Opener, count: int, rng: random.Random) -> None:
    with workload.folder() as place:
        home, canary = _scene(place)
        before = _tree(canary)
        store = make(home)
        known = store.revision("one")
        for session_id in [*_IDS, *_random_ids(count, rng)]:
            problems = ["it counts as an id"] if is_valid(session_id) else []
            for name, call in _calls(store, session_id, known).items():
                try:
                    call()
                    problems.append(f"{name} took it")
                except JidoError:
                    pass
                except Exception as error:
                    problems.append(f"{name}: {type(error).__name__}")
            if _tree(canary) != before:
                problems.append("the canary was touched")
            tally.check(f"id {session_id[:40]!r}", problems)
            tally.count("ids")


def _calls(store: Any, session_id: str, known: Any) -> dict[str, Callable[[], Any]]:
    calls = {
        "create": lambda: store.create(records.header(session_id, AT), [said(1)]),
        "append": lambda: store.append(session_id, [said(9)], known),
        "read": lambda: store.read(session_id),
        "revision": lambda: store.revision(session_id),
        "trash": lambda: store.trash(session_id),
        "restore": lambda: store.restore(session_id),
    }
    optional = {
        "lease": lambda: store.lease(session_id, OWNER),
        "owner": lambda: store.owner(session_id),
        "replace": lambda: store.replace(session_id, records.header(session_id, AT), [said(9)], known),
        "purge": lambda: store.purge(session_id),
        "quarantine": lambda: store.quarantine(session_id),
    }
    return calls | {name: call for name, call in optional.items() if hasattr(store, name)}


def _scene(place: str) -> tuple[str, Path]:
    home, canary = os.path.join(place, "home"), Path(place, "canary")
    workload.copy_scene(home)
    canary.mkdir()
    (canary / "secret").write_bytes(SECRET)
    (canary / "one.jsonl").write_bytes(Path(workload.file_of(home, "one")).read_bytes())
    (canary / "one").write_bytes(b"one")
    return home, canary


def _attacks() -> Iterator[tuple[str, Callable[[str, Path], None]]]:
    """Yield what somebody puts into the store's folder: by name, what does it."""

    def instead(path: str, put: Callable[[str, Path], None]) -> Callable[[str, Path], None]:
        def attack(home: str, canary: Path) -> None:
            target = os.path.join(home, path) if path else home
            if os.path.isdir(target):
                os.rename(target, f"{target}.moved")
            elif os.path.lexists(target):
                os.unlink(target)
            put(target, canary)

        return attack

    link_to_file = lambda target, canary: os.symlink(canary / "one.jsonl", target)  # noqa: E731
    hard_link = lambda target, canary: os.link(canary / "one", target)  # noqa: E731
    link_to_folder = lambda target, canary: os.symlink(canary, target)  # noqa: E731
    pipe = lambda target, canary: os.mkfifo(target)  # noqa: E731
    folder = lambda target, canary: os.mkdir(target)  # noqa: E731
    log = "sessions/one.jsonl"
    yield "session: a link to a file", instead(log, link_to_file)
    yield "session: a hard link", instead(log, lambda target, canary: os.link(canary / "one.jsonl", target))
    yield "a session more: a link", instead("sessions/fresh.jsonl", link_to_file)
    yield "session: a link to a folder", instead(log, link_to_folder)
    yield "session: a pipe", instead(log, pipe)
    yield "session: a folder", instead(log, folder)
    for name in ("sessions", "trash", "quarantine", "leases"):
        yield f"{name}: a link to a folder", instead(name, link_to_folder)
    for name in ("leases/one", "names.lock", "changes", "store.json"):
        yield f"{name}: a link to a file", instead(name, lambda target, canary: os.symlink(canary / "one", target))
        yield f"{name}: a hard link", instead(name, hard_link)
        yield f"{name}: a pipe", instead(name, pipe)
        yield f"{name}: a folder", instead(name, folder)
    yield "home: a link to a folder", instead("", lambda target, canary: os.symlink(canary, target))


def _attack(tally: Tally, make: Opener, name: str, attack: Callable[[str, Path], None]) -> None:
    for is_open in (False, True):
        with workload.folder() as place:
            home, canary = _scene(place)
            before = _tree(canary)

            def act(home: str = home, canary: Path = canary, is_open: bool = is_open) -> str:
                signal.alarm(DEADLINE_S)
                return _all_calls(make, home, lambda: attack(home, canary), is_open)

            child = children.Child(lambda act=act: act)
            answer = child.answer()
            problems = [f"it hung or died ({child.ended})"] if answer is None else answer.splitlines()
            if _tree(canary) != before:
                problems.append("the canary was touched")
            tally.check(f"{name}, {'on an open store' if is_open else 'before it opens'}", problems)
            tally.count("attacks by links, pipes and folders")


def _all_calls(make: Opener, home: str, attack: Callable[[], None], is_open: bool) -> str:
    """Run every operation after the attack; return what was wrong, a line each."""
    problems = []
    try:
        if is_open:
            store = make(home)
            attack()
        else:
            attack()
            store = make(home)
        known = _revision(store)
    except JidoError:
        return ""
    except Exception as error:
        return f"opening: {type(error).__name__} {error}"
    for session_id in ("one", "torn", "other"):
        for name, call in _calls(store, session_id, known).items():
            try:
                result = call()
                if name == "append":
                    store.append(session_id, [said(8)], store.revision(session_id))
                if SECRET in repr(result).encode():
                    problems.append(f"{name} gave the secret away")
            except JidoError:
                pass
            except Exception as error:
                problems.append(f"{name}: {type(error).__name__} {error}")
    for name in ("find", "trashed", "changes"):
        try:
            getattr(store, name, list)(*([Query()] if name == "find" else []))
        except JidoError:
            pass
        except Exception as error:
            problems.append(f"{name}: {type(error).__name__} {error}")
    return "\n".join(problems)


def _revision(store: Any) -> Revision:
    """Return the revision of a session that nobody touched; one of no session where even that cannot be read."""
    try:
        found: Revision = store.revision("other")
    except JidoError:
        return Revision(3, "0" * 64)
    return found


def _swap_while_writing(tally: Tally, make: Opener, seconds: float) -> None:
    """Swap the sessions folder for a link and back, over and over, while a process works in it."""
    with workload.folder() as place:
        home, canary = _scene(place)
        before = _tree(canary)
        make(home)
        real, aside = os.path.join(home, "sessions"), os.path.join(home, "aside")

        def work() -> str:
            store, end, done, problems = make(home), time.monotonic() + seconds, 0, set()
            while time.monotonic() < end:
                try:
                    store.append("one", [said(done + 100)], store.revision("one"))
                    done += 1
                except JidoError:
                    pass
                except Exception as error:
                    problems.add(f"{type(error).__name__}: {error}")
            return "\n".join([str(done), *problems])

        child = children.Child(lambda: work)
        child.go()
        end, swaps = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            os.rename(real, aside)
            os.symlink(canary, real)
            time.sleep(0.0002)
            os.unlink(real)
            os.rename(aside, real)
            time.sleep(0.0005)
            swaps += 1
        done, *problems = (child.answer() or "0\ndied").splitlines()
        if _tree(canary) != before:
            problems.append("the canary was touched")
        kept = len(make(home).read("one").records) - 3
        if kept != int(done):
            problems.append(f"{done} appends were acknowledged, {kept} are there")
        tally.check("the folder is swapped while it is worked in", problems)
        tally.count("swaps", swaps)
        tally.count("appends meanwhile", int(done))


def _tree(folder: Path) -> list[tuple[str, int, bytes]]:
    """Return the names, modes and bytes of a folder."""
    found = []
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        found.append((str(path), mode, path.read_bytes() if path.is_file() else b""))
    return found
