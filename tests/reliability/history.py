"""Random histories of operations on a few sessions, and the state that each leads to."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from jido_jupyter.core import records
from jido_jupyter.testing.store_conformance import AT, said
from tests.reliability.workload import State


@dataclass(frozen=True, slots=True)
class Step:
    doing: str  # create, append, soft (not durable), replace, trash or restore
    session_id: str
    number: int  # of the message that it adds

    @property
    def adds(self) -> bool:
        return self.doing not in ("trash", "restore")

    def act(self, store: Any) -> None:
        log = [said(self.number)]
        if self.doing == "create":
            store.create(records.header(self.session_id, AT), log)
        elif self.doing in ("append", "soft"):
            revision = store.revision(self.session_id)
            store.append(self.session_id, log, revision, durable=self.doing == "append")
        elif self.doing == "replace":
            stored = store.read(self.session_id)
            header = records.header(self.session_id, AT)
            store.replace(self.session_id, header, [*stored.records, *log], stored.revision)
        else:
            getattr(store, self.doing)(self.session_id)

    def after(self, state: State) -> State:
        """Return the state that this leads to."""
        _, *held = state.get(self.session_id, ("",))
        added = [f"m{self.number}"] if self.adds else []
        return {**state, self.session_id: ("trash" if self.doing == "trash" else "stored", *held, *added)}


def next_step(state: State, session_ids: tuple[str, ...], number: int, rng: random.Random, *, replaces: bool) -> Step:
    session_id = rng.choice(session_ids)
    where = state.get(session_id, ("",))[0]
    doing = {"": "create", "trash": "restore"}.get(where) or rng.choices(
        ["append", "soft", "trash", "replace"], [6, 2, 1, 1 if replaces else 0]
    )[0]
    return Step(doing, session_id, number)
