"""Calling the function, or the code block, of a python node."""

from __future__ import annotations

import ast
import difflib
import inspect
import keyword
import linecache
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from studio.executors.zygote import sources
from studio.executors.zygote.context import Context

_SCOPES: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
)


class InputError(TypeError):
    """The input of a node does not fit the function it calls."""

    category = "validation"


def call(order: Mapping[str, Any], context: Context) -> Any:
    """Run a python node and return what its function returned, awaited if need be.

    Raises:
        BaseException: whatever user code raises.
    """
    given = order["input"]
    if not isinstance(given, dict):
        raise InputError(
            f"the input of a python node is a mapping of argument names to values, not {_kind(given)}"
        )
    if order.get("code") is not None:
        function = compile_block(order["code"], order["node"], given)
        arguments = {name: given[name] for name in given if _is_name(name)}
        if "ctx" not in arguments:
            arguments["ctx"] = context
    else:
        function = find(order["call"], order["folder"])
        arguments = bind(function, order["call"], given, context)
    result = function(**arguments)
    return _wait_for(result) if inspect.isawaitable(result) else result


def _wait_for(result: Awaitable[Any]) -> Any:
    # Lazy: asyncio doubles the memory that every fork has to map; templates of async modules have it.
    import asyncio

    async def wait() -> Any:
        return await result

    return asyncio.run(wait())


def find(spec: str, folder: str) -> Callable[..., Any]:
    """Import ``module:function`` (or ``module:Class.method``).

    Raises:
        AttributeError: when the module has no such name; the text suggests the nearest.
        TypeError: when it cannot be called.
        BaseException: whatever importing the module raises.
    """
    module_name, _, path = spec.partition(":")
    found: Any = sources.load(module_name, folder)
    where = os.path.basename(getattr(found, "__file__", None) or module_name)
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            close = difflib.get_close_matches(name, dir(found), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise AttributeError(f"{where} has no function {name}{hint}") from None
    if not callable(found):
        raise TypeError(f"{spec} is {_kind(found)} and cannot be called")
    return found  # type: ignore[no-any-return]  # callable, as just checked


def bind(
    function: Callable[..., Any], spec: str, given: dict[str, Any], context: Context
) -> dict[str, Any]:
    """Match the input with the function's arguments; ``ctx`` is added when it is asked for by name.

    Raises:
        InputError: naming what is missing and what is not known.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return given  # written in C without a signature: let it judge by itself
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    arguments = dict(given)
    if "ctx" in named and "ctx" not in given:
        arguments["ctx"] = context
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    missing = [
        name for name, each in named.items() if each.default is each.empty and name not in arguments
    ]
    missing += [
        name
        for name, each in parameters.items()
        if each.kind is each.POSITIONAL_ONLY and each.default is each.empty
    ]
    unknown = [] if takes_any else [name for name in given if name not in named]
    if missing or unknown:
        raise InputError(_mismatch(spec, list(named), given, missing, unknown))
    return arguments


def _mismatch(
    spec: str, named: list[str], given: dict[str, Any], missing: list[str], unknown: list[str]
) -> str:
    parts = []
    if missing:
        parts.append("is not given " + ", ".join(missing))
    if unknown:
        parts.append("does not take " + ", ".join(unknown))
    takes = ", ".join(name for name in named if name != "ctx") or "nothing"
    return (
        f"{spec} {' and '.join(parts)}; it takes {takes}, "
        f"and the node's input has {', '.join(given) or 'nothing'}"
    )


def compile_block(code: str, node: str, given: Mapping[str, Any]) -> Callable[..., Any]:
    """Make a function of a code block. Line numbers in it are those of the block.

    Its arguments are the keys of the input that are names, and ``ctx``; it is a coroutine function when
    the block awaits.

    Raises:
        SyntaxError: when the block is not Python.
    """
    file = f"<code of {node}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    tree = ast.parse(code, file)
    names = dict.fromkeys([*(name for name in given if _is_name(name)), "ctx"])
    kind = ast.AsyncFunctionDef if _awaits(tree) else ast.FunctionDef
    function = kind(
        name="code",
        args=ast.arguments(
            posonlyargs=[],
            args=[],
            kwonlyargs=[ast.arg(arg=name) for name in names],
            kw_defaults=[None for _ in names],
            defaults=[],
        ),
        body=tree.body or [ast.Pass()],
        decorator_list=[],
    )
    module = ast.fix_missing_locations(ast.Module(body=[function], type_ignores=[]))
    home = ModuleType(file)
    home.__file__ = file
    # dataclasses, among others, looks up the module of a class by its name.
    sys.modules[file] = home
    exec(compile(module, file, "exec"), home.__dict__)
    return home.__dict__["code"]  # type: ignore[no-any-return]  # the function just defined


def _awaits(tree: ast.AST) -> bool:
    """Tell whether a block awaits itself, not only in functions it defines."""
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(node, ast.comprehension) and node.is_async:
            return True
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number"}
    names |= {str: "a text", list: "a list", dict: "a mapping"}
    return names.get(type(value), f"a {type(value).__name__}")
