"""Lists of records as tables."""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final, NamedTuple

from studio.projections.layout import Segment
from studio.projections.screen.inspecting.leaves import leaf_style, leaf_text
from studio.projections.screen.inspecting.paragraphs import Row, column
from studio.projections.text import escaped, width

CHECKED: Final = 1_000
"""Records compared before a list is taken for a table."""

MEASURED: Final = 60
"""Records by which the columns get their widths."""

MOST_COLUMNS: Final = 16
WIDEST: Final = 28
NARROWEST: Final = 4


class Table(NamedTuple):
    """Columns of a list of records.

    Args:
        names: keys, in the order of the first record.
        widths: cells that each column would like.
        numbers: columns of numbers, which stand at the right.
        digits: cells of the largest index.
    """

    names: tuple[str, ...]
    widths: tuple[int, ...]
    numbers: frozenset[str]
    digits: int

    def fit(self, cells: int) -> list[tuple[str, int]]:
        """Columns and their widths for the room there is; those that do not fit are left out at the right."""
        room = cells - self.digits - 1
        wanted = [min(size, WIDEST) for size in self.widths]
        while sum(wanted) + len(wanted) > room and max(wanted) > 8:
            wanted[wanted.index(max(wanted))] -= 1
        found: list[tuple[str, int]] = []
        for name, size in zip(self.names, wanted, strict=True):
            size = min(size, room - 1)
            if size < NARROWEST:
                break
            found.append((name, size))
            room -= size + 1
        missing = len(f"+{len(self.names) - len(found)}") - room
        if found and len(found) < len(self.names) and missing > 0:
            # The head says how many are left out: the last column makes room for that.
            name, size = found.pop()
            if size - missing >= NARROWEST:
                found.append((name, size - missing))
        return found

    def head(self, cells: int) -> Row:
        """The names of the columns."""
        shown = self.fit(cells)
        row: Row = [Segment(" " * (self.digits + 1), "dim")]
        for name, size in shown:
            text = column(escaped(name, 80), size)
            if name in self.numbers:
                text = _right(text.rstrip(), size)
            row.append(Segment(f"{text} ", "json.key"))
        if len(shown) < len(self.names):
            row.append(Segment(f"+{len(self.names) - len(shown)}", "dim"))
        return row

    def record(self, index: int, record: Any, cells: int, seen: Callable[[Any, Any], Any]) -> Row:
        """One record; ``seen`` covers sensitive members."""
        row: Row = [Segment(f"{index:>{self.digits}} ", "dim")]
        if not isinstance(record, dict):
            return [
                *row,
                Segment(leaf_text(record, max(4, cells - self.digits)), leaf_style(record)),
            ]
        for name, size in self.fit(cells):
            if name not in record:
                row.append(Segment(" " * (size + 1), "dim"))
                continue
            value = seen(name, record[name])
            text = value if isinstance(value, str) and value else None
            shown = escaped(text, 2 * size + 16) if text else leaf_text(value, size)
            if _is_number(value):
                shown = _right(shown, size)
            row.append(Segment(column(shown, size) + " ", leaf_style(value)))
        return row


def table_of(value: list[Any], seen: Callable[[Any, Any], Any]) -> Table | None:
    """The table that a list makes, None when it is no list of flat records with the same keys.

    Nulls among the records are let pass: items of a foreach that failed leave them.
    """
    if len(value) < 2:
        return None
    first = next((record for record in islice(value, CHECKED) if record is not None), None)
    if not isinstance(first, dict) or not 0 < len(first) <= MOST_COLUMNS:
        return None
    names = first.keys()
    for record in islice(value, CHECKED):
        if record is None:  # an item of a foreach that failed
            continue
        if not isinstance(record, dict) or record.keys() != names:
            return None
        if any(isinstance(member, dict | list) for member in record.values()):
            return None
    widths = []
    for name in names:
        cells = max(
            (_cells(seen(name, record[name])) for record in islice(value, MEASURED) if record),
            default=0,
        )
        widths.append(max(NARROWEST, width(escaped(name, 80)), cells))
    numbers = frozenset(name for name in names if _is_number(first[name]))
    return Table(tuple(names), tuple(widths), numbers, len(str(len(value) - 1)))


def _right(text: str, cells: int) -> str:
    """A escapedd text at the right of its column."""
    return " " * max(0, cells - width(text)) + text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cells(value: Any) -> int:
    if isinstance(value, str):
        return width(escaped(value, WIDEST + 4))
    return width(leaf_text(value, WIDEST + 4))
