"""``%jido`` and ``%%jido``: the sessions of this kernel in one line each."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jido_jupyter.errors import InvalidRequest, JidoError
from jido_jupyter.notebook import context

if TYPE_CHECKING:
    from jido_jupyter.notebook.kernel import Kernel


LISTED = 50  # sessions that a list shows


class Refused(Exception):
    """What a magic raises for an error of ours: the cell fails, and shows one sentence instead of a traceback."""

    def __init__(self, error: JidoError) -> None:
        super().__init__(str(error))
        self.code = error.code

    def _render_traceback_(self) -> list[str]:
        return [f"jido: {self}"]


@dataclass(frozen=True, slots=True)
class Verb:
    run: Callable[[Magics, list[str]], Any]
    usage: str
    help: str


class Magics:
    """The magics of one IPython shell."""

    def __init__(self, ip: Any) -> None:
        self._ip = ip

    def line(self, line: str) -> Any:
        """``%jido [verb] [arguments]``"""
        words = _words(line)
        verb, arguments = (words[0], words[1:]) if words else ("status", [])
        if verb not in VERBS:
            near = difflib.get_close_matches(verb, VERBS, 1)
            hint = f"Did you mean '%jido {near[0]}'?" if near else "'%jido help' lists what it knows."
            raise Refused(InvalidRequest(f"There is no '%jido {verb}'. {hint}"))
        return self._told(lambda: VERBS[verb].run(self, arguments))

    def cell(self, line: str, cell: str) -> Any:
        """``%%jido`` and a question in the lines below."""
        if words := _words(line):
            raise Refused(
                InvalidRequest(
                    f"'%%jido' takes no words beside it, but has {' '.join(words)!r}. "
                    "Write the question in the lines below."
                )
            )
        if not cell.strip():
            raise Refused(InvalidRequest("There is no question. Write it in the lines below '%%jido'."))
        self._told(lambda: self._ask(cell.strip()))

    @property
    def kernel(self) -> Kernel:
        from jido_jupyter.notebook.kernel import kernel

        return kernel()

    def _told(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except JidoError as error:
            raise Refused(error) from None

    def _ask(self, prompt: str) -> None:
        from jido_jupyter.notebook import view

        self.kernel.assistant()  # before a session is made: without an assistant there is nothing to store
        session = self.kernel.current()
        self._offer_ollama()
        live = view.Live() if context.shows_html(self._ip) else view.Printed()
        turn = session.ask(prompt, show=live.add, rest=live.flush, origin=context.origin(self._ip))
        saved = "not saved yet" if turn.unsaved else "saved"
        is_first = len(session.messages) == 2
        footer = f"{'new session' if is_first else 'session'} {session.id[:8]} “{session.title}” · {saved} · {self.kernel.assistant().label}"
        warning = f"{turn.unsaved}" if turn.unsaved else ""
        live.finish(turn.answer, footer, warning)
        if turn.answer.status == "interrupted":
            raise Refused(InvalidRequest("Interrupted; what had arrived is kept in the session. Ask again, or go on."))

    def _offer_ollama(self) -> None:
        """Say that a local model is there; it is used once the user says so."""
        from jido_jupyter.assistants.endpoints import find_ollama
        from jido_jupyter.notebook import view

        if self.kernel.model().source != "default" or self.kernel.was_offered:
            return
        self.kernel.was_offered = True
        if found := find_ollama(os.environ):
            view.show(
                view.note(
                    f"A local Ollama answers here with {', '.join(found[:5])}. "
                    f"'%jido model ollama:{found[0]}' uses it from now on; until then the built-in guide answers."
                )
            )

    def _status(self, arguments: list[str]) -> None:
        from jido_jupyter.notebook import view

        session = self.kernel.session
        now = (
            f"Open here: {session.title!r} ({session.id[:8]}), {len(session.messages)} messages."
            if session
            else ("No session is open here. '%%jido' and a question below it start one.")
        )
        if session and not session.live.is_saved:
            now += " The last turn is not saved yet: '%jido save' tries again."
        lines = [
            now,
            f"Answers come from {self.kernel.model().model_id}; sessions are kept in {self.kernel.connection.home}.",
            "",
        ]
        view.show(view.note("\n".join([*lines, *_help()])))

    def _show_help(self, arguments: list[str]) -> None:
        from jido_jupyter.notebook import view

        view.show(view.note("\n".join(_help())))

    def _new(self, arguments: list[str]) -> None:
        session = self.kernel.new(" ".join(arguments) or None)
        self._say(f"New session {session.id[:8]} {session.title!r}. Ask with '%%jido'.")
        self._tell_room()

    def _list(self, arguments: list[str]) -> None:
        from jido_jupyter.notebook import view

        page = self.kernel.sessions.find(" ".join(arguments), limit=LISTED)
        here = self.kernel.session
        listed = [hit.summary for hit in page.hits]
        view.show(view.sessions(listed, here.id if here is not None and here.live.is_open else None))
        if page.next_cursor is not None:
            self._say(f"These are the newest {LISTED}; '%jido list words' shows those that hold the words.")
        self._tell_room()

    def _show(self, arguments: list[str]) -> None:
        from jido_jupyter.notebook import view

        shown = self.kernel.sessions.show(self.kernel.sessions.resolve(_target(arguments, "show")))
        view.show(view.transcript(shown.state, shown.summary.problems))

    def _save(self, arguments: list[str]) -> None:
        session = self.kernel.opened()
        session.save()
        self._say(f"Saved: session {session.id[:8]} {session.title!r}, {len(session.messages)} messages, on disk.")

    def _resume(self, arguments: list[str]) -> None:
        from jido_jupyter.notebook import view

        options = {word for word in arguments if word in ("--take-over", "--trust")}
        target = _target([word for word in arguments if word not in options], "resume")
        session, briefing = self.kernel.resume(target, take_over="--take-over" in options, trust="--trust" in options)
        view.show(view.transcript(session.live.state, briefing.lines, is_folded=True))

    def _rename(self, arguments: list[str]) -> None:
        session = self.kernel.opened()
        session.rename(" ".join(arguments))
        self._say(f"Session {session.id[:8]} is now {session.title!r}.")

    def _close(self, arguments: list[str]) -> None:
        session = self.kernel.close()
        self._say(f"Closed session {session.id[:8]}; '%jido resume {session.id[:8]}' opens it again.")

    def _delete(self, arguments: list[str]) -> None:
        session_id = self.kernel.sessions.resolve(_target(arguments, "delete"))
        if self.kernel.session is not None and self.kernel.session.id == session_id:
            self.kernel.close()
        self.kernel.sessions.trash(session_id)
        self._say(f"Session {session_id[:8]} is in the trash; '%jido restore {session_id[:8]}' brings it back.")

    def _restore(self, arguments: list[str]) -> None:
        session_id = self.kernel.sessions.restore(_target(arguments, "restore"))
        self._say(f"Session {session_id[:8]} is back; '%jido resume {session_id[:8]}' opens it.")

    def _model(self, arguments: list[str]) -> None:
        choice = self.kernel.choose_model(arguments[0]) if arguments else self.kernel.model()
        why = {
            "setting": "JIDO_MODEL or jido.toml says so",
            "chosen": "you chose it with '%jido model'",
            "default": "nothing else is configured; it is no language model",
        }[choice.source]
        self._say(f"Answers come from {choice.model_id} ({why}). '%jido model provider:name' changes it.")

    def _panel(self, arguments: list[str]) -> Any:
        from jido_jupyter.notebook.panel import panel_of

        return panel_of(self.kernel)

    def _tell_room(self) -> None:
        if (room := self.kernel.sessions.room()).is_tight:
            self._say(str(room))

    def _say(self, text: str) -> None:
        from jido_jupyter.notebook import view

        view.show(view.note(text))


VERBS: dict[str, Verb] = {
    "status": Verb(Magics._status, "", "what is open here, and this list"),
    "help": Verb(Magics._show_help, "", "this list"),
    "new": Verb(Magics._new, "[title]", "start a session; the one before stays stored"),
    "list": Verb(Magics._list, "[words]", "the stored sessions, newest turn first; with words, those that hold them"),
    "show": Verb(Magics._show, "<target>", "read a session without opening it"),
    "save": Verb(Magics._save, "", "make sure that everything is on disk (each turn is saved by itself)"),
    "resume": Verb(Magics._resume, "<target> [--take-over] [--trust]", "open a stored session and go on with it"),
    "rename": Verb(Magics._rename, "<title>", "give the open session a title"),
    "close": Verb(Magics._close, "", "give the open session up; it stays stored"),
    "delete": Verb(Magics._delete, "<target>", "move a session to the trash"),
    "restore": Verb(Magics._restore, "<id>", "bring a session back from the trash"),
    "model": Verb(Magics._model, "[provider:name]", "show or choose what answers"),
    "panel": Verb(Magics._panel, "", "the same with buttons: list, ask, save, resume"),
}


def register(ip: Any) -> None:
    """Add the magics to a shell."""
    magics = Magics(ip)
    ip.register_magic_function(magics.line, "line", "jido")
    ip.register_magic_function(magics.cell, "cell", "jido")


def unregister(ip: Any) -> None:
    for kind in ("line", "cell"):
        ip.magics_manager.magics[kind].pop("jido", None)


def _help() -> list[str]:
    lines = [f"%jido {name} {verb.usage}".ljust(36) + verb.help for name, verb in VERBS.items() if name != "status"]
    return [
        *lines,
        "%%jido".ljust(36) + "ask the question in the lines below",
        "A target is a number in the list, an id, or the start of an id or title.",
    ]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # an apostrophe in a title is no quote
        return line.split()


def _target(arguments: list[str], verb: str) -> str:
    if not arguments:
        raise InvalidRequest(f"Say which session: '%jido {verb} 1', or its id, or the start of its title.")
    return " ".join(arguments)
