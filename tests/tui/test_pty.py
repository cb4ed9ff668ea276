"""The studio on a real pseudo-terminal: how it starts, what reaches the terminal, how it leaves."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.terminal import Terminal
from studio.application.location import locate
from studio.application.runs import list_runs

pytestmark = pytest.mark.slow

QUICK = """\
workflow: quick
nodes:
  first: {uses: transform, value: 1}
  second: {uses: noop, needs: first}
"""

SLOW = """\
workflow: slow
nodes:
  sleeper: {uses: shell, run: "sleep 600"}
"""

Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Open]:
    """Starts the studio on a terminal of its own; ended when the test is."""
    opened: list[Terminal] = []

    def start(*words: str, columns: int = 120, rows: int = 40, **environ: str) -> Terminal:
        env = {
            **{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "STUDIO_STATE")},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "STUDIO_ACTOR": "ada",
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            **environ,
        }
        command = [sys.executable, "-m", "studio", *words]
        terminal = Terminal(command, tmp_path, env, columns=columns, rows=rows)
        opened.append(terminal)
        return terminal

    yield start
    for one in opened:
        one.close()


def test_the_splash_comes_first_and_leaves_no_trace(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml")
    terminal.wait_for("2 nodes")
    shown = bytes(terminal.output)
    splash, erased, screen = (
        shown.index(b"Workflow Studio  quick.yaml"),
        shown.index(b"\r\x1b[2K", 10),
        shown.index(b"\x1b[?1049h"),
    )
    assert splash < erased < screen


def test_a_run_is_launched_and_summed_up_after_quitting(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal(".")
    terminal.wait_for("2 nodes")
    terminal.send("L")
    terminal.wait_for("succeeded")
    terminal.settle()
    terminal.send("q")
    assert terminal.wait() == 0
    left = bytes(terminal.output).rpartition(b"\x1b[?1049l")[2].decode()
    assert "run 1    quick" in left
    assert "succeeded" in left


def test_the_terminal_has_the_size_that_it_has(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml", COLUMNS="70", LINES="20")
    terminal.wait_for("4 Log")
    terminal.wait_for("\x1b[40;1H")


def test_keys_typed_while_the_studio_starts_are_answered(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml")
    terminal.wait_for("\x1b[?1049h")
    terminal.send("JL")
    terminal.wait_for("succeeded")
    terminal.wait_for("Log  second")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_closes_the_screen_and_leaves_the_run_recoverable(
    tmp_path: Path, open_terminal: Open, number: signal.Signals
) -> None:
    (tmp_path / "slow.yaml").write_text(SLOW)
    terminal = open_terminal("slow.yaml")
    terminal.wait_for("1 node")
    terminal.send("L")
    terminal.wait_for("running")
    terminal.settle(0.2, 1.0)
    terminal.signal(number)
    assert terminal.wait() == 128 + number
    assert b"\x1b[?1049l" in terminal.output
    again = open_terminal("slow.yaml")
    again.wait_for("interrupted")
    again.wait_for("C continues it")


def test_a_window_that_is_closed_ends_the_studio_and_gives_the_folder_back(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml")
    terminal.wait_for("2 nodes")
    terminal.hang_up()
    terminal.wait()
    again = open_terminal("quick.yaml")
    again.wait_for("2 nodes")
    again.settle(0.3, 2.0)
    assert b"another studio" not in again.output


def test_a_second_studio_follows_the_first(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    first = open_terminal("quick.yaml")
    first.wait_for("2 nodes")
    second = open_terminal("quick.yaml")
    second.wait_for("another studio drives")
    second.send("L")
    second.wait_for("succeeded")
    first.wait_for("quick")
    second.send("q")
    assert second.wait() == 0


def test_a_second_studio_takes_the_place_of_one_that_was_killed(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "slow.yaml").write_text(SLOW)
    first = open_terminal("slow.yaml")
    first.wait_for("1 node")
    second = open_terminal("slow.yaml")
    second.wait_for("another studio drives")
    first.send("L")
    second.wait_for("run 1 was started elsewhere")
    second.wait_for("running")
    second.settle(0.2, 1.5)
    mark = len(second.output)
    first.signal(signal.SIGKILL)
    second.wait_for("this one drives now", seconds=10, after=mark)
    second.wait_for("interrupted", after=mark)
    second.settle()
    mark = len(second.output)
    second.send("P")
    second.wait_for("paused", after=mark)
    second.send("P")
    second.settle()
    mark = len(second.output)
    second.send("X")
    second.wait_for("cancel it", after=mark)


def test_a_run_of_another_shell_is_on_screen_at_once(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "slow.yaml").write_text(SLOW)
    terminal = open_terminal("slow.yaml")
    terminal.wait_for("1 node")
    terminal.settle()
    mark = len(terminal.output)
    command = [sys.executable, "-m", "studio", "run", "slow.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60, capture_output=True)
    terminal.wait_for("run 1 was started elsewhere", after=mark)
    terminal.wait_for("running", after=mark)
    mark = len(terminal.output)
    terminal.send("P")
    terminal.wait_for("paused", after=mark)


HELD = """\
workflow: held
nodes:
  charge: {uses: transform, value: "{{ 1 / 0 }}"}
