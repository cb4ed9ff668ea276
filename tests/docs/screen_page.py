"""Writes the table of keys in ``docs/reference/screen.md`` from the table of actions: ``python -m tests.docs.screen_page``."""

from __future__ import annotations

from pathlib import Path

from studio.projections.screen.actions import ACTIONS, key_name

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "screen.md"

BEGIN = "<!-- keys: begin -->\n"
END = "<!-- keys: end -->\n"

TITLES = {
    "node": "The selected node",
    "run": "The run",
    "move": "Going around",
    "view": "Looking",
    "app": "The studio",
}


def table() -> str:
    """Every action, grouped by what it acts on."""
    lines = []
    for scope, title in TITLES.items():
        lines += [f"### {title}", "", "| key | does | id |", "|---|---|---|"]
        for action in ACTIONS:
            if action.scope == scope:
                keys = " ".join(f"`{_written(key)}`" for key in action.keys)
                lines.append(f"| {keys} | {action.help} | `{action.id}` |")
        lines.append("")
    return "\n".join(lines)


def _written(key: str) -> str:
    return key_name(key).replace("|", "\\|")


def page() -> str:
    """The page with the table as it should be."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
