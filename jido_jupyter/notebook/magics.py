"""``%jido`` and ``%%jido``: the sessions of this kernel in one line each. Here they are registered and dispatched.

What a verb takes stands in `grammar`, what it does in `verbs`; both are imported when they are used first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from jido_jupyter.errors import JidoError

if TYPE_CHECKING:
    from jido_jupyter.notebook.options import Verb, Word
    from jido_jupyter.notebook.shell import Shell

_MATCHER: Final = "jido"  # how IPython names what completes our lines


class Refused(Exception):
    """What a magic raises for an error of ours: the cell fails, and shows one sentence instead of a traceback."""

    def __init__(self, error: JidoError) -> None:
        super().__init__(str(error))
        self.code = error.code

    def _render_traceback_(self) -> list[str]:
        return [f"jido: {self}"]


class Magics:
    """The magics of one IPython shell."""

    def __init__(self, ip: Any) -> None:
        self._ip = ip
        self._shell: Shell | None = None

    def line(self, line: str) -> Any:
        """``%jido [verb] [words] [options]``; '%jido help' lists the verbs."""
        return _told(lambda: self._run(line))

    def cell(self, line: str, cell: str) -> Any:
        """``%%jido [options]`` and a question in the lines below; '%jido help' names the options."""
        return _told(lambda: self._ask(line, cell))

    @property
    def shell(self) -> Shell:
        from jido_jupyter.notebook.shell import Shell

        if self._shell is None:
            self._shell = Shell(self._ip)
        return self._shell

    def _run(self, line: str) -> Any:
        from jido_jupyter.notebook.options import split
        from jido_jupyter.notebook.verbs import known

        words = split(line)
        first = words[0].text if words else "status"
        if first in ("--help", "-h"):
            first = "help"
        return self._dispatch(known(first), words[1:])

    def _ask(self, line: str, cell: str) -> Any:
        from jido_jupyter.notebook.grammar import ASK
        from jido_jupyter.notebook.options import split

        return self._dispatch(ASK, split(line), cell)

    def _dispatch(self, verb: Verb, words: list[Word], *more: Any) -> Any:
        from jido_jupyter.notebook import verbs, view
        from jido_jupyter.notebook.options import HelpAsked, help_of, parse

        try:
            arguments = parse(verb, words)
        except HelpAsked:
            view.show(view.preformatted(help_of(verb)))
            return None
        return verbs.run_of(verb)(self.shell, arguments, *more)


def register(ip: Any) -> None:
    """Add the magics to a shell, their completion, and a word about the notebook's session where there is one."""
    magics = Magics(ip)
    ip.register_magic_function(magics.line, "line", "jido")
    ip.register_magic_function(magics.cell, "cell", "jido")
    ip.Completer.custom_matchers.append(_matcher(magics))
    _offer()


def unregister(ip: Any) -> None:
    for kind in ("line", "cell"):
        ip.magics_manager.magics[kind].pop("jido", None)
    known = ip.Completer.custom_matchers
    ip.Completer.custom_matchers = [found for found in known if getattr(found, "matcher_identifier", "") != _MATCHER]


def _matcher(magics: Magics) -> Any:
    """Return what completes ``%jido`` lines, and keeps Python's names out of them.

    Source: https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.completer.html (API version 2); the older
    hook ``complete_command`` mixes in what jedi finds.
    """
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier=_MATCHER, priority=100)  # type: ignore[untyped-decorator]
    def match(context: Any) -> Any:
        found: list[str] = []
        text = context.line_with_cursor[: context.cursor_position]
        try:
            if text.lstrip().startswith(("%jido ", "%%jido ")):
                from jido_jupyter.notebook import completion

                found = completion.complete(magics.shell, text, context.token)
        except (
            Exception
        ):  # a store that is away, say: Tab is no place to hear of it, and IPython would print a traceback
            found = []
        return {"completions": [SimpleCompletion(text) for text in found], "suppress": bool(found), "ordered": True}

    return match


def _offer() -> None:
    import os

    if notebook := os.environ.get("JPY_SESSION_NAME"):  # otherwise there is no notebook, and nothing to import
        from jido_jupyter.notebook import offer

        offer.make(notebook)


def _told(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except JidoError as error:
        raise Refused(error) from None
