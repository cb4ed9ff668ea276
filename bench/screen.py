"""How fast the screen starts, draws and answers, on a real pseudo-terminal; ``python -m bench screen``.

Starts are measured beside a bare Textual application in the same run. All in all about a minute and a half.
"""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.rows import Figure
from bench.screen_drawing import drawing_figures
from bench.terminal import Terminal
from bench.workloads import layered
from studio.application.location import locate
from studio.application.runs import list_runs
from studio.model.workflow import Workflow

STARTS = 8
"""Starts of each kind; the best counts, since other work on the machine only ever adds."""

DRAWN = ("50 nodes", "n1", " TB ", "Log  n0 ")
"""What is on screen when it is drawn: the top line, a node of the graph and how it is drawn, and the
selected node above its log."""

KEYS = 30
"""Keys pressed for each figure of answering."""


def run() -> list[Figure]:
    """Every figure of the screen."""
    return [*_starts(), *_running(), *_saving(), *_big_run(), *drawing_figures()]


# --------------------------------------------------------------------- workflows


def _steps(count: int, pause: str) -> str:
    """A chain of waits: about three changes of state for each."""
    lines = ["workflow: steps", "nodes:"]
    for index in range(count):
        needs = f", needs: step{index - 1:03}" if index else ""
        lines.append(f"  step{index:03}: {{uses: wait, for: {pause}{needs}}}")
    return "\n".join(lines) + "\n"


def _text(workflow: Workflow) -> str:
    lines = [f"workflow: {workflow.name}", "nodes:"]
    for name, node in workflow.nodes.items():
        needs = ", ".join(str(edge.source) for edge in node.needs)
        lines.append(f"  {name}: {{uses: noop{f', needs: [{needs}]' if needs else ''}}}")
    return "\n".join(lines) + "\n"


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-screen-") as folder:
        yield Path(folder)


@contextmanager
def _studio(folder: Path, *, columns: int = 120, rows: int = 40) -> Iterator[Terminal]:
    environ = {
        **os.environ,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    environ.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "studio", "flow.yaml"]
    with Terminal(command, folder, environ, columns=columns, rows=rows) as terminal:
        yield terminal


# --------------------------------------------------------------------- start


def _starts() -> list[Figure]:
    first, ready, answered, bare = [], [], [], []
    with _folder() as folder:
        (folder / "flow.yaml").write_text(_text(layered(50)))
        for _ in range(STARTS):
            environ = {**os.environ, "TERM": "xterm-256color"}
            root = Path(__file__).parent.parent
            command = [sys.executable, "-m", "bench.bare_app"]
            with Terminal(command, root, environ) as floor:
                bare.append(floor.wait_for("bare and ready") - floor.started)
                floor.send("q")
                floor.wait()
            with _studio(folder) as terminal:
                first.append(terminal.wait_for("Workflow Studio") - terminal.started)
                drawn = max(terminal.wait_for(text) for text in DRAWN)
                ready.append(drawn - terminal.started)
                terminal.send("J")
                answered.append(terminal.wait_for("Log  n1") - drawn)
                terminal.settle()
                terminal.send("q")
                terminal.wait()
    floor_ms = min(bare) * 1000
    return [
        Figure("first paint, 50 nodes", min(first) * 1000, "ms", 50, better="less"),
        Figure("interactive, 50 nodes (floor: bare Textual)", min(ready) * 1000, "ms",
               1.6 * floor_ms, floor_ms, better="less"),
        Figure("first key after it, to paint", min(answered) * 1000, "ms", better="less"),
    ]  # fmt: skip


# --------------------------------------------------------------------- while a run moves


def _running() -> list[Figure]:
    with _folder() as folder:
        (folder / "flow.yaml").write_text(_steps(300, "100ms"))
        with _studio(folder) as terminal:
            terminal.wait_for("300 nodes")
            terminal.settle(1.0, 4.0)
            idle = _busy(terminal, 4.0)
            still = _answers(terminal, 0)
            terminal.send("L")
            terminal.wait_for("running")
            terminal.settle(0.05, 1.0)
            moving = _answers(terminal, KEYS)
            busy = _busy(terminal, 5.0)
            shown = _disk_to_screen(terminal, folder / ".studio" / "history.sqlite", 5.0)
    return [
        Figure("processor while idle", idle, "%", 0.5, better="less"),
        Figure("processor at 30 changes/s", busy, "%", 10, better="less"),
        Figure("key to paint, idle, median", statistics.median(still), "ms", 25, better="less"),
        Figure("key to paint at 30 changes/s, median", statistics.median(moving), "ms", 25,
               better="less"),
        Figure("key to paint at 30 changes/s, p95", _p95(moving), "ms", 50, better="less"),
        Figure("change on disk to screen, p95", _p95(shown), "ms", 100, better="less"),
    ]  # fmt: skip


