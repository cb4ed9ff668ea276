"""What is drawn depends on the size of the terminal, not on the sizes it had before."""

from pathlib import Path

import pytest

from tests.tui.screens import DIAMOND, opened

CHAINS = "\n".join(
    [
        "workflow: chains",
        "nodes:",
        *[
            f"  {chain}{i}: {{uses: noop, needs: [{chain}{i - 1}{', a0' if i % 3 == 0 else ''}]}}"
            for chain in "abc"
            for i in range(1, 7)
        ],
        *[f"  {chain}0: {{uses: noop}}" for chain in "abc"],
        "  end: {uses: noop, needs: [a6, b6, c6]}",
    ]
)


@pytest.mark.parametrize("text", [DIAMOND, CHAINS], ids=["diamond", "chains"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_size_come_back_to_looks_as_at_first(
    tmp_path: Path, text: str, size: tuple[int, int]
) -> None:
    async with opened(tmp_path, text, size=size) as at:
        at.screen.graph.focus()
        await at.settle()
        before = at.text("graph")
        for other in ((250, 70), (60, 60), (200, 60), size):
            await at.pilot.resize_terminal(*other)
            await at.settle()
        assert at.text("graph") == before


async def test_the_title_of_the_table_is_that_of_its_workflow(tmp_path: Path) -> None:
    async with opened(tmp_path, DIAMOND, CHAINS, size=(120, 40)) as at:
        await at.press("v")
        files = list(at.session.files)
        at.session.show_file(files[1])
        await at.settle()
        assert "22 nodes" in str(at.screen.body.listing("table").border_title)
        at.session.show_file(files[0])
        await at.settle()
        assert "5 nodes" in str(at.screen.body.listing("table").border_title)
        assert " of " not in str(at.screen.body.listing("table").border_title)
