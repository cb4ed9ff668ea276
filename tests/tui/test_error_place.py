"""Errors lead to the line of the file where they can be mended."""

from pathlib import Path

from tests.tui.screens import opened

WAVE = """\
workflow: wave
nodes:
  each:
    uses: python
    with: {n: 0}
    code: |
      x = 1

      return x / n
  gone:
    uses: python
    call: nowhere:thing
"""


async def test_errors_of_inline_code_and_of_a_module_that_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path, WAVE) as at:
        (tmp_path / "nowhere.py").write_text("def thing():\n    return 1\n")
        await at.press("p")
        (tmp_path / "nowhere.py").unlink()
        await at.launch()
        at.screen.select("each")
        await at.settle()
        assert "flow0.yaml:9" in at.text("inspector")
        assert "▸9 │ return x / n" in at.text("inspector")
        assert at.session.source_of("each") == (str(tmp_path / "flow0.yaml"), 9)
        at.screen.select("gone")
        await at.settle()
        assert "flow0.yaml:12" in at.text("inspector")
        assert "call: nowhere:thing" in at.text("inspector")
        assert "importlib" not in at.text("inspector")
        assert at.session.source_of("gone") == (str(tmp_path / "flow0.yaml"), 12)


async def test_code_that_does_not_compile_is_named_by_launch_and_opened_by_edit(
    tmp_path: Path,
) -> None:
    (tmp_path / "bad.py").write_text("\ndef f(:\n")
    flow = "workflow: pyb\nnodes: {a: {uses: python, call: 'bad:f'}}\n"
    async with opened(tmp_path, flow) as at:
        await at.press("L")
        assert at.line("notice").strip() == "L: bad.py:2:7: invalid syntax: e opens it"
        assert at.session.source_of(None) == (str(tmp_path / "bad.py"), 2)


async def test_launch_says_that_the_file_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path, "workflow: short\nnodes: {a: {uses: noop}}\n") as at:
        await at.launch()
        (tmp_path / "flow0.yaml").unlink()
        at.session.catalog.forget(str(tmp_path / "flow0.yaml"))
        await at.press("L")
        assert "flow0.yaml is gone: it cannot be started" in at.line("notice")
