"""Where a SQLite file may be: not on a network file system, where its locks and its shared memory do not work."""

from __future__ import annotations

import os
import tempfile
from typing import Final

# Source: https://www.sqlite.org/faq.html#q5; the names are those of /proc/mounts.
_NETWORK: Final = ("nfs", "cifs", "smb", "afs", "9p", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "fuse.")


def local_cache(preferred: str) -> str:
    """Return ``preferred``, or a private folder below the temporary one where that is on a network."""
    if not file_system(preferred).startswith(_NETWORK):
        return preferred
    return os.path.join(tempfile.gettempdir(), f"jido_jupyter-{os.getuid()}")


def file_system(path: str) -> str:
    """Return the type of the file system that holds ``path``; empty where the system does not tell."""
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
            mounts = [line.split()[1:3] for line in file]
    except OSError:
        return ""
    path = os.path.realpath(path)
    holding = [(len(point), kind) for point, kind in mounts if f"{path}/".startswith(f"{point.rstrip('/')}/")]
    return max(holding, default=(0, ""))[1]
