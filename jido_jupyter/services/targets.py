"""What a user types for a session - its number in the list, its id, or the start of an id or title - to the session."""

from __future__ import annotations

import contextlib
from typing import Final

from jido_jupyter.core.ids import is_valid, short
from jido_jupyter.core.query import Query
from jido_jupyter.errors import AmbiguousTarget, InvalidRequest, SessionNotFound
from jido_jupyter.store.contract import Store

WHOLE_ID: Final = 16  # characters
SHORTEST_DIGITS: Final = 5  # fewer are a number in the list, or the start of a title, and never that of an id


def resolve(target: str, store: Store) -> str:
    """Return the id of the session that ``target`` names; case is ignored.

    An exact id or title wins over a number, a number over a beginning.

    Args:
        target: as typed; quotes around it are taken off.
        store: its list, newest turn first, is what numbers refer to.

    Raises:
        SessionNotFound: nothing fits.
        AmbiguousTarget: several beginnings fit.
    """
    wanted = _unquoted(target).casefold()
    if not wanted:
        raise InvalidRequest("Name a session: its number in '%jido list', its id, or the start of its title.")
    if len(wanted) == WHOLE_ID and is_valid(wanted):  # needs no index, which may have to be brought up to date first
        with contextlib.suppress(SessionNotFound):
            store.revision(wanted)
            return wanted
    named = store.named(wanted)
    for exact in (
        [summary for summary in named if summary.id == wanted],
        [summary for summary in named if summary.title.casefold() == wanted],
    ):
        if len(exact) == 1:
            return exact[0].id
    if wanted.isdecimal() and wanted.isascii() and 1 <= int(wanted) <= store.count():
        return store.find(Query(), limit=int(wanted)).hits[-1].summary.id
    if wanted.isdecimal() and len(wanted) < SHORTEST_DIGITS:  # a number out of range must not open a session by its id
        named = [summary for summary in named if summary.title.casefold().startswith(wanted)]
    if len(named) == 1:
        return named[0].id
    if named:
        raise AmbiguousTarget(target, [f"{short(summary.id)} “{summary.title}”" for summary in named])
    raise SessionNotFound(target, _hint(wanted, store.count()))


def _unquoted(target: str) -> str:
    target = target.strip()
    if len(target) >= 2 and target[0] == target[-1] and target[0] in "\"'":
        return target[1:-1].strip()
    return target


def _hint(wanted: str, count: int) -> str:
    if not count:
        return "No session is stored yet; '%%jido' and a question start one."
    if wanted.isdecimal():
        return f"The list has the numbers 1 to {count}: '%jido list' shows them."
    return "'%jido list' shows what there is."
