"""Which cell last bound each name, and which cells had to run before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from jido_jupyter.notebook.bindings import bindings

MAX_CELLS: Final = 500  # kept; the oldest are forgotten first


@dataclass(frozen=True, slots=True)
class RanCell:
    """A cell that ran."""

    key: str  # its execution count; "12.1" is code that ran inside of cell 12
    code: str  # as the user wrote it
    python: str  # as IPython ran it
    cell_id: str | None = None
    is_whole: bool = True  # it ran to its end
    rebound: Set[str] = frozenset()  # names that were seen to change while it ran

    @property
    def execution_count(self) -> int:
        return int(self.key.partition(".")[0])

    @property
    def is_nested(self) -> bool:
        """Whether it is no cell, but code that ran inside of one."""
        return "." in self.key


@dataclass(frozen=True, slots=True)
class Maker:
    """A cell, and the cells that bound what it needs."""

    ran: RanCell
    needs: Mapping[str, str]  # name -> key


class Lineage:
    """Grows with each cell that runs."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}  # name -> key
        self._makers: dict[str, Maker] = {}

    def add(self, ran: RanCell) -> None:
        """Take in a cell that ran after all that were added before."""
        found = bindings(ran.python)
        bound = ran.rebound | found.bound if ran.is_whole else ran.rebound
        for name in found.deleted:
            self._owners.pop(name, None)
        if not bound:
            return
        self._makers.pop(ran.key, None)
        self._makers[ran.key] = Maker(ran, {name: key for name in found.needed if (key := self._made(name, ran))})
        for name in bound:
            self._owners[name] = ran.key
        if len(self._makers) > MAX_CELLS:
            alive = {maker.ran.key: maker for maker in self.makers(self._owners)}
            self._makers = dict(list(alive.items())[-MAX_CELLS:])

    def owner(self, name: str) -> str | None:
        """Return the key of the cell that last bound a name; None where it is not known."""
        key = self._owners.get(name)
        return key if key in self._makers else None

    def makers(self, names: Iterable[str]) -> list[Maker]:
        """Return the cells that made these names and those they needed, in the order in which they ran."""
        wanted = {key for name in names if (key := self.owner(name))}
        waiting = [*wanted]
        while waiting:
            for key in self._makers[waiting.pop()].needs.values():
                if key in self._makers and key not in wanted:
                    wanted.add(key)
                    waiting.append(key)
        return [maker for key, maker in self._makers.items() if key in wanted]

    def _made(self, name: str, ran: RanCell) -> str | None:
        """Return the cell that ``ran`` needs for a name.

        A cell that ran twice (``x += 1``) stands for itself: a chain of all its runs would grow without end.
        """
        key = self.owner(name)
        if key is not None and self._makers[key].ran.code == ran.code:
            return self._makers[key].needs.get(name)
        return key
