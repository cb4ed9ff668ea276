"""What the screen asks before it does: acting again, cancelling, undoing; and what it keeps for the next run."""

from pathlib import Path
from typing import Any

from textual.screen import Screen
from textual.widgets import Input

from studio.application.local import LocalStudio
from studio.application.reload import Reloader
from studio.core.commands import FinishAttempt
from studio.core.events import AttemptStarted
from studio.tui.screens.dialog import Confirm, Menu, Prompt, Reader
from studio.tui.screens.editor import ValueEditor
from tests.tui.screens import Opened, opened
from tests.tui.test_ascii import whole_screen

SHOP = """
workflow: shop
nodes:
  price: {uses: noop}
  pay: {uses: noop, needs: price, side_effects: external, compensate: {uses: noop}}
  mail: {uses: noop, needs: pay}
"""

NAP = """
workflow: nap
nodes:
  nap: {uses: shell, run: "sleep 600"}
  after: {uses: noop, needs: nap}
"""

STUCK = """
workflow: stuck
nodes:
  a: {uses: noop, compensate: {uses: noop}}
  b:
    uses: noop
    needs: a
    compensate: {uses: shell, run: "false", retry: {max_attempts: 1}}
"""


def on_top(at: Opened) -> Screen[Any]:
    """The screen on top; a call, so that the checker does not hold on to an earlier answer."""
    return at.app.screen


def standing(at: Opened) -> tuple[bool, str]:
    """Whether the shown run is paused, and its phase."""
    assert at.session.run is not None
    return at.session.run.paused, at.session.run.phase


def title_of(at: Opened) -> str:
    """Title of the menu on top."""
    menu = on_top(at)
    assert isinstance(menu, Menu)
    return str(menu.box.border_title)


def starts(at: Opened, path: str, *, undo: bool = False) -> int:
    """How often an attempt of a node, or of its undo, began."""
    assert at.session.shown_run is not None
    records = at.session.studio.reading.records(at.session.shown_run)
    return sum(
        isinstance(one.event, AttemptStarted) and (one.event.node, one.event.undo) == (path, undo)
        for one in records
    )


async def done_shop(at: Opened) -> None:
    """The shop after its run, the cursor on the payment."""
    await at.launch()
    at.screen.select("pay")
    await at.pilot.pause()


async def test_a_step_that_has_acted_does_not_run_again_unasked(tmp_path: Path) -> None:
    async with opened(tmp_path, SHOP) as at:
        await done_shop(at)
        for key in ("r", "R"):
            await at.press(key)
            menu = on_top(at)
            assert isinstance(menu, Menu)
            assert [entry.value for entry in menu.entries] == ["again", "undo", "keep"]
            await at.press("k")
            await at.settle()
        assert starts(at, "pay") == 1
        await at.press("r", "r")
        await at.settle()
        assert starts(at, "pay") == 2
        assert at.session.run is not None
        assert "stale" in at.session.run.nodes["mail"].marks


async def test_a_step_without_effects_runs_again_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path, SHOP) as at:
        await done_shop(at)
        at.screen.select("mail")
        await at.press("r")
        await at.settle()
        assert on_top(at) is at.screen
        assert starts(at, "mail") == 2


async def test_undo_then_run_again_does_both_in_that_order(tmp_path: Path) -> None:
    async with opened(tmp_path, SHOP) as at:
        await done_shop(at)
        await at.press("r", "u")
        assert isinstance(on_top(at), Confirm)
        assert starts(at, "pay", undo=True) == 0, "the plan is shown first"
        await at.press("enter")
        await at.settle()
        await at.settle()
        run = at.session.run
        assert run is not None
        assert (starts(at, "pay", undo=True), starts(at, "pay")) == (1, 2)
        assert (run.phase, run.nodes["pay"].status) == ("succeeded", "succeeded")
        assert run.nodes["pay"].generation == 2


async def test_the_question_about_stale_steps_can_be_answered_with_keep(tmp_path: Path) -> None:
    async with opened(tmp_path, SHOP) as at:
        await done_shop(at)
        at.screen.select("price")
        await at.press("r")
        await at.settle()
        assert at.screen.asks() == ["pay"]
        assert "ctrl+r" in at.line("foot")
        await at.press("f")
        assert at.screen.selected == "pay"
        assert "ctrl+r runs it again, undoes it first, or keeps it" in at.line("notice")
        await at.press("ctrl+r", "k")
        await at.settle()
        assert at.screen.asks() == []
        assert starts(at, "pay") == 1
        await at.press("f")
        assert at.line("notice") == " nothing needs you"


async def test_cancelling_a_running_step_that_may_have_acted_is_asked_about(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, NAP) as at:
        await at.press("L")
        while at.session.moving_runs() != [1]:
            await at.pilot.pause(0.02)
        await at.press("x")
        assert isinstance(on_top(at), Confirm)
        await at.press("escape")
        assert at.session.moving_runs() == [1]
        await at.press("x", "enter")
        await at.settle()
        run = at.session.run
        assert run is not None
        assert [run.nodes[name].status for name in ("nap", "after")] == ["cancelled", "skipped"]


async def test_a_paused_run_goes_on_by_the_key_that_continues(tmp_path: Path) -> None:
    async with opened(tmp_path, NAP.replace("sleep 600", "sleep 1")) as at:
        await at.press("L", "P")
        await at.settle()
        assert standing(at) == (True, "running")
        await at.press("C")
        await at.settle()
        assert standing(at) == (False, "succeeded")


