"""A program on a real pseudo-terminal whose screen can be drawn: still, or as a short animation.

What the program writes goes through a terminal emulator (pyte); Rich draws the cells as SVG.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme

from bench.terminal import Terminal

PATIENCE = 30.0
"""Seconds until a text that should be shown counts as missing."""
QUIET = 0.4
"""Seconds without output after which the screen counts as drawn: longer than any timer of the screen but the clock."""

THEME = TerminalTheme(
    (26, 27, 38), (192, 202, 245), [(40, 42, 54)] * 8, [(80, 82, 94)] * 8
)  # what shows where a program sets no colour of its own; the studio sets them all

ASPECT = 0.6
"""Width of a letter over the height of its font: that of Fira Code, and nearly that of DejaVu Sans Mono and Menlo, so
that letters also meet where a viewer does not stretch text to the length it is given."""
CELL = 20 * ASPECT
"""Width of a cell, in Rich's font of 20."""
LINE = 24.4
"""Height of a line, as Rich draws it."""
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">\n'
    "<style>\n.{unique_id}-matrix {{ font-family: 'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace;"
    " font-size: {char_height}px; line-height: {line_height}px; }}\n{styles}\n</style>\n"
    "<defs>\n{lines}\n</defs>\n{chrome}\n"
    '<g transform="translate({terminal_x}, {terminal_y})">\n'
    '<g class="backgrounds">\n{backgrounds}\n</g>\n<g class="{unique_id}-matrix">\n{matrix}\n</g>\n</g>\n</svg>\n'
)
MARK = re.compile(
    r"(?<![\w.])\d+(?:\.\d+)?(?P<unit>\s?ms|s)\b|\d\d:\d\d:\d\d(?:\.\d{3})?|\b\d\d:\d\d\b"
)
"""Durations and times of day: what differs from one drawing to the next."""

Row = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What the terminal showed at one moment.

    Attributes:
        rows: its lines, from the top, as styled pieces of text.
        seconds: how long an animation shows it.
    """

    rows: tuple[Row, ...]
    seconds: float = 1.0


class PictureTerminal:
    """A program on a terminal, driven by keys.

    Args:
        command: program and arguments.
        folder: its current folder.
        environ: its environment.
        columns, rows: size of the terminal in cells.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        *,
        columns: int,
        rows: int,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._terminal = Terminal(command, folder, environ, columns=columns, rows=rows)

    def press(self, keys: str) -> None:
        """Type keys, then wait until the screen has answered and is quiet."""
        self._terminal.send(keys)
        self.rest()

    def type(self, keys: str) -> None:
        """Type keys and go on at once."""
        self._terminal.send(keys)

    def rest(self, quiet: float = QUIET) -> None:
        """Read until nothing has been written for so many seconds."""
        while piece := self._terminal.read(quiet):
            self._stream.feed(piece)

    def wait_for(self, *texts: str) -> None:
        """Read until each of the texts stands on the screen. Raises TimeoutError."""
        waited = 0.0
        while not all(any(text in row for row in self._screen.display) for text in texts):
            piece = self._terminal.read(0.05)
            self._stream.feed(piece)
            waited += 0.0 if piece else 0.05
            if waited > PATIENCE:
                shown = "\n".join(self._screen.display)
                raise TimeoutError(f"{texts} not on the screen:\n{shown}")

    def frame(self, seconds: float = 1.0) -> Frame:
        """What is shown now, with times that stand still."""
        rows = []
        for index in range(self._screen.lines):
            cells = self._screen.buffer[index]
            row = [cells[column] for column in range(self._screen.columns)]
            text = _still("".join(cell.data or "\0" for cell in row))
            rows.append(tuple(_pieces(row, text)))
        return Frame(tuple(rows), seconds)

    def __enter__(self) -> "PictureTerminal":
        return self

    def __exit__(self, *problem: object) -> None:
        self._terminal.close()


def still_picture(frame: Frame) -> str:
    """A frame as an SVG document."""
    return _exported(frame.rows, title="Workflow Studio")


