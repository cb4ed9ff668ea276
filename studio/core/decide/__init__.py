"""``decide(state, command, now)``: which facts a command makes, or why it is refused. It changes nothing."""

from studio.core.decide.decision import decide

__all__ = ["decide"]
