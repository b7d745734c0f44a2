"""What sessions hold: turns of a question and an answer, every third answer with a nested tool call, in made-up words.

Texts have 200 to 4,000 characters; six messages are about 10 KB. The same seed gives the same sessions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, Final

import orjson

from jido_jupyter.core import ids, records
from jido_jupyter.core.messages import Message, text_part, to_wire
from jido_jupyter.core.records import Record
from jido_jupyter.core.times import stamp

COMMON: Final = "model"  # a word of nearly every session
RARE: Final = "quokka"  # a word of one in `RARITY`
RARITY: Final = 500
_BEGINNING: Final = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)


class Author:
    """Writes sessions.

    Args:
        seed: of everything that is random.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        made_up = ["".join(self._random.choices(_SYLLABLES, k=self._random.randint(1, 4))) for _ in range(3000)]
        self._words = [COMMON, *made_up]
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))
        self._now = _BEGINNING

    def session_id(self) -> str:
        return ids.from_random(self._random.randbytes(ids.ID_BYTES))

    def now(self) -> str:
        """Return a moment after all before it."""
        self._now += timedelta(seconds=self._random.randint(1, 600))
        return stamp(self._now)

    def turn(self, longest: int = 4000) -> list[Message]:
        """Return a question and its answer.

        Args:
            longest: text [characters].
        """
        question = self._message("user", self._text(200, longest // 2))
        answer = self._message("assistant", self._text(200, longest), "openai:gpt-5")
        return [question, answer]

    def turns(self, size: int) -> list[list[Message]]:
        """Return as many turns as take ``size`` bytes."""
        found, length = [], 0
        while length < size:
            turn = self.turn()
            length += len(orjson.dumps([to_wire(message) for message in turn]))
            found.append(turn)
        return found

    def turn_of(self, size: int) -> Record:
        """Return a turn as a record of exactly ``size`` bytes before it is sealed."""
        at = self.now()
        said = [self._message("user", self._text(300, 400)), self._message("assistant", "", "openai:gpt-5")]
        room = size - len(orjson.dumps(records.messages(said, at)))
        text = self._text(room, room).encode("ascii", "ignore").decode().ljust(room, ".")[:room]
        parts = [part if part["type"] != "text" else text_part(text) for part in said[1].parts]
        said[1] = Message(said[1].id, "assistant", tuple(parts), said[1].created_at, model=said[1].model)
        return records.messages(said, at)

    def log(self, turns: Sequence[Sequence[Message]]) -> list[Record]:
        """Return the log of a session with a record for each turn."""
        return [records.messages(turn, self.now()) for turn in turns]

    def small_session(self, number: int) -> tuple[Record, list[Record]]:
        """Return header and log of one of many sessions, 2 to 3 KB long."""
        question, answer = self.turn(1600)
        if number % RARITY == 0:
            rare = text_part(f"{question.text} {RARE}")
            question = Message(question.id, "user", (rare,), question.created_at)
        at = self.now()
        notebook = {"notebook": f"reports/{number % 40}.ipynb"}
        log = [records.meta(notebook, at), records.messages([question, answer], at)]
        return records.header(self.session_id(), at), log

    def _message(self, role: Any, text: str, model: str | None = None) -> Message:
        parts = [text_part(text)]
        if role == "assistant" and text and self._random.random() < 0.3:
            parts += self._tool_call()
        return Message(self.session_id(), role, tuple(parts), self.now(), model=model)

    def _tool_call(self) -> Iterator[dict[str, Any]]:
        call_id = f"call_{self.session_id()}"
        steps = [{"op": self._text(5, 12), "axis": number, "options": {"deep": True}} for number in range(3)]
        yield {
            "type": "tool_call",
            "id": call_id,
            "name": "run",
            "arguments": {"code": self._text(80, 200), "steps": steps},
        }
        rows = [{"row": number, "score": self._random.random(), "label": self._text(5, 20)} for number in range(5)]
        yield {"type": "tool_call_response", "id": call_id, "response": {"ok": True, "rows": rows}}

    def _text(self, least: int, most: int) -> str:
        length = self._random.randint(least, most)
        words = self._random.choices(self._words, cum_weights=self._weights, k=length // 4 + 2)
        text = " ".join(words)
        return text[:length] if len(text) >= length else text.ljust(length, ".")


_SYLLABLES: Final = "an ber co da er fo gra hi in ju ka lo mi no o pre qua re si tä u ver wö x yl zo".split()  # noqa: SIM905
