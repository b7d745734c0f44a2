"""File systems in small image files, mounted by loop, whose power can be cut."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Final

_SHUTDOWN: Final = 0x8004587D  # FS_IOC_SHUTDOWN, what xfstests cuts with
_NO_LOG_FLUSH: Final = 2  # what is not on the disk yet, journal included, never gets there
_SIZES: Final = {"ext4": "32M", "xfs": "320M", "btrfs": "128M"}
_MAKE: Final = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}


def why_not(file_system: str) -> str | None:
    """Return why this machine cannot mount images of ``file_system``; None when it can."""
    if os.geteuid() != 0:
        return "not root"
    if not os.path.exists("/dev/loop-control"):
        return "no loop devices"
    if shutil.which(f"mkfs.{file_system}") is None:
        return f"no mkfs.{file_system}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with Image(file_system, folder):
                return None
        except subprocess.CalledProcessError:
            return f"{file_system} images cannot be mounted here"


@contextlib.contextmanager
def workplace() -> Iterator[str]:
    """Yield a folder for images: in memory where there is room, as a cut image must survive nothing but the probe."""
    shared = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else 0
    with tempfile.TemporaryDirectory(
        prefix="jido-machine-", dir="/dev/shm" if shared > 2**30 else None, ignore_cleanup_errors=True
    ) as folder:
        yield folder


class Image:
    """One mounted image; unmounted when the block ends, whatever happened in it."""

    def __init__(self, file_system: str, folder: str, options: str = "") -> None:
        self.path = os.path.join(folder, "mounted")
        self._file = os.path.join(folder, "image")
        self._copy = os.path.join(folder, "copy")
        self._options = ",".join(filter(None, ["loop", options]))
        self._make = _MAKE[file_system]
        self._size = _SIZES[file_system]
        self.has_shutdown = file_system != "btrfs"  # its driver has no such call in the kernels of today

    def __enter__(self) -> Image:
        os.makedirs(self.path, exist_ok=True)
        _run("truncate", "-s", self._size, self._file)
        _run(*self._make, self._file)
        self.mount()
        return self

    def __exit__(self, *_: object) -> None:
        if os.path.ismount(self.path) and not self._is_unmounted():
            _run("umount", "-l", self.path)
        for path in (self._file, self._copy):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def mount(self) -> None:
        _run("mount", "-o", self._options, self._file, self.path)

    def cut(self) -> None:
        """Take the power away. Without `has_shutdown` nobody may be writing meanwhile."""
        if not self.has_shutdown:
            _run("cp", "--sparse=always", self._file, self._copy)
            return
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def start_again(self) -> None:
        """Mount what the cut left; the file system's own driver replays its journal."""
        if not self._is_unmounted():
            raise RuntimeError(f"{self.path} is still in use")
        if not self.has_shutdown:
            os.replace(self._copy, self._file)
        self.mount()

    def _is_unmounted(self, patience_s: float = 5.0) -> bool:
        deadline = time.monotonic() + patience_s
        while subprocess.run(["umount", self.path], capture_output=True).returncode != 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
