"""What differs between the notebook at the end of a session's last turn and now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

Context = Mapping[str, Any]  # what `Surroundings.look` returns; as read from a file any member may be missing


@dataclass(frozen=True, slots=True)
class Cells:
    """Ids of the cells that differ, in the order of the notebook."""

    changed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    kept: int = 0  # cells that both have

    @property
    def differ(self) -> bool:
        return bool(self.changed or self.new or self.missing)


@dataclass(frozen=True, slots=True)
class Variables:
    """Names of variables, sorted."""

    same: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()  # that are gone; they do not change

    @property
    def lost(self) -> tuple[str, ...]:
        """All names that are gone."""
        return self.gone + self.imports


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Cells that bring variables back."""

    codes: tuple[str, ...] = ()  # in the order in which they ran
    names: tuple[str, ...] = ()  # that come back


def compare_cells(before: Context, now: Context, named: Set[str] = frozenset()) -> Cells | None:
    """Return which cells differ; None where one side does not know its cells, or they are of different notebooks.

    A notebook may be saved long after its cells ran: what ran counts as it ran, whatever the file said then.

    Args:
        named: ids of the cells that the session's turns name.
    """
    old, new = _hashes(before, "cells"), _hashes(now, "cells")
    if not old or not new:
        return None
    kept = [cell for cell in new if cell in old]
    if not kept and before.get("notebook") != now.get("notebook"):
        return None
    ran = _hashes(before, "ran")
    as_run = {str(cell.get("hash")) for cell in _listed(before, "ran")}  # each of which some cell may hold
    known = {*old, *ran, *named}
    if before.get("is_behind"):  # no kernel sees text: perhaps it was there
        known |= {str(cell.get("id")) for cell in _listed(now, "cells") if cell.get("is_text")}
    differ = [cell for cell in new if new[cell] != old.get(cell) and new[cell] not in as_run and cell not in named]
    moved = set(old.values())  # or copied
    is_cut = before.get("cells_cut")
    return Cells(
        changed=tuple(cell for cell in differ if cell in old or cell in ran),
        new=tuple(cell for cell in differ if cell not in known and new[cell] not in moved and not is_cut),
        missing=() if now.get("cells_cut") else tuple(cell for cell in old if cell not in new),
        kept=len(kept),
    )


def compare_variables(before: Context, now: Context, present: Set[str]) -> Variables:
    """Return which of the variables that the session knew are as they were, as far as type, size and hash tell.

    Args:
        present: all names that are defined now; a context describes only so many.
    """
    old, new = _mapping(before, "variables"), _mapping(now, "variables")
    both = [name for name in old if name in new]
    changed = {name for name in both if _facts(old[name]) != _facts(new[name])}
    return Variables(
        same=tuple(sorted(name for name in both if name not in changed)),
        changed=tuple(sorted(changed)),
        gone=tuple(sorted(name for name in old if name not in present)),
        imports=tuple(sorted(name for name in _mapping(before, "imports") if name not in present)),
    )


def rebuild(before: Context, gone: Iterable[str], present: Set[str]) -> Rebuild:
    """Return the cells that made the names that are gone, and the cells that those need.

    Args:
        present: names that are defined now; what made them need not run again.
    """
    makers, known = _mapping(before, "made_by"), {**_mapping(before, "variables"), **_mapping(before, "imports")}
    wanted: set[str] = set()
    back: list[str] = []
    for name in gone:
        key = _mapping(known, name).get("by")
        if isinstance(key, str) and (chain := _chain(key, makers, present)):
            wanted |= chain
            back.append(name)
    codes = [maker["code"] for key, maker in sorted(makers.items(), key=_place) if key in wanted]
    return Rebuild(tuple(codes), tuple(back))


def _chain(key: str, makers: Context, present: Set[str]) -> set[str]:
    """Return a cell with all that it needs; nothing when the code of one of them is not there whole."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        if (key := waiting.pop()) in found:
            continue
        maker = _mapping(makers, key)
        if not isinstance(maker.get("code"), str) or maker.get("is_cut"):
            return set()
        found.add(key)
        needs = _mapping(maker, "needs")
        waiting += [needed for name, needed in needs.items() if isinstance(needed, str) and name not in present]
    return found


def _facts(variable: Any) -> dict[str, Any]:
    return {name: value for name, value in variable.items() if name != "by"} if isinstance(variable, Mapping) else {}


def _hashes(context: Context, name: str) -> dict[str, str]:
    """Return the hashes of the cells whose ids are known."""
    return {str(cell["id"]): str(cell.get("hash")) for cell in _listed(context, name) if cell.get("id")}


def _listed(context: Context, name: str) -> Sequence[Mapping[str, Any]]:
    cells = context.get(name)
    return [cell for cell in cells if isinstance(cell, Mapping)] if isinstance(cells, list | tuple) else []


def _mapping(context: Context, name: str) -> Context:
    value = context.get(name)
    return value if isinstance(value, Mapping) else {}


def _place(maker: tuple[str, Any]) -> tuple[int, ...]:
    """Return where a cell ran: "2" before "12" before "12.1"; some databases keep no order of members."""
    return tuple(int(number) for number in maker[0].split(".") if number.isdecimal())
