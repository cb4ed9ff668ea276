"""What a screen's session hands out: files, runs, and logs without what is declared sensitive."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.run_list import RunList
from studio.application.screen import open_session
from studio.application.screen_options import ScreenOptions
from studio.application.session import ROWS, Session
from studio.application.studio import Launch, Sender
from studio.errors import StorageError
from studio.ports import RunFilter, RunRow

WORKFLOW = """
workflow: cards
parameters: {card: {type: string, sensitive: true, default: tok_very_secret}}
nodes:
  show: {uses: shell, run: 'echo "card $CARD"', env: {CARD: "{{ params.card }}"}}
"""


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[Session]:
    (tmp_path / "cards.yaml").write_text(WORKFLOW)
    (tmp_path / "broken.yaml").write_text("workflow: broken\nnodes: {a: {uses: nop}}\n")
    location = locate(tmp_path, None, {})
    studio = await open_studio(location, environ={})
    made = Session(studio, location, Sender("tester", {"PATH": "/usr/bin:/bin"}), tmp_path)
    await made.open()
    yield made
    await made.close()
    await studio.close()


async def test_logs_are_handed_out_without_sensitive_values(session: Session) -> None:
    assert isinstance(session.studio, LocalStudio)
    await session.launch(str(session.folder / "cards.yaml"), {})
    await session.studio.rest()
    told = [line.text for _key, lines in session.take_changes().logs for line in lines]
    stored = [line.text for _key, lines in session.log_lines("show") for line in lines]
    assert stored == ["card •••"]
    assert told == stored


async def test_files_are_known_by_name_with_their_errors(session: Session) -> None:
    found = {entry.name: entry for entry in session.files.values()}
    assert set(found) == {"cards", "broken"}
    assert found["cards"].plan is not None
    assert found["broken"].plan is None
    assert [error.place.line for error in found["broken"].errors] == [2]


async def test_a_file_that_breaks_keeps_its_last_good_version(session: Session) -> None:
    path = session.folder / "cards.yaml"
    before = session.files[str(path)].plan
    path.write_text("workflow: cards\nnodes: [\n")
    entry = session.catalog.read(path)
    assert entry.plan is before
    assert entry.errors


async def test_who_comes_back_sees_the_run_that_was_live_last(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("workflow: bad\nnodes: {a: {uses: shell, run: exit 3}}\n")
    (tmp_path / "good.yaml").write_text("workflow: good\nnodes: {a: {uses: noop}}\n")
    options = ScreenOptions(str(tmp_path))
    environ = {"PATH": "/usr/bin:/bin"}
    async with open_session(options, environ) as session:
        assert session.shown_run is None
        assert session.shown_file == str(tmp_path / "bad.yaml")
        assert isinstance(session.studio, LocalStudio)
        await session.launch(str(tmp_path / "bad.yaml"), {})
        await session.studio.rest()
        await session.launch(str(tmp_path / "good.yaml"), {})
        await session.studio.rest()
        session.take_changes()
        assert [row.state for row in session.rows] == ["succeeded", "attention"]
    async with open_session(options, environ) as session:
        assert session.shown_run == 1, "live within the same minute, and it needs somebody"
        assert all(row.active_at >= row.started_at > 0 for row in session.rows)


async def test_a_folder_of_a_project_shows_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text("")
    environ = {"PATH": "/usr/bin:/bin"}
    for name in ("one", "two", "none"):
        (tmp_path / name).mkdir()
    for path in ("one/a.yaml", "two/b.yaml", "two/c.yaml"):
        text = f"workflow: {Path(path).stem}\nnodes: {{n: {{uses: noop}}}}\n"
        (tmp_path / path).write_text(text)
    (tmp_path / "two" / "b.yaml").write_text("workflow: b\nnodes: [\n")

    async def shown(folder: str, run: str = "") -> tuple[int | None, str]:
        async with open_session(ScreenOptions(str(tmp_path / folder)), environ) as session:
            if run:
                assert isinstance(session.studio, LocalStudio)
                await session.launch(str(tmp_path / run), {})
                await session.studio.rest()
            assert session.shown_file is not None
            return session.shown_run, str(Path(session.shown_file).relative_to(tmp_path))

    assert await shown("one", run="one/a.yaml") == (1, "one/a.yaml")
    assert await shown("two") == (None, "two/c.yaml")
    assert await shown("none") == (1, "one/a.yaml")
    assert await shown("two/b.yaml") == (None, "two/b.yaml")
    assert await shown("two", run="two/c.yaml") == (2, "two/c.yaml")
    assert await shown("one", run="one/a.yaml") == (3, "one/a.yaml")
    assert await shown("two") == (2, "two/c.yaml")
    (tmp_path / "two" / "c.yaml").unlink()
    assert await shown("two") == (2, "two/c.yaml")
    assert await shown(".") == (3, "one/a.yaml")


async def test_only_broken_workflows_are_shown_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("workflow: a\nnodes: [\n")
    (tmp_path / "b.yaml").write_text("workflow: b\nnodes: [\n")
    async with open_session(ScreenOptions(str(tmp_path)), {}) as session:
        assert session.shown_file == str(tmp_path / "a.yaml")


async def test_a_history_that_cannot_be_read_keeps_nobody_from_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.yaml").write_text("workflow: good\nnodes: {a: {uses: noop}}\n")
    options = ScreenOptions(str(tmp_path))
    async with open_session(options, {}) as session:
        assert isinstance(session.studio, LocalStudio)
        await session.launch(str(tmp_path / "good.yaml"), {})
        await session.studio.rest()

    def fail(self: LocalStudio, run: int) -> None:
        raise StorageError("the history has a hole")

    monkeypatch.setattr(LocalStudio, "view", fail)
    async with open_session(options, {}) as session:
        assert session.shown_run is None
        assert session.shown_file == str(tmp_path / "good.yaml")
        assert "the history has a hole" in [one.text for one in session.take_changes().notices]


async def test_the_list_of_runs_follows_the_engine_without_reading_the_history(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(session.studio, LocalStudio)
    studio, file = session.studio, str(session.folder / "cards.yaml")
    await session.launch(file, {})
    session.take_changes()
    read = studio.reading.rows
    asked: list[RunFilter] = []

    def counted(where: RunFilter) -> list[RunRow]:
        asked.append(where)
        return read(where)

    monkeypatch.setattr(studio.reading, "rows", counted)
    await studio.rest()
    assert session.take_changes().rows
    assert [row.state for row in session.rows] == ["succeeded"]
    launch = Launch(file=file, display="cards.yaml", params={}, surface="screen")
    await studio.launch(launch, session.sender)
    await studio.rest()
    session.take_changes()
    assert asked == []
    assert [row.run for row in session.rows] == [2, 1]
    assert session.rows == read(RunFilter(limit=ROWS))


async def test_a_run_that_has_left_memory_is_read_from_the_history(session: Session) -> None:
    assert isinstance(session.studio, LocalStudio)
    await session.launch(str(session.folder / "cards.yaml"), {})
    runs, reading = RunList(ROWS), session.studio.reading
    runs.refresh(reading, session.studio.engine.state.runs)
    await session.studio.rest()
    runs.note(reading.records(1))
    runs.refresh(reading, {})
    assert [row.state for row in runs.rows] == ["succeeded"]


async def test_the_oldest_runs_leave_the_list(session: Session) -> None:
    assert isinstance(session.studio, LocalStudio)
    file = str(session.folder / "cards.yaml")
    for _ in range(3):
        await session.launch(file, {})
    await session.studio.rest()
    runs = RunList(2)
    reading, memory = session.studio.reading, session.studio.engine.state.runs
    runs.refresh(reading, memory)
    runs.note(list(reading.records(1)) + list(reading.records(3)))
    runs.refresh(reading, memory)
    assert [row.run for row in runs.rows] == [3, 2]
