"""``studio run``: progress, documents, parameters, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Studio


def test_progress_is_one_line_per_change_of_state(studio: Studio) -> None:
    done = studio("run", "flow.yaml")
    lines = [line.split(None, 1)[1] for line in done.out.splitlines()]
    heads = [" ".join(line.split()[:3]) for line in lines]
    assert heads[:5] == [
        "● run 1",
        "● first running",
        "✓ first succeeded",
        "● second running",
        "✓ second succeeded",
    ]
    assert heads[5] == "✓ run 1"
    assert lines[-1] == '{"seen": {"name": "ada", "count": 1}}'
    assert done.err == ""


def test_the_document_at_the_end(studio: Studio) -> None:
    found = studio("run", "flow.yaml", "--json").json
    assert (found["run"], found["workflow"], found["state"]) == (1, "flow", "succeeded")
    assert found["outputs"] == {"seen": {"name": "ada", "count": 1}}
    assert found["nodes"]["second"]["output"]["card"] == "•••"
    assert studio("show", "1", "--json").json == found


def test_events_are_json_lines(studio: Studio) -> None:
    done = studio("run", "flow.yaml", "--events")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[0]["params"]["card"] == "•••"
    assert events[-1]["event"] == "run_finished"
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert "tok_visa" not in done.out


def test_quiet_prints_nothing(studio: Studio) -> None:
    done = studio("run", "flow.yaml", "--quiet")
    assert (done.out, done.err) == ("", "")


def test_parameters_are_read_by_their_type(studio: Studio, folder: Path) -> None:
    (folder / "params.json").write_text('{"name": "bob", "count": 2}')
    done = studio("run", "flow.yaml", "--params", "params.json", "-p", "count=7", "--json")
    assert done.json["outputs"]["seen"] == {"name": "bob", "count": 7}
    (folder / "params.yaml").write_text("name: eve\n")
    done = studio("run", "flow.yaml", "--params", "params.yaml", "--json")
    assert done.json["params"]["name"] == "eve"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-p", "nmae=x"), 'has no parameter "nmae"; did you mean "name"?'),
        (("-p", "count=many"), "takes a whole number"),
        (("-p", "count=-1"), "less than the minimum"),
        (("-p", "count"), "given as name=value"),
        (("--params", "absent.json"), "absent.json: cannot be read"),
        (("--params", "flow.txt"), "flow.txt:1:"),
        (("--until", "nowhere"), "has no node nowhere"),
    ],
)
def test_wrong_use_starts_nothing(
    studio: Studio, folder: Path, words: tuple[str, ...], says: str
) -> None:
    (folder / "flow.txt").write_text("not json")
    done = studio("run", "flow.yaml", *words, expect=None)
    assert done.status in (2, 4)
    assert says in done.err
    assert studio("runs", "--json").json == []


def test_a_bad_file_is_told_with_its_places(studio: Studio, folder: Path) -> None:
    (folder / "bad.yaml").write_text("workflow: bad\nnodes:\n  a: {uses: noop, needs: b}\n")
    done = studio("run", "bad.yaml", expect=2)
    assert done.err.startswith("bad.yaml:3:")
    assert '"b"' in done.err
    assert studio("run", "absent.yaml", expect=2).err.startswith("absent.yaml:1:1: cannot be read")


def test_a_failure_is_status_one_and_says_how_to_look(studio: Studio) -> None:
    done = studio("run", "broken.yaml", expect=1)
    assert "✗ fails" in done.out
    assert "`studio show 1`" in done.err


def test_hold_leaves_the_failure_to_a_person(studio: Studio) -> None:
    done = studio("run", "broken.yaml", "--hold", expect=3)
    assert "run 1 needs you" in done.err
    assert "studio retry 1 fails" in done.err


def test_until_stops_behind_the_node(studio: Studio) -> None:
    done = studio("run", "flow.yaml", "--until", "first", "--json", expect=3)
    assert done.json["nodes"]["first"]["state"] == "succeeded"
    assert done.json["nodes"]["second"]["state"] in ("held", "ready", "blocked")
    assert studio("continue", "1", "--json").json["state"] == "succeeded"


def test_state_lies_beside_the_file_unless_told_otherwise(studio: Studio, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "flow.yaml").rename(folder / "sub" / "flow.yaml")
    done = studio("run", "sub/flow.yaml", "-p", "count=1", "--quiet")
    assert (folder / "sub" / ".studio").is_dir()
    assert not (folder / ".studio").exists()
    studio("run", "sub/flow.yaml", "--state", "elsewhere", "--quiet")
    assert studio("runs", "--state", "elsewhere", "--json").json[0]["run"] == 1
    assert done.status == 0


def test_hints_name_another_state_folder(studio: Studio, folder: Path) -> None:
    done = studio("run", "broken.yaml", "--state", "other", expect=1)
    assert "`studio show 1 --state other`" in done.err


def test_a_state_folder_that_cannot_be_is_told(studio: Studio) -> None:
    done = studio("run", "flow.yaml", "--state", "broken.yaml", expect=1)
    assert done.err.startswith("studio: The state folder")
    assert "broken.yaml" in done.err


def test_colour_only_where_it_is_seen(studio: Studio) -> None:
    assert "\x1b" not in studio("run", "flow.yaml").out


def test_what_is_odd_in_the_file_is_told(studio: Studio, folder: Path) -> None:
    (folder / "m.py").write_text("def f(x=1):\n    return x\n")
    text = 'workflow: odd\nnodes: {a: {uses: python, call: "m:f", with: {y: 2}}}\n'
    (folder / "odd.yaml").write_text(text)
    warning = 'odd.yaml:2:47: warning: f takes no argument "y"'
    assert studio("check", "odd.yaml").out.startswith(warning)
    assert studio("run", "odd.yaml", expect=1).err.startswith(warning)
    assert warning not in studio("run", "odd.yaml", "--quiet", expect=1).err


def test_expressions_read_the_environment_of_the_sender_once(
    studio: Studio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITY", "Porto")
    monkeypatch.setenv("LAND", "elsewhere")
    (folder / "env.yaml").write_text(
        "workflow: env\nenv: {LAND: own}\nnodes:\n"
        "  a: {uses: wait, for: 0}\n"
        '  b: {uses: noop, needs: a, breakpoint: before, with: {x: "{{ env.CITY }} {{ env.LAND }}", y: "{{ env.NONE_SUCH }}"}}\n'
    )
    studio("run", "env.yaml", expect=3)
    monkeypatch.setenv("CITY", "Bern")
    found = studio("continue", "1", "b", "--json").json
    assert found["nodes"]["b"]["output"] == {"x": "Porto own", "y": None}
