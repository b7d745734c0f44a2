"""Sessions to files and back: export, import, log."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.text import storable
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
    if arguments.has("cells"):
        _show_cells(shell, shown)
        return
    text = "".join(exchange.export(shown, "markdown"))
    if shell.renders and not arguments.has("markdown"):
        shell.ip.set_next_input(f"%%markdown\n{text}", replace=False)  # inert
        shell.say("The session stands in the cell below; run it. '%jido log --cells' makes a cell of each message.")
    else:
        view.show(view.preformatted(text))


def _show_cells(shell: Shell, shown: Shown) -> None:
    if not shell.renders:
        raise InvalidRequest(
            f"There are no cells here. '%jido log {short(shown.state.id)}' shows the session as Markdown; "
            "'%jido export --format ipynb' writes it as a notebook."
        )
    from jido_jupyter.notebook import cells

    found = [storable(cell) for cell in cells.of(shown)]
    told = (
        f"JupyterLab and Notebook 7 with jido's extension put {len(found)} cells below this one. Elsewhere '%jido log' "
        "puts the session into one cell, and '%jido export --format ipynb' writes it as a notebook."
    )
    mimes, _ = cells.CellsWidget(found, told)._repr_mimebundle_() or ({}, {})
    view.show({**mimes, **view.note(told)})


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
