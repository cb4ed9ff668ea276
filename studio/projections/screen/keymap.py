"""The user's keys: entries of keymap files checked against the table of actions, one mistake at a time."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import msgspec

from studio.projections.screen.actions import ACTIONS, BY_ID
from studio.projections.text import sanitise

KEY_OF_CHARACTER: dict[str, str] = {
    "!": "exclamation_mark",
    '"': "quotation_mark",
    "#": "number_sign",
    "$": "dollar_sign",
    "%": "percent_sign",
    "&": "ampersand",
    "'": "apostrophe",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
    "*": "asterisk",
    "+": "plus",
    ",": "comma",
    "-": "minus",
    ".": "full_stop",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "<": "less_than_sign",
    "=": "equals_sign",
    ">": "greater_than_sign",
    "?": "question_mark",
    "@": "at",
    "[": "left_square_bracket",
    "\\": "backslash",
    "]": "right_square_bracket",
    "^": "circumflex_accent",
    "_": "underscore",
    "`": "grave_accent",
    "{": "left_curly_bracket",
    "|": "vertical_line",
    "}": "right_curly_bracket",
    "~": "tilde",
}
"""Punctuation as Textual names it; a test compares the two."""

CHARACTER_OF_KEY: dict[str, str] = {name: sign for sign, name in KEY_OF_CHARACTER.items()}
"""How a key that Textual names is written."""

NAMED = frozenset(
    {"space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"}
    | {"up", "down", "left", "right"}
    | {f"f{number}" for number in range(2, 13)}
)
"""Keys that have a name of their own."""

FIXED = frozenset(
    {"tab", "shift+tab", "1", "2", "3", "4", "up", "down", "left", "right", "h", "j", "k", "l"}
    | {"J", "K", "g", "G", "home", "end", "pageup", "pagedown", "enter", "escape"}
    | {"shift+up", "shift+down", "shift+left", "shift+right", "space", "backspace"}
    | {"left_square_bracket", "right_square_bracket", "W", "number_sign", "percent_sign"}
    | {"exclamation_mark"}
)
"""Keys for going around and for one pane, which actions cannot have."""

NEVER = frozenset(
    {f"ctrl+{letter}" for letter in "hijmsqbaotng"}
    | {"ctrl+left_square_bracket", "ctrl+space", "f1", "f10", "f11", "ctrl+enter", "ctrl+c"}
    | {f"alt+{digit}" for digit in range(10)}
)
"""Keys that terminals, tmux and screen take for themselves, or cannot tell from others (interface.md, "Keys")."""

_MODIFIED = r"(?:(?:ctrl|alt|shift)\+)+(?=.)"


class Entry(msgspec.Struct, frozen=True):
    """One line of a keymap file: an action, what was written for it, and where."""

    action: str
    value: object
    place: str


class Keymap(NamedTuple):
    """The user's keys.

    Args:
        keys: keys in Textual's names by action id, only where they differ from the table of actions.
        problems: entries that were left out, each with its place and the reason.
    """

    keys: Mapping[str, tuple[str, ...]] = {}
    problems: tuple[str, ...] = ()


def make_keymap(entries: Iterable[Entry]) -> Keymap:
    """Check entries, later ones winning over earlier ones about the same action.

    An entry that cannot be used is left out and told of; it never takes a key from another action, unless that
    one is given other keys in the same files.
    """
    problems: list[str] = []
    wanted: dict[str, tuple[Sequence[str], str]] = {}
    for entry in entries:
        keys, problem = _read(entry)
        if problem:
            problems.append(f"{entry.place}: {problem}")
        else:
            wanted[entry.action] = (keys, entry.place)
    while True:
        clash = _clash(wanted)
        if clash is None:
            break
        action, problem = clash
        problems.append(f"{wanted.pop(action)[1]}: {problem}")
    return Keymap({action: tuple(keys) for action, (keys, _) in wanted.items()}, tuple(problems))


def _read(entry: Entry) -> tuple[list[str], str]:
    if entry.action not in BY_ID:
        near = get_close_matches(entry.action, BY_ID, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return [], f'unknown action "{sanitise(entry.action, 40)}"{hint}'
    listed = entry.value if isinstance(entry.value, list) else [entry.value]
    written = [one for one in listed if isinstance(one, str)]
    if not written or len(written) < len(listed):
        return [], f'{entry.action}: write a key such as "r" or "ctrl+r", or a list of keys'
    keys = []
    for one in written:
        key = textual_key(one)
        shown = sanitise(one, 20)
        if key is None:
            return [], f'{entry.action}: there is no key "{shown}"'
        if key in NEVER:
            return [], f'{entry.action}: "{shown}" belongs to the terminal'
        if key in FIXED:
            return [], f'{entry.action}: "{shown}" is for going around the screen'
        keys.append(key)
    return keys, ""


def _clash(wanted: Mapping[str, tuple[Sequence[str], str]]) -> tuple[str, str] | None:
    """The first entry, in the order of the table, that wants a key which another action has."""
    holders: dict[str, str] = {}
    for action in ACTIONS:
        if action.id not in wanted:
            holders.update(dict.fromkeys(action.keys, action.id))
    for action in ACTIONS:
        if action.id not in wanted:
            continue
        for key in wanted[action.id][0]:
            holder = holders.setdefault(key, action.id)
            if holder != action.id:
                label = BY_ID[holder].label
                return action.id, f'{action.id}: "{key}" is the key of {holder} ({label})'
    return None


def textual_key(written: str) -> str | None:
    """A key as people write it (``/``, ``ctrl+r``, ``F5``) in Textual's names; None when there is no such key."""
    match = re.match(_MODIFIED, written)
    modifiers = match.group() if match else ""
    base = written[len(modifiers) :]
    if len(base) == 1:
        name = KEY_OF_CHARACTER.get(base) or (base if base.isascii() and base.isalnum() else "")
    else:
        name = base.lower()
        if name not in NAMED and name not in KEY_OF_CHARACTER.values() and name not in _OTHERS:
            name = ""
    if not name:
        return None
    parts = sorted(set(modifiers.split("+")) - {""})
    if parts and len(base) == 1:
        name = name.lower()
    return "+".join([*parts, name])


_OTHERS = frozenset({"tab", "enter", "escape", "f1"})
"""Keys that exist, and that `FIXED` or `NEVER` keeps."""
