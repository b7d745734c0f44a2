"""Looks over a store that a server keeps: can it be reached, may we in, does anybody read along. It changes nothing.

What is around the files there - folders, keys, locks, space - is looked at by ``jido doctor`` on that machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from jido_jupyter.core.hosts import is_loopback
from jido_jupyter.errors import JidoError
from jido_jupyter.services.doctor import Check, rooms
from jido_jupyter.services.sessions import Sessions

SLOW_S = 0.5  # s; each turn asks a few times


def examine(url: str, open_store: Callable[[], Sessions]) -> Iterator[Check]:
    """Yield all checks, one after the other.

    Args:
        url: of the server.
        open_store: opens the store there and returns what works on it.
    """
    yield Check("settings", "ok", "all have a meaning")
    yield Check(
        "store", "ok", f"kept by the server {url}, with its keys and limits; 'jido doctor' there looks at its files"
    )
    yield _way(url)
    try:
        sessions = open_store()
        began = time.monotonic()
        room = sessions.room()
        took_s = time.monotonic() - began
        listed = sessions.list()
    except JidoError as error:
        yield Check("server", "bad", str(error), "Until then nothing is shown or saved.")
        return
    if took_s > SLOW_S:
        yield Check(
            "server", "warn", f"answers in {took_s * 1000:.0f} ms", "Each turn asks a few times, and waits for it."
        )
    else:
        yield Check("server", "ok", f"answers in {took_s * 1000:.0f} ms")
    yield from rooms(listed, room)


def _way(url: str) -> Check:
    found = urlsplit(url)
    if found.scheme == "https":
        return Check("way", "ok", "encrypted")
    if is_loopback(found.hostname or ""):
        return Check("way", "ok", "within this machine")
    return Check(
        "way", "warn", "not encrypted: who sits between reads the token and all sessions", "Use https:// in JIDO_URL."
    )
