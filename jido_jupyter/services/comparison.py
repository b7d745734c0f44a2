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


def compare_cells(before: Context, now: Context) -> Cells | None:
    """Return which cells differ; None where one side does not know its cells, or they are of different notebooks."""
    old, new = _hashes(before), _hashes(now)
    if not old or not new:
        return None
    kept = [cell for cell in new if cell in old]
    if not kept and before.get("notebook") != now.get("notebook"):
        return None
    return Cells(
        changed=tuple(cell for cell in kept if old[cell] != new[cell]),
        new=() if before.get("cells_cut") else tuple(cell for cell in new if cell not in old),
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


def _hashes(context: Context) -> dict[str, Any]:
    cells = context.get("cells")
    listed: Sequence[Any] = cells if isinstance(cells, list | tuple) else ()
    return {str(cell.get("id")): cell.get("hash") for cell in listed if isinstance(cell, Mapping)}


def _mapping(context: Context, name: str) -> Context:
    value = context.get(name)
    return value if isinstance(value, Mapping) else {}


def _place(maker: tuple[str, Any]) -> tuple[int, ...]:
    """Return where a cell ran: "2" before "12" before "12.1"; some databases keep no order of members."""
    return tuple(int(number) for number in maker[0].split(".") if number.isdecimal())
