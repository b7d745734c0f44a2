"""Where a cache may lie: on a disk of this host."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

import pytest

from jido_jupyter.store import places

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/scratch xfs rw 0 0
user@host: /srv fuse.sshfs rw 0 0
/dev/sdc1 /homework btrfs rw 0 0
"""


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.open", lambda path, **options: io.StringIO(MOUNTS))


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/cache", "ext4"),
        ("/home", "nfs4"),
        ("/home/me/.cache", "nfs4"),
        ("/home/scratch/me", "xfs"),
        ("/homework/me", "btrfs"),
        ("/srv/x", "fuse.sshfs"),
    ],
)
def test_the_nearest_mount_holds_a_path(path: str, kind: str) -> None:
    """Of all mounts above a path the deepest one counts, and names that only begin alike are others."""
    assert places.file_system(path) == kind


@pytest.mark.usefixtures("mounts")
def test_a_link_is_followed_to_its_disk(tmp_path: Path) -> None:
    """Where a path leads is what counts."""
    os.symlink("/home/me", tmp_path / "cache")

    assert places.file_system(str(tmp_path / "cache")) == "nfs4"


@pytest.mark.usefixtures("mounts")
def test_a_cache_on_a_network_moves_to_this_host() -> None:
    """A SQLite file on NFS or FUSE would break; a local one stays where it was asked for."""
    local = os.path.join(tempfile.gettempdir(), f"jido_jupyter-{os.getuid()}")

    assert places.local_cache("/home/me/.cache") == local
    assert places.local_cache("/srv/cache") == local
    assert places.local_cache("/var/cache") == "/var/cache"


def test_a_system_without_mounts_keeps_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not tell, the cache is where it was asked for."""

    def refuse(path: str, **options):
        raise FileNotFoundError(path)

    monkeypatch.setattr("builtins.open", refuse)

    assert places.file_system("/home/me") == ""
    assert places.local_cache("/home/me") == "/home/me"


def test_a_path_that_no_mount_holds_has_no_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sandbox the list may be empty."""
    monkeypatch.setattr("builtins.open", lambda path, **options: io.StringIO(""))

    assert places.file_system("/home/me") == ""
