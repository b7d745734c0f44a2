"""What of a conversation a model is sent: all of it while it fits, else a summary and the newest turns.

The log is never touched: a summary is a record of its own that stands for the messages up to one of them, for models
only, until an empty one undoes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from jido_jupyter.assistants.port import Assistant, Emit, Event, Notice, StepEnd, StopToken, TextDelta
from jido_jupyter.core.messages import Message, Part, Usage, text_part
from jido_jupyter.core.session import SessionState
from jido_jupyter.errors import StoreError
from jido_jupyter.services.live import LiveSession

TOKENS: Final = 100_000
TOKENS_OF: Final = {"ollama": 8_192, "lmstudio": 8_192, "vllm": 8_192}  # what runs at home remembers less
NO_LIMIT: Final = 10**12  # for the guide, which is no model
CHARACTERS: Final = 4  # of a token, on average; only the model's own tokenizer knows
OVERHEAD: Final = 4  # tokens that a message takes beside its text
LEAST: Final = 200  # characters of a message that a summary is made from, where it has so many

_SUMMARISE: Final = (
    "You write the memory of another assistant. Summarise the conversation that the user shows you, for an assistant that "
    "goes on with it and does not see it: what the user wants, what was decided and found out, names of variables, files "
    "and columns, results with their numbers, and what is still open. Write plain sentences; no greeting, no comment."
)
_STANDS_FOR: Final = "The conversation before this was left out. Its summary:\n\n"


def limit(model_id: str, setting: int | None) -> int:
    """Return how many tokens of a conversation ``model_id`` is sent at most.

    Args:
        setting: what the user set for all models [tokens]; None takes what is usual for the kind of model.
    """
    provider = model_id.partition(":")[0]
    return NO_LIMIT if provider == "guide" else setting or TOKENS_OF.get(provider, TOKENS)


def estimate(said: Sequence[Message]) -> int:
    """Return roughly how many tokens the messages take."""
    return sum(_weight(message) for message in said)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is sent, and what is neither sent nor stood for by a summary."""

    sent: tuple[Message, ...]
    left_out: tuple[Message, ...] = ()


def excerpt(state: SessionState, tokens: int) -> Excerpt:
    """Return what of a session fits into ``tokens``.

    It is cut where a question begins, never between the call of a tool and its result. What a system said before the
    first question always stays, and so does the last turn, however long it is.
    """
    if estimate(state.messages) <= tokens:
        return Excerpt(state.messages)
    opening, turns = _turns(state.messages)
    summary = () if state.summary is None else (_summary_message(str(state.summary["text"])),)
    if state.summary is not None:
        turns = _after(turns, str(state.summary["to"]))
    kept = _newest(turns, tokens - estimate((*opening, *summary)))
    cut = len(turns) - kept
    return Excerpt((*opening, *summary, *_flat(turns[cut:])), _flat(turns[:cut]))


