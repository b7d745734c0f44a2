"""Mutation testing: ``python -m tests.reliability.mutation [--module store/codec.py ...] [--seed S] [--limit N] [--list]``.

Each mutant is the package with one small change: a comparison turned, a number one higher, a statement left out. The tests
of the changed module must notice. One that they do not notice is a survivor: it gets a test, or a line in ``survivors.md``
that says why nobody could tell. Not generated: changes of docstrings, annotations, decorators and the wording of messages.

The package is copied and changed in a temporary folder. The tests of a mutant run in a fork of this process, which has
pytest imported already, and stop at the first failure; one that runs far longer than the tests do is killed by that.

Why no library: mutmut changes the wording of messages and nothing outside of functions, and cosmic-ray changes the files
of the working tree, in which others work meanwhile.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import hypothesis
import orjson  # noqa: F401 - the forks find it imported
import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = "jido_jupyter"
SURVIVORS: Final = Path(__file__).with_name("survivors.md")
MEMORY_DISK: Final = Path("/dev/shm")  # where there is one: the tests sync a lot, and there it costs nothing
MEMORY: Final = 4 * 2**30  # bytes; a loop that no longer ends must not take the machine along
_FILE: Final = "tests/store/test_file.py::"
LEFT_OUT: Final = (  # that can only make a survivor of a mutant, never the other way round
    f"{_FILE}test_a_really_full_disk_is_told",  # a fork that is ended would leave its disk mounted
    f"{_FILE}test_every_cut_leaves_all_whole_records",  # 20 s
    f"{_FILE}test_every_flipped_bit_is_told",  # 3 s
    f"{_FILE}test_processes_that_start_at_once_agree",  # 3 s
)

# The tests that are to notice; others might, too, but what needs them is not told where it broke.
TESTS: Final = {
    "store/codec.py": ("store/test_codec.py",),
    "store/limiter.py": ("store/test_limiter.py", "services/test_limits.py"),
    "store/rings.py": ("store/test_rings.py", "store/test_limiter.py"),
    "core/window.py": ("core/test_window.py",),
    "store/leases.py": ("store/test_leases.py",),
    "store/locks.py": ("store/test_locks.py",),
    "store/keys.py": ("store/test_keys.py",),
    "store/folder.py": ("store/test_folder.py",),
    "store/file.py": ("store/test_file.py", "store/test_catalogue.py"),
    "core/records.py": ("core/test_records.py",),
    "core/session.py": ("core/test_session.py", "services/test_sessions.py"),
    "core/messages.py": ("core/test_messages.py",),
    "core/ids.py": ("core/test_ids.py",),
    "core/text.py": ("core/test_text.py",),
    "core/query.py": ("core/test_query.py", "store/test_index.py"),
}

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_CALLS: Final = {"any": "all", "all": "any", "min": "max", "max": "min"}
_PASSED_OVER: Final = {"annotation", "returns", "decorator_list", "bases", "type_params"}  # fields of the syntax tree


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    function: str
    line: int
    change: str  # "`before` → `after`"
    owner: Any  # whose `field` is to hold `after`
    field: str
    at: int | None  # in a list
    after: ast.AST

    @property
    def key(self) -> tuple[str, str, str]:
        return self.module, self.function, self.change

    def source(self, tree: ast.Module) -> str:
        """Return the changed module, and leave ``tree`` as it was."""
        if self.at is None:
            before = getattr(self.owner, self.field)
            setattr(self.owner, self.field, self.after)
            text = ast.unparse(tree)
            setattr(self.owner, self.field, before)
        else:
            place = getattr(self.owner, self.field)
            before, place[self.at] = place[self.at], self.after
            text = ast.unparse(tree)
            place[self.at] = before
        return text


def mutants(module: str, tree: ast.Module) -> list[Mutant]:
    """Return every mutant of a module, in the order of its lines."""
    found: list[Mutant] = []
    seen: Counter[tuple[str, str]] = Counter()

    def visit(owner: ast.AST, function: str, is_told: bool) -> None:
        for field, value in ast.iter_fields(owner):
            if field in _PASSED_OVER:
                continue
            for at, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(node, ast.AST) or _is_passed_over(node):
                    continue
                for after in _changes(node, is_told=is_told, is_in_function=bool(function)):
                    ast.fix_missing_locations(ast.copy_location(after, node))
                    change = f"{_shown(node)} → {_shown(after)}"
                    seen[function, change] += 1
                    if (again := seen[function, change]) > 1:
                        change = f"{change} ({again})"
                    line = getattr(node, "lineno", getattr(owner, "lineno", 0))
                    found.append(Mutant(module, function or "(module)", line, change, owner, field, at, after))
                inside = function
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    inside = f"{function}.{node.name}" if function else node.name
                visit(node, inside, is_told or isinstance(node, ast.Raise))

    visit(tree, "", False)
    return found


def _is_passed_over(node: ast.AST) -> bool:
    """Return whether nothing inside is changed: documentation, types, and texts for people."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(value=ast.Subscript()) if not isinstance(node.targets[0], ast.Subscript | ast.Attribute):
            return ast.unparse(node.value).startswith(("Literal[", "Mapping[", "Callable[", "tuple["))
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
            return True
        case ast.JoinedStr():
            return any(isinstance(piece, ast.Constant) and " " in str(piece.value) for piece in node.values)
    return False


