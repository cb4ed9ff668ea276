"""Two runs beside each other, on screen."""

from pathlib import Path

from studio.tui.screens.dialog import Menu
from studio.tui.widgets.rows import RowsView
from tests.tui.screens import opened


async def test_two_runs_are_set_beside_each_other(tmp_path: Path) -> None:
    flow = "workflow: adds\nparameters:\n  n: {type: integer, default: 1}\nnodes:\n  a: {uses: transform, value: params.n + 1}\n"
    async with opened(tmp_path, flow) as at:
        file = str(tmp_path / "flow0.yaml")
        await at.session.launch(file, {"n": 1})
        await at.settle()
        await at.press("D")
        assert "there is no other run of adds" in at.line("notice")
        await at.session.launch(file, {"n": 5})
        await at.settle()
        at.session.show_run(2)
        await at.settle()
        await at.press("D")
        assert isinstance(at.app.screen, Menu)
        await at.press("enter")
        for _ in range(20):  # a verb that waits for a dialog is no worker that ends
            await at.pilot.pause()
        rows = at.app.screen.query_one(RowsView)
        shown = "\n".join("".join(part.text for part in row) for row in rows.rows)
        assert "params.n: 1 → 5" in shown
        assert "~ a  ✓ succeeded" in shown
        assert "output: 2 → 6" in shown
        assert shown.rstrip().endswith("0 nodes the same")
        await at.press("escape")
        assert not at.app.screen.is_modal
