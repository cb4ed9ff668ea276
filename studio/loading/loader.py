"""Definition files to workflows: the one way in.

Loading never raises for what a file contains: everything wrong with it is a diagnostic with its place.
"""

from __future__ import annotations

import gc
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath

import msgspec

from studio.loading.diagnostics import Diagnostic, printable
from studio.loading.document import MAX_BYTES, Document, SyntaxProblem
from studio.loading.encoding import decode, normal_text
from studio.loading.workflows import WorkflowReader
from studio.loading.yaml_reader import read_yaml
from studio.model.places import Place
from studio.model.workflow import Workflow

YAML_SUFFIXES = (".yaml", ".yml")
JSON_SUFFIXES = (".json",)


class LoadResult(msgspec.Struct, frozen=True):
    """What loading a file came to.

    Args:
        workflow: the definition; None when there are errors.
        diagnostics: errors and warnings in file order; those of Python files it calls come last.
        digest: SHA-256 of the file's bytes, 64 hexadecimal digits; ``""`` when it could not be read.
        text: the decoded text, ``""`` when it could not be read.
    """

    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    text: str

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that kept the file from being loaded."""
        return tuple(one for one in self.diagnostics if one.severity == "error")


def load_file(path: str | os.PathLike[str], *, display: str | None = None) -> LoadResult:
    """Load a workflow file.

    Args:
        path: the file, YAML or JSON by its suffix.
        display: its path as messages should show it; ``path`` itself when None.
    """
    shown = display if display is not None else os.fspath(path)
    try:
        raw = read_bytes(path)
    except OSError as error:
        return _unreadable(shown, error.strerror or str(error))
    except ValueError as error:
        return _unreadable(shown, str(error))
    digest = hashlib.sha256(raw).hexdigest()
    try:
        text = decode(raw)
    except SyntaxProblem as problem:
        return LoadResult(None, (_diagnostic(problem, shown),), digest, "")
    absolute = FilePath(os.path.abspath(path))
    return _load(text, shown, absolute.suffix.lower(), absolute.parent, str(absolute), digest)


def load_text(
    text: str, file: str = "workflow.yaml", folder: str | os.PathLike[str] | None = None
) -> LoadResult:
    """Load a workflow from a text, an unsaved edit for instance.

    Args:
        text: the content.
        file: name to show in places; its suffix tells YAML from JSON.
        folder: folder of the code it calls; None leaves calls unchecked.
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    suffix = FilePath(file).suffix.lower()
    try:
        content = normal_text(text)
    except SyntaxProblem as problem:
        return LoadResult(None, (_diagnostic(problem, file),), digest, text)
    home = FilePath(os.path.abspath(folder)) if folder is not None else None
    return _load(content, file, suffix, home, "", digest)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of an ordinary file, at most one more than `MAX_BYTES`.

    Raises:
        OSError: it is not there, not readable, or a link that leads nowhere or to itself.
        ValueError: it is a folder, a pipe, a socket or a device; opened without ever waiting for it.
    """
    # Not blocking: opening a named pipe would otherwise wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError(f"not a file but {_file_kind(mode)}")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def parse_document(text: str, file: str, suffix: str) -> Document:
    """Read a text as YAML or JSON.

    Raises:
        SyntaxProblem: it cannot be read, or the suffix is of neither.
    """
    if suffix in JSON_SUFFIXES:
        from studio.loading.json_reader import read_json  # lazy: most workflows are YAML

        return read_json(text, file)
    if suffix in YAML_SUFFIXES:
        return read_yaml(text, file)
    if suffix == ".py":
        raise SyntaxProblem(
            1,
            1,
            "this version loads YAML and JSON; Python workflow files are not supported yet",
            "unsupported",
        )
    raise SyntaxProblem(
        1, 1, "not a workflow file; its name has to end in .yaml, .yml or .json", "suffix"
    )


def _load(
    text: str, shown: str, suffix: str, folder: FilePath | None, file: str, digest: str
) -> LoadResult:
    try:
        with _collection_paused():
            document = parse_document(text, shown, suffix)
            reader = WorkflowReader(document, folder, file)
            workflow = reader.read()
    except SyntaxProblem as problem:
        return LoadResult(None, (_diagnostic(problem, shown, text),), digest, text)
    found = (*reader.report.finish(), *reader.broken_code)
    return LoadResult(workflow, found, digest, text)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """No garbage collection while hundreds of thousands of small objects are made, all of which stay.

    The collector would walk them again and again: a third of the time at 5,000 nodes.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _diagnostic(problem: SyntaxProblem, shown: str, text: str | None = None) -> Diagnostic:
    """A reader's problem at a place that exists: what runs past the end of ``text`` is at its end."""
    line, column = problem.line, problem.column
    lines = text.rstrip("\n").split("\n") if text is not None else []
    if lines and line > len(lines):
        line, column = len(lines), len(lines[-1]) + 1
    return Diagnostic(Place(shown, line, column), printable(problem.message), "error", problem.code)


def _unreadable(shown: str, reason: str) -> LoadResult:
    message = f"cannot be read: {reason[:1].lower()}{reason[1:]}"
    return LoadResult(None, (Diagnostic(Place(shown), message, "error", "unreadable"),), "", "")


def _file_kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
