"""Proves that everything the store writes is private whatever the umask, and that first starters agree on key and store."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from jido_jupyter.core.window import Charge, Window
from jido_jupyter.errors import JidoError
from jido_jupyter.store import keys
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.testing.store_conformance import OWNER, all_summaries, created, said
from tests.reliability import children, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener

NAME = "modes and keys"
ROW = "S7"

UMASKS = (0o000, 0o002, 0o022, 0o027, 0o077, 0o277, 0o777)
KeyMaker = Callable[[str], bytes]  # folder -> what tells the key


def run(scale: Scale, seed: int) -> Probe:
    real, open_to_all, racing = Tally(), Tally(), Tally()
    for umask in UMASKS:
        _is_private(real, workload.open_store, umask)
    _race(real, _product_key, *scale.pick((3, 12), (20, 32)))
    _race(real, _store_id, *scale.pick((3, 12), (20, 32)))
    _refuse_doubtful_keys(real)
    _is_private(open_to_all, twins.NaivePaths, 0)
    _race(racing, twins.careless_key, 5, 12)
    return judged(NAME, seed, real, {"leaves modes to the umask": open_to_all, "writes the key as it comes": racing})


def _is_private(tally: Tally, make: Opener, umask: int) -> None:
    """Do everything that writes, in a process with ``umask``, and look at every file and folder."""
    with workload.folder() as place:
        home = os.path.join(place, "store", "home")

        def act() -> str:
            os.umask(umask)
            store = make(home)
            revision = created(store, "one", said(1))
            store.append("one", [said(2)], revision)
            if hasattr(store, "lease"):
                created(store, "two", said(1))
                store.trash("two")
                store.lease("one", OWNER)
                all_summaries(store)
                torn = workload.file_of(home, "one")
                os.truncate(torn, os.path.getsize(torn) - 20)
                store.append("one", [said(3)], store.revision("one"))
                FileLimiter(os.path.join(home, "limits")).acquire([Charge("k", Window(5, 60))])
                keys.load_or_create(os.path.join(place, "store", "keys"))
            return "done"

        answer = children.run(act)
        tally.check(f"umask {umask:03o}", [] if answer == "done" else ["it failed"])
        for path in Path(place, "store").rglob("*"):
            mode, right = stat.S_IMODE(path.lstat().st_mode), 0o700 if path.is_dir() else 0o600
            what = f"umask {umask:03o}, {path.relative_to(place)}"
            tally.check(what, [] if mode == right else [f"its mode is {mode:04o}"])
            tally.count("files and folders")


def _race(tally: Tally, make_key: KeyMaker, rounds: int, processes: int) -> None:
    for _ in range(rounds):
        with workload.folder() as place:
            folder, start = os.path.join(place, "keys"), time.monotonic() + 0.05 + processes * 0.003

            def act(folder: str = folder, start: float = start) -> str:
                time.sleep(max(0.0, start - time.monotonic()))
                try:
                    return make_key(folder).hex()
                except JidoError as error:
                    return f"refused: {error}"

            racing = [children.Child(lambda act=act: act) for _ in range(processes)]
            for child in racing:
                child.go()
            found = {child.answer() for child in racing}
            left = [name for name in os.listdir(folder) if name != "0001"]
            problems = [f"{len(found)} answers"] * (len(found) != 1)
            problems += [answer or "one died" for answer in found if answer is None or "refused" in answer]
            problems += [f"left over: {left}"] * bool(left)
            tally.check(f"{processes} first starters", problems)
            tally.count("races of first starters")


def _product_key(folder: str) -> bytes:
    return keys.load_or_create(folder).newest.id.encode()


def _store_id(folder: str) -> bytes:
    return workload.open_store(os.path.join(folder, "0001")).id.encode()


def _refuse_doubtful_keys(tally: Tally) -> None:
    """Use no key that others may read or change, or that is none; and leave it as it is."""
    for mode in (0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o777):
        _doubt(tally, f"key with mode {mode:03o}", lambda path, mode=mode: path.chmod(mode))
    for size in (0, 1, 31, 33, 4096):
        _doubt(tally, f"key of {size} bytes", lambda path, size=size: path.write_bytes(b"k" * size))
    _doubt(tally, "key that is a link", lambda path: (path.rename(f"{path}.moved"), path.symlink_to(f"{path}.moved")))
    _doubt(tally, "key that is a pipe", lambda path: (path.unlink(), os.mkfifo(path, 0o600)))
    _doubt(tally, "key that is a folder", lambda path: (path.unlink(), path.mkdir(0o700)))
    if os.geteuid() == 0:
        _doubt(tally, "key of another user", lambda path: os.chown(path, 65534, 65534))


def _doubt(tally: Tally, what: str, spoil: Callable[[Path], object]) -> None:
    with workload.folder() as place:
        keys.load_or_create(place)
        key = Path(place, "0001")
        spoil(key)
        before = key.lstat()

        def act() -> str:
            try:
                keys.load_or_create(place)
            except JidoError:
                return "refused"
            except Exception as error:
                return f"{type(error).__name__}: {error}"
            return "it was used"

        answer = children.run(act)
        problems = [] if answer == "refused" else [str(answer)]
        if key.lstat().st_mode != before.st_mode or key.lstat().st_size != before.st_size:
            problems.append("it was changed")
        tally.check(what, problems)
        tally.count("doubtful keys")
