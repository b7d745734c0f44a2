"""The main job with a live model: ``JIDO_MODEL=ollama:llama3.2 pytest -m llm``. Left out unless it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.kernels import running

MODEL = os.environ.get("JIDO_MODEL", "")
KEPT = ("OPENAI_", "OLLAMA_", "OPENROUTER_", "VLLM_", "LMSTUDIO_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "AWS_")

pytestmark = [pytest.mark.llm, pytest.mark.skipif(not MODEL, reason="JIDO_MODEL names no model")]


def test_a_live_model_answers_and_its_session_outlives_the_kernel(tmp_path: Path) -> None:
    """It streams, is stored as complete, and goes on in another kernel with what was said."""
    env = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    with running(tmp_path, JIDO_MODEL=MODEL, **env) as kernel:
        kernel.run("%load_ext jido_jupyter")
        first = kernel.run("%%jido\nSay hello in one short sentence. The word of the day is marmalade.", timeout_s=600)
    with running(tmp_path, JIDO_MODEL=MODEL, **env) as kernel:
        kernel.run("%load_ext jido_jupyter")
        resumed = kernel.run("%jido resume 1")
        second = kernel.run("%%jido\nWhat is the word of the day? Answer with that word.", timeout_s=600)
        told = kernel.run("import jido_jupyter as jido; print([m.status for m in jido.current().messages])")

    assert (first.status, resumed.status, second.status) == ("ok", "ok", "ok"), (first, second)
    assert "marmalade" in second.text.lower()
    assert told.text.strip() == str(["complete"] * 4)
