"""What is recorded of variables, and what is not."""

from __future__ import annotations

import sys
import time
import types
from datetime import date
from typing import Any

import pytest

from jido_jupyter.notebook.manifest import Manifest, imported, looks_secret, user_variables
from tests.support.shells import make_shell, run


class Frame:
    """Stands for a table of any library."""

    def __init__(self, *shape: Any) -> None:
        self.shape = shape


class Hostile:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise KeyError("no")

    def __repr__(self) -> str:
        raise AssertionError("nobody reads it")


def described(value: Any, name: str = "x") -> dict[str, Any]:
    return Manifest().describe({name: value})[name]


def test_types_and_sizes() -> None:
    """A type as users call it, with the shape or length that values say they have."""
    assert described(date(2026, 1, 1)) == {"type": "datetime.date"}
    assert described(Frame(3, 4))["shape"] == [3, 4]
    assert described({"a": 1}) == {"type": "dict", "length": 1}
    assert described("x" * 201) == {"type": "str", "length": 201}
    assert described(lambda: 1) == {"type": "function"}


@pytest.mark.parametrize(
    ("value", "other"), [(1, 2), (1, 1.0), (True, 1), ("a", "b"), ((1, "a"), (1, "b")), ([1], (1,)), (None, "None")]
)
def test_small_plain_values_are_told_apart(value: Any, other: Any) -> None:
    """By a hash, from which a big or private value cannot be read."""
    assert len(described(value)["hash"]) == 16
    assert described(value)["hash"] == described(value)["hash"]
    assert described(value) != described(other)


@pytest.mark.parametrize(
    "value", [10**100, "x" * 201, list(range(21)), [[1]], {"a": 1}, {1}, b"bytes", Frame(2), [Hostile()]]
)
def test_everything_else_has_no_hash(value: Any) -> None:
    """Nothing big or of an unknown type is read."""
    assert "hash" not in described(value)


@pytest.mark.parametrize("name", ["api_key", "TOKEN", "MySecret", "db_password", "passwd"])
def test_secrets_are_told_by_type_only(name: str) -> None:
    """Neither length nor hash, which would help to guess."""
    assert looks_secret(name)
    assert described("abc", name) == {"type": "str"}


def test_hostile_values_are_described_without_an_error() -> None:
    """A value may refuse, lie or be infinite about its size."""
    values = [
        Hostile(),
        Frame("wide", None),
        Frame(-1),
        Frame(10**30),
        type("Odd", (), {"__len__": lambda self: 10**30})(),
    ]

    for value in values:
        assert set(described(value)) == {"type"}


def test_proxies_are_not_asked_what_they_stand_for() -> None:
    """A proxy without its object (flask's request, say) fails whatever it is asked, its class included."""

    class Proxy:
        @property
        def __class__(self) -> type:  # type: ignore[override]
            raise RuntimeError("outside of a request")

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("outside of a request")

    shell = make_shell()
    shell.user_ns["request"] = Proxy()

    assert set(described(user_variables(shell)["request"])) == {"type"}
    assert set(described([Proxy()])) == {"type", "length"}


def test_a_type_that_is_slow_to_measure_is_not_asked_twice() -> None:
    """``len()`` of somebody's query may go to a database: once is enough."""
    asked = []

    class Query:
        def __len__(self) -> int:
            asked.append(1)
            time.sleep(0.01)
            return 3

    manifest = Manifest()
    manifest.describe({"q": Query(), "r": Query()})
    manifest.describe({"q": Query()})

    assert len(asked) == 1


def test_only_what_the_user_defined_counts() -> None:
    """No modules, no private names, nothing of IPython's own."""
    shell = make_shell()
    run(shell, "import os\nx = 1\n_private = 2\ndef f(): pass\nIn2 = 3")

    assert list(user_variables(shell)) == ["x", "f", "In2"]


def test_imported_names_are_no_variables() -> None:
    """Modules, functions and classes of others, whatever they are called here; what the user made of them is."""
    shell = make_shell()
    run(
        shell,
        "import os.path as p, collections",
        "from math import sqrt as root, pi",
        "from collections import OrderedDict, namedtuple",
        "from functools import partial, lru_cache",
        "Point = namedtuple('Point', 'x y'); half = partial(root)",
        "@lru_cache\ndef own(): pass",
        "class Mine(OrderedDict): pass",
        "size, table = len, str.maketrans('a', 'b')",
        "add = [].append",
    )

    assert set(imported(shell)) == {
        *("p", "collections", "root", "OrderedDict", "namedtuple", "partial", "lru_cache", "size")
    }
    assert set(user_variables(shell)) == {"pi", "Point", "half", "own", "Mine", "table", "add"}


def test_a_function_of_a_kind_of_its_own_is_imported_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """numpy's are no functions of Python's; they say where they stand, and a thing that lies about it is a variable."""

    class Ufunc:
        def __init__(self, module: str, name: str) -> None:
            self.__module__, self._name = module, name

        @property
        def __name__(self) -> str:
            return self._name

    library = types.ModuleType("library")
    library.sine = Ufunc("library", "sine")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "library", library)
    shell = make_shell()
    shell.user_ns.update(liar=Ufunc("library", "cosine"), lost=Ufunc("no.such", "sine"))
    run(shell, "from library import sine")

    assert list(imported(shell)) == ["sine"]
    assert list(user_variables(shell)) == ["liar", "lost"]


def test_the_newest_names_are_kept() -> None:
    """Of very many names the ones defined last."""
    found = Manifest().describe({f"v{number}": number for number in range(1000)})

    assert len(found) == 200
    assert "v999" in found


def test_a_module_in_disguise_does_no_harm() -> None:
    """Objects that answer to every name are common (mocks, lazy modules)."""

    class Anything(types.SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            return Anything()

    assert set(described(Anything())) == {"type"}
