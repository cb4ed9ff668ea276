"""Searching where one is: nodes in the graph, lines in the log, members in a value."""

from pathlib import Path

from tests.tui.screens import Opened, opened

TALKS = """\
workflow: talks
nodes:
  value: {uses: transform, value: "{'deep': {'er': {'needle': 1}}, 'other': {'needle': 2}}"}
  talk:
    uses: shell
    needs: value
    run: "for i in $(seq 1 300); do echo line $i; done; echo a NEEDLE; for i in $(seq 1 300); do echo more $i; done"
"""


async def search(at: Opened, text: str) -> None:
    """Type a search."""
    await at.press("slash", *text, "enter")
    await at.settle()


async def test_a_search_in_the_log_goes_beyond_what_is_in_view(tmp_path: Path) -> None:
    async with opened(tmp_path, TALKS) as at:
        await at.launch()
        at.screen.select("talk")
        await at.settle()
        await at.press("4")
        assert "/ search" in str(at.screen.log_pane.border_subtitle)
        assert "! error" in str(at.screen.log_pane.border_subtitle)
        assert "NEEDLE" not in at.text("log")
        await search(at, "needle")
        assert "a NEEDLE" in at.text("log")
        assert at.current() == "log"
        await search(at, "line 25")
        assert "line 25" in at.text("log")
        await at.press("n")
        assert "line 250" in at.text("log")
        await at.press("N")
        assert "line 25\n" in at.text("log")
        await search(at, "nowhere")
        assert at.line("notice") == " nothing here holds nowhere"


async def test_a_search_in_a_value_opens_what_is_folded(tmp_path: Path) -> None:
    async with opened(tmp_path, TALKS) as at:
        await at.launch()
        at.screen.select("value")
        await at.press("3")
        at.screen.inspector.open_tab("Output")
        await search(at, "needle")
        assert at.screen.inspector.path_at() == "{{ nodes.value.output.deep.er.needle }}"
        await at.press("n")
        assert at.screen.inspector.path_at() == "{{ nodes.value.output.other.needle }}"
        await at.press("N")
        assert at.screen.inspector.path_at() == "{{ nodes.value.output.deep.er.needle }}"


async def test_elsewhere_a_search_finds_nodes_and_n_goes_on_among_them(tmp_path: Path) -> None:
    async with opened(tmp_path, TALKS) as at:
        await search(at, "talk")
        assert at.screen.selected == "talk"
        await at.press("4", "n")
        assert at.line("notice") == " match 1 of 1"
