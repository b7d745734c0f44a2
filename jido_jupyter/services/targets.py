"""What a user types for a session - its number in the list, its id, or the start of an id or title - to the session."""

from __future__ import annotations

from collections.abc import Sequence

from jido_jupyter.core.ids import short
from jido_jupyter.core.session import Summary
from jido_jupyter.errors import AmbiguousTarget, InvalidRequest, SessionNotFound


def resolve(target: str, listed: Sequence[Summary]) -> Summary:
    """Return the session that ``target`` names; case is ignored.

    An exact id or title wins over a number, a number over a prefix.

    Args:
        target: as typed; quotes around it are taken off.
        listed: the sessions in the order of the list, which is what numbers refer to.

    Raises:
        SessionNotFound: nothing fits.
        AmbiguousTarget: several prefixes fit.
    """
    wanted = _unquoted(target).casefold()
    if not wanted:
        raise InvalidRequest("Name a session: its number in '%jido list', its id, or the start of its title.")
    for exact in (
        [summary for summary in listed if summary.id == wanted],
        [summary for summary in listed if summary.title.casefold() == wanted],
    ):
        if len(exact) == 1:
            return exact[0]
    if wanted.isdecimal() and wanted.isascii() and 1 <= int(wanted) <= len(listed):
        return listed[int(wanted) - 1]
    found = [
        summary for summary in listed if summary.id.startswith(wanted) or summary.title.casefold().startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise AmbiguousTarget(target, [f"{short(summary.id)} “{summary.title}”" for summary in found])
    raise SessionNotFound(target, _hint(wanted, len(listed)))


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
