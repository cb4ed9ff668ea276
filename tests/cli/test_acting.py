"""Verbs that change a run: steering, mending, undoing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Studio


def held(studio: Studio) -> None:
    """Run 1, with ``fails`` held for a person."""
    studio("run", "broken.yaml", "--hold", "--quiet", expect=3)


def nodes(studio: Studio) -> dict[str, Any]:
    """Nodes of the newest run."""
    found: dict[str, Any] = studio("show", "last", "--json").json["nodes"]
    return found


def test_retry_tries_again_and_fails_again(studio: Studio) -> None:
    held(studio)
    done = studio("retry", "1", "fails", "--reason", "once more", expect=3)
    assert "retry, by ada: once more" in done.out
    assert "first" not in done.out, "what had happened before is not told again"
    assert nodes(studio)["fails"]["state"] == "failed"


def test_retry_goes_by_the_newest_file(studio: Studio, folder: Path) -> None:
    held(studio)
    file = folder / "broken.yaml"
    file.write_text(file.read_text().replace("/ 0", "/ 1"))
    done = studio("retry", "1", "fails")
    assert "revision 2, changed fails" in done.out
    assert nodes(studio)["fails"]["output"] == 1


def test_retry_says_why_it_goes_by_the_old_file(studio: Studio, folder: Path) -> None:
    held(studio)
    file = folder / "broken.yaml"
    file.write_text("workflow: broken\n")
    assert "has errors (`studio check` shows them)" in studio("retry", "1", "fails", expect=3).err
    file.unlink()
    assert "is gone; run 1 goes on" in studio("retry", "1", "fails", expect=3).err


def test_retry_of_a_step_that_has_acted_says_what_that_means(studio: Studio, folder: Path) -> None:
    (folder / "shop.yaml").write_text(
        "workflow: shop\nnodes:\n"
        "  pay: {uses: noop, side_effects: external, compensate: {uses: noop}}\n"
        "  mail: {uses: noop, needs: pay}\n"
    )
    studio("run", "shop.yaml", "--quiet")
    said = studio("retry", "1", "pay").err
    assert "pay has run already and has external effects and has an undo" in said
    assert "an undo takes back only the newest run; mail becomes stale" in said
    assert "has run already" not in studio("retry", "1", "pay", "--quiet").err
    assert "has run already" not in studio("retry", "1", "mail").err


def test_retry_with_an_input(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    document = studio("retry", "1", "second", "--input", '{"mine": true}', "--json").json
    assert document["nodes"]["second"]["output"] == {"mine": True}
    assert document["nodes"]["second"]["marks"] == ["overridden"]


def test_retry_downstream_runs_what_follows(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    studio("retry", "1", "first", "--downstream")
    assert nodes(studio)["second"]["state"] in ("succeeded", "reused")


@pytest.mark.parametrize(
    ("outcome", "status", "state"),
    [
        (("succeeded", "--output", '{"n": 5}'), 0, "succeeded"),
        (("skipped",), 0, "succeeded"),
        (("ignored",), 0, "succeeded"),
        (("failed",), 1, "failed"),
    ],
)
def test_mark(studio: Studio, outcome: tuple[str, ...], status: int, state: str) -> None:
    held(studio)
    studio("mark", "1", "fails", *outcome, expect=status)
    assert studio("show", "1", "--json").json["state"] == state


def test_mark_needs_json(studio: Studio) -> None:
    held(studio)
    assert (
        "the output is not JSON"
        in studio("mark", "1", "fails", "succeeded", "--output", "{n: 5}", expect=2).err
    )
    assert "`succeeded` only" in studio("mark", "1", "fails", "failed", "--port", "x", expect=2).err


def test_output_and_its_revert(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    studio("output", "1", "first", '{"name": "eve"}')
    assert nodes(studio)["first"]["output"] == {"name": "eve"}
    assert nodes(studio)["second"]["marks"] == ["stale"]
    studio("rerun", "1")
    assert nodes(studio)["second"]["output"]["seen"] == {"name": "eve"}
    studio("output", "1", "first", "--revert")
    assert nodes(studio)["first"]["output"] == {"name": "ada", "count": 1}
    assert "either a JSON value" in studio("output", "1", "first", expect=2).err


def test_input_and_its_revert(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    studio("input", "1", "second", '{"n": [1, 2]}')
    assert studio("show", "1", "second", "--json").json["input"] == {"n": [1, 2]}
    assert "is a mapping" in studio("input", "1", "second", "[1, 2]", expect=4).err
    studio("input", "1", "second", "--revert")
    assert "is not overridden" in studio("input", "1", "second", "--revert", expect=4).err


def test_hold_and_release(studio: Studio) -> None:
    studio("run", "flow.yaml", "--until", "first", "--quiet", expect=3)
    studio("hold", "1", "second")
    done = studio("continue", "1", expect=3)
    assert "studio release 1 second" in done.err
    assert studio("release", "1", "second", "--json").json["state"] == "succeeded"
    assert "run 1 has ended" in studio("release", "1", "second", expect=4).err


def test_pause_and_resume(studio: Studio) -> None:
    held(studio)
    studio("pause", "1")
    assert studio("runs", "--state", "paused", "--json").json[0]["run"] == 1
    assert studio("show", "1", "--json").json["paused"] is True
    assert "`resume` lets it go on" in studio("pause", "1", expect=4).err.replace(
        "Resume", "resume"
    )
    assert "run 1 is paused" in studio("resume").err
    studio("resume", "1", expect=3)
    assert studio("show", "1", "--json").json["paused"] is False


def test_cancel_a_run(studio: Studio) -> None:
    held(studio)
    assert studio("cancel", "1", "--json").json["state"] == "cancelled"
    assert "it has ended (cancelled)" in studio("cancel", "1", expect=4).err


def test_cancel_a_node(studio: Studio) -> None:
    studio("run", "flow.yaml", "--until", "first", "--quiet", expect=3)
    studio("cancel", "1", "second", expect=None)
    assert nodes(studio)["second"]["state"] == "cancelled"


def test_breakpoint_step_and_continue(studio: Studio) -> None:
    studio("run", "flow.yaml", "--until", "first", "--quiet", expect=3)
    studio("breakpoint", "1", "second", "--when", "1 > 0")
    assert (
        "condition cannot be read"
        in studio("breakpoint", "1", "second", "--when", "1 >", expect=4).err
    )
    studio("continue", "1", expect=3)
    assert nodes(studio)["second"]["reason"] == "stopped at a breakpoint"
    assert studio("continue", "1", "second", "--json").json["state"] == "succeeded"


def test_clear_a_breakpoint(studio: Studio) -> None:
    studio("run", "flow.yaml", "--until", "first", "--quiet", expect=3)
    studio("breakpoint", "1", "second")
    studio("breakpoint", "1", "second", "--clear")
    assert studio("continue", "1", "--json").json["state"] == "succeeded"


def test_step_one_node(studio: Studio) -> None:
    studio("run", "flow.yaml", "--until", "first", "--quiet", expect=3)
    assert studio("step", "1", "--until", "second", "--json").json["state"] == "succeeded"
    assert (
        "neither NODE nor --wave"
        in studio("step", "1", "second", "--until", "second", expect=2).err
    )


def test_compensate_plan_then_do_it(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    plan = studio("compensate", "1", "--plan", "--json").json
    assert plan == {
        "run": 1,
        "steps": [
            {"step": 1, "node": "second", "attempt": 1, "undo": "noop", "barrier": False},
            {"step": 2, "node": "first", "attempt": 1, "undo": "noop", "barrier": False},
        ],
    }
    assert (
        studio("compensate", "1", "--plan").out.splitlines()[0].strip() == "1  undo second by noop"
    )
    refused = studio("compensate", "1", "first", "--plan", expect=4)
    assert "still holds effects" in refused.err
    document = studio("compensate", "1", "--json").json
    assert document["state"] == "compensated"
    assert "nothing left to undo" in studio("compensate", "1", expect=4).err
    again = studio("compensate", "1", "--plan", "--json")
    assert again.json == {"run": 1, "steps": []}
    assert "nothing left to undo" in again.err


def test_force_needs_a_reason(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    assert "--reason TEXT" in studio("compensate", "1", "--force", expect=4).err
    studio("compensate", "1", "--force", "--reason", "asked for")


def test_a_plan_names_what_it_asks_first(studio: Studio, folder: Path) -> None:
    (folder / "doubt.yaml").write_text(
        "workflow: doubt\n"
        "nodes:\n"
        "  a: {uses: noop, compensate: {uses: noop}}\n"
        "  t: {uses: shell, needs: a, run: sleep 9, timeout: 50ms, compensate: {uses: noop}}\n"
    )
    studio("run", "doubt.yaml", "--hold", "--quiet", expect=3)
    plan = studio("compensate", "1", "--plan").out.splitlines()
    assert plan[0].split()[:6] == ["?", "t", "may", "have", "acted", "before"]
    assert plan[1].split() == ["1", "undo", "a", "by", "noop"]
    studio("compensate", "1", expect=3)
    # The compensation was asked for by hand: the verb that lets it be completed succeeds.
    studio("mark", "1", "t", "succeeded")
    assert {entry["state"] for entry in nodes(studio).values()} == {"compensated"}


@pytest.mark.parametrize(("by_hand", "status"), [(True, 0), (False, 1)])
def test_what_completes_an_undo_by_hand_succeeds(
    studio: Studio, folder: Path, by_hand: bool, status: int
) -> None:
    after = "" if by_hand else "  z: {uses: shell, needs: a, run: exit 1}\n"
    (folder / "saga.yaml").write_text(
        "workflow: saga\n"
        "nodes:\n"
        "  a: {uses: noop, compensate: {uses: shell, run: test -e ok, retry: {strategy: none}}}\n"
        + after
    )
    if by_hand:
        studio("run", "saga.yaml", "--quiet")
        studio("compensate", "1", "--quiet", expect=3)
    else:
        studio("run", "saga.yaml", "--quiet", expect=3)
    (folder / "ok").touch()
    studio("retry", "1", "a", expect=status)
    assert nodes(studio)["a"]["state"] == "compensated"


def test_compensate_one_node(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    done = studio("compensate", "1", "second")
    assert "⟲ second" in done.out
    assert nodes(studio)["first"]["state"] == "succeeded"


def test_rerun_from_a_node_and_afresh(studio: Studio) -> None:
    studio("run", "flow.yaml", "-p", "name=bob", "--quiet")
    assert "no node of run 1 is stale" in studio("rerun", "1", expect=4).err
    document = studio("rerun", "1", "--from", "second", "--json").json
    assert document["nodes"]["second"]["attempts"] == 2
    afresh = studio("rerun", "1", "--all", "--json").json
    assert afresh["run"] == 2
    assert afresh["params"]["name"] == "bob"
    assert afresh["nodes"]["second"]["output"]["seen"]["name"] == "bob"


def test_detach_only_records(studio: Studio) -> None:
    studio("run", "flow.yaml", "--until", "first", "--quiet", expect=3)
    done = studio("continue", "1", "--detach")
    assert "recorded" in done.err
    assert nodes(studio)["second"]["state"] != "succeeded"
    assert studio("resume", "1", "--json").json["state"] == "succeeded"


def test_a_detached_run_is_carried_out_later(studio: Studio) -> None:
    assert "`studio resume 1` carries it out" in studio("run", "flow.yaml", "--detach").err
    assert studio("show", "1", "--json").json["state"] == "running"
    assert studio("resume", "1", "--json").json["state"] == "succeeded"


def test_several_interrupted_runs_are_taken_up_together(studio: Studio) -> None:
    studio("run", "flow.yaml", "--detach")
    studio("run", "flow.yaml", "--detach")
    held = studio("run", "broken.yaml", "--hold", expect=3)
    assert "run 3 needs you" in held.err
    done = studio("resume")
    assert {line.split()[0] for line in done.out.splitlines()} >= {"#1", "#2"}
    assert "run 3 needs you; `studio show 3`" in done.err
    studio("run", "flow.yaml", "--detach")
    studio("run", "flow.yaml", "--detach")
    assert [one["run"] for one in studio("resume", "--json").json] == [4, 5]


def test_compensating_a_held_run_ends_it(studio: Studio, folder: Path) -> None:
    file = folder / "broken.yaml"
    text = file.read_text()
    file.write_text(text.replace("with: {n: 1}}", "with: {n: 1}, compensate: {uses: noop}}"))
    studio("run", "broken.yaml", "--hold", "--quiet", expect=3)
    assert studio("compensate", "1", "--json").json["state"] == "compensated"
    assert studio("run", "broken.yaml", expect=1).out.splitlines()[-1].split()[2:5] == [
        "run", "2", "compensated",
    ]  # fmt: skip


def test_refusals_say_why_and_what_helps(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    refused = studio("mark", "1", "second", "skipped", expect=4)
    assert refused.err.startswith("studio: cannot skip second: it has already succeeded. ")
    assert "`studio output 1 second JSON`" in refused.err
    assert "run 1 has no node nope" in studio("hold", "1", "nope", expect=2).err
    assert "There is no run" in studio("hold", "7", "second", expect=2).err


def test_nothing_is_made_for_a_run_that_is_not_there(studio: Studio, folder: Path) -> None:
    studio("retry", "1", "second", expect=2)
    assert not (folder / ".studio").exists()


def test_the_actor_is_recorded(studio: Studio) -> None:
    held(studio)
    studio("hold", "1", "last", "--actor", "grace")
    assert "by grace" in studio("history", "1").out


def test_nothing_to_undo_is_a_plan_without_steps(studio: Studio) -> None:
    studio("run", "flow.yaml", "--quiet")
    studio("compensate", "1", "--quiet")
    assert studio("compensate", "1", "--plan", "--json").json == {"run": 1, "steps": []}
    assert "nothing left to undo" in studio("compensate", "1", "--plan").err


@pytest.mark.parametrize(
    "words",
    [
        ("show", "1", "nope"),
        ("why", "1", "nope"),
        ("retry", "1", "nope"),
        ("rerun", "1", "--from", "nope"),
        ("compensate", "1", "nope"),
        ("compensate", "1", "nope", "--plan"),
        ("run", "flow.yaml", "--until", "nope"),
    ],
)
def test_a_node_that_is_not_there_is_one_thing_everywhere(
    studio: Studio, words: tuple[str, ...]
) -> None:
    studio("run", "flow.yaml", "--quiet")
    assert "no node nope" in studio(*words, expect=2).err


def test_what_an_engine_left_behind_is_told_from_what_runs(studio: Studio) -> None:
    studio("run", "flow.yaml", "--detach")
    assert nodes(studio)["first"]["attempts"] == 0
    why = studio("why", "1", "first").out
    assert "nobody drives run 1; `studio resume 1` goes on with the run" in why
