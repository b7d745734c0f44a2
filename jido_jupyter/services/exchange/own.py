"""Our own JSON: everything a session says, to be read by any program, and brought in again under a new id.

::

    {"format": "jido-session", "version": 1, "id": ..., "created_at": ..., "updated_at": ...,
     "meta": {"title": ..., "tags": [...], ...}, "todos": [...], "problems": [...],
     "messages": [
       {...},
       {...}
     ],
     "digest": "sha256:..."}

Messages stand there as they are stored, one a line, members of other programs included. The digest is over title, tags
and the other marks, todos and messages, each as JSON with sorted members and followed by a line end; ids of sessions and
the path they took are no part of it, so that an export of an import is known again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import orjson

from jido_jupyter.core import messages as wire
from jido_jupyter.core.messages import Message
from jido_jupyter.core.text import one_line, storable
from jido_jupyter.errors import InvalidField, InvalidRequest
from jido_jupyter.services import edits
from jido_jupyter.services.exchange.formats import Imported
from jido_jupyter.services.parsing import parse
from jido_jupyter.services.sessions import Shown

FORMAT: Final = "jido-session"
VERSION: Final = 1
_SNIFFED: Final = 4096  # bytes
_NOTED: Final = 20  # bad messages that are named one by one
_MARKS: Final = ("title", "tags", "pinned", "archived")  # checked as an edit by the user would be
_LINES: Final = ("notebook", "model")


def write(shown: Shown) -> Iterator[str]:
    state = shown.state
    meta = state.meta
    head = {
        "format": FORMAT,
        "version": VERSION,
        "id": state.id,
        "created_at": state.created_at,
        "updated_at": state.updated_at,
        "meta": meta,
        "todos": list(state.todos),
        "problems": list(shown.summary.problems),
    }
    yield _json(head)[:-1] + ',\n"messages": ['
    for number, message in enumerate(state.messages):
        yield f"{',' if number else ''}\n{_json(wire.to_wire(message))}"
    yield f'\n],\n"digest": {_json(digest(meta, state.todos, state.messages))}}}\n'


def digest(meta: Mapping[str, Any], todos: Sequence[Mapping[str, Any]], said: Iterable[Message]) -> str:
    """Return the name of a conversation, made of all that it says."""
    marks = {name: value for name, value in meta.items() if name != "origin" and value not in (False, [], None)}
    found = sha256()
    for value in (marks, list(todos), *map(wire.to_wire, said)):
        found.update(_json(value, orjson.OPT_SORT_KEYS).encode() + b"\n")
    return f"sha256:{found.hexdigest()}"


def sniff(data: bytes) -> bool:
    start = data[:_SNIFFED].lstrip()
    return start[:1] in (b"{", b"[") and f'"{FORMAT}"'.encode() in start


def read(data: bytes) -> list[Imported]:
    """Return the sessions of an export, or of an array of exports.

    Raises:
        InvalidRequest, InvalidField: the file is no export, or nothing in it can be used.
    """
    found = parse(data, "The file")
    exports = found if isinstance(found, list) else [found]
    if not exports:
        raise InvalidRequest("The file holds no session.")
    good: list[Imported] = []
    bad: list[InvalidField] = []
    for number, export in enumerate(exports):
        try:
            good.append(_session(export, f"[{number}]." if isinstance(found, list) else ""))
        except InvalidField as error:
            bad.append(error)
    if bad and not good:
        raise bad[0]
    if bad:
        left_out = [f"Another session of the file was left out: {error}" for error in bad[:_NOTED]]
        good[-1] = replace(good[-1], notes=(*good[-1].notes, *left_out))
    return good


def _session(export: object, path: str) -> Imported:
    if not isinstance(export, Mapping):
        raise InvalidField(f"{path}export", "must be a JSON object")
    if export.get("format") != FORMAT:
        raise InvalidField(f"{path}format", f"must be {FORMAT!r}; this is no export of a session")
    if export.get("version") != VERSION:
        raise InvalidField(
            f"{path}version", f"{export.get('version')!r} is unknown here, {VERSION} is known; upgrade jido_jupyter"
        )
    notes: list[str] = []
    said = _messages(export.get("messages"), f"{path}messages", notes)
    meta = _meta(export.get("meta"), notes)
    todos = _todos(export.get("todos"), notes)
    stated = export.get("digest")
    if stated is not None and not notes and stated != digest(export["meta"], todos, said):
        notes.append("Its content does not fit its digest: the file was changed after it was exported.")
    if todos:
        notes.append(f"{len(todos)} todo(s) stay in the file; sessions that are brought in have none yet.")
    problems = export.get("problems")
    if isinstance(problems, list) and problems:
        notes.append(
            f"It was damaged when it was exported ({len(problems)} problem(s)); what was lost then is not in the file."
        )
    session = export.get("id")
    return Imported(meta, said, digest(meta, todos, said), session if isinstance(session, str) else None, notes)


def _messages(found: object, path: str, notes: list[str]) -> list[Message]:
    """Return the good messages; the bad ones are named in ``notes``."""
    if not isinstance(found, list):
        raise InvalidField(path, "must be an array of messages")
    said: list[Message] = []
    bad: list[InvalidField] = []
    known: set[str] = set()
    for number, item in enumerate(found):
        here = f"{path}[{number}]"
        try:
            message = wire.from_wire(item, here)
            if message.id in known:
                raise InvalidField(f"{here}.id", "stands twice in the file")
        except InvalidField as error:
            bad.append(error)
        else:
            known.add(message.id)
            said.append(message)
    if bad and not said:
        raise bad[0]
    notes.extend(f"A message was left out: {error}" for error in bad[:_NOTED])
    if len(bad) > _NOTED:
        notes.append(f"{len(bad) - _NOTED} more messages were left out.")
    return said


def _meta(found: object, notes: list[str]) -> dict[str, Any]:
    """Return the members of a ``meta`` record; what has the wrong shape is named in ``notes``."""
    if not isinstance(found, Mapping):
        notes.append("It has no title, tags or marks that can be used.")
        return {}
    meta: dict[str, Any] = {}
    for name in _MARKS:
        if name in found:
            try:
                meta |= edits.checked({name: found[name]})
            except InvalidField as error:
                notes.append(f"Left out: {error}")
    if "title" in meta:
        meta["title_source"] = "auto" if found.get("title_source") == "auto" else "user"
    for name in _LINES:
        if isinstance(value := found.get(name), str) and (clean := one_line(value, 1024)):
            meta[name] = clean
    return meta


def _todos(found: object, notes: list[str]) -> list[Mapping[str, Any]]:
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(todo, Mapping) for todo in found):
        notes.append("Left out: todos: must be an array of objects.")
        return []
    return found


def _json(value: Any, option: int = 0) -> str:
    try:
        return orjson.dumps(value, option=option).decode()
    except orjson.JSONEncodeError:  # lone surrogates, as a cut emoji leaves them
        return orjson.dumps(storable(value), option=option).decode()
