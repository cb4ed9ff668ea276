"""The reference page and the program agree: every command, option and status that one has, the other has too."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from studio import cli
from studio.cli.arguments import make_parser
from studio.cli.catalogue import CATALOGUE, EPILOGUE
from studio.core.transitions import TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"
TEXT = PAGE.read_text("utf-8")

COMMON = {"--help", "--no-color", "--reason", "--actor", "--json", "--plain", "--quiet", "--wait"}
COMMON |= {"--detach", "--state"}
"""Options told once for all commands."""


def options_of(verb: str) -> set[str]:
    """Long options of a verb that are not hidden."""
    module = import_module(f"studio.cli.{CATALOGUE[verb].module}")
    parser = make_parser(verb, CATALOGUE[verb].summary, module.VERBS[verb])
    return {
        max(action.option_strings, key=len)
        for action in parser._actions
        if action.option_strings and action.help != "==SUPPRESS=="
    }


def section_of(verb: str) -> str:
    """What the page says about a verb."""
    for part in re.split(r"^#{2,3} ", TEXT, flags=re.MULTILINE):
        if re.search(rf"`studio {verb}\b", part.splitlines()[0]):
            return part
    raise AssertionError(f"{PAGE.name} has no section about `studio {verb}`")


def test_every_documented_command_exists() -> None:
    named = set(re.findall(r"`studio ([a-z]+)\b", TEXT)) | set(
        re.findall(r"^\$ studio ([a-z]+)", TEXT, re.MULTILINE)
    )
    assert named <= set(CATALOGUE)


@pytest.mark.parametrize("verb", CATALOGUE)
def test_every_command_and_option_is_documented(verb: str) -> None:
    section = section_of(verb)
    missing = {
        option
        for option in options_of(verb) - COMMON
        if option not in section
        and not (option == "--param" and "`-p " in section)
        and not (option == "--follow" and "`-f`" in section)
    }
    assert missing == set()


@pytest.mark.parametrize("verb", CATALOGUE)
def test_no_option_is_documented_that_is_not_there(verb: str) -> None:
    named = set(re.findall(r"`(--[a-z-]+)", section_of(verb)))
    shared = {"output": "input", "hold": "release"}
    assert named <= options_of(verb) | COMMON | options_of(shared.get(verb, verb))


def test_the_exit_statuses_are_those_of_the_program() -> None:
    documented = {int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    program = {
        cli.DONE, cli.FAILED, cli.USAGE, cli.NEEDS_PERSON, cli.REFUSED, cli.INTERRUPTED,
    }  # fmt: skip
    assert documented == program
    assert {int(number) for number in re.findall(r"\b(\d+) [a-z]", EPILOGUE)} == program


def test_every_state_is_documented() -> None:
    assert all(f"`{status}`" in TEXT for status in TRANSITIONS)
