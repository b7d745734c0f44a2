"""The arguments of a tool, as a model wrote them: wrong ones come back to it as a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from jido_jupyter.assistants.port import ToolResult

Arguments = Mapping[str, Any]
Run = Callable[[Arguments], Awaitable[ToolResult]]


class WrongArgument(Exception):
    """What a model wrote makes no sense; told to it."""


def checked(run: Run) -> Run:
    """Return ``run`` with wrong arguments told as a failure of the tool."""

    async def told(arguments: Arguments) -> ToolResult:
        try:
            return await run(arguments)
        except WrongArgument as error:
            return ToolResult(str(error), "failed")

    return told


def text(arguments: Arguments, name: str, default: str | None = None) -> str:
    """Return a text; without a default it has to be there.

    Raises:
        WrongArgument
    """
    value = arguments.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise WrongArgument(f"'{name}' must be a text that is not empty.")
    return value


def texts(arguments: Arguments, name: str) -> list[str] | None:
    """Return a list of texts; None where it was left out.

    Raises:
        WrongArgument
    """
    value = arguments.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise WrongArgument(f"'{name}' must be a list of texts.")
    return value


def number(arguments: Arguments, name: str) -> int | None:
    """Return a whole number from 1; None where it was left out.

    Raises:
        WrongArgument
    """
    value = arguments.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise WrongArgument(f"'{name}' must be a whole number from 1.")
    return value


def shortened(told: str, limit: int) -> str:
    """Return at most ``limit`` characters, and how many are left out of the middle."""
    if len(told) <= limit:
        return told
    half = limit // 2
    return f"{told[:half]}\n... {len(told) - 2 * half:,} characters left out ...\n{told[-half:]}"
