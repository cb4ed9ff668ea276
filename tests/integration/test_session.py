"""What a screen's session hands out: files, runs, and logs without what is declared sensitive."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.session import Session
from studio.application.studio import Sender

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
