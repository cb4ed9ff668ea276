"""What a saved file means for a run, in one line for the notice line."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from studio.core.revision import Change, Verdict

MOST_NAMES = 3
"""Nodes named in one phrase; the rest is counted."""

Kind = Literal["info", "good", "warning", "error"]


class Line(NamedTuple):
    """A notice: its text and how it should look."""

    text: str
    kind: Kind


def saved_line(
    files: Sequence[str],
    verdicts: Sequence[Verdict],
    waiting: Collection[str],
    retry_key: str = "r",
) -> Line:
    """What an edit did to a run that has adopted it.

    Args:
        files: the saved files as people know them.
        verdicts: the plan of the revision.
        waiting: failed nodes that now wait for a person's retry.
        retry_key: the person's key for it.
    """
    changed = [v.node for v in verdicts if v.change in ("changed", "code changed")]
    shaped = any(v.change in ("added", "removed", "edges changed", "changed") for v in verdicts)
    kind: Kind = "warning" if any(v.consequence == "stale" for v in verdicts) else "good"
    retry = [name for name in changed if name in waiting]
    if not shaped and not retry:
        phrases = [phrase for phrase, _ in _phrases(verdicts)]
        return Line(f"{_names(files)} saved: {'; '.join(phrases) or 'no node changed'}", kind)
    parts = [f"↻ {_names(files)} reloaded"]
    for word, names in (
        ("changed", changed),
        ("added", [v.node for v in verdicts if v.change == "added"]),
        ("removed", [v.node for v in verdicts if v.change == "removed"]),
        ("connected anew", [v.node for v in verdicts if v.change == "edges changed"]),
    ):
        if names:
            parts.append(f"{len(names)} {_nodes(len(names))} {word} ({_names(names)})")
    again = [v.node for v in verdicts if v.consequence in ("run again", "retried")]
    parts += [_again(again)] if again else []
    stale = [v.node for v in verdicts if v.consequence == "stale"]
    parts += [_stale(stale)] if stale else []
    if retry:
        parts.append(f"{retry_key} retries {'it' if len(retry) == 1 else 'them'} with the new code")
    return Line(" · ".join(parts), kind)


def asking_line(files: Sequence[str], run: int, verdicts: Sequence[Verdict]) -> Line:
    """An edit waits for a person to say whether a run adopts it."""
    phrases = [phrase for phrase, _ in _phrases(verdicts, would=True)]
    what = "; ".join(phrases) or "the graph changed"
    return Line(f"{_names(files)} saved: {what} · run {run} waits for you to adopt it", "warning")


def unchanged_line(files: Sequence[str]) -> Line:
    """A save that touches nothing that a run has done."""
    return Line(f"{_names(files)} saved: no node changed", "info")


def file_line(files: Sequence[str], changes: Mapping[str, tuple[Change, str]]) -> Line:
    """A workflow without a run has another definition."""
    names = [name for name, (change, _) in changes.items() if change != "unchanged"]
    if not names:
        return unchanged_line(files)
    text = f"↻ {_names(files)} reloaded · {len(names)} {_nodes(len(names))} changed"
    return Line(f"{text} ({_names(names)})", "info")


def _phrases(verdicts: Iterable[Verdict], *, would: bool = False) -> list[tuple[str, list[str]]]:
    """What becomes of the nodes whose code or definition changed, and of those that follow them."""
    groups: dict[str, list[str]] = {}
    for verdict in verdicts:
        groups.setdefault(_fate(verdict), []).append(verdict.node)
    found = []
    for fate, names in groups.items():
        phrase = _phrase(fate, names, would)
        if phrase:
            found.append((phrase, names))
    return found


def _fate(verdict: Verdict) -> str:
    if verdict.change in ("added", "removed"):
        return verdict.change
    if verdict.change not in ("changed", "code changed"):
        return f"follows, {verdict.consequence}"
    return verdict.consequence


def _phrase(fate: str, names: list[str], would: bool) -> str:
    one = len(names) == 1
    who = _names(names)
    if fate in ("run again", "retried"):
        runs = "would run" if would else "runs" if one else "run"
        return f"{who} changed, {runs} again"
    if fate == "stale":
        return f"{who} changed, {'is' if one else 'are'} stale: external effects, not run again unasked"
    if fate == "finishes":
        return f"{who} changed, {'is' if one else 'are'} stale once done"
    if fate == "follows, run again":
        return f"{who} {'follows' if one else 'follow'} if the input differs"
    if fate == "follows, stale":
        return f"{who} {'is' if one else 'are'} stale behind it"
    if fate in ("added", "removed"):
        return f"{who} {fate}"
    return f"{who} changed" if fate in ("new", "kept", "none") else ""


def _again(names: list[str]) -> str:
    return f"{_names(names)} {'runs' if len(names) == 1 else 'run'} again"


def _stale(names: list[str]) -> str:
    return f"{_names(names)} {'is' if len(names) == 1 else 'are'} stale: external effects, not run again unasked"


def _nodes(count: int) -> str:
    return "node" if count == 1 else "nodes"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
