"""What became of a project folder, and where no code may run."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from jido_jupyter.errors import FolderRefused
from jido_jupyter.services import project
from jido_jupyter.services.project import ProjectFolder


def looked_at(path: Path) -> ProjectFolder:
    found = project.look_at(str(path))
    assert found is not None
    return found


def test_a_folder_that_stayed_is_not_mentioned(tmp_path: Path) -> None:
    """Files that come and go in it change nothing."""
    before = looked_at(tmp_path)
    (tmp_path / "new.txt").write_text("x")

    assert project.check(before.to_wire(), looked_at(tmp_path)) == ()


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """With the way on."""
    (tmp_path / "work").mkdir()
    before = looked_at(tmp_path / "work")
    (tmp_path / "work").rmdir()

    [told] = project.check(before.to_wire(), looked_at(tmp_path))

    assert f"{before.path} is gone; check" in told


def test_a_folder_that_moved_is_recognised(tmp_path: Path) -> None:
    """The kernel works in the same folder under another name."""
    (tmp_path / "work").mkdir()
    before = looked_at(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "moved")

    [told] = project.check(before.to_wire(), looked_at(tmp_path / "moved"))

    assert told == f"The project folder moved from {before.path} to {tmp_path.resolve() / 'moved'}."


def test_another_folder_of_the_same_name_is_recognised(tmp_path: Path) -> None:
    """Somebody put another folder in its place."""
    (tmp_path / "work").mkdir()
    before = looked_at(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "old")
    (tmp_path / "work").mkdir()

    [told] = project.check(before.to_wire(), looked_at(tmp_path / "work"))

    assert "was replaced by another one of the same name" in told


def test_a_link_to_another_place_is_recognised(tmp_path: Path) -> None:
    """A folder that was swapped for a link is another folder."""
    (tmp_path / "work").mkdir()
    (tmp_path / "other").mkdir()
    before = looked_at(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "old")
    (tmp_path / "work").symlink_to(tmp_path / "other")

    told = project.check(before.to_wire(), looked_at(tmp_path / "work"))

    assert any("replaced" in line for line in told)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"owner": 4242}, "another owner"), ({"mode": 0o777}, "are 777 now"), ({"device": 9}, "on another device")],
)
def test_owner_permissions_and_device_are_compared(tmp_path: Path, change: dict[str, int], words: str) -> None:
    """Each difference is one sentence."""
    before = looked_at(tmp_path)

    [told] = project.compare(before, replace(before, **change), replace(before, **change))

    assert words in told


def test_a_kernel_elsewhere_is_told(tmp_path: Path) -> None:
    """The folder is as it was, but this kernel works in another one."""
    (tmp_path / "here").mkdir()
    before = looked_at(tmp_path)

    [told] = project.compare(before, before, looked_at(tmp_path / "here"))

    assert "this kernel works in" in told


@pytest.mark.parametrize("stored", [None, {}, {"path": 5}, {"path": "/x", "device": "a"}, [], "folder"])
def test_a_record_of_another_shape_says_nothing(stored: object, tmp_path: Path) -> None:
    """A file from elsewhere may hold anything."""
    assert project.check(stored, looked_at(tmp_path)) == ()


@pytest.mark.skipif(os.name == "nt", reason="system folders of POSIX")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc",
        "/etc/ssl",
        "/usr",
        "/usr/lib",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/boot",
        "/dev",
        "/proc/1",
        "/sys",
    ],
)
def test_system_folders_are_refused(path: str) -> None:
    """Whoever owns them."""
    folder = ProjectFolder(path, 1, 1, 1000, 0o755)

    with pytest.raises(FolderRefused, match="nothing was run"):
        project.check_usable(folder, user=1000)


@pytest.mark.parametrize(
    "path", ["/home/me", "/usr/src/app", "/etcetera", "/tmp/x", "/opt/work", "/dev/shm/w", "/srv", "/root/w"]
)
def test_other_folders_are_not(path: str) -> None:
    """A name that only begins like one, and places where containers keep projects; one's own home, root's too."""
    project.check_usable(ProjectFolder(path, 1, 1, 0, 0o755), user=0)


def test_the_home_of_root_is_not_for_others() -> None:
    """Who can look into it by accident does not work there."""
    with pytest.raises(FolderRefused):
        project.check_usable(ProjectFolder("/root", 1, 1, 0, 0o755), user=1000)


def test_a_link_into_the_system_is_seen_through(tmp_path: Path) -> None:
    """The folder that counts is the one that the link leads to."""
    (tmp_path / "mine").symlink_to("/etc")

    with pytest.raises(FolderRefused):
        project.check_usable(looked_at(tmp_path / "mine"), project.this_user())


def test_what_is_no_folder_is_none(tmp_path: Path) -> None:
    """A file, nothing, or a path that no system has."""
    (tmp_path / "file").write_text("")

    assert [project.look_at(str(tmp_path / name)) for name in ("file", "missing", "a\0b")] == [None] * 3
