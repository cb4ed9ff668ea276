"""The Undo tab: how the node is taken back, whether it can be now, and what that would do."""

from studio.core.commands import Refusal
from studio.core.plan import PlanUndo
from studio.core.state import CompensationState, RunState
from studio.model.nodes import PythonSettings
from studio.projections.layout import Segment
from studio.projections.screen.actions import key_of
from studio.projections.screen.inspecting.paragraphs import Row, labelled, paragraph, plural
from studio.projections.screen.inspecting.subject import Subject
from studio.projections.states import NODE_LOOKS, node_look
from studio.projections.undo_plan import UndoStep, kind_name, undo_steps

SHOWN_STEPS = 50


def undo_rows(subject: Subject) -> list[Row]:
    """Rows of the Undo tab."""
    planned = subject.planned
    if planned is None:
        return []
    rows: list[Row] = []
    if planned.node.irreversible:
        text = "It is irreversible: a compensation stops here and asks."
        rows += paragraph(text, "warn", subject.width)
    if planned.undo is None:
        rows += paragraph("The definition declares no undo for this node.", "dim", subject.width)
        if not planned.node.irreversible:
            rows += paragraph("compensate: in the file gives it one.", "dim", subject.width)
    else:
        rows += _declared(subject, planned.undo)
    run = subject.run
    if run is None or subject.state is None or subject.node is None:
        return rows
    if run.compensation is not None:
        return [*rows, [], *_under_way(subject, run, run.compensation)]
    return [*rows, *_preview(subject, run)]


def _declared(subject: Subject, undo: PlanUndo) -> list[Row]:
    definition = undo.definition
    rows = labelled("undo", kind_name(definition.kind), "title", subject.width)
    if isinstance(definition.kind, PythonSettings) and definition.kind.code:
        for line in definition.kind.code.splitlines()[:12]:
            rows += labelled("", line, "text", subject.width, 2)
    given = subject.mask.value(definition.input)
    if given:
        rows += labelled("with", _short(given), "text", subject.width, 6)
    retry = definition.retry
    tries = plural(retry.max_attempts, "try").replace("trys", "tries")
    text = f"{tries}, {definition.timeout:g} s each"
    return rows + labelled("limits", text, "dim", subject.width)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {part}" for key, part in list(value.items())[:12])
    return str(value)


def _preview(subject: Subject, run: RunState) -> list[Row]:
    """What the two undo verbs would do now, or why they would not."""
    state = subject.state
    if state is None:
        return []
    alone = undo_steps(state, run, [subject.path])
    rows: list[Row] = [[], *_verdict(subject, alone)]
    with_following = undo_steps(state, run, [subject.path], downstream=True)
    if isinstance(with_following, Refusal):
        return rows
    if not isinstance(alone, Refusal) and len(with_following) <= len(alone):
        return rows
    rows += [[], [Segment("with what follows it", "dim")]]
    return rows + _steps(subject, with_following)


def _verdict(subject: Subject, answer: "list[UndoStep] | Refusal") -> list[Row]:
    if isinstance(answer, Refusal):
        # Hints that name options are for the command line; on screen the key asks instead.
        asks = f"{key_of(subject.keys, 'undo')} asks whether to undo what follows too"
        hint = asks if "--" in answer.hint else answer.hint
        text = f"{answer.why}. {hint}" if hint else answer.why
        return labelled("now", text, "warn", subject.width, 6)
    if not answer:
        return labelled("now", "there is nothing to undo", "dim", subject.width)
    rows: list[Row] = [
        [
            Segment("now     ", "dim"),
            Segment(key_of(subject.keys, "undo"), "key"),
            Segment(" undoes", "text"),
        ]
    ]
    return rows + _steps(subject, answer)


def _steps(subject: Subject, steps: "list[UndoStep]") -> list[Row]:
    rows: list[Row] = []
    for number, step in enumerate(steps[:SHOWN_STEPS], 1):
        if step.barrier:
            rows += labelled("  stop", f"{step.node} is irreversible", "warn", subject.width)
            continue
        attempt = f" (try {step.attempt})" if step.attempt > 1 else ""
        rows += labelled(f"{number:>4}", f"{step.node}{attempt}", "text", subject.width)
        if step.undo:
            rows += labelled("", step.undo, "dim", subject.width, 2)
    if len(steps) > SHOWN_STEPS:
        rows += labelled("", f"… {len(steps) - SHOWN_STEPS:,} more", "dim", subject.width)
    return rows


def _under_way(subject: Subject, run: RunState, plan: CompensationState) -> list[Row]:
    """The steps of a compensation that has begun, each with its state."""
    title = f"compensation of {plural(len(plan.steps), 'step')}"
    if plan.failed:
        title += f" because of {plan.failed}"
    rows = paragraph(title, "dim", subject.width, 2)
    first = _window(plan, subject.path)
    for index in range(first, min(len(plan.steps), first + SHOWN_STEPS)):
        path = plan.steps[index]
        node = run.nodes.get(path)
        look = node_look(node) if node is not None else NODE_LOOKS["blocked"]
        word = "to be undone" if look.word in ("succeeded", "reused") else look.word
        pointer = subject.glyph("▸", ">") if path == subject.path else " "
        rows.append(
            [
                Segment(f"{pointer}{index + 1:>3} ", "accent"),
                Segment(f"{subject.glyph(look.glyph, look.ascii)} ", look.style),
                Segment(path, "text"),
                Segment(f"  {word}", look.style),
            ]
        )
    if plan.barrier is not None:
        rows += labelled("  stop", f"{plan.barrier} is irreversible", "warn", subject.width)
    if plan.expired:
        text = "The time of the compensation is over: what is left waits for you."
        rows += paragraph(text, "warn", subject.width)
    return rows


def _window(plan: CompensationState, path: str) -> int:
    """First step to show, so that the node's own one is among them."""
    at = plan.steps.index(path) if path in plan.steps else plan.position
    return max(0, min(at - SHOWN_STEPS // 2, len(plan.steps) - SHOWN_STEPS))
