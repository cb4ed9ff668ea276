"""The functions that nodes call: looked up in the syntax tree of their module, which is never imported."""

from __future__ import annotations

import ast
import importlib.util
import stat
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import TypeAlias

import msgspec

from studio.loading.diagnostics import Diagnostic, Report, quoted
from studio.loading.document import Path
from studio.model.json_value import JsonValue
from studio.model.places import Place

MAX_SOURCE_BYTES = 4 * 1024 * 1024
"""Largest module that is read for checking; beyond it the functions are taken on trust."""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Module(msgspec.Struct, frozen=True):
    """A Python file beside the workflow.

    Args:
        file: its path as it should be shown.
        functions: its functions by name.
        names: every name bound at its top level.
        open: whether it may define more than its text shows (``import *``, ``__getattr__``).
        problem: why it cannot be parsed, or None.
    """

    file: str
    functions: dict[str, Function] = msgspec.field(default_factory=dict)
    names: frozenset[str] = frozenset()
    open: bool = False
    problem: Diagnostic | None = None


class CodeCheck:
    """Checks the ``call`` of nodes against the Python files beside the workflow.

    Args:
        folder: folder of the workflow file.
        shown: the same folder as messages should show it, ``""`` for the current one.
        report: where problems go.
    """

    def __init__(self, folder: FilePath, shown: str, report: Report) -> None:
        self.folder = folder
        self.shown = shown
        self.report = report
        self.broken: dict[str, Diagnostic] = {}
        self._modules: dict[str, Module | None] = {}
        self._unknown: set[str] = set()

    def check(self, call: str, path: Path, given: JsonValue, given_path: Path) -> None:
        """Check that a call names a function that is there and takes what it is given.

        Args:
            call: ``module:function``.
            path: where it stands.
            given: the authored ``with``.
            given_path: where that stands.
        """
        module_name, _, function = call.partition(":")
        if module_name not in self._modules:
            self._modules[module_name] = self._find(module_name)
        module = self._modules[module_name]
        if module is None:
            self._check_importable(module_name, path)
        elif module.problem is not None:
            self.broken.setdefault(module_name, module.problem)
        elif function not in module.names:
            if not module.open:
                hint = self.report.suggest(function, module.functions or module.names)
                message = f"{module.file} has no function {quoted(function)}{hint}"
                self.report.error(path, message, code="unknown-function")
        elif function in module.functions and isinstance(given, dict):
            self._check_arguments(module.functions[function], given, path, given_path)

    def _check_importable(self, name: str, path: Path) -> None:
        if name in self._unknown:
            return
        top = name.partition(".")[0]
        try:
            known = importlib.util.find_spec(top) is not None
        except (ImportError, ValueError, AttributeError):
            known = False
        if not known:
            self._unknown.add(name)
            hint = self.report.suggest(name, sorted(_python_files(self.folder)))
            message = f"no module {quoted(name)} beside the file, and none can be imported{hint}"
            self.report.warning(path, message, code="unknown-module")

    def _find(self, name: str) -> Module | None:
        base = self.folder.joinpath(*name.split("."))
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            source = _read_source(candidate)
            if source is None:
                continue
            relative = candidate.relative_to(self.folder).as_posix()
            return parse_module(source, f"{self.shown}{relative}")
        return None

    def _check_arguments(
        self, function: Function, given: dict[str, JsonValue], path: Path, given_path: Path
    ) -> None:
        """Warn about arguments that the function does not take, and those it misses."""
        arguments = function.args
        if function.decorator_list or arguments.posonlyargs:
            return
        names = [one.arg for one in (*arguments.args, *arguments.kwonlyargs)]
        for key in given:
            if arguments.kwarg is None and key not in names:
                hint = self.report.suggest(key, [name for name in names if name != "ctx"])
                message = f"{function.name} takes no argument {quoted(key)}{hint}"
                self.report.warning((*given_path, key), message, code="argument", key=True)
        missing = [name for name in _required(arguments) if name not in given and name != "ctx"]
        if missing:
            wanted = ", ".join(quoted(name) for name in missing)
            message = f"{function.name} is called without its argument {wanted}"
            self.report.warning(path, message, code="argument")


def parse_module(source: bytes, shown: str) -> Module:
    """What a module defines, by its syntax tree alone.

    Args:
        source: its bytes; the encoding is taken from them as Python does.
        shown: its path for messages.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as invalid escapes: not a matter of the workflow
            tree = ast.parse(source)
    except SyntaxError as error:
        place = Place(shown, max(error.lineno or 1, 1), max(error.offset or 1, 1))
        return Module(shown, problem=Diagnostic(place, error.msg, "error", "python-syntax"))
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or "it is nested too deep"
        return Module(
            shown,
            problem=Diagnostic(Place(shown), f"not Python: {reason}", "error", "python-syntax"),
        )
    functions: dict[str, Function] = {}
    names: set[str] = set()
    is_open = False
    for statement in _top_level(tree.body):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions[statement.name] = statement
        bound = _bound(statement)
        names |= bound
        is_open = is_open or "*" in bound or "__getattr__" in bound
    return Module(shown, functions, frozenset(names), is_open)


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import, those inside ``if``, ``try`` and ``with`` among them."""
    waiting = list(body)
    while waiting:
        statement = waiting.pop(0)
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for name in ("body", "orelse", "finalbody"):
            waiting.extend(getattr(statement, name, ()))
        for handler in getattr(statement, "handlers", ()):
            waiting.extend(handler.body)


def _bound(statement: ast.stmt) -> set[str]:
    """Names that a statement binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    return {
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    }


def _required(arguments: ast.arguments) -> list[str]:
    plain = arguments.args[: len(arguments.args) - len(arguments.defaults)]
    keyword = [
        one
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return [one.arg for one in (*plain, *keyword)]


def _read_source(file: FilePath) -> bytes | None:
    """The bytes of an ordinary file of moderate size, else None."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_SOURCE_BYTES:
            return None
        return file.read_bytes()
    except (OSError, ValueError):
        return None


def _python_files(folder: FilePath) -> set[str]:
    try:
        return {one.stem for one in folder.glob("*.py")}
    except OSError:
        return set()
