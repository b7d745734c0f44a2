"""The examples of docs/recording.md run as they stand."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re

import pytest

from tests.support.kernels import ROOT

EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_examples(connection, monkeypatch) -> None:
    """One after the other in one place, as a reader runs them."""
    pytest.importorskip("pydantic_ai.conversation_store")
    from jido_jupyter.notebook import kernel

    monkeypatch.setattr(kernel, "_kernel", None)
    examples = EXAMPLE.findall((ROOT / "docs" / "recording.md").read_text())
    names: dict[str, object] = {}

    for example in examples:
        code = compile(example, "docs/recording.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if inspect.isawaitable(running := eval(code, names)):
            asyncio.run(awaited(running))

    assert len(examples) >= 4
    kernel.kernel()._leave()


async def awaited(running):
    return await running
