"""A turn as it streams: outputs that grow in a notebook, printed pieces in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from typing import Final, Protocol

from jido_jupyter.assistants.port import Began, Event, Notice, ReasoningDelta, Said, TextDelta, ToolCall, ToolEnd
from jido_jupyter.core.messages import Message
from jido_jupyter.core.text import printable
from jido_jupyter.notebook import blocks, view
from jido_jupyter.notebook.blocks import Block, Call, Text, Thought, Told
from jido_jupyter.notebook.view import Bundle

GAP_S: Final = 0.06  # between two updates of a streaming answer


class View(Protocol):
    def add(self, event: Event) -> None:
        """Take the next event of a turn."""

    def flush(self) -> None:
        """Show what has come."""

    def pause(self) -> None:
        """Show what has come; something else is shown next."""

    def finish(self, footer: str, warning: str = "") -> None:
        """Show how the turn ended."""


class Growing:
    """What a turn is shown as, so far."""

    def __init__(self) -> None:
        self._settled: list[Block] = []  # of messages that are whole
        self._growing: list[Block] = []  # of the message that is being written
        self._starts = [0]  # where each page begins among the settled blocks
        self.size = 0  # characters of the last page

    @property
    def pages(self) -> list[list[Block]]:
        """The blocks, parted where something else was shown; only how their calls ended changes in all but the last."""
        parted = [self._settled[start:end] for start, end in zip(self._starts, self._starts[1:], strict=False)]
        return [*parted, [*self._settled[self._starts[-1] :], *self._growing]]

    def turn_page(self) -> None:
        """Let what comes next stand on a page of its own; an empty one is not left behind."""
        if len(self._settled) > self._starts[-1]:
            self._starts.append(len(self._settled))
            self.size = 0

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._grow(Text, text)
            case ReasoningDelta(text):
                self._grow(Thought, text)
            case Began():
                self._settle(self._growing)
            case ToolCall():
                call = Call(event.id, event.name, dict(event.arguments), "runs")
                if not self._change(event.id, lambda _: call):
                    self._growing.append(call)
            case ToolEnd():
                self._change(event.id, lambda call: replace(call, outcome=event.outcome, is_shown=event.is_shown))
            case Said(message):
                self._say(message)
            case Notice(text):
                self._growing.append(Told(text))

    def _grow(self, kind: type[Text] | type[Thought], text: str) -> None:
        self.size += len(text)
        last = self._growing[-1] if self._growing else None
        if isinstance(last, kind):
            self._growing[-1] = kind(last.text + text)
        else:
            self._growing.append(kind(text))

    def _change(self, call_id: str, become: Callable[[Call], Call]) -> bool:
        """Change a call that is not over, and return whether there is one; ids come again in later steps."""
        for place, block in enumerate(self._settled):
            if isinstance(block, Call) and block.id == call_id and block.response is None:
                self._settled[place] = become(block)
                return True
        return False

    def _say(self, message: Message) -> None:
        """Show what is stored: from here on that is what counts."""
        if message.role == "assistant":
            told = [block for block in self._growing if isinstance(block, Told)]
            self._settle([*told, *blocks.of(message)])
        else:
            results = blocks.results_of([message])
            self._settled = [
                blocks.ended(block, results) if isinstance(block, Call) and block.response is None else block
                for block in self._settled
            ]

    def _settle(self, found: list[Block]) -> None:
        self._settled += found
        self._growing = []


class Live:
    """One output that grows with a turn, and a new one behind each thing that is shown in between.

    Their mime types never change, so that they do not flicker. Source: JupyterLab reuses a renderer as long as the preferred
    mime type of an output stays the same.
    """

    def __init__(self) -> None:
        self._turn = Growing()
        self._outputs: list[_Output] = []  # of the pages
        self._is_shown = False
        self._shown_at = 0.0

    def add(self, event: Event) -> None:
        self._turn.add(event)
        self._is_shown = False
        # Rendering grows with the text, and so does the pause between two of them.
        if time.monotonic() - self._shown_at >= max(GAP_S, self._turn.size / 200_000):
            self.flush()

    def flush(self) -> None:
        if not self._is_shown:
            self._show()

    def pause(self) -> None:
        self.flush()
        self._turn.turn_page()

    def finish(self, footer: str, warning: str = "") -> None:
        self._show(footer, warning)

    def _show(self, footer: str = "", warning: str = "") -> None:
        *above, last = self._turn.pages
        for output, found in zip(self._outputs, above, strict=False):
            output.show(found)
        if len(self._outputs) == len(above) and (last or footer or not above):
            self._outputs.append(_Output())
        if len(self._outputs) > len(above):
            self._outputs[-1].show(last if last or footer else [Text("…")], footer, warning)
        self._is_shown, self._shown_at = True, time.monotonic()


class _Output:
    """One output of a cell, shown anew in its place."""

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self._handle = DisplayHandle()
        self._put = self._handle.display  # at first
        self._shown: tuple[Sequence[Block], str, str] | None = None

    def show(self, found: Sequence[Block], footer: str = "", warning: str = "") -> None:
        if (found, footer, warning) != self._shown:
            self._put(_answer(found, footer, warning), raw=True)
            self._put = self._handle.update
            self._shown = (found, footer, warning)


class Printed:
    """The same for a terminal, where an update would print everything anew."""

    def __init__(self) -> None:
        self._kind: type[Event] | None = None  # of the piece that the last line ends with; None: it is ended
        self._seen: set[str] = set()  # ids of the calls of this step whose results were shown as they came

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._piece(event, text)
            case ReasoningDelta(text):
                self._piece(event, text if self._kind is ReasoningDelta else f"[thinking] {text}")
            case ToolCall():
                self._line(Call(event.id, event.name, dict(event.arguments), "runs").plain)
            case ToolEnd(call_id, is_shown=True):
                self._seen.add(call_id)
            case Notice(text):
                self._line(Told(text).plain)
            case Said(message):
                self._say(message)

    def flush(self) -> None:
        pass

    def pause(self) -> None:
        if self._kind is not None:
            print()
            self._kind = None

    def finish(self, footer: str, warning: str = "") -> None:
        for line in (warning, f"[{footer}]"):
            if line:
                self._line(line)

    def _say(self, message: Message) -> None:
        if ending := blocks.ending_of(message):
            self._line(Told(ending).plain)
        for result in blocks.results_of([message]).values():
            self._line(replace(result, name="result", is_shown=result.id in self._seen).plain)
            self._seen.discard(result.id)

    def _piece(self, event: Event, text: str) -> None:
        if self._kind is not type(event):
            self.pause()
            self._kind = type(event)
        print(printable(text), end="", flush=True)

    def _line(self, text: str) -> None:
        self.pause()
        print(printable(text), flush=True)


def _answer(found: Sequence[Block], footer: str = "", warning: str = "") -> Bundle:
    html = blocks.html(found)
    html += f"<div class='jido-warn'>{view.lines(warning)}</div>" if warning else ""
    html += f"<div class='jido-foot'>{escape(printable(footer))}</div>" if footer else ""
    parts = (blocks.plain(found), warning, f"[{footer}]" if footer else "")
    return view.bundle(html, "\n".join(part for part in parts if part))
