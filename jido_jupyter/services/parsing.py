"""JSON from outside, checked while it is parsed: nothing gets in that could not be stored and read again as it was."""

from __future__ import annotations

import json
import math
from typing import Final, NoReturn

from jido_jupyter.errors import InvalidRequest

MAX_DEPTH: Final = 200
MAX_CONTAINERS: Final = 1_000_000  # arrays and objects; each costs far more memory than its two bytes
_INTEGERS: Final = range(-(2**63), 2**64)


def parse(data: bytes, what: str = "The request's body", max_depth: int = MAX_DEPTH) -> object:
    """Return the JSON value of ``data``.

    Args:
        what: how an error names it.
        max_depth: how many arrays and objects may stand in each other.

    Raises:
        InvalidRequest: it is no JSON, nests too deep, or holds numbers that cannot be kept exactly.
    """
    if data.count(b"[") + data.count(b"{") > MAX_CONTAINERS:
        raise InvalidRequest(f"{what} has more than {MAX_CONTAINERS:,} arrays and objects. Send less at once.")

    def refuse(constant: str) -> NoReturn:
        raise InvalidRequest(f"{what} holds {constant}, which is no JSON number. Send null or a text instead.")

    def whole(digits: str) -> int:
        if len(digits) > 20 or (number := int(digits)) not in _INTEGERS:
            raise InvalidRequest(f"{what} holds a whole number of more than 64 bits. Send it as a text.")
        return number

    def real(digits: str) -> float:
        if not math.isfinite(number := float(digits)):
            refuse(digits)
        return number

    try:
        found: object = json.loads(data, parse_constant=refuse, parse_int=whole, parse_float=real)
    except (ValueError, RecursionError) as error:
        reason = "it nests too deep" if isinstance(error, RecursionError) else str(error)
        raise InvalidRequest(f"{what} is no JSON ({reason}). Send a JSON object.") from None
    if depth(found) > max_depth:
        raise InvalidRequest(f"{what} nests deeper than {max_depth} levels. Send it flatter, or as a text.")
    return found


def depth(value: object) -> int:
    """Return how many arrays and objects stand in each other."""
    level, levels = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        levels += 1
        level = [item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer)]
    return levels
