"""Where the turns of a conversation begin: a question, and everything up to the next one."""

from __future__ import annotations

from collections.abc import Sequence

from jido_jupyter.core.messages import Message, Part
from jido_jupyter.errors import IllegalTransition, InvalidRequest


def start_of_last(said: Sequence[Message], turns: int = 1) -> int:
    """Return the place of the question with which the last ``turns`` turns begin.

    Raises:
        IllegalTransition: there are not so many.
    """
    places = [place for place, message in enumerate(said) if message.role == "user"]
    if len(places) < turns:
        raise IllegalTransition(
            f"{len(places)} question(s) long", f"go back by {turns}", "'%jido show' shows what was said."
        )
    return places[-turns]


def message_at(said: Sequence[Message], name: str) -> int:
    """Return the place of the message that a user names: by its number, or the start of its id.

    Raises:
        InvalidRequest: none has it, or several do.
    """
    if name.isascii() and name.isdecimal() and 1 <= int(name) <= len(said):
        return int(name) - 1
    found = [place for place, message in enumerate(said) if message.id.startswith(name.casefold())]
    if len(found) != 1 or not name:
        raise InvalidRequest(
            f"No single message is {name!r}: write a number from 1 to {len(said)} as '%jido show' has them, or an id."
        )
    return found[0]


def end_of_turn(said: Sequence[Message], place: int) -> int:
    """Return where what belongs to a message ends: the results of its tool calls are never parted from it."""
    place += 1
    while place < len(said) and said[place].role == "tool":
        place += 1
    return place


def asked_with(question: Message) -> tuple[str, tuple[Part, ...]]:
    """Return what a question says, and what went with it."""
    texts = [part["content"] for part in question.parts if part.get("type") == "text" and "attached" not in part]
    return "".join(texts), tuple(part for part in question.parts if part.get("type") != "text" or "attached" in part)
