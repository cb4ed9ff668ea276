"""When the row of a run is written anew."""

from studio.engine.rows import ROW_INTERVAL, Rows
from tests.unit.core.driver import Driver, node


def test_counts_alone_wait_but_trouble_and_its_end_do_not() -> None:
    driver = Driver(node("a"), node("b"), node("c"), node("d"), policy="hold", surface="screen")
    rows = Rows()
    assert rows.changed(driver.run(), 0.0) is not None
    driver.finish("a")
    assert rows.changed(driver.run(), ROW_INTERVAL / 4) is None
    assert rows.behind == {driver.run().number}
    driver.fail("b")
    row = rows.changed(driver.run(), ROW_INTERVAL / 2)
    assert row is not None
    assert row.needs == 1
    assert rows.behind == set()
    driver.finish("c")
    assert rows.changed(driver.run(), ROW_INTERVAL / 1.5) is None
