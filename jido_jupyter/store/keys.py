"""The keys that seal sessions: random files in the Jupyter config folder, away from what they protect.

``0001`` is made by the first process that needs one; all that start at once agree on it. A key with a higher number is
newer. Who can read these files can seal: they tell damage, mix-ups and other users from the owner, not the owner from
a program that the owner runs.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from typing import Final

from jido_jupyter.errors import StoreUnavailable
from jido_jupyter.store import folder as files
from jido_jupyter.store.codec import Key, Keys

KEY_BYTES: Final = 32
_NAME: Final = re.compile(r"\A\d{4}\Z")


def load_or_create(path: str) -> Keys:
    """Return the keys of the folder ``path``, after making the first one where there is none.

    Raises:
        StoreUnavailable: the folder cannot be used, or a key is readable by others, belongs to somebody else or is no key.
    """
    place = files.Folder(path)
    place.make()
    with place.opened() as fd:
        try:
            names = sorted(name for name in os.listdir(fd) if _NAME.match(name))
            if not names:
                files.create_once(fd, "0001", secrets.token_bytes(KEY_BYTES))
                names = ["0001"]
            return Keys([_read(fd, name, place.path_of(name)) for name in names])
        except OSError as error:
            files.refuse(error, path)


def rotate(path: str) -> str:
    """Make a new key and return its id. It seals from now on; sessions sealed before are checked with their own."""
    load_or_create(path)
    place = files.Folder(path)
    with place.opened() as fd:
        try:
            newest = max(int(name) for name in os.listdir(fd) if _NAME.match(name))
            key = files.create_once(fd, f"{newest + 1:04}", secrets.token_bytes(KEY_BYTES))
        except OSError as error:
            files.refuse(error, path)
    return Key(key).id


def _read(folder_fd: int, name: str, path: str) -> bytes:
    fd = files.Descriptor().open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder_fd)
    try:
        found = os.fstat(fd)
        if found.st_uid != os.geteuid():
            raise StoreUnavailable(
                path, "the key belongs to another user", "Remove it, or set JUPYTER_CONFIG_DIR to your own."
            )
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StoreUnavailable(path, "other users may read or change the key", f"Run: chmod 600 {path}")
        key = files.read_all(fd)
    finally:
        fd.close()
    if len(key) != KEY_BYTES:
        raise StoreUnavailable(
            path,
            f"the key has {len(key)} bytes instead of {KEY_BYTES}",
            "Put the key back from a backup, or move it away.",
        )
    return key
