"""What a session works in: a notebook with its cells, variables and folder, seen without slowing a cell.

What `NotebookSurroundings.look` returns is stored with a turn, so that a resume can say what differs:

=============  =====================================================================================================
``notebook``   its path
``kernel``     id of this start of the kernel
``folder``     ``path``, ``device``, ``inode``, ``owner``, ``mode`` of the project folder; null where it is gone
``cells``      ``id`` and ``hash`` of each cell as saved on disk, ``is_text`` of one that no kernel runs; ``cells_cut`` is true
               where some are left out
``ran``        ``id`` (null where it is not known) and ``hash`` of each cell that ran and is not saved so; with one of these, or
               when the cell that asks is not saved, ``is_behind`` is true
``variables``  by name: ``type``, ``shape`` or ``length``, ``hash`` of small plain values, ``by``: key of the cell that bound it
``imports``    by name of a module, function or class that was imported: ``by``
``made_by``    by key: ``cell_id``, ``execution_count``, ``code``, ``is_cut`` where the code is not whole, and ``needs``: by
               name the keys of the cells that have to run before
=============  =====================================================================================================

A key is an execution count as text; "12.1" is code that an assistant ran inside of cell 12.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from jido_jupyter.assistants.conversation import Desk, Session
from jido_jupyter.assistants.port import Tool
from jido_jupyter.core.redaction import redact
from jido_jupyter.core.session import SessionState
from jido_jupyter.notebook import context, saved
from jido_jupyter.notebook.lineage import Lineage, RanCell
from jido_jupyter.notebook.manifest import MAX_NAMES, Manifest, digest, imported, user_variables
from jido_jupyter.services import project
from jido_jupyter.services.briefing import Briefing, Here
from jido_jupyter.services.project import ProjectFolder

log = logging.getLogger("jido_jupyter")

MAX_BYTES: Final = 65_536  # of a context, as JSON
MAX_CELLS: Final = 2000
MAX_CODE: Final = 4096  # characters that are kept of a cell
MAX_CODES: Final = 24_000  # characters of all of them; the newest are kept
_MAX_WATCHED: Final = 5000  # names; with more, only the text of a cell tells what it binds
_MAX_EARLIER: Final = 300  # cells that ran before anybody watched
_QUESTION: Final = "%%jido"
_MAX_WAITING: Final = 1000  # cells that ran since somebody asked

_INSTRUCTION: Final = (
    "You assist the user of a Jupyter notebook; your answers are shown there as Markdown. "
    "What the notebook and its kernel hold now, as your tools show it, wins over what was said earlier."
)


class NotebookSurroundings:
    """The notebook of this kernel. Silent until `attach`, which the first use of a session calls.

    Args:
        ip: the kernel's shell.
    """

    def __init__(self, ip: Any) -> None:
        self._ip = ip
        self._lock = threading.Lock()  # of what follows: questions come from other threads than cells
        self._lineage = Lineage()
        self._manifest = Manifest()
        self._finished: deque[RanCell] = deque(maxlen=_MAX_WAITING)  # taken into the lineage when somebody asks
        self._seen: dict[str, str | None] = {}  # cells that ran, oldest first: hash -> id
        self._before: list[tuple[Any, dict[str, int] | None]] = []  # for each running cell, nested ones last
        self._nested = 0
        self._is_watching = False
        self._taken = 0  # execution count of the newest cell in the lineage
        self.kernel_id = secrets.token_hex(8)  # of this start of the kernel
        self.briefing: Briefing | None = None  # of the resume that the current session began with

    def attach(self) -> None:
        """Begin to watch which cell binds what; harmless when that is so already."""
        if self._is_watching:
            return
        leave(self._ip)
        _attached[self._ip] = self
        self._take_in()  # what ran unwatched
        self._is_watching = True
        self._ip.events.register("pre_run_cell", self._begin)
        self._ip.events.register("post_run_cell", self._end)

    def detach(self) -> None:
        """Stop watching."""
        self._take_in()  # later, what runs unwatched would come before it
        self._is_watching = False
        for event, function in (("pre_run_cell", self._begin), ("post_run_cell", self._end)):
            with contextlib.suppress(ValueError):  # it was not registered
                self._ip.events.unregister(event, function)

    def instruction(self) -> str:
        """Return what a model is told: what it is here, and what differs since the conversation went on elsewhere."""
        self._take_in()
        if self.briefing is None:
            return _INSTRUCTION
        return f"{_INSTRUCTION} {self.briefing.instruction_with(self.names())}".rstrip()

    def tools(self, session: Session, desk: Desk) -> Sequence[Tool]:
        """Return what a model may ask for in a notebook."""
        from jido_jupyter.notebook import tools

        return tools.of(self._ip, session, desk, self.folder)

    def look(self) -> Mapping[str, Any] | None:
        """Return what the notebook looks like now, as JSON of at most `MAX_BYTES`; None where that fails.

        Never raises: an answer is stored together with it, and must not be lost for it.
        """
        try:
            return self._looked()
        except Exception:
            log.warning("What the notebook looks like could not be recorded", exc_info=True)
            return None

    def names(self) -> frozenset[str]:
        """Return all names that are defined, modules among them."""
        return frozenset(name for name in list(self._ip.user_ns) if isinstance(name, str))

    def here(self, state: SessionState, *, is_pointed_to: bool) -> Here | None:
        """Return what a briefing compares with a session.

        Args:
            is_pointed_to: the session was not chosen, but is the one that the notebook points to.
        """
        if (now := self.look()) is None:
            return None
        other = other_notebook(state) if is_pointed_to else None
        note = f"This notebook is a copy of {other}, where the session belongs; '%jido fork' goes on in one of its own."
        return Here(now, self.names(), self._told_of_folder(state), note if other else "")

    def folder(self) -> ProjectFolder | None:
        """Return the folder that the notebook is in, or the kernel where that is not known; None where it is gone."""
        path = context.notebook_path()
        if path and os.path.isabs(path) and (found := project.look_at(os.path.dirname(path))):
            return found
        try:
            return project.look_at(os.getcwd())
        except OSError:  # it was removed
            return None

    def _told_of_folder(self, state: SessionState) -> tuple[str, ...]:
        here = self.folder()
        told = project.check((state.context or {}).get("folder"), here)
        if here is not None and project.is_system(here, project.this_user()):
            told = (*told, f"{here.path} is a folder of the system; no code of an assistant runs there.")
        return told

    def _looked(self) -> dict[str, Any]:
        self._take_in()
        with self._lock:
            variables = self._manifest.describe(user_variables(self._ip))
            imports: dict[str, dict[str, Any]] = {name: {} for name in list(imported(self._ip))[-MAX_NAMES:]}
            for name, facts in [*variables.items(), *imports.items()]:
                if (key := self._lineage.owner(name)) is not None:
                    facts["by"] = key
            made_by = self._made_by([*variables, *imports])
            seen = dict(self._seen)
        folder, cells = self.folder(), _cells()
        known = {cell["hash"] for cell in cells}
        ran = [{"id": cell_id, "hash": found} for found, cell_id in seen.items() if cells and found not in known]
        found: dict[str, Any] = {
            "notebook": context.notebook_path(),
            "kernel": self.kernel_id,
            "folder": folder.to_wire() if folder else None,
            "cells": cells,
            "ran": ran,
            "variables": variables,
            "imports": imports,
            "made_by": made_by,
        }
        if ran or (cells and any(digest(info.raw_cell) not in known for info, _ in self._before[:1])):
            found["is_behind"] = True
        return fitted(found, MAX_BYTES)

    def _made_by(self, names: Sequence[str]) -> dict[str, Any]:
        makers: dict[str, Any] = {}
        room = MAX_CODES
        for maker in reversed(self._lineage.makers(names)):
            kept = _redacted(maker.ran.code[:MAX_CODE])[:room]
            room -= len(kept)
            facts = {"cell_id": maker.ran.cell_id, "execution_count": maker.ran.execution_count, "code": kept}
            if kept != maker.ran.code:
                facts["is_cut"] = True  # so that nobody runs what is left of it
            makers[maker.ran.key] = facts | ({"needs": dict(maker.needs)} if maker.needs else {})
        return dict(reversed(makers.items()))

    def _begin(self, info: Any) -> None:
        """Remember what the names stand for when a cell begins. Ids, not values: nothing is kept alive by it."""
        namespace = self._ip.user_ns
        is_small = len(namespace) <= _MAX_WATCHED
        ids = {name: id(value) for name, value in list(namespace.items())} if is_small else None
        self._before.append((info, ids))

    def _end(self, result: Any) -> None:
        """Note a cell that ended. Its text is looked at later: a long one takes milliseconds to parse."""
        info = getattr(result, "info", None)
        if info is None or not info.raw_cell:
            return
        before = self._before.pop()[1] if self._before and _is_same(self._before[-1][0], info) else None
        ran = self._ran(result, info, before)
        self._finished.append(ran)
        if self._before and (outer := self._before[-1][1]) is not None:  # what ran inside of it is not its own doing
            outer.update({name: id(self._ip.user_ns.get(name)) for name in ran.rebound})

    def _ran(self, result: Any, info: Any, before: dict[str, int] | None) -> RanCell:
        running = context.running_cell(self._ip)
        if info.store_history:
            key = str(result.execution_count or running)
        else:  # code that a tool ran inside of a cell
            self._nested += 1
            key = f"{running}.{self._nested}"
        rebound: frozenset[str] = frozenset()
        if before is not None:
            present = list(self._ip.user_ns.items())
            rebound = frozenset(name for name, value in present if before.get(name) != id(value) and name[:1] != "_")
        python = getattr(info, "transformed_cell", None) or info.raw_cell  # older IPythons do not pass it on
        return RanCell(key, info.raw_cell, python, getattr(info, "cell_id", None), bool(result.success), rebound)

    def _take_in(self) -> None:
        """Bring the lineage up to date with the cells that ended since."""
        with self._lock:
            for ran in () if self._is_watching else self._unwatched():
                self._add(ran)
            while self._finished:
                self._add(self._finished.popleft())

    def _add(self, ran: RanCell) -> None:
        self._lineage.add(ran)
        self._taken = max(self._taken, ran.execution_count)
        is_named = ran.cell_id is not None and ran.code.startswith(_QUESTION)  # by its turn
        if not ran.is_nested and not is_named:
            found = digest(ran.code)
            self._seen.pop(found, None)
            self._seen[found] = ran.cell_id
            if len(self._seen) > MAX_CELLS:
                self._seen.pop(next(iter(self._seen)))

    def _unwatched(self) -> list[RanCell]:
        """Return the cells that ended since, as the history tells them."""
        history = self._ip.history_manager
        cells = list(zip(history.input_hist_raw, history.input_hist_parsed, strict=False))
        first = max(self._taken + 1, len(cells) - _MAX_EARLIER)
        return [RanCell(str(number), *cells[number]) for number in range(first, len(cells))]


_attached: weakref.WeakKeyDictionary[Any, NotebookSurroundings] = weakref.WeakKeyDictionary()


def leave(ip: Any) -> None:
    """Take the hooks out of a shell; called when the extension is unloaded."""
    if (around := _attached.pop(ip, None)) is not None:
        around.detach()


def of_this_process() -> NotebookSurroundings | None:
    """Return the surroundings of this kernel; None in a program that is no notebook."""
    from IPython.core.getipython import get_ipython

    ip = get_ipython()
    return None if ip is None else NotebookSurroundings(ip)


def other_notebook(state: SessionState) -> str | None:
    """Return the notebook of a session when that is not this one, and is still there."""
    other, here = state.notebook, context.notebook_path()
    if not other or not here or not os.path.isfile(other):
        return None
    try:
        return None if os.path.samefile(other, here) else other
    except OSError:
        return None


def fitted(found: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return a context that has at most ``limit`` bytes as JSON.

    What is cut off says so, or it would seem to be missing: cells first, then the code of old cells.
    """
    import orjson

    if len(found["cells"]) > MAX_CELLS:
        found = {**found, "cells": found["cells"][:MAX_CELLS], "cells_cut": True}
    while len(orjson.dumps(found)) > limit:
        if found["cells"]:
            ran = found["ran"][len(found["ran"]) // 2 :]
            found = {**found, "cells": found["cells"][: len(found["cells"]) // 2], "ran": ran, "cells_cut": True}
        elif found["ran"]:
            found = {**found, "ran": []}
        elif found["made_by"]:
            found = {**found, "made_by": dict(list(found["made_by"].items())[len(found["made_by"]) // 2 + 1 :])}
        elif found["imports"]:
            found = {**found, "imports": dict(list(found["imports"].items())[len(found["imports"]) // 2 + 1 :])}
        else:
            newest = list(found["variables"].items())[len(found["variables"]) // 2 + 1 :]
            found = {**found, "variables": dict(newest)}
    return found


@lru_cache(maxsize=1000)
def _redacted(code: str) -> str:
    return redact(code)[0]


def _cells() -> list[dict[str, Any]]:
    """Return the cells of the saved notebook; front ends put empty ones at its end, which are nothing new."""
    path = context.notebook_path()
    if path is None or (glance := saved.glance(path)) is None:
        return []
    cells = [{"id": cell_id, "hash": found} for cell_id, found in glance.cells if found != digest("")]
    return [{**cell, "is_text": True} if cell["id"] in glance.texts else cell for cell in cells]


def _is_same(begun: Any, ended: Any) -> bool:
    """Whether a cell that ended is the one that began; blank cells end without beginning, a failed runner makes an info anew."""
    return begun is ended or begun.raw_cell == ended.raw_cell
