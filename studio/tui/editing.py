"""Opening files in the user's editor and texts in the pager, without losing the screen."""

import asyncio
import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App

from studio.errors import NotFoundError

GUI_EDITORS = frozenset(
    {"code", "codium", "cursor", "subl", "zed", "gvim", "mate", "idea", "pycharm"}
)
"""Editors with a window of their own: the screen stays up beside them."""

COLON_EDITORS = frozenset({"subl", "zed", "hx", "helix", "mate"})
"""Editors that take ``file:line``."""


def editor_command(editor: str, file: str, line: int) -> list[str]:
    """The command that opens a file at a line.

    Args:
        editor: ``$VISUAL`` or ``$EDITOR``, possibly with options.
        file: path of the file.
        line: line number, counted from 1.
    """
    words = shlex.split(editor) or ["vi"]
    name = os.path.basename(words[0])
    if name in ("code", "codium", "cursor"):
        return [*words, "--goto", f"{file}:{line}"]
    if name in ("idea", "pycharm"):
        return [*words, "--line", str(line), file]
    if name in COLON_EDITORS:
        return [*words, f"{file}:{line}"]
    return [*words, f"+{line}", file]


def chosen_editor() -> str:
    """The user's editor: ``$VISUAL``, ``$EDITOR``, else the first of some that is installed.

    Raises `NotFoundError` when there is none.
    """
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named:
        return named
    for name in ("nano", "vim", "vi", "emacs", "micro"):
        if shutil.which(name):
            return name
    raise NotFoundError("no editor found: set EDITOR, for example export EDITOR=vim")


async def open_editor(app: App[Any], file: str, line: int) -> str:
    """Open a file at a line: in a tmux split beside the screen, in a window of its own, or in its place.

    Returns what was done, for the notice line. Raises `NotFoundError`, OSError.
    """
    editor = chosen_editor()
    command = editor_command(editor, file, line)
    name = os.path.basename(command[0])
    if name in GUI_EDITORS:
        await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        return f"{os.path.basename(file)}:{line} opened in {name}"
    if os.environ.get("TMUX") and shutil.which("tmux"):
        done = await asyncio.create_subprocess_exec(
            "tmux", "split-window", "-h", shlex.join(command)
        )
        if await done.wait() == 0:
            return f"{os.path.basename(file)}:{line} opened beside"
    status = await _in_foreground(app, command)
    return f"{name} ended with status {status}" if status else f"back from {name}"


async def _in_foreground(app: App[Any], command: list[str]) -> int:
    """Give the terminal to a command. The engine goes on meanwhile: it shares the loop, not the terminal."""
    with app.suspend():
        process = await asyncio.create_subprocess_exec(*command)
        status = await process.wait()
    app.refresh()
    return status


async def edit_text(app: App[Any], text: str, suffix: str) -> str | None:
    """Edit a text in the user's editor. Returns it, or None when the editor failed."""
    editor = chosen_editor()
    with tempfile.TemporaryDirectory(prefix="studio-") as folder:
        path = Path(folder) / f"value{suffix}"
        path.write_text(text, "utf-8")
        status = await _in_foreground(app, [*shlex.split(editor), str(path)])
        return path.read_text("utf-8") if status == 0 else None


async def open_pager(app: App[Any], text: str) -> None:
    """Show a text in the pager (``$PAGER``, else less). Raises `NotFoundError`."""
    pager = os.environ.get("PAGER") or ("less -R" if shutil.which("less") else "more")
    words = shlex.split(pager)
    if not shutil.which(words[0]):
        raise NotFoundError(f"no pager found: set PAGER ({words[0]} is not installed)")
    with tempfile.TemporaryDirectory(prefix="studio-") as folder:
        path = Path(folder) / "log.txt"
        path.write_text(text, "utf-8", errors="replace")
        await _in_foreground(app, [*words, str(path)])


def copy_text(app: App[Any], text: str) -> str:
    """Copy by OSC 52 and, where there is one, by the system's own tool. Returns how."""
    app.copy_to_clipboard(text)
    tools = (
        ("pbcopy", ["pbcopy"]),
        ("wl-copy", ["wl-copy"]),
        ("xclip", ["xclip", "-selection", "clipboard"]),
        ("xsel", ["xsel", "--clipboard", "--input"]),
    )
    for name, command in tools:
        display = name == "pbcopy" or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        if display and shutil.which(name):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(command, input=text.encode(), timeout=2, check=False)
                return f"by {name}"
    return "by the terminal (OSC 52)"