def animation(frames: Sequence[Frame]) -> str:
    """Frames one after another, for ever, as an SVG document moved by CSS alone.

    Lines that stand in several frames are drawn once and used by each.
    """
    distinct = list(dict.fromkeys(row for frame in frames for row in frame.rows))
    drawn = _exported(distinct, title="")
    styles = re.findall(r"^\.still-r\d+ .*$", drawn, re.M)
    pieces: list[list[str]] = [[] for _ in distinct]
    for name in ("backgrounds", "still-matrix"):
        body = drawn.split(f'<g class="{name}">\n', 1)[1].split("\n</g>", 1)[0]
        for tag in re.findall(r"<rect [^>]*/>|<text [^>]*>[^<]*</text>", body):
            y = float(re.search(r' y="([\d.]+)"', tag)[1])  # type: ignore[index]  # Rich sets y on each
            index = round((y - (1.5 if tag.startswith("<rect") else 20)) / LINE)
            tag = re.sub(r' y="[\d.]+"', f' y="{y - index * LINE:.4g}"', tag)
            pieces[index].append(re.sub(r' clip-path="[^"]*"', "", tag))
    place = {row: index for index, row in enumerate(distinct)}
    columns = sum(piece.cell_length for piece in frames[0].rows[0])
    width, height = columns * CELL, len(frames[0].rows) * LINE
    whole = sum(frame.seconds for frame in frames)
    moves, shown, start = [], [], 0.0
    for index, frame in enumerate(frames):
        begin, end = start / whole * 100, (start + frame.seconds) / whole * 100
        start += frame.seconds
        visible = f"{begin:.2f}%, {end - 0.01:.2f}% {{ visibility: visible }}"
        hidden = "0% { visibility: hidden } " if index else ""
        after = "" if index == len(frames) - 1 else f" {end:.2f}%, 100% {{ visibility: hidden }}"
        moves.append(
            f"@keyframes frame{index} {{ {hidden}{visible}{after} }}\n"
            f"#frame{index} {{ visibility: hidden; animation: frame{index} {whole:g}s step-end infinite }}"
        )
        uses = "".join(
            f'<use href="#row{place[row]}" y="{y * LINE:.5g}"/>' for y, row in enumerate(frame.rows)
        )
        shown.append(f'<g id="frame{index}">{uses}</g>')
    defined = "\n".join(f'<g id="row{n}">{"".join(tags)}</g>' for n, tags in enumerate(pieces))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 -8 {width + 16:.5g} {height + 16:.5g}">\n'
        "<style>\ntext { font-family: 'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 20px }\n"
        + "\n".join([*styles, *moves])
        + f"\n</style>\n<defs>\n{defined}\n</defs>\n"
        f'<rect x="-8" y="-8" width="{width + 16:.5g}" height="{height + 16:.5g}" rx="8"'
        f' fill="{THEME.background_color.hex}"/>\n' + "\n".join(shown) + "\n</svg>\n"
    )


def _exported(rows: Sequence[Row], *, title: str) -> str:
    """Lines as Rich draws them."""
    columns = sum(piece.cell_length for piece in rows[0])
    console = Console(
        record=True,
        width=columns,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for row in rows:
        console.print(_Line(row), end="")
    drawn = console.export_svg(
        title=title,
        theme=THEME,
        code_format=FRAME,
        font_aspect_ratio=ASPECT,
        unique_id="still",
    )
    return re.sub(r"<text [^>]*>\n</text>", "", drawn)  # Rich draws the ends of lines as well


@dataclass(frozen=True, slots=True)
class _Line:
    row: Row

    def __rich_console__(self, console: Console, options: object) -> "list[Segment]":
        return [*self.row, Segment("\n")]


def _pieces(row: Sequence[pyte.screens.Char], text: str) -> list[Segment]:
    """Cells of one look together. Blanks stand apart: some viewers drop leading ones of a text."""
    pieces: list[tuple[str, Style]] = []
    for cell, letter in zip(row, text, strict=True):
        if letter == "\0":  # the right half of a wide character
            continue
        style = Style(
            color=_colour(cell.fg),
            bgcolor=_colour(cell.bg),
            bold=cell.bold,
            italic=cell.italics,
            underline=cell.underscore,
            strike=cell.strikethrough,
            reverse=cell.reverse,
        )
        if pieces and pieces[-1][1] == style and (pieces[-1][0][-1] == " ") == (letter == " "):
            pieces[-1] = (pieces[-1][0] + letter, style)
        else:
            pieces.append((letter, style))
    return [Segment(text, style) for text, style in pieces]


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    return {"brown": "yellow"}.get(name, name)  # pyte calls the third colour by its oldest name


def _still(text: str) -> str:
    """A line in which each duration and time of day has the same digits whenever it is drawn."""

    def stopped(found: re.Match[str]) -> str:
        mark = found.group()
        if ":" in mark:
            return "00:01" if len(mark) == len("00:01") else "12:00:00.000"[: len(mark)]
        return re.sub(r"\d", "1", mark)

    return MARK.sub(stopped, text)
