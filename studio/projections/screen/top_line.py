"""The top line: which run, how it stands, how far it is."""

from collections import Counter

from studio.core.plan import Plan
from studio.core.revision import is_mixed
from studio.core.standing import needs_person, phase_of
from studio.core.state import RunState
from studio.projections.layout import Segment, cell_width, clean, fit
from studio.projections.listing import seconds_taken
from studio.projections.moments import whole
from studio.projections.screen.graph import duration_text
from studio.projections.signs import RESOLVED
from studio.projections.states import NODE_LOOKS, RUN_LOOKS, run_look, step_text

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


def run_line(
    run: RunState,
    now: float,
    width: int,
    others: int,
    *,
    driven: bool,
    left: float | None = None,
    ascii: bool = False,
) -> Row:
    """The top line of a run.

    Args:
        now: seconds since the epoch.
        width: columns of the screen.
        others: other runs that need a person.
        driven: whether an engine drives the run.
        left: seconds it will still take, by what former runs took; None when unknown.
    """
    phase = phase_of(run)
    look = run_look(run, phase, driven=driven)
    needy = sum(map(needs_person, run.nodes.values()))
    roomy = width >= 100
    name = clean(run.plan.workflow.name)
    if cell_width(name) > width // 3:
        name = fit(name, max(1, width // 3), "~" if ascii else "…")
    number = f"run #{run.number}" if roomy else f"#{run.number}"
    head: Row = [
        Segment(" * " if ascii else " ◆ ", "accent"),
        Segment(name, "title"),
        Segment(f" {'>' if ascii else '›'} {number}   ", "dim"),
        Segment(f"{look.ascii if ascii else look.glyph} {look.word}", look.style),
        Segment(f"  {clock_text(_elapsed(run, now))}", "text"),
    ]
    if roomy and is_mixed(run):
        head.append(Segment("  mixed versions", "warn"))
    if left is not None and roomy and phase == "running":
        head.append(Segment(f"  ~{duration_text(left)} left", "dim"))
    step = step_text(run)
    if step:
        # What holds everything back is told before how long it will take.
        head.insert(4, Segment(f"  {step if roomy else 'step'}", "state.held"))
    if needy and look.word != "needs you" and roomy:
        head.append(Segment(f"  {needy} need{'s' * (needy == 1)} you", "state.held"))
    tail = _counts(run, ascii, roomy)
    if others:
        text = (
            f" +{others} run{'s' * (others > 1)} need{'s' * (others == 1)} you "
            if roomy
            else f" +{others} "
        )
        tail.append(Segment(text, "state.held"))
    done = sum(run.counts.get(name, 0) for name in RESOLVED)
    total = len(run.plan.nodes)
    figures = Segment(f" {done}/{total} ", "text")
    used = sum(cell_width(part.text) for part in (*head, figures))
    tail = _give_way(tail, width - used - 11, 3)
    room = width - used - sum(cell_width(part.text) for part in tail) - 3
    if room >= 8:
        bar = _bar(run, total, min(room, width // 4), ascii)
        return [
            *head,
            Segment("   ", "text"),
            *bar,
            figures,
            *_pad(width, head, bar, figures, tail),
        ]
    return fit_row([*head, figures, *_give_way(tail, width - used, 0)], width)


LESSER = (
    "blocked", "ready", "skipped", "cancelled", "succeeded", "reused", "compensated", "backing_off", "compensating",
    "waiting", "running",
)  # fmt: skip
"""States whose counts give way in a narrow line, in this order; what needs a person stays."""


def _give_way(tail: Row, room: int, least: int) -> Row:
    """The counts that fit, down to so many parts: each stands whole or not at all."""
    kept = list(tail)
    order = [f"state.{name}" for name in LESSER]
    while len(kept) > least and sum(cell_width(part.text) for part in kept) > room:
        styles = [part.style for part in kept]
        index = next((styles.index(style) for style in order if style in styles), 0)
        del kept[index]
    return kept


def _elapsed(run: RunState, now: float) -> float:
    """What the clock of a run shows: it stands while nothing of the run is under way, so that it needs no timer then
    and does not jump when the run goes on. Of one that has ended it is the time that lists and notices tell."""
    if run.ended:
        return whole(seconds_taken(run, now))
    return seconds_taken(run, now if run.idle_since is None else run.idle_since)


def clock_text(seconds: float) -> str:
    """A running time as a clock shows it: ``01:23``, ``2:07:09``, ``3d 04:11``."""
    whole = int(max(0.0, seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    if hours == 0:
        return f"{minute:02d}:{second:02d}"
    days, hour = divmod(hours, 24)
    return f"{hours}:{minute:02d}:{second:02d}" if days == 0 else f"{days}d {hour:02d}:{minute:02d}"


def _pad(width: int, head: Row, bar: Row, figures: Segment, tail: Row) -> Row:
    used = sum(cell_width(part.text) for part in (*head, *bar, figures, *tail)) + 3
    return [Segment(" " * max(0, width - used), "text"), *tail]


def _counts(run: RunState, ascii: bool, roomy: bool) -> Row:
    found: Row = []
    left: Counter[str] = Counter(
        node.status for node in run.nodes.values() if node.orphaned and node.parent is None
    )
    looks = [(run.counts.get(name, 0) - left[name], NODE_LOOKS[name]) for name in COUNTED]
    looks.insert(COUNTED.index("running"), (left.total(), RUN_LOOKS["interrupted"]))
    for count, look in looks:
        if count:
            mark = look.ascii if ascii else look.glyph
            found.append(Segment(f"  {mark} {count}" if roomy else f" {mark}{count}", look.style))
    found.append(Segment(" ", "text"))
    return found


def _bar(run: RunState, total: int, width: int, ascii: bool) -> Row:
    """One segmented bar: done, reused, running, failed, left; of what there is, each has a cell at least."""
    parts = (
        (sum(run.counts.get(name, 0) for name in RESOLVED - {"reused"}), "state.succeeded"),
        (run.counts.get("reused", 0), "state.reused"),
        (sum(run.counts.get(n, 0) for n in ("running", "waiting", "compensating")), "state.running"),
        (sum(run.counts.get(n, 0) for n in ("failed", "in_doubt", "compensation_failed")), "state.failed"),
    )  # fmt: skip
    kinds = [(count, style) for count, style in parts if count]
    left = total - sum(count for count, _style in kinds)
    line = "=" if ascii else "━"
    bar: Row = []
    used = 0
    for index, (count, style) in enumerate(kinds):
        behind = len(kinds) - index - 1 + (left > 0)
        cells = min(width - used - behind, max(1, round(width * count / max(1, total))))
        if left <= 0 and not behind:
            cells = width - used
        if cells > 0:
            bar.append(Segment(line * cells, style))
            used += cells
    if used < width:
        bar.append(Segment(("-" if ascii else "─") * (width - used), "faint"))
    return bar


def plan_line(plan: Plan | None, name: str, width: int, others: int, *, ascii: bool = False) -> Row:
    """The top line of a workflow without a run."""
    row: Row = [Segment(" ◆ " if not ascii else " * ", "accent"), Segment(clean(name), "title")]
    if plan is not None:
        version = plan.workflow.version
        label = f"  {clean(version)}" if version else ""
        count = len(plan.nodes)
        row.append(Segment(f"{label}  {count} node{'s' * (count != 1)}  not started", "dim"))
    if others:
        row.append(
            Segment(
                f"   {others} run{'s' * (others > 1)} need{'s' * (others == 1)} you", "state.held"
            )
        )
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
