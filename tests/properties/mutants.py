"""Take one guard out of the core at a time and see that a test notices.

``python -m tests.properties.mutants`` tries every guard of the rooms that decide (a quarter of an hour on one core) and
lists the survivors; ``--only decide/nodes`` narrows it down, ``--every 20`` takes a sample.

A guard is a place where the code asks before it acts, and it is taken out in every way that a slip of the hand
could:

- the condition of an ``if`` (or of ``x if … else y``) is made false, and made true too unless it only guards a way out;
- one part of an ``and`` or ``or`` is left out, wherever it stands, in a ``return`` too;
- a condition of a comprehension is left out;
- one of the values that ``in`` compares with, or one member of a set of the module, is left out;
- an ``except`` no longer catches.

The mutated code is put under the functions of the imported module in a forked child, which then runs the fast
tests of the core and stops at the first failure.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import os
import resource
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase

ROOT = Path(__file__).parents[2]
CORE = ROOT / "studio" / "core"

TARGETS = (
    "decide/attempts",
    "decide/decision",
    "decide/nodes",
    "decide/revising",
    "decide/runs",
    "decide/verdicts",
    "endings",
    "gates",
    "items",
    "joins",
    "losers",
    "reactions",
    "resilience/compensation",
    "resilience/retry",
    "revision",
    "standing",
    "starts",
)
"""Modules that judge; those that fold or describe are held by replay equality and tables."""

TESTS = ("tests/unit/core", "tests/properties/test_core_brute_force.py")

LONGEST = 20
"""Seconds of processor time after which a child counts as hanging, which is noticing too; the tests take six."""

TYPES = "tells the type checker what cannot be otherwise"

SHORTCUT = "saves work, with the same result"

HARMLESS: dict[str, str] = {
    "_edges: always success and needs_output(node)": SHORTCUT,
    "_edges: and needs_output(node)": SHORTCUT,
    "_edges: and success": SHORTCUT,
    "_edges: or planned.plain": SHORTCUT,
    "_finish_undo: always undo is not None": TYPES,
    "_finish_undo: and policy is not None": TYPES,
    "_finish_undo: and undo is not None": TYPES,
    "_first_not_taken: or b''": TYPES,
    "_start_undo: if undo is None": TYPES,
    "_stop_reason: and node.by": TYPES,
    "_undo_failure: and node.plan.undo is not None": TYPES,
    "_wake_time: if not isinstance(kind, WaitSettings)": TYPES,
    "_failure: always node.items is not None": TYPES,
    "_failure: or first.failure is None": TYPES,
    "collect: always watched": SHORTCUT,
    "collect: or items is None": TYPES,
    "end_run: or run.flying": "whatever is in flight is open too; no slip in that count may end a run",
    "end_run: or run.waits": "whatever waits is open too; no slip in that count may end a run",
    "fire_timer: if node is None": "a node that is removed leaves no timer behind; a stray one must not end the loop",
    "_dead_reason: and node.edges is not None": TYPES,
    "_is_crowded: or parent.items is None": TYPES,
    "_is_crowded: or parent.items.active <= bound": SHORTCUT,
    "_is_open: for … if node.parent is None": "items of a list that is done are done; no slip may keep a run from its undo",
    "_offer_locks: if name in flow.holders": SHORTCUT,
    "_render_settings: always isinstance(done.value, dict)": TYPES,
    "_reuse: always needs_output(node)": SHORTCUT,
    "gate_of: if node.gate is not None": "a node behind a closed gate is held, not ready; views ask all the same",
    "join_verdict: or edges is None": TYPES,
    "judge_edges: always scope is None": "the names are the same for each edge; they are made once",
    "judge_edges: or node.plan.plain": SHORTCUT,
    "next_undo: and node.plan.node.locks": SHORTCUT,
    "next_undo: if plan is None": TYPES,
    "may_undo: or plan is None": TYPES,
    "needs_output: and any((edge.when is not None for edge in node.plan.outgoing))": SHORTCUT,
    "needs_output: and not node.plan.plain": SHORTCUT,
    "override_output: always needs_output(node)": SHORTCUT,
    "phase_of: always in_doubt(run)": "between two turns a run with nothing open has ended, or is in doubt",
    "phase_of: and step is not None": TYPES,
    "phase_of: if not run.open": "between two turns a run with nothing open has ended, or is in doubt",
    "review_handlers: or target.edges is None": TYPES,
    "react: always run is not None": TYPES,
    "release_edges: always needs_output(node)": SHORTCUT,
    "_review_fallback: always needs_output(node)": SHORTCUT,
    "render: if planned.input is None and planned.settings is None": SHORTCUT,
    "succeed: always needs_output(node) or node.plan.repeat_until is not None or run.breakpoints": SHORTCUT,
    "succeed: and node.plan.repeat_until is not None": TYPES,
    "succeed: and repeat is not None": TYPES,
}
"""Guards without an effect that can be seen, and why they stand nevertheless."""

Change = Callable[[], None]
"""Mutates the tree it was found in."""


@dataclass(frozen=True)
class Mutant:
    """A guard: the module, the function it stands in, its line, what is done to it, and its number there."""

    target: str
    function: str
    line: int
    what: str
    index: int

    def __str__(self) -> str:
        return f"studio/core/{self.target}.py:{self.line} {self.key}"

    @property
    def is_set(self) -> bool:
        """Whether it is a set of the module that lacks a member."""
        return self.function.isupper()

    @property
    def key(self) -> str:
        """Name under which a harmless guard is listed; it survives a shift of lines."""
        return f"{self.function}: {self.what}"


def mutants(target: str) -> Iterator[Mutant]:
    """Every guard of a module."""
    for function, tree in _scopes(target):
        for index, (line, what, _change) in enumerate(_changes(tree)):
            yield Mutant(target, function, line, what, index)


def _scopes(target: str) -> Iterator[tuple[str, ast.AST]]:
    """The functions of a module, and the sets it names; each is small enough to be compiled by itself."""
    for found in ast.parse((CORE / f"{target}.py").read_text()).body:
        if isinstance(found, ast.FunctionDef):
            yield found.name, found
        elif isinstance(found, ast.Assign) and isinstance(found.targets[0], ast.Name):
            yield found.targets[0].id, found


def _changes(tree: ast.AST) -> Iterator[tuple[int, str, Change]]:
    """Line, description and deed of each way to take a guard out, always in the same order."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp):
            text = ast.unparse(node.test)
            yield node.lineno, f"if {text}", _setter(node, "test", ast.Constant(False))
            if not _leaves(node):
                yield node.lineno, f"always {text}", _setter(node, "test", ast.Constant(True))
        elif isinstance(node, ast.BoolOp):
            word = "and" if isinstance(node.op, ast.And) else "or"
            for index, part in enumerate(node.values):
                neutral = ast.Constant(word == "and")
                yield (
                    part.lineno,
                    f"{word} {ast.unparse(part)}",
                    _putter(node.values, index, neutral),
                )
        elif isinstance(node, ast.comprehension):
            for index, part in enumerate(node.ifs):
                text = ast.unparse(part)
                yield part.lineno, f"for … if {text}", _putter(node.ifs, index, ast.Constant(True))
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            if isinstance(node.comparators[0], ast.Tuple | ast.Set):
                yield from _without_each(node.comparators[0], ast.unparse(node))
        elif isinstance(node, ast.Set):
            yield from _without_each(node, "")
        elif isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type is not None else ""
            yield node.lineno, f"except {caught}", _putter(node.body, 0, ast.Raise())


