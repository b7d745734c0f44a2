"""Which model answers in a kernel: for one session, for all, and what decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jido_jupyter.connection import connect
from jido_jupyter.errors import IllegalTransition, InvalidSetting
from jido_jupyter.notebook.kernel import Kernel
from tests.support import kernels


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    for name, value in kernels.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("JIDO_MODEL", raising=False)
    made = Kernel(connect())
    yield made
    if made.session is not None:
        made.close()


def test_a_session_keeps_its_model_over_a_resume(kernel: Kernel) -> None:
    """The open session's own model answers, there and wherever it is resumed; other sessions take the one for all."""
    kernel.choose_model("ollama:for-all")
    mine = kernel.new()
    chosen = kernel.choose_model("ollama:for-this", for_session=True)
    kernel.new()
    elsewhere = kernel.model()

    kernel.resume(mine.id)

    assert (chosen.model_id, chosen.source) == ("ollama:for-this", "session")
    assert (elsewhere.model_id, elsewhere.source) == ("ollama:for-all", "chosen")
    assert kernel.model() == chosen
    assert kernel.assistant().model_id == "ollama:for-this"


def test_a_session_gives_its_model_up(kernel: Kernel) -> None:
    """An empty choice takes the session back to the model for all."""
    kernel.new()
    kernel.choose_model("ollama:for-this", for_session=True)

    assert kernel.choose_model("", for_session=True).source == "default"
    assert kernel.assistant().model_id == "guide:jido-guide-1"


def test_without_a_session_there_is_none_to_choose_for(kernel: Kernel) -> None:
    """The error says how to get one."""
    with pytest.raises(IllegalTransition, match="%jido resume"):
        kernel.choose_model("ollama:x", for_session=True)


@pytest.mark.parametrize("for_session", [True, False])
def test_what_is_no_model_is_refused(kernel: Kernel, for_session: bool) -> None:
    """A wrong id changes nothing."""
    kernel.new()

    with pytest.raises(InvalidSetting):
        kernel.choose_model("llama", for_session=for_session)

    assert kernel.model().source == "default"


def test_the_setting_decides(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """While JIDO_MODEL is set nothing is chosen, for no session either."""
    monkeypatch.setenv("JIDO_MODEL", "ollama:set")
    ruled = Kernel(connect())
    ruled.new()

    with pytest.raises(IllegalTransition, match="JIDO_MODEL"):
        ruled.choose_model("ollama:x", for_session=True)

    assert ruled.model().source == "setting"
    ruled.close()
