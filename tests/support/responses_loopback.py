"""A real HTTP server on 127.0.0.1 that speaks enough of OpenAI's Responses API to test a client without a network.

The model name picks the behaviour: ``echo`` answers with the last thing that was said, ``count-9`` counts, ``drop-5``
ends the connection after 5 pieces, ``length`` says that the answer was cut off, ``err-401`` answers with that status.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support import openai_loopback


class ResponsesLoopback:
    """The server as a context manager."""

    def __init__(self) -> None:
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies that came so far, oldest first."""
        return self._http.requests

    def __enter__(self) -> ResponsesLoopback:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Server(openai_loopback._Server):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.requests: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        name, _, number = body["model"].partition("-")
        if name == "err":
            self._reply(int(number), {"error": {"message": "loopback refuses", "type": "loopback", "code": number}})
        elif body.get("stream"):
            self._stream(body, name, int(number or 0))
        else:
            self._reply(200, _response(body, "".join(_pieces(body, name, int(number or 0))), name))

    def _stream(self, body: dict[str, Any], name: str, number: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        pieces = _pieces(body, name, number)
        for sequence, piece in enumerate(pieces):
            if name == "drop" and sequence == number:
                self.close_connection = True
                return
            place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "sequence_number": sequence}
            self._event({"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place})
        kind = "response.incomplete" if name == "length" else "response.completed"
        self._event({"type": kind, "sequence_number": 99, "response": _response(body, "".join(pieces), name)})
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, content: dict[str, Any]) -> None:
        data = f"event: {content['type']}\ndata: {json.dumps(content)}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _pieces(body: dict[str, Any], name: str, number: int) -> list[str]:
    if name in ("count", "drop"):
        return [f"{count} " for count in range(number + (5 if name == "drop" else 0))]
    said = body["input"] if isinstance(body["input"], str) else body["input"][-1]["content"]
    return ["You said: ", said if isinstance(said, str) else said[0]["text"]]


def _response(body: dict[str, Any], text: str, name: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    said = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
    is_cut = name == "length"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "model": body["model"],
        "status": "incomplete" if is_cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "output": [thought, said],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 3,
            "output_tokens": 4,
            "total_tokens": 7,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
