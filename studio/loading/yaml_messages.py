"""What libyaml means, in words that say what to do."""

from __future__ import annotations

import re
from typing import Any

import yaml

from studio.loading.document import SyntaxProblem

_UNQUOTED_TEMPLATE = r"(?:^|[:\-,\[{])\s+(\{\{)|^\s*(\{\{)"

# libyaml's problem text -> ours. `{context}` is the place where the construct began.
_PROBLEMS = {
    "mapping values are not allowed in this context": (
        'unexpected ":"; put text that holds ": " in quotes, or check the indentation'
    ),
    "block sequence entries are not allowed in this context": (
        'a list cannot begin on this line; put "- " on a line of its own, indented'
    ),
    "block mapping entries are not allowed in this context": (
        "a key cannot begin here; check the indentation"
    ),
    "did not find expected key": (
        "expected a key here; check the indentation, and quotes around text with special characters"
    ),
    "did not find expected '-' indicator": (
        'expected another "- " entry of the list begun at {context}; check the indentation'
    ),
    "did not find expected ',' or ']'": 'expected "," or "]"; the "[" at {context} is not closed',
    "did not find expected ',' or '}'": 'expected "," or "}}"; the "{{" at {context} is not closed',
    "did not find expected <document start>": "nothing may follow the end of the document",
    "did not find expected node content": "a key or value is missing here",
    "found unknown escape character": (
        "unknown escape in a double-quoted text; double the backslash or use single quotes"
    ),
    "found invalid Unicode character escape code": (
        "this escape is not a character; write the character itself"
    ),
    "found incompatible YAML document": "only YAML 1.1 and 1.2 can be read; remove this line",
    "found duplicate %YAML directive": "the %YAML line is there twice; remove one",
    "found unknown directive name": 'a line cannot begin with "%"; put the text in quotes',
}
_INDENT_TABS = (
    "found a tab character where an indentation space is expected",
    "found a tab character that violates indentation",
)


def explain(error: yaml.MarkedYAMLError, text: str) -> SyntaxProblem:
    """The problem of a libyaml error, at the most telling place."""
    problem = (error.problem or error.context or "not readable as YAML").strip()
    mark: Any = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    start: Any = error.context_mark
    began = (start.line + 1, start.column + 1) if start is not None else (line, column)
    if (template := _unquoted_template(text, line)) is not None:
        return SyntaxProblem(
            line, template, 'a template has to stand in quotes: "{{ … }}"', "unquoted-template"
        )
    if problem == "found unexpected end of stream":
        return SyntaxProblem(*began, "the quote that opens here is not closed")
    if problem == "found unexpected document indicator":
        return SyntaxProblem(*began, "the quote that opens here is not closed")
    if problem == "could not find expected ':'":
        return SyntaxProblem(*began, 'expected "key: value" on this line')
    if problem in _INDENT_TABS:
        return SyntaxProblem(line, column, "a tab cannot indent; use spaces")
    if problem == "found character that cannot start any token":
        return SyntaxProblem(line, column, _bad_start(text, line, column))
    known = _PROBLEMS.get(problem)
    if known is None:
        return SyntaxProblem(line, column, f"not readable as YAML: {problem}")
    return SyntaxProblem(line, column, known.format(context=f"line {began[0]}, column {began[1]}"))


def _line_text(text: str, line: int) -> str:
    lines = text.split("\n", line)
    return lines[line - 1] if line <= len(lines) else ""


def _unquoted_template(text: str, line: int) -> int | None:
    """Column of a ``{{`` that begins a value of a line, or None."""
    found = re.search(_UNQUOTED_TEMPLATE, _line_text(text, line))
    if found is None:
        return None
    return (found.start(1) if found.group(1) else found.start(2)) + 1


def _bad_start(text: str, line: int, column: int) -> str:
    character = _line_text(text, line)[column - 1 : column]
    if character == "\t":
        return "a tab cannot indent; use spaces"
    if character in ("@", "`", "%"):
        return f"a value cannot begin with {character}; put it in quotes"
    return "a value cannot begin with this character; put it in quotes"
