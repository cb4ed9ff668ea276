"""What the inspector looks at: one node of a run, or of a workflow that is not running."""

from collections.abc import Callable, Sequence

import msgspec

from studio.core.plan import Plan, PlanNode, base_path
from studio.core.state import EngineState, NodeState, RunState
from studio.projections.masking import Mask
from studio.projections.screen.rules import Keys


class Source(msgspec.Struct, frozen=True):
    """Lines of a file as they are on disk now.

    Args:
        name: how the file is called on screen.
        lines: its lines, without ends.
        problem: why they could not be read; empty when they could.
        changed_at: when the file was last written, seconds since the epoch.
    """

    name: str
    lines: Sequence[str] = ()
    problem: str = ""
    changed_at: float = 0.0


class Subject(msgspec.Struct, frozen=True):
    """A node, and all that its tabs need to be drawn.

    Args:
        path: path of the node or item.
        plan: the definition it belongs to.
        run: the run on screen; None when a workflow without a run is shown.
        state: the state around the run.
        now: seconds since the epoch.
        width: cells of a row.
        moment: writes a moment (seconds since the epoch) as local time of day.
        mask: covers sensitive values.
        ascii: draw with ASCII characters only.
        keys: the person's own keys.
        driven: whether an engine drives the run; false for one that was interrupted.
    """

    path: str
    plan: Plan
    run: RunState | None
    state: EngineState | None
    now: float
    width: int
    moment: Callable[[float], str]
    mask: Mask
    ascii: bool = False
    keys: Keys = msgspec.field(default_factory=dict)
    driven: bool = True

    @property
    def node(self) -> NodeState | None:
        """State of the node, None without a run."""
        return self.run.nodes.get(self.path) if self.run is not None else None

    @property
    def base(self) -> str:
        """Path of the foreach that an item belongs to; that of any other node."""
        return base_path(self.path)

    @property
    def planned(self) -> PlanNode | None:
        """Definition of the node; that of its run where it has one."""
        node = self.node
        if node is not None:
            return node.plan
        return self.plan.node(self.path) if self.plan.knows(self.path) else None

    def glyph(self, glyph: str, ascii: str) -> str:
        """One of the two, as ASCII is wanted or not."""
        return ascii if self.ascii else glyph


def degraded_text(node: NodeState) -> str:
    """Why a node that succeeded counts as degraded."""
    if node.items is not None:
        return f"{node.items.failed} of its {node.items.count:,} items failed"
    return "its fallback stands in for a result of its own"


def short_file(file: str) -> str:
    """A file as an error names it: the last part of its path, or the code block it stands for."""
    return file if file.startswith("<") else file.rpartition("/")[2]
