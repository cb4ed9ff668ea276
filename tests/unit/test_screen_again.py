"""What is asked before done nodes run again, what is offered in each situation, and what an undo leaves."""

import msgspec
import pytest

from studio.core.commands import Compensate, MarkNode, PauseRun, RetryNode, Revise
from studio.core.plan import Plan
from studio.model.nodes import BranchSettings, Case, Edge
from studio.model.policies import Retry
from studio.projections.screen.actions import BY_ID, footer_actions, why_not
from studio.projections.screen.again import (
    doubt_question,
    question,
    retry_warning,
    roots_of,
    runs_again,
)
from studio.projections.screen.consequences import (
    cancel_node_rows,
    outcome_choices,
    skipped_behind,
    undo_left_rows,
    undo_rows,
)
from studio.projections.screen.empty import hint_rows
from studio.projections.screen.menus import node_choices
from studio.projections.screen.news import news_since, standing_of
from studio.projections.screen.rules import Situation
from studio.projections.screen.stale import acts_again, open_questions
from studio.projections.screen.wording import with_keys
from tests.unit.core.driver import Driver, node, undo, workflow


def text(rows: object) -> str:
    """Rows as they are read."""
    assert isinstance(rows, list)
    return "\n".join("".join(part.text for part in row) for row in rows)


def shop() -> Driver:
    """price, then pay (external, with an undo), then mail (external, none), then count; all of it done."""
    driver = Driver(
        node("price"),
        node("pay", "price", side_effects="external", compensate=undo()),
        node("mail", "pay", side_effects="external"),
        node("count", "mail"),
        policy="hold",
        surface="screen",
    )
    driver.finish("price").finish("pay").finish("mail").finish("count")
    return driver


def at(driver: Driver, path: str, **more: object) -> Situation:
    """That node selected in the shown run."""
    run = driver.run()
    return Situation(run, run.nodes[path], path, "flow.yaml", True, **more)  # type: ignore[arg-type]  # as given


def test_only_what_has_acted_is_asked_about() -> None:
    driver = shop()
    run = driver.run()
    assert [path for path in run.nodes if acts_again(run.nodes[path])] == ["pay", "mail"]
    assert question(driver.state, run, "node", "price") is None
    assert question(driver.state, run, "node", "count") is None
    fresh = Driver(node("pay", side_effects="external"))
    assert question(fresh.state, fresh.run(), "node", "pay") is None


def test_the_question_names_the_three_ways_what_becomes_stale_and_what_no_undo_reaches() -> None:
    driver = shop()
    what = question(driver.state, driver.run(), "node", "pay")
    assert what is not None
    assert [(one.value, one.enabled) for one in what.choices] == [
        ("again", True),
        ("undo", True),
        ("keep", True),
    ]
    said = text(what.rows)
    assert "pay  has run and has external effects and has an undo" in said
    assert "become stale: mail, count" in said
    assert "An undo takes back only the newest run of a node: what pay did before stays." in said
    assert "new idempotency key" in what.choices[0].detail
    assert "undoes pay" in what.choices[1].detail


def test_what_declares_no_undo_cannot_be_undone_first() -> None:
    driver = shop()
    what = question(driver.state, driver.run(), "node", "mail")
    assert what is not None
    assert (what.choices[1].enabled, what.choices[1].detail) == (False, "it declares no undo")
    assert "An undo takes back" not in text(what.rows)


def test_what_runs_again_behind_a_harmless_node_is_asked_about_too() -> None:
    driver = shop()
    what = question(driver.state, driver.run(), "downstream", "price")
    assert what is not None
    assert runs_again(driver.run(), "downstream", "price").risky == ["pay", "mail"]
    assert "run again where their input differs: count" in text(what.rows)
    assert runs_again(driver.run(), "from", "mail").risky == ["mail"]


def test_the_engine_indeed_undoes_only_the_newest_run() -> None:
    """The question says so; should the engine learn better, the question has to."""
    driver = shop()
    assert driver.send(RetryNode(run=1, node="pay")) is None
    driver.finish("pay")
    _rows, steps = undo_rows(driver.state, driver.run())
    assert driver.run().nodes["pay"].generation == 2
    assert steps == 1


