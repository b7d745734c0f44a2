"""Stores that go wrong on request."""

from __future__ import annotations

from typing import Any, Literal

from jido_jupyter.errors import OutcomeUnknown, StoreFull
from jido_jupyter.store.contract import Revision
from jido_jupyter.store.memory import MemoryStore


class FullStore(MemoryStore):
    """A store whose disk can be full, and whose answers can get lost."""

    is_full = False
    loses: Literal["", "request", "answer"] = ""  # of the next append; a request that is lost was not written

    def append(self, *arguments: Any, **options: Any) -> Revision:
        if self.is_full:
            raise StoreFull("/store", "no space left on device", "Free some space.")
        loses, self.loses = self.loses, ""
        if loses == "request":
            raise OutcomeUnknown(arguments[0], "the line broke")
        revision = super().append(*arguments, **options)
        if loses == "answer":
            raise OutcomeUnknown(arguments[0], "the line broke")
        return revision
