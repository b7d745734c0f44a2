"""Sessions that clients of the REST door hold, with a clock that is set by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from jido_jupyter.connection import connect, this_process
from jido_jupyter.errors import LeaseLost
from jido_jupyter.server.leases import Leases

OWNER = this_process("server", "far.ipynb")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases(clock: Clock) -> Leases:
    return Leases(60.0, clock)


def nobody() -> None:
    return None


def test_a_silent_client_loses_its_session(leases: Leases, clock: Clock) -> None:
    """After its lifetime the session is closed, and free for others."""
    sessions = connect().sessions
    held = leases.grant(sessions.new(OWNER), OWNER)

    clock.now_s = 59.9
    leases.expire()
    assert held.live.is_open
    clock.now_s = 60.0
    leases.expire()

    assert not held.live.is_open
    assert sessions.show(held.live.id).owner is None
    with pytest.raises(LeaseLost, match="nobody has it open"):
        leases.extend(held.live.id, held.token, nobody)


def test_each_word_extends(leases: Leases, clock: Clock) -> None:
    """The lifetime counts from when the client was heard last."""
    held = leases.grant(connect().sessions.new(OWNER), OWNER)

    for _ in range(3):
        clock.now_s += 50.0
        leases.extend(held.live.id, held.token, nobody)
        leases.expire()

    assert held.live.is_open
    leases.close()


@pytest.mark.parametrize("token", ["", "x", "ä", "\x00"])
def test_another_token_is_nobodys(leases: Leases, token: str) -> None:
    """It is refused without a word of the right one, and extends nothing."""
    held = leases.grant(connect().sessions.new(OWNER), OWNER)

    with pytest.raises(LeaseLost, match=r"far\.ipynb") as refusal:
        leases.extend(held.live.id, token, OWNER.to_wire)

    assert held.token not in str(refusal.value.data) + str(refusal.value)
    leases.close()


def test_a_session_taken_over_is_lost(leases: Leases) -> None:
    """The token counts no more once a kernel took the session."""
    sessions = connect().sessions
    held = leases.grant(sessions.new(OWNER), OWNER)

    taken, _ = sessions.resume(held.live.id, this_process("kernel"), take_over=True)

    with pytest.raises(LeaseLost):
        leases.extend(held.live.id, held.token, nobody)
    leases.close()
    taken.close()


def test_a_store_that_is_gone_keeps_no_lease(leases: Leases, jido_home: Path) -> None:
    """What cannot be written any more is given up all the same."""
    held = leases.grant(connect().sessions.new(OWNER), OWNER)
    (jido_home / "sessions" / f"{held.live.id}.jsonl").unlink()

    leases.close()

    assert not held.live.is_open
    assert len(leases) == 0
