"""What a resume tells: the user in five lines besides repairs, the model in one instruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from jido_jupyter.core.messages import Usage
from jido_jupyter.core.session import SessionState
from jido_jupyter.core.text import one_line
from jido_jupyter.core.times import age, seconds_between
from jido_jupyter.services.comparison import (
    Cells,
    Context,
    Rebuild,
    Variables,
    compare_cells,
    compare_variables,
    rebuild,
)

_SHOWN: Final = 5  # names in a line for the user; the rest is counted
_TOLD: Final = 50  # names and ids that a model is told
_TODO: Final = 60  # characters of a todo in a line
_UNKNOWN: Final = Usage()
_NO_VARIABLES: Final = Variables()
_NO_CELLS: Final = Rebuild()


@dataclass(frozen=True, slots=True)
class Here:
    """The notebook that a session is taken up in, as it is now."""

    context: Context
    names: Set[str] = frozenset()  # all that is defined; the context describes only so many
    folder: tuple[str, ...] = ()  # what became of the project folder, one sentence each
    note: str = ""  # what is special about this notebook, as sentences for the user


@dataclass(frozen=True, slots=True)
class Briefing:
    """What there is to know when a session goes on."""

    completeness: str
    age_s: float  # since the last turn; 0 where it is not known
    repairs: tuple[str, ...]
    lines: tuple[str, ...]  # all of it, as sentences for the user
    todos: tuple[Mapping[str, Any], ...] = ()  # those that are not done
    usage: Usage = _UNKNOWN  # so far; None where no server said
    is_new_kernel: bool = False  # another one than at the last turn
    cells: Cells | None = None  # None: not compared
    variables: Variables = _NO_VARIABLES
    folder: tuple[str, ...] = ()
    rebuild: tuple[str, ...] = ()  # code of the cells that bring variables back, in order
    rebuilt: tuple[str, ...] = ()  # names of those variables

    @property
    def instruction(self) -> str:
        """What a model is told when the conversation goes on; empty when nothing differs."""
        return self.instruction_with(frozenset())

    def instruction_with(self, present: Set[str]) -> str:
        """Return the instruction without the names that were defined again since."""
        told = []
        if self.is_new_kernel:
            told.append(
                "The kernel is new: what was defined before the conversation was resumed is there only if your tools show it."
            )
        if gone := [name for name in self.variables.lost if name not in present]:
            told.append(f"These names do not exist any more: {_told(gone)}.")
        if self.variables.changed:
            told.append(f"These variables are not what they were when it was left: {_told(self.variables.changed)}.")
        if self.cells is not None:
            for ids, what in ((self.cells.changed, "changed"), (self.cells.new, "new"), (self.cells.missing, "gone")):
                if ids:
                    told.append(f"Cells of the notebook that are {what}, by id: {_told(ids)}.")
        told += self.folder
        return " ".join([*told, "What is there now wins over the conversation."]) if told else ""

    def to_wire(self) -> dict[str, Any]:
        cells = self.cells
        return {
            "completeness": self.completeness,
            "age_s": self.age_s,
            "repairs": list(self.repairs),
            "lines": list(self.lines),
            "instruction": self.instruction,
            "todos": [dict(todo) for todo in self.todos],
            "usage": {"input_tokens": self.usage.input_tokens, "output_tokens": self.usage.output_tokens},
            "is_new_kernel": self.is_new_kernel,
            "cells": cells and {name: list(getattr(cells, name)) for name in ("changed", "new", "missing")},
            "variables": {name: list(getattr(self.variables, name)) for name in ("same", "changed", "gone")},
            "imports": list(self.variables.imports),
            "folder": list(self.folder),
            "rebuild": list(self.rebuild),
            "rebuilt": list(self.rebuilt),
        }


def brief(state: SessionState, damage: Sequence[str], now: datetime, here: Here | None = None) -> Briefing:
    """Return the briefing of a session that is taken up again.

    Args:
        state: the session as it was read.
        damage: what the store found, one sentence each.
        now: aware.
        here: the notebook it is taken up in; None where there is none.
    """
    repairs = _repairs(state, damage)
    age_s = max(0.0, seconds_between(state.updated_at, now) or 0.0)
    completeness = _completeness(state, repairs)
    todos = tuple(todo for todo in state.todos if todo.get("status") != "done")
    usage = _usage(state)
    found = _compared(state, here)
    lines = [
        " ".join([completeness, f"Last turn {age(age_s)}.", *_last_answer(state)]),
        " ".join([*([here.note] if here and here.note else []), *_of_cells(found.cells)]),
        " ".join(here.folder if here else ()),
        _of_variables(found),
        " ".join([*_of_todos(todos), *_of_usage(state, usage)]),
    ]
    return Briefing(
        completeness,
        age_s,
        repairs,
        (*filter(None, lines), *repairs),
        todos,
        usage,
        found.is_new_kernel,
        found.cells,
        found.variables,
        here.folder if here else (),
        found.rebuild.codes,
        found.rebuild.names,
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    is_new_kernel: bool = False
    cells: Cells | None = None
    variables: Variables = _NO_VARIABLES
    rebuild: Rebuild = _NO_CELLS


def _compared(state: SessionState, here: Here | None) -> _Compared:
    if (before := state.context) is None or here is None:
        return _Compared()
    named = {message.origin.cell_id for message in state.messages if message.origin and message.origin.cell_id}
    variables = compare_variables(before, here.context, here.names)
    return _Compared(
        before.get("kernel") != here.context.get("kernel"),
        compare_cells(before, here.context, named),
        variables,
        rebuild(before, variables.lost, here.names),
    )


def _repairs(state: SessionState, damage: Sequence[str]) -> tuple[str, ...]:
    repairs = [*damage, *state.repairs]
    if cut_off := len(state.unsettled):
        repairs.append(f"{cut_off} answer(s) were cut off; what had arrived is here, marked interrupted.")
    if any(message.role == "tool" and message.status == "interrupted" for message in state.messages):
        repairs.append("A tool call that has no answer was closed as interrupted.")
    return tuple(repairs)


def _completeness(state: SessionState, repairs: Sequence[str]) -> str:
    turns = sum(message.role == "user" for message in state.messages)
    count = f"{_count(turns, 'question')}, {len(state.messages)} messages"
    return f"Full context: {count}." if not repairs else f"{count}, with {len(repairs)} repair(s)."


def _last_answer(state: SessionState) -> list[str]:
    if not state.messages or (last := state.messages[-1]).status == "complete":
        return []
    return [f"The last answer is {last.status}; ask again, or go on from it."]


def _of_cells(cells: Cells | None) -> list[str]:
    if cells is None or not cells.differ:
        return []
    counts = [(len(cells.changed), "changed"), (len(cells.new), "new"), (len(cells.missing), "missing")]
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    return [f"Cells of the notebook since then: {told}."]


def _of_variables(found: _Compared) -> str:
    variables, back = found.variables, found.rebuild
    told = []
    if variables.lost:
        is_new = "This kernel is new, and lacks" if found.is_new_kernel else "Gone since then:"
        lost = [(variables.gone, "variable"), (variables.imports, "import")]
        told.append(
            f"{is_new} {', and '.join(f'{_count(len(names), what)}: {_shown(names)}' for names, what in lost if names)}."
        )
    if back.codes:
        told.append(f"Running {_count(len(back.codes), 'cell')} again would bring back {_shown(back.names)}.")
    if variables.changed:
        told.append(f"Changed: {_shown(variables.changed)}.")
    if variables.same and told:
        told.append(f"{_count(len(variables.same), 'variable')} as before.")
    return " ".join(told)


def _of_todos(todos: Sequence[Mapping[str, Any]]) -> list[str]:
    if not todos:
        return []
    first = one_line(str(todos[0].get("text", "")), _TODO)
    return [f"Open todos: {len(todos)}, the first is “{first}”."]


def _of_usage(state: SessionState, usage: Usage) -> list[str]:
    if not any(message.role == "assistant" for message in state.messages):
        return []
    if usage.input_tokens is None and usage.output_tokens is None:
        return ["Tokens used so far: unknown, no server said."]
    counts = [(usage.input_tokens, "in"), (usage.output_tokens, "out")]
    told = [f"{'unknown' if count is None else format(count, ',')} {way}" for count, way in counts]
    return [f"Tokens used so far: {', '.join(told)}."]


def _usage(state: SessionState) -> Usage:
    known = [message.usage for message in state.messages if message.usage is not None]
    return Usage(_total([usage.input_tokens for usage in known]), _total([usage.output_tokens for usage in known]))


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _told(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
