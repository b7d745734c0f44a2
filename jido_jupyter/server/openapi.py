"""The OpenAPI 3.1 document, made of the table of routes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from http.client import responses
from typing import Any, Final

import orjson

from jido_jupyter._version import __version__
from jido_jupyter.server.routes import ROUTES
from jido_jupyter.server.shapes import SHAPES, ref
from jido_jupyter.server.table import API, Operation, Route
from jido_jupyter.server.values import Value

LEASE_FIELD: Final = "Jido-Lease"
_EVERYWHERE: Final = (400, 403, 404, 405, 413, 415, 500, 503)
_PROBLEM: Final = {"application/problem+json": {"schema": ref("Problem")}}
_STRING: Final = {"type": "string"}
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "is_conditional": ("If-Match", "Entity tag of the state that the client knows; another one answers 412."),
    "is_cacheable": ("If-None-Match", "Entity tag of the state that the client has; the same one answers 304."),
    "takes_lease": (LEASE_FIELD, "Token of the lease, from `resume`."),
}
_INFO: Final = {
    "title": "jido_jupyter",
    "version": __version__,
    "summary": "AI-assistant sessions in Jupyter that are never lost.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}


def document(base_url: str = "/") -> dict[str, Any]:
    """Return the document of a server that lives below ``base_url``, which ends in a slash."""
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": f"{base_url}{API}"}],
        "security": [{"token": []}],
        "paths": {f"/{route.path}": _path(route) for route in ROUTES},
        "components": {
            "schemas": SHAPES,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token ...` with the server's token, or the cookie of a login with `X-XSRFToken`.",
                }
            },
        },
    }


@lru_cache(maxsize=4)
def rendered(base_url: str) -> bytes:
    return orjson.dumps(document(base_url))


def _path(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {verb.lower(): _operation(operation) for verb, operation in route.verbs.items()}
    if "{id}" in route.path:
        schema = {"type": "string", "pattern": r"^[a-z0-9][a-z0-9_-]{0,63}$"}
        found["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": schema}]
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "x-jupyter-authorization": f"{operation.action} on jido",
        "responses": _responses(operation),
    }
    if operation.about:
        found["description"] = operation.about
    if parameters := [*map(_parameter, operation.params), *_header_fields(operation)]:
        found["parameters"] = parameters
    if operation.fields is not None:
        found["requestBody"] = {"content": {"application/json": {"schema": body_of(operation)}}}
        if any(value.is_required for value in operation.fields):
            found["requestBody"]["required"] = True
    elif operation.takes_file:
        found["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    return found


def body_of(operation: Operation) -> dict[str, Any]:
    """Return the schema of the JSON body."""
    values = operation.fields or ()
    members = {value.name: {**value.schema, **_described(value)} for value in values}
    required = [value.name for value in values if value.is_required]
    whole = {"type": "object", "properties": members, "additionalProperties": False}
    return whole | ({"required": required} if required else {})


def _described(value: Value) -> dict[str, str]:
    return {"description": value.help} if value.help else {}


def _parameter(value: Value) -> dict[str, Any]:
    return {
        "name": value.name,
        "in": "query",
        "required": value.is_required,
        "description": value.help,
        "schema": value.schema,
    }


def _header_fields(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "header",
            "description": about,
            "schema": _STRING,
            "required": name == "If-Match" and 428 in operation.errors,
        }
        for mark, (name, about) in _FIELDS.items()
        if getattr(operation, mark)
    ]


def _responses(operation: Operation) -> dict[str, Any]:
    found: dict[int, Any] = {status: _good(operation, status, shape) for status, shape in operation.answers.items()}
    if operation.is_cacheable:
        found[304] = {"description": "The client has it already."}
    for status in {*_EVERYWHERE, *operation.errors}:
        found[status] = {"description": responses[status], "content": _PROBLEM}
        if status in (429, 503):
            found[status]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": _STRING}}
    return {str(status): found[status] for status in sorted(found)}


def _good(operation: Operation, status: int, shape: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"description": responses[status]}
    if shape is not None:
        found["content"] = {"application/json": {"schema": ref(shape)}}
    elif operation.media_types:
        found["content"] = {name: {"schema": {}} for name in operation.media_types}
    headers = {}
    if operation.is_cacheable or (operation.is_conditional and status != 204):
        headers["ETag"] = {"description": "Of the state that this is.", "schema": _STRING}
    if status == 201 and shape == "Session":
        headers["Location"] = {"description": "Address of the new session.", "schema": _STRING}
    return found | ({"headers": headers} if headers else {})
