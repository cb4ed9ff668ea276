"""What starting the screen puts off until the first picture is there."""

import asyncio
import gc

import pytest

from studio.tui.starting import collect_garbage_after


async def test_garbage_is_looked_for_again_after_the_first_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[str] = []
    # The rest of this process is not to keep its garbage for ever.
    monkeypatch.setattr(gc, "freeze", lambda: kept.append("all"))
    gc.disable()
    try:
        drawn = asyncio.Event()
        waiting = asyncio.create_task(collect_garbage_after(drawn))
        await asyncio.sleep(0)
        assert not gc.isenabled()
        drawn.set()
        await waiting
        assert gc.isenabled()
        assert kept == ["all"]
    finally:
        gc.enable()
