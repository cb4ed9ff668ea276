"""The executors of a studio that comes up on screen: loaded and started once the first picture stands, or a node starts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.errors import ExecutorError
from studio.model.failure import Failure
from studio.ports import AttemptKey, AttemptOrder, AttemptSink, Failed, Outcome
from studio.storage.log_store import LogFolder

if TYPE_CHECKING:
    from studio.executors.registry import Executors


class LateExecutors:
    """Implements `studio.ports.Executor` by executors that do not exist before they are needed.

    A person sees the screen 10 ms sooner for it, and the process for user code does not come up beside it.

    Args:
        logs: where output is kept.
    """

    def __init__(self, logs: LogFolder) -> None:
        self._logs = logs
        self._sink: AttemptSink | None = None
        self._real: Executors | None = None
        self._closed = False

    def begin(self) -> "Executors":
        """Start the executors, if they have not been. Raises `ExecutorError`."""
        if self._real is None:
            from studio.executors.registry import Executors  # lazy: what this class is for

            if self._sink is None or self._closed:
                raise ExecutorError("executors begin between bind and close")
            real = Executors(self._logs)
            real.bind(self._sink)
            real.begin()
            self._real = real
        return self._real

    def bind(self, sink: AttemptSink) -> None:
        """Say where to report to; called once before anything is started."""
        self._sink = sink

    async def open(self) -> None:
        """Nothing yet; see `begin`."""

    def start(self, order: AttemptOrder) -> None:
        """Begin an attempt; what cannot be begun is reported as failed."""
        try:
            real = self.begin()
        except ExecutorError as error:
            assert self._sink is not None, "nothing starts before bind"
            self._sink.finished(order.key, Failed(Failure("ExecutorError", str(error))))
            return
        real.start(order)

    def release(self, key: AttemptKey) -> None:
        """Open the gate of a spawned child."""
        self._with_real(lambda real: real.release(key))

    def cancel(self, key: AttemptKey, grace: float) -> None:
        """End an attempt; does nothing when it is over."""
        self._with_real(lambda real: real.cancel(key, grace))

    def recover(self, pid: int, started: int, result_file: str) -> Outcome | None:
        """Make sure a child of an earlier engine is gone, then look for its result. Safe in a thread."""
        from studio.executors import remains  # lazy: only an engine that died leaves any

        return remains.recover(pid, started, result_file)

    async def close(self) -> None:
        """End every attempt; no process is left."""
        self._closed = True
        if self._real is not None:
            await self._real.close()

    def _with_real(self, do: "Callable[[Executors], None]") -> None:
        if self._real is not None:  # without it no attempt has been begun
            do(self._real)
