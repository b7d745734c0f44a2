"""Looks a store over: one line for each thing that can be wrong, with the next step. It changes nothing.

Folders are looked at before the store is opened, so that the line that explains a refusal stands there too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

import orjson

from jido_jupyter.core.session import Summary
from jido_jupyter.errors import InvalidSetting, JidoError
from jido_jupyter.services.sessions import Room, Sessions
from jido_jupyter.services.settings import Settings
from jido_jupyter.store import leases, places
from jido_jupyter.store.folder import Folder, is_temporary

PARTS: Final = ("sessions", "trash", "quarantine", "leases", "limits")
KEY_BYTES: Final = 32
OLD_S: Final = 3600.0  # s; a temporary file as old as this has no writer any more
LITTLE: Final = 500 * 2**20  # bytes

Status = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    status: Status
    text: str
    next: str = ""  # what to do; empty where there is nothing to do

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at.

    Args:
        home: the store's folder.
        keys: the folder of the keys.
        cache: the folder of the index.
        open_store: opens the store and returns what works on it.
    """

    home: str
    keys: str
    cache: str
    settings: Settings
    open_store: Callable[[], Sessions]


def examine(
    read_settings: Callable[[], Settings], patient_of: Callable[[Settings], Patient], otherwise: Settings
) -> Iterator[Check]:
    """Return all checks, one after the other.

    Args:
        otherwise: what to go by where the settings cannot be read.
    """
    try:
        settings = read_settings()
    except InvalidSetting as error:
        yield Check("settings", "bad", str(error), "Correct or remove it; until then no door of jido opens.")
        settings = otherwise
    else:
        yield Check("settings", "ok", "all have a meaning")
    patient = patient_of(settings)
    yield _keys(patient)
    if not os.path.lexists(patient.home):
        yield Check("store", "ok", f"{patient.home} is not there yet; the first session makes it")
        return
    for check in (_folders, _store, _files, _temporary, _leases, _quarantine, _locks, _space, _index):
        try:
            yield check(patient)
        except (OSError, JidoError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            yield Check(check.__name__.strip("_"), "bad", f"cannot be looked at: {reason}", "See the lines above.")
    yield from _sessions(patient)


def _folders(patient: Patient) -> Check:
    worst = Check("folders", "ok", f"{patient.home} and what is in it belong to you alone")
    for path in (patient.home, *(os.path.join(patient.home, part) for part in PARTS)):
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(found.st_mode):
            return Check("folders", "bad", f"{path} is no folder", "Move it away, or set JIDO_HOME to another folder.")
        if found.st_uid != os.geteuid():
            return Check("folders", "bad", f"{path} belongs to another user", f"sudo chown -R $USER {path}")
        if found.st_mode & 0o022:
            return Check("folders", "bad", f"other users may change {path}", f"chmod 700 {path}")
        if found.st_mode & 0o077:
            worst = Check("folders", "warn", f"other users may look into {path}", f"chmod 700 {path}")
    return worst


def _keys(patient: Patient) -> Check:
    """The same rules as `jido_jupyter.store.keys`, which refuses to open; and what it does not look at, the folder."""
    path = patient.keys
    try:
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    except FileNotFoundError:
        return Check("keys", "ok", f"{path} is not there yet; the first session makes it")
    except OSError as error:
        return Check("keys", "bad", f"{path}: {(error.strerror or '').lower()}", "Check who owns the folder.")
    if os.lstat(path).st_mode & 0o077:
        return Check("keys", "warn", f"other users may look into {path}", f"chmod 700 {path}")
    for name in names:
        key = os.path.join(path, name)
        found = os.lstat(key)
        if found.st_uid != os.geteuid():
            return Check("keys", "bad", f"{key} belongs to another user", "Move it away, or set JUPYTER_CONFIG_DIR.")
        if found.st_mode & 0o077:
            return Check("keys", "bad", f"other users may read {key}", f"chmod 600 {key}")
        if not stat.S_ISREG(found.st_mode) or found.st_size != KEY_BYTES:
            return Check("keys", "bad", f"{key} is no key", "Put the key back from a backup, or move the file away.")
    return Check("keys", "ok", f"{len(names)} in {path}, readable by you alone")


def _store(patient: Patient) -> Check:
    path = os.path.join(patient.home, "store.json")
    try:
        with open(path, "rb") as file:
            found = orjson.loads(file.read())
        return Check("store", "ok", f"format {found['format']}, id {found['id']}")
    except FileNotFoundError:
        return Check("store", "warn", f"{path} is missing", "The next start makes a new one; the sessions stay.")
    except (ValueError, TypeError, KeyError):
        return Check("store", "bad", f"{path} is damaged", "Move it away; the sessions beside it are not touched.")


def _files(patient: Patient) -> Check:
    odd = [path for path, found in _stored(patient) if _is_odd(found)]
    if odd:
        text = f"{len(odd)} session file(s) are links, not yours alone, or have a second name; the first is {odd[0]}"
        return Check("files", "bad", text, "Check who made them; 'chmod 600' closes what others may read.")
    return Check("files", "ok", "each session file is a plain file of yours, closed to others")


def _is_odd(found: os.stat_result) -> bool:
    is_plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    return not is_plain or found.st_uid != os.geteuid() or bool(found.st_mode & 0o077)


def _temporary(patient: Patient) -> Check:
    left = []
    for folder in (patient.home, *(os.path.join(patient.home, part) for part in PARTS), patient.keys):
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            left += [
                entry.path
                for entry in entries
                if is_temporary(entry.name) and time.time() - entry.stat(follow_symlinks=False).st_mtime > OLD_S
            ]
    if left:
        text = f"{len(left)} left behind by writers that were killed; the first is {left[0]}"
        return Check("temporary files", "warn", text, "They mean nothing and can be deleted.")
    return Check("temporary files", "ok", "none older than an hour")


def _leases(patient: Patient) -> Check:
    place = Folder(os.path.join(patient.home, "leases"))
    names = leases.held_ids(place) if os.path.isdir(place.path) else []
    held = sum(leases.owner_of(place, name) is not None for name in names)
    left = len(names) - held
    text = f"{held} session(s) open"
    if left:  # harmless, so nothing to warn of: the lock went with its process
        text += f"; {left} lease file(s) of processes that are gone, which the next resume takes over"
    return Check("leases", "ok", text)


def _quarantine(patient: Patient) -> Check:
    path = os.path.join(patient.home, "quarantine")
    kept = [name for name in os.listdir(path) if not is_temporary(name)] if os.path.isdir(path) else []
    if kept:
        text = f"{len(kept)} piece(s) of damage are kept in {path}"
        return Check("quarantine", "warn", text, "They are evidence; delete them once nothing is missed.")
    return Check("quarantine", "ok", "empty")


def _locks(patient: Patient) -> Check:
    kind = places.file_system(patient.home) or "file system of unknown type"
    path = os.path.join(patient.home, f".doctor.{secrets.token_hex(6)}.tmp")
    with contextlib.ExitStack() as stack:
        fds = []
        for flags in (os.O_RDWR | os.O_CREAT | os.O_EXCL, os.O_RDWR):
            fds.append(os.open(path, flags | os.O_CLOEXEC, 0o600))
            stack.callback(os.close, fds[-1])
            if flags & os.O_CREAT:
                stack.callback(os.unlink, path)
        are_shared = _locks_out(fds[0], fds[1])
    if not are_shared:
        text = f"on {kind}, without locks: who has a session open is not known, what another wrote is still not overwritten"
        return Check("locks", "warn", text, "Set JIDO_HOME to a folder on a local disk, or on NFS 4.")
    if places.local_cache(patient.home) != patient.home:
        return Check("locks", "ok", f"on {kind}, a network file system; locks work on this host")
    return Check("locks", "ok", f"on {kind}; locks work")


def _locks_out(first: int, second: int) -> bool:
    try:
        fcntl.lockf(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _space(patient: Patient) -> Check:
    free = shutil.disk_usage(patient.home).free
    text = f"{free / 2**20:,.0f} MiB free"
    if free < 2 * patient.settings.max_session_size:
        return Check("space", "bad", text, "Free some: soon nothing can be saved.")
    return Check("space", "warn" if free < LITTLE else "ok", text, "Free some space." if free < LITTLE else "")


def _index(patient: Patient) -> Check:
    path = os.path.join(patient.cache, f"index-{_store_id(patient)}.sqlite")
    if not os.path.exists(path):
        return Check("index", "ok", "not there yet; the next list makes it")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=5.0)) as db:
            answer = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        answer = str(error)
    if answer != "ok":
        return Check("index", "warn", f"{path}: {answer}", "Delete it: it is a cache, and the next list makes it anew.")
    return Check("index", "ok", f"sound, in {path}")


