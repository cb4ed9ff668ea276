"""Drawing a graph in a terminal: where nodes and lines stand, and what the cells show.

:func:`arrange` turns nodes and edges into a :class:`Layout`; :class:`Raster` turns a layout and the present
:class:`NodeCell` of every node into rows of styled text, only for the window asked for; :func:`choose`
picks the drawing that shows most. How it works: ``docs/explanation/graph-drawing.md``.
"""

from studio.projections.layout.arrangement import arrange
from studio.projections.layout.boxes import NodeCell, Segment, least_width, natural_width
from studio.projections.layout.celltext import cell_width, clean, fit
from studio.projections.layout.drawing import NAMED, Drawing, choose, sized
from studio.projections.layout.folding import Folded, fold, group_id
from studio.projections.layout.graph import (
    Box,
    Direction,
    Layout,
    LayoutEdge,
    LayoutNode,
    Point,
    Style,
)
from studio.projections.layout.navigation import Heading, neighbour
from studio.projections.layout.raster import Raster

__all__ = [
    "NAMED",
    "Box",
    "Direction",
    "Drawing",
    "Folded",
    "Heading",
    "Layout",
    "LayoutEdge",
    "LayoutNode",
    "NodeCell",
    "Point",
    "Raster",
    "Segment",
    "Style",
    "arrange",
    "cell_width",
    "choose",
    "clean",
    "fit",
    "fold",
    "group_id",
    "least_width",
    "natural_width",
    "neighbour",
    "sized",
]
