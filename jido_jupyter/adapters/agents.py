"""A session as the OpenAI Agents SDK wants one: ``Runner.run(agent, "...", session=AgentsSession(jido.new()))``.

The SDK is not imported: its ``Session`` is a protocol, met by two attributes and four methods.
Source: openai-agents 0.24.0, ``agents.memory.Session``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jido_jupyter.adapters.matching import said_in
from jido_jupyter.adapters.threads import in_thread
from jido_jupyter.assistants.conversation import Session
from jido_jupyter.core.messages import Message
from jido_jupyter.core.records import START
from jido_jupyter.services import shapes
from jido_jupyter.services.shapes import openai_responses


class AgentsSession:
    """Keeps the items of the Agents SDK in an open session; each method is done, and durable, when it returns.

    What was asked in the session otherwise (with ``%%jido``, say) is part of the history, too.

    Args:
        session: an open session, as `jido.new` and `jido.resume` return it.
        session_settings: the SDK's ``SessionSettings`` or a dict: ``limit`` is how many items a run is given.
    """

    def __init__(self, session: Session, session_settings: Any = None) -> None:
        self.session_id = session.id
        self.session_settings = session_settings
        self._session = session

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Return the items, oldest first; with a limit the newest ones."""
        limit = self._limit() if limit is None else limit
        items = [item for message in said_in(self._session.messages) for item in _items(message)]
        return items if limit is None else items[-limit:] if limit > 0 else []

    async def add_items(self, items: Sequence[Any]) -> None:
        """Add items to the end.

        Raises:
            InvalidField: an item is none of the Responses API's; nothing was added.
            PayloadTooLarge, StoreError: as `Session.record`.
        """
        if items:
            await in_thread(lambda: self._session.record(list(items)))

    async def pop_item(self) -> Any | None:
        """Take the newest item away and return it; None where there is none."""
        return await in_thread(self._pop)

    async def clear_session(self) -> None:
        """Begin anew: what was said so far is no part of the conversation any more."""
        await in_thread(lambda: self._session.rewind(START) if self._session.messages else None)

    def _pop(self) -> Any | None:
        messages = said_in(self._session.messages)
        while messages:
            *messages, last = messages
            found = _items(last)
            before = messages[-1].id if messages else START
            if found:
                self._session.rewind(before)
                if found[:-1]:  # the message was more than one item
                    self._session.record(found[:-1])
                return found[-1]
        return None

    def _limit(self) -> int | None:
        settings = self.session_settings
        limit: int | None = settings.get("limit") if isinstance(settings, Mapping) else getattr(settings, "limit", None)
        return limit


def _items(message: Message) -> list[dict[str, Any]]:
    return shapes.written(message, openai_responses.SHAPE)