def _changes(node: ast.AST, *, is_told: bool, is_in_function: bool) -> Iterator[ast.AST]:
    """Yield what may stand in the place of ``node``.

    Args:
        is_told: it is part of an error that is raised.
    """
    match node:
        case ast.Compare():
            for at, op in enumerate(node.ops):
                for other in _COMPARISONS[type(op)]:
                    yield ast.Compare(node.left, [*node.ops[:at], other(), *node.ops[at + 1 :]], node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp() if type(node.op) in _OPERATORS:
            yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        case ast.AugAssign() if type(node.op) in _OPERATORS:
            yield ast.AugAssign(node.target, _OPERATORS[type(node.op)](), node.value)
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield ast.Call(ast.Name(_CALLS[name], ast.Load()), node.args, node.keywords)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.Constant(value=str()) if not is_told and " " not in node.value.strip():
            yield ast.Constant(f"{node.value}x")
        case ast.Constant(value=bytes()) if not is_told:
            yield ast.Constant(node.value + b"x")
        case ast.IfExp() if _needs_turning(node.test):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.If() if _needs_turning(node.test):
            yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.While() if _needs_turning(node.test):
            yield ast.While(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Assign(value=value) if is_in_function and not _is_none(value):
            yield ast.Assign(node.targets, ast.Constant(None), lineno=node.lineno)
        case ast.Return(value=ast.expr() as value) if not (
            isinstance(value, ast.Constant) and value.value in (None, True, False)
        ):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.Delete() | ast.Break():
            yield ast.Pass()
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.With(items=[*others, ast.withitem(context_expr=ast.Call(func=ast.Attribute(attr="suppress")))]):
            yield ast.With(others, node.body) if others else ast.If(ast.Constant(True), node.body, [])


def _needs_turning(test: ast.expr) -> bool:
    """Return whether a condition is not one whose parts are turned anyway."""
    return not isinstance(test, ast.Compare | ast.BoolOp | ast.Constant | ast.UnaryOp)


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _shown(node: ast.AST) -> str:
    """Return the first line of some code, as it stands in the list of survivors."""
    text = "leave out" if isinstance(node, ast.Pass) else ast.unparse(node).partition("\n")[0]
    return f"`{text if len(text) <= 90 else text[:89] + '…'}`"


def explained() -> dict[tuple[str, str, str], str]:
    """Return the survivors that nobody could tell, and why; by module, function and change."""
    found = {}
    for line in SURVIVORS.read_text(encoding="utf-8").splitlines() if SURVIVORS.exists() else ():
        cells = [cell.strip().replace("\\|", "|") for cell in line.replace("\\|", "\0").strip("| ").split("|")]
        cells = [cell.replace("\0", "|") for cell in cells]
        if len(cells) == 4 and cells[0] in TESTS:
            found[cells[0], cells[1], cells[2]] = cells[3]
    return found


class Copy:
    """The package and its tests in a folder of their own, where files may be changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        left_out = shutil.ignore_patterns("__pycache__", "node_modules", "labextension", "static", ".hypothesis")
        for name in (PACKAGE, "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=left_out)
        shutil.copy(ROOT / "setup.cfg", folder)

    def text(self, module: str) -> str:
        return (self._folder / PACKAGE / module).read_text(encoding="utf-8")

    def put(self, module: str, text: str) -> None:
        path = self._folder / PACKAGE / module
        path.write_text(text, encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()

    def run(self, tests: tuple[str, ...], timeout_s: float, *, keeps_compiled: bool = False) -> str:
        """Return how the tests end: "passed", "failed" or "timed out"."""
        child = os.fork()
        if child == 0:
            self._run_forked(tests, keeps_compiled)
        try:
            deadline = time.monotonic() + timeout_s
            while time.monotonic() < deadline:
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    return "passed" if status == 0 else "failed"
                time.sleep(0.005)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timed out"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what the tests have started, and on an interrupt the fork

    def _run_forked(self, tests: tuple[str, ...], keeps_compiled: bool) -> None:
        status = 1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            os.chdir(self._folder)
            sys.path[0] = str(self._folder)
            sys.dont_write_bytecode = not keeps_compiled
            for name in [name for name in sys.modules if name.partition(".")[0] in (PACKAGE, "tests")]:
                del sys.modules[name]
            silent = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={self._folder / 'work'}"]
            options += [f"--deselect={test}" for test in LEFT_OUT]
            status = int(pytest.main([*options, *(f"tests/{name}" for name in tests)]))
        finally:
            os._exit(status)

    @property
    def output(self) -> str:
        return (self._folder / "output.txt").read_text(encoding="utf-8", errors="replace")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability.mutation", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--module", nargs="+", choices=TESTS, default=list(TESTS), metavar="MODULE")
    parser.add_argument("--seed", type=int, default=1, help="chooses the mutants of a sample, and their order")
    parser.add_argument("--limit", type=int, help="mutants of each module at most; without it all are tried")
    parser.add_argument("--list", action="store_true", help="only show the mutants")
    options = parser.parse_args(arguments)
    hypothesis.settings.register_profile("mutation", derandomize=True, database=None, deadline=None, max_examples=30)
    hypothesis.settings.load_profile("mutation")
    reasons, tried, unexplained = explained(), 0, 0
    with tempfile.TemporaryDirectory(prefix="mutation-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as name:
        copy = Copy(Path(name))
        for module in options.module:
            tree = ast.parse(copy.text(module))
            every = mutants(module, tree)
            chosen = every
            if options.limit is not None and options.limit < len(every):
                chosen = random.Random(options.seed).sample(every, options.limit)
            if options.list:
                for mutant in every:
                    print(f"{module}:{mutant.line} {mutant.function}: {mutant.change}")
                continue
            survivors = _tried(copy, module, tree, every, chosen, reasons)
            tried += len(chosen)
            unexplained += sum(mutant.key not in reasons for mutant in survivors)
    print(f"mutation: {tried} tried, {unexplained} survived unexplained, seed {options.seed}")
    return 1 if unexplained else 0


def _tried(
    copy: Copy,
    module: str,
    tree: ast.Module,
    every: list[Mutant],
    chosen: list[Mutant],
    reasons: dict[tuple[str, str, str], str],
) -> list[Mutant]:
    """Return the mutants that the tests of a module do not notice, after telling about them."""
    original = copy.text(module)
    started = time.monotonic()
    copy.run(TESTS[module], 600, keeps_compiled=True)
    copy.put(module, ast.unparse(tree))
    compiled = time.monotonic()
    if copy.run(TESTS[module], 600) != "passed":
        raise SystemExit(f"the tests of {module} fail without a mutant:\n{copy.output}")
    timeout_s = 5 + 3 * (time.monotonic() - compiled)
    ended: Counter[str] = Counter()
    survivors = []
    for mutant in chosen:
        copy.put(module, mutant.source(tree))
        how = copy.run(TESTS[module], timeout_s)
        ended[how] += 1
        if how == "passed":
            survivors.append(mutant)
            if mutant.key not in reasons:
                print(f"    {module}:{mutant.line} {mutant.function}: {mutant.change}", flush=True)
        elif mutant.key in reasons:
            print(f"    not needed in {SURVIVORS.name}: {module} {mutant.function} {mutant.change}", flush=True)
    copy.put(module, original)
    for key in reasons.keys() - {mutant.key for mutant in every}:
        if key[0] == module:
            print(f"    no such mutant any more: {' '.join(key)}", flush=True)
    known = sum(mutant.key in reasons for mutant in survivors)
    print(
        f"{module}: {len(chosen)} of {len(every)} tried, {ended['failed']} failed a test, {ended['timed out']} timed out, "
        f"{known} survived as explained, {len(survivors) - known} unexplained, {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return survivors


if __name__ == "__main__":
    sys.exit(main())
