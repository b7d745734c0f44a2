"""A file system in user space that passes everything on to a folder, and fails as network file systems do.

``python -m tests.reliability.machine.hazard_mount FOLDER MOUNT CONTROL [--no-locks]``; unmount it to end it. CONTROL is a
JSON file, read before each call; each time a fault strikes, a byte is added to CONTROL.struck. Its members, all optional:

=================  ====================================================================================================
``call``           the call that fails: ``create``, ``write``, ``fsync`` ... or ``*`` for all
``error``          name of the errno it fails with
``nth``            only the n-th such call from now on; 0 for every one
``done``           true: the call is carried out, and its answer is lost
``late``           errno: writes are taken, dropped, and told at the next fsync or close of that file, once
``short``          bytes: a write takes no more at a time
``slow``           ms: each call takes that long
``skew``           s: modification times are off by this
``silly``          true: a file that is removed while open stays as ``.nfs...``
``nocase``         true: names are found without regard to case
=================  ====================================================================================================
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

CALLS: Final = [
    "getattr",
    "readdir",
    "create",
    "open",
    "read",
    "write",
    "truncate",
    "flush",
    "fsync",
    "fsyncdir",
    "rename",
    "unlink",
    "link",
    "mkdir",
    "rmdir",
    "chmod",
    "utimens",
]
STAT: Final = ["st_mode", "st_size", "st_nlink", "st_uid", "st_gid", "st_mtime", "st_atime", "st_ctime", "st_ino"]
STATFS: Final = ["f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_namemax"]


def serve(folder: str, mount: str, control: str, has_locks: bool) -> None:
    import mfusepy  # not where the probes are only listed

    def failure(number: int) -> OSError:
        return mfusepy.FuseOSError(number)

    class Hazards(mfusepy.Operations):
        def __init__(self) -> None:
            self.now: dict[str, Any] = {}
            self.version = 0
            self.seen = 0
            self.dropped: set[int] = set()
            self.open_paths: dict[int, str] = {}
            for name in CALLS:
                setattr(self, name, self.gated(name, getattr(self, name)))

        def gated(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def answered(*arguments: Any, **named: Any) -> Any:
                self.look()
                time.sleep(self.now.get("slow", 0) / 1000)
                fails = self.now.get("call") in (name, "*")
                if fails:
                    self.seen += 1
                    fails = self.now.get("nth", 0) in (0, self.seen)
                if fails and not self.now.get("done"):
                    self.strike()
                    raise failure(getattr(errno, self.now["error"]))
                try:
                    answer = call(*arguments, **named)
                except OSError as error:
                    raise failure(error.errno or errno.EIO) from None
                if fails:
                    self.strike()
                    raise failure(getattr(errno, self.now["error"]))
                return answer

            return answered

        def look(self) -> None:
            version = os.stat(control).st_mtime_ns
            if version != self.version:
                self.version, self.seen = version, 0
                with open(control) as file:
                    self.now = json.load(file)

        def strike(self) -> None:
            with open(control + ".struck", "ab") as file:
                file.write(b".")

        def at(self, path: str) -> str:
            whole = folder + path
            if self.now.get("nocase") and not os.path.lexists(whole):
                parent, name = os.path.split(whole)
                for other in os.listdir(parent):
                    if other.lower() == name.lower():
                        return os.path.join(parent, other)
            return whole

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            found = os.lstat(self.at(path)) if fh is None else os.fstat(fh)
            stat = {name: getattr(found, name) for name in STAT}
            stat["st_mtime"] += self.now.get("skew", 0)
            return stat

        def readdir(self, path: str, _fh: int) -> list[str]:
            return [".", "..", *os.listdir(self.at(path))]

        def create(self, path: str, mode: int, _fi: Any = None) -> int:
            fh = os.open(self.at(path), os.O_RDWR | os.O_CREAT, mode)
            self.open_paths[fh] = path
            return fh

        def open(self, path: str, flags: int) -> int:
            # The kernel says where an append goes; it may have been wrong, as on NFS.
            fh = os.open(self.at(path), flags & ~(os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW))
            self.open_paths[fh] = path
            return fh

        def read(self, _path: str, size: int, offset: int, fh: int) -> bytes:
            return os.pread(fh, size, offset)

        def write(self, _path: str, data: bytes, offset: int, fh: int) -> int:
            if "late" in self.now:
                self.dropped.add(fh)
                self.strike()
                return len(data)
            if "short" in self.now:
                data = data[: self.now["short"]]
                self.strike()
            return os.pwrite(fh, data, offset)

        def tell_late(self, fh: int) -> None:
            if fh in self.dropped:
                self.dropped.discard(fh)
                raise failure(getattr(errno, self.now.get("late", "EIO")))

        def truncate(self, path: str, length: int, fh: int | None = None) -> None:
            os.truncate(self.at(path) if fh is None else fh, length)

        def flush(self, _path: str, fh: int) -> None:
            self.tell_late(fh)

        def fsync(self, _path: str, _datasync: int, fh: int) -> None:
            self.tell_late(fh)
            os.fsync(fh)

        def fsyncdir(self, path: str, _datasync: int, _fh: int) -> None:
            pass

        def release(self, _path: str, fh: int) -> None:
            self.dropped.discard(fh)
            self.open_paths.pop(fh, None)
            os.close(fh)

        def rename(self, old: str, new: str) -> None:
            os.rename(self.at(old), self.at(new))

        def unlink(self, path: str) -> None:
            if self.now.get("silly") and path in self.open_paths.values():
                self.strike()
                os.rename(self.at(path), f"{folder}{os.path.dirname(path)}/.nfs{time.monotonic_ns():024x}")
            else:
                os.unlink(self.at(path))

        def link(self, target: str, source: str) -> None:
            os.link(self.at(source), self.at(target))

        def mkdir(self, path: str, mode: int) -> None:
            os.mkdir(self.at(path), mode)

        def rmdir(self, path: str) -> None:
            os.rmdir(self.at(path))

        def chmod(self, path: str, mode: int) -> None:
            os.chmod(self.at(path), mode)

        def utimens(self, path: str, times: Any = None) -> None:
            pass

        def statfs(self, _path: str) -> dict[str, int]:
            found = os.statvfs(folder)
            return {name: getattr(found, name) for name in STATFS}

    class Mounted(mfusepy.FUSE):
        pass

    if not has_locks:
        Hazards.lock = Hazards.flock = lambda *_: (_ for _ in ()).throw(failure(errno.ENOLCK))
        Mounted.flock = lambda self, path, fip, operation: self.operations.flock(path, fip, operation)
    # hard_remove: or the library hides a file before another is renamed over it, in two steps
    options = {"attr_timeout": 0, "entry_timeout": 0, "direct_io": True, "hard_remove": True}
    Mounted(Hazards(), mount, foreground=True, nothreads=True, **options)


if __name__ == "__main__":
    serve(*(os.path.abspath(path) for path in sys.argv[1:4]), has_locks="--no-locks" not in sys.argv)
