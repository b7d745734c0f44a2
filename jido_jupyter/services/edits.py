"""Changes to a session that users make: title, tags, pin, archive, rewind. Checked here, whatever door they come through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from jido_jupyter.core.records import START
from jido_jupyter.core.session import SessionState
from jido_jupyter.core.text import MAX_TITLE, one_line
from jido_jupyter.errors import InvalidField

MAX_TAGS: Final = 20
MAX_TAG: Final = 50  # characters


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a ``meta`` record for what a user wants changed.

    Args:
        changes: any of ``title``, ``tags``, ``pinned``, ``archived``.

    Raises:
        InvalidField: a value has the wrong shape, or nobody knows the name.
    """
    accepted: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "title":
            accepted |= {"title": _title(value), "title_source": "user"}
        elif name == "tags":
            accepted["tags"] = _tags(value)
        elif name in ("pinned", "archived"):
            if not isinstance(value, bool):
                raise InvalidField(name, "must be true or false")
            accepted[name] = value
        else:
            raise InvalidField(name, "cannot be changed; title, tags, pinned and archived can")
    return accepted


def check_message(state: SessionState, message_id: str) -> None:
    """Refuse a message that the session does not have; its start is always there."""
    if message_id != START and all(message.id != message_id for message in state.messages):
        raise InvalidField("message", f"session {state.id[:8]} has no message {message_id!r}; nothing changed")


def rewound(state: SessionState, message_id: str) -> SessionState:
    """Return the session as it goes on after one of its messages, or from its start."""
    place = -1
    if message_id != START:
        place = next(place for place, message in enumerate(state.messages) if message.id == message_id)
    messages = state.messages[: place + 1]
    is_summed_up = state.summary is not None and any(message.id == state.summary["to"] for message in messages)
    return replace(state, messages=messages, summary=state.summary if is_summed_up else None)


def _title(value: Any) -> str:
    if not isinstance(value, str) or not (clean := one_line(value, MAX_TITLE)):
        raise InvalidField("title", "a title needs at least one visible character")
    return clean


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise InvalidField("tags", "must be a list of texts")
    tags = list(dict.fromkeys(clean for tag in value if (clean := one_line(tag, MAX_TAG))))
    if len(tags) > MAX_TAGS:
        raise InvalidField("tags", f"there may be {MAX_TAGS} tags, not {len(tags)}")
    return tags
