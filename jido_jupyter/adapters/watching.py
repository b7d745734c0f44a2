"""Histories that some library appends to, followed: what is new in them is recorded after each cell.

A history is looked at, never touched. Where its past changed, the session goes back to what both share and on with the new;
it never goes back over what the watch did not record itself. Only what the user named is ever looked at.
"""

from __future__ import annotations

import atexit
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from typing import Any, Final, Protocol

import orjson

from jido_jupyter.adapters import matching
from jido_jupyter.adapters.recorder import RecordingWarning, mint_id
from jido_jupyter.connection import this_process
from jido_jupyter.core.messages import Message, Origin
from jido_jupyter.core.records import START
from jido_jupyter.errors import InvalidField, JidoError, StoreError
from jido_jupyter.services import shapes
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.services.shapes.draft import Draft
from jido_jupyter.services.shapes.plain import plain

AFTER_CELL: Final = "post_run_cell"
_NAME: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_HOLDERS: Final = ("messages", "h", "hist", "history", "get_turns")  # where chats keep their history
_EXPECTED: Final = f"expected a list of messages, or an object with one in {', '.join(_HOLDERS)}"

History = Callable[[], Iterable[Any] | None]  # None: it is not there now, which changes nothing


class Host(Protocol):
    """What a watch by name needs of the kernel."""

    @property
    def sessions(self) -> Sessions: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """An item of a history and the messages that came of it."""

    digest: str
    ids: tuple[str, ...]


class Watch:
    """A history that is followed. As a context manager it follows until the end of the block.

    Args:
        history: returns the items as they are now.
        opened: returns the session to record in, at the first item.
        name: how messages call the history.
        origin: returns the cell that runs.
        is_own: whether the session is the watch's own, and closed with it.
    """

    def __init__(
        self,
        history: History,
        opened: Callable[[], LiveSession],
        *,
        name: str = "the history",
        origin: Callable[[], Origin | None] = lambda: None,
        is_own: bool = True,
    ) -> None:
        self.name = name
        self._history = history
        self._opened = opened
        self._origin = origin
        self._is_own = is_own
        self._live: LiveSession | None = None
        self._base = START  # the last message that stood in the session before
        self._seen: list[_Seen] = []
        self._lock = threading.RLock()
        self._told: set[str] = set()
        self._leave: Callable[[], None] = lambda: None
        self.is_stopped = False

    @property
    def session_id(self) -> str | None:
        """The session that it records in; None as long as there was nothing to record."""
        return self._live.id if self._live else None

    @property
    def messages(self) -> tuple[Message, ...]:
        """Everything that the session holds."""
        return self._live.state.messages if self._live else ()

    def sync(self) -> tuple[Message, ...]:
        """Record what is new now and return it.

        Raises:
            PayloadTooLarge, StaleRevision: it could not be recorded; the next `sync` tries again.
            StoreError: it could not be stored now, and is kept in memory until a later `sync`.
        """
        with self._lock:
            found = self._history()
            if self.is_stopped or found is None:
                return ()
            items = list(found)
            if self._live is None and not items:
                return ()
            live = self._live or self._open(items)
            if not live.is_saved:
                live.save()
            return self._follow(live, items, [digest(item) for item in items])

    def follow_cells(self, ip: Any) -> None:
        """Sync after each cell of a shell."""

        def after_cell(*result: Any) -> None:
            self._sync_quietly()

        ip.events.register(AFTER_CELL, after_cell)

        def leave() -> None:
            with suppress(ValueError):
                ip.events.unregister(AFTER_CELL, after_cell)

        self._leave = leave

    def stop(self) -> None:
        """Record what is new, follow no more, and close the watch's own session. Stopping twice is harmless."""
        with self._lock:
            if self.is_stopped:
                return
            self._leave()
            self._sync_quietly()
            self.is_stopped = True
            if self._live is not None and self._is_own:
                with suppress(JidoError):  # it is stored; only the note that it was closed may be missing
                    self._live.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = f"session {self.session_id[:8]}" if self.session_id else "no session yet"
        state = "stopped" if self.is_stopped else "following"
        return f"<Watch of {self.name}: {state}, {where}, {len(self.messages)} messages>"

    def _sync_quietly(self) -> None:
        try:
            self.sync()
        except Exception as error:  # a cell of the user's must not end with an error of ours
            self._tell(error)

    def _open(self, items: Sequence[Any]) -> LiveSession:
        """Open the session; what of the history stands in it already is seen."""
        live = self._live = self._opened()
        stored = live.state.messages
        if not stored:
            return live
        self._base = stored[-1].id
        drafts = [self._read(item, number) for number, item in enumerate(items)]
        new = {id(draft) for draft in matching.new_ones(stored, [draft for found in drafts for draft in found])}
        is_known = [all(id(draft) not in new for draft in found) for found in drafts]
        count = len(list(takewhile(bool, is_known)))
        self._seen = [_Seen(digest(item), ()) for item in items[:count]]
        return live

    def _follow(self, live: LiveSession, items: Sequence[Any], digests: Sequence[str]) -> tuple[Message, ...]:
        shared = sum(
            1 for _ in takewhile(lambda pair: pair[0].digest == pair[1], zip(self._seen, digests, strict=False))
        )
        if shared < len(self._seen):
            self._go_back(live, shared)
        now, origin = live.now(), self._origin()
        added: list[_Seen] = []
        said: list[Message] = []
        for number, item in enumerate(items[shared:], shared):
            messages = [draft.as_message(mint_id(), now, origin) for draft in self._read(item, number)]
            said += messages
            added.append(_Seen(digests[number], tuple(message.id for message in messages)))
        try:
            if said:
                live.record(said)
        except StoreError:  # in memory by now
            self._seen += added
            raise
        self._seen += added
        return tuple(said)

    def _go_back(self, live: LiveSession, shared: int) -> None:
        """Take back what came of the items behind the shared ones, unless something of others stands behind it."""
        gone = {message_id for seen in self._seen[shared:] for message_id in seen.ids}
        kept = [message_id for seen in self._seen[:shared] for message_id in seen.ids]
        del self._seen[shared:]
        stored = live.state.messages
        tail = list(takewhile(lambda message: message.id in gone, reversed(stored)))
        if gone and len(tail) == len(gone):
            live.rewind(kept[-1] if kept else self._base)

    def _read(self, item: Any, number: int) -> list[Draft]:
        try:
            return shapes.read_item(item, f"{self.name}[{number}]")
        except InvalidField as error:
            self._tell(error)
            return []

    def _tell(self, error: Exception) -> None:
        """Warn, once for each thing."""
        told = str(error) if isinstance(error, JidoError) else f"{type(error).__name__}: {error}"
        if told not in self._told:
            self._told.add(told)
            warnings.warn(f"jido: something of {self.name} is not recorded: {told}", RecordingWarning, stacklevel=2)


