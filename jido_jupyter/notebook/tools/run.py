"""The tool that runs code in the kernel, once the user has seen it and agreed."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final

from jido_jupyter.assistants.conversation import Desk, Request, Session
from jido_jupyter.assistants.port import Interrupted, Tool, ToolResult
from jido_jupyter.core.text import one_line
from jido_jupyter.errors import FolderRefused
from jido_jupyter.notebook.capture import captured
from jido_jupyter.notebook.tools import arguments as given
from jido_jupyter.notebook.tools.variables import preview
from jido_jupyter.services import project
from jido_jupyter.services.project import ProjectFolder

NAME: Final = "run_code"
MAX_TEXT: Final = 20_000  # characters of an answer
_MAX_SUMMARY: Final = 120
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_FRAMES: Final = 5  # of a traceback, the innermost
_AWAIT: Final = (
    "Code with a top-level 'await' cannot run inside of a cell that is running. "
    "Write it without 'await', or give the user the code to run in a cell of its own. Nothing was run."
)
SILENT: Final = "It ran, and showed nothing."
_DENIED: Final = "The user did not allow this code to run. Nothing was run; ask what they would like instead."
_PARAMETERS: Final = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": "Python, as in a cell of the notebook."},
        "purpose": {"type": "string", "description": "What it is for, in one short line that the user reads."},
    },
    "required": ["code"],
}


def tool(ip: Any, session: Session, desk: Desk, folder: Callable[[], ProjectFolder | None]) -> Tool:
    """Return the tool.

    Args:
        folder: returns the folder that the kernel works in; looked at before the code runs and after.
    """

    async def run(arguments: given.Arguments) -> ToolResult:
        code = given.text(arguments, "code")
        purpose = one_line(given.text(arguments, "purpose", ""), _MAX_SUMMARY) or "Run code in this kernel"
        if _awaits(ip, code):
            return ToolResult(_AWAIT, "failed")
        try:
            remarks = _check(session, folder())
            if not await desk.allows(Request(NAME, " ".join([purpose, *remarks]), code)):
                return ToolResult(_DENIED, "denied")
            before = folder()
            _check(session, before)  # again: the user may have thought for an hour
        except FolderRefused as refused:
            return ToolResult(str(refused), "failed")
        error, output = await desk.in_main(lambda: _ran(ip, code))
        if isinstance(error, KeyboardInterrupt):  # the shell has told the user already
            session.stop()
            raise Interrupted
        told = [*remarks, *(project.compare(before, project.look_at(before.path), folder()) if before else ())]
        text = "\n".join([*told, given.shortened(output, MAX_TEXT) or SILENT])
        return ToolResult(text, "failed" if error else "done", is_shown=not told)

    return Tool(
        NAME,
        "Run Python in the notebook's kernel. The user sees the code and is asked first; its output is shown to both.",
        _PARAMETERS,
        given.checked(run),
    )


def _check(session: Session, here: ProjectFolder | None) -> Sequence[str]:
    """Return what became of the session's folder.

    Raises:
        FolderRefused: the kernel works in a folder of the system.
    """
    project.check_usable(here, project.this_user())
    return project.check((session.live.state.context or {}).get("folder"), here)


def _awaits(ip: Any, code: str) -> bool:
    try:
        python = ip.input_transformer_manager.transform_cell(code)
    except SyntaxError:  # told when it runs
        return False
    return bool(ip.should_run_async(code, transformed_cell=python))


def _ran(ip: Any, code: str) -> tuple[BaseException | None, str]:
    """Run code as a cell does, in the thread of the user's code. Its output is shown, and comes back as text."""
    with captured(ip) as found:
        result = ip.run_cell(code, store_history=False)
    error = result.error_before_exec or result.error_in_exec
    more = _told(error) if error else "" if result.result is None else preview("", result.result)
    text = _COLOUR.sub("", found.text).strip()
    is_there = (type(error).__name__ if error else more) in text  # a terminal prints it, a kernel sends it apart
    return error, text if is_there else f"{text}\n{more}".strip()


def _told(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, limit=-_FRAMES).format(chain=False))
