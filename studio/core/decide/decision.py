"""Which rule answers which command. Every pair of state and command has an answer."""

from collections.abc import Callable
from typing import Any

from studio.core import commands as verbs
from studio.core.decide import attempts, nodes, revising, runs
from studio.core.decide.runs import Answer
from studio.core.resilience.compensation import unfinished_undo
from studio.core.state import EngineState, NodeState, RunState

RunRule = Callable[[EngineState, RunState, Any], Answer]
NodeRule = Callable[[EngineState, RunState, NodeState, Any], Answer]

RUN_RULES: dict[type, RunRule] = {
    verbs.PauseRun: runs.pause_run,
    verbs.ResumeRun: runs.resume_run,
    verbs.CancelRun: runs.cancel_run,
    verbs.Rerun: runs.rerun,
    verbs.Step: runs.step,
    verbs.Continue: runs.go_on,
    verbs.Revise: revising.revise,
    verbs.RecordSpawn: attempts.record_spawn,
}

NODE_RULES: dict[type, NodeRule] = {
    verbs.CancelNode: nodes.cancel_node,
    verbs.HoldNode: nodes.hold_node,
    verbs.ReleaseNode: nodes.release_node,
    verbs.RetryNode: nodes.retry_node,
    verbs.MarkNode: nodes.mark_node,
    verbs.OverrideInput: nodes.override_input,
    verbs.OverrideOutput: nodes.override_output,
    verbs.SetBreakpoint: nodes.set_breakpoint,
    verbs.ClearBreakpoint: nodes.clear_breakpoint,
}


def decide(state: EngineState, command: verbs.AnyCommand, now: float) -> Answer:
    """The facts that a command makes in the present state, or why it makes none.

    Args:
        state: all runs in memory; it is only read.
        command: what is asked for.
        now: seconds since the epoch, from the clock of the shell.

    Returns:
        Facts in order, possibly none (a command sent twice, a timer that no longer matters), or a `Refusal`.
    """
    if command.id and command.id in state.commands:
        return []
    if isinstance(command, verbs.StartRun):
        return runs.start_run(state, command)
    run = state.runs.get(command.run)
    if run is None:
        return verbs.Refusal(f"there is no run {command.run}")
    if isinstance(command, verbs.FinishAttempt):
        return list(attempts.finish_attempt(state, run, command, now))
    if isinstance(command, verbs.FireTimer):
        return list(attempts.fire_timer(state, run, command, now))
    if isinstance(command, verbs.Compensate):
        return runs.compensate(state, run, command, now)
    rule = RUN_RULES.get(type(command))
    if rule is not None:
        return rule(state, run, command)
    assert isinstance(command, verbs.NodeCommand), "every other command is about one node"
    node = run.nodes.get(command.node)
    if node is None:
        return nodes.unknown_node(run, command)
    tells = isinstance(command, verbs.MarkNode) and node.status == "in_doubt"
    if node.archived and not tells and not unfinished_undo(node):
        return nodes.removed_node(run, node)
    return NODE_RULES[type(command)](state, run, node, command)
