"""Proves that every released format opens with exactly what was in it, and that a future one is refused untouched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jido_jupyter.core import records
from jido_jupyter.errors import JidoError, UnsupportedFormat
from jido_jupyter.store import keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import AT, all_summaries, said
from tests.reliability import twins, workload
from tests.reliability.report import Probe, Scale, Tally, judged
from tests.reliability.workload import Opener
from tests.store import golden
from tests.store.golden.make import content

NAME = "formats"
ROW = "R14"


def run(scale: Scale, seed: int) -> Probe:
    real, twin = Tally(), Tally()
    for version in sorted(Path(golden.__file__).parent.glob("v*")):
        _open_golden(real, version)
    _refuse_future(real, workload.open_store)
    _refuse_future(twin, twins.accepts_future)
    return judged(NAME, seed, real, {"opens a later format": twin})


def _open_golden(tally: Tally, version: Path) -> None:
    expected = json.loads((version / "expected.json").read_text())
    with workload.folder() as place:
        for part in ("home", "keys"):
            shutil.copytree(version / part, os.path.join(place, part))
        for folder, _, files in os.walk(place):  # git keeps no modes and no empty folders
            os.chmod(folder, 0o700)
            for name in files:
                os.chmod(os.path.join(folder, name), 0o600)
        store = FileStore(f"{place}/home", keys.load_or_create(f"{place}/keys"), 10**7)
        found = content(store)
        for session_id in sorted(expected.keys() | found.keys()):
            same = found.get(session_id) == expected.get(session_id)
            tally.check(f"{version.name} {session_id}", [] if same else [f"it holds {found.get(session_id)}"])
        for session_id in sorted(expected.keys() - {"trashed", *expected["trashed"]}):
            store.append(session_id, [said(99)], store.revision(session_id))
            fine = workload.messages(store.read(session_id))[-1] == "m99" and not store.read(session_id).damage
            tally.check(f"{version.name} {session_id} goes on", [] if fine else ["the next append is not there"])


def _refuse_future(tally: Tally, make: Opener) -> None:
    """Meet a session and a store of a later version, with every operation."""
    with workload.folder() as place:
        home = os.path.join(place, "home")
        workload.copy_scene(home)
        path = Path(workload.file_of(home, "one"))
        path.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":2', 1))
        future = path.read_bytes()
        store = make(home)
        known = store.revision("other")
        attempts: dict[str, tuple[Callable[[], Any], type[JidoError]]] = {
            "read": (lambda: store.read("one"), UnsupportedFormat),
            "append": (lambda: store.append("one", [said(9)], store.revision("one")), JidoError),
            "append, stale": (lambda: store.append("one", [said(9)], known), JidoError),
            "create over it": (lambda: store.create(records.header("one", AT), []), JidoError),
        }
        if hasattr(store, "replace"):
            attempts["replace"] = (
                lambda: store.replace("one", records.header("one", AT), [said(9)], store.revision("one")),
                JidoError,
            )
        for name, (attempt, error) in attempts.items():
            tally.check(f"later session, {name}", _refused(attempt, error, path, future))
            path.write_bytes(future)
            path.chmod(0o600)
        listed = [summary for summary in all_summaries(store) if summary.id == "one"]
        told = bool(listed) and "Upgrade" in " ".join(listed[0].problems)
        tally.check("later session, list", [] if told else ["the list does not say what to do"])
    with workload.folder() as place:
        home = os.path.join(place, "home")
        workload.copy_scene(home)
        path = Path(home, "store.json")
        path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
        tally.check("later store", _refused(lambda: make(home), UnsupportedFormat, path, path.read_bytes()))


def _refused(attempt: Callable[[], Any], error: type[JidoError], path: Path, before: bytes) -> list[str]:
    problems = []
    try:
        attempt()
        problems.append("it was not refused")
    except error:
        pass
    except Exception as other:
        problems.append(f"{type(other).__name__}: {other}")
    if path.read_bytes() != before:
        problems.append("its file was changed")
    return problems
