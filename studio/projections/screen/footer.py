"""The footer: the keys that work here."""

from studio.projections.layout import Segment, cell_width
from studio.projections.screen.actions import Situation, footer_actions, key_name


def footer(
    at: Situation, width: int, keys: dict[str, str] | None = None
) -> tuple[list[Segment], list[tuple[int, int, str]]]:
    """The footer's row, and the columns that call an action when clicked.

    Args:
        at: what actions would act on.
        width: columns of the screen.
        keys: keys of the user's keymap by action id, where they differ.
    """
    row: list[Segment] = [Segment(" ", "text")]
    areas: list[tuple[int, int, str]] = []
    used = 1
    for action in footer_actions(at, 10 if width >= 100 else 9):
        key = key_name((keys or {}).get(action.id, action.keys[0]))
        label = f" {action.label}  " if width >= 100 else f" {action.label} "
        size = cell_width(key) + cell_width(label)
        if used + size > width and action.rank < 30:
            continue
        if used + size > width:
            break
        row += [Segment(key, "key"), Segment(label, "dim")]
        areas.append((used, used + size - 1, action.id))
        used += size
    return row, areas
