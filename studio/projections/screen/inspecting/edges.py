"""The Edges tab: what comes in and goes out, and what each edge has come to."""

from studio.core.plan import PlanEdge
from studio.core.state import BROKEN, DEAD, TAKEN, UNRESOLVED
from studio.projections.layout import Segment
from studio.projections.screen.inspecting.paragraphs import Row, labelled, paragraph
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.states import NODE_LOOKS, node_look

SIDES = (("◂", "<"), ("▸", ">"))

VERDICTS: dict[int, tuple[str, str, str, str]] = {
    UNRESOLVED: ("○", ".", "open", "state.blocked"),
    TAKEN: ("✓", "+", "taken", "state.succeeded"),
    DEAD: ("⊘", "-", "not taken", "state.skipped"),
    BROKEN: ("✗", "!", "condition failed", "state.failed"),
}
"""Glyph, ASCII glyph, word and style of what an edge has come to."""


def edge_rows(subject: Subject) -> list[Row]:
    """Rows of the Edges tab."""
    planned = subject.planned
    if planned is None:
        return paragraph("This node is no part of the definition any more.", "dim", subject.width)
    rows: list[Row] = [[Segment("comes from", "dim")]]
    if not planned.incoming:
        rows.append([Segment("  nothing: it starts with the run", "text")])
    for edge in planned.incoming:
        rows += _edge(subject, edge, edge.source, 0)
    if len(planned.incoming) > 1:
        rows += labelled("", f"join: {JOINS[planned.node.join]}", "dim", subject.width)
    rows += [[], [Segment("goes to", "dim")]]
    if not planned.outgoing:
        rows.append([Segment("  nothing follows it", "text")])
    for edge in planned.outgoing:
        rows += _edge(subject, edge, edge.target, 1)
    return rows


JOINS = {
    "all": "all of them have to be taken",
    "any": "one of them is enough, all are waited for",
    "first": "the first one taken starts it",
    "settled": "all have to be settled, whatever they came to",
}
"""What each way of joining asks of the incoming edges."""


def verdict_of(subject: Subject, edge: PlanEdge) -> int | None:
    """What an edge has come to in the run, None where there is none."""
    run = subject.run
    target = run.nodes.get(edge.target) if run is not None else None
    if target is None or target.edges is None or edge.slot >= len(target.edges):
        return None
    return target.edges[edge.slot]


def _edge(subject: Subject, edge: PlanEdge, other: str, side: int) -> list[Row]:
    arrow = SIDES[side][subject.ascii]
    row: Row = [Segment(f"  {arrow} ", "accent"), Segment(other, "text")]
    run = subject.run
    node = run.nodes.get(other) if run is not None else None
    if node is not None:
        look = node_look(node, run)
        row.append(Segment(f"  {subject.glyph(look.glyph, look.ascii)} {look.word}", look.style))
    rows = [row]
    verdict = verdict_of(subject, edge)
    if verdict is not None:
        glyph, plain, word, style = VERDICTS[verdict]
        conditions = _conditions(edge)
        rows.append(
            [
                Segment(f"    {subject.glyph(glyph, plain)} {word}", style),
                Segment(f"  {conditions}" if conditions else "", "dim"),
            ]
        )
    elif _conditions(edge):
        rows.append([Segment(f"    {_conditions(edge)}", "dim")])
    if edge.when is not None:
        for index, part in enumerate(
            paragraph(f"when {edge.when.source}", "text", subject.width - 6)
        ):
            rows.append([Segment("      " if index else "    ", "text"), *part])
    return rows


def _conditions(edge: PlanEdge) -> str:
    parts = [] if edge.on == "success" else [f"on {edge.on}"]
    if edge.port is not None:
        parts.append(f"port {edge.port}")
    if edge.handles:
        parts.append("handles the failure")
    return ", ".join(parts)


def following(subject: Subject) -> str:
    """States of what follows, counted in words; empty when nothing does."""
    run = subject.run
    if run is None:
        return ""
    counts: dict[str, int] = {}
    for name in subject.plan.descendants([subject.path]):
        status = run.nodes[name].status if name in run.nodes else "blocked"
        counts[status] = counts.get(status, 0) + 1
    return ", ".join(f"{count} {NODE_LOOKS[status].word}" for status, count in counts.items())
