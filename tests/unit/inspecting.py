"""A node under inspection, made by driving the pure core."""

from __future__ import annotations

from studio.projections.masking import Mask, mask_run
from studio.projections.screen.inspecting.subject import Subject
from tests.unit.core.driver import Driver


def clock(at: float) -> str:
    """A moment as seconds since the driver's start: tests know no time zone."""
    return f"t{at - 1_000_000:.0f}"


def subject(driver: Driver, path: str, *, width: int = 40, ascii: bool = False) -> Subject:
    """The subject for a node of the driver's first run."""
    run = driver.run()
    return Subject(
        path,
        run.plan,
        run,
        driver.state,
        driver.now,
        width,
        clock,
        mask_run(driver.state, run),
        ascii,
    )


def unstarted(driver: Driver, path: str, *, width: int = 40) -> Subject:
    """The subject for a node of the driver's definition, without a run."""
    return Subject(path, driver.run().plan, None, None, driver.now, width, clock, Mask(None, {}))


def texts(rows: object) -> list[str]:
    """Rows as plain text."""
    return ["".join(part.text for part in row).rstrip() for row in rows]  # type: ignore[attr-defined]  # rows of Segments
