"""What the graph pane says where there is nothing to draw, and beside what it draws: how to go on."""

from collections.abc import Collection, Sequence

import msgspec

from studio.core.standing import needs_person
from studio.core.state import RunState
from studio.projections.layout import Segment, cell_width, clean, fit
from studio.projections.listing import seconds_taken
from studio.projections.screen.actions import key_of
from studio.projections.screen.graph import duration_text, stale_nodes
from studio.projections.screen.inspecting.paragraphs import wrap_row
from studio.projections.screen.rules import NO_KEYS, Keys
from studio.projections.states import step_text

Row = list[Segment]


class Step(msgspec.Struct, frozen=True):
    """One of the first steps.

    Args:
        actions: ids of the actions that take it.
        key: the action whose key is shown.
        text: what it does.
    """

    actions: frozenset[str]
    key: str
    text: str


STEPS: tuple[Step, ...] = (
    Step(frozenset({"launch"}), "launch", "launch the workflow"),
    Step(frozenset({"next_need", "previous_need"}), "next_need", "go to what failed"),
    Step(frozenset({"edit", "override_input", "outcome"}), "edit", "fix it, and save"),
    Step(frozenset({"retry", "retry_downstream"}), "retry", "retry it: the run goes on"),
)
"""The loop of the product in four lines (product.md, "The loop that must feel perfect")."""


def no_workflows(folder: str, skipped: Sequence[str] = (), keys: Keys = NO_KEYS) -> list[Row]:
    """What a folder without workflows shows.

    Args:
        folder: the folder that was searched.
        skipped: files that were left out, with the reason.
        keys: the person's own keys.
    """
    rows: list[Row] = [
        [Segment("No workflows here yet", "title")],
        [Segment(clean(folder), "dim")],
        [],
        [
            Segment(f"{key_of(keys, 'new'):<11}", "key"),
            Segment("  creates one from a template", "text"),
        ],
        [Segment("studio demo", "key"), Segment("  shows some, in a folder of their own", "text")],
    ]
    if skipped:
        rows += [[], [Segment("left out:", "dim")]]
        rows += [[Segment(clean(reason), "dim")] for reason in skipped[:5]]
    return rows


def broken_file(name: str, findings: Sequence[str], keys: Keys = NO_KEYS) -> list[Row]:
    """What a workflow file that never loaded shows: its findings, one a line.

    Args:
        name: the file.
        findings: ``path:line:column: message`` each.
        keys: the person's own keys.
    """
    rows: list[Row] = [[Segment(f"{clean(name)} cannot be read yet", "title")], []]
    rows += [[Segment(clean(finding), "bad")] for finding in findings[:8]]
    if len(findings) > 8:
        rows.append([Segment(f"and {len(findings) - 8} more", "dim")])
    key = Segment(key_of(keys, "edit"), "key")
    rows += [[], [key, Segment(" opens it; save, and it is drawn here", "text")]]
    return rows


def hint_rows(
    run: RunState | None,
    workflow: str,
    missing: Sequence[str],
    *,
    driven: bool,
    keys: Keys = NO_KEYS,
    ascii: bool = False,
) -> list[Row]:
    """A line or two beside the graph: how to go on from here; none while a run is under way.

    Args:
        run: the shown run, None when a workflow is shown.
        workflow: name of the shown workflow.
        missing: secrets that are set nowhere.
        driven: whether an engine drives the run.
        keys: the person's own keys.
    """
    launch = Segment(key_of(keys, "launch"), "key")
    if run is None:
        rows: list[Row] = [
            [
                Segment(clean(name), "warn"),
                Segment(" is not set: put it into .env, or export it", "text"),
            ]
            for name in missing[:3]
        ]
        rows.append([launch, Segment(f" starts {clean(workflow)}", "text")])
        return rows
    if not driven and not run.ended:
        return [
            [Segment("interrupted: its engine is gone", "state.in_doubt")],
            [
                Segment(key_of(keys, "continue_run"), "key"),
                Segment(" continues it where it stood", "text"),
            ],
        ]
    step = step_text(run)
    if step and not any(map(needs_person, run.nodes.values())):
        rows = [[Segment(step, "state.held")]]
        if run.stepping:
            keys_of_step = [
                (key_of(keys, "step"), "the next ready node"),
                (key_of(keys, "step_wave"), "all of them"),
            ]
            rows += [
                [Segment(key, "key"), Segment(f" starts {what}", "text")]
                for key, what in keys_of_step
            ]
        rows.append([Segment(key_of(keys, "continue_run"), "key"), Segment(" leaves it", "text")])
        return rows
    if run.ended and run.phase == "succeeded" and not any(map(needs_person, run.nodes.values())):
        mark = "+" if ascii else "✓"
        failed, stale = run.counts.get("failed", 0), len(stale_nodes(run))
        word = "succeeded" if failed or stale else "all green"
        said = f"{mark} {word} in {duration_text(seconds_taken(run, 0.0))}"
        if failed:
            said += f", {failed} failed on the way"
        rows = [[Segment(said, "good")], [launch, Segment(" starts it again", "text")]]
        if stale:
            rerun = Segment(key_of(keys, "rerun"), "key")
            rows.insert(1, [rerun, Segment(f" runs {stale} stale again", "text")])
        return rows
    return []


def checklist_rows(
    done: Collection[int], keys: Keys = NO_KEYS, *, ascii: bool = False
) -> list[Row]:
    """The first steps in a frame.

    Args:
        done: numbers of the steps that were taken, from 0.
        keys: the person's own keys.
    """
    shown = [key_of(keys, step.key) for step in STEPS]
    wide = max(map(cell_width, shown))
    width = max(cell_width(step.text) for step in STEPS) + 6 + wide
    line, corner, side = ("-", "++++", "|") if ascii else ("─", "╭╮╰╯", "│")
    title, hint = " first steps ", " esc hides "
    rows: list[Row] = [
        [Segment(f"{corner[0]}{title}{line * (width - len(title))}{corner[1]}", "border")]
    ]
    for number, step in enumerate(STEPS):
        taken = number in done
        mark = ("+" if ascii else "✓") if taken else ("." if ascii else "○")
        rows.append(
            [
                Segment(f"{side} ", "border"),
                Segment(f"{mark} ", "good" if taken else "dim"),
                Segment(f"{shown[number]:<{wide}} ", "dim" if taken else "key"),
                Segment(fit(f" {step.text}", width - 4 - wide), "dim" if taken else "text"),
                Segment(side, "border"),
            ]
        )
    rows.append([Segment(f"{corner[2]}{line * (width - len(hint))}{hint}{corner[3]}", "border")])
    return rows


def centred(rows: Sequence[Row], width: int, height: int) -> list[Row]:
    """A block in the middle of a pane; rows that are wider than it are wrapped.

    Args:
        rows: the block; its lines stay flush left with each other.
        width: columns of the pane.
        height: rows of the pane.
    """
    rows = [list(line) for row in rows for line in wrap_row(row, max(1, width - 2))]
    widest = max((sum(cell_width(part.text) for part in row) for row in rows), default=0)
    left = max(0, (width - widest) // 2)
    top = max(0, (height - len(rows)) // 3)
    shown: list[Row] = [[] for _ in range(top)]
    shown += [[Segment(" " * left, "text"), *row] for row in rows]
    return shown[:height]
