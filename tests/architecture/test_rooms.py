"""The import rules of the rooms hold, and the pure rooms stay pure."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "studio"

MAY_IMPORT = {
    "model": set(),
    "core": {"model"},
    "loading": {"model", "ports"},
    "storage": {"ports", "core", "model"},
    "executors": {"ports", "model"},
    "engine": {"ports", "core", "model"},
    "projections": {"core", "model"},
    "cli": {"application", "projections", "model"},
    "tui": {"application", "projections", "model"},
}
EVERYONE = {"errors", "ids"}

IMPURE = {
    "asyncio", "time", "random", "os", "sqlite3", "textual", "rich", "datetime", "threading",
    "subprocess", "socket", "pathlib",
}  # fmt: skip


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _is_room(name: str) -> set[str]:
    """The name in a set if it is a room or a module of the package, else the empty set."""
    return {name} if (PACKAGE / name).exists() or (PACKAGE / f"{name}.py").exists() else set()


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    allowed = MAY_IMPORT[room] | EVERYONE | {room}
    wrong = []
    for path in sorted((PACKAGE / room).rglob("*.py")):
        for name in _imports(path):
            parts = name.split(".")
            if parts[0] == "studio" and len(parts) > 1 and _is_room(parts[1]) - allowed:
                wrong.append(f"{path.relative_to(PACKAGE)}: {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ["core", "projections"])
def test_pure_rooms_know_no_clock_and_no_world(room: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for name in _imports(path)
        if name.split(".")[0] in IMPURE
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = {"utils", "helpers", "common", "manager"}
    assert not [path for path in PACKAGE.rglob("*.py") if path.stem in names]


def test_sizes_stay_livable() -> None:
    """Module median at most 150 lines, none above 600 (architecture.md, "Sizes that keep a house livable")."""
    sizes = sorted(
        (len(path.read_text("utf-8").splitlines()), path) for path in PACKAGE.rglob("*.py")
    )
    assert sizes[len(sizes) // 2][0] <= 150
    assert sizes[-1][0] <= 600, f"{sizes[-1][1]} has {sizes[-1][0]} lines: is there a seam?"
