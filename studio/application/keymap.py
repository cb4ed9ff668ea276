"""Reading the user's keys from the project and from their own settings."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from studio.application.location import PROJECT_FILE, Location
from studio.projections.screen.keymap import Entry, Keymap, make_keymap

KEYMAP_FILE = "keymap.toml"


def read_keymap(location: Location, environ: Mapping[str, str]) -> Keymap:
    """The keys of this person in this project; a file that cannot be read is told of and changes nothing.

    ``keymap.toml`` of the person (``$XDG_CONFIG_HOME/studio``, else ``~/.config/studio``), then ``[keymap]`` of
    ``studio.toml``, then ``keymap.toml`` beside it: what is nearer to the work wins.

    Args:
        location: the project.
        environ: environment of the person.
    """
    problems: list[str] = []
    entries: list[Entry] = []
    files = [
        (_own_folder(environ) / KEYMAP_FILE, False),
        (location.root / PROJECT_FILE, True),
        (location.root / KEYMAP_FILE, False),
    ]
    for file, inside in files:
        try:
            entries += _entries(file, inside)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            problems.append(f"{file.name}: {error}")
    keymap = make_keymap(entries)
    return keymap._replace(problems=(*problems, *keymap.problems))


def _own_folder(environ: Mapping[str, str]) -> Path:
    named = environ.get("XDG_CONFIG_HOME")
    # The specification has relative paths ignored.
    if named and os.path.isabs(named):
        return Path(named) / "studio"
    return Path(environ.get("HOME") or os.path.expanduser("~")) / ".config" / "studio"


def _entries(file: Path, inside: bool) -> list[Entry]:
    text = file.read_text("utf-8")
    import tomllib  # lazy: most people keep the keys as they are

    found = tomllib.loads(text)
    table = found.get("keymap", {}) if inside or "keymap" in found else found
    if not isinstance(table, dict):
        return [Entry("keymap", table, f"{file.name}:{_line(text, 'keymap')}")]
    return [Entry(key, value, f"{file.name}:{_line(text, key)}") for key, value in table.items()]


def _line(text: str, key: str) -> int:
    """The line where a key is set: the parser keeps none, so the last line that begins with the key counts."""
    begins = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if begins.match(line)]
    return lines[-1] if lines else 1
