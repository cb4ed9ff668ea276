"""A JSON value as a collapsible tree whose rows are made only when they are looked at.

What is folded costs nothing; an open list or mapping shows its first members and says how many are left out; lists of
records become tables. However large the value, a row is made of a bounded part of it.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from studio.projections.layout import Segment
from studio.projections.screen.inspecting.leaves import (
    expression,
    leaf_style,
    leaf_text,
    members,
    preview,
)
from studio.projections.screen.inspecting.paragraphs import Row, plural, wrap
from studio.projections.screen.inspecting.tables import Table, table_of
from studio.projections.text import escaped, shorten, width

Path: TypeAlias = tuple[str | int, ...]
Cover: TypeAlias = Callable[[str | int | None, Any], Any]
"""What may be shown of a member: its key (None at the top) and value in, the value or its cover out."""

FIRST: Final = 100
"""Members of an open list or mapping shown at first."""

STEP: Final = 400
"""Members that each "more" adds."""

OPEN_AT_FIRST: Final = 40
"""Rows up to which nested values are open from the start."""

TEXT_LINES: Final = 200
"""Lines of an opened long text."""

SEARCHED: Final = 200_000
"""Members looked at by one search: a bound on its time, about a quarter of a second."""

SEARCHED_TEXT: Final = 2_000
"""Characters of one text that a search looks into."""


class TreeRow(NamedTuple):
    """One row.

    Args:
        path: keys and indexes from the top to the value.
        kind: ``value`` a member, ``more`` the members left out, ``text`` a line of an opened text, ``head`` the
            column names of a table, ``record`` a row of a table.
        value: the value; for ``more`` the number left out, for ``text`` the line.
    """

    path: Path
    kind: Literal["value", "more", "text", "head", "record"]
    value: Any

    @property
    def key(self) -> str | int | None:
        """Key or index of the member in what holds it."""
        return self.path[-1] if self.path else None


class ValueTree:
    """One value, what of it is open, and its rows.

    Args:
        value: JSON types.
        prefix: expression for the whole value, such as ``nodes.load.output``.
        cover: covers sensitive members.
        ascii: draw with ASCII characters only.
    """

    def __init__(
        self, value: Any, prefix: str, cover: Cover | None = None, *, ascii: bool = False
    ) -> None:
        self.value = value
        self.prefix = prefix
        self.rows: list[TreeRow] = []
        self._cover: Cover = cover or (lambda key, shown: shown)
        self._ascii = ascii
        self._open: set[Path] = {()}
        self._shown: dict[Path, int] = {}
        self._tables: dict[Path, Table | None] = {}
        self._width = 40
        self._open_small()
        self._flatten()

    # ----------------------------------------------------------------- folding

    def _open_small(self) -> None:
        """Open nested values breadth first while all of it stays within a page."""
        level: list[tuple[Path, Any]] = [((), self._seen(None, self.value))]
        rows = len(self.value) if isinstance(self.value, dict | list) else 1
        while level:
            following = []
            for path, value in level:
                if rows > OPEN_AT_FIRST or self._table(path, value) is not None:
                    continue
                for key, member in islice(members(value), OPEN_AT_FIRST):
                    shown = self._seen(key, member)
                    if isinstance(shown, dict | list) and 0 < len(shown) <= OPEN_AT_FIRST - rows:
                        rows += len(shown)
                        self._open.add((*path, key))
                        following.append(((*path, key), shown))
            level = following

    def _flatten(self) -> None:
        self.rows = list(self._walk((), self._seen(None, self.value)))

    def _walk(self, path: Path, value: Any) -> Iterator[TreeRow]:
        """Rows below an open value, its own excluded."""
        if isinstance(value, str) and path not in self._open:
            return
        if isinstance(value, str) and self._is_long(value, path):
            for line in _lines(value, max(8, self._width - 2 * len(path))):
                yield TreeRow(path, "text", line)
            return
        if not isinstance(value, dict | list):
            if not path:
                yield TreeRow(path, "value", value)
            return
        if not value and not path:
            yield TreeRow(path, "value", value)
        table = self._table(path, value)
        if table is not None:
            yield TreeRow(path, "head", table)
        limit = self._shown.get(path, FIRST)
        for key, member in islice(members(value), limit):
            below = (*path, key)
            shown = self._seen(key, member)
            yield TreeRow(below, "value" if table is None else "record", shown)
            if below in self._open:
                yield from self._walk(below, shown)
        if len(value) > limit:
            yield TreeRow(path, "more", len(value) - limit)

    def _seen(self, key: str | int | None, value: Any) -> Any:
        return self._cover(key, value)

    def _table(self, path: Path, value: Any) -> Table | None:
        if not isinstance(value, list):
            return None
        if path not in self._tables:
            self._tables[path] = table_of(value, self._cover)
        return self._tables[path]

    def can_fold(self, index: int) -> bool:
        """Whether the row can be opened or closed."""
        row = self.rows[index]
        if row.kind in ("head", "text"):
            return False
        if row.kind == "more":
            return True
        if isinstance(row.value, dict | list):
            return bool(row.value) and bool(row.path)
        return isinstance(row.value, str) and bool(row.path) and self._is_long(row.value, row.path)

    def is_open(self, index: int) -> bool:
        """Whether the row is open."""
        row = self.rows[index]
        return row.kind in ("value", "record") and row.path in self._open

    def toggle(self, index: int) -> bool:
        """Open or close the row, or show more of what is left out. Returns whether anything changed."""
        if not 0 <= index < len(self.rows) or not self.can_fold(index):
            return False
        row = self.rows[index]
        if row.kind == "more":
            self._shown[row.path] = self._shown.get(row.path, FIRST) + STEP
        elif row.path in self._open:
            self._open.discard(row.path)
        else:
            self._open.add(row.path)
        self._flatten()
        return True

    def fit(self, cells: int) -> None:
        """Tell the width of the rows; opened texts wrap at it."""
        if cells != self._width:
            self._width = cells
            if any(row.kind == "text" for row in self.rows) or isinstance(self.value, str):
                self._flatten()

    def _is_long(self, text: str, path: Path) -> bool:
        return not path or len(text) > max(8, self._width - 2 * len(path) - 6) or "\n" in text

    # ----------------------------------------------------------------- paths and search

    def path_at(self, index: int) -> str:
        """The template that gives the value of a row, such as ``{{ nodes.load.output.rows[3].id }}``."""
        path = self.rows[index].path if 0 <= index < len(self.rows) else ()
        return f"{{{{ {expression(self.prefix, path)} }}}}"

    def value_at(self, index: int) -> Any:
        """The value of a row, uncovered: what copying it copies is the caller's to mask."""
        found = self.value
        for key in self.rows[index].path:
            found = found[key]
        return found

    def find(self, text: str, start: int, step: int = 1) -> int | None:
        """The next row that holds a text in its key or value, opening what it is folded in.

        Args:
            text: looked for, case aside; what is covered is not found.
            start: row to begin behind.
            step: 1 forward, -1 backward; both go round.
        """
        wanted = text.casefold()
        current = self.rows[start].path if 0 <= start < len(self.rows) else None
        found: list[tuple[int, Path]] = []
        here = -1 if step > 0 else SEARCHED
        for place, (path, label) in enumerate(islice(self._labels(), SEARCHED)):
            if path == current:
                here = place
            if wanted in label.casefold():
                found.append((place, path))
        if not found:
            return None
        if step > 0:
            return self._reveal(next((path for at, path in found if at > here), found[0][1]))
        return self._reveal(next((path for at, path in reversed(found) if at < here), found[-1][1]))

    def _labels(self) -> Iterator[tuple[Path, str]]:
        """Every member, open or not, in order, with the text a search looks into."""
        stack: list[tuple[Path, Any]] = [((), self._seen(None, self.value))]
        while stack:
            path, value = stack.pop()
            key = str(path[-1])[:SEARCHED_TEXT] if path and isinstance(path[-1], str) else ""
            if isinstance(value, dict | list):
                yield path, key
                below = [
                    ((*path, name), self._seen(name, member)) for name, member in members(value)
                ]
                stack.extend(reversed(below[:SEARCHED]))
            else:
                text = value[:SEARCHED_TEXT] if isinstance(value, str) else leaf_text(value, 40)
                yield path, f"{key}\0{text}"

    def _reveal(self, path: Path) -> int | None:
        """Open everything around a member; returns its row."""
        holder: Any = self.value
        for depth in range(len(path)):
            self._open.add(path[:depth])
            key = path[depth]
            place = key if isinstance(key, int) else list(holder).index(key)
            shown = self._shown.get(path[:depth], FIRST)
            if place >= shown:
                self._shown[path[:depth]] = place + FIRST
            holder = holder[key]
        self._flatten()
        return next((at for at, row in enumerate(self.rows) if row.path == path), None)

    # ----------------------------------------------------------------- drawing

    def row(self, index: int, cells: int) -> Row:
        """One row, at most ``cells`` wide."""
        row = self.rows[index]
        depth = len(row.path) if row.kind in ("more", "head", "text") else len(row.path) - 1
        indent = min(2 * max(0, depth), max(0, cells - 12))
        lead = Segment(" " * indent, "text")
        room = cells - indent
        if row.kind == "more":
            text = f"… {row.value:,} more, Enter shows {min(row.value, STEP):,}"
            return [lead, Segment(shorten(text, room), "accent")]
        if row.kind == "text":
            return [lead, Segment(row.value, "json.text")]
        if row.kind == "head":
            return [lead, Segment("  ", "dim"), *row.value.head(room - 2)]
        if row.kind == "record":
            table = self._table(row.path[:-1], self._holder(row.path))
            if table is not None and isinstance(row.key, int):
                mark = self._marker(index)
                return [lead, mark, *table.record(row.key, row.value, room - 2, self._cover)]
        return [lead, *self._member(index, row, room)]

    def _holder(self, path: Path) -> Any:
        found = self.value
        for key in path[:-1]:
            found = found[key]
        return found

    def _marker(self, index: int) -> Segment:
        if not self.can_fold(index):
            return Segment("  ", "dim")
        if self.is_open(index):
            return Segment("v " if self._ascii else "▾ ", "accent")
        return Segment("> " if self._ascii else "▸ ", "accent")

    def _member(self, index: int, row: TreeRow, room: int) -> Row:
        marker = self._marker(index)
        parts: Row = [marker] if row.path else []
        used = 2 if row.path else 0
        if row.path:
            key = row.path[-1]
            name = f"[{key}] " if isinstance(key, int) else f"{escaped(key, 120)}: "
            # Behind it, `false` has room in any case.
            name = shorten(name, max(4, min(room * 2 // 3, room - 7)))
            parts.append(Segment(name, "dim" if isinstance(key, int) else "json.key"))
            used += width(name)
        left = max(1, room - used)
        value = row.value
        if isinstance(value, dict | list):
            parts.append(Segment(leaf_text(value, left), "dim"))
            left -= width(parts[-1].text)
            if value and row.path and not self.is_open(index) and left > 4:
                parts.append(preview(value, left, self._cover))
        elif isinstance(value, str) and self.is_open(index):
            parts.append(Segment(plural(len(value), "character"), "dim"))
        else:
            parts.append(Segment(leaf_text(value, left), leaf_style(value)))
        return parts


def _lines(text: str, cells: int) -> list[str]:
    """Lines of an opened text, at most `TEXT_LINES`; what would act on a terminal stands as an escape."""
    shown = text[: 2 * (cells + 1) * TEXT_LINES]
    parts = "\n".join(escaped(part) for part in shown.split("\n"))
    return wrap(parts + text[len(shown) :], cells, TEXT_LINES)