def watch_name(
    ip: Any,
    kernel: Host,
    name: str,
    *,
    title: str | None = None,
    origin: Callable[[], Origin | None] = lambda: None,
) -> Watch:
    """Follow the variable ``name`` of a shell, as ``messages`` or ``chat.h``, also when it is assigned anew.

    Args:
        ip: the shell; its cells are followed, its names are looked at.
        kernel: where the session of the watch is made.
        title: of that session; None takes the first question.
        origin: returns the cell that runs.

    Returns:
        The watch; the one that follows the name already, where there is one.

    Raises:
        InvalidField: it is no name, there is no such variable, or it holds no history.
        JidoError: as `Watch.sync`.
    """
    if not _NAME.fullmatch(name):
        raise InvalidField("name", f"{name!r} is no name; expected a variable, as in '%jido watch messages'")
    for watch in watches(ip):
        if watch.name == name:
            watch.sync()
            return watch
    try:
        holder = _look_up(ip.user_ns, name)
    except LookupError:
        hint = "run the cell that makes it first"
        raise InvalidField("name", f"there is no variable {name!r} in this kernel; {hint}") from None
    history_of(holder, name)  # told now, where it is none

    def history() -> Iterable[Any] | None:
        try:
            return history_of(_look_up(ip.user_ns, name), name)()
        except (LookupError, InvalidField):
            return None

    watch = Watch(history, opening(kernel.sessions, title, origin), name=name, origin=origin)
    watch.sync()
    watch.follow_cells(ip)
    atexit.register(watch.stop)
    _watches.append((ip, watch))
    return watch


def watches(ip: Any) -> list[Watch]:
    """Return what is followed by name in a shell now."""
    _watches[:] = [(shell, watch) for shell, watch in _watches if not watch.is_stopped]
    return [watch for shell, watch in _watches if shell is ip]


_watches: list[tuple[Any, Watch]] = []


def opening(sessions: Sessions, title: str | None, origin: Callable[[], Origin | None]) -> Callable[[], LiveSession]:
    """Return what starts a session of the watch's own: the kernel's current one stays for questions."""

    def opened() -> LiveSession:
        here = origin()
        return sessions.new(this_process("kernel", here.notebook if here else None), title)

    return opened


def history_of(holder: Any, name: str = "history") -> Callable[[], Iterable[Any]]:
    """Return what returns the items of a history, or of a chat that holds one.

    Raises:
        InvalidField: it is neither.
    """
    if _is_list(holder):
        return lambda: holder
    inner = getattr(holder, "chat_memory", holder)  # as LangChain's memories call it
    for place in _HOLDERS:
        held = getattr(inner, place, None)
        if _is_list(held):
            return lambda: getattr(inner, place)
        if place.startswith("get_") and callable(held):
            return lambda: held()
    raise InvalidField(name, f"is an object of {type(holder).__name__}; {_EXPECTED}")


def digest(item: Any) -> str:
    """Return the digest of an item, whole: any change of it counts."""
    try:
        data = orjson.dumps(item, default=plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except (TypeError, InvalidField):  # what cannot be stored is looked at from outside
        data = repr(item).encode(errors="replace")
    return sha256(data).hexdigest()


def _is_list(found: Any) -> bool:
    is_sized = hasattr(type(found), "__len__") and hasattr(type(found), "__iter__")
    is_other = isinstance(found, str | bytes | Mapping) or hasattr(found, "shape")  # an array, a table
    return is_sized and not is_other


def _look_up(names: Mapping[str, Any], name: str) -> Any:
    first, *rest = name.split(".")
    found = names[first]
    for part in rest:
        if not hasattr(found, part):
            raise LookupError(name)
        found = getattr(found, part)
    return found