def test_a_retry_in_another_shell_says_what_it_leaves_behind() -> None:
    run = shop().run()
    said = retry_warning(run, "pay")
    assert said.startswith("pay has run already and has external effects and has an undo")
    assert "an undo takes back only the newest run" in said
    assert "mail, count become stale" in said
    assert retry_warning(run, "price") == ""
    assert retry_warning(run, "nowhere") == ""
    assert "pay, mail have run already" in retry_warning(run, "price", downstream=True)


def test_roots_are_what_follows_none_of_the_others() -> None:
    assert roots_of(shop().run(), ["count", "pay", "mail"]) == ["pay"]


# ----------------------------------------------------------------- stale nodes


def stale() -> Driver:
    """The shop after an edit of pay."""
    driver = shop()
    price, pay, mail, count = (
        node("price"),
        node("pay", "price", side_effects="external", compensate=undo(), input={"rate": 2}),
        node("mail", "pay", side_effects="external"),
        node("count", "mail"),
    )
    plan = Plan(workflow(price, pay, mail, count))
    driver.plans[plan.version] = plan
    assert driver.send(Revise(run=1, version=plan.version)) is None
    return driver


def test_a_stale_step_that_has_acted_is_a_question_until_it_is_answered() -> None:
    driver = stale()
    run = driver.run()
    assert open_questions(run, {}) == ["pay"]
    assert open_questions(run, {"pay": run.nodes["pay"].staled_position}) == []
    assert open_questions(run, {"pay": 1}) == ["pay"], "it became stale anew"


def test_the_question_is_told_once_with_its_key_and_stands_in_the_footer() -> None:
    driver = shop()
    before = standing_of(driver.run())
    driver = stale()
    asks = open_questions(driver.run(), {})
    news = news_since(before, driver.run(), None, asks)
    assert news is not None
    assert news.text.startswith("ctrl+r: run again, undo first, or keep? · pay is stale")
    assert news.kind == "warning"
    again = standing_of(driver.run(), asks)
    assert news_since(again, driver.run(), None, asks) is None
    mine = news_since(before, driver.run(), None, asks, {"rerun": ("f5",)})
    assert mine is not None
    assert mine.text.startswith("f5: ")
    offered = [action.id for action in footer_actions(at(driver, "price", asks=asks))]
    assert offered[0] == "rerun"
    assert "next_need" in offered


def test_a_run_that_ends_with_stale_steps_says_so() -> None:
    driver = stale()
    before = standing_of(driver.run())._replace(ended=False)
    news = news_since(before, driver.run(), None, ["pay"])
    assert news is not None
    assert (news.kind, news.text.endswith("stale: pay, ctrl+r decides")) == ("warning", True)


# ----------------------------------------------------------------- in doubt


def doubtful() -> Driver:
    """A run whose step pay may or may not have acted."""
    driver = Driver(
        node("pay", side_effects="external", compensate=undo()),
        node("after", "pay"),
        surface="screen",
    )
    driver.end("pay", "lost")
    assert driver.run().nodes["pay"].status == "in_doubt"
    return driver


def test_a_doubtful_step_is_asked_about_with_its_key() -> None:
    driver = doubtful()
    what = doubt_question(driver.run(), driver.run().nodes["pay"])
    assert "same idempotency key" in text(what.rows)
    assert [one.value for one in what.choices] == ["again", "outcome", "keep"]
    assert "same idempotency key" in retry_warning(driver.run(), "pay")


def test_the_outcome_menu_of_a_doubtful_step_has_all_four_ways() -> None:
    driver = doubtful()
    choices = {one.value: one for one in outcome_choices(driver.run(), driver.run().nodes["pay"])}
    assert all(choices[name].enabled for name in ("succeeded", "retry", "undo", "failed"))


def test_undo_verbs_name_the_way_out_of_the_doubt() -> None:
    situation = at(doubtful(), "pay")
    assert why_not(situation, BY_ID["undo"]) == (
        "nobody knows whether pay has acted: o says so, or undoes it"
    )
    assert "o on it says so" in (why_not(situation, BY_ID["undo_run"]) or "")
    mine = msgspec.structs.replace(situation, keys={"outcome": ("f6",)})
    assert "f6 says so" in (why_not(mine, BY_ID["undo"]) or "")


