"""Actions that send verbs to the engine."""

from typing import TYPE_CHECKING

from studio.application import verbs

if TYPE_CHECKING:
    from studio.tui.screens.main import MainScreen


async def retry(screen: "MainScreen") -> None:
    """Run the selected node again."""
    run, node = screen.target()
    await screen.send(verbs.retry(run, node), f"{node} runs again")


async def retry_downstream(screen: "MainScreen") -> None:
    """Retry the node, and what follows if its input differs."""
    run, node = screen.target()
    await screen.send(verbs.retry(run, node, downstream=True), f"{node} and what follows run again")


async def launch(screen: "MainScreen") -> None:
    """Start a run of the shown workflow."""
    session = screen.session
    if session.shown_file is not None:
        number = await session.launch(session.shown_file, {})
        screen.notice(f"run {number} started", "good")


VERBS = {"retry": retry, "retry_downstream": retry_downstream, "launch": launch}
