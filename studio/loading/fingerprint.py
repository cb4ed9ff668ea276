"""Fingerprints of the code that nodes run: what of the project's own code a node reaches, by syntax tree alone.

A node that calls ``orders:charge_card`` depends on that function and on the functions, classes and constants of
the project it reaches from there, through any number of modules; a shell node depends on the scripts its text names.
Nothing is imported. What cannot be seen in the text is not followed: objects found by ``getattr`` with a
computed name, plug-ins, subclasses that register themselves. `docs/explanation/reload.md` tells the rules.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import msgspec

from studio.loading.code_index import CodeIndex, StoredIndex
from studio.loading.code_reach import Project
from studio.loading.diagnostics import Diagnostic
from studio.model.nodes import StandIn
from studio.model.workflow import Workflow

__all__ = [
    "Code",
    "CodeIndex",
    "CodePrint",
    "StoredIndex",
    "changed_code",
    "code_fingerprints",
    "files_of",
    "read_code",
]


class CodePrint(msgspec.Struct, frozen=True):
    """The code of a node.

    Args:
        digest: changes when anything the node reaches changes.
        function: what runs: the function, the first script, or ``""`` for code that stands in the definition.
        files: absolute paths of the files looked at.
        parts: digest of each thing reached, by a name for people: ``tax in prices.py``.
        undo: digest of the code that undoes the node, ``""`` without one.
        problems: files that cannot be parsed.
    """

    digest: str
    function: str
    files: frozenset[str]
    parts: Mapping[str, str] = msgspec.field(default_factory=dict)
    undo: str = ""
    problems: tuple[Diagnostic, ...] = ()


class Code(msgspec.Struct, frozen=True):
    """The code of a workflow at one moment.

    Args:
        prints: the code of each node, by node id.
        texts: what of it is imported: the bytes of each module, by its path below the workflow's folder.
    """

    prints: Mapping[str, CodePrint] = msgspec.field(default_factory=dict)
    texts: Mapping[str, bytes] = msgspec.field(default_factory=dict)


def read_code(workflow: Workflow, index: CodeIndex) -> Code:
    """The code of a workflow, fingerprints and texts of the same moment.

    Args:
        workflow: a definition that was read from a file; its ``folder`` is where its code is.
        index: modules parsed before.
    """
    prints = code_fingerprints(workflow, index)
    imported = files_of(
        prints[name]
        for name, node in workflow.nodes.items()
        if "python" in {kind.uses for kind in node.kinds()}
    )
    texts = {}
    for file in sorted(imported):
        text = index.text(file) if file.endswith(".py") else None
        if text is not None:
            texts[os.path.relpath(file, workflow.folder)] = text
    return Code(prints, texts)


def code_fingerprints(workflow: Workflow, index: CodeIndex | None = None) -> dict[str, CodePrint]:
    """The code of every node of kind python or shell, by node id.

    Args:
        workflow: a definition that was read from a file; its ``folder`` is where its code is.
        index: modules parsed before; None to parse all.
    """
    if index is None:
        index = CodeIndex()
    project = Project(workflow.folder, index)
    found: dict[str, CodePrint] = {}
    for name, node in workflow.nodes.items():
        undo = node.compensate.kind if node.compensate is not None else None
        backward = project.reach(undo) if undo is not None else None
        instead = node.fallback.kind if isinstance(node.fallback, StandIn) else None
        tried = [
            one
            for kind in (node.kind, instead)
            if kind is not None and (one := project.reach(kind)) is not None
        ]
        every = [*tried, *([backward] if backward is not None else [])]
        if not every:
            continue
        found[name] = CodePrint(
            digest=".".join(one.digest for one in tried),
            function=tried[0].function if tried else "",
            files=frozenset().union(*(one.files for one in every)),
            parts={part: digest for one in tried for part, digest in one.parts.items()},
            undo=backward.digest if backward is not None else "",
            problems=tuple(dict.fromkeys(problem for one in every for problem in one.problems)),
        )
    return found


def changed_code(before: Mapping[str, CodePrint], after: Mapping[str, CodePrint]) -> dict[str, str]:
    """Nodes whose code differs, each with what changed: ``charge_card in orders.py``, by node id."""
    found: dict[str, str] = {}
    for name, new in after.items():
        old = before.get(name)
        if old is not None and old.digest != new.digest:
            found[name] = _difference(old, new)
    return found


def _difference(old: CodePrint, new: CodePrint) -> str:
    names = [
        name for name in {**new.parts, **old.parts} if old.parts.get(name) != new.parts.get(name)
    ]
    own = [name for name in names if name.startswith(f"{new.function} in ")]
    shown = (own or names or [new.function])[0]
    more = len(names) - 1
    return f"{shown} and {more} more" if more > 0 else shown


def files_of(prints: Iterable[CodePrint]) -> frozenset[str]:
    """Every file that these nodes depend on."""
    return frozenset().union(*(one.files for one in prints))
