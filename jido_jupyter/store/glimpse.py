"""One look into the index without opening the store: for a hint that may be old or missing, but must cost next to nothing.

It imports neither the store nor orjson, reads one row, and gives up in time. Whoever acts on what it says asks the store.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from jido_jupyter.core.text import fold

if TYPE_CHECKING:
    import sqlite3

LOOK_S = 0.004  # a scan of many thousand rows that finds nothing ends here


class Glimpse(NamedTuple):
    session_id: str
    title: str
    updated_at: str
    message_count: int


def glimpse(home: str, cache: str, notebook: str, session_id: str | None = None) -> Glimpse | None:
    """Return the session with that id, else the newest of a notebook, as the index saw it last; None on any doubt.

    Args:
        home: the store's folder.
        cache: the folder of the index.
        notebook: its path.
    """
    import sqlite3

    try:
        with open(os.path.join(home, "store.json"), "rb") as file:
            store_id = str(json.loads(file.read(4096))["id"])
        path = os.path.join(cache, f"index-{store_id}.sqlite")
        db = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=0.0)
        try:
            return _found(db, home, notebook, session_id)
        finally:
            db.close()
    except (OSError, ValueError, LookupError, TypeError, sqlite3.Error):
        return None


def _found(db: sqlite3.Connection, home: str, notebook: str, session_id: str | None) -> Glimpse | None:
    deadline = time.monotonic() + LOOK_S
    db.set_progress_handler(lambda: time.monotonic() > deadline, 1000)
    column, value = ("id", session_id) if session_id else ("notebook", fold(notebook))
    sql = f"SELECT summary FROM session WHERE trashed = 0 AND {column} = ? ORDER BY doc DESC LIMIT 1"
    row = db.execute(sql, (value,)).fetchone()
    if row is None:
        return None
    found = json.loads(row[0])
    if not os.path.exists(os.path.join(home, "sessions", f"{found['id']}.jsonl")):
        return None
    return Glimpse(str(found["id"]), str(found["title"]), str(found["updated_at"]), int(found["message_count"]))
