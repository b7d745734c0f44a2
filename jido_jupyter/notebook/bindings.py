"""Which names a cell binds and which it needs: what has to be known to run the right cells again."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

MAX_SOURCE: Final = 200_000  # characters; nobody writes a longer cell by hand
_PYTHON_MAGICS: Final = ("time", "capture", "prun")  # magics whose body runs in the user's namespace


@dataclass(frozen=True, slots=True)
class Bindings:
    """What a cell does to the namespace, as far as its text says."""

    bound: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()  # read before the cell binds them itself, by its functions too


def bindings(source: str) -> Bindings:
    """Return what a cell binds, deletes and needs; nothing where it does not parse.

    ``df["a"] = 1`` and ``x += 1`` bind their name and need it. What a method call changes in place is not seen.

    Args:
        source: Python, as IPython's transformer leaves it.

    >>> found = bindings("import math\\narea = math.pi * r ** 2")
    >>> sorted(found.bound), sorted(found.needed)
    (['area', 'math'], ['r'])
    """
    if len(source) > MAX_SOURCE:
        return Bindings()
    try:
        scope = _Scope()
        scope.visit(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Bindings()
    return Bindings(frozenset(scope.bound), frozenset(scope.deleted), frozenset(scope.needed))


class _Scope(ast.NodeVisitor):
    """Collects the names of one namespace, in the order in which Python evaluates."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.deleted: set[str] = set()
        self.needed: set[str] = set()
        self.globals: set[str] = set()  # declared so inside a function

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        elif isinstance(node.ctx, ast.Del):
            self.bound.discard(node.id)
            self.deleted.add(node.id)
        elif node.id not in self.bound:
            self.needed.add(node.id)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.generic_visit(node)
        self._touch(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        self._touch(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name) and node.target.id not in self.bound:
            self.needed.add(node.target.id)
        self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        for part in (node.target, *node.body, *node.orelse):
            self.visit(part)

    visit_AsyncFor = visit_For  # noqa: N815 - a name of ast's

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name in node.names:
            self._bind(name.asname or name.name.partition(".")[0])

    visit_ImportFrom = visit_Import  # noqa: N815 - a name of ast's

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self._bind(node.name)

    visit_MatchStar = visit_MatchAs  # noqa: N815 - a name of ast's

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self._bind(node.rest)

    def visit_Global(self, node: ast.Global) -> None:
        self.globals.update(node.names)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outside = [*node.decorator_list, *node.args.defaults, *(item for item in node.args.kw_defaults if item)]
        for part in outside:
            self.visit(part)
        self._bind(node.name)
        self._enter(node.body, _arguments(node.args))

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - a name of ast's

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in (*node.args.defaults, *(item for item in node.args.kw_defaults if item)):
            self.visit(part)
        self._enter([node.body], _arguments(node.args))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self._bind(node.name)
        self._enter(node.body, set())

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        inner = _Scope()
        for generator in node.generators:
            inner.visit(generator.iter)
            inner.visit(generator.target)
            for condition in generator.ifs:
                inner.visit(condition)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            inner.visit(part)
        self.needed |= inner.needed - self.bound
        for within in ast.walk(node):  # ``:=`` binds outside of the comprehension
            if isinstance(within, ast.NamedExpr):
                self._bind(within.target.id)

    visit_SetComp = visit_ListComp  # noqa: N815 - a name of ast's
    visit_DictComp = visit_ListComp  # noqa: N815 - a name of ast's
    visit_GeneratorExp = visit_ListComp  # noqa: N815 - a name of ast's

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if (body := _python_of(node)) is not None:
            within = bindings(body)
            self.needed |= within.needed - self.bound
            for name in within.bound:
                self._bind(name)

    def _bind(self, name: str) -> None:
        self.bound.add(name)
        self.deleted.discard(name)

    def _touch(self, node: ast.Subscript | ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            return
        base: ast.expr = node
        while isinstance(base, ast.Subscript | ast.Attribute):
            base = base.value
        if isinstance(base, ast.Name):
            self._bind(base.id)

    def _enter(self, body: list[ast.stmt] | list[ast.expr], local: set[str]) -> None:
        """Take over what a function or class body reads from outside, and the globals that it sets."""
        inner = _Scope()
        inner.bound |= local
        for part in body:
            inner.visit(part)
        self.needed |= inner.needed - self.bound - (inner.bound - inner.globals)
        for name in inner.globals & inner.bound:
            self._bind(name)


def _arguments(arguments: ast.arguments) -> set[str]:
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in found if argument is not None}


def _python_of(call: ast.Call) -> str | None:
    """Return the Python that a magic like ``%%time`` runs; None for other calls."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("run_cell_magic", "run_line_magic"):
        return None
    texts = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return texts[-1] if len(texts) > 1 and texts[0] in _PYTHON_MAGICS else None
