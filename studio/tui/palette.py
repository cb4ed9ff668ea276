"""Semantic style names to colours. Nothing depends on a background colour; state is glyph and word before colour."""

from functools import lru_cache
from typing import Final

from rich.style import Style

DARK: Final[dict[str, str]] = {
    "text": "#d7dae0",
    "dim": "#7f8794",
    "faint": "#565d69",
    "title": "bold #e6e9ef",
    "accent": "#7aa2f7",
    "key": "bold #7aa2f7",
    "good": "#9ece6a",
    "bad": "#f7768e",
    "warn": "#e0af68",
    "link": "underline #7dcfff",
    "match": "reverse #e0af68",
    "cursor": "reverse #d7dae0",
    "border": "#414868",
    "border.focus": "#7aa2f7",
    "edge": "#565f89",
    "edge.selected": "bold #7aa2f7",
    "edge.dead": "#3b4261",
    "edge.failure": "#a05a6a",
    "group": "#565f89",
    "state.blocked": "#7f8794",
    "state.ready": "#a9b1d6",
    "state.plan": "#a9b1d6",
    "state.running": "bold #7dcfff",
    "state.waiting": "#bb9af7",
    "state.backing_off": "#e0af68",
    "state.held": "bold #e0af68",
    "state.failed": "bold #f7768e",
    "state.in_doubt": "bold #ff9e64",
    "state.skipped": "#565d69",
    "state.cancelled": "#7f8794",
    "state.compensating": "bold #bb9af7",
    "state.compensated": "#bb9af7",
    "state.succeeded": "#9ece6a",
    "state.reused": "#73daca",
    "json.key": "#7aa2f7",
    "json.text": "#9ece6a",
    "json.number": "#ff9e64",
    "json.word": "#bb9af7",
}

LIGHT: Final[dict[str, str]] = {
    **DARK,
    "text": "#343b58",
    "dim": "#6c7086",
    "faint": "#9094a6",
    "title": "bold #1f2335",
    "accent": "#2959aa",
    "key": "bold #2959aa",
    "good": "#385f0d",
    "bad": "#8c2740",
    "warn": "#8f5e15",
    "cursor": "reverse #343b58",
    "border": "#b4b5b9",
    "border.focus": "#2959aa",
    "edge": "#8990a3",
    "edge.selected": "bold #2959aa",
    "edge.dead": "#c4c8d6",
    "edge.failure": "#b0596f",
    "state.blocked": "#6c7086",
    "state.ready": "#4c505e",
    "state.plan": "#4c505e",
    "state.running": "bold #006c86",
    "state.waiting": "#65359d",
    "state.backing_off": "#8f5e15",
    "state.held": "bold #8f5e15",
    "state.failed": "bold #8c2740",
    "state.in_doubt": "bold #965027",
    "state.compensating": "bold #65359d",
    "state.compensated": "#65359d",
    "state.skipped": "#9094a6",
    "state.cancelled": "#6c7086",
    "group": "#8990a3",
    "link": "underline #006c86",
    "match": "reverse #8f5e15",
    "state.succeeded": "#385f0d",
    "state.reused": "#33635c",
    "json.key": "#2959aa",
    "json.text": "#385f0d",
    "json.number": "#965027",
    "json.word": "#65359d",
}

ANSI: Final[dict[str, str]] = {
    "text": "default",
    "dim": "bright_black",
    "faint": "bright_black",
    "title": "bold default",
    "accent": "blue",
    "key": "bold blue",
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "link": "underline cyan",
    "match": "reverse yellow",
    "cursor": "reverse",
    "border": "bright_black",
    "border.focus": "blue",
    "edge": "bright_black",
    "edge.selected": "bold blue",
    "edge.dead": "dim bright_black",
    "edge.failure": "red",
    "group": "bright_black",
    "state.blocked": "bright_black",
    "state.ready": "default",
    "state.plan": "default",
    "state.running": "bold cyan",
    "state.waiting": "magenta",
    "state.backing_off": "yellow",
    "state.held": "bold yellow",
    "state.failed": "bold red",
    "state.in_doubt": "bold yellow",
    "state.skipped": "bright_black",
    "state.cancelled": "bright_black",
    "state.compensating": "bold magenta",
    "state.compensated": "magenta",
    "state.succeeded": "green",
    "state.reused": "cyan",
    "json.key": "blue",
    "json.text": "green",
    "json.number": "yellow",
    "json.word": "magenta",
}

CONTRAST: Final[dict[str, str]] = {
    **DARK,
    "text": "#ffffff",
    "cursor": "reverse #ffffff",
    "dim": "#d0d0d0",
    "faint": "#b0b0b0",
    "title": "bold #ffffff",
    "border": "#d0d0d0",
    "border.focus": "bold #ffff00",
    "edge": "#c0c0c0",
    "edge.dead": "#808080",
    "state.blocked": "#d0d0d0",
    "state.running": "bold #00ffff",
    "state.failed": "bold #ff5f5f",
    "state.succeeded": "bold #5fff5f",
    "state.skipped": "#b0b0b0",
    "state.cancelled": "#d0d0d0",
}

THEMES: Final[dict[str, dict[str, str]]] = {
    "dark": DARK,
    "light": LIGHT,
    "contrast": CONTRAST,
    "ansi": ANSI,
}

BACKGROUNDS: Final[dict[str, str]] = {
    "dark": "#1a1b26",
    "light": "#f3f4f7",
    "contrast": "#000000",
    "ansi": "ansi_default",
}


SUFFIXES: Final[dict[str, Style]] = {
    ".selected": Style(bold=True),
    ".cursor": Style(bold=True, reverse=True),
    ".near": Style(bold=True, underline=True),
}
"""What the end of a name adds to the style before it; all of it is seen without colours too."""


QUIET: Final = frozenset({"node.succeeded", "node.reused", "node.plan", "node.ready"})
"""States beside whose names the duration or kind stands back; of the others it is news."""


class Palette:
    """Styles by semantic name, for one theme.

    Args:
        theme: a name of `THEMES`.
        colour: false leaves out every colour and keeps bold, dim, underline and reverse (``NO_COLOR``).
    """

    def __init__(self, theme: str = "dark", *, colour: bool = True) -> None:
        self.theme = theme if theme in THEMES else "dark"
        self.colour = colour
        self._names = THEMES[self.theme]
        self.style = lru_cache(maxsize=512)(self._style)

    def _style(self, name: str) -> Style:
        """The style of a name; ``node.failed`` and ``node.failed.selected`` fall back to the state's style."""
        base, extra = name, Style()
        for suffix, style in SUFFIXES.items():
            if name.endswith(suffix) and name not in self._names:
                base, extra = name.removesuffix(suffix), style
        if base.endswith(".side"):
            base = base.removesuffix(".side")
            if base in QUIET:
                base = "dim"
        if base.startswith("node."):
            base = "state." + base[5:]
        text = self._names.get(base)
        while text is None and "." in base:
            base = base.rpartition(".")[0]
            text = self._names.get(base)
        style = Style.parse(text or self._names["text"])
        if not self.colour:
            style = style.without_color
        return style + extra