"""


def test_what_was_typed_survives_a_kill(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "held.yaml").write_text(HELD)
    terminal = open_terminal("held.yaml")
    terminal.wait_for("1 node")
    terminal.send("L")
    terminal.wait_for("needs you")
    terminal.settle()
    terminal.send("i")
    terminal.wait_for("Input of charge")
    terminal.send("half a thought")
    drafts = tmp_path / ".studio" / "drafts"
    stored: list[Path] = []
    while not (stored and "half a thought" in stored[0].read_text()):
        assert terminal.read(5.0), "it was never stored"
        stored = list(drafts.glob("*.json"))
    assert stored[0].stat().st_mode & 0o077 == 0
    terminal.signal(signal.SIGKILL)
    terminal.wait()
    again = open_terminal("held.yaml")
    again.wait_for("needs you")
    again.settle()
    again.send("i")
    again.wait_for("half a thought")
    again.send("\x1b")
    again.wait_for("discard · ")
    again.settle()
    again.send("d")
    again.settle()
    assert list(drafts.iterdir()) == []


def test_a_dumb_terminal_is_told_how_to_do_without(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml", TERM="dumb")
    assert terminal.wait() == 2
    assert b"TERM=dumb" in terminal.output
    assert b"studio run FILE" in terminal.output
    assert b"\x1b" not in terminal.output


def test_a_state_folder_that_cannot_be_used_is_told_after_the_screen_has_gone(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    (tmp_path / "state").write_text("a file")
    terminal = open_terminal("quick.yaml", "--state", "state")
    assert terminal.wait() == 1
    assert b"studio:" in bytes(terminal.output).rpartition(b"\x1b[?1049l")[2]
    assert b"Traceback" not in terminal.output


def test_no_colour_is_written_when_none_is_wanted(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml", "--no-color")
    terminal.wait_for("2 nodes")
    terminal.settle()
    codes = {
        code
        for found in re.findall(rb"\x1b\[([0-9;]*)m", terminal.output)
        for code in found.split(b";")
    }
    assert codes <= {
        b"",
        b"0",
        b"1",
        b"2",
        b"3",
        b"4",
        b"7",
        b"9",
        b"22",
        b"24",
        b"27",
        b"39",
        b"49",
    }


def test_only_ascii_reaches_the_terminal_when_asked(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml", "--ascii")
    terminal.wait_for("2 nodes")
    terminal.send("L")
    terminal.wait_for("succeeded")
    terminal.settle()
    # The window's title belongs to the window, and is not drawn by cells.
    drawn = re.sub(rb"\x1b\][^\x07\x1b]*(\x07|\x1b\\)", b"", bytes(terminal.output))
    assert not [byte for byte in drawn if byte > 127]


def test_what_keeps_the_screen_from_opening_is_told_on_a_line_of_the_shell(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    (tmp_path / "studio.toml").write_text("[limits\n")
    terminal = open_terminal("quick.yaml")
    assert terminal.wait() == 2
    written = terminal.output.decode()
    assert "\x1b[?1049h" not in written
    told = written.rpartition("\x1b[2K")[2]  # after the line of the start is erased
    assert "studio.toml" in told
    assert "Workflow Studio" not in told


def test_suspending_gives_the_terminal_back_and_going_on_draws_again(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml")
    terminal.wait_for("2 nodes")
    terminal.settle()
    mark = len(terminal.output)
    terminal.signal(signal.SIGTSTP)
    terminal.wait_stopped()
    terminal.wait_for("\x1b[?1049l", after=mark)
    mark = len(terminal.output)
    terminal.signal(signal.SIGCONT)
    terminal.wait_for("\x1b[?1049h", after=mark)
    terminal.wait_for("2 nodes", after=mark)


def test_sizes_change_faster_than_anyone_could_drag(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml")
    terminal.wait_for("2 nodes")
    for step in range(60):
        terminal.resize(1 + step * 37 % 200, 1 + step * 11 % 60)
        terminal.read(0.01)
    terminal.settle(0.2, 2.0)
    mark = len(terminal.output)
    terminal.resize(1, 1)
    terminal.wait_for("\x1b[1;1H", after=mark)  # the end of a drawing
    mark = len(terminal.output)
    terminal.resize(120, 40)
    terminal.wait_for("2 nodes", after=mark)
    terminal.send("q")
    assert terminal.wait() == 0


HOSTILE = """\
import sys

