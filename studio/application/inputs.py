"""What a command about one workflow reads from files: the definition, parameters, and how far the file has moved on."""

import os
from pathlib import Path
from typing import Any

from studio.application.definitions import InvalidFileError, load_workflow
from studio.errors import DefinitionError
from studio.loading.document import SyntaxProblem
from studio.loading.encoding import decode
from studio.loading.loader import parse_document, read_bytes
from studio.model.workflow import Workflow


def read_workflow(path: str) -> Workflow:
    """The definition in a file. Raises `InvalidFileError`."""
    return load_workflow(path, path)[0]


def read_warnings(path: str) -> tuple[str, ...]:
    """What is odd in a file but works, each with its place. Raises `InvalidFileError`."""
    return tuple(str(one) for one in load_workflow(path, path)[1].diagnostics)


def hindrance(file: str) -> str | None:
    """Why a run cannot adopt the newest definition in its file; None when it can.

    Args:
        file: absolute path of the file the run was started from, empty when there was none.
    """
    if not file:
        return None
    if not os.path.isfile(file):
        return "is gone"
    try:
        load_workflow(file)
    except InvalidFileError:
        return "has errors (`studio check` shows them)"
    return None


def read_params(path: str) -> dict[str, Any]:
    """Parameters from a file, YAML by its suffix and JSON by any other.

    Raises:
        DefinitionError: it cannot be read, or is not a mapping.
    """
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
