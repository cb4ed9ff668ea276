"""A sample of the check of guards: those of the joins and of the way to the rules. ``python -m tests.properties.mutants`` tries them all."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.properties.mutants import ROOT


@pytest.mark.slow
def test_no_guard_of_the_sample_can_be_taken_out_unnoticed() -> None:
    sample = ["--only", "joins", "--only", "decide/decision"]
    command = [sys.executable, "-m", "tests.properties.mutants", *sample]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
