"""Workflow files without a run: check them, find them, publish their schema, begin new ones."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.application.definitions import InvalidFileError, load_workflow
from studio.errors import DefinitionError
from studio.loading.diagnostics import Diagnostic
from studio.loading.discovery import discover
from studio.loading.json_schema import language_schema
from studio.loading.loader import load_file
from studio.loading.scaffold import TEMPLATES, scaffold
from studio.model.workflow import Workflow


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What checking a file came to.

    Args:
        path: the file as the caller named or found it.
        workflow: its definition; None when it has errors.
        diagnostics: errors and warnings in the order of the file.
    """

    path: str
    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def valid(self) -> bool:
        """Whether the file can be run."""
        return self.workflow is not None


@dataclass(frozen=True, slots=True)
class Check:
    """What checking files and folders came to: the files, and what was left out with the reason."""

    files: tuple[CheckedFile, ...]
    skipped: tuple[str, ...]


def check_paths(paths: Sequence[str]) -> Check:
    """Check workflow files; a folder stands for all workflow files found below it."""
    files: list[CheckedFile] = []
    skipped: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found = discover(path)
            files += [_check(str(file)) for file in found.files]
            skipped += [f"{one.path}: {one.reason}" for one in found.skipped]
        else:
            files.append(_check(path))
    return Check(tuple(files), tuple(skipped))


def _check(path: str) -> CheckedFile:
    result = load_file(path, display=path)
    return CheckedFile(path, result.workflow, result.diagnostics)


def read_workflow(path: str) -> Workflow:
    """The definition in a file. Raises `InvalidFileError`."""
    return load_workflow(path, path)[0]


def schema() -> dict[str, Any]:
    """The JSON Schema of workflow files, for editors."""
    return language_schema()


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """A template to begin a workflow from: its name and what it shows."""

    name: str
    summary: str


def templates() -> tuple[TemplateInfo, ...]:
    """The templates of ``studio new``."""
    return tuple(TemplateInfo(one.name, one.summary) for one in TEMPLATES)


def begin_workflow(name: str, template: str, folder: str) -> tuple[Path, ...]:
    """Write a new workflow; returns its files, the workflow first.

    Raises `DefinitionError`, `NotFoundError`, `RefusedError`.
    """
    return scaffold(name, template, folder)


def drift(file: str, version: str) -> str | None:
    """How a workflow file differs from the version a run pinned; None when it does not, or no longer exists.

    Args:
        file: absolute path of the file the run was started from.
        version: content hash the run goes by.
    """
    if not file or not os.path.isfile(file):
        return None
    try:
        workflow, _ = load_workflow(file)
    except InvalidFileError:
        return "has errors since (`studio check` shows them)"
    return "has changed since" if workflow.content_hash() != version else None


def read_params(path: str) -> dict[str, Any]:
    """Parameters from a JSON or YAML file, or from a JSON text on standard input's place.

    Raises:
        DefinitionError: it cannot be read, or is not a mapping.
    """
    from studio.loading.document import SyntaxProblem
    from studio.loading.encoding import decode
    from studio.loading.loader import parse_document, read_bytes

    try:
        text = decode(read_bytes(path))
        suffix = Path(path).suffix.lower()
        document = parse_document(text, path, suffix if suffix in (".yaml", ".yml") else ".json")
    except OSError as error:
        raise DefinitionError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise DefinitionError(f"{path}: {error}") from None
    except SyntaxProblem as problem:
        raise DefinitionError(
            f"{path}:{problem.line}:{problem.column}: {problem.message}"
        ) from None
    if not isinstance(document.data, dict):
        raise DefinitionError(f"{path}: parameters are a mapping of names to values")
    return document.data
