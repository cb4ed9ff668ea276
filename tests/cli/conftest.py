"""A command line inside this process, in a folder of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.cli import main

FLOW = """\
workflow: flow
parameters:
  name: {type: string, default: ada}
  count: {type: integer, default: 1, minimum: 0}
  card: {type: string, sensitive: true, default: tok_visa_4242}
nodes:
  first:
    uses: transform
    value: {name: "{{ params.name }}", count: "{{ params.count }}"}
    compensate: {uses: noop}
  second:
    uses: noop
    needs: first
    with: {seen: "{{ nodes.first.output }}", card: "{{ params.card }}"}
    compensate: {uses: noop}
outputs: {seen: "{{ nodes.second.output.seen }}"}
"""

BROKEN = """\
workflow: broken
nodes:
  first: {uses: noop, with: {n: 1}}
  fails:
    uses: transform
    needs: first
    value: "{{ nodes.first.output.n / 0 }}"
  last: {uses: noop, needs: fails}
"""


@dataclass(frozen=True)
class Result:
    """What a command line came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


Studio = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty but for two workflows."""
    monkeypatch.chdir(tmp_path)
    for name in ("STUDIO_STATE", "NO_COLOR", "STUDIO_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STUDIO_ACTOR", "ada")
    (tmp_path / "flow.yaml").write_text(FLOW)
    (tmp_path / "broken.yaml").write_text(BROKEN)
    return tmp_path


@pytest.fixture
def studio(folder: Path, capfd: pytest.CaptureFixture[str]) -> Studio:
    """Carries out a command line in the current folder."""
    assert os.getcwd() == str(folder)

    def carry_out(*words: str, expect: int | None = 0) -> Result:
        capfd.readouterr()
        status = main(words)
        out, err = capfd.readouterr()
        assert expect is None or status == expect, f"status {status}\n{out}\n{err}"
        return Result(status, out, err)

    return carry_out
