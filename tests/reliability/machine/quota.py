"""Quotas that are used up: btrfs group quotas and ext4 user quotas, in a guest, against every operation and the limiter.

The limit is set a few blocks or files above what the store uses, so that the refusal (EDQUOT) comes at one call after
the other. The operation is done or not done, as it is told; what was acknowledged stands; with room again, all goes on. The
broken twin swallows the refusal.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from jido_jupyter.core.window import Admitted, Charge, Window
from jido_jupyter.errors import JidoError, OutcomeUnknown
from jido_jupyter.store import clock as boot_clock
from jido_jupyter.store.limiter import FileLimiter
from tests.reliability import children, twins, workload
from tests.reliability.machine import uml
from tests.reliability.report import Probe, Scale, Tally
from tests.reliability.workload import Opener, Operation

NAME: Final = "quotas used up"
ROW: Final = "R7"
MODULES: Final = ("loop", "btrfs", "quota_v2")
MIB: Final = {"btrfs": 128, "ext4": 32}
NOBODY: Final = 65534  # root is above an ext4 quota
LEFT: Final = {  # what may still be used: KiB, and files on ext4
    "btrfs": (0, 32, 64, 128),
    "ext4": (0, 1, 2, 4, 8),
    "ext4 files": (0, 1, 2),
}
WINDOW: Final = Window(5, 30.0)


def run(scale: Scale, seed: int) -> Probe:
    return uml.probe(__name__, NAME, ["losetup", "btrfs", "mkfs.btrfs", "mkfs.ext4", "setquota"], MODULES, scale, seed)


class Disk:
    """One disk with a quota; the store on it is at ``home``, and ``become`` makes a process subject to the quota."""

    def __init__(self, file_system: str) -> None:
        self.file_system = file_system
        self.path, self.image, self.home = "/run/disk", "/run/image", "/run/disk/part/home"

    def __enter__(self) -> Disk:
        os.makedirs(self.path, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(MIB[self.file_system] * 2**20)
        if self.file_system == "btrfs":
            _run("mkfs.btrfs", "-q", "-f", self.image)
            _run("mount", "-o", "loop", self.image, self.path)
            _run("btrfs", "quota", "enable", self.path)
            _run("btrfs", "subvolume", "create", f"{self.path}/part")
        else:
            _run("mkfs.ext4", "-q", "-F", "-O", "quota", "-E", "quotatype=usrquota", self.image)
            _run("mount", "-o", "loop,usrquota", self.image, self.path)
            os.mkdir(f"{self.path}/part")
            os.chown(f"{self.path}/part", NOBODY, NOBODY)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self.path], capture_output=True)
        os.unlink(self.image)

    def become(self) -> None:
        if self.file_system == "ext4" and os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

    def limit(self, left: int, *, files: bool = False) -> None:
        """Let so many KiB, or files, be used beyond what is."""
        if self.file_system == "btrfs":
            _run("btrfs", "filesystem", "sync", self.path)
            table = _run("btrfs", "qgroup", "show", "--raw", "-f", f"{self.path}/part").splitlines()
            _run("btrfs", "qgroup", "limit", str(int(table[-1].split()[1]) + left * 1024), f"{self.path}/part")
            return
        _run("sync", "-f", self.path)
        table = _run("quota", "-u", "-v", "-w", "-p", str(NOBODY)).splitlines()
        _, blocks, _, _, _, used, *_ = table[-1].split()
        most = [str(int(blocks.rstrip("*")) + left), "0"] if not files else ["0", str(int(used.rstrip("*")) + left)]
        _run("setquota", "-u", str(NOBODY), most[0], most[0], most[1], most[1], self.path)

    def lift(self) -> None:
        if self.file_system == "btrfs":
            _run("btrfs", "qgroup", "limit", "none", f"{self.path}/part")
        else:
            _run("setquota", "-u", str(NOBODY), "0", "0", "0", "0", self.path)


def levels(file_system: str) -> Iterator[tuple[int, bool]]:
    for name, lefts in LEFT.items():
        if name.split()[0] == file_system:
            yield from ((left, name.endswith("files")) for left in lefts)


def meet(tally: Tally, disk: Disk, make: Opener, operation: Operation, left: int, *, files: bool) -> None:
    """Do one operation with so little left, and judge what is there once the quota is lifted."""

    def prepared() -> Callable[[], str]:
        disk.become()
        workload.copy_scene(disk.home, operation)
        store = make(disk.home)
        return lambda: told(lambda: operation.act(store))

    child = children.Child(prepared)
    disk.limit(left, files=files)
    outcome, _, reason = (child.answer() or "died").partition("|")
    disk.lift()

    def judge() -> str:
        disk.become()
        return "\n".join(workload.judge(disk.home, operation, outcome, make))

    problems = (children.run(judge) or "").splitlines()
    tally.check(f"{disk.file_system}, {operation.name}, {left} {'files' if files else 'KiB'} left", problems)
    tally.count(outcome.partition(" ")[0])
    if reason:
        tally.count(f"{disk.file_system}: {operation.name} met EDQUOT")


def told(act: Callable[[], Any]) -> str:
    """Return how a call ended, and behind a bar whether it was the quota that ended it."""
    caught: list[BaseException] = []

    def watched() -> None:
        try:
            act()
        except JidoError as error:
            caught.append(error)
            raise

    outcome = workload.outcome_of(watched)
    causes = [cause for error in caught for cause in (error.__cause__, error.__context__)]
    is_quota = any(isinstance(cause, OSError) and cause.errno == errno.EDQUOT for cause in causes)
    return f"{outcome}|{'EDQUOT' if is_quota else ''}"


def meet_limiter(tally: Tally, disk: Disk, left: int, *, files: bool, has_table: bool) -> None:
    """Ask a limiter whose table must grow, or be made: nobody is let in uncounted, and refusals are errors of ours."""
    folder = f"{disk.home}-limits"

    def prepared() -> Callable[[], str]:
        disk.become()
        limiter = FileLimiter(folder)
        if has_table:
            limiter.acquire([Charge("somebody else", WINDOW)])
        return lambda: asked(limiter)

    def asked(limiter: FileLimiter) -> str:
        answers = [_answer(limiter, f"key {number}") for number in range(3)]
        return " ".join([*answers, *(_answer(limiter, "one key") for _ in range(3 * WINDOW.limit))])

    child = children.Child(prepared)
    disk.limit(left, files=files)
    answer = child.answer()
    disk.lift()

    def again() -> str:
        disk.become()
        return " ".join(_answer(FileLimiter(folder), "one key") for _ in range(3 * WINDOW.limit))

    later = (children.run(again) or "died").split()
    room = f"{left} {'files' if files else 'KiB'} left"
    what = f"{disk.file_system}, limiter {'with' if has_table else 'without'} a table, {room}"
    subprocess.run(["rm", "-rf", folder], check=True)
    first = (answer or "died").split()
    problems = [word for word in [*first, *later] if word not in ("in", "out", "refused")]
    if first[3:].count("in") + later.count("in") > WINDOW.limit:
        problems.append(f"let in {first[3:].count('in')} and {later.count('in')} of {WINDOW.limit}")
    if "refused" in later:
        problems.append("refuses when there is room again")
    tally.check(what, problems)
    if "refused" in first:
        tally.count(f"{disk.file_system}: limiter refused")


def _answer(limiter: FileLimiter, key: str) -> str:
    try:
        return "in" if isinstance(limiter.acquire([Charge(key, WINDOW)]), Admitted) else "out"
    except OutcomeUnknown:
        return "unknown"
    except JidoError:
        return "refused"
    except Exception as error:
        return f"{type(error).__name__}"


def in_guest() -> None:
    real = Tally()
    boot_clock.read()  # what it needs of Python is loaded by now, and may be in a folder that only root can enter
    for file_system in MIB:
        with Disk(file_system) as disk:
            for left, files in levels(file_system):
                for operation in (*workload.operations(), workload.QUARANTINE, workload.PURGE):
                    _guarded(real, meet, disk, workload.open_store, operation, left, files=files)
                for has_table in (False, True):
                    _guarded(real, meet_limiter, disk, left, files=files, has_table=has_table)
    for file_system in MIB:
        is_met = any(what.startswith(f"{file_system}:") and what.endswith("met EDQUOT") for what in real.counts)
        real.check(f"{file_system}: the quota is met", [] if is_met else ["no operation met EDQUOT"])
    uml.tell("store", real)
    for file_system in MIB:
        twin = Tally()
        with Disk(file_system) as disk:
            for operation in workload.operations()[:2]:
                _guarded(twin, meet, disk, twins.lies_about_errors, operation, 0, files=False)
        uml.tell(f"swallows errors, {file_system}", twin)


def _guarded(tally: Tally, case: Callable[..., None], *arguments: Any, **named: Any) -> None:
    try:
        case(tally, *arguments, **named)
    except subprocess.CalledProcessError as error:
        tally.check(f"{case.__name__} {arguments[1:]}", [f"{error}: {error.stderr}"])


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(arguments: Sequence[str]) -> None:
    if list(arguments) == ["all"]:
        in_guest()


if __name__ == "__main__":
    main(sys.argv[1:])
