"""A real HTTP server on 127.0.0.1 that speaks enough of OpenAI's and Anthropic's protocols to test without a network.

Standard library only, one thread per connection, so it runs beside any event loop, in pytest and beside a kernel::

    with Loopback() as server:
        ...  # OPENAI_BASE_URL=server.url; afterwards server.requests[-1].body

    python -m tests.support.openai_loopback 8123    # serves until interrupted; prints its address

The *model name* picks the behaviour, "+" combines (``count-200+delay-5``), what stands before a "/" is ignored:

===============  =====================================================================================
echo             answers with the last user message, a word per delta; so does any unknown name
count-200        200 numbered deltas
context          answers with all user messages before the last one, numbered
think            reasoning first, then as echo
tool, tools-3    calls the first offered tool (3 times at once), then reports what it returned
+args            its arguments are an object in pieces of 4 characters; the faults below then cut these
+wrongargs       its arguments are an object that no tool knows
+badargs         its arguments are half an object, although the answer ends well
+unknown         calls a tool that was not offered
+endless         calls again after each result, with the same id each time
+stop            ends with "stop" although it calls
delay-20         20 ms before each delta
length           finish_reason "length"
nousage          never sends token counts
mute             finishes without a word
err-401          always that status, with an OpenAI error body; "+leak" repeats the key in it
flaky-2-500      that status for the first 2 requests with this model name, then as echo
drop-5           5 deltas, then the connection ends inside the body
reset-5          the same with a TCP reset
eof-5            5 deltas, then a clean end without finish_reason and without [DONE]
stall-5          5 deltas, then silence
hang             silence before the first byte
errchunk-5       5 deltas, then an error event, as vLLM and OpenRouter send them
garbage-5        5 deltas, then broken JSON
===============  =====================================================================================

Like OpenAI it refuses (400) calls without results right behind them, and results without a call.
Also served: POST /v1/messages, Anthropic's dialect, with the same names; GET /v1/models, and Ollama's GET /api/tags and /api/version.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SILENT = ("stall", "hang")  # what needs a client that waits for a short time only
MODELS = ("echo", "count-200", "context", "think")
ARGUMENTS = {
    "args": '{"text": "a value long enough to be cut", "n": 1}',
    "wrongargs": '{"unheard_of": 1}',
    "badargs": '{"text": "never e',
}
FAULTS = ("drop", "reset", "eof", "stall", "errchunk", "garbage")
_POLL_S = 0.01  # how often a silent server looks whether the client is still there


@dataclass
class Seen:
    """One request, and what became of it."""

    method: str
    path: str
    headers: dict[str, str]  # names in small letters
    body: dict[str, Any]
    sent: list[str] = field(default_factory=list)  # pieces of text that left the server
    cut: bool = False  # the client went away before the end
    over: threading.Event = field(default_factory=threading.Event)  # the server is done with it

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Role and text of the messages that came."""
        return [(_role(message), _text(message.get("content"))) for message in self.body.get("messages", [])]


@dataclass(frozen=True)
class Plan:
    """What the assistant is going to say."""

    pieces: list[str]
    reasoning: list[str]
    tool_calls: list[dict[str, Any]]
    finish: str


class Loopback:
    """The server as a context manager; port 0 takes a free one."""

    def __init__(self, port: int = 0) -> None:
        self._http = _Server(("127.0.0.1", port), _Handler)
        self.root = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.url = f"{self.root}/v1"

    @property
    def requests(self) -> list[Seen]:
        """What came so far, oldest first."""
        return self._http.seen

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return self._http.connections

    def __enter__(self) -> Loopback:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.closing.set()
        self._http.shutdown()
        self._http.server_close()


class _ClientGoneError(Exception):
    """The client closed the connection."""


