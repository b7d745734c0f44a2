"""Which session is open here, and which are stored: new, save, resume, close, fork, delete, restore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.notebook import turns, view
from jido_jupyter.notebook.options import Arguments
from jido_jupyter.notebook.shell import Shell
from jido_jupyter.services import wording


def new(shell: Shell, arguments: Arguments) -> None:
    session = shell.kernel.new(arguments.text or None)
    shell.say(f"New session {short(session.id)} {session.title!r}. Ask with '%%jido'.")
    if (room := shell.kernel.sessions.room()).is_tight:
        shell.say(str(room))


def save(shell: Shell, arguments: Arguments) -> None:
    session = shell.kernel.opened()
    session.save()
    shell.say(f"Saved: session {short(session.id)} {session.title!r}, {len(session.messages)} messages, on disk.")


def resume(shell: Shell, arguments: Arguments) -> None:
    from jido_jupyter.notebook.transcript import transcript

    target = arguments.target()  # None: the session of this notebook
    session, briefing = shell.kernel.resume(target, take_over=arguments.has("take-over"), trust=arguments.has("trust"))
    shell.allowed.pop(session, None)  # it may be the same object, where it was open here already
    told = list(briefing.lines)
    if shell.kernel.rebuild():
        told.append("'%jido rebuild' puts the cells that bring variables back below, to look at and to run.")
    view.show(transcript(session.live.state, told, is_folded=True))


def rebuild(shell: Shell, arguments: Arguments) -> None:
    codes = shell.kernel.rebuild()
    if not codes:
        shell.say("No cell needs to run again: nothing that this session knew is missing, as far as is known.")
        return
    shell.ip.set_next_input("\n\n".join(codes), replace=False)
    shell.say(f"{wording.counted(len(codes), 'cell')} of this session's stand below, as they ran. Look, then run them.")


def close(shell: Shell, arguments: Arguments) -> None:
    session = shell.kernel.close()
    shell.say(f"Closed session {short(session.id)}; '%jido resume {short(session.id)}' opens it again.")


def fork(shell: Shell, arguments: Arguments) -> None:
    shown = shell.read(arguments)
    message_id = None
    if (at := arguments.value("at")) is not None:
        said = shown.state.messages
        message_id = said[turns.end_of_turn(said, turns.message_at(said, at)) - 1].id
    copy = shell.kernel.sessions.fork(shown.state.id, message_id).state
    told = f"Session {short(copy.id)} {copy.title!r} is a copy with {len(copy.messages)} messages"
    if arguments.has("open"):
        shell.kernel.resume(copy.id)
        shell.say(f"{told}, and open here now.")
    else:
        shell.say(f"{told}; '%jido resume {short(copy.id)}' goes on with it.")


def delete(shell: Shell, arguments: Arguments) -> None:
    sessions = shell.kernel.sessions
    session_id = sessions.resolve(arguments.target() or "")
    if (here := shell.open_here) is not None and here.id == session_id:
        shell.kernel.close()
    sessions.trash(session_id)
    shell.say(f"Session {short(session_id)} is in the trash; '%jido restore {short(session_id)}' brings it back.")


def restore(shell: Shell, arguments: Arguments) -> None:
    session_id = shell.kernel.sessions.restore(arguments.text)
    shell.say(f"Session {short(session_id)} is back; '%jido resume {short(session_id)}' opens it.")


RUN: Final[dict[str, Callable[[Shell, Arguments], Any]]] = {
    "new": new,
    "save": save,
    "resume": resume,
    "rebuild": rebuild,
    "close": close,
    "fork": fork,
    "delete": delete,
    "restore": restore,
}
