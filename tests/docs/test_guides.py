"""The readme, the tutorial and the how-to pages: their commands exist, their links lead somewhere, their samples load."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.application.samples import copy_samples
from studio.cli.arguments import Verb, make_parser
from studio.cli.catalogue import CATALOGUE
from studio.loading.loader import load_text

ROOT = Path(__file__).parents[2]
GUIDES = [
    ROOT / "README.md",
    ROOT / "sample_workflows" / "README.md",
    ROOT / "docs" / "README.md",
    *sorted((ROOT / "docs" / "tutorial").glob("*.md")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
]

_COMMAND = re.compile(r"(?:^|\$ |&& |    |`|[A-Z_]+=\S+ )studio ([^`\n]+)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+)\)")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _commands(text: str) -> Iterator[list[str]]:
    """Command lines of the program in a page, without redirections and what follows an operator."""
    for found in _COMMAND.finditer(text):
        line = re.split(r"\s(?:\||&&|>|#)\s?|\s{3,}", found.group(1))[0]
        words = shlex.split(line)
        if words and words[0] in CATALOGUE:
            yield words


def _is_whole(words: list[str]) -> bool:
    """Whether it is a command to type: not a verb that is only named, and without placeholders such as NAME."""
    placeholders = [
        word for word in words[1:3] if word == "…" or (word.isalpha() and word.isupper())
    ]
    return len(words) > 1 and not placeholders


def _parses(words: list[str]) -> bool:
    module = importlib.import_module(f"studio.cli.{CATALOGUE[words[0]].module}")
    verb: Verb = module.VERBS[words[0]]
    try:
        make_parser(words[0], "summary", verb).parse_args(words[1:])
    except SystemExit as end:
        return end.code == 0
    return True


@pytest.mark.parametrize("page", GUIDES, ids=_name)
def test_the_commands_of_a_guide_exist(page: Path) -> None:
    commands = [words for words in _commands(page.read_text("utf-8")) if _is_whole(words)]
    assert [words for words in commands if not _parses(words)] == []


def test_the_guides_have_commands() -> None:
    verbs = {words[0] for page in GUIDES for words in _commands(page.read_text("utf-8"))}
    assert verbs >= {
        "check",
        "compensate",
        "demo",
        "doctor",
        "graph",
        "logs",
        "mark",
        "output",
        "rerun",
        "resume",
        "retry",
        "run",
        "runs",
        "show",
        "why",
    }


@pytest.mark.parametrize("page", GUIDES, ids=_name)
def test_the_links_of_a_guide_lead_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_workflow_of_the_readme_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(
        r"```(yaml|python)\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    workflow = next(text for kind, text in blocks if kind == "yaml")
    code = next(text for kind, text in blocks if kind == "python" and "def fetch" in text)
    (tmp_path / "invoices.py").write_text(code, "utf-8")
    assert load_text(workflow, "invoices.yaml", tmp_path).diagnostics == ()


def test_the_guides_count_the_samples_right(tmp_path: Path) -> None:
    written = copy_samples(str(tmp_path / "demo")).written
    shipped = [path for path in written if "output" not in path.parts]
    told = {
        int(count)
        for page in GUIDES
        for count in re.findall(r"(\d+) sample files written", page.read_text("utf-8"))
    }
    assert told == {len(shipped)}
