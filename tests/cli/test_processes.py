"""Command lines as processes of their own: interrupts, crashes, and an owner that others send to."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Result, Studio

pytestmark = pytest.mark.slow

PATIENCE = 15.0
"""Seconds after which a process that does not do what it should fails the test."""

GATED = """\
workflow: gated
nodes:
  opens:
    uses: shell
    run: "echo waiting; while [ ! -e gate ]; do sleep 0.05; done"
    side_effects: {effects}
  after: {{uses: noop, needs: opens}}
"""
"""A node that runs until the file ``gate`` is there."""


def test_setting_up_shows_what_goes_wrong_and_nothing_else(tmp_path: Path) -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    (recipe,) = [line for line in makefile.splitlines() if "pip install" in line]
    options = [word for word in recipe.split() if word.startswith("--")]
    assert options.count("--quiet") == 2, "with one of them warnings are printed"
    words = [*options, "--no-index", "--find-links", str(tmp_path / "absent"), "no-such-package"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *words],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "WARNING" not in done.stderr
    assert "ERROR: No matching distribution found for no-such-package" in done.stderr


class Process:
    """A command line in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "studio", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        self._limit = threading.Timer(PATIENCE, self.child.kill)
        self._limit.daemon = True
        self._limit.start()

    def reads(self, text: str) -> None:
        """Read standard output until a line holds the text."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            if text in line:
                return
        raise AssertionError(f"{text!r} never came: {self.ends()}")

    def ends(self) -> Result:
        """Wait for the end."""
        out, err = self.child.communicate(timeout=PATIENCE)
        self._limit.cancel()
        return Result(self.child.returncode, out, err)


Start = Callable[..., Process]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts processes in the current folder; what still runs at the end is killed."""
    started: list[Process] = []

    def begin(*words: str) -> Process:
        started.append(Process(folder, *words))
        return started[-1]

    yield begin
    for process in started:
        if process.child.poll() is None:
            process.child.kill()
            process.child.communicate()


def runs_for_sure(studio: Studio) -> None:
    """Wait until the child of ``opens`` has been let through its gate and has written its line."""
    end = time.monotonic() + PATIENCE
    while "waiting" not in studio("logs", "1").out:
        assert time.monotonic() < end, "the node never wrote its line"


def until_held(studio: Studio) -> None:
    """Wait until a person has closed a gate."""
    end = time.monotonic() + PATIENCE
    while "node_held" not in studio("history", "1", "--json").out:
        assert time.monotonic() < end, "the node was never held"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_the_run_recoverable(
    studio: Studio, start: Start, folder: Path, number: signal.Signals
) -> None:
    (folder / "gated.yaml").write_text(GATED.format(effects="none"))
    process = start("run", "gated.yaml")
    process.reads("● opens")
    runs_for_sure(studio)
    process.child.send_signal(number)
    done = process.ends()
    assert done.status == 130
    assert "`studio resume 1`" in done.err
    assert studio("show", "1", "--json").json["state"] == "running"
    (folder / "gate").touch()
    found = studio("resume", "--json").json
    assert found["state"] == "succeeded"
    assert found["nodes"]["opens"]["attempts"] == 2


def test_after_a_kill_an_external_node_is_in_doubt(
    studio: Studio, start: Start, folder: Path
) -> None:
    (folder / "gated.yaml").write_text(GATED.format(effects="external"))
    process = start("run", "gated.yaml")
    process.reads("● opens")
    runs_for_sure(studio)
    assert "interrupted" not in studio("runs").out
    process.child.kill()
    process.ends()
    assert "¿ interrupted" in studio("runs").out
    assert "`studio resume 1`" in studio("show", "1").out
    assert studio("show", "1", "--json").json["interrupted"] is True
    done = studio("resume", "1", expect=3)
    assert "outcome unknown" in done.out
    assert "studio mark 1 opens succeeded" in done.err
    assert studio("mark", "1", "opens", "succeeded", "--json").json["state"] == "succeeded"


