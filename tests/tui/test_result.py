"""What a run came to is seen on the screen, with what is sensitive covered."""

from pathlib import Path

from studio.projections.screen.news import standing_of
from tests.tui.screens import opened
from tests.tui.test_ascii import whole_screen

GIVES = """\
workflow: gives
parameters: {word: {type: string, default: open-sesame-123, sensitive: true}}
nodes:
  a: {uses: transform, value: "{'way': ['harbour', 'market'], 'cost': 7}"}
outputs:
  answer: "{{ nodes.a.output }}"
  word: "{{ params.word }}"
"""


async def test_the_result_is_told_and_can_be_opened(tmp_path: Path) -> None:
    async with opened(tmp_path, GIVES) as at:
        assert "Result" not in at.screen.inspector.tabs()
        await at.launch()
        assert at.session.run is not None
        at.screen._standing = standing_of(at.session.run)._replace(ended=False)
        at.screen._tell_news()
        told = at.screen.told[-1].text
        assert told.startswith("run 1 succeeded in")
        assert 'answer = {"way": ["harbour", "market"], "cost": 7}' in told
        assert "open-sesame" not in told
        at.screen.select("a")
        at.screen.inspector.open_tab("Result")
        await at.settle()
        shown = at.text("inspector")
        assert "harbour" in shown
        assert "cost: 7" in shown
        assert "open-sesame" not in whole_screen(at)


async def test_a_run_without_outputs_has_no_result(tmp_path: Path) -> None:
    async with opened(tmp_path, GIVES.partition("outputs:")[0]) as at:
        await at.launch()
        assert "Result" not in at.screen.inspector.tabs()
