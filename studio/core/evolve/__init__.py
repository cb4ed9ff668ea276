"""``evolve(state, record)``: what a fact does to the state. Total over all events, and the only writer of it."""

from studio.core.evolve.fold import evolve

__all__ = ["evolve"]
