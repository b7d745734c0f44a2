"""Which messages of a history are new: programs send the whole of it, or its last part, with each call.

Messages are compared by what they say (`jido_jupyter.services.shapes.digests`) after the redaction that a session applies
when it stores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jido_jupyter.core.messages import Message, Part
from jido_jupyter.core.redaction import redact_value
from jido_jupyter.services.shapes.digests import digest
from jido_jupyter.services.shapes.draft import Draft


@dataclass(frozen=True, slots=True)
class Known:
    """What is compared of a stored message."""

    key: str  # empty: it says nothing
    is_optional: bool  # an answer that failed or was cut off: programs leave it out of what they send again


def said_in(messages: Sequence[Message]) -> list[Message]:
    """Return the messages that were said: without the answers that a load makes up for calls of tools that have none."""
    return [message for message in messages if not (message.id.endswith("-closed") and message.status == "interrupted")]


def key(role: str, parts: Sequence[Part]) -> str:
    said = digest(role, parts)
    if said not in _keys:  # to look for secrets in a whole history would take a quarter of a second per megabyte
        if len(_keys) >= _REMEMBERED:
            _keys.clear()
        _keys[said] = digest(role, redact_value(list(parts))[0])
    return _keys[said]


_REMEMBERED: Final = 50_000  # messages
_keys: dict[str, str] = {}  # by the digest of what was said


def known(message: Message) -> Known:
    found = key(message.role, message.parts)
    return Known(found, not found or message.status != "complete")


def new_ones(stored: Sequence[Message], sent: Sequence[Draft]) -> list[Draft]:
    """Return the messages of a history that a session does not know yet.

    They are those behind the longest beginning of ``sent`` that the session begins with, or ends with. Instructions
    (of the role system) are known wherever they stand. The last message is what the call asks: where an answer to it is
    there already, it is asked again, and new.
    """
    told = {key(message.role, message.parts) for message in stored if message.role == "system"}
    instructions = [draft for draft in sent if draft.role == "system" and key(draft.role, draft.parts) not in told]
    said = [draft for draft in sent if draft.role != "system"]
    there = [known(message) for message in stored if message.role != "system"]
    return [*instructions, *said[_known_count(there, [key(draft.role, draft.parts) for draft in said]) :]]


def _known_count(stored: Sequence[Known], sent: Sequence[str]) -> int:
    count = len(sent)
    first = next((place for place, found in enumerate(sent) if found), None)
    if first is None:
        return 0
    starts = [place for place, found in enumerate(stored) if found.key == sent[first]]
    longest, is_answered = 0, False
    for start in starts:
        reached, rest = _common(stored, start, sent)
        is_whole = all(found.is_optional for found in rest)
        is_start = all(found.is_optional for found in stored[:start])
        if (is_whole or is_start) and (reached > longest or (reached == longest and is_whole)):
            longest, is_answered = reached, not is_whole
    return count - 1 if longest == count and is_answered else longest


def _common(stored: Sequence[Known], start: int, sent: Sequence[str]) -> tuple[int, Sequence[Known]]:
    """Return how many of ``sent`` stand in ``stored`` from ``start`` on, and what stands behind them there."""
    place, reached = start, 0
    while reached < len(sent):
        if not sent[reached]:
            reached += 1
        elif place < len(stored) and stored[place].key == sent[reached]:
            place, reached = place + 1, reached + 1
        elif place < len(stored) and stored[place].is_optional:
            place += 1
        else:
            break
    return reached, stored[place:]
