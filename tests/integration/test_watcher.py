"""The watcher over real files, saved the way editors and tools do it."""

# ruff: noqa: ASYNC240  # the test is the editor: its small writes are meant to happen in line

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from studio.loading.watcher import Appeared, News, Removed, Saved, Watcher

SECONDS = 15.0
"""A bound against hanging, not an expectation."""

pytestmark = pytest.mark.slow


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Heard:
    """What a watcher told, and a way to wait for it."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.all: list[News] = []
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        async with contextlib.aclosing(self.watcher.news()) as news:
            async for group in news:
                self.all.extend(group)
                self._changed.set()

    async def until(self, wanted: News) -> None:
        async with asyncio.timeout(SECONDS):
            while wanted not in self.all:
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Heard]:
    """A watcher that is known to listen: it has told of a file made for that."""
    heard = Heard(Watcher(folder, left_out=[folder / "state"]))
    task = asyncio.ensure_future(heard.listen())
    probe = folder / "probe.json"
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(SECONDS):
            while not any(getattr(one, "path", "") == str(probe) for one in heard.all):
                probe.write_text(str(len(heard.all)))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await heard._changed.wait()
        heard.all.clear()
        yield heard
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.yaml"
    path.write_text("workflow: one\n")
    return path


def replace_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def vim_with_backup(path: Path, text: str) -> None:
    """`backupcopy=no`: the old file becomes the backup, a new one is written under its name."""
    (path.parent / "4913").write_text("")
    (path.parent / "4913").unlink()
    backup = path.with_name(path.name + "~")
    os.rename(path, backup)
    path.write_text(text)
    backup.unlink()


def in_place(path: Path, text: str) -> None:
    """VS Code: truncate, then write."""
    with path.open("w") as stream:
        stream.flush()
        stream.write(text)


def delete_and_create(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def with_sed(path: Path, text: str) -> None:
    subprocess.run(["sed", "-i", f"s/.*/{text.strip()}/", str(path)], check=True)


Save: TypeAlias = Callable[[Path, str], None]
WAYS: list[Save] = [replace_atomically, vim_with_backup, in_place, delete_and_create, with_sed]


@pytest.mark.parametrize("save", WAYS, ids=["atomic", "vim", "in place", "anew", "sed"])
async def test_every_way_of_saving_is_told_once(save: Save, file: Path, tmp_path: Path) -> None:
    async with watching(tmp_path) as heard:
        save(file, "workflow: two\n")
        await heard.until(Saved(str(file), sha("workflow: two\n")))
        save(file, "workflow: three\n")
        await heard.until(Saved(str(file), sha("workflow: three\n")))
        mine = [one for one in heard.all if getattr(one, "path", "") == str(file)]
        assert mine == [
            Saved(str(file), sha("workflow: two\n")),
            Saved(str(file), sha("workflow: three\n")),
        ]


@pytest.mark.parametrize("save", [replace_atomically, in_place], ids=["renamed", "in place"])
async def test_of_fifty_fast_saves_the_last_is_taken_and_none_half(
    save: Save,
    file: Path,
    tmp_path: Path,
) -> None:
    texts = [f"workflow: number_{turn}\n" + f"# {turn}\n" * 2000 for turn in range(50)]
    async with watching(tmp_path) as heard:
        for text in texts:
            save(file, text)
            await asyncio.sleep(0.01)  # the pace of the writer, not a wait for the watcher
        await heard.until(Saved(str(file), sha(texts[-1])))
        whole = {sha(text) for text in texts}
        mine = [one for one in heard.all if isinstance(one, Saved) and one.path == str(file)]
        assert {one.digest for one in mine} <= whole
        assert mine[-1].digest == sha(texts[-1])


async def test_a_writer_that_pauses_in_mid_file_is_not_taken_for_done(
    file: Path, tmp_path: Path
) -> None:
    text = "workflow: slow\nnodes:\n  a:\n    uses: noop\n"
    async with watching(tmp_path) as heard:
        file.unlink()
        with file.open("w") as stream:
            for line in text.splitlines(keepends=True):
                stream.write(line)
                stream.flush()
                await asyncio.sleep(0.06)  # longer than the quiet of a file that was renamed in
        await heard.until(Saved(str(file), sha(text)))
        assert [one for one in heard.all if getattr(one, "path", "") == str(file)] == [
            Saved(str(file), sha(text))
        ]


async def test_files_and_folders_come_and_go(file: Path, tmp_path: Path) -> None:
    async with watching(tmp_path) as heard:
        new = tmp_path / "sub" / "deep"
        new.mkdir(parents=True)
        (new / "steps.py").write_text("x = 1\n")
        await heard.until(Appeared(str(new / "steps.py"), sha("x = 1\n")))
        replace_atomically(new / "steps.py", "x = 2\n")
        await heard.until(Saved(str(new / "steps.py"), sha("x = 2\n")))
        file.rename(tmp_path / "renamed.yaml")
        await heard.until(Removed(str(file)))
        await heard.until(Appeared(str(tmp_path / "renamed.yaml"), sha("workflow: one\n")))
        shutil.rmtree(tmp_path / "sub")
        await heard.until(Removed(str(new / "steps.py")))


async def test_the_folder_itself_may_be_renamed_deleted_and_made_anew(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    file = project / "orders.yaml"
    file.write_text("workflow: one\n")
    async with watching(project) as heard:
        project.rename(tmp_path / "elsewhere")
        await heard.until(Removed(str(file)))
        project.mkdir()
        file.write_text("workflow: two\n")
        await heard.until(Appeared(str(file), sha("workflow: two\n")))
        replace_atomically(file, "workflow: three\n")
        await heard.until(Saved(str(file), sha("workflow: three\n")))


async def test_a_folder_that_is_a_virtual_environment_itself_is_watched(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / "pyvenv.cfg").write_text("")
    async with watching(tmp_path) as heard:
        in_place(file, "workflow: two\n")
        await heard.until(Saved(str(file), sha("workflow: two\n")))


async def test_installed_hidden_and_left_out_folders_are_not_told_of(
    file: Path, tmp_path: Path
) -> None:
    for name in ("node_modules", ".git", "state", "myenv", "seen"):
        (tmp_path / name).mkdir()
    (tmp_path / "myenv" / "pyvenv.cfg").write_text("")
    async with watching(tmp_path) as heard:
        for name in ("node_modules", ".git", "state", "myenv", "seen"):
            (tmp_path / name / "a.py").write_text("x = 1\n")
        os.mkfifo(tmp_path / "pipe.yaml")
        (tmp_path / "nowhere.yaml").symlink_to(tmp_path / "missing.yaml")
        await heard.until(Appeared(str(tmp_path / "seen" / "a.py"), sha("x = 1\n")))
        in_place(file, "workflow: two\n")
        await heard.until(Saved(str(file), sha("workflow: two\n")))
        assert heard.all == [
            Appeared(str(tmp_path / "seen" / "a.py"), sha("x = 1\n")),
            Saved(str(file), sha("workflow: two\n")),
        ]


async def test_a_file_that_cannot_be_read_is_told_without_content(
    file: Path, tmp_path: Path
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    async with watching(tmp_path) as heard:
        in_place(file, "workflow: two\n")
        file.chmod(0)
        await heard.until(Saved(str(file), ""))
