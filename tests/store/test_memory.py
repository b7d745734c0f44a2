"""The memory store keeps the contract."""

from pathlib import Path

from jido_jupyter.store.contract import Store
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.store_conformance import StoreConformance


class TestMemoryStore(StoreConformance):
    def make_store(self, tmp_path: Path, max_bytes: int = 10 * 2**20) -> Store:
        return MemoryStore(max_bytes)
