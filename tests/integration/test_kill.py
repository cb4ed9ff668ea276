"""`kill -9` of a running `studio run` at any point: everything stands where it stood, nothing is guessed."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

STUDIO = [sys.executable, "-m", "studio"]
ROUNDS = int(os.environ.get("KILLS", "12"))
"""Kills inside `make test`; KILLS=60 for the long run."""

WORKFLOW = """
workflow: effects
nodes:
  first: {uses: python, call: "effects:act", with: {name: first}, side_effects: idempotent}
  left: {uses: python, call: "effects:act", needs: first, with: {name: left}, side_effects: external}
  right: {uses: shell, needs: first, side_effects: idempotent, run: "echo right >> effects.txt"}
  many:
    uses: python
    call: effects:act
    needs: right
    foreach: [a, b, c, d]
    max_parallel: 2
    with: {name: "many-{{ item }}"}
    side_effects: idempotent
  last:
    uses: python
    call: effects:act
    needs: [left, many]
    with: {name: last}
    side_effects: external
"""

CODE = """
import os


def act(name):
    descriptor = os.open("effects.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{name}\\n".encode())
    os.close(descriptor)
    return name
"""


def _studio(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STUDIO, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def _kill_after(folder: Path, events: int, *words: str) -> None:
    """Start a command that prints its events, and kill it once it has printed so many."""
    with subprocess.Popen(
        [*STUDIO, *words, "--events"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(events):
            if not process.stdout.readline():
                break
        process.send_signal(signal.SIGKILL)


def _orphans(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(folder) and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_killed_run_is_resumed_where_it_stood(tmp_path: Path, seed: int) -> None:
    (tmp_path / "effects.yaml").write_text(WORKFLOW)
    (tmp_path / "effects.py").write_text(CODE)
    chance = random.Random(seed)
    _kill_after(tmp_path, chance.randrange(1, 28), "run", "effects.yaml")
    interruptions = 1
    for _ in range(12):
        done = _studio(tmp_path, "resume", "last", "--plain")
        document = json.loads(_studio(tmp_path, "show", "last", "--json").stdout)
        doubtful = [n for n, node in document["nodes"].items() if node["state"] == "in_doubt"]
        if document["state"] == "succeeded":
            break
        assert doubtful, f"{done.stdout}\n{done.stderr}\n{json.dumps(document, indent=1)}"
        assert done.returncode == 3
        written = (tmp_path / "effects.txt").read_text().split() if doubtful else []
        for node in doubtful:
            verb = (
                ("mark", "last", node, "succeeded") if node in written else ("retry", "last", node)
            )
            answer = _studio(tmp_path, *verb, "--detach")
            assert answer.returncode == 0, answer.stderr
    assert document["state"] == "succeeded", document
    counts = Counter((tmp_path / "effects.txt").read_text().split())
    expected = {"first", "left", "right", "last", *(f"many-{letter}" for letter in "abcd")}
    assert set(counts) == expected
    for name, count in counts.items():
        external = name in ("left", "last")
        assert count <= 1 + (0 if external else interruptions), f"{name} acted {count} times"
    finished = [n for n, node in document["nodes"].items() if node["state"] == "succeeded"]
    assert set(finished) >= {"first", "left", "right", "many", "last"}
    assert not _orphans(tmp_path)
    checked = _studio(tmp_path, "doctor")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_killed_run_goes_on_with_the_code_it_was_started_with(tmp_path: Path) -> None:
    (tmp_path / "effects.yaml").write_text(WORKFLOW.replace("external", "idempotent"))
    (tmp_path / "effects.py").write_text(CODE)
    _kill_after(tmp_path, 6, "run", "effects.yaml")
    (tmp_path / "effects.py").write_text("def act(name:\n")
    done = _studio(tmp_path, "resume", "last", "--plain")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (tmp_path / "effects.txt").read_text().split()
    assert {"first", "left", "right", "last"} <= set(written)
