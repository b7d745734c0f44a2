"""What answers, and other ways to talk: the model, the panel, chats of other assistants that are followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook import context, view
from jido_jupyter.notebook.options import Arguments
from jido_jupyter.notebook.shell import Shell
from jido_jupyter.services import wording

if TYPE_CHECKING:
    from jido_jupyter.adapters.watching import Watch

_WHY: Final = {
    "setting": "JIDO_MODEL or jido.toml says so",
    "session": "you chose it for this session",
    "chosen": "you chose it with '%jido model'",
    "default": "nothing else is configured; it is no language model",
}


def model(shell: Shell, arguments: Arguments) -> None:
    kernel, is_here = shell.kernel, arguments.has("here")
    if arguments.has("list"):
        _list(shell)
        return
    changes = bool(arguments.words) or is_here
    choice = kernel.choose_model(arguments.text, for_session=is_here) if changes else kernel.model()
    shell.say(
        f"Answers come from {choice.model_id} ({_WHY[choice.source]}). '%jido model provider:name' changes it, "
        "'%jido model --list' shows what there is."
    )


def _list(shell: Shell) -> None:
    from jido_jupyter.assistants import models

    answering = shell.kernel.model().model_id
    rows = [
        [model_id, "answers now" if model_id == answering else "", offer.reason]
        for offer in models.offers(os.environ)
        for model_id in offer.model_ids
    ]
    view.show(view.table(["model", "", "why it is here"], rows))


def panel(shell: Shell, arguments: Arguments) -> Any:
    from jido_jupyter.notebook.panel import panel_of

    return panel_of(shell.kernel)


def watch(shell: Shell, arguments: Arguments) -> None:
    from jido_jupyter.adapters.watching import watch_name, watches

    if not arguments.words:
        shell.say(
            "\n".join(map(_followed, watches(shell.ip)))
            or "Nothing is followed. '%jido watch messages' follows a list."
        )
        return
    name = arguments.text
    if arguments.has("stop"):
        for watch in watches(shell.ip):
            if watch.name == name:
                watch.stop()
                shell.say(f"{name} is not followed any more; what was recorded stays stored.")
                return
        raise InvalidRequest(f"{name!r} is not followed. '%jido watch' shows what is.")
    title = arguments.value("title")
    found = watch_name(shell.ip, shell.kernel, name, title=title, origin=lambda: context.origin(shell.ip))
    shell.say(f"{_followed(found)} What is new in it is recorded after each cell.")


def _followed(watch: Watch) -> str:
    where = "nothing yet" if watch.session_id is None else f"session {short(watch.session_id)}"
    return f"{watch.name} is followed: {wording.counted(len(watch.messages), 'message')} in {where}."


RUN: Final[dict[str, Callable[[Shell, Arguments], Any]]] = {"model": model, "panel": panel, "watch": watch}
