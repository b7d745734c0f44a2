"""Each probe holds at smoke scale, and catches its deliberately broken twin."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.reliability import suite
from tests.reliability.report import Scale


@pytest.mark.parametrize("module", suite.modules(("probes",)), ids=lambda module: module.NAME)
def test_holds(module: ModuleType) -> None:
    """No violation in our store, and the same probe fails on a store that is broken on purpose."""
    probe = suite.run(module, Scale.SMOKE, seed=1)

    if probe.not_run:
        pytest.skip(probe.not_run)
    assert probe.violations == 0, "\n".join(probe.notes)
    assert probe.twin_failed is not False, "\n".join(probe.notes)