def to_summarise(state: SessionState, tokens: int) -> tuple[Message, ...]:
    """Return what a new summary should stand for beside the one in force: so much that half of ``tokens`` is free then."""
    _, turns = _turns(state.messages)
    if state.summary is not None:
        turns = _after(turns, str(state.summary["to"]))
    return _flat(turns[: len(turns) - _newest(turns, tokens // 2)])


class Window:
    """What one turn sends, step by step; it asks for a summary once at most.

    Args:
        tokens: that the model is sent at most.
    """

    def __init__(self, live: LiveSession, assistant: Assistant, tokens: int, emit: Emit, stop: StopToken) -> None:
        self._live = live
        self._assistant = assistant
        self._tokens = tokens
        self._emit = emit
        self._stop = stop
        self._has_asked = False
        self.usage: Usage | None = None  # of the request for a summary

    async def messages(self) -> Sequence[Message]:
        """Return what is sent now."""
        found = excerpt(self._live.state, self._tokens)
        if found.left_out and not self._has_asked:
            self._has_asked = True
            await self._summarise(found)
            found = excerpt(self._live.state, self._tokens)
        return found.sent

    async def _summarise(self, found: Excerpt) -> None:
        state = self._live.state
        older = to_summarise(state, self._tokens) or found.left_out
        text: list[str] = []

        def hear(event: Event) -> None:
            if isinstance(event, TextDelta):
                text.append(event.text)

        earlier = "" if state.summary is None else str(state.summary["text"])
        asked = _request(older, earlier, self._live.now(), self._tokens)
        end = await self._assistant.step([asked], _SUMMARISE, (), hear, self._stop)
        self.usage = end.usage
        summary = "".join(text).strip()[: self._tokens * CHARACTERS // 8]
        if end.how == "complete" and summary:
            with contextlib.suppress(StoreError):  # it waits in memory, and the end of the turn tells
                self._live.summarise(summary, older[-1].id, self._assistant.model_id)
            self._emit(Notice(self._told(older, "were sent as a summary, which '%jido summary' shows")))
        elif not self._stop.is_stopped:
            self._emit(Notice(f"{self._told(found.left_out, 'were not sent')} {_why(end)}"))

    def _told(self, older: Sequence[Message], what: str) -> str:
        return (
            f"The conversation is longer than the {self._tokens:,} tokens that {self._assistant.label} is sent: "
            f"{len(older)} older messages {what}. All of them stay stored."
        )


def _why(end: StepEnd) -> str:
    reason = end.error or "The model gave none."
    return f"No summary of them could be made. {reason} JIDO_CONTEXT_TOKENS sets how much is sent."


def _turns(said: Sequence[Message]) -> tuple[tuple[Message, ...], list[tuple[Message, ...]]]:
    """Return what a system said first, and the turns: each a question with what led to it and what came of it."""
    first = next((place for place, message in enumerate(said) if message.role != "system"), len(said))
    turns: list[list[Message]] = []
    for message in said[first:]:
        leads = message.role == "system" and turns and turns[-1][-1].role != "system"
        asks = message.role == "user" and not (turns and all(before.role == "system" for before in turns[-1]))
        if not turns or leads or asks:
            turns.append([])
        turns[-1].append(message)
    return tuple(said[:first]), [tuple(turn) for turn in turns]


def _after(turns: Sequence[tuple[Message, ...]], message_id: str) -> list[tuple[Message, ...]]:
    """Return the turns after the one that holds a message; the last one at least."""
    place = next((place for place, turn in enumerate(turns) if any(said.id == message_id for said in turn)), -1)
    return list(turns[min(place + 1, len(turns) - 1) :])


def _newest(turns: Sequence[tuple[Message, ...]], tokens: int) -> int:
    """Return how many of the last turns fit into ``tokens``; the last one always counts as one that does."""
    sizes = accumulate(estimate(turn) for turn in reversed(turns))
    return max(sum(size <= tokens for size in sizes), min(1, len(turns)))


def _flat(turns: Sequence[tuple[Message, ...]]) -> tuple[Message, ...]:
    return tuple(message for turn in turns for message in turn)


def _weight(message: Message) -> int:
    return OVERHEAD + sum(map(_length, message.parts)) // CHARACTERS


def _length(part: Part) -> int:
    """Return how many characters of a part are sent; what a model thought before is not."""
    kind = part.get("type")
    if kind == "text":
        return len(part["content"])
    if kind == "tool_call":
        return len(part["name"]) + len(str(part.get("arguments") or ""))
    return len(str(part["response"])) if kind == "tool_call_response" else 0


def _summary_message(text: str) -> Message:
    return Message("summary", "system", (text_part(f"{_STANDS_FOR}{text}"),), "")


def _request(older: Sequence[Message], earlier: str, now: str, tokens: int) -> Message:
    """Return the question for a summary. It takes three quarters of ``tokens``: long messages are shortened for it."""
    room = tokens * CHARACTERS * 3 // 4 - len(earlier)
    shown = older[-max(1, room // LEAST) :]
    share = max(LEAST, room // len(shown))
    lines = [f"{message.role}: {_middle_out(_read_out(message), share)}" for message in shown]
    before = f"What was said before that, as a summary:\n{earlier}\n\n" if earlier else ""
    return Message("summary", "user", (text_part(f"{before}The conversation:\n\n" + "\n\n".join(lines)),), now)


def _read_out(message: Message) -> str:
    """Return a message as text, with the tools that were used."""
    told = [
        f"[used {part['name']}: {part.get('arguments')}]"
        if part["type"] == "tool_call"
        else f"[it gave: {part['response']}]"
        for part in message.parts
        if part["type"] in ("tool_call", "tool_call_response")
    ]
    return "\n".join(filter(None, (message.text, *told)))


def _middle_out(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length // 2]} … {text[len(text) - length // 2 :]}"
