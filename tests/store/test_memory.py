"""The memory store keeps the contract."""

from pathlib import Path

import pytest

from jido_jupyter.errors import SessionNotFound
from jido_jupyter.store.contract import Store
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.store_conformance import StoreConformance, created


class TestMemoryStore(StoreConformance):
    def make_store(self, tmp_path: Path, max_bytes: int = 10 * 2**20) -> Store:
        return MemoryStore(max_bytes)


def test_what_is_not_in_the_trash_has_no_time() -> None:
    """A stored session was not trashed at any time."""
    store = MemoryStore()
    created(store)

    with pytest.raises(SessionNotFound, match="trash"):
        store.trashed_at("one")
