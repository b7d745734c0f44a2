"""What a client asks and is answered, written into a session without ever getting in the client's way.

Laws of this file:

- The caller's own results and errors pass unchanged. Whatever fails here is told once, as a warning.
- A question is durable before it is sent, an answer when the call that got it returns.
- What could not be stored stays in the session's memory, for its `save`.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from jido_jupyter.adapters import matching
from jido_jupyter.assistants.turn import JOURNAL_S
from jido_jupyter.core import ids
from jido_jupyter.core.messages import Origin, Status, text_part
from jido_jupyter.errors import JidoError, StoreError
from jido_jupyter.services import shapes
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.shapes.draft import Draft

_LONGEST: Final = 300  # characters of an error that are kept


class RecordingWarning(UserWarning):
    """Something that was said could not be recorded, or not be stored yet."""


class Recorder:
    """Writes into the session that ``live`` returns.

    Args:
        live: returns the session; asked once for each call of the client.
        origin: returns the cell that runs.
    """

    def __init__(self, live: Callable[[], LiveSession], origin: Callable[[], Origin | None] = lambda: None) -> None:
        self._live = live
        self._origin = origin
        self._has_warned = False

    def begin(self, sent: Sequence[Any], model: str) -> Call | None:
        """Record what is new of a history that is sent; None when that was not possible.

        Args:
            sent: the items of the history, of any shape.
            model: ``provider:name`` that is asked.
        """
        call = None
        with self.guarded():
            call = Call(self, self._live(), model, self._origin())
            call.ask(self._read(sent))
        return call

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Let nothing that fails inside reach the caller."""
        try:
            yield
        except Exception as error:
            self._warn(error)

    def _read(self, sent: Sequence[Any]) -> list[Draft]:
        drafts: list[Draft] = []
        for number, item in enumerate(sent):
            with self.guarded():
                drafts += shapes.read_item(item, f"messages[{number}]")
        return drafts

    def _warn(self, error: Exception) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        if isinstance(error, StoreError):
            told = f"{error} It is kept in memory; save() writes it once that is possible."
        elif isinstance(error, JidoError):
            told = f"Something was said that is not recorded: {error}"
        else:
            told = f"Something was said that is not recorded ({type(error).__name__}: {error}); this is a bug of jido."
        warnings.warn(f"jido: {told}", RecordingWarning, stacklevel=4)


class Call:
    """One call of a client: its question, the answer while it streams, and how that ends."""

    def __init__(self, recorder: Recorder, live: LiveSession, model: str, origin: Origin | None) -> None:
        self._recorder = recorder
        self._live = live
        self._model = model
        self._origin = origin
        self._answer_id = mint_id()
        self._writing = threading.Lock()  # never taken where pieces pass: a slow disk must not delay them
        self._waiting: list[str] = []  # pieces that are not in the journal yet
        self._arrived: list[str] = []
        self._over = threading.Event()

    def ask(self, sent: Sequence[Draft]) -> None:
        new = matching.new_ones(self._live.state.messages, sent)
        if new:
            now = self._live.now()
            self._store([draft.as_message(mint_id(), now, self._origin) for draft in new], ends_turn=False)

    def stream(self) -> None:
        """Keep what arrives from now on in the session's journal, twice a second, whether or not more comes."""
        threading.Thread(target=self._keep_writing, daemon=True, name="jido-journal").start()

    def add(self, text: str) -> None:
        """Take the next piece of the answer."""
        if text:
            self._waiting.append(text)
            self._arrived.append(text)

    def end(self, drafts: Sequence[Draft], status: Status | None = None) -> None:
        """Record the answer; ``status`` where that is known better than the answer says."""
        if not self._finish():
            return
        with self._recorder.guarded():
            now = self._live.now()
            named = [self._named(draft) for draft in drafts]
            if status and named:
                named[-1] = replace(named[-1], status=status)
            # The journal knows one answer: its id goes to the message that holds the text.
            spoken = next((number for number, draft in enumerate(named) if _has_text(draft)), 0)
            message_ids = [self._answer_id if number == spoken else mint_id() for number in range(len(named))]
            said = [draft.as_message(one, now, self._origin) for draft, one in zip(named, message_ids, strict=True)]
            self._store(said, ends_turn=True)

    def fail(self, error: BaseException) -> None:
        """Record that the call raised; an interrupt is none of its faults."""
        text = "".join(self._arrived)
        if isinstance(error, Exception):
            told = f"{type(error).__name__}: {error}"[:_LONGEST]
            self.end([Draft("assistant", (text_part(text),), status="failed", error=told)])
        else:
            self.interrupt()

    def interrupt(self) -> None:
        """Record that nobody waits for the rest any more."""
        self.end([Draft("assistant", (text_part("".join(self._arrived)),), status="interrupted")])

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def _finish(self) -> bool:
        with self._writing:  # a piece that is being written gets written first: none may follow the answer
            if self._over.is_set():
                return False
            self._over.set()
            return True

    def _named(self, draft: Draft) -> Draft:
        """Return an answer with the model that was asked; what the server calls it stands beside."""
        answered_by = draft.model.partition(":")[2] if draft.model else None
        ext = {**draft.ext, "model_name": answered_by} if answered_by else draft.ext
        return replace(draft, model=self._model, ext=ext)

    def _store(self, said: Sequence[Any], *, ends_turn: bool) -> None:
        with self._recorder.guarded():
            self._live.record(said, ends_turn=ends_turn)

    def _keep_writing(self) -> None:
        while not self._over.wait(JOURNAL_S):
            with self._writing, contextlib.suppress(JidoError):  # told at the end, when the whole answer is stored
                count = len(self._waiting)
                text = "".join(self._waiting[:count])
                del self._waiting[:count]
                if text and not self._over.is_set():
                    self._live.record_partial(self._answer_id, text, self._model)


def _has_text(draft: Draft) -> bool:
    return any(part.get("type") == "text" for part in draft.parts)


def mint_id() -> str:
    return ids.from_random(secrets.token_bytes(ids.ID_BYTES))
