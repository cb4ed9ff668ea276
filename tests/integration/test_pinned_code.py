"""A run keeps the code it was started with until it adopts other code: real files, real children, the real engine."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from studio.application import verbs
from studio.application.studio import Launch
from studio.core.commands import Refusal
from tests.integration.test_reload import Bench, opened

pytestmark = pytest.mark.slow

FLOW = """workflow: orders
nodes:
  load:
    uses: python
    call: orders:load
    side_effects: none
  score:
    uses: python
    call: scoring:score
    needs: load
    side_effects: none
    with: { rows: "{{ nodes.load.output }}" }
  last:
    uses: python
    call: orders:last
    needs: score
    side_effects: none
"""
ORDERS = "def load():\n    return [1, 2]\n\ndef last():\n    return 'last'\n"
SCORING = "import prices\n\ndef score(rows):\n    return prices.total(rows)\n"
PRICES = "def total(rows):\n    return sum(rows)\n"
BROKEN = "def total(rows:\n    return 7\n"

BREAKS = (
    "from pathlib import Path\n\ndef load():\n"
    "    for name in ('orders', 'scoring', 'prices'):\n"
    "        Path(name + '.py').write_text({text!r})\n"
    "    return [1, 2]\n\ndef last():\n    return 'last'\n"
)
"""A node that edits the files of its own project, as an editor does while the run is under way."""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "orders.yaml").write_text(FLOW)
    (tmp_path / "orders.py").write_text(ORDERS)
    (tmp_path / "scoring.py").write_text(SCORING)
    (tmp_path / "prices.py").write_text(PRICES)
    async with opened(tmp_path, tmp_path) as made:
        await made.session.open()
        await asyncio.to_thread(made.reloader.files.read_all)
        made.reloader._unsubscribe = made.studio.feed.subscribe(made.reloader._on_records)
        yield made
        await made.reloader.close()


async def headless(bench: Bench, **more: Any) -> int:
    launch = Launch(file=bench.file, display="orders.yaml", policy="hold", **more)
    number = await bench.studio.launch(launch, bench.session.sender)
    await bench.rest()
    return number


async def send(bench: Bench, command: Any) -> Refusal | None:
    refusal = await bench.studio.send(command, bench.session.sender)
    await bench.rest()
    return refusal


def output(bench: Bench, number: int, node: str) -> Any:
    state = bench.studio.engine.state
    found = state.runs[number].nodes[node]
    assert found.status == "succeeded", (found.status, found.failure)
    return state.decode(found.output)


def write(bench: Bench, name: str, text: str) -> None:
    (bench.folder / name).write_text(text)


async def test_files_that_break_while_a_run_is_under_way_do_not_reach_it(bench: Bench) -> None:
    write(bench, "orders.py", BREAKS.format(text=BROKEN))
    number = await headless(bench)
    assert output(bench, number, "score") == 3
    assert output(bench, number, "last") == "last"


async def test_files_that_change_while_a_headless_run_is_under_way_do_not_reach_it(
    bench: Bench,
) -> None:
    write(bench, "orders.py", BREAKS.format(text="def score(rows):\n    return 'new'\n"))
    number = await headless(bench)
    assert output(bench, number, "score") == 3
    assert output(bench, number, "last") == "last"
    assert bench.studio.engine.state.runs[number].revision == 1


async def test_on_screen_what_starts_after_a_save_runs_the_new_code(bench: Bench) -> None:
    number = await bench.session.launch(bench.file, {}, until="load")
    await bench.rest()
    told = await bench.save("prices.py", "sum(rows)", "sum(rows) + 1")
    assert told == ["prices.py saved: score changed"]
    assert await send(bench, verbs.go_on(number)) is None
    assert output(bench, number, "score") == 4


async def test_on_screen_a_broken_save_leaves_the_last_good_code(bench: Bench) -> None:
    number = await bench.session.launch(bench.file, {}, until="load")
    await bench.rest()
    told = await bench.save("prices.py", "total(rows):", "total(rows:")
    assert told == ["prices.py:1:10: '(' was never closed; the last good version stays"]
    assert await send(bench, verbs.go_on(number)) is None
    assert output(bench, number, "score") == 3
    assert (await bench.save("prices.py", "total(rows:", "total(rows):")) == [
        "prices.py saved: no node changed"
    ]


async def test_an_edit_that_was_not_adopted_does_not_reach_nodes_that_start_later(
    bench: Bench,
) -> None:
    bench.session.watch_mode = "ask"
    number = await bench.session.launch(bench.file, {}, until="load")
    await bench.rest()
    told = await bench.save("prices.py", "sum(rows)", "sum(rows) + 1")
    assert told == [f"prices.py saved: score changed · run {number} waits for you to adopt it"]
    bench.reloader.dismiss(number)
    assert await send(bench, verbs.go_on(number)) is None
    assert output(bench, number, "score") == 3


async def test_a_comment_is_taken_over_so_that_lines_in_errors_are_right(bench: Bench) -> None:
    number = await bench.session.launch(bench.file, {}, until="load")
    await bench.rest()
    told = await bench.save("prices.py", "    return sum(rows)", "    # all\n    return sum(rows)")
    assert told == ["prices.py saved: no node changed"]
    told = await bench.save("prices.py", "sum(rows)", "rows['sum']")
    assert await send(bench, verbs.go_on(number)) is None
    failure = bench.studio.engine.state.runs[number].nodes["score"].failure
    assert failure is not None
    assert (failure.file, failure.line) == (str(bench.folder / "prices.py"), 3)


async def test_a_retry_by_hand_runs_the_newest_code(bench: Bench) -> None:
    write(bench, "prices.py", "def total(rows):\n    return rows['sum']\n")
    number = await headless(bench)
    assert bench.states(number)["score"] == "failed"
    write(bench, "prices.py", PRICES)
    assert await send(bench, verbs.retry(number, "score")) is None
    assert output(bench, number, "score") == 3


async def test_a_retry_refuses_code_that_does_not_compile_and_says_where(bench: Bench) -> None:
    write(bench, "prices.py", "def total(rows):\n    return rows['sum']\n")
    number = await headless(bench)
    write(bench, "prices.py", BROKEN)
    refusal = await send(bench, verbs.retry(number, "score"))
    assert refusal is not None
    assert refusal.why == "cannot retry score: prices.py:1:10: '(' was never closed"
    assert "save a version that compiles" in refusal.hint
    assert bench.attempts(number)["score"] == 1
    write(bench, "prices.py", PRICES)
    command = verbs.retry(number, "score")
    assert await send(bench, command) is None
    write(bench, "prices.py", BROKEN)
    assert await send(bench, command) is None, "sent twice is taken once, whatever was saved since"
    assert output(bench, number, "score") == 3


async def test_a_retry_of_a_node_that_does_not_reach_broken_code_goes_on_with_the_last_good(
    bench: Bench,
) -> None:
    write(bench, "orders.py", ORDERS.replace("return 'last'", "return 1 / 0"))
    number = await headless(bench)
    assert bench.states(number)["last"] == "failed"
    write(bench, "orders.py", ORDERS)
    write(bench, "prices.py", BROKEN)
    assert await send(bench, verbs.retry(number, "last")) is None
    # Part of a version is none: the run keeps all of the last good one, and the error stays.
    assert bench.attempts(number)["last"] == 2
    assert bench.states(number)["last"] == "failed"
    write(bench, "prices.py", PRICES)
    assert await send(bench, verbs.retry(number, "last")) is None
    assert output(bench, number, "last") == "last"


async def test_code_that_never_compiled_refuses_no_retry(bench: Bench) -> None:
    write(
        bench,
        "scoring.py",
        SCORING.replace(
            "import prices", "try:\n    import prices\nexcept SyntaxError:\n    import json"
        ),
    )
    write(bench, "prices.py", BROKEN)
    number = await headless(bench)
    assert bench.states(number)["score"] == "failed"
    write(
        bench,
        "scoring.py",
        "try:\n    import prices\nexcept SyntaxError:\n    pass\ndef score(rows):\n    return 5\n",
    )
    assert await send(bench, verbs.retry(number, "score")) is None
    assert output(bench, number, "score") == 5


async def test_a_rerun_runs_the_newest_code(bench: Bench) -> None:
    number = await headless(bench)
    write(bench, "prices.py", BROKEN)
    refusal = await send(bench, verbs.rerun(number, "load"))
    assert refusal is not None
    assert refusal.why.startswith("cannot rerun from load: prices.py:1:10:")
    write(bench, "prices.py", "def total(rows):\n    return 'new'\n")
    assert await send(bench, verbs.rerun(number, "score")) is None
    assert output(bench, number, "score") == "new"


async def test_a_run_that_is_taken_up_again_has_its_code(bench: Bench, tmp_path: Path) -> None:
    number = await headless(bench, until="load")
    for name in ("orders.py", "scoring.py", "prices.py"):
        (bench.folder / name).unlink()
    write(bench, "prices.py", BROKEN)
    await bench.session.close()
    await bench.studio.close()
    async with opened(tmp_path, tmp_path) as again:
        await again.studio.take_up(number, again.session.sender)
        assert await send(again, verbs.go_on(number)) is None
        assert output(again, number, "score") == 3
        assert output(again, number, "last") == "last"


async def test_an_edit_made_while_the_studio_was_closed_counts(
    bench: Bench, tmp_path: Path
) -> None:
    number = await bench.run()
    await bench.session.close()
    await bench.studio.close()
    write(bench, "prices.py", "def total(rows):\n    return 'new'\n")
    async with opened(tmp_path, tmp_path) as again:
        await again.session.open()
        again.session.show_run(number)
        await asyncio.to_thread(again.reloader.files.read_all)
        again.reloader._unsubscribe = again.studio.feed.subscribe(again.reloader._on_records)
        told = await again.save("orders.py", "'last'", "'end'")
        assert told == ["orders.py saved: score, last changed, run again"]
        assert output(again, number, "score") == "new"
        assert output(again, number, "last") == "end"


async def test_stored_code_is_private_and_heals_when_a_person_retries(bench: Bench) -> None:
    number = await headless(bench, until="load")
    pin = bench.studio.engine.state.runs[number].pin
    blob = bench.session.location.state / "blobs" / pin[:2] / pin
    assert stat.S_IMODE(blob.stat().st_mode) == 0o600
    assert blob.read_bytes().endswith(SCORING.encode())
    blob.unlink()
    assert await send(bench, verbs.go_on(number)) is None
    failure = bench.studio.engine.state.runs[number].nodes["score"].failure
    assert failure is not None
    assert failure.type == "PinnedCodeError"
    assert await send(bench, verbs.retry(number, "score")) is None
    assert output(bench, number, "score") == 3


UNDO_FLOW = """workflow: orders
nodes:
  charge:
    uses: python
    call: shop:charge
    compensate: { uses: python, call: "shop:refund", retry: { max_attempts: 1 } }
  ship: { uses: python, call: "shop:ship", needs: charge }
