"""The names that a piece of Python uses, and the imports in it, by its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

Chain: TypeAlias = tuple[str, ...]
"""A name and the attributes read from it: ``prices.tax.rate`` is ``("prices", "tax", "rate")``."""


class Import(NamedTuple):
    """One name bound by an import.

    Args:
        module: the module named, ``""`` for ``from . import x``.
        level: leading dots.
        name: what is taken from the module; None for the module itself, ``*`` for everything.
        top: an ``import a.b`` without ``as``, which binds ``a``.
    """

    module: str
    level: int
    name: str | None
    top: bool = False


def imports_of(statement: ast.Import | ast.ImportFrom) -> dict[str, list[Import]]:
    found: dict[str, list[Import]] = {}
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            bound = alias.asname or alias.name
            one = Import(statement.module or "", statement.level, alias.name)
        else:
            bound = alias.asname or alias.name.partition(".")[0]
            one = Import(alias.name, 0, None, top=alias.asname is None)
        found.setdefault(bound, []).append(one)
    return found


class Uses(ast.NodeVisitor):
    """Collects the names a statement uses, and what it imports inside."""

    def __init__(self) -> None:
        self.chains: set[Chain] = set()
        self.imports: dict[str, list[Import]] = {}
        self._hidden: list[set[str]] = []

    def visit_Name(self, node: ast.Name) -> None:
        self._add((node.id,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        attributes = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            attributes.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name):
            self._add((value.id, *reversed(attributes)))
        else:
            self.visit(value)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called in ("import_module", "__import__") and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                self.imports.setdefault("", []).append(Import(name.value, 0, None))
                self.chains.add(("",))
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _add(self, chain: Chain) -> None:
        if not any(chain[0] in names for names in self._hidden):
            self.chains.add(chain)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, found in imports_of(node).items():
            self.imports.setdefault(name, []).extend(found)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Its own variables hide the module's names; what stands outside of its body does not see them."""
        arguments = node.args
        for one in (*node.decorator_list, *arguments.defaults, *arguments.kw_defaults):
            if one is not None:
                self.visit(one)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        for annotation in (node.returns, *(one.annotation for one in every)):
            if annotation is not None:
                self.visit(annotation)
        stored, declared = _variables(node.body)
        self._hidden.append(({one.arg for one in every} | stored) - declared)
        for statement in node.body:
            self.visit(statement)
        self._hidden.pop()


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _variables(body: Iterable[ast.stmt]) -> tuple[set[str], set[str]]:
    """Names a function's own scope stores, and those that are of another one: declared so, or imported."""
    stored: set[str] = set()
    declared: set[str] = set()
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            declared |= set(node.names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            declared |= imports_of(node).keys()
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored.add(node.id)
        elif isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
        ):
            stored.add(node.name or "")
        if not isinstance(node, (*_SCOPES, *_COMPREHENSIONS)):
            waiting.extend(ast.iter_child_nodes(node))
    return stored, declared
