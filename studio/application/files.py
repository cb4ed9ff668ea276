"""Workflow files without a run: check them, find them, publish their schema, begin new ones."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from studio.loading.diagnostics import Diagnostic
from studio.loading.discovery import discover
from studio.loading.json_schema import language_schema
from studio.loading.loader import load_file
from studio.loading.scaffold import TEMPLATES, scaffold
from studio.model.workflow import Workflow


class CheckedFile(msgspec.Struct, frozen=True):
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


class Check(msgspec.Struct, frozen=True):
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


def schema() -> dict[str, Any]:
    """The JSON Schema of workflow files, for editors."""
    return language_schema()


class TemplateInfo(msgspec.Struct, frozen=True):
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
