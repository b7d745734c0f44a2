"""A store that a server keeps: the calls of the contract, each one request to its REST door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from jido_jupyter.client.leases import RemoteLease
from jido_jupyter.client.link import ANSWER_S, QUICK_S, Link, Request, reading
from jido_jupyter.core.ids import checked
from jido_jupyter.core.query import Query
from jido_jupyter.core.records import Owner, Record
from jido_jupyter.core.session import Summary
from jido_jupyter.errors import SessionNotFound
from jido_jupyter.store import codec
from jido_jupyter.store.contract import Damage, Hit, Page, Revision, Stored


class RemoteStore:
    """A `Store` over REST. The server seals, limits and locks; nothing is kept here."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def create(self, header: Record, log: Sequence[Record]) -> Revision:
        session_id = checked(str(header["id"]))
        body = b'{"header":%b,"log":%b}' % (codec.dumps(header), _lines(log))
        return _revision(self._link.ask(Request("POST", "/sessions", body, changes=session_id)))

    def append(
        self,
        session_id: str,
        log: Sequence[Record],
        expected: Revision,
        *,
        durable: bool = True,
        beyond_limit: bool = False,
    ) -> Revision:
        rest = orjson.dumps({"expected": expected, "durable": durable, "beyond_limit": beyond_limit})
        body = b'{"log":%b,%b' % (_lines(log), rest[1:])
        patience_s = ANSWER_S if durable else QUICK_S  # an answer does not wait long for its pieces
        path = f"{_of(session_id)}/records"
        return _revision(self._link.ask(Request("POST", path, body, changes=session_id, patience_s=patience_s)))

    def replace(self, session_id: str, header: Record, log: Sequence[Record], expected: Revision) -> Revision:
        parts = (codec.dumps(header), _lines(log), orjson.dumps(expected))
        body = b'{"header":%b,"log":%b,"expected":%b}' % parts
        return _revision(self._link.ask(Request("POST", f"{_of(session_id)}/replace", body, changes=session_id)))

    def read(self, session_id: str) -> Stored:
        found = self._link.ask(reading(_of(session_id)))
        damage = tuple(Damage(**_known(Damage, one)) for one in found["damage"])
        return Stored(found["header"], tuple(found["records"]), _revision(found["revision"]), damage)

    def revision(self, session_id: str) -> Revision:
        return _revision(self._link.ask(reading(f"{_of(session_id)}/revision")))

    def find(self, query: Query, *, by_rank: bool = False, limit: int = 50, cursor: str | None = None) -> Page:
        body = {"query": _given(asdict(query)), "by_rank": by_rank, "limit": limit} | _given({"cursor": cursor})
        found = self._link.ask(reading("/find", body))
        return Page([Hit(_summary(hit["summary"]), hit["snippet"]) for hit in found["hits"]], found["next_cursor"])

    def named(self, start: str, limit: int = 50) -> list[Summary]:
        found = self._link.ask(reading("/named", {"start": start, "limit": limit}))
        return [_summary(summary) for summary in found["summaries"]]

    def changes(self) -> str:
        return str(self._link.ask(reading("/state"))["changes"])

    def count(self) -> int:
        return int(self._link.ask(reading("/state"))["count"])

    def trash(self, session_id: str) -> None:
        self._move(session_id, "trash")

    def restore(self, session_id: str) -> None:
        self._move(session_id, "restore")

    def trashed(self) -> list[str]:
        return [*self._trash()]

    def trashed_at(self, session_id: str) -> float:
        try:
            return self._trash()[checked(session_id)]
        except KeyError:
            raise SessionNotFound(session_id, "The trash does not hold it.") from None

    def purge(self, session_id: str) -> None:
        self._move(session_id, "purge")

    def quarantine(self, session_id: str) -> str:
        found = self._move(session_id, "quarantine")
        return f"{found['place']} on the server {self._link.url}"

    def lease(self, session_id: str, owner: Owner, *, take_over: bool = False) -> RemoteLease:
        return RemoteLease(self._link, checked(session_id), owner, take_over=take_over)

    def owner(self, session_id: str) -> Owner | None:
        return self.owners().get(checked(session_id))

    def owners(self) -> dict[str, Owner]:
        found = self._link.ask(reading("/owners"))["owners"]
        return {session_id: Owner(**_known(Owner, owner)) for session_id, owner in found.items()}

    def _move(self, session_id: str, verb: str) -> Any:
        return self._link.ask(Request("POST", f"{_of(session_id)}/{verb}", b"{}", changes=session_id))

    def _trash(self) -> dict[str, float]:
        """Return since when [s, Unix time] what is in the trash, by id, sorted."""
        return {str(one["id"]): float(one["trashed_at"]) for one in self._link.ask(reading("/trash"))["sessions"]}


def _of(session_id: str) -> str:
    """Return the path of a session; what is no id never becomes a part of an address."""
    return f"/sessions/{checked(session_id)}"


def _lines(log: Sequence[Record]) -> bytes:
    """Return records as a JSON array, each made as a store here makes it, so that the same is kept and the same refused."""
    return b"[%b]" % b",".join(map(codec.dumps, log))


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _revision(found: Mapping[str, Any]) -> Revision:
    return Revision(found["n"], found["seal"])


def _summary(found: Mapping[str, Any]) -> Summary:
    owner = Owner(**_known(Owner, found["owner"])) if found["owner"] else None
    lists = {name: tuple(found[name]) for name in ("tags", "problems")}
    return Summary(**(_known(Summary, found) | lists | {"owner": owner}))


def _known(kind: type, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that this version knows; a later server may send more."""
    return {name: found[name] for name in kind.__slots__ if name in found}  # type: ignore[attr-defined]
