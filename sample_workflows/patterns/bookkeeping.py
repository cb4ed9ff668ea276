"""Steps of locks.yaml. Closing a month opens the ledger, works in it and shuts it again."""

import time
from pathlib import Path
from typing import Any


def close_month(ledger: str, month: str, hold: float, ctx: Any) -> dict[str, str]:
    file = Path(ledger)
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, f"open {month} {ctx.run_id}")
    time.sleep(hold)
    write(file, f"shut {month} {ctx.run_id}")
    return {"month": month}


def write(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8") as ledger:
        ledger.write(line + "\n")


def report(ledger: str, ctx: Any) -> list[str]:
    """The months this run has closed. Raises when somebody else worked in the ledger meanwhile."""
    lines = [line.split() for line in Path(ledger).read_text(encoding="utf-8").splitlines()]
    closed = []
    for number, (what, month, run) in enumerate(lines):
        if what == "shut" and lines[number - 1] != ["open", month, run]:
            raise RuntimeError(
                f"line {number + 1} of {ledger}: {month} was not alone in the ledger"
            )
        if what == "shut" and run == ctx.run_id:
            closed.append(month)
    return closed