# ----------------------------------------------------------------- an undo that fails


def stuck() -> Driver:
    """A run being undone whose undo of b has failed; a is left to undo, side has no undo."""
    driver = Driver(
        node("a", compensate=undo()),
        node("b", "a", compensate=undo(retry=Retry(max_attempts=1))),
        node("side", side_effects="external"),
        surface="screen",
    )
    driver.finish("a").finish("b").finish("side")
    assert driver.send(Compensate(run=1)) is None
    driver.fail("b", undo=True)
    assert driver.run().nodes["b"].status == "compensation_failed"
    return driver


def test_the_menu_of_a_failed_undo_offers_only_what_applies() -> None:
    driver = stuck()
    choices = node_choices(at(driver, "b"))
    enabled = [one.value for one in choices if one.enabled]
    assert enabled == ["retry", "outcome", "edit", "why", "copy"]
    assert (choices[0].label, choices[0].detail) == ("Retry undo", "Run its undo again now")
    reasons = {one.value: one.detail for one in choices if not one.enabled}
    assert (
        reasons["undo"] == "b could not be undone: r runs its undo again, o tells that it is done"
    )
    assert reasons["retry_downstream"].endswith("r runs its undo again")
    offered = [one.id for one in footer_actions(at(driver, "b"))]
    assert offered[:3] == ["retry", "outcome", "edit"]
    assert not {"override_input", "retry_downstream", "breakpoint", "step"} & set(offered)


def test_nothing_forward_is_offered_while_a_run_is_being_undone() -> None:
    driver = stuck()
    for name in ("retry", "step", "run_to", "override_input", "outcome"):
        assert why_not(at(driver, "side"), BY_ID[name]) is not None, name


def test_what_is_left_of_an_undo_can_be_looked_at() -> None:
    driver = stuck()
    assert why_not(at(driver, "a"), BY_ID["undo_run"]) is None
    said = text(undo_left_rows(driver.run()))
    assert "undo failed" in said.splitlines()[0]
    assert said.splitlines()[0].endswith("b")
    assert "not undone yet" in said.splitlines()[1]
    assert "stays, as it declares no undo: side" in said
    assert said.endswith("the run ends as compensated")
    assert driver.send(MarkNode(run=1, node="b", outcome="ignored")) is None
    if driver.run().compensation is not None:
        assert text(undo_left_rows(driver.run())).endswith("the run ends as partly compensated")


def test_a_plan_says_how_the_run_ends_and_what_stays() -> None:
    driver = shop()
    rows, steps = undo_rows(driver.state, driver.run())
    assert steps == 1
    assert "stays, as it declares no undo: mail" in text(rows)
    assert text(rows).endswith("the run ends as compensated")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cancel", "run 1 has ended (succeeded)"),
        ("hold", "run 1 has ended (succeeded)"),
        ("run_to", "run 1 has ended (succeeded)"),
        ("continue_run", "run 1 has ended (succeeded)"),
    ],
)
def test_an_ended_run_says_that_it_has_ended(name: str, said: str) -> None:
    assert why_not(at(shop(), "pay"), BY_ID[name]) == said


def test_an_empty_folder_says_what_it_needs_first() -> None:
    for name in ("breakpoint", "undo_run", "run_to", "pager"):
        said = why_not(Situation(), BY_ID[name]) or ""
        assert "N creates one from a template" in said, name
    broken = Situation(file="flow.yaml", selected=None)
    assert "the workflow file has errors: e opens it" in (why_not(broken, BY_ID["undo_run"]) or "")


def test_a_file_that_does_not_load_is_named_with_its_first_error() -> None:
    finding = 'flow.yaml:3:7: unknown key "{edit_}" in node "a"'
    broken = Situation(file="flow.yaml", problem=finding)
    assert why_not(broken, BY_ID["launch"]) == f"{finding}: e opens it"
    gone = Situation(file="flow.yaml", problem="flow.yaml is gone", known=False)
    assert why_not(gone, BY_ID["launch"]) == "flow.yaml is gone: it cannot be started"