def _answers(terminal: Terminal, first: int) -> list[float]:
    """Milliseconds from the next-node key to the node's name above its log."""
    found = []
    for index in range(first + 1, first + KEYS + 1):
        mark = len(terminal.output)
        start = time.perf_counter()
        terminal.send("J")
        found.append((terminal.wait_for(f"Log  step{index:03}", after=mark) - start) * 1000)
        terminal.settle(0.02, 0.03)
    return found


def _busy(terminal: Terminal, seconds: float) -> float:
    """Per cent of one core that the studio takes."""

    def spent() -> float:
        # To the nanosecond, thread by thread: the clock ticks of /proc/PID/stat are a quarter of a per cent of 4 s each.
        tasks = Path(f"/proc/{terminal.pid}/task").glob("*/schedstat")
        return sum(int(one.read_text().split()[0]) for one in tasks) / 1e9

    before, start = spent(), time.perf_counter()
    while time.perf_counter() < start + seconds:
        terminal.read(0.1)
    return 100 * (spent() - before) / (time.perf_counter() - start)


def _disk_to_screen(terminal: Terminal, history: Path, seconds: float) -> list[float]:
    """Milliseconds from a commit that another process can see to the next bytes on the terminal."""
    found: list[float] = []
    with sqlite3.connect(f"file:{history}?mode=ro", uri=True) as database:

        def head() -> int:
            return int(database.execute("select count(*) from event").fetchone()[0])

        end = time.perf_counter() + seconds
        seen = head()
        while time.perf_counter() < end:
            terminal.read(0.0)
            now = head()
            if now == seen:
                time.sleep(0.001)
                continue
            seen, start = now, time.perf_counter()
            if terminal.read(1.0):
                found.append((time.perf_counter() - start) * 1000)
    return found


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


# --------------------------------------------------------------------- saving


def _saving() -> list[Figure]:
    with _folder() as folder:
        file = folder / "flow.yaml"
        text = _text(layered(200))
        file.write_text(text)

        def atomic(content: str) -> None:
            beside = folder / ".flow.tmp"
            beside.write_text(content)
            beside.replace(file)

        def in_place(content: str) -> None:
            file.write_text(content)

        with _studio(folder) as terminal:
            terminal.wait_for("200 nodes")
            terminal.settle(1.0, 4.0)
            times: dict[str, list[float]] = {"atomic": [], "in place": []}
            count = 200
            ways: list[tuple[str, Callable[[str], None]]] = [
                ("atomic", atomic),
                ("in place", in_place),
            ]
            for name, save in ways * 4:
                count += 1
                text += f"  added{count}: {{uses: noop, needs: n0}}\n"
                mark = len(terminal.output)
                start = time.perf_counter()
                save(text)
                seen = terminal.wait_for(f"{count} nodes", after=mark)
                times[name].append((seen - start) * 1000)
                terminal.settle(0.4, 2.0)
    return [
        Figure("save to graph, 200 nodes, atomic", statistics.median(times["atomic"]), "ms", 150,
               better="less"),
        Figure("save to graph, 200 nodes, in place", statistics.median(times["in place"]), "ms",
               400, better="less"),
    ]  # fmt: skip


# --------------------------------------------------------------------- a large run


def _big_run() -> list[Figure]:
    with _folder() as folder:
        (folder / "flow.yaml").write_text(_text(layered(1_000)))
        command = [sys.executable, "-m", "studio", "run", "flow.yaml", "--quiet"]
        for _ in range(2):
            with Terminal(command, folder, {**os.environ, "TERM": "dumb"}) as headless:
                headless.wait()
        with _studio(folder, columns=200, rows=50) as terminal:
            terminal.wait_for("1000 nodes")
            terminal.settle(0.5, 5.0)
            for number in (3, 4):
                terminal.send("L")
                # Either news will do: a run that ends before the first flush is told of by its start alone.
                terminal.wait_for(f"run {number} s", 30.0)
                terminal.settle(0.5, 5.0)
            status = Path(f"/proc/{terminal.pid}/status").read_text()
            resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        rows = list_runs(locate(str(folder), None, {}), limit=4)
        spent = [row.finished_at - row.started_at for row in rows if row.finished_at is not None]
    ratio = min(spent[2:]) / min(spent[:2])
    return [
        Figure("memory, 1,000-node run", resident, "MB", 90, better="less"),
        Figure("engine with the screen against headless", ratio, "ratio", 0.7),
    ]