"""
UNDO_CODE = """
def charge():
    return 1
def ship():
    return 2
def refund():
    raise KeyError("no refund")
"""


async def test_an_undo_runs_the_newest_code_and_goes_on_with_the_last_good(bench: Bench) -> None:
    write(bench, "orders.yaml", UNDO_FLOW)
    write(bench, "shop.py", UNDO_CODE)
    number = await headless(bench)
    write(bench, "shop.py", "def charge(:\n")
    assert await send(bench, verbs.compensate(number)) is None
    assert bench.states(number)["charge"] == "compensation_failed"
    refusal = await send(bench, verbs.retry(number, "charge"))
    assert refusal is not None
    assert refusal.why.startswith("cannot retry charge: shop.py:1:")
    write(bench, "shop.py", UNDO_CODE.replace('raise KeyError("no refund")', "return 'back'"))
    assert await send(bench, verbs.retry(number, "charge")) is None
    assert bench.states(number)["charge"] == "compensated"


async def test_on_screen_a_saved_undo_is_what_the_next_undo_runs(bench: Bench) -> None:
    write(bench, "orders.yaml", UNDO_FLOW)
    write(bench, "shop.py", UNDO_CODE)
    await bench.saved("orders.yaml")
    number = await bench.session.launch(bench.file, {}, until="charge")
    await bench.rest()
    told = await bench.save("shop.py", 'raise KeyError("no refund")', "return 'back'")
    assert told == ["shop.py saved: no node changed"]
    run = bench.studio.engine.state.runs[number]
    assert json.loads(bench.studio.run(number).nodes["charge"].output) == 1  # type: ignore[arg-type] # small
    assert run.revision == 1
    pinned = bench.studio.code.recall(run.plan.workflow, run.plan.version, run.pin)
    assert pinned is not None
    assert pinned["charge"].undo == bench.reloader.files.prints[bench.file]["charge"].undo
