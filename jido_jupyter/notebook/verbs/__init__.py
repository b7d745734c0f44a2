"""What the verbs of ``%jido`` do: a module for each family, imported when one of its verbs is used.

Each module has a table ``RUN``: the name of a verb, and what takes its shell and arguments.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from jido_jupyter.core.text import one_line
from jido_jupyter.errors import InvalidRequest
from jido_jupyter.notebook.grammar import VERBS
from jido_jupyter.notebook.options import Verb


def run_of(verb: Verb) -> Callable[..., Any]:
    """Return what a verb does."""
    found: Callable[..., Any] = import_module(f"{__name__}.{verb.module}").RUN[verb.name]
    return found


def known(name: str) -> Verb:
    """Return the verb of that name.

    Raises:
        InvalidRequest: there is none.
    """
    if name in VERBS:
        return VERBS[name]
    near = difflib.get_close_matches(name, VERBS, 1)
    hint = f"Did you mean '%jido {near[0]}'?" if near else "'%jido help' lists what it knows."
    raise InvalidRequest(f"There is no '%jido {one_line(name, 60)}'. {hint}")
