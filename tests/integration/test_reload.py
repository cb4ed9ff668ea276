"""Saved files and the runs they are about: real files, real children, the real engine."""

# ruff: noqa: ASYNC240  # the test is the editor: its small writes are meant to happen in line

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from studio.application.local import LocalStudio
from studio.application.location import locate
from studio.application.opening import open_studio
from studio.application.reload import Reloader, run_and_watch
from studio.application.screen import open_session
from studio.application.screen_options import ScreenOptions
from studio.application.session import Notice, Session
from studio.application.studio import Sender
from studio.loading.watcher import Appeared, Removed, Saved
from studio.ports import RunFilter

pytestmark = pytest.mark.slow

SECONDS = 20.0
"""A bound against hanging, not an expectation."""

FLOW = """workflow: orders
nodes:
  load:
    uses: python
    call: orders:load
    side_effects: none
  score:
    uses: python
    call: orders:score
    needs: load
    side_effects: none
    with: { rows: "{{ nodes.load.output }}" }
  send:
    uses: python
    call: orders:send
    needs: score
    with: { total: "{{ nodes.score.output }}" }
"""
CODE = """import prices

def load():
    return [1, 2]

def score(rows):
    return prices.total(rows)

def send(total):
    return {"sent": total}
"""
PRICES = "def total(rows):\n    return sum(rows)\n"


