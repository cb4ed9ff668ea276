"""``make bench``: every figure of the targets, measured side by side, as a table and in ``bench/results.json``.

Name parts to measure only those: ``python -m bench engine layout``.
"""

import compileall
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.rows import Figure

PARTS = ("engine", "executors", "layout", "screen")


def main(parts: list[str]) -> int:
    """Measure, print, and keep the results. Returns 0; a missed target is a figure, not a failure."""
    # As installing a package does: where PYTHONDONTWRITEBYTECODE is set, every process would compile all its modules anew.
    compileall.compile_dir(Path(__file__).parent.parent / "studio", quiet=1)
    results: list[dict[str, Any]] = []
    for part in parts or PARTS:
        print(f"\n{part}", flush=True)
        for figure in import_module(f"bench.{part}").run():
            results.append(figure._asdict() | {"part": part, "met": figure.met})
            print(_line(figure), flush=True)
    path = Path(__file__).parent / "results.json"
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    return 0


def _line(figure: Figure) -> str:
    sign = {True: "ok", False: "MISSED", None: ""}[figure.met]
    target = "" if figure.target is None else f"{figure.target:,.4g}"
    floor = "" if figure.floor is None else f"{figure.floor:,.0f}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return (
        f"  {figure.name:<46} {figure.measured:>12,.4g} {figure.unit:<8}"
        f" target {target:>9}  floor {floor:>8}  ratio {ratio:>5}  {sign}"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
