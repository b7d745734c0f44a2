"""What an address of the REST door is: its verbs, and of each what it takes, what it answers, and who may."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from jido_jupyter.errors import InvalidRequest
from jido_jupyter.server.calls import Answer, Call
from jido_jupyter.server.doorway import Access
from jido_jupyter.server.values import Value, from_body
from jido_jupyter.services.parsing import MAX_DEPTH, parse

API: Final = "jido/api/v1"
MAX_BODY: Final = 16 * 2**20  # bytes
RECORD_DEPTH: Final = 256  # as deep as a record may be, in a log in a body


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb of an address.

    ``action`` is what an authorizer is asked for; ``read`` changes nothing. ``act`` is None where a handler of its own answers.
    """

    name: str
    action: str
    act: Callable[[Access, Call], Answer] | None
    summary: str
    answers: Mapping[int, str | None]  # status -> name of a shape; None: no JSON body
    about: str = ""
    params: Sequence[Value] = ()
    fields: Sequence[Value] | None = None  # members of the JSON body; None: takes none
    errors: Sequence[int] = ()  # statuses beyond those of every address
    max_body: int = MAX_BODY  # bytes
    media_types: Sequence[str] = ()  # of an answer that is no JSON object
    is_conditional: bool = False  # takes If-Match
    is_cacheable: bool = False  # carries an ETag, and takes If-None-Match
    takes_lease: bool = False
    takes_file: bool = False
    is_of_records: bool = False  # for clients whose services run elsewhere; only where the sessions are kept here

    @property
    def is_change(self) -> bool:
        return self.action != "read"

    def perform(self, access: Access, call: Call) -> Answer:
        """Read the body and act. For a worker thread.

        Raises:
            JidoError
        """
        assert self.act is not None
        if self.fields is not None:
            max_depth = RECORD_DEPTH if self.is_of_records else MAX_DEPTH
            call = replace(call, fields=from_body(self.fields, _members(call.body, max_depth)))
        return self.act(access, call)


@dataclass(frozen=True, slots=True)
class Route:
    """An address below the API's root, ``{id}`` standing for a session's id, and what each verb does there."""

    path: str
    verbs: Mapping[str, Operation]

    @property
    def pattern(self) -> str:
        """The regular expression for tornado. Anything is let in as an id: a wrong one gets a sentence that says so."""
        return f"/{API}/{re.escape(self.path).replace(re.escape('{id}'), '([^/]+)')}"

    @property
    def allowed(self) -> str:
        """The value of the Allow field."""
        return ", ".join(sorted({*self.verbs, "OPTIONS", *(["HEAD"] if "GET" in self.verbs else [])}))


def _members(body: bytes, max_depth: int) -> Mapping[str, Any]:
    """Return the members of a JSON object; an empty body counts as ``{}``."""
    found = parse(body, max_depth=max_depth) if body.strip() else {}
    if not isinstance(found, dict):
        raise InvalidRequest("The request's body is JSON, but no object. Send a JSON object.")
    return found
