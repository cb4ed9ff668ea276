"""What of a run is told in a line: new needs and its end, once."""

from studio.projections.screen.news import Standing, news_since, standing_of
from tests.unit.core.driver import Driver, node


def failing() -> tuple[Driver, Standing]:
    """A run with a node that has just failed, and how it stood before."""
    driver = Driver(node("a"), node("b"), node("c", "a"), policy="hold", surface="screen")
    before = standing_of(driver.run())
    driver.fail("b")
    return driver, before


def test_a_failure_is_told_with_the_way_to_it() -> None:
    driver, before = failing()
    news = news_since(before, driver.run(), "a")
    assert news is not None
    assert news.kind == "warning"
    assert news.text.startswith("b failed: ")
    assert news.text.endswith(" · f goes there")


def test_who_looks_at_the_node_needs_no_way_to_it() -> None:
    driver, before = failing()
    news = news_since(before, driver.run(), "b")
    assert news is not None
    assert "f goes there" not in news.text


def test_nothing_is_told_twice_nor_of_a_run_that_was_not_looked_at() -> None:
    driver, _before = failing()
    run = driver.run()
    assert news_since(standing_of(run), run, "a") is None
    assert news_since(None, run, "a") is None
    assert news_since(standing_of(run)._replace(run=99), run, "a") is None


def test_the_end_of_a_run_is_told() -> None:
    driver = Driver(node("a"))
    before = standing_of(driver.run())
    driver.finish("a")
    news = news_since(before, driver.run(), None)
    assert news is not None
    assert news.kind == "good"
    assert news.text.startswith("run 1 succeeded in ")


def test_several_that_need_a_person_are_told_with_those_that_did_before() -> None:
    driver = Driver(*(node(name) for name in "abcdefg"), policy="hold", surface="screen")
    driver.fail("a").fail("b")
    before = standing_of(driver.run())
    driver.fail("c").fail("d")
    news = news_since(before, driver.run(), None)
    assert news is not None
    assert news.text == "c, d need you, and 2 more · f goes there"


def test_escape_sequences_of_an_error_are_dropped() -> None:
    driver = Driver(node("a"), policy="hold", surface="screen")
    before = standing_of(driver.run())
    driver.fail("a", "\x1b[31mRed\x1b[0mAlert")
    news = news_since(before, driver.run(), "a")
    assert news is not None
    assert "RedAlert" in news.text
    assert "[31m" not in news.text
