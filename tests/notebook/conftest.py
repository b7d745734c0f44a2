"""A real shell with a store of its own, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.magic_shell import MagicShell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MagicShell]:
    """A shell in which the extension is loaded."""
    started = MagicShell(tmp_path, monkeypatch)
    yield started
    started.stop()