def _store_id(patient: Patient) -> str:
    try:
        with open(os.path.join(patient.home, "store.json"), "rb") as file:
            return str(orjson.loads(file.read())["id"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def _sessions(patient: Patient) -> Iterator[Check]:
    """What only the opened store can tell."""
    try:
        sessions = patient.open_store()
        listed, room = sessions.list(), sessions.room()
    except JidoError as error:
        yield Check("sessions", "bad", str(error), "See the lines above.")
        return
    in_files = sum(os.path.basename(os.path.dirname(path)) == "sessions" for path, _ in _stored(patient))
    if in_files != len(listed):  # also where one was made just now
        yield Check(
            "list", "warn", f"{in_files} files, {len(listed)} listed", "Run this again; if it stays, delete the index."
        )
    yield from rooms(listed, room)


def rooms(listed: Sequence[Summary], room: Room) -> Iterator[Check]:
    """Say how the sessions are, and how many more there may be."""
    damaged = [summary.id for summary in listed if summary.is_damaged or summary.problems]
    if damaged:
        text = f"{len(damaged)} of {len(listed)} are damaged; the first is {damaged[0]}"
        yield Check(
            "sessions", "bad", text, "'jido verify' says what is wrong; what can be read is shown and exported."
        )
    else:
        yield Check("sessions", "ok", f"{len(listed)} listed, none known to be damaged; 'jido verify' reads them all")
    if room.is_tight:
        yield Check("room", "warn", f"{room.count} of {room.limit} sessions", "'jido cleanup' previews what could go.")
    else:
        yield Check("room", "ok", f"{room.count} of {room.limit} sessions")


def _stored(patient: Patient) -> Iterator[tuple[str, os.stat_result]]:
    for part in ("sessions", "trash"):
        folder = os.path.join(patient.home, part)
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".jsonl"):
                    yield entry.path, entry.stat(follow_symlinks=False)
