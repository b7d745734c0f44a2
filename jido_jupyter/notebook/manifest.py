"""What the user's variables are, without what they hold: type, size, and a hash of small plain values."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from types import FunctionType, ModuleType
from typing import Any, Final

MAX_NAMES: Final = 200
BUDGET_S: Final = 0.002  # for asking sizes; what is left then is told by type only
SLOW_S: Final = 0.001  # a type whose size takes longer is not asked again: it may query a database
_MAX_TEXT: Final = 200  # characters that are hashed
_MAX_ITEMS: Final = 20
_MAX_INT: Final = 2**63  # what every JSON reader takes
_PLAIN: Final = (bool, float, complex, type(None))
_SECRET: Final = re.compile("key|token|secret|passw", re.IGNORECASE)


def looks_secret(name: object) -> bool:
    """Return whether what has this name is kept out of records and from models."""
    return isinstance(name, str) and _SECRET.search(name) is not None


def user_variables(ip: Any) -> dict[str, Any]:
    """Return what the user defined, oldest name first: no imports, no private names, nothing of IPython's own."""
    return {name: value for name, value in _user_names(ip) if not is_import(value)}


def imported(ip: Any) -> dict[str, Any]:
    """Return what the user imported, oldest name first."""
    return {name: value for name, value in _user_names(ip) if is_import(value)}


def is_import(value: object) -> bool:
    """Return whether a value is a module, or a function or class that stands in one: all that a user did is name it.

    What a library's function made, a closure or a class, stands nowhere. Numbers and other values of a module are variables.
    """
    if issubclass(type(value), ModuleType):  # isinstance() would ask proxies, and those may fail
        return True
    if not any("__name__" in vars(kind) for kind in type(value).__mro__):  # instances have none; nobody is asked for it
        return False
    try:
        home, path = value.__module__, getattr(value, "__qualname__", None) or value.__name__  # type: ignore[attr-defined]
        found: Any = None if home == "__main__" else sys.modules.get(home)
        for name in path.split("."):
            found = vars(found)[name]
    except Exception:  # of somebody's own class, or there is nothing by that name
        return False
    return found is value


def _user_names(ip: Any) -> Iterator[tuple[str, Any]]:
    hidden, missing = ip.user_ns_hidden, object()
    for name, value in list(ip.user_ns.items()):  # a copy: another thread may be defining more
        if isinstance(name, str) and not name.startswith("_") and hidden.get(name, missing) is not value:
            yield name, value


def type_name(value: object) -> str:
    """Return the type as users call it.

    >>> import decimal
    >>> type_name(3), type_name(decimal.Decimal(3))
    ('int', 'decimal.Decimal')
    """
    kind = type(value)
    package = str(kind.__module__).partition(".")[0]
    return kind.__qualname__ if package in ("builtins", "__main__") else f"{package}.{kind.__qualname__}"


class Manifest:
    """Describes variables; remembers which types are slow to measure."""

    def __init__(self) -> None:
        self._slow: set[type] = set()

    def describe(self, variables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return what is known of the newest names, as JSON; never raises, and reads no big value."""
        until = time.perf_counter() + BUDGET_S
        newest = list(variables.items())[-MAX_NAMES:]
        return {name: self._facts(name, value, until) for name, value in newest}

    def _facts(self, name: str, value: Any, until: float) -> dict[str, Any]:
        facts: dict[str, Any] = {"type": type_name(value)}
        if looks_secret(name) or issubclass(type(value), type | FunctionType) or type(value) in self._slow:
            return facts
        started = time.perf_counter()
        if started < until:
            facts |= size(value)
            if time.perf_counter() - started > SLOW_S:
                self._slow.add(type(value))
        if (found := fingerprint(value)) is not None:
            facts["hash"] = found
        return facts


def size(value: Any) -> dict[str, Any]:
    """Return ``shape`` or ``length`` of what has one. Values are asked, and may answer with any error."""
    try:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and all(_is_count(item) for item in shape):
            return {"shape": [int(item) for item in shape[:8]]}
        return {"length": length} if _is_count(length := len(value)) else {}
    except Exception:  # of somebody's own class
        return {}


def fingerprint(value: Any) -> str | None:
    """Return 16 hexadecimal digits that tell small plain values apart; None for all others."""
    if type(value) in (list, tuple):
        items = value[: _MAX_ITEMS + 1]
        if len(items) > _MAX_ITEMS or not all(_is_plain(item) for item in items):
            return None
    elif not _is_plain(value):
        return None
    return digest(repr(value))


def digest(text: str) -> str:
    """Return 16 hexadecimal digits of a text."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return bool(len(value) <= _MAX_TEXT)
    if kind is int:
        return bool(-_MAX_INT < value < _MAX_INT)
    return kind in _PLAIN


def _is_count(value: Any) -> bool:
    try:
        return 0 <= int(value.__index__()) < _MAX_INT
    except Exception:
        return False
