"""The door through which sessions leave and come in: a registry of formats, and the rules that hold for all of them.

What comes in gets a new id, made from what it says: so the same content is stored once, however often and by however many
processes it is brought in. It carries its ``origin`` - an import, of which format and which session - and no seal of ours
vouches for who said what in it. A reader checks every message by the rules of `jido_jupyter.core.messages`, and runs or
fetches nothing that a file names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from jido_jupyter.core import ids
from jido_jupyter.core.text import storable
from jido_jupyter.errors import InvalidRequest, JidoError, SessionExists, SessionNotFound
from jido_jupyter.services.exchange import markdown, notebook, own
from jido_jupyter.services.exchange.formats import Export, Import, Imported
from jido_jupyter.services.sessions import Sessions, Shown

__all__ = ["EXPORTS", "IMPORTS", "MAX_FILE", "Brought", "Imported", "bring_in", "export", "is_imported", "read"]

MAX_FILE: Final = 64 * 2**20  # bytes
_MARK: Final = "i"  # first letter of an import's id; ids that are minted never use it (`core.ids`)
_BOM: Final = b"\xef\xbb\xbf"

EXPORTS: Final[Mapping[str, Export]] = {
    "json": Export(".json", "application/json", "everything, to bring it in again elsewhere", own.write),
    "markdown": Export(".md", "text/markdown", "the conversation, to read or to publish", markdown.write),
    "ipynb": Export(".ipynb", "application/x-ipynb+json", "a notebook: questions as %%jido cells", notebook.write),
}
IMPORTS: Final[Mapping[str, Import]] = {
    "json": Import("our own JSON export", own.sniff, own.read),
}


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one session of a file."""

    session_id: str
    title: str
    message_count: int
    is_new: bool  # False: the same content was here already
    is_trashed: bool = False  # it was here, and is in the trash
    notes: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        return {
            "id": self.session_id,
            "title": self.title,
            "message_count": self.message_count,
            "is_new": self.is_new,
            "is_trashed": self.is_trashed,
            "notes": list(self.notes),
        }


def export(shown: Shown, name: str) -> Iterator[str]:
    """Return the pieces of an export.

    Raises:
        InvalidRequest: no format has that name.
    """
    if name not in EXPORTS:
        raise InvalidRequest(f"There is no export format {name!r}. There are {', '.join(EXPORTS)}.")
    return map(storable, EXPORTS[name].write(shown))  # half a character, as a cut emoji leaves it, has no UTF-8


def read(data: bytes, name: str | None = None) -> tuple[str, list[Imported]]:
    """Return the format of a file and the sessions that it holds.

    Args:
        data: the whole file.
        name: of its format; None finds it out.

    Raises:
        InvalidRequest, InvalidField: too large, in no format that is known, or with nothing in it that can be used.
    """
    if len(data) > MAX_FILE:
        raise InvalidRequest(
            f"The file has {len(data):,} bytes, {MAX_FILE:,} can be imported. Export fewer sessions into it."
        )
    data = data.removeprefix(_BOM)
    if name is None:
        name = next((name for name, known in IMPORTS.items() if known.sniff(data)), "")
    if name not in IMPORTS:
        known = "; ".join(f"{name} ({found.help})" for name, found in IMPORTS.items())
        raise InvalidRequest(f"The file is in no format that can be imported. There is: {known}.")
    return name, IMPORTS[name].read(data)


def bring_in(sessions: Sessions, found: Imported, name: str) -> Brought:
    """Store a session that a file holds; when its content is here already, return that session.

    Raises:
        LimitReached, PayloadTooLarge, StoreError
    """
    session_id = _id_of(found.digest)
    origin = {"kind": "import", "format": name, "session": found.session, "digest": found.digest}
    # Looked up first: with the content here already, a full store is no reason to refuse.
    if (known := _known(sessions, session_id, found)) is not None:
        return known
    said = sessions.clean(found.messages)
    try:
        shown = sessions.bring_in({**found.meta, "origin": origin}, said, session_id)
    except SessionExists:
        if (known := _known(sessions, session_id, found)) is not None:  # another process was quicker
            return known
        # Another conversation has that id: somebody made two files that collide in it. Any other id will do.
        session_id = _MARK + sessions.mint_id()[1:]
        shown = sessions.bring_in({**found.meta, "origin": origin}, said, session_id)
    return Brought(shown.state.id, shown.state.title, len(shown.state.messages), is_new=True, notes=tuple(found.notes))


def is_imported(session_id: str) -> bool:
    """Return whether a session came in through this door; its ``origin`` says from where."""
    return session_id.startswith(_MARK)


def _id_of(digest: str) -> str:
    return _MARK + ids.from_random(sha256(digest.encode()).digest()[: ids.ID_BYTES])[1:]


def _known(sessions: Sessions, session_id: str, found: Imported) -> Brought | None:
    """Return the session that was made of the same content earlier."""
    try:
        state = sessions.show(session_id).state
    except SessionNotFound:
        if session_id not in sessions.trashed():
            return None
        title = str(found.meta.get("title", ""))
        return Brought(session_id, title, len(found.messages), is_new=False, is_trashed=True)
    except JidoError:
        return None  # damaged since: its file stays, the content comes in anew beside it
    if (state.origin or {}).get("digest") != found.digest:
        return None
    return Brought(session_id, state.title, len(state.messages), is_new=False)
