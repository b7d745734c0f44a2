"""Sessions to files and back: export, import, log."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook import view
from jido_jupyter.notebook.options import Arguments
from jido_jupyter.notebook.shell import Shell
from jido_jupyter.services import exchange, wording
from jido_jupyter.services.exchange import files
from jido_jupyter.services.sessions import Shown


def export(shell: Shell, arguments: Arguments) -> None:
    shown = shell.read(arguments)
    path = arguments.value("output")
    name = arguments.value("format") or files.format_of(path)
    own_name = files.name_of(shown) + exchange.EXPORTS[name].suffix
    if path == "-":
        view.show(view.preformatted("".join(exchange.export(shown, name))))
    elif path is None:
        _write(shell, shown, name, own_name, arguments)
    else:
        _write(shell, shown, name, os.path.join(path, own_name) if files.is_folder(path) else path, arguments)


def import_(shell: Shell, arguments: Arguments) -> None:
    path = os.path.expanduser(arguments.text)
    try:
        data = files.content(path)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    name, found = exchange.read(data)
    for session in found:
        one = exchange.bring_in(shell.kernel.sessions, session, name)
        lines = [_brought(one), *one.notes]
        shell.say("\n".join(lines))


def log(shell: Shell, arguments: Arguments) -> None:
    shown = shell.read(arguments)
    if (path := arguments.value("output")) is not None:
        _write(shell, shown, "markdown", path, arguments)
        return
    text = "".join(exchange.export(shown, "markdown"))
    if arguments.has("cells") or (shell.renders and not arguments.has("markdown")):
        # A front end takes one new cell for each cell that runs, so the whole session is one; its Markdown is inert.
        shell.ip.set_next_input(f"%%markdown\n{text}", replace=False)
        shell.say("The session stands in the cell below; run it. '%jido export --format ipynb' has a cell per message.")
    else:
        view.show(view.preformatted(text))


def _write(shell: Shell, shown: Shown, name: str, path: str, arguments: Arguments) -> None:
    path = os.path.expanduser(path)
    try:
        files.write(path, exchange.export(shown, name), force=arguments.has("force"))
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be written: {error.strerror}. Name another with --output.") from error
    lines = [f"Session {short(shown.state.id)} is in {path}.", *shown.summary.problems]
    shell.say("\n".join(lines))


def _brought(one: exchange.Brought) -> str:
    what = f"{short(one.session_id)} {one.title!r}"
    if one.is_trashed:
        return f"In the trash already: {what}; '%jido restore {short(one.session_id)}' brings it back."
    word = "Imported" if one.is_new else "Here already"
    return f"{word}: {what}, {wording.counted(one.message_count, 'message')}."


RUN: Final[dict[str, Callable[[Shell, Arguments], Any]]] = {"export": export, "import": import_, "log": log}
