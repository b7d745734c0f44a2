"""What the REST door does for clients whose services run elsewhere: the calls of the store's contract, one by one.

Their kernels decide what a user may do, as those on this machine do; here stand only the checks without which a record
would not be readable again. The server seals: a client has no key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson

from jido_jupyter._version import __version__
from jido_jupyter.core.ids import checked
from jido_jupyter.core.query import Query, words
from jido_jupyter.core.records import FORMAT, Owner, Record
from jido_jupyter.core.window import Admitted, Charge, Refused
from jido_jupyter.errors import InvalidField, SessionNotFound
from jido_jupyter.server.calls import Answer, Call, answer
from jido_jupyter.server.doorway import Access
from jido_jupyter.server.leases import Bare
from jido_jupyter.store.contract import Revision

MAX_HEADER: Final = 512  # bytes; a store reads so much, and a little more, to see with what it deals
_KEY: Final = re.compile(r"(?P<operation>[a-z]+)/(?:user|session/(?P<session>[a-z0-9][a-z0-9_-]{0,63}))")


def describe(access: Access, call: Call) -> Answer:
    return answer({"format": FORMAT, "version": __version__, "settings": access.connection.settings.limits})


# --- logs


def create(access: Access, call: Call) -> Answer:
    revision = access.store.create(_header(call.fields["header"]), _log(call.fields["log"]))
    return answer(revision, 201)


def append(access: Access, call: Call) -> Answer:
    revision = access.store.append(
        call.session_id,
        _log(call.fields["log"]),
        _revision(call.fields["expected"]),
        durable=call.fields["durable"],
        beyond_limit=call.fields["beyond_limit"],
    )
    return answer(revision)


def replace(access: Access, call: Call) -> Answer:
    header = _header(call.fields["header"])
    if header["id"] != call.session_id:
        raise InvalidField("header.id", "must be the id in the address")
    expected = _revision(call.fields["expected"])
    return answer(access.store.replace(call.session_id, header, _log(call.fields["log"]), expected))


def read(access: Access, call: Call) -> Answer:
    return answer(access.store.read(call.session_id))


def revision(access: Access, call: Call) -> Answer:
    return answer(access.store.revision(call.session_id))


# --- many


def find(access: Access, call: Call) -> Answer:
    query, by_rank, limit = _query(call.fields["query"]), call.fields["by_rank"], call.fields["limit"]
    return answer(access.store.find(query, by_rank=by_rank, limit=limit, cursor=call.fields.get("cursor")))


def named(access: Access, call: Call) -> Answer:
    return answer({"summaries": access.store.named(call.fields["start"], call.fields["limit"])})


def state(access: Access, call: Call) -> Answer:
    return answer({"changes": access.store.changes(), "count": access.store.count()})


# --- out of the list and back


def trash(access: Access, call: Call) -> Answer:
    access.store.trash(call.session_id)
    return Answer(204)


def restore(access: Access, call: Call) -> Answer:
    access.store.restore(call.session_id)
    return Answer(204)


def purge(access: Access, call: Call) -> Answer:
    access.store.purge(call.session_id)
    return Answer(204)


def quarantine(access: Access, call: Call) -> Answer:
    return answer({"place": access.store.quarantine(call.session_id)})


def trashed(access: Access, call: Call) -> Answer:
    found = []
    for session_id in access.store.trashed():
        try:
            found.append({"id": session_id, "trashed_at": access.store.trashed_at(session_id)})
        except SessionNotFound:  # restored or purged just now
            continue
    return answer({"sessions": found})


# --- who has what open


def owners(access: Access, call: Call) -> Answer:
    return answer({"owners": access.store.owners()})


def lease(access: Access, call: Call) -> Answer:
    found = call.fields["owner"]
    owner = Owner(found["kind"], found["host"], found["pid"], found.get("notebook"))
    taken = access.store.lease(call.session_id, owner, take_over=call.fields["take_over"])
    held = access.bare.grant(Bare(taken), owner)
    return answer({"token": held.token, "lifetime_s": access.bare.lifetime_s})


def beat(access: Access, call: Call) -> Answer:
    held = access.bare.find(call.session_id, call.lease or "")
    return answer({"state": "gone" if held is None else "held" if held.live.is_open else "taken"})


def release(access: Access, call: Call) -> Answer:
    if (held := access.bare.find(call.session_id, call.lease or "")) is not None:
        held.live.close()
        access.bare.drop(held.token)
    return Answer(204)


# --- the limiter; its windows are those of this server, whatever a client believes


def acquire(access: Access, call: Call) -> Answer:
    return _verdict(access.connection.limiter.acquire(_charges(access, call)))


def check(access: Access, call: Call) -> Answer:
    return _verdict(access.connection.limiter.check(_charges(access, call)))


# --- what they share


def _header(found: Mapping[str, Any]) -> Record:
    checked(found["id"])
    if len(orjson.dumps(found)) > MAX_HEADER:
        raise InvalidField(
            "header", f"must have at most {MAX_HEADER} bytes; what a session is like goes into a meta record"
        )
    return found


def _log(found: Sequence[Record]) -> Sequence[Record]:
    for number, item in enumerate(found):
        if item["t"] == "header":
            raise InvalidField(f"log[{number}].t", "a log has one header, and it stands apart")
    return found


def _revision(found: Mapping[str, Any]) -> Revision:
    return Revision(found["n"], found["seal"])


def _query(found: Mapping[str, Any]) -> Query:
    phrases = tuple(map(tuple, found.get("phrases", ())))
    if any(words(word) != [word] for phrase in phrases for word in phrase):
        raise InvalidField("query.phrases", "must be folded words")
    is_open_ended = tuple(found.get("is_open_ended", ()))
    if len(is_open_ended) != len(phrases):
        raise InvalidField("query.is_open_ended", "must have a member for each phrase")
    lists = {"phrases": phrases, "is_open_ended": is_open_ended, "tags": tuple(found.get("tags", ()))}
    return Query(**{**found, **lists})


def _charges(access: Access, call: Call) -> list[Charge]:
    found = []
    for number, key in enumerate(call.fields["keys"]):
        match = _KEY.fullmatch(key)
        if match is None or match["operation"] not in access.limits.windows:
            raise InvalidField(f"keys[{number}]", "must be as in 'resume/user' or 'resume/session/<id>'")
        found.append(Charge(key, access.limits.window(match["operation"], match["session"])))
    return found


def _verdict(found: Admitted | Refused) -> Answer:
    if isinstance(found, Admitted):
        return answer({"admitted": asdict(found), "refused": None})
    charge = found.charge
    refused = {
        "key": charge.key,
        "limit": charge.window.limit,
        "seconds": charge.window.seconds,
        "retry_after_s": found.retry_after_s,
        "is_closed": found.is_closed,
    }
    return answer({"admitted": None, "refused": refused})