async def test_a_breakpoint_set_before_a_run_exists_stops_that_run(tmp_path: Path) -> None:
    async with opened(tmp_path, SHOP) as at:
        await at.press("B")
        assert "no breakpoint is set" in at.line("notice")
        at.screen.select("pay")
        await at.press("b")
        assert at.line("notice") == " the next run stops before pay: L starts it"
        at.screen.select("price")
        await at.press("B", "enter")
        assert at.screen.selected == "pay"
        await at.press("L")
        await at.settle()
        run = at.session.run
        assert run is not None
        assert (run.stepping, list(run.breakpoints)) == (False, ["pay"])
        assert (run.nodes["price"].status, run.nodes["pay"].gate) == ("succeeded", "breakpoint")
        assert starts(at, "pay") == 0
        at.screen.select("price")
        await at.press("B", "enter")
        assert at.screen.selected == "pay"


async def test_a_breakpoint_for_the_next_run_holds_for_that_run_only(tmp_path: Path) -> None:
    async with opened(tmp_path, SHOP) as at:
        at.screen.select("pay")
        await at.press("b", "L")
        await at.settle()
        await at.press("C")
        await at.settle()
        assert standing(at) == (False, "succeeded")
        await at.press("L")
        await at.settle()
        assert at.session.shown_run == 2
        assert standing(at) == (False, "succeeded")


async def test_a_breakpoint_set_on_an_ended_run_stops_the_next_one_and_a_rerun(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, SHOP) as at:
        await at.launch()
        at.screen.select("pay")
        await at.press("b")
        assert at.line("notice").startswith(" the next run stops before pay: L starts it; so does")
        await at.press("B")
        assert "and in the next run" in whole_screen(at)
        await at.press("escape", "b")
        assert at.line("notice") == " no breakpoint at pay, in the next run and in run 1"
        await at.press("b", "L")
        await at.settle()
        run = at.session.run
        assert run is not None
        assert (run.number, run.nodes["pay"].gate) == (2, "breakpoint")
        at.session.show_run(1)
        await at.settle()
        assert at.session.run is not None
        assert list(at.session.run.breakpoints) == ["pay"]


async def test_a_failed_undo_is_told_done_by_hand_with_a_note(tmp_path: Path) -> None:
    async with opened(tmp_path, STUCK) as at:
        await at.launch()
        await at.press("U", "enter")
        await at.settle()
        at.screen.select("b")
        await at.press("U")
        assert isinstance(on_top(at), Reader)
        await at.press("escape", "o", "s")
        prompt = on_top(at)
        assert isinstance(prompt, Prompt)
        prompt.query_one(Input).value = "refunded at the bank"
        await at.press("enter")
        await at.settle()
        assert at.session.run is not None
        assert at.session.run.phase == "compensated"
        by = at.session.run.nodes["b"].by
        assert by is not None
        assert by.reason == "refunded at the bank"


async def test_an_input_override_is_put_back_on_screen(tmp_path: Path) -> None:
    text = SHOP.replace("price: {uses: noop}", "price: {uses: noop, with: {n: 1}}")
    async with opened(tmp_path, text) as at:
        await at.launch()
        at.screen.select("price")
        await at.press("i")
        editor = on_top(at)
        assert isinstance(editor, ValueEditor)
        editor._area.text = '{"n": 2}'
        await at.press("escape", "enter")
        await at.settle()
        node = at.screen.node()
        assert node is not None
        assert node.override_input
        await at.press("o", "n")
        await at.settle()
        assert not node.override_input
        await at.press("z")
        await at.settle()
        assert node.override_input, "what was put back can be taken back"


async def test_a_doubtful_step_is_undone_before_anything_behind_it_starts(tmp_path: Path) -> None:
    text = NAP.replace('"sleep 600"}', '"sleep 600", compensate: {uses: noop}}')
    async with opened(tmp_path, text) as at:
        await at.press("L")
        while at.session.moving_runs() != [1]:
            await at.pilot.pause(0.02)
        assert isinstance(at.session.studio, LocalStudio)
        lost = FinishAttempt(
            run=1, node="nap", attempt=1, outcome="lost", detail="the test says so"
        )
        await at.session.studio.engine.submit(lost)
        await at.settle()
        at.screen.select("nap")
        await at.press("r")
        assert "in doubt" in title_of(at)
        await at.press("o", "u")
        assert isinstance(on_top(at), ValueEditor)
        await at.press("escape", "enter")
        await at.settle()
        run = at.session.run
        assert run is not None
        assert run.nodes["nap"].status == "compensated"
        assert starts(at, "after") == 0
        assert not run.paused


async def test_an_edit_of_a_step_that_has_acted_is_asked_about_by_its_key(tmp_path: Path) -> None:
    async with opened(tmp_path, SHOP) as at:
        await done_shop(at)
        at.screen.select("price")
        reloader = at.session.reloader = Reloader(at.session)
        await reloader.open()
        try:
            file = tmp_path / "flow0.yaml"
            file.write_text(SHOP.replace("pay: {uses: noop,", "pay: {uses: noop, with: {n: 1},"))
            while at.screen.asks() != ["pay"] or reloader.pending:  # adopted, and no more pending
                await at.pilot.pause(0.02)
            await at.settle()
        finally:
            await reloader.close()
        assert at.line("notice").startswith(
            " ctrl+r: run again, undo first, or keep? · pay is stale"
        )
        assert at.line("foot").lstrip().startswith("ctrl+r Rerun")
        assert starts(at, "pay") == 1
