"""What a message is shown as: text, folded thoughts, folded tool calls with their results; each as HTML and as plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final

from jido_jupyter.core.messages import Message, Part
from jido_jupyter.core.text import one_line, printable
from jido_jupyter.notebook import view
from jido_jupyter.notebook.code import highlighted

LONGEST: Final = 20_000  # characters of what a tool was given or gave back; all of it is in the JSON export
BRIEF: Final = 80  # characters of arguments in a folded line

_ENDINGS: Final = {
    "interrupted": "interrupted - what had arrived is kept",
    "failed": "failed",
    "truncated": "cut off before its end",
}


@dataclass(frozen=True, slots=True)
class Text:
    text: str

    @property
    def html(self) -> str:
        from jido_jupyter.notebook import markdown  # not at the top: listing sessions needs no Markdown

        return f"<div class='{view.MATH}'>{markdown.to_html(self.text)}</div>" if self.text else ""

    @property
    def plain(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Asked:
    """Text of a user: shown letter for letter."""

    text: str

    @property
    def html(self) -> str:
        return f"<p>{view.lines(self.text)}</p>"

    @property
    def plain(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Thought:
    text: str

    @property
    def html(self) -> str:
        return _folded("Thinking", f"<div>{view.lines(self.text)}</div>")

    @property
    def plain(self) -> str:
        return f"[thinking] {self.text}"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; ``response`` is None until it is over, and left out where the user saw it already."""

    id: str
    name: str
    arguments: Any
    outcome: str = "waits"
    response: str | None = None
    is_shown: bool = False

    @property
    def html(self) -> str:
        given, language = _given(self.arguments)
        inside = f"<pre class='jido-box'>{highlighted(_capped(given), language)}</pre>" if given else ""
        if self.response is not None and not self.is_shown:
            inside += f"<pre class='jido-box'>{escape(printable(_capped(self.response)))}</pre>"
        return _folded(self._line, inside)

    @property
    def plain(self) -> str:
        told = "" if self.response is None or self.is_shown else f"\n{_indented(_capped(self.response))}"
        given, language = _given(self.arguments)
        code = f"\n{_indented(_capped(given))}" if language == "python" else ""
        return f"[tool] {self._line}{code}{told}"

    @property
    def _line(self) -> str:
        given, _ = _given(self.arguments)
        others = _others(self.arguments)
        brief = one_line(_texted(others) if others else given, BRIEF)
        return f"{one_line(self.name, BRIEF)}({brief}) · {self.outcome}"


@dataclass(frozen=True, slots=True)
class Attached:
    """What went with a question."""

    name: str
    text: str

    @property
    def html(self) -> str:
        return _folded(
            f"Attached: {one_line(self.name, BRIEF)}", f"<pre class='jido-box'>{escape(printable(self.text))}</pre>"
        )

    @property
    def plain(self) -> str:
        return f"[attached {one_line(self.name, BRIEF)}]\n{_indented(self.text)}"


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of ours among what was said."""

    text: str
    is_warning: bool = False

    @property
    def html(self) -> str:
        return f"<div class='{'jido-warn' if self.is_warning else 'jido-dim'}'>{view.lines(self.text)}</div>"

    @property
    def plain(self) -> str:
        return f"[{self.text}]"


Block = Text | Asked | Thought | Call | Attached | Told


def of(message: Message, results: Mapping[str, Call] | None = None) -> list[Block]:
    """Return what a message is shown as.

    Args:
        results: calls that are over, by id, as `results_of` returns them.
    """
    found = [_block(message, part, results or {}) for part in message.parts]
    blocks = [block for block in found if block is not None]
    if ending := ending_of(message):
        blocks.append(Told(ending, is_warning=True))
    return blocks


def results_of(said: Iterable[Message]) -> dict[str, Call]:
    """Return how tool calls ended, by id; a call's name and arguments stand in the message that made it."""
    return {
        str(part["id"]): Call(
            str(part["id"]), "", None, str(part.get("outcome") or _outcome(message)), _texted(part["response"])
        )
        for message in said
        for part in message.parts
        if part.get("type") == "tool_call_response"
    }


def ended(call: Call, results: Mapping[str, Call]) -> Call:
    """Return a call with its result, where there is one."""
    result = results.get(call.id)
    return call if result is None else replace(call, outcome=result.outcome, response=result.response)


def ending_of(message: Message) -> str:
    """Return how a message ended; nothing for one that is complete, and for one of a tool, whose calls say so."""
    if message.status == "complete" or message.role == "tool":
        return ""
    return f"{_ENDINGS[message.status]}{': ' + message.error if message.error else ''}"


def html(blocks: Sequence[Block]) -> str:
    return "".join(block.html for block in blocks)


def plain(blocks: Sequence[Block]) -> str:
    return "\n".join(text for block in blocks if (text := block.plain))


def _block(message: Message, part: Part, results: Mapping[str, Call]) -> Block | None:
    kind = part.get("type")
    if kind == "text":
        if isinstance(name := part.get("attached"), str):
            return Attached(name, part["content"].strip("\n"))
        return Text(part["content"]) if message.role == "assistant" else Asked(part["content"])
    if kind == "reasoning":
        return Thought(part["content"])
    if kind == "tool_call":
        return ended(Call(str(part["id"]), str(part["name"]), part.get("arguments")), results)
    if kind == "tool_call_response":
        return None  # stands with its call
    return Told(f"{one_line(str(kind), BRIEF)}: all of it is in the JSON export")


def _outcome(message: Message) -> str:
    return "interrupted" if message.status == "interrupted" else "done"


def _given(arguments: Any) -> tuple[str, str]:
    """Return a tool's arguments as text, and the language that it is in; code alone, where there is any."""
    if isinstance(arguments, Mapping) and isinstance(code := arguments.get("code"), str):
        return code, "python"
    return ("", "") if arguments in (None, {}) else (_texted(arguments), "json")


def _others(arguments: Any) -> dict[str, Any]:
    """Return what stands beside the code."""
    if not isinstance(arguments, Mapping) or not isinstance(arguments.get("code"), str):
        return {}
    return {name: value for name, value in arguments.items() if name != "code"}


def _texted(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _capped(text: str) -> str:
    left_out = len(text) - LONGEST
    return text if left_out <= 0 else f"{text[:LONGEST]}\n… {left_out:,} characters more are in the JSON export."


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _folded(line: str, inside: str) -> str:
    if not inside:
        return f"<div class='jido-dim'>{escape(printable(line))}</div>"
    return f"<details class='jido-fold'><summary>{escape(printable(line))}</summary>{inside}</details>"
