"""Each fault of a server at each door of a kernel: what is shown is what is stored, and neither claims to be complete.

The questions of a door go on in one session, so that each request after a fault carries all broken turns before it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.kernels import Kernel, running
from tests.support.openai_loopback import FAULTS, Loopback, what_is_wrong

PIECE = re.compile(r"part\d+ ?")  # of an answer that is going to break
MODELS = (
    "err-429",
    "err-500",
    "hang",
    *(f"{fault}-5" for fault in FAULTS),  # in the answer
    *(f"tool+args+{fault}-2" for fault in FAULTS),  # in the arguments of a tool
    *(f"tool+{fault}-5" for fault in FAULTS),  # in the answer behind a tool
)

START = """
import json
import jido_jupyter as jido
from jido_jupyter.assistants.sources import ServerSource
from jido_jupyter.notebook.kernel import kernel
from tests.support.openai_loopback import patience_s

def use(model):
    ServerSource.__init__.__defaults__ = (patience_s(model),)  # no minutes of silence in a test
    kernel().choose_model("openai:" + model)

def stored(question):
    said = kernel().sessions.show(kernel().session.id).state.messages
    place = max(n for n, message in enumerate(said) if message.text == question)
    return [{"role": m.role, "text": m.text, "status": m.status, "error": m.error} for m in said[place + 1 :]]

jido.new("Faults")
"""


@dataclass(frozen=True)
class Shown:
    """What a user sees of a turn."""

    text: str  # the pieces of the answer, joined
    is_complete: bool


class Door:
    """A way to ask in a real kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def ask(self, question: str) -> Shown:
        raise NotImplementedError

    def told(self, code: str) -> Any:
        """Return what a cell prints, as JSON."""
        ran = self.kernel.run(code)
        assert ran.status == "ok", ran.error
        return json.loads(ran.text)


class Magic(Door):
    """``%%jido``; its HTML and its plain text are the same."""

    def ask(self, question: str) -> Shown:
        ran = self.kernel.run(f"%%jido\n{question}")
        assert ran.status == "ok", ran.error
        assert pieces(ran.html) == pieces(ran.text)
        told = "[failed" in ran.text or "[cut off" in ran.text
        assert told == ("jido-warn'>failed" in ran.html or "jido-warn'>cut off" in ran.html)
        return Shown(pieces(ran.text), not told)


class Python(Door):
    """``session.ask``."""

    def ask(self, question: str) -> Shown:
        events, status = self.told(
            "events = []\n"
            f"turn = jido.current().ask({question!r}, show=events.append)\n"
            "deltas = [event.text for event in events if type(event).__name__ == 'TextDelta']\n"
            "print(json.dumps([''.join(deltas), turn.answer.status]))"
        )
        return Shown(pieces(events), status == "complete")


class Panel(Door):
    """The messages that the panel's page sends and gets."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        ran = kernel.run(
            "from jido_jupyter.notebook.panel import panel_of\nprint(json.dumps(panel_of(kernel()).comm.comm_id))"
        )
        self._comm_id = json.loads(ran.text)
        self._number = 0

    def ask(self, question: str) -> Shown:
        self._send("ask", prompt=question)
        streamed: dict[str, str] = {}  # by message
        status = ""
        for event in self._events():
            kind = event.get("event") or event["kind"]
            assert "problem" not in event, event
            if kind == "delta":
                streamed[event["message_id"]] = streamed.get(event["message_id"], "") + event["text"]
            elif kind == "said" and event["message"]["role"] == "assistant":
                message = event["message"]
                said = "".join(part["content"] for part in message["parts"] if part["type"] == "text")
                assert streamed.get(message["id"], "") == said
                status = message.get("status", "complete")
            elif kind == "turn_end":
                break
        return Shown(pieces("".join(streamed.values())), status == "complete")

    def _send(self, method: str, **params: Any) -> None:
        self._number += 1
        request = {"kind": "request", "id": self._number, "method": method, "params": params}
        content = {"comm_id": self._comm_id, "data": {"method": "custom", "content": request}}
        client = self.kernel.client
        client.shell_channel.send(client.session.msg("comm_msg", content))

    def _events(self, timeout_s: float = 30) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            got = self.kernel.client.get_iopub_msg(timeout=timeout_s)
            is_ours = got["msg_type"] == "comm_msg" and got["content"]["comm_id"] == self._comm_id
            if is_ours and (data := got["content"]["data"])["method"] == "custom":
                yield data["content"]
        raise AssertionError(f"the turn did not end within {timeout_s} s")


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


@pytest.fixture(scope="module", params=[Magic, Python, Panel], ids=lambda door: door.__name__)
def door(request: pytest.FixtureRequest, server: Loopback, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home: Path = tmp_path_factory.mktemp(request.param.__name__)
    with running(home, OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k") as kernel:
        for code in ("%load_ext jido_jupyter", START):
            ran = kernel.run(code)
            assert ran.status == "ok", ran.error
        yield request.param(kernel)


@pytest.mark.parametrize("model", MODELS)
def test_fault(door: Door, server: Loopback, model: str) -> None:
    """Shown is stored, it says that it is not complete, all that left the server is there; the next question is fine."""
    question = f"question with {model}"
    door.told(f"use({model!r}); print(0)")
    before = len(server.requests)

    shown = door.ask(question)

    said = door.told(f"print(json.dumps(stored({question!r})))")
    asked = [request for request in server.requests[before:] if request.body]
    sent = "".join(piece for request in asked for piece in request.sent)
    assert said[-1]["role"] == "assistant"
    assert said[-1]["status"] in ("failed", "truncated")
    assert said[-1]["error"] or said[-1]["status"] == "truncated"
    assert not shown.is_complete
    assert shown.text == pieces("".join(message["text"] for message in said))
    assert shown.text == sent or ("reset" in model and sent.startswith(shown.text))
    assert ("tool" in [message["role"] for message in said]) == (model.startswith("tool+") and "args" not in model)

    door.told("use('echo'); print(0)")
    after = door.ask("and now?")

    request = server.requests[-1]
    assert after.is_complete
    assert what_is_wrong(request.body["messages"]) == ""
    assert request.messages[-1] == ("user", "and now?") or request.messages[-1][1].endswith("\n\nand now?")
    assert question in str(request.messages)
    assert shown.text.strip() in str(request.messages)


def pieces(text: str) -> str:
    """Return the pieces of an answer in what was shown around it."""
    return "".join(piece if piece.endswith(" ") else f"{piece} " for piece in PIECE.findall(text))
