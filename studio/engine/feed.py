"""What the engine tells whoever listens: committed records, and passing news that is not kept."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from studio.core.events import Record
from studio.ports import AttemptKey, LogLine


class Progress(msgspec.Struct, frozen=True):
    """A node told how far it is; not part of the history."""

    key: AttemptKey
    fraction: float | None
    message: str


class Logged(msgspec.Struct, frozen=True):
    """Lines an attempt wrote; they are in the log store as well."""

    key: AttemptKey
    lines: Sequence[LogLine]


class StorageNews(msgspec.Struct, frozen=True):
    """Storage stopped taking records, or takes them again."""

    paused: bool
    message: str


class EngineFailed(msgspec.Struct, frozen=True):
    """A defect ended the engine; nothing more will come."""

    message: str


News: TypeAlias = Progress | Logged | StorageNews | EngineFailed
OnRecords: TypeAlias = Callable[[Sequence[Record]], None]
OnNews: TypeAlias = Callable[[News], None]


class Feed:
    """Passes records and news on to subscribers, in order.

    A subscriber must return at once (append to its own queue); one that raises is dropped and its error is
    kept, so that it can neither stop the engine nor fail in silence.
    """

    def __init__(self) -> None:
        self._records: dict[int, OnRecords] = {}
        self._news: dict[int, OnNews] = {}
        self._next = 0
        self.failures: list[str] = []

    def subscribe(
        self, on_records: OnRecords | None = None, on_news: OnNews | None = None
    ) -> Callable[[], None]:
        """Listen from now on. Returns a function that ends the subscription."""
        self._next += 1
        number = self._next
        if on_records is not None:
            self._records[number] = on_records
        if on_news is not None:
            self._news[number] = on_news

        def unsubscribe() -> None:
            self._records.pop(number, None)
            self._news.pop(number, None)

        return unsubscribe

    def publish(self, records: Sequence[Record]) -> None:
        """Tell of records that are on disk; none at the end of a turn that made no fact."""
        for number, listener in list(self._records.items()):
            try:
                listener(records)
            except Exception as error:
                self._drop(number, error)

    def tell(self, news: News) -> None:
        """Tell passing news."""
        for number, listener in list(self._news.items()):
            try:
                listener(news)
            except Exception as error:
                self._drop(number, error)

    def _drop(self, number: int, error: Exception) -> None:
        self._records.pop(number, None)
        self._news.pop(number, None)
        self.failures.append(f"a subscriber was dropped: {type(error).__name__}: {error}")
