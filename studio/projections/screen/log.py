"""The log pane: a bounded buffer of lines, which of them are shown, and how one row of it looks.

Appending costs the same per line however much there was before, and rows are made only when they are drawn: a node may
print gigabytes (all of it stays on disk) while the pane holds its newest lines and says how many it let go.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from studio.projections.layout import Segment
from studio.projections.layout.celltext import character_width
from studio.projections.text import sanitise, shorten, width

Row = list[Segment]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]

CAPACITY: Final = 20_000
"""Lines held; older ones are on disk (``|`` opens them in the pager)."""

WRAPPED_CAPACITY: Final = 2_000
"""Lines laid out while long lines wrap, since each has to be measured: 25 ms where all of them are coloured."""

SLACK: Final = 2_000
"""Lines let go at a time, so that letting go costs nothing per line."""

LINE_CHARACTERS: Final = 4_000
"""Characters of one line that are shown."""

PREFIX_CELLS: Final = 18
"""Cells of a node's name before its line."""

LEAD_CELLS: Final = 13 + PREFIX_CELLS + 3 + 6
"""Cells that stand before a line at most: time, name, level."""

LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error")
LEVEL_STYLES: Final[dict[str, str]] = {
    "debug": "faint",
    "info": "text",
    "warning": "warn",
    "error": "bad",
}
LEVEL_WORDS: Final[dict[str, str]] = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARN",
    "error": "ERROR",
}

TROUBLE: Final = ("Traceback (most recent call last)", "ERROR", "FATAL", "CRITICAL", "panic:")
"""Beginnings of plain output that tell of an error; lines logged with a level say so themselves."""


