"""The sample workflows that come with the program, copied to where they can be changed."""

import os
import shutil
from pathlib import Path

import msgspec

import studio
from studio.errors import NotFoundError, RefusedError

FLAGSHIP = "order_saga.yaml"
"""The sample that shows most: run by ``studio demo --run``."""

_LEFT_OUT = {"__pycache__", ".studio", "output"}
"""Folders that running a sample in place leaves behind."""


class Copied(msgspec.Struct, frozen=True):
    """What copying the samples came to.

    Args:
        folder: where they are.
        written: files written.
        kept: files that were there already and were left as they are.
    """

    folder: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def sample_folder() -> Path:
    """Where the samples lie: inside an installed package, beside it in a checkout. Raises `NotFoundError`."""
    package = Path(studio.__file__).parent
    for folder in (package / "sample_workflows", package.parent / "sample_workflows"):
        if folder.is_dir():
            return folder
    raise NotFoundError("the sample workflows are not part of this installation")


def copy_samples(target: str, *, reset: bool = False) -> Copied:
    """Copy the samples to a folder; files that are there stay as they are unless ``reset`` restores them.

    Raises:
        NotFoundError: there are no samples.
        RefusedError: the folder cannot be written.
    """
    source = sample_folder()
    folder = Path(target)
    written: list[Path] = []
    kept: list[Path] = []
    try:
        for place, folders, files in os.walk(source):
            folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
            home = folder / Path(place).relative_to(source)
            home.mkdir(parents=True, exist_ok=True)
            for name in sorted(files):
                if (home / name).exists() and not reset:
                    kept.append(home / name)
                    continue
                shutil.copyfile(Path(place, name), home / name)
                shutil.copymode(Path(place, name), home / name)
                written.append(home / name)
    except OSError as error:
        raise RefusedError(f"cannot write {error.filename or folder}: {error.strerror}") from None
    return Copied(folder, tuple(written), tuple(kept))
