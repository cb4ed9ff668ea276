"""The lines around the panes and what stands on the panes' borders."""

from studio.application.session import RunState, Session
from studio.projections.plain import in_ascii
from studio.projections.screen.actions import BY_ID, shown_key
from studio.projections.screen.footer import detail_line, footer, tabs_line
from studio.projections.screen.graph import needs_in_order
from studio.projections.screen.rules import Situation
from studio.projections.screen.runs import durations, needs_attention, percentile
from studio.projections.screen.top_line import plan_line, run_line
from studio.projections.states import step_text
from studio.tui.widgets.body import Body
from studio.tui.widgets.lines import Line


class Chrome:
    """The top line, the panes' names, the line of the selected node, and the footer.

    Args:
        ascii: draw with ASCII characters only.
    """

    def __init__(self, *, ascii: bool = False) -> None:
        self.top = Line(id="top")
        self.tabs = Line(id="tabs")
        self.detail = Line(id="detail")
        self.foot = Line(id="foot")
        self._ascii = ascii

    def draw(self, session: Session, body: Body, at: Situation, width: int) -> None:
        """Bring all lines up to date.

        Args:
            session: what is shown.
            body: the panes.
            at: what actions would act on.
            width: columns of the screen.
        """
        self._draw_top(session, width)
        watch = f"watch {session.watch_mode}" if session.watch_mode != "auto" else ""
        live = live_word(session)
        step = step_text(session.run) if session.run is not None else ""
        if step:
            live += f" · {step}"
        if step and session.live:
            live += f", {shown_key(at, BY_ID['continue_run'])} leaves it"
        info = " · ".join(part for part in (live, watch, body.graph.drawing_text) if part)
        if self.tabs.display:
            scrolls = body.view == body.current == "graph" and body.graph.scrolls
            line = tabs_line(
                body.current,
                body.view.capitalize(),
                self._text(info if body.view == "graph" else live),
                width,
                map_key=shown_key(at, BY_ID["map"]) if scrolls else "",
                ascii=self._ascii,
            )
            self.tabs.show_line(line)
        if self.detail.display:
            run = session.run
            node = run.nodes.get(at.selected) if run is not None and at.selected else None
            line = detail_line(
                session.plan, node, at, session.now(), width, run=run, ascii=self._ascii
            )
            self.detail.show_line(line)
        unnamed = () if self.tabs.display else body.arrangement.hidden
        row, areas = footer(at, width, pane=body.current, hidden=unnamed, ascii=self._ascii)
        self.foot.show(row)
        self.foot.call_areas(areas)
        self._draw_titles(session, body, at, info, live)

    def _draw_top(self, session: Session, width: int) -> None:
        others = sum(
            needs_attention(row, session.drives(row.run)) and row.run != session.shown_run
            for row in session.rows
        )
        run = session.run
        if run is None:
            entry = session.files.get(session.shown_file or "")
            name = entry.name if entry is not None else "Workflow Studio"
            self.top.show(plan_line(session.plan, name, width, others, ascii=self._ascii))
            return
        self.top.show(
            run_line(
                run,
                session.now(),
                width,
                others,
                driven=session.live,
                left=_time_left(session, run),
                ascii=self._ascii,
            )
        )

    def _draw_titles(
        self, session: Session, body: Body, at: Situation, info: str, live: str
    ) -> None:
        tabs = body.arrangement.tabs
        number = "" if tabs else "2 "
        summary = f"  {body.graph.summary}" if body.graph.summary else ""
        needs = _needs(session.run, at)
        parts = [part for part in (needs, "" if tabs else info) if part]
        body.graph.set_titles(self._text(f"{number}Graph{summary}"), self._text(" · ".join(parts)))
        shown = "" if tabs else live
        for listing in body.listings:
            said = " · ".join(part for part in (needs, listing.legend, shown) if part)
            listing.set_titles(self._text(f"{number}{listing.NAME}{summary}"), self._text(said))

    def _text(self, text: str) -> str:
        return in_ascii(text) if self._ascii else text


def live_word(session: Session) -> str:
    """Whether what is shown is a plan, moves, has stopped or has ended."""
    run = session.run
    if run is None:
        return "plan" if session.plan is not None else ""
    if run.ended:
        return "ended"
    if not session.live:
        return "interrupted"
    return "paused" if run.paused else "live"


def _needs(run: RunState | None, at: Situation) -> str:
    found = [*needs_in_order(run), *at.asks] if run is not None else []
    if run is None or not found:
        return ""
    what = "failure" if all(run.nodes[path].status == "failed" for path in found) else "need"
    place = f"{found.index(at.selected) + 1}/" if at.selected in found else ""
    return f"{shown_key(at, BY_ID['next_need'])} next {what} {place}{len(found)}"


def _time_left(session: Session, run: RunState) -> float | None:
    """Seconds until the run will end if it goes as its predecessors did; None when that says nothing."""
    if run.ended or run.paused or not session.live:
        return None
    former = [
        row for row in session.rows if row.file == session.shown_file and row.state == "succeeded"
    ]
    times = durations(former)
    if not times:
        return None
    left = percentile(times, 0.5) - (session.now() - run.started_at - run.rested)
    return left if left > 0 else None
