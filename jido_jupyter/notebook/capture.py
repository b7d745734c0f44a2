"""Output of code that is shown where it runs, and kept at the same time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

MAX_KEPT: Final = 1_000_000  # characters; an endless loop that prints must not fill the memory


class Captured:
    """What was shown, in order."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.size = 0

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, text: str) -> None:
        if self.size < MAX_KEPT:
            self._parts.append(text)
            self.size += len(text)


@contextmanager
def captured(ip: Any) -> Iterator[Captured]:
    """Keep what is printed and displayed in the block; it is shown as ever."""
    found = Captured()
    outer = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Tee(outer[0], found), _Tee(outer[1], found)
    publisher = ip.display_pub
    publish = publisher.publish
    publisher.publish = _telling(publish, found)
    try:
        yield found
    finally:
        sys.stdout, sys.stderr = outer
        publisher.publish = publish


class _Tee:
    """A stream that passes everything on, and keeps it."""

    def __init__(self, stream: Any, found: Captured) -> None:
        self._stream = stream
        self._found = found

    def write(self, text: str) -> int:
        self._found.add(text)
        self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _telling(publish: Any, found: Captured) -> Any:
    def publish_and_tell(data: Any, *arguments: Any, **options: Any) -> None:
        before = found.size
        publish(data, *arguments, **options)
        is_printed = found.size > before  # as a terminal does
        if isinstance(data, dict) and not is_printed and not options.get("update"):
            found.add(f"{data.get('text/plain') or '(' + ', '.join(data) + ')'}\n")

    return publish_and_tell
