"""The workflow language, clause by clause: every case is a file that users could have written, run as they would run it.

The cases stand in ``language_cases/``, one YAML file per theme. A case of a run names the workflow, the files beside it,
the command line and what the final document must say; a case of ``bad_files.yaml`` names the text that the message must
point to. Texts that begin with ``~`` are patterns.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from studio.cli import main

CASES = Path(__file__).parent / "language_cases"
Case = dict[str, Any]


def _cases(theme: str) -> list[Any]:
    """The cases of one theme, as parameters named after them."""
    listed = yaml.load(
        (CASES / f"{theme}.yaml").read_text(encoding="utf-8"), Loader=yaml.SafeLoader
    )
    return [pytest.param(case, id=f"{theme}-{case['name']}") for case in listed]


RUNS = [
    case
    for theme in ("edges", "failure", "foreach", "kinds", "params", "compensation", "gates")
    for case in _cases(theme)
]
EXPRESSIONS = _cases("expressions")
BAD = _cases("bad_files")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with nothing of the machine's own settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STUDIO_STATE", raising=False)
    return tmp_path


def _write(folder: Path, case: Case) -> str:
    """Write the case's files; the name of its workflow file."""
    for name, text in case.get("files", {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    name = f"flow.{case.get('format', 'yaml')}"
    (folder / name).write_text(case["workflow"], encoding="utf-8")
    return name


def _agrees(expected: Any, actual: Any, *, exact: bool = False) -> bool:
    """Whether ``actual`` is what the case wrote: a text with ``~`` is a pattern, outside outputs a list offers choices."""
    if isinstance(expected, str) and expected.startswith("~"):
        return (
            re.search(
                expected[1:], actual if isinstance(actual, str) else json.dumps(actual), re.DOTALL
            )
            is not None
        )
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys_agree = set(expected) == set(actual) if exact else set(expected) <= set(actual)
        return keys_agree and all(
            _agrees(value, actual[key], exact=exact or key == "output")
            for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(
            _agrees(e, a, exact=exact) for e, a in zip(expected, actual, strict=True)
        )
    if isinstance(expected, list) and not exact:
        return actual in expected
    return bool(expected == actual)


def _node_faults(case: Case, nodes: dict[str, Any]) -> list[str]:
    faults = []
    for node, expected in case.get("nodes", {}).items():
        wanted = {"state": expected} if isinstance(expected, str) else (expected or {})
        actual = nodes.get(node)
        if actual is None:
            faults.append(f"{node} is not in the document")
        elif not _agrees(wanted, actual):
            faults.append(f"{node}: expected {wanted}, got {actual}")
    return faults


def _file_faults(case: Case, folder: Path) -> list[str]:
    faults = [
        f"{name} should not exist" for name in case.get("missing", ()) if (folder / name).exists()
    ]
    for name, text in case.get("reads", {}).items():
        path = folder / name
        found = path.read_text(encoding="utf-8") if path.exists() else None
        if found != text:
            faults.append(f"{name}: expected {text!r}, found {found!r}")
    return faults


def _document_faults(case: Case, document: dict[str, Any]) -> list[str]:
    state = case.get("state", "succeeded" if case.get("exit", 0) == 0 else None)
    wanted = {"degraded": case.get("degraded", False)} | ({"state": state} if state else {})
    wanted |= {key: case[key] for key in ("outputs", "message") if key in case}
    return [
        f"{key}: expected {value!r}, got {document.get(key)!r}"
        for key, value in wanted.items()
        if not _agrees(value, document.get(key), exact=key == "outputs")
    ]


@pytest.mark.parametrize("case", RUNS)
def test_a_run_is_what_the_language_says(
    case: Case, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in case.get("environ", {}).items():
        monkeypatch.setenv(name, value)
    file = _write(folder, case)
    status = main(["run", file, "--json", *case.get("args", [])])
    out, err = capsys.readouterr()
    wanted = case.get("exit", 0)
    told = f"status {status}\n{err}\n{out}"
    assert status in (wanted if isinstance(wanted, list) else [wanted]), told
    assert re.search(case.get("stderr", ""), err), told
    assert not [text for text in case.get("absent", ()) if text in out + err], told
    if "nodes" not in case and wanted != 0:
        assert "Traceback" not in err, told
        return
    document = json.loads(out)
    faults = (
        _document_faults(case, document)
        + _node_faults(case, document["nodes"])
        + _file_faults(case, folder)
    )
    assert not faults, "\n".join([*faults, err])


def _one_node_each(case: Case) -> tuple[dict[str, str], str]:
    """A workflow with one transform per expression; the expression of each node, and the text."""
    expressions = [*case.get("values", {}), *case.get("errors", {})]
    names = {f"n{index}": expression for index, expression in enumerate(expressions)}
    nodes: dict[str, Any] = {"src": {"uses": "noop", "with": {"rows": [{"id": 1}, {"id": 2}]}}}
    nodes |= {
        name: {"uses": "transform", "needs": "src", "value": text} for name, text in names.items()
    }
    return names, json.dumps({"workflow": "w", "on_failure": "continue", "nodes": nodes}, indent=1)


@pytest.mark.parametrize("case", [case for case in EXPRESSIONS if "workflow" not in case.values[0]])
def test_expressions_have_the_value_the_language_says(
    case: Case, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, text = _one_node_each(case)
    file = _write(folder, {"workflow": text, "format": "json"})
    main(["run", file, "--json"])
    out, err = capsys.readouterr()
    assert out, err
    nodes = json.loads(out)["nodes"]
    faults = []
    for name, expression in names.items():
        if expression in case.get("values", {}):
            if not _agrees(
                {"state": "succeeded", "output": case["values"][expression]}, nodes[name]
            ):
                faults.append(
                    f"{expression}: expected {case['values'][expression]!r}, got {nodes[name]}"
                )
        elif not re.search(
            case["errors"][expression], (nodes[name]["error"] or {}).get("message", "<no error>")
        ):
            faults.append(
                f"{expression}: expected an error with {case['errors'][expression]!r}, got {nodes[name]}"
            )
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("case", [case for case in EXPRESSIONS if "workflow" in case.values[0]])
def test_templates_keep_types(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", _write(folder, case), "--json"]) == 0, capsys.readouterr().err
    faults = _node_faults(case, json.loads(capsys.readouterr().out)["nodes"])
    assert not faults, "\n".join(faults)


MODES = """
workflow: modes
nodes:
  a: {uses: noop, with: {n: 1}}
  b: {uses: shell, needs: a, run: echo hi, output: text}
outputs: {said: "{{ nodes.b.output }}"}
"""
DOCUMENT = {
    "run",
    "workflow",
    "version",
    "state",
    "paused",
    "outputs",
    "started_at",
    "finished_at",
    "nodes",
}
NODE = {"state", "attempts", "output", "error", "marks", "started_at", "finished_at"}


def test_the_document_has_the_keys_of_the_design(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", _write(folder, {"workflow": MODES}), "--json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert set(document) >= DOCUMENT
    assert all(set(node) >= NODE for node in document["nodes"].values())
    assert main(["show", "last", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == document


def test_events_are_json_lines_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", _write(folder, {"workflow": MODES}), "--events"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))
    assert (events[0]["event"], events[-1]["event"]) == ("run_started", "run_finished")


SENSITIVE = """
workflow: sens
parameters: {card: {type: string, sensitive: true}}
nodes:
  a:
    uses: python
    with: {c: "{{ params.card }}"}
    code: "print('card', c); return {'password': 'hunter' + '2', 'c': c}"
    sensitive: [password]
  b:
    uses: shell
    needs: a
    env: {P: "{{ nodes.a.output.password }}"}
    run: 'echo "p=$P"; echo "err $P" >&2; exit 3'
outputs: {p: "{{ nodes.a.output.password }}"}
"""


def test_sensitive_values_are_covered_in_every_view(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write(folder, {"workflow": SENSITIVE})
    views = [
        ["run", file, "-p", "card=4111222233334444", mode]
        for mode in ("--json", "--events", "--plain")
    ]
    views += [
        ["show", "last"],
        ["show", "last", "a", "--json"],
        ["why", "last", "b"],
        ["history", "last"],
    ]
    views += [
        ["history", "last", "--json"],
        ["logs", "last"],
        ["logs", "last", "--json"],
        ["logs", "last", "-f"],
    ]
    for view in views:
        main(view)
        out, err = capsys.readouterr()
        assert out
        assert not re.search("4111222233334444|hunter2", out + err), view


def test_quiet_prints_nothing_and_plain_a_line_per_change(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write(folder, {"workflow": MODES})
    assert main(["run", file, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["run", file, "--plain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [tuple(line.split()[2:4]) for line in lines[1:5]]
    assert told == [("a", "running"), ("a", "succeeded"), ("b", "running"), ("b", "succeeded")]
    assert lines[-1] == 'outputs {"said": "hi"}'


def _places(text: str, at: str | list[str]) -> set[tuple[int, int]]:
    """Line and column, from 1, of the first place of each text."""
    found = set()
    for piece in [at] if isinstance(at, str) else at:
        offset = text.find(piece)
        if offset >= 0:
            found.add(
                (text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1)
            )
    return found


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_told_with_its_place_and_what_to_do(
    case: Case, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write(folder, case)
    status = main(["check", file])
    out, err = capsys.readouterr()
    told = f"status {status}\n{out}{err}"
    assert status == 2, told
    assert "Traceback" not in out + err, told
    match = re.search(rf"^(?:.*/)?{re.escape(file)}:(\d+):(\d+): (.+)$", out + err, re.MULTILINE)
    assert match, told
    if not case.get("loose"):
        assert (int(match[1]), int(match[2])) in _places(case["workflow"], case["at"]), told
    assert re.search(case["says"], match[3]), told
    assert main(["run", file, "--json"]) == 2
