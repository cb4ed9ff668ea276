"""Which project and which state folder a command is about."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from studio.errors import DefinitionError

PROJECT_FILE = "studio.toml"
STATE_FOLDER = ".studio"


class Location(msgspec.Struct, frozen=True):
    """A project on disk.

    Args:
        root: folder of ``studio.toml``; without one, the folder of the workflow file or the current folder.
        state: the state folder; it need not exist yet.
        settings: the parsed ``studio.toml``, empty without one.
    """

    root: Path
    state: Path
    settings: Mapping[str, object]

    @property
    def max_concurrency(self) -> int | None:
        """Bound of nodes in flight over all runs, None for no bound."""
        limits = self.settings.get("limits")
        value = limits.get("max_concurrency") if isinstance(limits, Mapping) else None
        return value if isinstance(value, int) and value > 0 else None


def locate(
    path: str | os.PathLike[str] | None, state: str | None, environ: Mapping[str, str]
) -> Location:
    """Find the project and state folder of a command.

    State lives in ``.studio/`` beside ``studio.toml``, else in the folder of the workflow file, or the current
    folder; ``--state`` wins over ``STUDIO_STATE``, which wins over ``studio.toml`` (interface.md, "Command line").

    Args:
        path: a workflow file or a folder; None for the current folder.
        state: value of ``--state``, None when it was not given.
        environ: environment of the command.

    Raises:
        DefinitionError: ``studio.toml`` cannot be read.
    """
    start = Path(os.path.abspath(path if path is not None else os.curdir))
    folder = start if start.is_dir() else start.parent
    root, settings = _project(folder)
    chosen = state or environ.get("STUDIO_STATE")
    if chosen:
        return Location(root, Path(os.path.abspath(chosen)), settings)
    named = settings.get("state")
    if isinstance(named, str) and named:
        return Location(root, (root / named).absolute(), settings)
    return Location(root, root / STATE_FOLDER, settings)


def _project(folder: Path) -> tuple[Path, Mapping[str, object]]:
    for candidate in (folder, *folder.parents):
        file = candidate / PROJECT_FILE
        if file.is_file():
            import tomllib  # lazy: many projects have no studio.toml

            try:
                return candidate, tomllib.loads(file.read_text("utf-8"))
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise DefinitionError(f"{file}: {error}") from error
    return folder, {}
