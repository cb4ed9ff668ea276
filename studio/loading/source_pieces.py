"""A Python module in pieces: what each name at its top level stands for, and what each piece uses.

A piece is known by the dump of its syntax tree without docstrings and places. So comments, formatting and docstrings
do not matter; decorators, defaults and annotations do. A function that reads ``__doc__`` is the price.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from studio.loading.diagnostics import Diagnostic, printable
from studio.loading.name_uses import Chain, Import, Uses, imports_of
from studio.model.places import Place

DYNAMIC = frozenset({"globals", "vars", "eval", "exec"})
"""Built-in functions with which a function may reach anything its module has."""


class Piece(msgspec.Struct, frozen=True):
    """One or more statements.

    Args:
        digest: hash of their syntax trees.
        uses: names that are free in them, with attributes.
        imports: names bound by imports inside.
        dynamic: whether they may reach more than their text names.
    """

    digest: str
    uses: frozenset[Chain] = frozenset()
    imports: Mapping[str, tuple[Import, ...]] = msgspec.field(default_factory=dict)
    dynamic: bool = False

    @property
    def imported(self) -> Iterator[Import]:
        """Every import inside."""
        for bound in self.imports.values():
            yield from bound


NOTHING = Piece("")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Source(msgspec.Struct):
    """A module.

    Args:
        definitions: pieces that bind a name: functions, classes, assignments.
        imports: names bound by imports at the top level; ``*`` for everything of the named modules.
        functions: those of them that are functions or classes and nothing else.
        decorated: functions and classes with decorators: their name, and what the decorators are.
        effects: what else its import does.
        main: what runs only when it is a script.
        problem: why it cannot be parsed, or None.
        cuts: pieces by their text, so that the next version takes over what did not change.
    """

    definitions: dict[str, Piece] = msgspec.field(default_factory=dict)
    imports: dict[str, tuple[Import, ...]] = msgspec.field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    decorated: list[tuple[str, Chain]] = msgspec.field(default_factory=list)
    effects: Piece = NOTHING
    main: Piece = NOTHING
    problem: Diagnostic | None = None
    cuts: dict[object, Piece] = msgspec.field(default_factory=dict)


def cut(source: bytes, shown: str, before: Source | None = None) -> Source:
    """Cut a module into pieces. Never raises: what cannot be parsed is a `Source` with a problem.

    Args:
        source: its bytes.
        shown: its path for messages.
        before: an earlier version.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as invalid escapes: not a matter of the workflow
            tree = ast.parse(source)
        text = source.decode("utf-8", "replace")
        return _Cutter(text.splitlines(), before).cut(tree)
    except SyntaxError as error:
        place = Place(shown, max(error.lineno or 1, 1), max(error.offset or 1, 1))
        return Source(problem=Diagnostic(place, printable(error.msg), "error", "python-syntax"))
    except (ValueError, RecursionError, MemoryError) as error:
        reason = printable(str(error) or "it is nested too deep")
        return Source(
            problem=Diagnostic(Place(shown), f"not Python: {reason}", "error", "python-syntax")
        )


def piece_of_code(code: str) -> Piece:
    """The piece of an inline block of code, the body of a function; nothing when it cannot be parsed."""
    body = "\n".join("    " + line for line in code.splitlines()) or "    pass"
    try:
        tree = ast.parse(f"async def code():\n{body}\n")
        return _piece(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return NOTHING


class _Cutter:
    def __init__(self, lines: list[str], before: Source | None) -> None:
        self.lines = lines
        self.known = before.cuts if before is not None else {}
        self.source = Source()

    def cut(self, tree: ast.Module) -> Source:
        """Sort the statements of the top level by what they do."""
        bound: dict[str, list[Piece]] = {}
        effects: list[Piece] = []
        main: list[Piece] = []
        functions: set[str] = set()
        others: set[str] = set()
        for statement in tree.body:
            if _is_text(statement):
                continue
            if _is_main(statement):
                main.append(self._piece(statement))
                continue
            leaves = list(_leaves(statement))
            for leaf in leaves:
                if isinstance(leaf, (ast.Import, ast.ImportFrom)):
                    _merge(self.source.imports, imports_of(leaf))
            if all(isinstance(leaf, (ast.Import, ast.ImportFrom, ast.Pass)) for leaf in leaves):
                continue
            piece = self._piece(statement)
            for name in sorted({name for leaf in leaves for name in _binds(leaf)}):
                bound.setdefault(name, []).append(piece)
            for leaf in leaves:
                is_function = isinstance(leaf, _DEFINITIONS)
                (functions if is_function else others).update(_binds(leaf))
                self.source.decorated += _decorators(leaf)
            if any(_acts(leaf) for leaf in leaves):
                effects.append(piece)
        self.source.functions = frozenset(functions - others)
        self.source.definitions = {name: _joined(pieces) for name, pieces in bound.items()}
        self.source.effects = _joined(effects)
        self.source.main = _joined(main)
        return self.source

    def _piece(self, statement: ast.stmt) -> Piece:
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(one.lineno for one in decorators)])
        last = statement.end_lineno or statement.lineno
        key = (
            statement.col_offset,
            statement.end_col_offset,
            tuple(self.lines[first - 1 : last]),
        )
        piece = self.source.cuts.get(key) or self.known.get(key)
        if piece is None:
            piece = _piece([statement])
        self.source.cuts[key] = piece
        return piece