def test_commands_go_to_the_owner(studio: Studio, start: Start, folder: Path) -> None:
    (folder / "gated.yaml").write_text(GATED.format(effects="none"))
    owner = start("run", "gated.yaml")
    owner.reads("● opens")
    assert "taken by the open studio" in studio("pause", "1").err
    assert studio("show", "1", "--json").json["paused"] is True
    assert "paused already" in studio("pause", "1", expect=4).err
    assert studio("doctor", "--json").json["owner"] == owner.child.pid
    studio("resume", "1")
    hosted = studio("run", "flow.yaml")
    assert "taken by the open studio" in hosted.err
    document = studio("run", "flow.yaml", "--json").json
    assert (document["run"], document["state"]) == (3, "succeeded")
    waiting = start("hold", "1", "after", "--wait")
    waiting.reads("held")
    (folder / "gate").touch()
    assert waiting.ends().status == 0
    owner.reads("✓ opens")
    assert owner.ends().status == 3
    assert [row["state"] for row in studio("runs", "--json").json] == [
        "succeeded",
        "succeeded",
        "attention",
    ]


def test_a_bad_file_is_told_by_the_sender(studio: Studio, start: Start, folder: Path) -> None:
    (folder / "gated.yaml").write_text(GATED.format(effects="none"))
    (folder / "bad.yaml").write_text("workflow: bad\nnodes:\n  a: {uses: noop, needs: b}\n")
    owner = start("run", "gated.yaml")
    owner.reads("● opens")
    assert studio("run", "bad.yaml", expect=2).err.startswith("bad.yaml:3:")
    assert "takes a whole number" in studio("run", "flow.yaml", "-p", "count=x", expect=2).err
    (folder / "gate").touch()
    assert owner.ends().status == 0


def test_who_waits_goes_on_when_the_owner_dies(studio: Studio, start: Start, folder: Path) -> None:
    (folder / "gated.yaml").write_text(GATED.format(effects="none"))
    owner = start("run", "gated.yaml")
    owner.reads("● opens")
    waiting = start("hold", "1", "after", "--wait", "--json")
    until_held(studio)
    owner.child.kill()
    owner.ends()
    (folder / "gate").touch()
    done = waiting.ends()
    assert "has ended; going on with it here" in done.err
    assert done.status == 0
    assert done.json["state"] == "attention"
    assert done.json["nodes"]["opens"]["state"] == "succeeded"


def test_events_come_while_they_happen(start: Start, folder: Path) -> None:
    (folder / "gated.yaml").write_text(GATED.format(effects="none"))
    process = start("run", "gated.yaml", "--events")
    process.reads('"attempt_started"')
    (folder / "gate").touch()
    done = process.ends()
    assert done.status == 0
    assert json.loads(done.out.splitlines()[-1])["event"] == "run_finished"


def test_a_closed_pipe_is_no_error(folder: Path) -> None:
    (folder / "many.yaml").write_text(
        "workflow: many\nnodes:\n" + "".join(f"  n{i}: {{uses: noop}}\n" for i in range(400))
    )
    done = subprocess.run(
        f"{sys.executable} -m studio run many.yaml | head -1",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "many started" in done.stdout
    assert "Traceback" not in done.stderr


def on_a_terminal(folder: Path, *words: str, **environ: str) -> str:
    """What a command line writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "studio", *words],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", **environ},
    )
    os.close(theirs)
    limit = threading.Timer(PATIENCE, child.kill)
    limit.start()
    written = b""
    with contextlib.suppress(OSError):  # how Linux tells that nobody holds the other end any more
        while part := os.read(ours, 65536):
            written += part
    os.close(ours)
    assert child.wait() == 0
    limit.cancel()
    return written.decode()


def test_a_terminal_gets_colours_and_a_status_line(folder: Path) -> None:
    written = on_a_terminal(folder, "run", "flow.yaml")
    assert "\x1b[32m" in written
    assert "run 1  2/2" in written
    lines = [line.rpartition("\x1b[2K")[2] for line in written.splitlines()]
    assert any("✓ second" in line for line in lines)
    assert "run 1  2/2" not in lines[-1], "the status line is taken away at the end"


def test_no_color_is_obeyed(folder: Path) -> None:
    written = on_a_terminal(folder, "run", "flow.yaml", NO_COLOR="1")
    assert "m" not in "".join(re.findall(r"\x1b\[[0-9;]*([A-Za-z])", written))
    assert "\x1b[" not in on_a_terminal(folder, "runs", "--no-color")
    assert "\x1b[" not in on_a_terminal(folder, "run", "flow.yaml", TERM="dumb")
