"""The launch form: one field per parameter, prefilled, checked before the run starts.

It opens in the first field, so that nothing that is typed starts a run: a value may begin with the letter of the launch
key. Enter starts with what stands in the fields, at once "the same again". On the row above the fields the launch key
does, too; whatever else is typed there goes into the first field, as if that had been chosen.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input

from studio.application.launching import check_form
from studio.model.workflow import Parameter, Workflow
from studio.projections.layout import Segment, clean
from studio.projections.screen.actions import BY_ID, key_name
from studio.projections.screen.inspecting.paragraphs import row_width, wrap_row
from studio.projections.screen.top_line import fit_row
from studio.tui.screens.dialog import Dialog
from studio.tui.widgets.rows import RowsView


class LaunchForm(Dialog[dict[str, Any] | None]):
    """Ask for the parameters of a run.

    Args:
        workflow: the definition that declares them.
        values: what the fields start from: those of the last launch, or the defaults.
        keys: the person's keys for a launch, in Textual's names.
    """

    DEFAULT_CSS = """
    LaunchForm VerticalScroll { height: auto; scrollbar-size-vertical: 1; }
    LaunchForm .label { height: 1; }
    LaunchForm .start { height: 1; margin: 0 0 1 0; }
    LaunchForm .problem { height: auto; }
    LaunchForm Input, LaunchForm Input:focus { border: none; height: 1; margin: 0 0 1 2; width: 1fr; }
    LaunchForm Input:focus { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "next(1)", show=False, priority=True),
        Binding("up", "next(-1)", show=False, priority=True),
        Binding("enter", "start", show=False, priority=True),
    ]

    def __init__(
        self,
        workflow: Workflow,
        values: Mapping[str, Any],
        keys: Sequence[str] = BY_ID["launch"].keys,
    ) -> None:
        super().__init__(f"Launch {clean(workflow.name)}", "⏎ start · ↑↓ field · esc back")
        self.workflow = workflow
        self._keys = tuple(keys)
        self._again = bool(values)
        self._start = RowsView(classes="start")
        self._fields = {
            name: Input(_as_text(values.get(name, parameter.default)), password=parameter.hides)
            for name, parameter in workflow.parameters.items()
        }
        self._labels = {name: _label() for name in self._fields}
        self._scroll = VerticalScroll(can_focus=False)
        self._problem = RowsView(classes="problem")
        self._problems: list[str] = []

    def compose(self) -> ComposeResult:
        """What starts the run, a label and a field per parameter, problems below."""
        with self.box:
            yield self._start
            with self._scroll:
                for name, field in self._fields.items():
                    yield self._labels[name]
                    yield field
            yield self._problem

    def on_mount(self) -> None:
        """Begin in the first field."""
        self._problem.can_focus = False
        self._start.cursor = 0
        self.set_focus(next(iter(self._fields.values()), self._start))
        self.write()
        # Textual scrolls to a field that gets the focus before the form has its height.
        self.call_after_refresh(self.call_after_refresh, self._scroll.scroll_home, animate=False)

    def write(self) -> None:
        """Write what the fields are called, and what is wrong with them."""
        rows = {
            name: self.plain_row(describe(name, self.workflow.parameters[name]))
            for name in self._fields
        }
        self.take_width(max(map(row_width, rows.values()), default=0))
        width = self.inner_width
        what = "the same values as last time" if self._again else "these values"
        # In a field the launch key is text.
        also = "" if isinstance(self.focused, Input) else f" {key_name(self._keys[0])}"
        keys = [Segment(f"⏎{also}", "key"), Segment(f"  start with {what}", "text")]
        self._start.set_rows([fit_row(list(self.plain_row(keys)), width)])
        for name, row in rows.items():
            self._labels[name].set_rows([fit_row(list(row), width - 1)])
        told = [
            line
            for problem in self._problems
            for line in wrap_row([Segment(clean(problem), "bad")], width)
        ]
        self._problem.set_rows(told)
        self._problem.display = bool(told)
        self._problem.styles.height = len(told)
        self._scroll.styles.max_height = max(3, self.inner_height - len(told) - 2)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What a field is called comes into view with it; the row above says which keys start from here."""
        self.write()
        for name, field in self._fields.items():
            if field is event.widget:
                self.call_after_refresh(self._reveal, self._labels[name], field)

    def _reveal(self, label: RowsView, field: Input) -> None:
        both = label.virtual_region.union(field.virtual_region)
        self._scroll.scroll_to_region(both, animate=False, force=True, immediate=True)

    def action_next(self, step: int) -> None:
        """Go to the next or previous field; the row that starts the run comes before the first."""
        places: list[Widget] = [self._start, *self._fields.values()]
        here = places.index(self.focused) if self.focused in places else 0
        self.set_focus(places[(here + step) % len(places)])

    def on_key(self, event: events.Key) -> None:
        """Outside a field the launch key starts, and other text goes into the first field."""
        first = next(iter(self._fields.values()), None)
        if isinstance(self.focused, Input) or first is None:
            return
        if event.key in self._keys:
            self.action_start()
        elif event.is_printable and event.character is not None:
            self._fill(first, event.character)
        elif event.key == "backspace":
            self._fill(first, "")
        else:
            return
        event.stop()

    def _fill(self, field: Input, text: str) -> None:
        """Go to a field with what was typed in the place of its value, as when a field is chosen and typed over."""
        field.select_on_focus = False
        field.value = text
        field.cursor_position = len(text)
        self.set_focus(field)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field that is chosen again is typed over."""
        if isinstance(event.widget, Input):
            event.widget.select_on_focus = True

    def on_click(self, event: events.Click) -> None:
        """A click on the row that starts the run starts it."""
        if event.get_content_offset(self._start) is not None:
            self.action_start()

    def action_start(self) -> None:
        """Check the values; start, or say what is wrong with which."""
        texts = {name: field.value for name, field in self._fields.items()}
        values, problems = check_form(self.workflow, texts)
        if not problems:
            self.dismiss(values)
            return
        self._problems = problems
        self.write()


def describe(name: str, parameter: Parameter) -> list[Segment]:
    """Name, type, bounds and description of a parameter, in one row."""
    schema = parameter.json_schema
    kind = schema.get("type", "any")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "enum" in schema:
        words = " | ".join(_as_text(value) for value in schema["enum"])
    bounds = [
        f"{sign} {schema[key]}"
        for key, sign in (("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"))
        if key in schema
    ]
    required = "  required" if parameter.required else ""
    about = f"  {clean(parameter.description)}" if parameter.description else ""
    return [
        Segment(clean(name), "title"),
        Segment(f"  {clean(words)} {' '.join(bounds)}".rstrip(), "dim"),
        Segment(required, "warn"),
        Segment(about, "dim"),
    ]


def _label() -> RowsView:
    view = RowsView(classes="label")
    view.can_focus = False
    return view


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