def _leaves(node: ast.If | ast.IfExp) -> bool:
    """Whether what an ``if`` guards ends in a way out; taken always, it would end the function at once."""
    ways_out = ast.Return | ast.Raise | ast.Continue | ast.Break
    return isinstance(node, ast.If) and isinstance(node.body[-1], ways_out)


def _without_each(node: ast.Tuple | ast.Set, text: str) -> Iterator[tuple[int, str, Change]]:
    for index, member in enumerate(node.elts):
        where = f" of {text}" if text else ""
        yield member.lineno, f"member {ast.unparse(member)}{where}", _dropper(node.elts, index)


def _setter(node: ast.AST, field: str, value: ast.expr) -> Change:
    return lambda: setattr(node, field, value)


def _putter(listed: list[Any], index: int, value: ast.AST) -> Change:
    return lambda: listed.__setitem__(index, value)


def _dropper(listed: list[ast.expr], index: int) -> Change:
    return lambda: listed.__delitem__(index)


def apply(mutant: Mutant) -> None:
    """Put the mutated code under the function, or the mutated set under its name, as every importer knows it."""
    path = CORE / f"{mutant.target}.py"
    module = importlib.import_module(f"studio.core.{mutant.target.replace('/', '.')}")
    tree = next(tree for name, tree in _scopes(mutant.target) if name == mutant.function)
    list(_changes(tree))[mutant.index][2]()
    ast.fix_missing_locations(tree)
    assert isinstance(tree, ast.stmt)
    if isinstance(tree, ast.FunctionDef):
        code = compile(ast.Module([tree], []), str(path), "exec")
        inner = next(const for const in code.co_consts if isinstance(const, CodeType))
        function = getattr(module, mutant.function)
        assert isinstance(function, FunctionType)
        function.__code__ = inner
        return
    names: dict[str, Any] = {}
    exec(compile(ast.Module([tree], []), str(path), "exec"), {**vars(module)}, names)
    before = getattr(module, mutant.function)
    for known in list(sys.modules.values()):
        if isinstance(known, types.ModuleType) and known.__name__.startswith("studio."):
            for name, value in list(vars(known).items()):
                if value is before:
                    setattr(known, name, names[mutant.function])


