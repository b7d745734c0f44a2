"""Session and message ids: made from random bytes, safe as file names on every system."""

from __future__ import annotations

import re
from typing import Final

from jido_jupyter.errors import InvalidSessionId

_VALID: Final = re.compile(r"\A[a-z0-9][a-z0-9_-]{0,63}\Z")
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u

ID_BYTES: Final = 10  # 80 random bits: 16 characters
SHORT: Final = 8  # characters that lists show; 40 bits stay unique among a million sessions


def from_random(random: bytes) -> str:
    """Return ``random`` as an id, 8 characters for every 5 bytes.

    >>> from_random(bytes(5))
    '00000000'
    """
    number = int.from_bytes(random, "big")
    length = len(random) * 8 // 5
    return "".join(_ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(length)))


def checked(session_id: str) -> str:
    """Return ``session_id`` when it is one.

    Raises:
        InvalidSessionId: any other text; such a text never reaches a path.
    """
    if not _VALID.match(session_id):
        raise InvalidSessionId(session_id)
    return session_id


def is_valid(session_id: str) -> bool:
    return _VALID.match(session_id) is not None


def short(session_id: str) -> str:
    return session_id[:SHORT]
