"""The pictures of the documentation: what is linked exists, and a drawing shows each line in its place."""

import re
import sys
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style

from docs.picture_terminal import Frame, PictureTerminal, animation, still_picture

ROOT = Path(__file__).parents[2]


def test_each_picture_that_is_linked_exists() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [
        page.parent / link
        for page in pages
        for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text("utf-8"))
    ]
    assert len(links) >= 3
    assert [link for link in links if not link.is_file()] == []


def test_an_animation_draws_each_line_once_and_each_frame_with_its_lines() -> None:
    style = Style(color="#ffffff", bgcolor="#000000")
    lines = [(Segment(f"line-{number:02}", style),) for number in range(40)]
    first, second = Frame(tuple(lines[:30])), Frame(tuple(lines[10:]))
    drawn = animation([first, second])
    defined = dict(re.findall(r'<g id="(row\d+)">(.*?)</g>', drawn))
    texts = {name: re.findall(r">([^<]+)</text>", tags) for name, tags in defined.items()}
    assert texts == {f"row{number}": [f"line-{number:02}"] for number in range(40)}
    assert all(tags.count("<rect") == 1 for tags in defined.values())
    shown = re.findall(r'<g id="frame\d">(.*?)</g>', drawn)
    assert [re.findall(r"#(row\d+)", uses) for uses in shown] == [
        [f"row{number}" for number in range(30)],
        [f"row{number}" for number in range(10, 40)],
    ]


@pytest.mark.slow
def test_what_a_program_draws_on_a_terminal_is_drawn_with_times_that_stand_still(
    tmp_path: Path,
) -> None:
    script = r"print('\x1b[31mred\x1b[0m took 37 ms at 09:14:03'); print('ready'); input()"
    command = [sys.executable, "-c", script]
    with PictureTerminal(command, tmp_path, {"TERM": "xterm"}, columns=40, rows=4) as terminal:
        terminal.wait_for("ready")
        frame = terminal.frame()
    text = ["".join(piece.text for piece in row).rstrip() for row in frame.rows]
    assert text == ["red took 11 ms at 12:00:00", "ready", "", ""]
    assert ">red</text>" in still_picture(frame)
