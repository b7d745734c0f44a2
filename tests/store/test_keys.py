"""The keys: made once, refused when doubtful, in the order of their numbers."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from jido_jupyter.errors import StoreUnavailable
from jido_jupyter.store import keys
from jido_jupyter.store.codec import Key
from tests.support.descriptors import open_descriptors


def test_the_first_key_is_made_and_found_again(tmp_path: Path) -> None:
    """A key of 32 bytes is made in a private folder, and the next process uses the same."""
    made = keys.load_or_create(str(tmp_path / "keys"))

    again = keys.load_or_create(str(tmp_path / "keys"))

    assert made.ids == again.ids
    assert len((tmp_path / "keys" / "0001").read_bytes()) == 32


def test_the_highest_number_is_the_newest(tmp_path: Path) -> None:
    """Whatever order the folder lists them in, the last one seals; names that are no number are left alone."""
    keys.load_or_create(str(tmp_path))
    for name in ("0010", "0002"):
        (tmp_path / name).write_bytes(name.encode() * 8)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "00011").write_bytes(b"no key")
    (tmp_path / "0001\n").write_bytes(b"no key")

    found = keys.load_or_create(str(tmp_path))

    assert found.newest.id == Key(b"0010" * 8).id
    assert found.ids[1:] == [Key(b"0002" * 8).id, Key(b"0010" * 8).id]


def test_a_rotation_goes_on_after_the_highest_number(tmp_path: Path) -> None:
    """The new key's number is one more than the highest, and its id is what comes back."""
    keys.load_or_create(str(tmp_path))
    (tmp_path / "0009").write_bytes(b"k" * 32)
    (tmp_path / "0009").chmod(0o600)

    made = keys.rotate(str(tmp_path))

    assert sorted(os.listdir(tmp_path)) == ["0001", "0009", "0010"]
    assert keys.load_or_create(str(tmp_path)).newest.id == made
    assert len((tmp_path / "0010").read_bytes()) == 32


def test_a_rotation_makes_the_first_key_too(tmp_path: Path) -> None:
    """Without any key there are two after it: what was sealed meanwhile stays checkable."""
    keys.rotate(str(tmp_path / "keys"))

    assert sorted(os.listdir(tmp_path / "keys")) == ["0001", "0002"]


@pytest.mark.parametrize("work", [keys.load_or_create, keys.rotate])
def test_a_folder_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work) -> None:
    """What the system refuses becomes one sentence that names the folder."""
    keys.load_or_create(str(tmp_path))
    listdir, calls = os.listdir, []

    def fail(path):
        calls.append(path)
        if work is keys.rotate and len(calls) == 1:  # the look before
            return listdir(path)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "listdir", fail)

    with pytest.raises(StoreUnavailable, match="input/output error") as refusal:
        work(str(tmp_path))

    assert refusal.value.path == str(tmp_path)


@pytest.mark.parametrize("put", [lambda path: os.symlink("elsewhere", path), os.mkfifo])
def test_a_key_that_is_no_plain_file_is_refused(tmp_path: Path, put) -> None:
    """A link is not followed, and a pipe hangs nobody."""
    (tmp_path / "elsewhere").write_bytes(b"k" * 32)
    (tmp_path / "elsewhere").chmod(0o600)
    put(tmp_path / "0001")
    if not (tmp_path / "0001").is_symlink():
        (tmp_path / "0001").chmod(0o600)

    with pytest.raises(StoreUnavailable):
        keys.load_or_create(str(tmp_path))


def test_a_key_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that somebody else can replace proves nothing."""
    keys.load_or_create(str(tmp_path))
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)

    with pytest.raises(StoreUnavailable, match="belongs to another user") as refusal:
        keys.load_or_create(str(tmp_path))

    assert refusal.value.path == str(tmp_path / "0001")


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_any_right_of_others_is_one_too_many(tmp_path: Path, bit: int) -> None:
    """Each bit of group and others is refused alone, and the message says how to mend it."""
    keys.load_or_create(str(tmp_path))
    (tmp_path / "0001").chmod(0o600 | bit)

    with pytest.raises(StoreUnavailable, match="chmod 600"):
        keys.load_or_create(str(tmp_path))


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_rights_of_the_owner_do_not_matter(tmp_path: Path, mode: int) -> None:
    """A key that only its owner may read is used."""
    made = keys.load_or_create(str(tmp_path))
    (tmp_path / "0001").chmod(mode)

    assert keys.load_or_create(str(tmp_path)).ids == made.ids


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(tmp_path: Path, size: int) -> None:
    """A cut key seals nothing, and its length is told; no descriptor stays open."""
    (tmp_path / "0001").write_bytes(b"k" * size)
    (tmp_path / "0001").chmod(0o600)
    before = open_descriptors()

    with pytest.raises(StoreUnavailable, match=f"{size} bytes instead of 32") as refusal:
        keys.load_or_create(str(tmp_path))

    assert open_descriptors() == before  # while the error, and what it refers to, is still here
    assert refusal.value.path == str(tmp_path / "0001")
