"""Stores that go wrong on request."""

from __future__ import annotations

from typing import Any

from jido_jupyter.errors import StoreFull
from jido_jupyter.store.contract import Revision
from jido_jupyter.store.memory import MemoryStore


class FullStore(MemoryStore):
    """A store whose disk can be full."""

    is_full = False

    def append(self, *arguments: Any, **options: Any) -> Revision:
        if self.is_full:
            raise StoreFull("/store", "no space left on device", "Free some space.")
        return super().append(*arguments, **options)
