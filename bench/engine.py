"""Engine figures: the four workloads beside their floor, flatness, memory, replay, start-up.

Nodes are no-ops and every event is durable (``synchronous=FULL``).
"""

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
import uuid
from pathlib import Path

from bench.floor import Graph, run_floor
from bench.rows import Figure
from bench.workloads import chain, diamond, fan, layered
from studio.core.commands import StartRun
from studio.core.events import Record, RunFinished
from studio.core.plan import Plan
from studio.core.state import EngineState
from studio.core.turn import replay
from studio.engine.clock import SystemClock
from studio.engine.loop import Engine
from studio.executors.registry import Executors
from studio.ids import RunNumber
from studio.model.workflow import Workflow
from studio.ports import Definition
from studio.storage.blobs import BlobFolder
from studio.storage.log_store import LogFolder
from studio.storage.state_folder import open_history

ROUNDS = 5

TARGETS: dict[str, tuple[float, float]] = {
    "W1 chain of 1,000": (0.0, 0.7),
    "W2 1 → 1,000 → 1": (12_400.0, 0.15),
    "W3 200 × diamond of 10": (11_900.0, 0.2),
    "W4 layered random 1,000": (13_300.0, 0.2),
}
"""Nodes per second, and share of the floor (targets.md, "Engine speed")."""


def graph_of(workflow: Workflow) -> Graph:
    """Upstreams by node."""
    return {name: [edge.source for edge in node.needs] for name, node in workflow.nodes.items()}


async def run_engine(workflow: Workflow, runs: int, folder: Path) -> float:
    """Nodes per second of ``runs`` concurrent runs through the whole engine."""
    clock = SystemClock()
    history, health = open_history(folder, clock=clock)
    engine = Engine(history, Executors(LogFolder(folder, health)), BlobFolder(folder), clock)
    await engine.open()
    plan = Plan(workflow)
    engine.add_definition(plan, Definition(plan.version, workflow.name, b"{}"))
    left = runs
    done = asyncio.Event()

    def count(records: list[Record]) -> None:
        nonlocal left
        left -= sum(isinstance(record.event, RunFinished) for record in records)
        if left == 0:
            done.set()

    engine.feed.subscribe(count)  # type: ignore[arg-type] # the feed hands over a list
    gc.collect()
    began = time.perf_counter()
    for number in range(1, runs + 1):
        engine.post(
            StartRun(run=number, id=str(number), run_id=uuid.uuid4().hex, version=plan.version)
        )
    await done.wait()
    took = time.perf_counter() - began
    await engine.close()
    return len(workflow.nodes) * runs / took


def workloads() -> list[Figure]:
    """W1 to W4 beside the floor; the median of some rounds taken in turn, as the machine is noisy."""
    found = []
    for (name, (least, share)), (workflow, runs) in zip(
        TARGETS.items(),
        ((chain(1000), 1), (fan(1000), 1), (diamond(), 200), (layered(1000), 1)),
        strict=True,
    ):
        speeds, floors = [], []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                floors.append(
                    asyncio.run(run_floor([graph_of(workflow)] * runs, Path(folder) / "floor.db"))
                )
            with tempfile.TemporaryDirectory() as folder:
                speeds.append(asyncio.run(run_engine(workflow, runs, Path(folder))))
        speed, floor = statistics.median(speeds), statistics.median(floors)
        found.append(Figure(name, speed, "nodes/s", max(least, share * floor), floor))
    return found


def flatness() -> list[Figure]:
    """Cost per node from 100 to 20,000 nodes, and memory per finished node."""
    costs = {}
    for size in (100, 1_000, 20_000):
        speeds = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as folder:
                speeds.append(asyncio.run(run_engine(fan(size), 1, Path(folder))))
        costs[size] = 1e6 / statistics.median(speeds)
    return [
        Figure(
            "cost per node, 20,000 over 1,000 nodes",
            costs[20_000] / costs[1_000],
            "×",
            1.3,
            None,
            "less",
        ),
        Figure("cost per node at 100 nodes", costs[100], "µs", None, None, "less"),
        Figure("cost per node at 20,000 nodes", costs[20_000], "µs", None, None, "less"),
        memory(),
    ]


def memory() -> Figure:
    """What a run of 20,000 finished nodes keeps in memory, definition aside."""
    size = 20_000
    plan = Plan(fan(size))
    with tempfile.TemporaryDirectory() as folder:
        records = _records(fan(size), Path(folder))
    gc.collect()
    tracemalloc.start()
    state = EngineState({plan.version: plan})
    before = tracemalloc.get_traced_memory()[0]
    replay(state, records)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return Figure("memory per finished node", kept / size / 1024, "KiB", 3.0, None, "less")


def _records(workflow: Workflow, folder: Path) -> list[Record]:
    asyncio.run(run_engine(workflow, 1, folder))
    history, _health = open_history(folder, clock=SystemClock())
    try:
        return list(history.read(RunNumber(1)))
    finally:
        asyncio.run(history.aclose())


def replaying() -> Figure:
    """Reading and folding a run of 10,000 events."""
    workflow = fan(4_998)
    plan = Plan(workflow)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_engine(workflow, 1, Path(folder)))
        history, _health = open_history(Path(folder), clock=SystemClock())
        times = []
        for _ in range(5):
            state = EngineState({plan.version: plan})
            began = time.perf_counter()
            replay(state, history.read(RunNumber(1)))
            times.append(time.perf_counter() - began)
        asyncio.run(history.aclose())
    return Figure(
        "replay of 10,000 events", statistics.median(times) * 1000, "ms", 150, None, "less"
    )


def start_up() -> list[Figure]:
    """Whole processes: the commands that need neither screen nor definition, and a run of three nodes."""
    found = []
    bare = _process([sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "three.yaml"
        file.write_text(
            "workflow: three\nnodes:\n  a: {uses: noop}\n  b: {uses: noop, needs: a}\n"
            "  c: {uses: noop, needs: b}\n"
        )
        studio = [sys.executable, "-m", "studio"]
        run = _process([*studio, "run", str(file), "--quiet"])
        runs = _process([*studio, "runs", "--state", str(Path(folder) / ".studio")])
        help_ = _process([*studio, "--help"])
    found.append(Figure("`studio --help`, whole process", help_, "ms", 150, bare, "less"))
    found.append(Figure("`studio runs`, whole process", runs, "ms", 150, bare, "less"))
    found.append(Figure("`studio run` of three nodes, whole process", run, "ms", 500, bare, "less"))
    return found


def _process(command: list[str]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def run() -> list[Figure]:
    """Every engine figure."""
    return [*workloads(), *flatness(), replaying(), *start_up()]
