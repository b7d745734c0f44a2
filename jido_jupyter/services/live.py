"""A session that this process has open: its state in memory, each change durable before the call returns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from jido_jupyter.core import records, redaction
from jido_jupyter.core.messages import Message, check_numbers
from jido_jupyter.core.records import Record
from jido_jupyter.core.session import SessionState
from jido_jupyter.core.times import stamp
from jido_jupyter.errors import IllegalTransition, PayloadTooLarge, StaleRevision
from jido_jupyter.services import edits
from jido_jupyter.store.codec import dumps
from jido_jupyter.store.contract import Lease, Revision, Store

T = TypeVar("T")


def as_stored(said: Sequence[Message], *, redacts: bool) -> Sequence[Message]:
    """Return messages as a session holds them, whatever door they come through.

    Args:
        redacts: whether known keys and passwords are taken out.

    Raises:
        InvalidField: one holds a number that JSON has not.
    """
    for message in said:
        check_numbers(message)
    return [redaction.redact_message(message) for message in said] if redacts else said


class LiveSession:
    """The handle of an open session; safe to use from several threads.

    What could not be written (a full disk, say) stays in memory: `save` writes it once that is possible.

    Known keys and passwords are taken out of everything that comes in, before it is kept or stored.

    Args:
        state: as it was read.
        revision: of that state.
        clock: returns the present instant, aware.
        redacts: False stores everything as it comes.
    """

    def __init__(
        self,
        store: Store,
        state: SessionState,
        revision: Revision,
        lease: Lease,
        clock: Callable[[], datetime],
        *,
        redacts: bool = True,
    ) -> None:
        self._store = store
        self._state = state
        self._revision = revision
        self._lease = lease
        self._clock = clock
        self._redacts = redacts
        self._held = ("", "")  # id of the answer that streams, and the end of it that may be the beginning of a key
        self._unsaved: list[Record] = []
        self._doubtful: list[Record] = []  # pieces of answers of which nobody knows whether they were stored
        self._lock = threading.RLock()

    @property
    def id(self) -> str:
        return self._state.id

    @property
    def state(self) -> SessionState:
        return self._state

    @property
    def revision(self) -> Revision:
        return self._revision

    @property
    def is_open(self) -> bool:
        """False once it was closed here or taken over elsewhere."""
        return self._lease.is_held

    @property
    def is_saved(self) -> bool:
        """Whether everything said so far is durable."""
        return not self._unsaved

    def now(self) -> str:
        return stamp(self._clock())

    def message(self, message_id: str) -> Message | None:
        """Return a message as it is stored; None where the session has none of that id."""
        return next((message for message in reversed(self._state.messages) if message.id == message_id), None)

    def record(
        self, said: Sequence[Message], *, context: Mapping[str, Any] | None = None, ends_turn: bool = False
    ) -> None:
        """Add messages and make them durable.

        Args:
            context: what the notebook looks like now; goes with them when it differs from what is known.
            ends_turn: they answer something that is stored already, so that no size limit keeps them out.

        Raises:
            InvalidField: a message holds NaN or an infinity; nothing was added.
            PayloadTooLarge: the session is full; nothing was added.
            StoreError, StaleRevision: they could not be stored now, and are kept in memory for `save`.
        """
        said = as_stored(said, redacts=self._redacts)
        with self._lock:
            before, waiting = self._state, len(self._unsaved)
            self._state = self._state.with_messages(said)
            self._unsaved.append(records.messages(said, self.now()))
            if context is not None and (context := self._clean(context)) != self._state.context:
                self._state = replace(self._state, context=context)
                self._unsaved.append(records.context(context, self.now()))
            try:
                self._flush(beyond_limit=ends_turn)
            except PayloadTooLarge:
                self._state = before
                del self._unsaved[waiting:]
                raise

    def record_partial(self, message_id: str, text: str, model: str | None) -> None:
        """Add the next piece of an answer that is still streaming; it outlives the process, not a power cut.

        What may be the beginning of a key at its end waits for the next piece: a key cut in two would not be known.
        """
        with self._lock:
            text = self._ripe(message_id, text)
            if text and not self._unsaved:
                # With what may not have come through before: the pieces make one text, and it must have no hole.
                log = [*self._doubtful, records.partial(message_id, text, self.now(), model)]
                try:
                    self._append(log, durable=False, beyond_limit=True)
                except BaseException:  # an interrupt, too, may come while it is on its way
                    self._doubtful = log
                    raise

    def edit(self, **changes: Any) -> None:
        """Change what is known about the session; see `edits.checked`."""
        self._change(edits.checked(changes))

    def rewind(self, message_id: str) -> None:
        """Go on after an earlier message; what came later is no part of the conversation any more.

        Args:
            message_id: `records.START` goes back to the start.

        Raises:
            InvalidField: there is no such message; nothing changed.
        """
        with self._lock:
            edits.check_message(self._state, message_id)
            record = records.rewind(message_id, self.now())
            self._state = edits.rewound(self._state, message_id)
            self._write(record)

    def set_todos(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Replace the list of what is still to do; each item has ``text`` and ``status``."""
        items = self._clean(list(items))
        with self._lock:
            self._state = replace(self._state, todos=tuple(items))
            self._write(records.todos(items, self.now()))

    def summarise(self, text: str, to: str, model: str | None = None) -> None:
        """Let ``text`` stand for the messages up to ``to`` when a model is asked; all of them stay stored.

        An empty text undoes that.

        Raises:
            InvalidField: there is no such message; nothing changed.
        """
        with self._lock:
            edits.check_message(self._state, to)
            record = records.summary(self._clean(text), to, self.now(), model)
            self._state = replace(self._state, summary=record if text else None)
            self._write(record)

    def choose_assistant(self, model_id: str) -> None:
        """Say which model answers in this session from now on."""
        self._change({"assistant": model_id})

    def link(self, notebook: str) -> None:
        """Say in which notebook the session goes on."""
        if notebook != self._state.notebook:
            self._change({"notebook": notebook})

    def save(self) -> Revision:
        """Make everything durable and return the revision; each turn has done so already, unless it said otherwise."""
        with self._lock:
            self._flush()
            return self._revision

    def close(self) -> None:
        """Give the session up; it stays stored and can be resumed. Closing twice is harmless.

        Raises:
            StoreError, StaleRevision: what is not saved yet could not be saved; the session stays open. Or else only the
                note that it was closed is missing.
        """
        with self._lock:
            if self.is_open:
                self._flush()
                try:
                    self._write(records.closed(self.now()))
                finally:
                    self._lease.release()
            self._lease.release()

    def abandon(self) -> None:
        """Give the session up without writing: what could not be stored is not stored later either."""
        with self._lock:
            self._unsaved = []
            self._lease.release()

    def _clean(self, value: T) -> T:
        return redaction.redact_value(value)[0] if self._redacts else value

    def _ripe(self, message_id: str, text: str) -> str:
        """Return what may be written of an answer now; the rest waits."""
        if not self._redacts:
            return text
        held_of, held = self._held
        text = held + text if held_of == message_id else text
        ripe = redaction.unfinished(text)
        self._held = message_id, text[ripe:]
        return self._clean(text[:ripe])

    def _change(self, changes: Mapping[str, Any]) -> None:
        changes = self._clean(changes)
        with self._lock:
            self._state = self._state.with_meta(changes)
            self._write(records.meta(changes, self.now()))

    def _write(self, record: Record, *, beyond_limit: bool = True) -> None:
        self._unsaved.append(record)
        self._flush(beyond_limit=beyond_limit)

    def _flush(self, *, beyond_limit: bool = True) -> None:
        if self._unsaved:
            self._append(self._unsaved, durable=True, beyond_limit=beyond_limit)
            self._unsaved = []

    def _append(self, log: Sequence[Record], *, durable: bool, beyond_limit: bool) -> None:
        try:
            self._revision = self._store.append(
                self.id, log, self._revision, durable=durable, beyond_limit=beyond_limit
            )
        except StaleRevision:
            if not self.is_open:
                raise IllegalTransition(
                    "open somewhere else by now",
                    "be added to here",
                    f"'%jido resume {self.id[:8]} --take-over' takes it back; '%jido new' starts another.",
                ) from None
            if rest := self._not_stored(log):
                self._revision = self._store.append(
                    self.id, rest, self._revision, durable=durable, beyond_limit=beyond_limit
                )
        self._doubtful = []

    def _not_stored(self, log: Sequence[Record]) -> Sequence[Record]:
        """Return what is still to be written, after a write whose outcome was not known had come through after all.

        Raises:
            StaleRevision: somebody else wrote, although the lease is ours.
        """
        stored = self._store.read(self.id)
        # As JSON: half an emoji, say, is stored as something else.
        later = [
            dumps({name: value for name, value in record.items() if name != "n"})
            for record in stored.since(self._revision.n)
        ]
        wanted = [dumps(record) for record in log]
        doubtful = set(map(dumps, self._doubtful)).difference(wanted)
        later = [record for record in later if record not in doubtful]
        if later != wanted[: len(later)]:
            raise StaleRevision(self.id, str(self._revision), str(stored.revision))
        self._revision = stored.revision
        return log[len(later) :]
