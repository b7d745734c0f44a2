"""Pages of the list as they were sent last: pages of many clients, each asking again and again, are made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MOST: Final = 32  # of some 300 KB at most


class Pages:
    """The pages of one state of a store; another state begins anew. Safe to use from several threads."""

    def __init__(self) -> None:
        self._of: tuple[str, dict[str, bytes]] = ("", {})

    def get(self, etag: str, params: Mapping[str, Any]) -> bytes | None:
        known, pages = self._of
        return pages.get(str(params)) if known == etag else None

    def keep(self, etag: str, params: Mapping[str, Any], body: bytes) -> None:
        known, pages = self._of
        if known != etag or len(pages) >= MOST:
            self._of = (etag, {str(params): body})
        else:
            pages[str(params)] = body
