"""What of a project's own code a function or script reaches: a walk from name to name, through imports."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from functools import cached_property
from typing import NamedTuple

from studio.loading.code_index import CodeIndex
from studio.loading.diagnostics import Diagnostic
from studio.loading.name_uses import Chain, Import
from studio.loading.source_pieces import Piece, Source, piece_of_code
from studio.model.nodes import KindSettings, PythonSettings, ShellSettings

DATA_SUFFIXES = (
    *(".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".log", ".md", ".xml", ".html"),
    *(".parquet", ".db", ".sqlite", ".png", ".jpg", ".pdf", ".gz", ".zip", ".tar", ".bz2", ".xz"),
    *(".zst", ".out", ".tmp", ".lock", ".pid"),
)
"""Files that a shell node names to read or write them; they are data, not code, and may be its own output."""

_WORD = re.compile(r"""[^\s'"`;|&()<>{}=$*?]+""")


class _Module(NamedTuple):
    """A module of the project: its dotted name, its file (None for a folder without ``__init__``), its source."""

    name: str
    file: str | None
    source: Source
    shown: str

    @property
    def package(self) -> str:
        """What its relative imports start from."""
        if self.file is None or os.path.basename(self.file) == "__init__.py":
            return self.name
        return self.name.rpartition(".")[0]


class Project:
    """The modules below one folder, found as an import from that folder would find them."""

    def __init__(self, folder: str, index: CodeIndex) -> None:
        self.folder = folder
        self.index = index
        self.modules: dict[tuple[str, str], _Module | None] = {}
        self._reached: dict[KindSettings, Reach | None] = {}

    def reach(self, kind: KindSettings) -> Reach | None:
        """What a node of this kind reaches; None for kinds without code."""
        if isinstance(kind, PythonSettings):
            key = PythonSettings(call=kind.call, code=kind.code)
            if key not in self._reached:
                self._reached[key] = self._python(kind)
            return self._reached[key]
        return self._shell(kind) if isinstance(kind, ShellSettings) else None

    def _python(self, kind: PythonSettings) -> Reach:
        reach = Reach(self, self.folder)
        if kind.call is not None:
            module, _, function = kind.call.partition(":")
            reach.function = function
            reach.attribute(module, (function,))
        elif kind.code is not None:
            piece = piece_of_code(kind.code)
            reach.inside(_Module("", None, Source(), ""), piece)
        return reach

    def _shell(self, kind: ShellSettings) -> Reach:
        reach = Reach(self, self.folder)
        where = [self.folder]
        if kind.cwd is not None and "{{" not in kind.cwd:
            where.insert(0, os.path.normpath(os.path.join(self.folder, kind.cwd)))
        for word in dict.fromkeys(_WORD.findall(kind.run)):
            for folder in where:
                file = os.path.normpath(os.path.join(folder, word))
                if self._is_script(file):
                    reach.script(file)
                    break
        return reach

    def _is_script(self, file: str) -> bool:
        inside = file.startswith(self.folder.rstrip(os.sep) + os.sep)
        return inside and not file.endswith(DATA_SUFFIXES) and self.index.is_file(file)

    def module(self, root: str, name: str) -> _Module | None:
        """The module that ``name`` means to code whose imports start at ``root``; None for one elsewhere."""
        key = (root, name)
        if key not in self.modules:
            self.modules[key] = self._find(root, name)
        return self.modules[key]

    def _find(self, root: str, name: str) -> _Module | None:
        steps = name.split(".")
        if not all(step.isidentifier() for step in steps):
            return None
        base = os.path.join(root, *steps)
        for file in (os.path.join(base, "__init__.py"), f"{base}.py"):
            shown = self.shown(file)
            source = self.index.source(file, shown)
            if source is not None:
                return _Module(name, file, source, shown)
        return _Module(name, None, Source(), "") if os.path.isdir(base) else None

    def shown(self, file: str) -> str:
        """A path as people should see it."""
        return os.path.relpath(file, self.folder)


class Reach:
    """Everything one function or script reaches."""

    def __init__(self, project: Project, root: str) -> None:
        self.project = project
        self.root = root
        self.function = ""
        self.files: set[str] = set()
        self.parts: dict[str, str] = {}
        self.problems: list[Diagnostic] = []
        self._entered: set[tuple[str, str]] = set()
        self._waiting: list[tuple[_Module, Piece, Chain]] = []
        self._running = False

    @cached_property
    def digest(self) -> str:
        """One hash over all parts, whatever order they were reached in; asked for when the walk is over."""
        whole = hashlib.sha256()
        for name, digest in sorted(self.parts.items()):
            whole.update(f"{name}\0{digest}\0".encode("utf-8", "surrogatepass"))
        return whole.hexdigest()

    def script(self, file: str) -> None:
        """A script with all it holds; of one in Python also what it reaches."""
        shown = self.project.shown(file)
        self.function = self.function or shown
        self.files.add(file)
        source = self.project.index.source(file, shown) if file.endswith(".py") else None
        if source is None or source.problem is not None:
            self.parts[shown] = self.project.index.digest(file) or ""
            return
        self.root = os.path.dirname(file)
        module = _Module("__main__", file, source, shown)
        self._enter(module)
        self._whole(module)
        self._part(module, f"main block of {shown}", source.main)
        self._run()

    def inside(self, module: _Module, piece: Piece) -> None:
        """What a piece of code that is no part of a file reaches."""
        self._queue(module, piece)
        self._run()

    def attribute(self, module: str, rest: Chain) -> None:
        """What ``module.rest`` reaches; all of the module when ``rest`` names nothing that can be seen in it."""
        self._attribute(module, rest)
        self._run()

    # ------------------------------------------------------------- the walk

    def _run(self) -> None:
        """Follow what waits, without recursion: chains of calls may be long."""
        while self._waiting:
            module, piece, chain = self._waiting.pop()
            self._follow(module, piece, chain)

    def _queue(self, module: _Module, piece: Piece) -> None:
        self._waiting.extend((module, piece, chain) for chain in sorted(piece.uses))
        for one in piece.imported:
            self._import_of(module, one)
        if piece.dynamic:
            self._whole(module)

    def _part(self, module: _Module, label: str, piece: Piece) -> None:
        if piece.digest and label not in self.parts:
            self.parts[label] = piece.digest
            self._queue(module, piece)

    def _follow(self, module: _Module, piece: Piece, chain: Chain) -> None:
        name, rest = chain[0], chain[1:]
        inner = piece.imports.get(name)
        if inner is not None:
            for one in inner:
                self._imported(module, one, rest)
        else:
            self._name(module, name, rest)

    def _name(self, module: _Module, name: str, rest: Chain) -> bool:
        """Reach a name of a module's top level; false when the module has none such."""
        source = module.source
        found = False
        if name in source.definitions:
            self._part(module, f"{name} in {module.shown}", source.definitions[name])
            found = True
        if name != "*":
            for one in source.imports.get(name, ()):
                self._imported(module, one, rest)
                found = True
        if not found:
            for star in source.imports.get("*", ()):
                target = self._target(module, star)
                other = self._load(target) if target else None
                if other is not None and (target, name) not in self._entered:
                    self._entered.add((target, name))
                    found = self._name(other, name, rest) or found
        return found

    def _imported(self, module: _Module, one: Import, rest: Chain) -> None:
        target = self._target(module, one)
        if one.top:
            target = target.partition(".")[0]
        if one.name is None:
            self._attribute(target, rest)
        elif one.name != "*":
            self._attribute(target, (one.name, *rest))

    def _attribute(self, name: str, rest: Chain) -> None:
        while True:
            key = (name, ".".join(rest))
            module = self._load(name)
            if module is None or key in self._entered:
                return
            self._entered.add(key)
            if rest and self._name(module, rest[0], rest[1:]):
                return
            if rest and self.project.module(self.root, f"{name}.{rest[0]}") is not None:
                name, rest = f"{name}.{rest[0]}", rest[1:]
                continue
            self._whole(module)
            return

    def _whole(self, module: _Module) -> None:
        """Everything of a module: it is handed around as a value, or asked for what its text does not name."""
        for name, piece in module.source.definitions.items():
            self._part(module, f"{name} in {module.shown}", piece)
        for found in module.source.imports.values():
            for one in found:
                if one.name not in (None, "*"):
                    self._imported(module, one, ())

    def _load(self, name: str) -> _Module | None:
        """A module and what its import runs: the packages above it, its own effects, the modules it imports."""
        module = None
        steps = name.split(".")
        for count in range(1, len(steps) + 1):
            part = ".".join(steps[:count])
            # Modules built into the interpreter come before the project's folder.
            if count == 1 and part in sys.builtin_module_names:
                return None
            module = self.project.module(self.root, part)
            if module is None:
                return None
            self._enter(module)
        return module

    def _enter(self, module: _Module) -> None:
        key = (module.name, "\0import")
        if module.file is None or key in self._entered:
            return
        self._entered.add(key)
        self.files.add(module.file)
        if module.source.problem is not None:
            self.problems.append(module.source.problem)
            self.parts[module.shown] = self.project.index.digest(module.file) or ""
        self._part(module, f"top level of {module.shown}", module.source.effects)
        for found in module.source.imports.values():
            for one in found:
                self._import_of(module, one)

        for name, decorator in module.source.decorated:
            if self._registers(module, decorator, set()):
                self._part(module, f"{name} in {module.shown}", module.source.definitions[name])

    def _registers(self, module: _Module, chain: Chain, seen: set[tuple[str, Chain]]) -> bool:
        """Whether a decorator may enter what it decorates somewhere, to be found there without its name.

        An object of the project's may, and so may a function of the project's that uses such an object. One of a
        library's does not know of the project.
        """
        key = (module.name, chain)
        if key in seen:
            return False
        seen.add(key)
        source = module.source
        if chain[0] in source.functions:
            uses = source.definitions[chain[0]].uses
            return any(
                use[0] in source.definitions and use[0] not in source.functions for use in uses
            )
        if chain[0] in source.definitions:
            return True
        for one in source.imports.get(chain[0], ()):
            rest = chain[1:] if one.name is None else (one.name, *chain[1:])
            other = self._load(self._target(module, one))
            if other is not None and rest and self._registers(other, rest, seen):
                return True
        return False

    def _import_of(self, module: _Module, one: Import) -> None:
        """An import runs the module it names, used or not."""
        target = self._target(module, one)
        if target:
            self._load(target)
            if one.name not in (None, "*"):
                self._load_if_module(f"{target}.{one.name}")

    def _load_if_module(self, name: str) -> None:
        if self.project.module(self.root, name) is not None:
            self._load(name)

    @staticmethod
    def _target(module: _Module, one: Import) -> str:
        """The absolute name of an import's module, ``""`` when its dots lead out of the project."""
        if not one.level:
            return one.module
        steps = module.package.split(".") if module.package else []
        kept = len(steps) - (one.level - 1)
        if kept < 0 or (kept == 0 and not one.module):
            return ""
        return ".".join([*steps[:kept], *([one.module] if one.module else [])])