class Bench:
    """A project that is open, and its runs."""

    def __init__(self, folder: Path, session: Session, studio: LocalStudio) -> None:
        self.folder = folder
        self.session = session
        self.studio = studio
        self.reloader = Reloader(session)
        self.file = str(folder / "orders.yaml")

    async def run(self) -> int:
        number = await self.session.launch(self.file, {})
        await self.rest()
        return number

    async def rest(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.studio.rest()

    async def save(self, name: str, old: str, new: str) -> list[str]:
        """Edit a file, hand the save to the reloader, wait until the runs rest; the notices."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return await self.saved(name)

    async def saved(self, name: str) -> list[str]:
        # A node that starts within the same tick as the save would count as run with the new code.
        path = self.folder / name
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 60))
        await self.reloader.take([Saved(str(path), f"new {path.stat().st_mtime_ns}")])
        await self.rest()
        return self.notices()

    def notices(self) -> list[str]:
        return [one.text for one in self.session.take_notices()]

    def states(self, number: int) -> dict[str, str]:
        run = self.studio.engine.state.runs[number]
        return {name: node.status for name, node in run.nodes.items()}

    def attempts(self, number: int) -> dict[str, int]:
        run = self.studio.engine.state.runs[number]
        return {name: node.attempt for name, node in run.nodes.items()}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "orders.yaml").write_text(FLOW)
    (tmp_path / "orders.py").write_text(CODE)
    (tmp_path / "prices.py").write_text(PRICES)
    async with opened(tmp_path, tmp_path) as made:
        await made.reloader.files.session.open()
        await asyncio.to_thread(made.reloader.files.read_all)
        made.reloader._unsubscribe = made.studio.feed.subscribe(made.reloader._on_records)
        yield made
        await made.reloader.close()


@contextlib.asynccontextmanager
async def opened(folder: Path, shown: Path) -> AsyncIterator[Bench]:
    location = locate(str(folder), None, {})
    location.state.mkdir(exist_ok=True)
    studio = await open_studio(location, environ=dict(os.environ))
    assert isinstance(studio, LocalStudio)
    session = Session(studio, location, Sender("tester", dict(os.environ)), shown)
    try:
        yield Bench(folder, session, studio)
    finally:
        await session.close()
        await studio.close()


async def test_a_bug_is_fixed_and_the_failed_node_and_what_follows_run(bench: Bench) -> None:
    (bench.folder / "prices.py").write_text("def total(rows):\n    return rows['sum']\n")
    await asyncio.to_thread(bench.reloader.files.read_all)
    number = await bench.run()
    assert bench.states(number)["score"] == "failed"
    told = await bench.save("prices.py", "rows['sum']", "sum(rows)")
    assert told == ["prices.py saved: score changed, runs again"]
    assert set(bench.states(number).values()) == {"succeeded"}
    assert bench.attempts(number) == {"load": 1, "score": 2, "send": 1}


async def test_a_done_node_with_external_effects_is_not_run_again_unasked(bench: Bench) -> None:
    number = await bench.run()
    told = await bench.save("orders.py", '{"sent": total}', '{"sent": total, "by": "mail"}')
    assert told == [
        "orders.py saved: send changed, is stale: external effects, not run again unasked"
    ]
    assert bench.attempts(number)["send"] == 1
    assert "stale" in bench.studio.engine.state.runs[number].nodes["send"].marks


async def test_a_comment_runs_nothing(bench: Bench) -> None:
    number = await bench.run()
    assert await bench.save("orders.py", "import prices", "# prices\nimport prices") == [
        "orders.py saved: no node changed"
    ]
    assert bench.attempts(number) == {"load": 1, "score": 1, "send": 1}


async def test_a_bad_file_keeps_the_last_good_version(bench: Bench) -> None:
    number = await bench.run()
    told = await bench.save("orders.yaml", "needs: score", "needs: scroe")
    assert len(told) == 1
    assert told[0].startswith("orders.yaml:16:12:")
    assert 'unknown node "scroe"' in told[0]
    assert told[0].endswith("; the last good version stays")
    assert bench.studio.engine.state.runs[number].revision == 1
    told = await bench.save("orders.yaml", "needs: scroe", "needs: score")
    assert told == ["orders.yaml loads again"]


@pytest.mark.parametrize("name", ["orders.py", "prices.py"])
async def test_code_that_cannot_be_parsed_reaches_no_run(bench: Bench, name: str) -> None:
    number = await bench.run()
    told = await bench.save(name, "def ", "def (")
    assert len(told) == 1
    assert told[0].startswith(f"{name}:")
    assert told[0].endswith("; the last good version stays")
    assert bench.attempts(number) == {"load": 1, "score": 1, "send": 1}


async def test_a_changed_definition_is_adopted_and_a_new_node_runs(bench: Bench) -> None:
    number = await bench.run()
    path = bench.folder / "orders.yaml"
    path.write_text(FLOW + "  last: { uses: noop, needs: send }\n")
    told = await bench.saved("orders.yaml")
    assert told == ["↻ orders.yaml reloaded · 1 node added (last)"]
    assert bench.states(number)["last"] == "succeeded"
    assert bench.attempts(number)["send"] == 1


async def test_a_failed_node_with_external_effects_waits_for_r(bench: Bench) -> None:
    (bench.folder / "orders.py").write_text(CODE.replace('{"sent": total}', "total['sum']"))
    await asyncio.to_thread(bench.reloader.files.read_all)
    number = await bench.run()
    told = await bench.save("orders.py", "total['sum']", '{"sent": total}')
    assert told == ["↻ orders.py reloaded · 1 node changed (send) · r retries it with the new code"]
    assert bench.states(number)["send"] == "failed"


async def test_ask_keeps_the_plan_until_it_is_accepted(bench: Bench) -> None:
    bench.session.watch_mode = "ask"
    number = await bench.run()
    told = await bench.save("prices.py", "sum(rows)", "sum(rows) + 1")
    assert told == [
        f"prices.py saved: score changed, would run again; send is stale behind it · run {number} waits for you to adopt it"
    ]
    assert bench.attempts(number)["score"] == 1
    pending = bench.reloader.pending[number]
    assert {one.node: one.consequence for one in pending.verdicts}["score"] == "run again"
    assert await bench.reloader.accept(number) is None
    await bench.rest()
    assert bench.attempts(number)["score"] == 2
    assert bench.reloader.pending == {}


async def test_a_dismissed_edit_counts_in_the_next_comparison(bench: Bench) -> None:
    bench.session.watch_mode = "ask"
    number = await bench.run()
    await bench.save("prices.py", "sum(rows)", "sum(rows) + 1")
    bench.reloader.dismiss(number)
    assert bench.reloader.pending == {}
    await bench.save("orders.py", "[1, 2]", "[1, 3]")
    assert bench.reloader.pending[number].code.keys() == {"load", "score"}


async def test_off_changes_only_the_definition_on_screen(bench: Bench) -> None:
    bench.session.watch_mode = "off"
    number = await bench.run()
    told = await bench.save("orders.yaml", "call: orders:send", "call: orders:score")
    assert told == ["↻ orders.yaml reloaded · 1 node changed (send)"]
    assert bench.studio.engine.state.runs[number].revision == 1
    assert bench.reloader.pending.keys() == {number}


async def test_code_reverted_before_it_ran_again_is_no_change(bench: Bench) -> None:
    bench.session.watch_mode = "ask"
    number = await bench.run()
    await bench.save("prices.py", "sum(rows)", "max(rows)")
    told = await bench.save("prices.py", "max(rows)", "sum(rows)")
    assert told == ["prices.py saved: no node changed"]
    assert number not in bench.reloader.pending


async def test_a_node_that_ran_with_the_new_code_is_not_run_a_second_time(bench: Bench) -> None:
    await bench.run()
    (bench.folder / "prices.py").write_text("def total(rows):\n    return 7\n")
    os.utime(bench.folder / "prices.py", (1, 1))
    number = await bench.run()
    await bench.reloader.take([Saved(str(bench.folder / "prices.py"), "new")])
    await bench.rest()
    assert bench.attempts(number)["score"] == 1


async def test_a_removed_workflow_is_told_and_its_runs_stay(bench: Bench) -> None:
    number = await bench.run()
    Path(bench.file).unlink()
    await bench.reloader.take([Removed(bench.file)])
    assert bench.notices() == ["orders.yaml is gone; its runs keep their definition"]
    assert bench.file not in bench.session.files
    assert bench.states(number)["send"] == "succeeded"


async def test_a_workflow_that_was_renamed_is_not_gone(bench: Bench) -> None:
    await bench.run()
    there, back = bench.folder / "renamed.yaml", Path(bench.file)
    back.rename(there)
    await bench.reloader.take([Appeared(str(there), "new")])
    await bench.reloader.take([Removed(bench.file)])
    assert bench.notices()[-1] == "orders.yaml is renamed.yaml now"
    there.rename(back)
    await bench.reloader.take([Appeared(bench.file, "new")])
    await bench.reloader.take([Removed(str(there))])
    assert bench.notices()[-1] == "renamed.yaml is orders.yaml now"


async def test_code_that_goes_away_reaches_no_run_until_it_is_back(bench: Bench) -> None:
    number = await bench.run()
    prices = bench.folder / "prices.py"
    prices.unlink()
    await bench.reloader.take([Removed(str(prices))])
    assert bench.notices() == [
        "prices.py:1:1: is gone, and nodes reach it; the last good version stays"
    ]
    prices.write_text(PRICES)
    await bench.reloader.take([Appeared(str(prices), "new")])
    await bench.rest()
    assert bench.notices() == ["prices.py saved: no node changed"]
    assert bench.attempts(number) == {"load": 1, "score": 1, "send": 1}


async def test_a_file_whose_code_never_compiled_is_read_again_when_the_code_is_mended(
    bench: Bench,
) -> None:
    flow = bench.folder / "pyb.yaml"
    flow.write_text("workflow: pyb\nnodes: {a: {uses: python, call: 'bad:f'}}\n")
    (bench.folder / "bad.py").write_text("def f(:\n")
    entry = bench.session.catalog.read(flow)
    await asyncio.to_thread(bench.reloader.files.read_all)
    assert str(entry.errors[0]).startswith("bad.py:1:7: invalid syntax")
    bench.session.show_file(str(flow))
    assert bench.session.source_of(None) == (str(bench.folder / "bad.py"), 1)
    assert bench.session.file_problem().startswith("bad.py:1:7: invalid syntax")
    await bench.save("prices.py", "sum", "max")
    assert bench.session.files[str(flow)].plan is None
    told = await bench.save("bad.py", "def f(:", "def f(x:")
    assert len(told) == 1
    assert told[0].startswith("bad.py:1:6: ")
    told = await bench.save("bad.py", "def f(x:", "def g(): return 1")
    assert told == ['pyb.yaml:2:33: bad.py has no function "f"']
    told = await bench.save("prices.py", "max", "sum")
    assert told == ["↻ prices.py reloaded · 1 node changed (score)"]
    assert await bench.save("bad.py", "def g", "def f") == ["pyb.yaml loads again"]
    assert bench.session.file_problem() == ""
    told = await bench.save("bad.py", "return 1", "return 2")
    assert told == ["↻ bad.py reloaded · 1 node changed (a)"]


async def test_a_held_run_goes_on_when_its_file_came_back_before_its_code_was_mended(
    bench: Bench,
) -> None:
    (bench.folder / "prices.py").write_text("def total(rows):\n    return rows['sum']\n")
    await asyncio.to_thread(bench.reloader.files.read_all)
    number = await bench.run()
    await bench.save("orders.py", "def send", "def (send")
    Path(bench.file).unlink()
    await bench.reloader.take([Removed(bench.file)])
    assert bench.session.file_problem() == "orders.yaml is gone"
    Path(bench.file).write_text(FLOW)
    await bench.reloader.take([Appeared(bench.file, "new")])
    assert bench.notices()[-1].startswith("orders.py:9:5: invalid syntax")
    assert await bench.save("orders.py", "def (send", "def send") == ["orders.yaml loads again"]
    told = await bench.save("prices.py", "rows['sum']", "sum(rows)")
    assert told == ["prices.py saved: score changed, runs again"]
    assert set(bench.states(number).values()) == {"succeeded"}


async def test_a_new_workflow_appears_and_other_files_do_not(bench: Bench) -> None:
    (bench.folder / "new.yaml").write_text("workflow: fresh\nnodes:\n  a: { uses: noop }\n")
    (bench.folder / "data.json").write_text("[]")
    await bench.reloader.take(
        [
            Appeared(str(bench.folder / "data.json"), "x"),
            Appeared(str(bench.folder / "new.yaml"), "y"),
        ]
    )
    assert bench.notices() == ["new.yaml appeared: workflow fresh"]
    assert bench.session.files.keys() == {bench.file, str(bench.folder / "new.yaml")}


async def test_the_code_of_a_workflow_that_was_created_on_screen_is_followed(bench: Bench) -> None:
    flow, code = bench.folder / "made.yaml", bench.folder / "made.py"
    code.write_text("def f():\n    return 1\n")
    flow.write_text("workflow: made\nnodes: {a: {uses: python, call: 'made:f'}}\n")
    entry = bench.session.catalog.read(flow)
    await bench.reloader.take([Appeared(str(code), "x"), Appeared(str(flow), entry.digest)])
    bench.notices()
    told = await bench.save("made.py", "return 1", "return 2")
    assert told == ["↻ made.py reloaded · 1 node changed (a)"]


async def test_settings_are_said_to_wait_for_the_next_start(bench: Bench) -> None:
    await bench.reloader.take([Saved(str(bench.folder / "studio.toml"), "x")])
    assert bench.notices() == ["studio.toml saved: it takes effect when the studio starts again"]


async def test_a_refused_revision_is_told_and_stays_pending(bench: Bench) -> None:
    (bench.folder / "orders.py").write_text(CODE.replace("return [1, 2]", "input()"))
    slow = FLOW.replace("call: orders:load", "code: import time; time.sleep(60)")
    (bench.folder / "orders.yaml").write_text(slow)
    await bench.saved("orders.yaml")
    number = await bench.session.launch(bench.file, {})
    async with asyncio.timeout(SECONDS):
        await until(bench.studio, lambda: bench.states(number)["load"] == "running")
    bench.notices()
    path = bench.folder / "orders.yaml"
    path.write_text("workflow: orders\nnodes:\n  only: { uses: noop }\n")
    await bench.reloader.take([Saved(str(path), "new")])
    told = bench.notices()
    assert len(told) == 1
    assert "load is running, and the new definition does not have it" in told[0]
    assert number in bench.reloader.pending
    assert bench.studio.engine.state.runs[number].revision == 1


async def test_without_a_screen_saves_run_what_changed(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text(FLOW)
    (tmp_path / "orders.py").write_text(CODE)
    prices = tmp_path / "prices.py"
    prices.write_text("def total(rows):\n    return rows['sum']\n")
    async with opened(tmp_path, tmp_path / "orders.yaml") as bench:
        await bench.session.open()
        notices: list[Notice] = []
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        running = asyncio.ensure_future(
            run_and_watch(
                bench.session,
                bench.file,
                on_launch=started.set_result,
                on_notice=notices.append,
                stop=stop,
            )
        )
        async with asyncio.timeout(SECONDS):
            number = await started
            await until(bench.studio, lambda: bench.states(number).get("score") == "failed")
            temporary = tmp_path / "prices.tmp"
            temporary.write_text(PRICES)
            os.replace(temporary, prices)
            await until(bench.studio, lambda: bench.states(number)["send"] == "succeeded")
            stop.set()
            assert await running == number
        assert [one.text for one in notices] == ["prices.py saved: score changed, runs again"]
        assert bench.studio.reading.rows(RunFilter())[0].state == "succeeded"


@pytest.mark.parametrize("name", ["studio-demo", "studio-demo/orders.yaml"])
async def test_saves_in_an_ignored_folder_that_was_opened_are_followed(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("studio-demo/\n")
    folder = tmp_path / "studio-demo"
    folder.mkdir()
    (folder / "orders.yaml").write_text(FLOW)
    (folder / "orders.py").write_text(CODE)
    (folder / "prices.py").write_text(PRICES)
    async with open_session(ScreenOptions(str(tmp_path / name)), dict(os.environ)) as session:
        assert [entry.name for entry in session.files.values()] == ["orders"]
        assert session.shown_file == str(folder / "orders.yaml")
        told: list[str] = []
        session.drawn.set()
        (folder / "orders.yaml").write_text(FLOW + "# saved\n")
        await told_of(session, told, "orders.yaml saved")
        temporary = folder / "prices.tmp"
        temporary.write_text("def total(rows):\n    return max(rows)\n")
        os.replace(temporary, folder / "prices.py")
        await told_of(session, told, "↻ prices.py reloaded")
        if name == "studio-demo":
            (folder / "new.yaml").write_text("workflow: fresh\nnodes:\n  a: { uses: noop }\n")
            await told_of(session, told, "new.yaml appeared: workflow fresh")


async def told_of(session: Session, told: list[str], beginning: str) -> None:
    """Wait for a notice."""
    changed = asyncio.Event()
    session.on_change = changed.set
    async with asyncio.timeout(SECONDS):
        while True:
            told += [one.text for one in session.take_notices()]
            if any(one.startswith(beginning) for one in told):
                return
            changed.clear()
            await changed.wait()


async def until(studio: LocalStudio, condition: Callable[[], bool]) -> None:
    """Wait for records until a condition holds."""
    changed = asyncio.Event()
    unsubscribe = studio.feed.subscribe(lambda records: changed.set())
    try:
        while not condition():
            changed.clear()
            await changed.wait()
    finally:
        unsubscribe()
