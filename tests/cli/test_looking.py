"""Looking: runs, show, history, logs, why, check, graph, schema, new, doctor, and the bare command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio import __version__
from studio.application.screen_options import ScreenOptions
from studio.cli import main
from studio.cli.catalogue import CATALOGUE
from tests.cli.conftest import Studio


def test_help_names_every_verb(studio: Studio) -> None:
    shown = studio("--help").out
    assert all(f"\n  {name} " in shown for name in CATALOGUE)
    assert studio("--version").out == f"studio {__version__}\n"


@pytest.mark.parametrize("verb", CATALOGUE)
def test_every_verb_has_help_with_examples(studio: Studio, verb: str) -> None:
    shown = studio(verb, "--help").out
    assert shown.startswith(f"usage: studio {verb}")
    assert f"examples:\n  studio {verb}" in shown
    assert studio("help", verb).out == shown


def test_an_unknown_verb_is_wrong_use(studio: Studio) -> None:
    assert 'did you mean "runs"?' in studio("rums", expect=2).err
    assert "unrecognized arguments" in studio("--frobnicate", expect=2).err
    assert "unrecognized arguments" in studio("runs", "--frobnicate", expect=2).err


def test_the_bare_command_wants_a_terminal(studio: Studio) -> None:
    shown = studio(expect=2)
    assert "needs a terminal" in shown.err
    assert "usage: studio [PATH]" in shown.err


def test_the_screen_opens_on_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[ScreenOptions] = []

    def open_screen(options: ScreenOptions) -> int:
        opened.append(options)
        return 7

    assert main(["flow.yaml"], open_screen=open_screen) == 2
    assert main(["demo", "play"], open_screen=open_screen) == 0
    assert opened == []
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    words = ["flow.yaml", "--ascii", "--theme", "light", "--no-mouse", "--state", "s"]
    assert main(words, open_screen=open_screen) == 7
    assert main(["demo", "play", "--no-color"], open_screen=open_screen) == 7
    assert opened == [
        ScreenOptions("flow.yaml", "s", "light", ascii=True, mouse=False, colour=True),
        ScreenOptions("play", colour=False),
    ]
    assert main(["absent.yaml"], open_screen=open_screen) == 2


def test_digits_are_the_number_of_a_run_and_no_part_of_an_id(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    run_id = studio("runs", "--json").json[0]["run_id"]
    assert studio("show", run_id[:12]).out.startswith("run 1")
    for digit in "23456789":
        assert "There is no run" in studio("show", digit, expect=2).err


def test_no_runs_yet(studio: Studio) -> None:
    shown = studio("runs")
    assert shown.out == ""
    assert "no runs yet" in shown.err
    assert studio("runs", "--json").json == []
    assert "There is no history" in studio("show", "last", expect=2).err


def test_runs_are_listed_newest_first_and_filtered(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    studio("run", "broken.yaml", "--quiet", expect=1)
    studio("run", "broken.yaml", "--hold", "--quiet", expect=3)
    assert [row["run"] for row in studio("runs", "--json").json] == [3, 2, 1]
    assert [row["run"] for row in studio("runs", "--workflow", "flow", "--json").json] == [1]
    assert [row["run"] for row in studio("runs", "--state", "attention", "--json").json] == [3]
    both = studio("runs", "--state", "failed", "--state", "succeeded", "--json").json
    assert [row["run"] for row in both] == [2, 1]
    assert [row["run"] for row in studio("runs", "--open", "--json").json] == [3]
    assert len(studio("runs", "--limit", "2", "--json").json) == 2
    assert "at least 1" in studio("runs", "--limit", "0", expect=2).err
    table = studio("runs").out.splitlines()
    assert table[0].split() == ["RUN", "STATE", "WORKFLOW", "NODES", "STARTED", "TOOK"]
    assert "needs you" in table[1]
    assert "1 needs you, 1 failed" in table[1]
    assert "no such runs" in studio("runs", "--workflow", "nothing").err


def test_a_row_has_what_scripts_need(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    row = studio("runs", "--json").json[0]
    assert row["workflow"] == "flow"
    assert row["state"] == "succeeded"
    assert row["counts"] == {"succeeded": 2}
    assert row["actor"] == "ada"


def test_show_a_run_and_a_node(studio: Studio) -> None:
    studio("run", "broken.yaml", "--hold", "--quiet", expect=3)
    shown = studio("show", "last").out
    assert shown.startswith("run 1  broken  ◆ needs you")
    assert "studio retry 1 fails" in shown
    node = studio("show", "1", "fails").out
    assert "division by zero" in node
    document = studio("show", "1", "first", "--json").json
    assert document["output"] == {"n": 1}
    assert document["node"] == "first"
    assert (
        "has no node nope; it has first, fails, last" in studio("show", "1", "nope", expect=2).err
    )
    assert "There is no run" in studio("show", "9", expect=2).err


def test_history_in_words_and_as_json(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    lines = studio("history", "1").out.splitlines()
    assert lines[0].split()[0] == "1"
    assert "flow started, by ada" in lines[0]
    events = studio("history", "1", "--json").json
    assert len(events) == len(lines)
    assert [event["event"] for event in events][-1] == "run_finished"
    assert all({"position", "run", "at", "event"} <= set(event) for event in events)


def test_why_a_node_does_not_run(studio: Studio) -> None:
    studio("run", "broken.yaml", "--hold", "--quiet", expect=3)
    assert "waits for fails" in studio("why", "1", "last").out
    document = studio("why", "1", "last", "--json").json
    assert document["state"] == "blocked"
    assert document["reasons"][0]["node"] == "fails"


def test_logs_of_a_run(studio: Studio, folder: Path) -> None:
    (folder / "say.yaml").write_text(
        "workflow: say\nnodes:\n  say: {uses: shell, run: \"printf 'one\\\\ntwo \\\\033[31mred\\\\n'\"}\n"
    )
    studio("run", "say.yaml", "--quiet")
    lines = studio("logs", "1").out.splitlines()
    assert [line.split(None, 1)[1] for line in lines] == ["say  one", "say  two red"]
    document = studio("logs", "1", "say", "--json").json
    assert [line["text"] for line in document] == ["one", "two \x1b[31mred"]
    followed = studio("logs", "last", "-f", "--json").out.splitlines()
    assert [json.loads(line)["node"] for line in followed] == ["say", "say"]
    assert "has no node nope" in studio("logs", "1", "nope", expect=2).err


def test_a_run_that_wrote_nothing(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    assert "has written nothing" in studio("logs", "1").err


def test_check_files_and_folders(studio: Studio, folder: Path) -> None:
    assert "2 of 2 files valid" in studio("check").err
    (folder / "bad.yaml").write_text("workflow: bad\nnodes:\n  a: {uses: noop, needs: b}\n")
    done = studio("check", expect=2)
    assert done.out.startswith("bad.yaml:3:")
    assert "2 of 3 files valid" in done.err
    document = studio("check", "bad.yaml", "flow.yaml", "--json", expect=2).json
    assert document["valid"] is False
    assert [file["valid"] for file in document["files"]] == [False, True]
    problem = document["files"][0]["problems"][0]
    assert (problem["file"], problem["line"], problem["severity"]) == ("bad.yaml", 3, "error")
    (folder / "none").mkdir()
    assert "no workflow files" in studio("check", "none").err


def test_check_looks_into_an_ignored_folder_that_is_named(
    studio: Studio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("studio-demo/\n")
    (folder / "studio-demo").mkdir()
    (folder / "studio-demo" / "bad.yaml").write_text("workflow: bad\nnodes: {a: {needs: b}}\n")
    assert "2 of 2 files valid" in studio("check").err
    assert "0 of 1 file valid" in studio("check", "studio-demo", expect=2).err
    assert "0 of 1 file valid" in studio("check", "studio-demo/bad.yaml", expect=2).err
    monkeypatch.chdir(folder / "studio-demo")
    assert "0 of 1 file valid" in studio("check", expect=2).err


@pytest.mark.parametrize(
    ("format", "begins"),
    [
        ("text", ""),
        ("mermaid", "flowchart TB"),
        ("dot", "digraph"),
        ("svg", "<svg"),
        ("json", "{"),
    ],
)
def test_graphs(studio: Studio, format: str, begins: str) -> None:
    shown = studio("graph", "flow.yaml", "--format", format).out
    assert shown.startswith(begins)
    assert "first" in shown
    assert "second" in shown


def test_graph_in_ascii(studio: Studio) -> None:
    assert studio("graph", "flow.yaml", "--ascii").out.isascii()


def test_schema_is_json_schema(studio: Studio) -> None:
    assert studio("schema").json["$schema"].startswith("https://json-schema.org/")


def test_a_new_workflow_can_be_run(studio: Studio) -> None:
    done = studio("new", "nightly")
    assert done.out == "nightly.yaml\n"
    assert studio("run", "nightly.yaml", "--json").json["state"] == "succeeded"
    assert "exists" in studio("new", "nightly", expect=4).err
    assert (
        'no template "sga"; did you mean "saga"?'
        in studio("new", "x", "--template", "sga", expect=2).err
    )


def test_doctor_replays_every_run(studio: Studio, folder: Path) -> None:
    assert "there is no history yet" in studio("doctor").out
    studio("run", "flow.yaml", "--quiet")
    document = studio("doctor", "--json").json
    assert (document["runs"], document["replayed"], document["problems"]) == (1, 1, [])
    assert studio("doctor").out.splitlines()[-1] == "sound"


def test_doctor_finds_damage(studio: Studio, folder: Path) -> None:
    studio("run", "flow.yaml", "--quiet")
    path = folder / ".studio" / "history.sqlite"
    body = path.read_bytes()
    at = body.index(b"run_started")
    path.write_bytes(body[:at] + b"rum" + body[at + 3 :])
    assert "problem" in studio("doctor", expect=1).out


def test_demo_copies_the_samples_and_keeps_changes(studio: Studio, folder: Path) -> None:
    studio("demo", "play")
    flagship = folder / "play" / "order_saga.yaml"
    original = flagship.read_text()
    flagship.write_text("workflow: mine\nnodes: {a: {uses: noop}}\n")
    assert "left as they were" in studio("demo", "play").err
    assert flagship.read_text() != original
    studio("demo", "play", "--reset")
    assert flagship.read_text() == original


def test_two_runs_are_compared(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    studio("run", "flow.yaml", "--quiet")
    shown = studio("diff", "1", "2").out
    assert shown.startswith("run 1 ")
    assert "\nrun 2 " in shown
    assert shown.rstrip().endswith("the same")
    document = json.loads(studio("diff", "1", "last", "--json").out)
    assert document["runs"] == [1, 2]
    assert document["nodes"] == {}
    assert "no run 9" in studio("diff", "1", "9", expect=2).err