class _CutError(Exception):
    """The server ends the answer here, as its plan says."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.seen: list[Seen] = []
        self.tries: dict[str, int] = {}
        self.connections = 0  # open now
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that resets its connection is normal
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        pass

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def finish(self) -> None:
        with self.server.lock:
            self.server.connections -= 1
        super().finish()

    def do_GET(self) -> None:
        self._remember({}).over.set()
        entries: dict[str, Any] = {
            "/v1/models": {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]},
            "/api/tags": {"models": [{"name": name, "model": name, "size": 0} for name in MODELS]},
            "/api/version": {"version": "0.0.0-loopback"},
        }
        found = entries.get(self.path.split("?")[0])
        self._reply(200, found) if found else self._reply_error(404, f"not served: {self.path}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        seen = self._remember(body)
        try:
            self._answer(seen)
        except (_ClientGoneError, BrokenPipeError, ConnectionResetError):
            seen.cut, self.close_connection = True, True
        except _CutError:
            self.close_connection = True
        finally:
            seen.over.set()

    def _answer(self, seen: Seen) -> None:
        options = parse(seen.body.get("model", "echo"))
        path = self.path.split("?")[0]
        if path not in ("/v1/chat/completions", "/v1/messages"):
            self._reply_error(404, f"not served: {self.path}")
        elif status := self._planned_status(seen.body["model"], options):
            leak = f" to {self.headers.get('Authorization')}" if "leak" in options else ""
            self._reply_error(status, f"loopback says {status}{leak}")
        elif wrong := what_is_wrong(seen.body.get("messages", [])):
            self._reply_error(400, wrong)
        else:
            if "hang" in options:
                self._be_silent()
            self._start_events() if seen.body.get("stream") else None
            (self._speak_anthropic if path == "/v1/messages" else self._speak)(seen, options)

    def _start_events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _planned_status(self, model: str, options: dict[str, list[int]]) -> int:
        if "flaky" in options:
            failures, status = options["flaky"]
            with self.server.lock:
                self.server.tries[model] = self.server.tries.get(model, 0) + 1
                return status if self.server.tries[model] <= failures else 0
        return options.get("err", [0])[0]

    def _speak(self, seen: Seen, options: dict[str, list[int]]) -> None:
        plan = make_plan(seen, options)
        counted = sum(len(text.split()) for _, text in seen.messages)
        usage = {"prompt_tokens": counted, "completion_tokens": len(plan.pieces)}
        usage["total_tokens"] = sum(usage.values())
        base = {"id": f"chatcmpl-{len(self.server.seen)}", "created": 1700000000, "model": seen.body["model"]}
        if not seen.body.get("stream"):
            message: dict[str, Any] = {"role": "assistant", "content": "".join(plan.pieces) or None}
            if plan.tool_calls:
                message["tool_calls"] = plan.tool_calls
            choice = {"index": 0, "message": message, "finish_reason": plan.finish}
            counts = {} if "nousage" in options else {"usage": usage}
            self._reply(200, {**base, "object": "chat.completion", "choices": [choice], **counts})
            return

        def chunk(delta: dict[str, Any], finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            self._event({**base, "object": "chat.completion.chunk", "choices": [choice]})

        chunk({"role": "assistant", "content": ""})
        for thought in plan.reasoning:
            chunk({"reasoning_content": thought})
        for piece in self._until_fault(plan.pieces, options):
            chunk({"content": piece})
            seen.sent.append(piece)
        for index, call in enumerate(plan.tool_calls):
            arguments = call["function"]["arguments"]
            chunk({"tool_calls": [{"index": index, **call, "function": {**call["function"], "arguments": ""}}]})
            for piece in self._until_fault(_in_fours(arguments), options):
                chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        chunk({}, plan.finish)
        if (seen.body.get("stream_options") or {}).get("include_usage") and "nousage" not in options:
            self._event({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        self._event(b"[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _speak_anthropic(self, seen: Seen, options: dict[str, list[int]]) -> None:
        plan = make_plan(seen, options)
        counted = sum(len(text.split()) for _, text in seen.messages)

        def event(kind: str, **content: Any) -> None:
            self._event({"type": kind, **content}, kind)

        def block(index: int, start: dict[str, Any], deltas: Iterator[dict[str, Any]]) -> None:
            event("content_block_start", index=index, content_block=start)
            for delta in deltas:
                event("content_block_delta", index=index, delta=delta)
            event("content_block_stop", index=index)

        def texts() -> Iterator[dict[str, Any]]:
            for piece in self._until_fault(plan.pieces, options):
                yield {"type": "text_delta", "text": piece}
                seen.sent.append(piece)

        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": seen.body["model"], "content": []}
        usage = {"input_tokens": counted, "output_tokens": 1}
        event("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})
        if plan.reasoning:
            thoughts = ({"type": "thinking_delta", "thinking": thought} for thought in plan.reasoning)
            block(0, {"type": "thinking", "thinking": "", "signature": ""}, thoughts)
        if plan.pieces:
            block(1, {"type": "text", "text": ""}, texts())
        for index, call in enumerate(plan.tool_calls, 2):
            start = {"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": {}}
            pieces = self._until_fault(_in_fours(call["function"]["arguments"]), options)
            block(index, start, ({"type": "input_json_delta", "partial_json": piece} for piece in pieces))
        reasons = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
        delta = {"stop_reason": reasons[plan.finish], "stop_sequence": None}
        event("message_delta", delta=delta, usage={"output_tokens": len(plan.pieces)})
        event("message_stop")
        self.wfile.write(b"0\r\n\r\n")

    def _until_fault(self, pieces: list[str], options: dict[str, list[int]]) -> Iterator[str]:
        fault = next((name for name in FAULTS if name in options), "")
        for number, piece in enumerate(pieces):
            if fault and number == options[fault][0]:
                self._break_off(fault)
            time.sleep(options.get("delay", [0])[0] / 1000)
            if self._client_left():
                raise _ClientGoneError
            yield piece

    def _break_off(self, fault: str) -> None:
        if fault == "stall":
            self._be_silent()
        if fault == "errchunk":
            trouble = {"message": "loopback upstream failed", "type": "upstream", "code": 502}
            self._event({"type": "error", "error": trouble}, "error" if "messages" in self.path else "")
        if fault == "garbage":
            self._event(b"{broken", "content_block_delta" if "messages" in self.path else "")
        if fault in ("eof", "errchunk", "garbage"):
            self.wfile.write(b"0\r\n\r\n")
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        raise _CutError

    def _be_silent(self) -> None:
        while not self.server.closing.wait(_POLL_S):
            if self._client_left():
                raise _ClientGoneError
        raise _CutError

    def _client_left(self) -> bool:
        is_readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(is_readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def _remember(self, body: dict[str, Any]) -> Seen:
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, body)
        with self.server.lock:
            self.server.seen.append(seen)
        return seen

    def _event(self, content: dict[str, Any] | bytes, kind: str = "") -> None:
        head = f"event: {kind}\n".encode() if kind else b""
        data = head + b"data: " + (content if isinstance(content, bytes) else json.dumps(content).encode()) + b"\n\n"
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _reply_error(self, status: int, message: str) -> None:
        self._reply(status, {"error": {"message": message, "type": "loopback", "code": str(status)}})

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status >= 400:
            # openai waits half a second and more on "Retry-After: 0"; it obeys this one.
            self.send_header("retry-after-ms", "10")
        self.end_headers()
        self.wfile.write(data)


def parse(model: str) -> dict[str, list[int]]:
    """Return the options in a model name.

    >>> parse("anything/count-200+delay-5")
    {'count': [200], 'delay': [5]}
    """
    options = {}
    for option in model.rpartition("/")[2].split("+"):
        name, *numbers = option.split("-")
        options[name] = [int(number) for number in numbers if number.isdigit()]
    return options


def patience_s(model: str) -> float:
    """Return how long a client waits for ``model`` in a test: short only where silence is what is tested."""
    return 0.5 if any(name in parse(model) for name in SILENT) else 30


def make_plan(seen: Seen, options: dict[str, list[int]]) -> Plan:
    """Return what the assistant says to the messages of ``seen``."""
    asked = [text for role, text in seen.messages if role == "user"]
    behind = itertools.takewhile(lambda message: message[0] == "tool", reversed(seen.messages))
    returned = [text for _, text in behind][::-1]
    calls: list[dict[str, Any]] = []
    if ("tool" in options or "tools" in options) and seen.body.get("tools") and (not returned or "endless" in options):
        first = seen.body["tools"][0]
        name = "no_such_tool" if "unknown" in options else first.get("function", first)["name"]
        arguments = next((text for option, text in ARGUMENTS.items() if option in options), "{}")
        calls = [
            {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for number in range(options.get("tools", [1])[0])
        ]
    finish = "length" if "length" in options else "tool_calls" if calls and "stop" not in options else "stop"
    reasoning = ["thinking ", "it ", "over"] if "think" in options else []
    return Plan([] if calls else _pieces(options, asked, returned), reasoning, calls, finish)


def _pieces(options: dict[str, list[int]], asked: list[str], returned: list[str]) -> list[str]:
    for fault in FAULTS:
        if fault in options:
            return [f"part{number} " for number in range(options[fault][0] + 5)]
    if "mute" in options:
        return []
    if "count" in options:
        return [f"{number} " for number in range(options["count"][0])]
    if returned:
        return ["The tool said: ", " ".join(returned)]
    if "context" in options:
        return [f"{number}. {text}\n" for number, text in enumerate(asked[:-1], 1)] or ["Nothing before this."]
    words = (asked[-1] if asked else "").split(" ")
    return ["You said: ", *(f"{word} " for word in words[:-1]), words[-1]]


def what_is_wrong(messages: list[dict[str, Any]]) -> str:
    """Return why OpenAI would refuse a conversation; nothing for a sound one."""
    waiting: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            waiting.remove(message["tool_call_id"])
        elif waiting:
            break
        for call in message.get("tool_calls") or []:
            json.loads(call["function"]["arguments"])
            waiting.add(call["id"])
    return f"these tool_call_ids did not have response messages: {', '.join(sorted(waiting))}" if waiting else ""


def _in_fours(text: str) -> list[str]:
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def _role(message: dict[str, Any]) -> str:
    """Return who speaks; Anthropic has the results of tools said by the user."""
    content = message.get("content")
    is_result = isinstance(content, list) and any(part.get("type") == "tool_result" for part in content)
    return "tool" if is_result else str(message["role"])


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text") or _text(part.get("content")) for part in content)
    return content or ""


if __name__ == "__main__":
    with Loopback(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as loopback:
        print(loopback.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
