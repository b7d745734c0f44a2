"""What asks the assistant: ``%%jido``, retry, continue."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from jido_jupyter.core.ids import short
from jido_jupyter.core.messages import Part, text_part
from jido_jupyter.core.records import START
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook import consent, context, streaming, turns, view
from jido_jupyter.notebook.options import Arguments
from jido_jupyter.notebook.shell import Shell

if TYPE_CHECKING:
    from jido_jupyter.assistants.conversation import Session
    from jido_jupyter.assistants.port import Assistant
    from jido_jupyter.assistants.turn import Turn

GO_ON: Final = "Go on from where you stopped."
INTERRUPTED: Final = "Interrupted; what had arrived is kept in the session. Ask again, or go on."


def ask(shell: Shell, arguments: Arguments, prompt: str) -> None:
    """Ask the question of a ``%%jido`` cell; everything that can be wrong with it is told before anything is stored."""
    if arguments.words and not arguments.has("new"):
        raise InvalidRequest(
            f"'%%jido' takes no words beside it, but has {arguments.raw!r}. Write the question in the lines below."
        )
    if arguments.has("new") and arguments.has("session"):
        raise InvalidRequest("--new and --session name two sessions. Give one of them.")
    if not prompt.strip():
        raise InvalidRequest("There is no question. Write it in the lines below '%%jido'.")
    attached = [_attachment(shell, name) for name in arguments.values("attach")]
    _assistant(shell, arguments)  # without one there is nothing to store
    if arguments.has("new"):
        shell.kernel.new(arguments.text or None)
    elif (target := arguments.target()) is not None:
        _go_to(shell, target)
    session = shell.kernel.current()
    _offer_ollama(shell, arguments)
    _answer(shell, session, _assistant(shell, arguments), arguments, prompt.strip(), attached)


def retry(shell: Shell, arguments: Arguments) -> None:
    session = shell.kernel.opened()
    said = session.messages
    place = turns.start_of_last(said)
    prompt, attached = turns.asked_with(said[place])
    assistant = _assistant(shell, arguments)  # before anything is taken back: without one there is no second answer
    session.rewind(said[place - 1].id if place else START)
    _answer(shell, session, assistant, arguments, prompt, attached)


def continue_(shell: Shell, arguments: Arguments) -> None:
    session = shell.kernel.opened()
    turns.start_of_last(session.messages)
    _answer(shell, session, _assistant(shell, arguments), arguments, GO_ON, ())


def _answer(
    shell: Shell,
    session: Session,
    assistant: Assistant,
    arguments: Arguments,
    prompt: str,
    attached: Sequence[Part],
) -> None:
    is_first = not session.messages
    live: streaming.View = streaming.Live() if shell.renders else streaming.Printed()
    turn = session.ask(
        prompt,
        show=live.add,
        rest=live.flush,
        consent=lambda request: consent.ask(shell, session, request, live),
        origin=context.origin(shell.ip),
        with_tools=not arguments.has("no-tools"),
        attached=attached,
        assistant=assistant if arguments.has("model") else None,
    )
    live.finish(_footer(session, turn, assistant, is_first=is_first), f"{turn.unsaved}" if turn.unsaved else "")
    if turn.answer.status == "interrupted":
        raise InvalidRequest(INTERRUPTED)


def _footer(session: Session, turn: Turn, assistant: Assistant, *, is_first: bool) -> str:
    facts = [
        f"{'new session' if is_first else 'session'} {short(session.id)} “{session.title}”",
        "not saved yet" if turn.unsaved else "saved",
        assistant.label,
        _tokens(turn),
    ]
    if turn.redacted:
        facts.append(f"{turn.redacted} key{'' if turn.redacted == 1 else 's'} left out of the session")
    return " · ".join(fact for fact in facts if fact)


def _tokens(turn: Turn) -> str:
    """Return what the turn took; nothing for the built-in guide, which takes none."""
    if (turn.answer.model or "").startswith("guide:"):
        return ""
    if turn.usage.input_tokens is None or turn.usage.output_tokens is None:
        return "tokens unknown"
    return f"{turn.usage.input_tokens:,} tokens in, {turn.usage.output_tokens:,} out"


def _assistant(shell: Shell, arguments: Arguments) -> Assistant:
    """Return what answers in the open session, or this once.

    Raises:
        AssistantUnavailable, InvalidSetting
    """
    model_id = arguments.value("model")
    return shell.kernel.assistant() if model_id is None else shell.kernel.assistant_named(model_id)


def _go_to(shell: Shell, target: str) -> None:
    """Make a stored session the open one; asking on in the one that is open already is no resume."""
    session_id = shell.kernel.sessions.resolve(target)
    if (here := shell.open_here) is None or here.id != session_id:
        _, briefing = shell.kernel.resume(session_id)
        view.show(view.quiet("\n".join(briefing.lines)))


def _attachment(shell: Shell, name: str) -> Part:
    if name not in shell.ip.user_ns:
        raise InvalidRequest(
            f"There is no variable {name!r} to attach; nothing was asked. Run the cell that defines it."
        )
    from jido_jupyter.notebook.manifest import Manifest
    from jido_jupyter.notebook.tools import variables

    value = shell.ip.user_ns[name]
    facts = Manifest().describe({name: value}).get(name, {})
    kind = " ".join(str(facts[what]) for what in ("type", "shape", "length") if what in facts)
    return {**text_part(f"\n\nThe variable {name} ({kind}):\n{variables.preview(name, value)}"), "attached": name}


def _offer_ollama(shell: Shell, arguments: Arguments) -> None:
    """Say that a local model is there; it is used once the user says so."""
    kernel = shell.kernel
    if arguments.has("model") or kernel.was_offered or kernel.model().source != "default":
        return
    from jido_jupyter.assistants.endpoints import find_ollama

    kernel.was_offered = True
    if found := find_ollama(os.environ):
        view.show(
            view.note(
                f"A local Ollama answers here with {', '.join(found[:5])}. "
                f"'%jido model ollama:{found[0]}' uses it from now on; until then the built-in guide answers."
            )
        )


RUN: Final[dict[str, Callable[..., Any]]] = {"": ask, "retry": retry, "continue": continue_}
