"""Take one guard out of the core at a time and see that a test notices.

``python -m tests.properties.mutants`` tries every ``if`` of the rooms that decide (about five minutes on two
cores) and lists the survivors; ``--only decide/nodes`` narrows it down, ``--every 20`` takes a sample.

A guard is taken out by making its condition false. The mutated code is put under the functions of the imported
module in a forked child, which then runs the fast tests of the core and stops at the first failure.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "studio" / "core"

TARGETS = (
    "decide/attempts",
    "decide/nodes",
    "decide/runs",
    "decide/verdicts",
    "endings",
    "items",
    "joins",
    "losers",
    "reactions",
    "resilience/compensation",
    "resilience/retry",
    "starts",
)
"""Modules that judge; those that fold or describe are held by replay equality and tables."""

TESTS = ("tests/unit/core", "tests/properties/test_core_brute_force.py")

LONGEST = 180
"""Seconds after which a child counts as hanging, which is noticing too."""

HARMLESS: dict[str, str] = {
    "fire_timer: node is None": "a node that is removed leaves no timer behind; a stray one must not end the loop",
    "gate_of: node.gate is not None": "a node behind a closed gate is held, not ready; views ask all the same",
    "judge_edges: node.plan.plain or node.parent is not None": "a shortcut: none of its edges has a condition",
    "render: planned.input is None and planned.settings is None": "a shortcut: there is nothing to render",
    "start_next: run is None or run.ended": "a run that ends leaves the list; a stray one must not end the loop",
    "_offer: node.status == 'held'": "what opens a gate has already made the node ready or blocked",
    "phase_of: not run.open": "between two turns a run with nothing open has ended, or is in doubt",
    "_start_undo: undo is None": "tells the type checker that a step of a plan has an undo",
    "_wake_time: not isinstance(kind, WaitSettings)": "tells the type checker what a wait is",
}
"""Guards without an effect that can be seen, and why they stand nevertheless."""


@dataclass(frozen=True)
class Mutant:
    """A guard: the module, the function it stands in, its line and the text of its condition."""

    target: str
    function: str
    line: int
    condition: str

    def __str__(self) -> str:
        return f"studio/core/{self.target}.py:{self.line} {self.function}: if {self.condition}"

    @property
    def key(self) -> str:
        """Name under which a harmless guard is listed; it survives a shift of lines."""
        return f"{self.function}: {self.condition}"


def mutants(target: str) -> Iterator[Mutant]:
    """Every ``if`` of the functions of a module."""
    tree = ast.parse((CORE / f"{target}.py").read_text())
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            for found in ast.walk(function):
                if isinstance(found, ast.If):
                    text = ast.unparse(found.test)
                    yield Mutant(target, function.name, found.lineno, text)


class _Remover(ast.NodeTransformer):
    def __init__(self, line: int) -> None:
        self.line = line

    def visit_If(self, node: ast.If) -> ast.If:
        self.generic_visit(node)
        if node.lineno == self.line:
            node.test = ast.copy_location(ast.Constant(False), node.test)
        return node


def apply(mutant: Mutant) -> None:
    """Put the mutated code under the function as every importer knows it."""
    path = CORE / f"{mutant.target}.py"
    module = importlib.import_module(f"studio.core.{mutant.target.replace('/', '.')}")
    tree = _Remover(mutant.line).visit(ast.parse(path.read_text()))
    code = compile(tree, str(path), "exec")
    for const in code.co_consts:
        if isinstance(const, CodeType) and const.co_name == mutant.function:
            function = getattr(module, mutant.function)
            assert isinstance(function, FunctionType)
            function.__code__ = const


def survives(mutant: Mutant | None) -> bool:
    """Whether all tests pass without the guard (or with all guards, for None), in a child of this process."""
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        try:
            if mutant is not None:
                apply(mutant)
            status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS])
        except BaseException:
            os._exit(9)
        os._exit(int(status))
    _pid, status = os.waitpid(child, 0)
    return status == 0


def main() -> int:
    """Run the check. Returns 0 when nothing survived, 1 otherwise, 2 when it cannot be run as things stand."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--only", help="a module such as decide/nodes")
    parser.add_argument("--every", type=int, default=1, help="try every Nth guard")
    parser.add_argument("--part", default="1/1", help="i/n: the i-th of n equal parts")
    options = parser.parse_args()
    part, parts = (int(number) for number in options.part.split("/"))
    os.chdir(ROOT)
    gone = set(HARMLESS) - {one.key for target in TARGETS for one in mutants(target)}
    if gone:
        print(f"listed as harmless, but no longer there: {', '.join(sorted(gone))}")
        return 2
    targets = [target for target in TARGETS if options.only in (None, target)]
    found = [mutant for target in targets for mutant in mutants(target)]
    chosen = [mutant for mutant in found[:: options.every] if mutant.key not in HARMLESS]
    if not survives(None):
        print("the tests fail with every guard in place", file=sys.stderr)
        return 2
    survivors = []
    for mutant in chosen[part - 1 :: parts]:
        if survives(mutant):
            survivors.append(mutant)
            print(f"survives: {mutant}", flush=True)
    print(f"{len(chosen[part - 1 :: parts])} guards taken out, {len(survivors)} not noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
