"""The boot clock: one moment reads the same in every time namespace, and elsewhere a reading still has a name."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from jido_jupyter.store import clock


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Each test asks the system anew."""
    clock._epoch.cache_clear()
    yield
    clock._epoch.cache_clear()


def namespaces(monkeypatch: pytest.MonkeyPatch, own: str, children: str, offsets: str) -> None:
    """Let this process live in the time namespace ``own``."""
    links = {"/proc/self/ns/time": own, "/proc/self/ns/time_for_children": children}
    texts = {"/proc/sys/kernel/random/boot_id": "boot", clock._OFFSETS: offsets}
    monkeypatch.setattr(os, "readlink", links.__getitem__)
    monkeypatch.setattr(clock, "_text", texts.__getitem__)


def test_time_passes() -> None:
    """Readings of one boot carry its name, and seconds."""
    before = clock.read()
    after = clock.read()

    assert before.epoch == after.epoch
    assert 0 <= after.seconds - before.seconds < 10


def test_the_offset_of_a_namespace_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container whose boot time is ahead reads what its host reads, to the nanosecond."""
    namespaces(monkeypatch, "time:[2]", "time:[2]", "monotonic 1 1\nboottime 100 500000000")
    monkeypatch.setattr(time, "clock_gettime", lambda which: 1100.5)

    assert clock.read() == clock.Reading("boot", 1000.0)


def test_offsets_that_are_not_ours_yet_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose children will live elsewhere counts in a namespace of its own."""
    namespaces(monkeypatch, "time:[2]", "time:[3]", "monotonic 1 1\nboottime 100 0")
    monkeypatch.setattr(time, "clock_gettime", lambda which: 1100.5)

    assert clock.read() == clock.Reading("boot time:[2]", 1100.5)


@pytest.mark.parametrize("offsets", ["boottime 100", "boottime x 0"])
def test_offsets_that_cannot_be_read_fail_no_call(monkeypatch: pytest.MonkeyPatch, offsets: str) -> None:
    """Whatever the system writes there, there is a reading."""
    namespaces(monkeypatch, "time:[2]", "time:[2]", offsets)
    monkeypatch.setattr(time, "clock_gettime", lambda which: 1100.5)

    assert clock.read() == clock.Reading("boot", 1100.5)


def test_a_system_without_proc_has_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be read, the boot has an empty name and time passes all the same."""

    def refuse(path: str, **options) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "readlink", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(time, "clock_gettime", lambda which: 7.0)

    assert clock.read() == clock.Reading("", 7.0)


def test_the_boot_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither name nor offset change while a process lives, so a reading costs one call."""
    clock.read()
    monkeypatch.setattr(clock, "_text", lambda path: pytest.fail("asked again"))

    clock.read()
