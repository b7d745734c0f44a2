"""What changes a session: title, tags, marks, its summary, and how far its conversation goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.records import START
from jido_jupyter.core.session import SessionState
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook import turns
from jido_jupyter.notebook.options import Arguments
from jido_jupyter.notebook.shell import Shell
from jido_jupyter.services import wording


def rename(shell: Shell, arguments: Arguments) -> None:
    session = shell.changed(arguments)
    session.edit(title=arguments.text)
    shell.say(f"Session {short(session.id)} is now {session.state.title!r}.")


def tag(shell: Shell, arguments: Arguments) -> None:
    session = shell.changed(arguments)
    if arguments.words:
        session.edit(tags=[*session.state.tags, *_tags(arguments)])
    _say_tags(shell, session.id, session.state.tags)


def untag(shell: Shell, arguments: Arguments) -> None:
    session = shell.changed(arguments)
    gone, before = {tag.casefold() for tag in _tags(arguments)}, session.state.tags
    if unknown := gone - {tag.casefold() for tag in before}:
        raise InvalidRequest(
            f"Session {short(session.id)} has no tag {sorted(unknown)[0]!r}. It has: {', '.join(before) or 'none'}."
        )
    session.edit(tags=[tag for tag in before if tag.casefold() not in gone])
    _say_tags(shell, session.id, session.state.tags)


def _marking(told: str, **changes: bool) -> Callable[[Shell, Arguments], None]:
    def mark(shell: Shell, arguments: Arguments) -> None:
        session = shell.changed(arguments)
        session.edit(**changes)
        shell.say(f"Session {short(session.id)} {session.state.title!r} {told}.")

    return mark


def rewind(shell: Shell, arguments: Arguments) -> None:
    session = shell.changed(arguments)
    said = session.state.messages
    if (at := arguments.value("at")) is not None:
        if arguments.has("turns"):
            raise InvalidRequest("--at and --turns both say how far to go back. Give one of them.")
        place = turns.end_of_turn(said, turns.message_at(said, at))
    else:
        place = turns.start_of_last(said, arguments.value("turns") or 1)
    session.rewind(said[place - 1].id if place else START)
    gone = len(said) - place
    onward = f"goes on after message {place}" if place else "begins anew"
    told = f"Session {short(session.id)} {onward}; {wording.counted(gone, 'message')} taken back"
    shell.say(f"{told}, and kept in the session's file.")


def summary(shell: Shell, arguments: Arguments) -> None:
    live = shell.kernel.opened().live
    if arguments.words and arguments.text != "undo":
        raise InvalidRequest(f"'%jido summary' knows 'undo', not {arguments.text!r}. Alone it shows the summary.")
    if live.state.summary is None:
        told = "No summary stands for any part of this session: the model is sent the whole of it."
    elif arguments.words:
        live.summarise("", str(live.state.summary["to"]))
        told = "The summary is gone: the model is sent the whole conversation again."
    else:
        told = _summary(live.state, live.state.summary)
    shell.say(told)


def _summary(state: SessionState, found: Mapping[str, Any]) -> str:
    number = next((number for number, message in enumerate(state.messages, 1) if message.id == found["to"]), 0)
    return (
        f"For the messages 1 to {number} the model is sent this summary; all of them stay stored. "
        f"'%jido summary undo' takes it away.\n\n{found['text']}"
    )


def _tags(arguments: Arguments) -> list[str]:
    return [word.text.removeprefix("#") for word in arguments.words]


def _say_tags(shell: Shell, session_id: str, tags: tuple[str, ...]) -> None:
    told = " ".join(f"#{tag}" for tag in tags) or "none; '%jido tag <tags>' adds some"
    shell.say(f"Tags of session {short(session_id)}: {told}.")


RUN: Final[dict[str, Callable[[Shell, Arguments], Any]]] = {
    "rename": rename,
    "tag": tag,
    "untag": untag,
    "pin": _marking("is pinned: no cleanup takes it", pinned=True),
    "unpin": _marking("is not pinned any more", pinned=False),
    "archive": _marking("is archived; '%jido list is:archived' shows it", archived=True),
    "unarchive": _marking("is not archived any more", archived=False),
    "rewind": rewind,
    "summary": summary,
}
