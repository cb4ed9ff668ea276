"""Steps of the workflow beside this file."""

from typing import Any


def measure(file: str) -> dict[str, Any]:
    """Size of one file; replace this with the work to be done for each."""
    return {"file": file, "size": sum(ord(letter) for letter in file)}


def report(measured: list[dict[str, Any]], asked: int) -> dict[str, Any]:
    """What became of the list."""
    return {
        "asked": asked,
        "done": len(measured),
        "largest": measured[-1]["file"] if measured else None,
    }
