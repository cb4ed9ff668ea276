"""What ought to be in flight now, read from the sets that `evolve` keeps; never a scan."""

from typing import Literal, NamedTuple, TypeAlias

from studio.core.state import EngineState, Flight, TimerKey


class AttemptEffect(NamedTuple):
    """An attempt that has to be started, let through its gate, or ended."""

    flight: Flight
    stage: Literal["start", "spawned", "stop"]


class TimerEffect(NamedTuple):
    """A moment to wait for; None when it is waited for no longer."""

    key: TimerKey
    at: float | None


Effect: TypeAlias = AttemptEffect | TimerEffect


def due(state: EngineState) -> list[Effect]:
    """Effects that changed since this was last asked, in the order they came up.

    The shell carries them out after the append; asking forgets them, so that each is told once.
    """
    flow = state.flow
    if not flow.touched:
        return []
    found: list[Effect] = []
    for key in flow.touched:
        if isinstance(key, Flight):
            stage = flow.in_flight.get(key)
            if stage is not None:
                found.append(AttemptEffect(key, stage))
        else:
            found.append(TimerEffect(key, flow.timers.get(key)))
    flow.touched.clear()
    return found


def stands(state: EngineState, effect: Effect) -> bool:
    """Whether an effect that was found before is still due as it was."""
    flow = state.flow
    if isinstance(effect, AttemptEffect):
        return flow.in_flight.get(effect.flight) == effect.stage
    return flow.timers.get(effect.key) == effect.at


def standing(state: EngineState, run: int) -> list[Effect]:
    """Every open effect of a run: what recovery has to take up again."""
    flow = state.flow
    attempts: list[Effect] = [
        AttemptEffect(key, stage) for key, stage in flow.in_flight.items() if key.run == run
    ]
    timers: list[Effect] = [
        TimerEffect(key, at) for key, at in flow.timers.items() if key.run == run
    ]
    return attempts + timers
