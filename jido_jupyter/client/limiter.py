"""A limiter that a server keeps: calls of kernels elsewhere count together with those of the server and its kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from jido_jupyter.client.link import Link, Request, reading
from jido_jupyter.core.window import Admitted, Charge, Refused, Window


class RemoteLimiter:
    """A `Limiter` over REST. What the windows of a key are is the server's to say, whatever those of the charges are."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def acquire(self, charges: Sequence[Charge]) -> Admitted | Refused:
        return _verdict(self._link.ask(Request("POST", "/limits/acquire", orjson.dumps(_keys(charges)))))

    def check(self, charges: Sequence[Charge]) -> Admitted | Refused:
        return _verdict(self._link.ask(reading("/limits/check", _keys(charges))))


def _keys(charges: Sequence[Charge]) -> dict[str, list[str]]:
    return {"keys": [charge.key for charge in charges]}


def _verdict(found: Mapping[str, Any]) -> Admitted | Refused:
    if (admitted := found["admitted"]) is not None:
        return Admitted(**admitted)
    refused = found["refused"]
    charge = Charge(refused["key"], Window(refused["limit"], refused["seconds"]))
    return Refused(charge, refused["retry_after_s"], refused["is_closed"])
