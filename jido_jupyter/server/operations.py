"""What the REST door does: each function takes what an identity works with and a call, and returns the answer.

They run in worker threads and may wait for the disk. What is a matter of HTTP alone stands in `handlers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from jido_jupyter._version import __version__
from jido_jupyter.connection import this_process
from jido_jupyter.core import messages
from jido_jupyter.core.ids import short
from jido_jupyter.core.query import Query, fold, parse
from jido_jupyter.core.session import Summary
from jido_jupyter.core.times import stamp
from jido_jupyter.core.window import Admitted, Refused
from jido_jupyter.errors import (
    IllegalTransition,
    InvalidField,
    JidoError,
    PayloadTooLarge,
    PreconditionRequired,
    SessionOpen,
    StaleRevision,
)
from jido_jupyter.server.calls import Answer, Call, answer, unchanged
from jido_jupyter.server.doorway import Access
from jido_jupyter.server.leases import Held
from jido_jupyter.services import exchange, wire
from jido_jupyter.services.limits import RESUME
from jido_jupyter.services.live import LiveSession
from jido_jupyter.services.sessions import Shown

_SPREAD: Final = 20  # bits of a cursor that tell sessions of the same millisecond apart


# --- many sessions


def list_sessions(access: Access, call: Call) -> Answer:
    etag = access.sessions.changes()
    if call.knows(etag):
        return unchanged(etag)
    query = _query(call)
    if query.has_text:
        access.limits.acquire("search")
    body = access.pages.get(etag, call.params)
    if body is None:
        body = orjson.dumps(_page(access, call, query))
        access.pages.keep(etag, call.params, body)
    return Answer(200, body, etag)


def _page(access: Access, call: Call, query: Query) -> dict[str, Any]:
    limit, cursor = call.params["limit"], call.params["cursor"]
    if call.params["sort"] == "created":
        summaries, next_cursor = _by_creation(access.sessions.list(query), limit, cursor)
    else:
        page = access.sessions.find(query, by_rank=call.params["sort"] == "relevance", limit=limit, cursor=cursor)
        summaries, next_cursor = [hit.summary for hit in page.hits], page.next_cursor
    found = [wire.summary(summary) for summary in summaries]
    return {"sessions": found, "next_cursor": next_cursor, "count": access.sessions.room().count}


def search(access: Access, call: Call) -> Answer:
    access.limits.acquire("search")
    by_rank = call.params["sort"] == "relevance"
    page = access.sessions.find(_query(call), by_rank=by_rank, limit=call.params["limit"], cursor=call.params["cursor"])
    hits = [{"session": wire.summary(hit.summary), "snippet": hit.snippet} for hit in page.hits]
    return answer({"hits": hits, "next_cursor": page.next_cursor, "count": access.sessions.room().count})


def create(access: Access, call: Call) -> Answer:
    title, said = call.fields.get("title"), call.fields.get("messages")
    shown = access.sessions.create(title, _said(access, said) if said is not None else [])
    return _created(shown, call)


def bring_in(access: Access, call: Call) -> Answer:
    if len(call.body) > exchange.MAX_FILE:
        raise PayloadTooLarge("The file", len(call.body), exchange.MAX_FILE)
    access.limits.acquire("import")
    name, found = exchange.read(call.body, call.params["format"])
    brought: list[exchange.Brought] = []
    failed: list[JidoError] = []
    for session in found:
        try:
            brought.append(exchange.bring_in(access.sessions, session, name))
        except JidoError as error:  # the others of the file come in all the same
            failed.append(error)
    if failed and not brought:
        raise failed[0]
    told = {"sessions": [one.to_wire() for one in brought], "failed": [wire.problem(error) for error in failed]}
    return answer(told, 201 if any(one.is_new for one in brought) else 200)


def clean_up(access: Access, call: Call) -> Answer:
    access.limits.acquire("cleanup")
    days = call.fields.get("days", access.connection.settings.cleanup_days)
    report = access.connection.cleanup.run(days=days, keep=call.fields["keep"], dry_run=call.fields["dry_run"])
    return answer(report.to_wire())


def limits(access: Access, call: Call) -> Answer:
    session_id = call.params["session"]
    stored, opened = access.sessions.room(), access.sessions.opened()
    return answer(
        {
            "stored": {"count": stored.count, "limit": stored.limit},
            "open": {"count": opened.count, "limit": opened.limit},
            "session_bytes": access.connection.settings.max_session_size,
            "operations": {name: _left(access, name) for name in access.limits.windows},
            "session": None if session_id is None else {"id": session_id, RESUME: _left(access, RESUME, session_id)},
        }
    )


def health(access: Access, call: Call) -> Answer:
    return answer({"status": "ok", "version": __version__, "sessions": access.sessions.room().count})


# --- one session


def show(access: Access, call: Call) -> Answer:
    shown = access.sessions.show(call.session_id)
    if call.knows(etag := tag_of(shown)):
        return unchanged(etag)
    return answer(wire.whole(shown) if call.params["messages"] else wire.head(shown), etag=etag)


def edit(access: Access, call: Call) -> Answer:
    expected = _expected(access, call)
    if (held := _leased(access, call)) is not None:
        _check_revision(held.live, expected)
        held.live.edit(**call.fields)
        return _head(_shown(held))
    return _head(access.sessions.edit(call.session_id, expected, **call.fields))


def trash(access: Access, call: Call) -> Answer:
    _check_precondition(access, call)
    access.sessions.trash(call.session_id)
    return Answer(204)


def restore(access: Access, call: Call) -> Answer:
    if call.session_id not in access.sessions.trashed():
        access.sessions.show(call.session_id)
        raise IllegalTransition("not in the trash", "be restored", "It is in the list already.")
    access.sessions.restore(call.session_id)
    return _head(access.sessions.show(call.session_id))


def fork(access: Access, call: Call) -> Answer:
    _check_precondition(access, call)
    return _created(access.sessions.fork(call.session_id, call.fields.get("message")), call)


def rewind(access: Access, call: Call) -> Answer:
    if call.if_match is None:
        raise PreconditionRequired(call.session_id)
    message, expected = call.fields["message"], _expected(access, call)
    if (held := _leased(access, call)) is not None:
        _check_revision(held.live, expected)
        held.live.rewind(message)
        return _head(_shown(held))
    return _head(access.sessions.rewind(call.session_id, message, expected))


def export(access: Access, call: Call) -> Answer:
    name = call.params["format"]
    access.limits.acquire("export")
    shown = access.sessions.show(call.session_id)
    if call.knows(etag := tag_of(shown)):
        return unchanged(etag)
    form = exchange.EXPORTS[name]
    file_name = f"jido-{short(call.session_id)}{form.suffix}"  # not the title: that is data, and this goes into logs
    media_type = form.media_type if form.media_type.endswith("json") else f"{form.media_type}; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return Answer(200, b"", etag, headers, media_type, exchange.export(shown, name))


# --- its messages


def list_messages(access: Access, call: Call) -> Answer:
    shown = access.sessions.show(call.session_id)
    if call.knows(etag := tag_of(shown)):
        return unchanged(etag)
    before, after, limit = (call.params[name] for name in ("before", "after", "limit"))
    total = len(shown.state.messages)
    end = total if before is None else min(before, total)
    start = max(0, end - limit)
    if after is not None:  # forwards, from the one after it
        start = min(after + 1, end)
        end = min(end, start + limit)
    return answer(wire.page(shown, start, end), etag=etag)


def add_messages(access: Access, call: Call) -> Answer:
    said, expected = _said(access, call.fields["messages"]), _expected(access, call)
    if (held := _leased(access, call)) is not None:
        _check_revision(held.live, expected)
        _record(held, said, access)
        shown = _shown(held)
    else:
        shown = access.sessions.add(call.session_id, said, expected)
    ids = {message.id for message in said}
    added = [messages.to_wire(message) for message in shown.state.messages[-len(said) :] if message.id in ids]
    return answer({"session": wire.summary(shown.summary), "messages": added}, 201, tag_of(shown))


# --- open and closed


def resume(access: Access, call: Call) -> Answer:
    _check_precondition(access, call)
    owner = this_process("server", call.fields.get("notebook"))
    live, briefing = access.sessions.resume(
        call.session_id, owner, take_over=call.fields["take_over"], trust=call.fields["trust"], is_id=True
    )
    held = access.leases.grant(live, owner)
    shown = _shown(held)
    left = access.limits.check(RESUME, call.session_id)
    headers = _rate_fields(RESUME, access.limits.window(RESUME, call.session_id).limit, left, access)
    told = {"session": wire.whole(shown), "briefing": briefing.to_wire(), "lease": _lease(access, held.token)}
    return answer(told, etag=tag_of(shown), headers=headers)


def extend(access: Access, call: Call) -> Answer:
    return answer(_lease(access, _held(access, call).token))


def close(access: Access, call: Call) -> Answer:
    if call.lease is not None:
        held = _held(access, call)
        held.live.close()
        access.leases.drop(held.token)
    elif (owner := access.sessions.show(call.session_id).owner) is not None:
        raise SessionOpen(call.session_id, owner.to_wire())
    return Answer(204)


# --- what they share


def tag_of(shown: Shown) -> str:
    """Return the entity tag of a session: its revision, and who has it open, as a killed owner changes only that."""
    if shown.owner is None:
        return str(shown.revision)
    return f"{shown.revision}~{blake2b(str(shown.owner).encode(), digest_size=4).hexdigest()}"


def _query(call: Call) -> Query:
    """Return the query of a text and of the filters beside it."""
    query = parse(call.params["q"] or "")
    if (tag := call.params["tag"]) is not None:
        query = replace(query, tags=(*query.tags, fold(tag)))
    if (notebook := call.params["notebook"]) is not None:
        query = replace(query, notebook=fold(notebook))
    if (state := call.params["state"]) is not None:
        wanted: Any = {f"is_{state}": True}
        query = replace(query, **wanted)
    return query


def _by_creation(found: Sequence[Summary], limit: int, cursor: str | None) -> tuple[list[Summary], str | None]:
    """Return a page of sessions, the youngest first."""
    before = None if cursor is None else int(cursor)
    numbered = sorted(((_number(summary), summary) for summary in found), key=lambda pair: pair[0], reverse=True)
    rest = [pair for pair in numbered if before is None or pair[0] < before]
    page = rest[:limit]
    return [summary for _, summary in page], str(page[-1][0]) if len(rest) > limit else None


def _number(summary: Summary) -> int:
    try:
        at_ms = int(datetime.fromisoformat(summary.created_at).timestamp() * 1000)
    except (ValueError, OverflowError):
        at_ms = 0
    digest = int.from_bytes(blake2b(summary.id.encode(), digest_size=4).digest(), "big")
    return max(at_ms, 0) << _SPREAD | digest >> (32 - _SPREAD)


def _said(access: Access, found: Sequence[Mapping[str, Any]]) -> list[messages.Message]:
    for number, item in enumerate(found):
        if "text" in item and "parts" in item:  # one of them would be lost
            raise InvalidField(f"messages[{number}]", "has both text and parts; send one of them")
    return wire.said(found, access.sessions.mint_id, stamp(datetime.now(UTC)))


def _expected(access: Access, call: Call) -> str | None:
    """Return the revision that the client knows, as text; None where any will do."""
    if call.if_match is None or "*" in call.if_match:
        return None
    known = [tag.partition("~")[0] for tag in call.if_match]
    if len(known) == 1:
        return known[0]
    current = str(access.sessions.show(call.session_id).revision)
    return current if current in known else known[0]


def _check_precondition(access: Access, call: Call) -> None:
    """Refuse what is asked of another state than the client knows.

    Raises:
        StaleRevision
    """
    expected = _expected(access, call)
    if expected is not None:
        current = str(access.sessions.show(call.session_id).revision)
        if current != expected:
            raise StaleRevision(call.session_id, expected, current)


def _check_revision(live: LiveSession, expected: str | None) -> None:
    if expected is not None and expected != str(live.revision):
        raise StaleRevision(live.id, expected, str(live.revision))


def _lease(access: Access, token: str) -> dict[str, Any]:
    return {"token": token, "lifetime_s": access.leases.lifetime_s}


def _leased(access: Access, call: Call) -> Held[LiveSession] | None:
    """Return the session that the client has open; None for one without a token."""
    return None if call.lease is None else _held(access, call)


def _held(access: Access, call: Call) -> Held[LiveSession]:
    def owner() -> dict[str, Any] | None:
        found = access.sessions.show(call.session_id).owner
        return found.to_wire() if found else None

    return access.leases.extend(call.session_id, call.lease or "", owner)


def _record(held: Held[LiveSession], said: Sequence[messages.Message], access: Access) -> None:
    """Add messages to an open session. What could not be stored must not be stored later: its client was told otherwise."""
    try:
        held.live.record(said)
    except PayloadTooLarge:
        raise
    except JidoError:
        held.live.abandon()
        access.leases.drop(held.token)
        raise


def _shown(held: Held[LiveSession]) -> Shown:
    return Shown(held.live.state, held.live.revision, owner=held.owner)


def _head(shown: Shown) -> Answer:
    return answer(wire.head(shown), etag=tag_of(shown))


def _created(shown: Shown, call: Call) -> Answer:
    headers = {"Location": f"{call.root}/sessions/{shown.state.id}"}
    return answer(wire.whole(shown), 201, tag_of(shown), headers)


def _left(access: Access, operation: str, session_id: str | None = None) -> dict[str, Any]:
    window = access.limits.window(operation, session_id)
    verdict = access.limits.check(operation, session_id)
    left = {"limit": window.limit, "window_s": window.seconds}
    if isinstance(verdict, Refused):
        return {**left, "remaining": 0, "reset_s": round(verdict.retry_after_s, 1)}
    return {**left, "remaining": verdict.remaining, "reset_s": round(max(0.0, verdict.reset_s), 1)}


def _rate_fields(operation: str, limit: int, left: Admitted | Refused, access: Access) -> dict[str, str]:
    """Return the header fields that say what is left. Source: draft-ietf-httpapi-ratelimit-headers-10."""
    remaining, reset_s = (0, left.retry_after_s) if isinstance(left, Refused) else (left.remaining, left.reset_s)
    window = access.limits.window(operation).seconds
    return {
        "RateLimit-Policy": f'"{operation}";q={limit};w={window:g}',
        "RateLimit": f'"{operation}";r={remaining};t={max(0, round(reset_s))}',
    }
