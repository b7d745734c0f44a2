"""Proves that a disk that is full or refuses is told, keeps what it has, and works again once there is room.

Real disks of few pages and few inodes (tmpfs), a quota (btrfs), read-only mounts, immutable files, limits of the process
and another user's folder, against every operation.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.reliability import children, twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged, not_run
from tests.reliability.workload import Opener, Operation

NAME = "full disks and refusals"
ROW = "R7"

PAGE = 4096  # bytes
NOBODY = 65534
Restore = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``raise_it`` is called with the disk and the store's home once the scene stands, and returns what removes it."""

    name: str
    raise_it: Callable[[str, str], Restore]
    mount: tuple[str, ...] = ("-t", "tmpfs", "-o", "size=1m", "tmpfs")
    inside: Callable[[], object] = lambda: None  # called in the process that does the operation


def run(scale: Scale, seed: int) -> Probe:
    if sys.platform != "linux" or os.geteuid() != 0:
        return not_run(NAME, seed, "needs root on Linux, to mount small disks")
    with _mounted("-t", "tmpfs", "tmpfs") as place:
        if place is None:
            return not_run(NAME, seed, "may not mount here")
    levels = scale.pick((0, 1), tuple(range(9)))
    pages = scale.pick(range(3), range(9))
    obstacles = [*_small(pages), *_refusals(levels)]
    operations = workload.operations()
    if scale is Scale.SMOKE:
        operations = tuple(one for one in operations if one.name in ("create", "append", "mend", "replace"))
    real, twin = Tally(), Tally()
    for obstacle in obstacles:
        _meet(real, workload.open_store, obstacle, operations)
    for obstacle in obstacles[:2]:
        _meet(twin, twins.lies_about_errors, obstacle, [one for one in operations if one.name in ("create", "append")])
    notes = workload.missing()
    notes += _quota(real) if scale is Scale.FULL else ["not run at smoke scale: quota"]
    real.count("obstacles", len(obstacles))
    return judged(NAME, seed, real, {"swallows errors": twin}, notes)


def _small(pages: range) -> Iterator[Obstacle]:
    for count in pages:
        yield Obstacle(f"{count} free pages", lambda disk, home, count=count: _fill(disk, count))
    for count in range(len(pages) // 2 + 1):
        yield Obstacle(f"{count} free inodes", lambda disk, home, count=count: _fill_inodes(disk, count))


def _refusals(levels: tuple[int, ...]) -> Iterator[Obstacle]:
    def run_both(forth: list[str], back: list[str]) -> Restore:
        subprocess.run(forth, check=True, capture_output=True)
        return lambda: subprocess.run(back, check=True, capture_output=True)

    yield Obstacle(
        "read-only mount",
        lambda disk, home: run_both(["mount", "-o", "remount,ro", disk], ["mount", "-o", "remount,rw", disk]),
    )
    if shutil.which("chattr"):
        for name in ("sessions", "sessions/one.jsonl"):
            yield Obstacle(
                f"immutable {name}",
                lambda disk, home, name=name: run_both(
                    ["chattr", "+i", f"{home}/{name}"], ["chattr", "-i", f"{home}/{name}"]
                ),
            )
    for level in levels:
        yield Obstacle(
            f"files of {level} KiB at most",
            lambda disk, home: lambda: None,
            inside=lambda level=level: resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * level, 1024 * level)),
        )
        yield Obstacle(
            f"{level} free descriptors",
            lambda disk, home: lambda: None,
            inside=lambda level=level: _limit_descriptors(level),
        )
    yield Obstacle("another user's folder", lambda disk, home: lambda: None, inside=_become_nobody)


def _meet(tally: Tally, make: Opener, obstacle: Obstacle, operations: tuple[Operation, ...] | list[Operation]) -> None:
    with _mounted(*obstacle.mount) as disk:
        assert disk is not None
        for operation in operations:
            _try(tally, make, obstacle, operation, disk)


def _try(tally: Tally, make: Opener, obstacle: Obstacle, operation: Operation, disk: str) -> None:
    home = os.path.join(disk, "home")
    workload.copy_scene(home, operation)
    ready = children.Child(lambda: _prepared(make, home, obstacle, operation))
    try:
        lift = obstacle.raise_it(disk, home)
    except subprocess.CalledProcessError:  # as chattr on the tmpfs of an older kernel
        ready.answer()
        tally.count("obstacles that cannot be had here")
        return
    try:
        outcome = ready.answer() or "died"
    finally:
        lift()
    tally.check(f"{operation.name}, {obstacle.name}", workload.judge(home, operation, outcome, make))
    tally.count(outcome.partition(" ")[0])
    tally.count("temporary files left for the sweeper", len(workload.hidden(home)))


def _prepared(make: Opener, home: str, obstacle: Obstacle, operation: Operation) -> Callable[[], str]:
    store = make(home)

    def act() -> str:
        obstacle.inside()
        return workload.outcome_of(lambda: operation.act(store))

    return act


@contextlib.contextmanager
def _mounted(*options: str) -> Iterator[str | None]:
    """Yield the folder of a small disk; None when it may not be mounted."""
    with workload.folder() as place:
        if subprocess.run(["mount", *options, place], capture_output=True).returncode:
            yield None
            return
        os.chmod(place, 0o755)
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", place], check=True, capture_output=True)


def _fill(disk: str, pages_left: int) -> Restore:
    path = os.path.join(disk, "fill")
    free = os.statvfs(disk).f_bavail - pages_left
    with open(path, "wb") as file:
        file.write(bytes(PAGE * max(0, free)))
    return lambda: os.unlink(path)


def _fill_inodes(disk: str, inodes_left: int) -> Restore:
    """Leave so few inodes, by making the disk as small as what is on it."""
    used = os.statvfs(disk).f_files - os.statvfs(disk).f_ffree
    before = os.statvfs(disk).f_files
    _remount(disk, used + inodes_left)
    return lambda: _remount(disk, before)


def _remount(disk: str, inodes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,nr_inodes={inodes}", disk], check=True, capture_output=True)


def _limit_descriptors(left: int) -> None:
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + left, lowest + left))


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _quota(tally: Tally) -> list[str]:
    """Meet a real EDQUOT, where btrfs can be made."""
    if not shutil.which("mkfs.btrfs") or not shutil.which("btrfs"):
        return ["not run: quota (btrfs-progs is not installed)"]

    def limit(disk: str, home: str) -> Restore:
        for command in (
            ["btrfs", "quota", "enable", disk],
            ["sync", "-f", disk],
            ["btrfs", "qgroup", "limit", "1", disk],
        ):
            subprocess.run(command, check=True, capture_output=True)
        return lambda: subprocess.run(["btrfs", "quota", "disable", disk], check=True, capture_output=True)

    with workload.folder() as place:
        image = os.path.join(place, "disk.img")
        for operation in workload.operations():
            with open(image, "wb") as file:
                file.truncate(128 * 2**20)
            subprocess.run(["mkfs.btrfs", "-q", "-f", image], check=True, capture_output=True)
            _meet(tally, workload.open_store, Obstacle("quota", limit, ("-o", "loop", image)), [operation])
    return []
