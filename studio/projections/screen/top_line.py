"""The top line: which run, how it stands, how far it is."""

from studio.core.endings import needs_person, phase_of
from studio.core.plan import Plan
from studio.core.state import RunState
from studio.projections.layout import Segment, cell_width, fit
from studio.projections.screen.graph import duration_text
from studio.projections.states import NODE_LOOKS, run_look

Row = list[Segment]

COUNTED = (
    "succeeded",
    "reused",
    "running",
    "waiting",
    "backing_off",
    "held",
    "failed",
    "in_doubt",
    "skipped",
    "cancelled",
    "compensating",
    "compensated",
    "compensation_failed",
    "ready",
    "blocked",
)
"""Order of the counts: what is done first, what is left last."""

DONE = ("succeeded", "skipped", "cancelled", "compensated")


def run_line(
    run: RunState, now: float, width: int, others: int, *, driven: bool, ascii: bool = False
) -> Row:
    """The top line of a run.

    Args:
        now: seconds since the epoch.
        width: columns of the screen.
        others: other runs that need a person.
        driven: whether an engine drives the run.
    """
    phase = phase_of(run)
    look = run_look(run, phase, driven=driven)
    end = run.finished_at if run.finished_at is not None else now
    needy = sum(needs_person(node) for node in run.nodes.values())
    head: Row = [
        Segment(" ◆ " if not ascii else " * ", "accent"),
        Segment(run.plan.workflow.name, "title"),
        Segment(f" › #{run.number}  " if not ascii else f" > #{run.number}  ", "dim"),
        Segment(f"{look.ascii if ascii else look.glyph} {look.word}", look.style),
        Segment(f"  {duration_text(end - run.started_at)}", "text"),
    ]
    if needy and look.word != "needs you":
        head.append(Segment(f"  {needy} need you", "state.held"))
    tail = _counts(run, ascii)
    if others:
        tail.append(Segment(f"  +{others} runs need you ", "state.held"))
    done = sum(run.counts.get(name, 0) for name in (*DONE, "reused"))
    total = len(run.plan.nodes)
    figures = Segment(f" {done}/{total} ", "text")
    room = width - sum(cell_width(part.text) for part in (*head, *tail, figures)) - 3
    if room >= 8:
        bar = _bar(run, total, min(room, 40), ascii)
        return [*head, Segment("  ", "text"), *bar, figures, *_pad(width, head, bar, figures, tail)]
    return fit_row([*head, figures, *tail], width)


def _pad(width: int, head: Row, bar: Row, figures: Segment, tail: Row) -> Row:
    used = sum(cell_width(part.text) for part in (*head, *bar, figures, *tail)) + 2
    return [Segment(" " * max(0, width - used), "text"), *tail]


def _counts(run: RunState, ascii: bool) -> Row:
    found: Row = []
    for name in COUNTED:
        count = run.counts.get(name, 0)
        if count:
            look = NODE_LOOKS[name]
            found.append(Segment(f" {look.ascii if ascii else look.glyph}{count}", look.style))
    found.append(Segment(" ", "text"))
    return found


def _bar(run: RunState, total: int, width: int, ascii: bool) -> Row:
    """One segmented bar: done, reused, running, failed, left."""
    parts = (
        (sum(run.counts.get(name, 0) for name in DONE), "state.succeeded"),
        (run.counts.get("reused", 0), "state.reused"),
        (sum(run.counts.get(n, 0) for n in ("running", "waiting", "compensating")), "state.running"),
        (sum(run.counts.get(n, 0) for n in ("failed", "in_doubt", "compensation_failed")), "state.failed"),
    )  # fmt: skip
    bar: Row = []
    used = 0
    for count, style in parts:
        cells = min(width - used, max(1, round(width * count / max(1, total)))) if count else 0
        if cells:
            bar.append(Segment(("=" if ascii else "━") * cells, style))
            used += cells
    if used < width:
        bar.append(Segment(("-" if ascii else "─") * (width - used), "faint"))
    return bar


def plan_line(plan: Plan | None, name: str, width: int, others: int, *, ascii: bool = False) -> Row:
    """The top line of a workflow without a run."""
    row: Row = [Segment(" ◆ " if not ascii else " * ", "accent"), Segment(name, "title")]
    if plan is not None:
        version = plan.workflow.version
        label = f"  {version}" if version else ""
        row.append(Segment(f"{label}  {len(plan.nodes)} nodes  not started", "dim"))
    if others:
        row.append(Segment(f"   {others} runs need you", "state.held"))
    return fit_row(row, width)


def fit_row(row: Row, width: int) -> Row:
    """A row cut to a width, with an ellipsis in the part that does not fit."""
    found: Row = []
    left = width
    for part in row:
        size = cell_width(part.text)
        if size <= left:
            found.append(part)
            left -= size
            continue
        if left > 0:
            found.append(Segment(fit(part.text, left), part.style))
        break
    return found