def test_a_paused_run_can_be_continued() -> None:
    driver = Driver(node("a"), node("b", "a"))
    assert driver.send(PauseRun(run=1)) is None
    assert why_not(at(driver, "a"), BY_ID["continue_run"]) is None
    assert why_not(at(driver, "a"), BY_ID["step"]) is None


def test_an_edit_that_waits_is_offered_on_an_ended_run() -> None:
    offered = [one.id for one in footer_actions(at(shop(), "pay", pending=True))]
    assert offered[0] == "revise"


def test_cancelling_a_step_that_may_have_acted_says_what_it_means() -> None:
    driver = Driver(
        node("pay", side_effects="external", compensate=undo()),
        node("after", "pay"),
        node("later", "after"),
        node("other"),
    )
    run = driver.run()
    assert skipped_behind(run, run.nodes["pay"]) == ["after", "later"]
    said = text(cancel_node_rows(run, run.nodes["pay"]))
    assert "what it has done by now stays" in said
    assert "A cancelled node is not undone" in said
    assert "skipped with it: after, later" in said


def test_what_only_a_shell_can_undo_is_told_with_the_whole_command() -> None:
    """No key gives a reason, which a forced undo demands."""
    driver = Driver(
        node("first", compensate=undo()),
        node("last", "first", compensate=undo(), irreversible=True),
    ).finish_all()
    rows, steps = undo_rows(driver.state, driver.run())
    assert steps == 0
    assert with_keys(text(rows), {}) == (
        "last is irreversible and was done last\n"
        "`studio compensate 1 --force --reason TEXT` undoes what comes before it"
    )
    rows, steps = undo_rows(driver.state, driver.run(), ["last"])
    assert "`studio compensate 1 last --force --reason TEXT` goes past it" in text(rows)


def test_a_run_with_stale_nodes_is_not_all_green() -> None:
    driver = shop()
    assert "all green" in text(hint_rows(driver.run(), "shop", [], driven=True))
    assert driver.send(RetryNode(run=1, node="pay")) is None
    driver.finish("pay")
    said = text(hint_rows(driver.run(), "shop", [], driven=True))
    assert "✓ succeeded in " in said
    assert "ctrl+r runs 2 stale again" in said


def test_a_step_says_what_would_make_it_possible() -> None:
    ended = why_not(at(shop(), "price"), BY_ID["step"])
    assert ended == "run 1 has ended (succeeded): ctrl+r runs nodes of it again, L starts another"


def outcomes(driver: Driver, path: str) -> dict[str, str]:
    """What the outcome menu says of every choice."""
    run = driver.run()
    return {one.value: one.detail for one in outcome_choices(run, run.nodes[path])}


def test_the_outcome_menu_tells_what_needs_the_success_from_what_needs_the_failure() -> None:
    driver = Driver(
        node("ship"),
        node("confirm", "ship"),
        node("tell_support", Edge(source="ship", on="failure")),
        node("escalate", "tell_support"),
        node("both", ["confirm", "tell_support"]),
        node("close", ["confirm", "escalate"], join="any"),
        node("archive", Edge(source="ship", on="any"), join="settled"),
    )
    said = outcomes(driver, "ship")
    assert said["succeeded"] == "then confirm, archive, close"
    assert said["skipped"] == "skipped with it: confirm, tell_support, escalate +2"
    driver.finish("ship").finish("confirm").finish("close").finish("archive")
    assert driver.run().nodes["tell_support"].status == "skipped"
    assert driver.run().nodes["both"].status == "skipped"


def test_of_ports_the_menu_says_that_the_port_decides_and_of_an_item_that_it_counts_as_null() -> (
    None
):
    kind = BranchSettings(cases=(Case(port="left", when="true"),), otherwise="right")
    driver = Driver(
        node("choose", kind=kind),
        node("left", Edge(source="choose", port="left")),
        node("right", Edge(source="choose", port="right")),
        policy="hold",
    ).fail("choose")
    assert outcomes(driver, "choose")["succeeded"] == "then by its port left, right"
    items = Driver(node("each", foreach=[1, 2]), node("after", "each"), policy="hold")
    items.fail("each[0]")
    said = outcomes(items, "each[0]")
    assert (said["succeeded"], said["skipped"]) == (
        "then after",
        "it counts as null among the items",
    )
