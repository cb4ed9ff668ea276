"""A folded group: its nodes and how they stand."""

from studio.projections.layout import Segment
from studio.projections.screen.inspecting.paragraphs import Row, plural
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.states import node_look
from studio.projections.text import sanitise, shorten

SHOWN = 500


def group_rows(subject: Subject) -> list[Row]:
    """Rows of the nodes of a group, in the order of the graph."""
    group = subject.path.removeprefix("group:")
    plan = subject.run.plan if subject.run is not None else subject.plan
    names = [name for name in plan.order if plan.nodes[name].node.group == group]
    rows: list[Row] = [[Segment(plural(len(names), "node"), "dim")]]
    for name in names[:SHOWN]:
        node = subject.run.nodes.get(name) if subject.run is not None else None
        text = shorten(sanitise(name, 200), max(8, subject.width - 14))
        if node is None:
            rows.append([Segment(f"  {text}", "text")])
            continue
        look = node_look(node, subject.run)
        glyph = subject.glyph(look.glyph, look.ascii)
        rows.append(
            [
                Segment(f"{glyph} ", look.style),
                Segment(text, "text"),
                Segment(f"  {look.word}", look.style),
            ]
        )
    if len(names) > SHOWN:
        rows.append([Segment(f"… {len(names) - SHOWN} more", "dim")])
    return rows
