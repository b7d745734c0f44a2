"""The stream of events: Server-Sent Events, because they pass every proxy, and end and begin again by themselves.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import orjson
from tornado import web
from tornado.iostream import StreamClosedError

from jido_jupyter.server.feed import Feed
from jido_jupyter.server.handlers import JidoHandler
from jido_jupyter.server.table import Operation

HEARTBEAT_S: Final = 15.0  # proxies cut what is silent for a minute
MOST_LISTENERS: Final = 200  # of one store; each holds a connection
_RETRY_MS: Final = 2000  # after which a page asks again


class EventsHandler(JidoHandler):
    """Holds a connection until its client, or the server, goes."""

    _woken: asyncio.Event | None = None
    _is_gone = False

    async def serve(self, operation: Operation, session_id: str | None) -> None:
        feed = (await self.doorway.run(lambda access: access, self.identity)).feed
        if len(feed.listeners) >= MOST_LISTENERS:
            raise web.HTTPError(503, f"There are {MOST_LISTENERS} listeners already; list the sessions instead.")
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # nginx keeps it back otherwise
        if self.request.method == "HEAD":
            self.finish(set_content_type="text/event-stream")
            return
        self._woken = asyncio.Event()
        feed.listeners.add(self._woken)
        try:
            await self._tell(feed, self._woken)
        finally:
            feed.listeners.discard(self._woken)
        if not self._is_gone:
            self.finish(set_content_type="text/event-stream")

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._is_gone = True
        if self._woken is not None:
            self._woken.set()

    async def _tell(self, feed: Feed, woken: asyncio.Event) -> None:
        # A look right away: what happened while nobody listened is known before the client is told where it stands.
        feed.take(await self.doorway.run(lambda access: access.feed.look(), self.identity))
        self.watch.start()
        known = feed.place(self.request.headers.get("Last-Event-ID", ""))
        place = feed.last if known is None else known
        self.write(f"retry: {_RETRY_MS}\n")
        self._say(
            "ready" if known is not None or "Last-Event-ID" not in self.request.headers else "reset",
            {},
            feed.id_of(place),
        )
        with contextlib.suppress(StreamClosedError):
            while not (self._is_gone or feed.is_closed):
                place = self._catch_up(feed, place)
                await self.flush()
                woken.clear()
                if place == feed.last and not await _happens(woken, HEARTBEAT_S):
                    self.write(": still here\n\n")

    def _catch_up(self, feed: Feed, place: int) -> int:
        """Write the events after number ``place``, and return the number of the last one."""
        events = feed.since(place)
        if events is None:  # the client is slower than what happens
            self._say("reset", {}, feed.id_of(feed.last))
            return feed.last
        for event in events:
            self._say(event.kind, event.data, feed.id_of(event.n))
        return feed.last

    def _say(self, kind: str, data: Any, event_id: str) -> None:
        self.write(f"id: {event_id}\nevent: {kind}\ndata: {orjson.dumps(dict(data)).decode()}\n\n")


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False
