"""A request as an operation sees it, and its answer: values without a framework, read and made in worker threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

NO_FIELDS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in.

    ``if_match`` and ``if_none_match`` hold entity tags without their quotes, or ``*``; None: there was no such field.
    """

    session_id: str = ""  # checked; empty where the address names none
    params: Mapping[str, Any] = field(default_factory=dict)  # of the query, with their defaults
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the body, where it is a JSON object
    body: bytes = b""
    if_match: tuple[str, ...] | None = None
    if_none_match: tuple[str, ...] | None = None
    lease: str | None = None  # token
    root: str = "/"  # path of the API on this server, without its last slash

    def knows(self, etag: str) -> bool:
        """Whether the client has just this state already."""
        return self.if_none_match is not None and bool({etag, "*"} & set(self.if_none_match))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    pieces: Iterator[str] | None = None  # sent one after the other instead of ``body``


def answer(value: Any, status: int = 200, etag: str | None = None, headers: Mapping[str, str] = NO_FIELDS) -> Answer:
    """Return a JSON answer."""
    return Answer(status, orjson.dumps(value), etag, headers)


def unchanged(etag: str) -> Answer:
    return Answer(304, etag=etag)


def entity_tags(text: str | None) -> tuple[str, ...] | None:
    """Return the tags of an If-Match or If-None-Match field. Weak ones count as strong: a proxy that compresses makes them so.

    >>> entity_tags('W/"3-ab", "4-cd"')
    ('3-ab', '4-cd')
    """
    if text is None:
        return None
    return tuple(tag.strip().removeprefix("W/").strip('"') for tag in text.split(","))
