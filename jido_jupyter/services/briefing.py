"""What a resume tells the user: how complete the session is, how old, and what was mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from jido_jupyter.core.session import SessionState
from jido_jupyter.core.times import age, seconds_between


@dataclass(frozen=True, slots=True)
class Briefing:
    completeness: str
    age_s: float  # since the last turn; 0 where it is not known
    repairs: tuple[str, ...]
    lines: tuple[str, ...]  # all of it, as sentences for the user

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)


def brief(state: SessionState, damage: Sequence[str], now: datetime) -> Briefing:
    """Return the briefing of a session that is taken up again.

    Args:
        state: the session as it was read.
        damage: what the store found, one sentence each.
        now: aware.
    """
    repairs = (*damage, *state.repairs)
    if cut_off := len(state.unsettled):
        repairs = (*repairs, f"{cut_off} answer(s) were cut off; what had arrived is here, marked interrupted.")
    if any(message.role == "tool" and message.status == "interrupted" for message in state.messages):
        repairs = (*repairs, "A tool call that has no answer was closed as interrupted.")
    turns = sum(message.role == "user" for message in state.messages)
    count = f"{turns} question{'' if turns == 1 else 's'}, {len(state.messages)} messages"
    completeness = f"Full context: {count}." if not repairs else f"{count}, with {len(repairs)} repair(s)."
    age_s = max(0.0, seconds_between(state.updated_at, now) or 0.0)
    lines = [f"{completeness} Last turn {age(age_s)}."]
    if state.messages and (last := state.messages[-1]).status != "complete":
        lines.append(f"The last answer is {last.status}; ask again, or go on from it.")
    return Briefing(completeness, age_s, repairs, (*lines, *repairs))
