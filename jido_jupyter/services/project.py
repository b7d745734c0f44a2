"""The project folder that a session works in: what became of it since, and whether code may run there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from jido_jupyter.errors import FolderRefused

_SYSTEM: Final = (
    *("/etc", "/usr", "/bin", "/sbin", "/boot", "/dev", "/proc", "/sys"),
    *("/lib", "/lib32", "/lib64", "/libx32", "/System", "/Library", "/private/etc"),
)
_FREE: Final = ("/usr/src", "/usr/local/src", "/dev/shm")  # below them people and container images keep projects
_ALONE: Final = ("/", "/var", "/run")  # system folders whose subfolders may be anybody's


@dataclass(frozen=True, slots=True)
class ProjectFolder:
    """A folder as the file system identifies it."""

    path: str  # absolute, without links
    device: int
    inode: int
    owner: int  # user id
    mode: int  # permission bits

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)


def look_at(path: str) -> ProjectFolder | None:
    """Return the folder at a path; None where there is none."""
    try:
        real = os.path.realpath(path)
        found = os.stat(real)
    except (OSError, ValueError):
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    return ProjectFolder(real, found.st_dev, found.st_ino, found.st_uid, stat.S_IMODE(found.st_mode))


def from_wire(wire: object) -> ProjectFolder | None:
    """Return a folder that was stored; None for anything else."""
    if not isinstance(wire, Mapping) or not isinstance(path := wire.get("path"), str):
        return None
    numbers = [wire.get(name) for name in ("device", "inode", "owner", "mode")]
    if not all(isinstance(number, int) for number in numbers):
        return None
    return ProjectFolder(path, *numbers)  # type: ignore[arg-type]  # checked one line above


def check(stored: object, here: ProjectFolder | None) -> tuple[str, ...]:
    """Return what became of a stored folder, one sentence each, looking at the disk now.

    Args:
        stored: the ``folder`` of a session's context.
        here: the folder that this kernel works in.
    """
    before = from_wire(stored)
    return () if before is None else compare(before, look_at(before.path), here)


def compare(before: ProjectFolder, there: ProjectFolder | None, here: ProjectFolder | None) -> tuple[str, ...]:
    """Return what became of a folder, one sentence each; nothing when all is as it was.

    Args:
        there: what is at its path now.
        here: the folder that this kernel works in.
    """
    if there is None:
        if here is not None and (here.device, here.inode) == (before.device, before.inode):
            return (f"The project folder moved from {before.path} to {here.path}.",)
        return (f"The project folder {before.path} is gone; check that this is the right place before code runs.",)
    told = [*_replaced(before, there)]
    if there.owner != before.owner:
        told.append(f"The project folder {before.path} has another owner (user {there.owner}, was {before.owner}).")
    if there.mode != before.mode:
        told.append(f"The permissions of {before.path} are {there.mode:o} now, were {before.mode:o}.")
    if here is not None and here.path != there.path:
        told.append(f"The session worked in {before.path}; this kernel works in {here.path}.")
    return tuple(told)


def check_usable(folder: ProjectFolder | None, user: int) -> None:
    """Refuse a system folder.

    Args:
        user: the id of the user who runs this process.

    Raises:
        FolderRefused
    """
    if folder is not None and is_system(folder, user):
        raise FolderRefused(folder.path)


def is_system(folder: ProjectFolder, user: int) -> bool:
    """Return whether a folder belongs to the system: code that writes there by mistake harms more than a project."""
    path = folder.path
    if path in _ALONE:
        return True
    if _is_in(path, "/root"):
        return folder.owner != user
    if os.name == "nt":
        return any(_is_in(path.casefold(), root.casefold()) for root in _windows_roots())
    return any(_is_in(path, root) for root in _SYSTEM) and not any(path.startswith(f"{free}/") for free in _FREE)


def this_user() -> int:
    """Return the id of the user who runs this process; 0 on systems without."""
    return os.getuid() if hasattr(os, "getuid") else 0


def _replaced(before: ProjectFolder, there: ProjectFolder) -> list[str]:
    if there.inode != before.inode:
        return [f"The project folder {before.path} was replaced by another one of the same name."]
    if there.device != before.device:
        return [f"The project folder {before.path} is on another device than before; a new mount does that too."]
    return []


def _is_in(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)


def _windows_roots() -> list[str]:
    names = ("SystemRoot", "ProgramFiles", "ProgramFiles(x86)", "ProgramData")
    return [root for name in names if (root := os.environ.get(name))]
