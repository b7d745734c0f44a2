"""How commands end: what their exit codes mean, and errors in the words of a shell.

====  ====================================================================================
0     done
1     something is wrong with the data: damage, or an item of several that failed
2     the command makes no sense: a wrong option, value, setting or target
3     the store or a file cannot be used: permissions, a full disk, a lock
4     refused for now: a limit is reached, a session is open or has changed meanwhile
130   interrupted
====  ====================================================================================
"""

from __future__ import annotations

import re
from typing import Final

from jido_jupyter.errors import (
    Conflict,
    CorruptSession,
    InvalidRequest,
    JidoError,
    LimitReached,
    PayloadTooLarge,
    RateLimited,
    SessionNotFound,
    UnsupportedFormat,
)

DATA: Final = 1
USAGE: Final = 2
UNUSABLE: Final = 3
REFUSED: Final = 4
INTERRUPTED: Final = 130

# The first that fits; everything else is the store's.
_CODES: Final[tuple[tuple[tuple[type[JidoError], ...], int], ...]] = (
    ((CorruptSession, UnsupportedFormat), DATA),
    ((InvalidRequest, SessionNotFound), USAGE),
    ((Conflict, LimitReached, RateLimited, PayloadTooLarge), REFUSED),
)

# Magics that are commands too, and what they are called here.
_COMMANDS: Final = {
    name: name for name in ("list", "show", "search", "export", "import", "verify", "doctor", "cleanup", "restore")
} | {"delete": "trash"}


def code_of(error: JidoError | OSError) -> int:
    """Return how a command ends that meets ``error``."""
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), UNUSABLE)


def in_a_shell(text: str) -> str:
    """Return an error's text with the magics that it names as commands, where there is such a command.

    >>> in_a_shell("See '%jido list', '%jido delete x' and '%jido resume x'.")
    "See 'jido list', 'jido trash x' and '%jido resume x'."
    """

    def spelled(magic: re.Match[str]) -> str:
        return f"jido {_COMMANDS[magic[1]]}" if magic[1] in _COMMANDS else magic[0]

    return re.sub(r"(?<!%)%jido (\w+)", spelled, text)
