"""Makes a golden store: ``python -m tests.store.golden.make tests/store/golden/v1``, once for each released format.

What is committed is never made again: later versions must open it as it is. The key is a fixture, it protects nothing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, Origin, Usage, to_wire
from jido_jupyter.core.records import Owner
from jido_jupyter.core.session import replay
from jido_jupyter.store import keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import all_summaries

AT = "2026-11-22T09:00:00.000Z"


def message(number: int, role: str, text: str, **more: object) -> Message:
    return Message(f"m{number}", role, ({"type": "text", "content": text},), AT, **more)  # type: ignore[arg-type]


def make(folder: Path) -> None:
    """Write ``home``, ``keys`` and ``expected.json`` below ``folder``, which must be new."""
    folder.mkdir()
    (folder / "keys").mkdir()
    (folder / "keys" / "0001").write_bytes(bytes(range(32)))
    (folder / "keys" / "0001").chmod(0o600)
    store = FileStore(str(folder / "home"), keys.load_or_create(str(folder / "keys")), 10**7)
    owner = Owner("kernel", "host", 42, "a.ipynb")
    revision = store.create(records.header("plain", AT), [records.opened(owner, AT)])
    said = [
        message(1, "user", "für 😀 \u2028 a\0b", origin=Origin("a.ipynb", "cell-1", 3)),
        message(2, "assistant", "An answer.", model="test:model", usage=Usage(12, 34)),
    ]
    revision = store.append("plain", [records.messages(said, AT)], revision)
    revision = store.append("plain", [records.meta({"title": "A title", "tags": ["x"], "pinned": True}, AT)], revision)
    store.append("plain", [records.closed(AT)], revision)
    tool = {"type": "tool_call", "id": "t1", "name": "plot", "arguments": {"x": [1, 2.5, None]}}
    answer = {"type": "tool_call_response", "id": "t1", "response": {"ok": True}}
    calls = [Message("m3", "assistant", (tool,), AT), Message("m4", "tool", (answer,), AT, ext={"later": [1]})]
    revision = store.create(records.header("tools", AT), [records.messages(calls, AT)])
    store.append("tools", [{"t": "hologram", "at": AT, "depth": 3}], revision)
    revision = store.create(records.header("cut-off", AT), [records.messages([message(5, "user", "Go on")], AT)])
    for piece in ("It was ", "so far"):
        revision = store.append("cut-off", [records.partial("m6", piece, AT, "test:model")], revision, durable=False)
    store.create(records.header("binned", AT), [records.messages([message(7, "user", "Gone")], AT)])
    store.trash("binned")
    (folder / "expected.json").write_text(json.dumps(content(store), indent=1, sort_keys=True) + "\n")
    for rest in ("changes", "names.lock"):
        (folder / "home" / rest).unlink(missing_ok=True)


def content(store: FileStore) -> dict[str, object]:
    """Return everything that a store's sessions hold, as JSON values; what is trashed is restored for it."""
    binned = store.trashed()
    for session_id in binned:
        store.restore(session_id)
    found: dict[str, object] = {"trashed": binned}
    for summary in all_summaries(store):
        stored = store.read(summary.id)
        state = replay(stored.header, stored.records)
        found[summary.id] = {
            "title": state.title,
            "tags": list(state.tags),
            "pinned": state.pinned,
            "records": [record["t"] for record in stored.records],
            "damage": [damage.kind for damage in stored.damage],
            "messages": [to_wire(one) for one in state.messages],
        }
    for session_id in binned:
        store.trash(session_id)
    return found


if __name__ == "__main__":
    os.umask(0o077)
    make(Path(sys.argv[1]))
