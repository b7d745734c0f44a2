"""The tool that shows which variables there are, and a little of what they hold."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any, Final

from jido_jupyter.assistants.conversation import Desk
from jido_jupyter.assistants.port import Tool, ToolResult
from jido_jupyter.core.redaction import redact
from jido_jupyter.core.text import one_line
from jido_jupyter.notebook.manifest import Manifest, imported, looks_secret, user_variables
from jido_jupyter.notebook.tools import arguments as given

MAX_LISTED: Final = 100
MAX_PREVIEW: Final = 2000  # characters
_MAX_LINE: Final = 120
_ROWS: Final = 5  # of a table
_HIDDEN: Final = "(not shown: its name looks like a secret)"
_PARAMETERS: Final = {
    "type": "object",
    "properties": {
        "names": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Variables to see more of; leave out to list all of them.",
        }
    },
}


def tool(ip: Any, desk: Desk) -> Tool:
    """Return the tool; values are read in the kernel's main thread, because they may be the user's own classes."""

    async def run(arguments: given.Arguments) -> ToolResult:
        names = given.texts(arguments, "names")
        return ToolResult(await desk.in_main(lambda: _listed(ip) if names is None else _previews(ip, names)))

    return Tool(
        "variables",
        "List the variables of the notebook's kernel with type and size, and what is imported; or preview some of them.",
        _PARAMETERS,
        given.checked(run),
    )


def preview(name: str, value: Any) -> str:
    """Return the beginning of a value as text, at most `MAX_PREVIEW` characters; nothing of what looks like a secret."""
    return _HIDDEN if looks_secret(name) else _shown(value)


def _shown(value: Any) -> str:
    try:
        text = _head(value) or _Limited().repr(value)
    except Exception as error:  # of somebody's own class
        text = f"({type(error).__name__} while it was shown)"
    return redact(given.shortened(text, MAX_PREVIEW))[0]


def _head(value: Any) -> str | None:
    """Return the first rows of a table or column; None for other values."""
    if isinstance(value, type) or not isinstance(getattr(value, "shape", None), tuple):
        return None
    head = getattr(value, "head", None)
    return str(head(_ROWS)) if callable(head) else None


def _listed(ip: Any) -> str:
    variables, imports = user_variables(ip), list(imported(ip))[-MAX_LISTED:]
    newest = list(variables.items())[-MAX_LISTED:]
    facts = Manifest().describe(dict(newest))
    lines = [_line(name, value, facts[name]) for name, value in newest if name in facts]
    if more := len(variables) - len(newest):
        lines.insert(0, f"({more} older ones are not listed)")
    told = f"Imported: {', '.join(imports)}" if imports else ""
    return "\n".join(filter(None, [*(lines or ["No variables are defined."]), told]))


def _line(name: str, value: Any, facts: Mapping[str, Any]) -> str:
    size = "".join(f" {what} {facts[what]}" for what in ("shape", "length") if what in facts)
    # A big value is not shown in a list: even its text can take long to make.
    short = f" = {one_line(preview(name, value), _MAX_LINE)}" if "shape" not in facts else ""
    return f"{name}: {facts['type']}{size}{short}"


def _previews(ip: Any, names: list[str]) -> str:
    variables = {**imported(ip), **user_variables(ip)}
    return "\n\n".join(
        f"{name}: {preview(name, variables[name])}" if name in variables else f"{name}: there is no such variable"
        for name in names[:MAX_LISTED]
    )


class _Limited(reprlib.Repr):
    """Reads only as much of a value as is shown, and no secrets in mappings."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 20
        self.maxarray = 20
        self.maxstring = self.maxother = self.maxlong = MAX_PREVIEW

    def repr1(self, x: Any, level: int) -> str:
        if isinstance(x, Mapping):  # environments and configurations are no dicts
            return self.repr_dict(x, level)
        return super().repr1(x, level)

    def repr_dict(self, x: Mapping[Any, Any], level: int) -> str:
        if level <= 0:
            return "{...}"
        shown = []
        for number, key in enumerate(x):
            if number == self.maxdict:
                shown.append("...")
                break
            value = "(not shown)" if looks_secret(key) else self.repr1(x[key], level - 1)
            shown.append(f"{self.repr1(key, level - 1)}: {value}")
        return f"{{{', '.join(shown)}}}"