class Survey:
    """A plugin of pytest: instead of the loop over the tests, one loop for each mutant, in a forked child.

    The tests are collected once, and first run with every guard in place. That notes which functions of the core
    each test calls, and how long it takes: only tests that call the function of a mutant can notice it, and the
    quick ones come first.
    """

    def __init__(self, chosen: list[Mutant]) -> None:
        self.chosen = chosen
        self.survivors: list[Mutant] = []
        self.done = False
        self._test = ""
        self._callers: dict[tuple[str, str], set[str]] = {}
        self._seconds: dict[str, float] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests as they are, then once for each mutant."""
        sys.setprofile(self._note)
        passed = self._run(session, session.items)
        sys.setprofile(None)
        if not passed:
            return True
        for mutant in self.chosen:
            if self._survives(session, mutant):
                self.survivors.append(mutant)
                print(f"survives: {mutant}", file=sys.__stdout__, flush=True)
        self.done = True
        return True

    def _note(self, frame: FrameType, event: str, _arg: object) -> None:
        if event == "call":
            code = frame.f_code
            self._callers.setdefault((code.co_filename, code.co_name), set()).add(self._test)

    def _run(self, session: pytest.Session, items: list[pytest.Item]) -> bool:
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._test = item.nodeid
            begun = time.perf_counter()
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._seconds[item.nodeid] = time.perf_counter() - begun
            if session.testsfailed:
                return False
        return True

    def _survives(self, session: pytest.Session, mutant: Mutant) -> bool:
        where = str(CORE / f"{mutant.target}.py"), mutant.function
        names = self._callers.get(where, set())
        items = [item for item in session.items if item.nodeid in names or mutant.is_set]
        items.sort(key=lambda item: self._seconds[item.nodeid])
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))
            try:
                apply(mutant)
                passed = self._run(session, items)
            except BaseException:
                os._exit(9)
            os._exit(0 if passed else 1)
        _pid, status = os.waitpid(child, 0)
        return status == 0


def main() -> int:
    """Run the check. Returns 0 when nothing survived, 1 otherwise, 2 when it cannot be run as things stand."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--only", action="append", help="a module such as decide/nodes")
    parser.add_argument("--every", type=int, default=1, help="try every Nth guard")
    parser.add_argument("--part", default="1/1", help="i/n: the i-th of n equal parts")
    parser.add_argument("--list", action="store_true", help="only name the guards")
    options = parser.parse_args()
    part, parts = (int(number) for number in options.part.split("/"))
    os.chdir(ROOT)
    gone = set(HARMLESS) - {one.key for target in TARGETS for one in mutants(target)}
    if gone:
        print(f"listed as harmless, but no longer there: {', '.join(sorted(gone))}")
        return 2
    targets = [target for target in TARGETS if options.only is None or target in options.only]
    found = [mutant for target in targets for mutant in mutants(target)]
    every = [mutant for mutant in found[:: options.every] if mutant.key not in HARMLESS]
    chosen = every[part - 1 :: parts]
    if options.list:
        print(*chosen, sep="\n")
        return 0
    # A failure is enough: the smallest example of it is of no interest here.
    hypothesis.settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate))
    hypothesis.settings.load_profile("mutants")
    survey = Survey(chosen)
    with contextlib.redirect_stdout(io.StringIO()) as talk:
        pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS], plugins=[survey])
    if not survey.done:
        print(f"the tests fail with every guard in place\n{talk.getvalue()}", file=sys.stderr)
        return 2
    print(f"{len(chosen)} guards taken out, {len(survey.survivors)} not noticed")
    return 1 if survey.survivors else 0


if __name__ == "__main__":
    sys.exit(main())
