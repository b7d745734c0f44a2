"""What the text of a cell says about names."""

from __future__ import annotations

import pytest

from jido_jupyter.notebook.bindings import MAX_SOURCE, Bindings, bindings


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("a = b = 1", {"a", "b"}),
        ("a, (b, *c) = f()", {"a", "b", "c"}),
        ("a: int = 1", {"a"}),
        ("a: int", set()),
        ("a += 1", {"a"}),
        ("print(a := 1)", {"a"}),
        ("[(b := n) for n in range(3)]", {"b"}),
        ("for a in x:\n    b = a\nelse:\n    c = 1", {"a", "b", "c"}),
        ("with open('f') as a, b as (c, d):\n    pass", {"a", "c", "d"}),
        ("import os.path, numpy as np\nfrom m import k as v, w", {"os", "np", "v", "w"}),
        ("def f(p):\n    local = 1\n    global g\n    g = 2", {"f", "g"}),
        ("async def f():\n    pass", {"f"}),
        ("class A:\n    inner = 1", {"A"}),
        ("try:\n    a = 1\nexcept OSError:\n    b = 2", {"a", "b"}),
        (
            "match x:\n    case {'k': a, **rest}:\n        pass\n    case [b, *c]:\n        pass",
            {"a", "rest", "b", "c"},
        ),
        ("df['a'] = 1\nobj.x.y = 2\ndel table[0]", {"df", "obj", "table"}),
        ("get_ipython().run_cell_magic('time', '', 'a = 1\\n')", {"a"}),
        ("get_ipython().run_line_magic('time', 'a = 1')", {"a"}),
        ("get_ipython().run_cell_magic('bash', '', 'a=1')", set()),
        ("a = 1\ndel a", set()),
        ("this is no Python", set()),
    ],
)
def test_what_a_cell_binds(source: str, bound: set[str]) -> None:
    """Every way to bind a name at the top of a cell is seen, and what stays inside functions is not."""
    assert bindings(source).bound == bound


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("import math\narea = math.pi * r", {"r"}),
        ("x += 1", {"x"}),
        ("df['a'] = df['b'] + c", {"df", "c"}),
        ("x = x + 1", {"x"}),
        ("def f(a, b=d):\n    t = a\n    return t + outside", {"d", "outside"}),
        ("g = lambda a, b=d: a + outside", {"d", "outside"}),
        ("[a * k for a in rows if a]", {"k", "rows"}),
        ("{a: b for a, b in pairs}", {"pairs"}),
        ("class A(Base):\n    x = y\n    def m(self):\n        return self.x + z", {"Base", "y", "z"}),
        ("@wrap\ndef f():\n    return f", {"wrap"}),
        ("for i in rows:\n    print(i)", {"rows", "print"}),
    ],
)
def test_what_a_cell_needs(source: str, needed: set[str]) -> None:
    """Names that it reads before it binds them itself, in its functions too."""
    assert bindings(source).needed == needed


def test_deletions_are_told() -> None:
    """A name that a cell deletes is not bound by it; one that it binds again is."""
    found = bindings("del a\nb = 1\ndel c\nc = 2")

    assert found.deleted == {"a"}
    assert found.bound == {"b", "c"}


@pytest.mark.parametrize(
    "source", ["x = " + "(" * 3000, "x = " + "-" * 100_000 + "1", "x = 1\0", "#" * (MAX_SOURCE + 1)]
)
def test_hostile_text_is_no_error(source: str) -> None:
    """What cannot be parsed, or not in reasonable time, binds nothing as far as is known."""
    assert bindings(source) == Bindings()