def _piece(statements: Sequence[ast.stmt]) -> Piece:
    reader = Uses()
    whole = hashlib.sha256()
    for statement in statements:
        _strip(statement)
        reader.visit(statement)
        whole.update(ast.dump(statement, annotate_fields=False).encode("utf-8", "surrogatepass"))
    return Piece(
        whole.hexdigest(),
        frozenset(reader.chains),
        {name: tuple(found) for name, found in reader.imports.items()},
        any(chain[0] in DYNAMIC for chain in reader.chains),
    )


def _joined(pieces: Sequence[Piece]) -> Piece:
    if not pieces:
        return NOTHING
    if len(pieces) == 1:
        return pieces[0]
    imports: dict[str, tuple[Import, ...]] = {}
    for one in pieces:
        _merge(imports, one.imports)
    return Piece(
        hashlib.sha256("".join(one.digest for one in pieces).encode()).hexdigest(),
        frozenset().union(*(one.uses for one in pieces)),
        imports,
        any(one.dynamic for one in pieces),
    )


def _merge(
    into: dict[str, tuple[Import, ...]], more: Mapping[str, tuple[Import, ...] | list[Import]]
) -> None:
    for name, found in more.items():
        into[name] = (*into.get(name, ()), *found)


# --------------------------------------------------------------------------- what a statement is


def _leaves(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements that run on import, those inside ``if``, ``try``, ``with``, loops and ``match`` among them."""
    blocks: list[list[ast.stmt]] = []
    if not isinstance(statement, _DEFINITIONS):
        blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        blocks += [one.body for one in getattr(statement, "handlers", [])]
        blocks += [one.body for one in getattr(statement, "cases", [])]
    if not any(blocks):
        yield statement
        return
    if isinstance(statement, (ast.For, ast.While, ast.With)):
        yield ast.Expr(ast.Constant(None), lineno=statement.lineno, col_offset=0)  # it acts
    for block in blocks:
        for inner in block:
            yield from _leaves(inner)


def _binds(statement: ast.stmt) -> set[str]:
    """Names that a statement without blocks binds, those of imports left out."""
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = [statement.target]
    return {
        node.id
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _decorators(statement: ast.stmt) -> Iterator[tuple[str, Chain]]:
    if isinstance(statement, _DEFINITIONS):
        for one in statement.decorator_list:
            uses = Uses()
            uses.visit(one.func if isinstance(one, ast.Call) else one)
            yield from ((statement.name, chain) for chain in uses.chains)


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement may do more than bind its names; decorators are judged by what they are."""
    if isinstance(statement, _DEFINITIONS):
        return False
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return any(
            isinstance(node, (ast.Attribute, ast.Subscript))
            for target in targets
            for node in ast.walk(target)
        )
    return not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)) and not _is_text(
        statement
    )


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_main(statement: ast.stmt) -> bool:
    """``if __name__ == "__main__":`` without an else."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    test = statement.test
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value == "__main__"
    )


def _strip(statement: ast.stmt) -> None:
    """Take docstrings out of functions and classes; elsewhere a text that stands alone does nothing either."""
    for node in ast.walk(statement):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                block[:] = [one for one in block if not _is_text(one)]
