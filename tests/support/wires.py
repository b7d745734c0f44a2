"""A wire to a server that can be cut: before a request arrives, or before its answer does; and a server that says anything."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal

Cut = Literal["", "request", "answer"]
_PIECE: Final = 65536  # bytes


class Wire:
    """Passes on what comes, to the server that is behind it at the moment.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut: Cut = ""  # what the next request on any connection loses
        self.cuts = 0
        self._ends: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def lead_to(self, port: int) -> None:
        """Lead to another server from now on; what leads to the one before is dropped."""
        self._port = port
        self._drop(*self._ends)

    def close(self) -> None:
        """Refuse connections from now on, and drop those that there are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
        self._listener.close()
        self._drop(*self._ends)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port), timeout=60)
            except OSError:
                if self._listener.fileno() < 0:
                    return
                near.close()  # nobody is behind the wire
                continue
            self._ends |= {near, far}
            threading.Thread(target=self._pass, args=(near, far, "request"), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, "answer"), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, what: Cut) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                if self.cut == what:
                    self.cut = ""
                    self.cuts += 1
                    break
                target.sendall(data)
        self._drop(source, target)

    def _drop(self, *ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
            self._ends.discard(end)


@contextmanager
def wired(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()


@contextmanager
def answering(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server that answers everything alike, and what it was asked: verb, path and authorization."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        server.server_close()