class LineLike(Protocol):
    """The part of a log line that the pane reads."""

    @property
    def at(self) -> float: ...
    @property
    def text(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def level(self) -> str: ...


class KeyLike(Protocol):
    """The part of an attempt's key that the pane reads."""

    @property
    def run(self) -> int: ...
    @property
    def node(self) -> str: ...
    @property
    def undo(self) -> bool: ...
    @property
    def attempt(self) -> int: ...


class Entry(msgspec.Struct, frozen=True):
    """One line and the attempt that wrote it; without a line it is the mark where an attempt begins."""

    key: KeyLike
    line: LineLike | None
    at: float


class LogView(NamedTuple):
    """How the log is shown.

    Args:
        width: cells of a row.
        wrap: long lines go on in the next row.
        time: the time of day stands before each line.
        level: lines below this level are left out.
        named: the node's name stands before each line (more than one node is shown).
    """

    width: int = 80
    wrap: bool = False
    time: bool = True
    level: Level = "debug"
    named: bool = False


class LogBuffer:
    """The newest lines of what is shown, and where their rows begin.

    Args:
        moment: writes a moment (seconds since the epoch) as time of day, before attempts.
        exact: the same to the millisecond, before lines; ``moment`` when None.
        ascii: draw with ASCII characters only.

    Attributes:
        dropped: lines let go, which are on disk only.
        view: how it is shown; change it with `set_view`.
    """

    def __init__(
        self,
        moment: Callable[[float], str],
        exact: Callable[[float], str] | None = None,
        *,
        ascii: bool = False,
    ) -> None:
        self.dropped = 0
        self.view = LogView()
        self._moment = moment
        self._exact = exact or moment
        self._ascii = ascii
        self._entries: list[Entry] = []
        self._shown: list[Entry] = []
        self._ends: list[int] = []
        self._attempts: dict[str, tuple[bool, int]] = {}
        self._wanted = ""

    def __len__(self) -> int:
        """Rows there are to draw."""
        if not self._shown:
            return 0
        return self._ends[-1] if self.view.wrap else len(self._shown)

    @property
    def lines(self) -> int:
        """Lines held, attempt marks excluded."""
        return sum(entry.line is not None for entry in self._entries)

    def clear(self) -> None:
        """Forget everything: another node is shown."""
        self.dropped = 0
        self._entries.clear()
        self._attempts.clear()
        self._arrange()

    def set_view(self, view: LogView) -> None:
        """Show it otherwise."""
        before, self.view = self.view, view
        changed = (before.wrap, before.level) != (view.wrap, view.level)
        if changed or (view.wrap and before != view):
            self._arrange()

    # ----------------------------------------------------------------- filling

    def append(self, key: KeyLike, lines: Sequence[LineLike]) -> int:
        """Add lines of one attempt. Returns how many rows were let go at the top."""
        if not lines:
            return 0
        if len(lines) > CAPACITY:
            self.dropped += len(lines) - CAPACITY
            lines = lines[-CAPACITY:]
        fresh: list[Entry] = []
        if not self.view.named and self._attempts.get(key.node) != (key.undo, key.attempt):
            self._attempts[key.node] = (key.undo, key.attempt)
            fresh.append(Entry(key, None, lines[0].at))
        fresh += [Entry(key, line, line.at) for line in lines]
        self._entries += fresh
        surplus = len(self._entries) - CAPACITY
        if surplus > SLACK:
            self.dropped += sum(entry.line is not None for entry in self._entries[:surplus])
            del self._entries[:surplus]
        return self._show(fresh)

    def _show(self, fresh: list[Entry]) -> int:
        """Add lines to those shown; returns how many rows were let go at the top."""
        if self.view.level != "debug":
            fresh = [entry for entry in fresh if self._passes(entry)]
        most = WRAPPED_CAPACITY if self.view.wrap else CAPACITY
        gone = 0
        if len(fresh) > most:
            gone = len(self)
            self._shown, self._ends = [], []
            fresh = fresh[-most:]
        self._shown += fresh
        if self.view.wrap:
            end = self._ends[-1] if self._ends else 0
            for entry in fresh:
                end += self._height(entry)
                self._ends.append(end)
        surplus = len(self._shown) - most
        return gone + self._let_go(surplus) if surplus > SLACK else gone

    def _let_go(self, surplus: int) -> int:
        """Forget the oldest shown lines; returns the rows they took."""
        del self._shown[:surplus]
        if not self.view.wrap:
            return surplus
        rows = self._ends[surplus - 1]
        self._ends = [end - rows for end in self._ends[surplus:]]
        return rows

    def _arrange(self) -> None:
        """Filter and measure everything anew."""
        self._shown, self._ends = [], []
        self._show(list(self._entries))

    def _passes(self, entry: Entry) -> bool:
        if entry.line is None:
            return True
        return LEVELS.index(level_of(entry.line)) >= LEVELS.index(self.view.level)

    # ----------------------------------------------------------------- rows

    def _lead(self, entry: Entry) -> Row:
        """What stands before the text of a line."""
        row: Row = []
        if self.view.time:
            row.append(Segment(f"{self._exact(entry.at)} ", "dim"))
        if self.view.named:
            name = shorten(entry.key.node, PREFIX_CELLS)
            bar = "|" if self._ascii else "│"
            row.append(Segment(f"{name:<{PREFIX_CELLS}} {bar} ", "accent"))
        line = entry.line
        if line is not None and line.stream == "log":
            row.append(Segment(f"{LEVEL_WORDS[level_of(line)]:<5} ", LEVEL_STYLES[line.level]))
        return row

    def _text(self, entry: Entry) -> str:
        return sanitise(entry.line.text, LINE_CHARACTERS) if entry.line is not None else ""

    def _room(self, lead: Row) -> int:
        return max(8, self.view.width - sum(width(part.text) for part in lead))

    def _height(self, entry: Entry) -> int:
        line = entry.line
        if line is None:
            return 1
        plain = line.text.isascii() and line.text.isprintable()
        if plain and len(line.text) < self.view.width - LEAD_CELLS:
            return 1
        room = self._room(self._lead(entry))
        if plain:
            return max(1, -(-min(len(line.text), LINE_CHARACTERS) // room))
        return len(breaks(self._text(entry), room))

    def row(self, index: int) -> Row:
        """One row."""
        part = 0
        if self.view.wrap:
            place = bisect_right(self._ends, index)
            part = index - (self._ends[place - 1] if place else 0)
        else:
            place = index
        entry = self._shown[place]
        if entry.line is None:
            return self._mark(entry)
        lead = self._lead(entry)
        room = self._room(lead)
        text = self._text(entry)
        style = style_of(entry.line)
        if not self.view.wrap:
            return [*lead, *self._marked(shorten(text, room), style)]
        starts = breaks(text, room)
        if part >= len(starts):
            return []
        end = starts[part + 1] if part + 1 < len(starts) else len(text)
        if part:
            lead = [Segment(" " * (self.view.width - room), "dim")]
        return [*lead, *self._marked(text[starts[part] : end], style)]

    def _mark(self, entry: Entry) -> Row:
        """The mark where an attempt begins."""
        what = f"{'undo ' if entry.key.undo else ''}attempt {entry.key.attempt}"
        dash = "-" if self._ascii else "─"
        text = f"{dash * 2} {what} {'-' if self._ascii else '·'} {self._moment(entry.at)} "
        return [Segment(text + dash * max(0, min(40, self.view.width - len(text))), "dim")]

    def _marked(self, text: str, style: str) -> Row:
        """A text with what was searched for made visible."""
        wanted = self._wanted
        if not wanted:
            return [Segment(text, style)]
        row: Row = []
        folded, at = text.casefold(), 0
        if len(folded) != len(text):
            return [Segment(text, style)]
        while (found := folded.find(wanted, at)) >= 0:
            row += [
                Segment(text[at:found], style),
                Segment(text[found : found + len(wanted)], "match"),
            ]
            at = found + len(wanted)
        return [*row, Segment(text[at:], style)]

    def _row_of(self, place: int) -> int:
        """First row of a shown line."""
        if not self.view.wrap:
            return place
        return self._ends[place - 1] if place else 0

    def _place_of(self, row: int) -> int:
        """The shown line that a row belongs to."""
        return bisect_right(self._ends, row) if self.view.wrap else row

    # ----------------------------------------------------------------- finding

    def find(self, text: str, row: int, direction: int = 1) -> int | None:
        """First row of the next line that holds a text, going round at the end; it is marked from now on.

        Args:
            text: looked for, case aside; empty marks nothing any more.
            row: row to begin behind.
            direction: 1 towards newer lines, -1 towards older ones.
        """
        self._wanted = text.casefold()
        if not text or not self._shown:
            return None
        count = len(self._shown)
        here = min(self._place_of(max(0, row)), count - 1) if row >= 0 else -1
        for offset in range(1, count + 1):
            place = (here + direction * offset) % count
            line = self._shown[place].line
            if line is not None and self._wanted in line.text[:LINE_CHARACTERS].casefold():
                return self._row_of(place)
        return None

    def first_error(self, row: int = -1) -> int | None:
        """First row behind ``row`` that tells of an error, going round; None when none does."""
        count = len(self._shown)
        here = self._place_of(row) if row >= 0 else -1
        for offset in range(1, count + 1):
            place = (here + offset) % count
            line = self._shown[place].line
            if line is not None and tells_error(line):
                return self._row_of(place)
        return None

    def text(self, most: int = CAPACITY) -> str:
        """The newest lines as plain text, for copying."""
        lines = [entry.line.text for entry in self._entries[-most:] if entry.line is not None]
        return "\n".join(lines)


def breaks(text: str, room: int) -> list[int]:
    """Where the rows of a sanitised text begin when each holds at most ``room`` cells."""
    if text.isascii():
        return list(range(0, len(text), room)) or [0]
    found = [0]
    used = 0
    for index, character in enumerate(text):
        cells = character_width(character)
        if used + cells > room:
            found.append(index)
            used = 0
        used += cells
    return found


def level_of(line: LineLike) -> Level:
    """Level of a line; what a node writes as plain output and that tells of an error counts as one."""
    if line.level in LEVELS and line.level != "info":
        return LEVELS[LEVELS.index(line.level)]
    if line.stream == "log":
        return "info"
    text = sanitise(line.text, 80) if line.text.startswith("\x1b") else line.text
    return "error" if text.startswith(TROUBLE) else "info"


def tells_error(line: LineLike) -> bool:
    """Whether a line tells of an error."""
    return level_of(line) == "error"


def style_of(line: LineLike) -> str:
    """Style of a line: by its level, else by its stream."""
    level = level_of(line)
    if level == "info" and line.stream == "stderr":
        return "warn"
    return LEVEL_STYLES[level]


def in_order(
    parts: Iterable[tuple[KeyLike, Sequence[LineLike]]], most: int = CAPACITY
) -> tuple[list[tuple[KeyLike, list[LineLike]]], int]:
    """Lines of several attempts in the order of time, as runs of one attempt each; and how many were left out.

    Args:
        parts: the lines of each attempt, oldest first.
        most: lines to keep: the newest.
    """
    kept: list[tuple[float, int, KeyLike, LineLike]] = []
    skipped = 0
    for number, (key, lines) in enumerate(parts):
        kept += [(line.at, number, key, line) for line in lines]
        if len(kept) > 3 * most:
            kept.sort(key=_by_time)
            skipped += len(kept) - most
            del kept[: len(kept) - most]
    kept.sort(key=_by_time)
    skipped += max(0, len(kept) - most)
    found: list[tuple[KeyLike, list[LineLike]]] = []
    for _at, _number, key, line in kept[-most:]:
        if not found or found[-1][0] != key:
            found.append((key, []))
        found[-1][1].append(line)
    return found, skipped


def _by_time(one: tuple[float, int, KeyLike, LineLike]) -> tuple[float, int]:
    return one[0], one[1]


def newest(lines: Iterable[LineLike], most: int = CAPACITY) -> tuple[list[LineLike], int]:
    """The newest lines of an attempt, and how many were before them."""
    kept: list[LineLike] = []
    skipped = 0
    source = iter(lines)
    while True:
        batch = list(islice(source, SLACK))
        if not batch:
            return kept, skipped
        kept += batch
        if len(kept) > most + SLACK:
            skipped += len(kept) - most
            del kept[: len(kept) - most]


def subtitle(
    view: LogView, follow: bool, dropped: int, lines: int, *, find: str = "/", ascii: bool = False
) -> str:
    """What stands in the lower border: what is switched on, what was let go, and the keys that look for something.

    Args:
        find: the person's key for a search.
    """
    on, off = ("[x]", "[ ]") if ascii else ("●", "○")
    dot = " - " if ascii else " · "
    parts = []
    if dropped:
        parts.append(f"{dropped:,} lines dropped, | has them")
    if view.level != "debug":
        parts.append(f"% from {view.level}")
    parts.append(f"follow {on if follow else off}")
    parts.append(f"W wrap {on if view.wrap else off}")
    parts.append(f"# time {on if view.time else off}")
    if view.level == "debug":
        parts.append("% all")
    parts += ["! error", f"{find} search"]
    return dot.join(parts) if lines or dropped else ""
