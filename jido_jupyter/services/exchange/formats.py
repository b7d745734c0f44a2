"""What an export format and an import format are: the rows of the registry in `jido_jupyter.services.exchange`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jido_jupyter.core.messages import Message
from jido_jupyter.services.sessions import Shown


@dataclass(frozen=True, slots=True)
class Export:
    suffix: str  # of file names, with its dot
    media_type: str
    help: str  # one line for lists of formats
    write: Callable[[Shown], Iterator[str]]  # the pieces of the file, in order


@dataclass(frozen=True, slots=True)
class Imported:
    """A session that a file holds, checked and ready to be stored.

    ``digest`` is of what will be stored: two files with the same conversation have the same one.
    """

    meta: Mapping[str, Any]  # of a ``meta`` record, without ``origin``
    messages: Sequence[Message]
    digest: str
    session: str | None = None  # its id where it comes from
    notes: Sequence[str] = ()  # what was left out or looks wrong, one sentence each


@dataclass(frozen=True, slots=True)
class Import:
    help: str
    sniff: Callable[[bytes], bool]  # looks at the start of a file only; never raises
    read: Callable[[bytes], list[Imported]]