EVIL = "\\x1b]52;c;RVZJTA==\\x07\\x1b[31;5mRED\\x1b[0m\\x9b2J\\x1b]0;TITLE\\x07\\u202egnirts\\u202c [/usr/bin/env] [bold]x[/bold] e" + "\\u0301" * 5000

def speak(text):
    print(EVIL, flush=True)
    print(EVIL, file=sys.stderr, flush=True)
    sys.stdout.buffer.write(b"\\xff\\xfe\\x00\\x1bP1;1|17/ab\\x1b\\\\\\n")
    return {"evil": EVIL, EVIL: [EVIL]}

def fail(text):
    raise ValueError(EVIL)
"""

EVIL_FLOW = """\
workflow: evil
description: "\\x1b[31;5m"
parameters:
  text: {type: string, default: "\\x1b]52;c;RVZJTA==\\x07[/usr/bin/env]"}
nodes:
  speaks: {uses: python, call: "hostile:speak", with: {text: "{{ params.text }}"}}
  fails: {uses: python, call: "hostile:fail", needs: speaks, with: {text: "{{ params.text }}"}}
"""

SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-9;:<=>?]*[ -/]*[@-~]|\](?:0|2|9|22|23);?[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)|[78=>])"
)
"""What a terminal may be sent: CSI sequences, titles and notifications by OSC, cursor and keypad modes."""


def test_no_control_sequence_of_a_workflow_reaches_the_terminal(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "hostile.py").write_text(HOSTILE)
    (tmp_path / "evil.yaml").write_text(EVIL_FLOW)
    (tmp_path / "wrong.yaml").write_text('workflow: "\\x1b]52;c;RVZJTA==\\x07[/x]"\nnodes: {}\n')
    terminal = open_terminal(".")
    terminal.wait_for("2 nodes")
    terminal.send("L")
    terminal.settle(0.5, 5.0)
    terminal.send("\x13")
    terminal.send("\r")
    terminal.wait_for("failed", seconds=30)
    terminal.settle()
    for keys in (
        "f",
        "3",
        "\x1b[C",
        "\x1b[C",
        "\x1b[C",
        "\x1b[C",
        "4",
        "G",
        "1",
        "w",
        "?",
        "q",
        ":",
    ):
        terminal.send(keys)
        terminal.settle(0.15, 1.0)
    terminal.send("\x1b")
    terminal.settle()
    shown = bytes(terminal.output)
    assert b"\x1b]52" not in shown
    assert b"\x1b[31;5m" not in shown
    assert b"\x1bP" not in shown
    assert b"TITLE\x07" not in shown
    assert "\u202e".encode() not in shown
    assert "\u0301".encode() * 20 not in shown
    rest = SEQUENCE.sub(b"", shown)
    assert not set(rest) & (set(range(32)) - set(b"\r\n\b\t"))
    assert "\u009b".encode() not in shown


def test_the_history_is_whole_after_a_kill(tmp_path: Path, open_terminal: Open) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    terminal = open_terminal("quick.yaml")
    terminal.wait_for("2 nodes")
    terminal.send("L")
    terminal.wait_for("succeeded")
    terminal.signal(signal.SIGKILL)
    assert terminal.wait() == -signal.SIGKILL
    history = tmp_path / ".studio" / "history.sqlite"
    with sqlite3.connect(f"file:{history}?mode=ro", uri=True) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    again = open_terminal("quick.yaml")
    again.wait_for("2 nodes")
    again.send("1")
    again.wait_for("succeeded")


FLOOD = """\
workflow: flood
nodes:
  floods: {uses: shell, run: "yes a gigabyte of the same line | head -c 1073741824", timeout: 120s}
  other: {uses: noop}
  third: {uses: noop, needs: other}
"""


def test_a_node_that_prints_a_gigabyte_leaves_the_keys_answered(
    tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / "flood.yaml").write_text(FLOOD)
    terminal = open_terminal("flood.yaml")
    terminal.wait_for("3 nodes")
    terminal.send("L")
    answered = 0
    terminal.wait_for("running")
    row = list_runs(locate(str(tmp_path), None, {}), limit=1)[0]
    while row.open and answered < 60:
        for key, name in (("J", "other"), ("J", "third"), ("K", "other"), ("K", "floods")):
            mark = len(terminal.output)
            terminal.send(key)
            terminal.wait_for(f"Log  {name}", seconds=20.0, after=mark)
            answered += 1
        row = list_runs(locate(str(tmp_path), None, {}), limit=1)[0]
    terminal.wait_for("4 Log  floods")
    while row.open:
        assert terminal.read(1.0) or not terminal.ended()
        row = list_runs(locate(str(tmp_path), None, {}), limit=1)[0]
    assert row.state == "succeeded"
    assert answered >= 4
