"""What a session tells its screen: what has to be drawn again, and what a person should be told."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from studio.ports import AttemptKey, LogLine, RunRow

NoticeKind = Literal["info", "good", "warning", "error"]


class Notice(msgspec.Struct, frozen=True):
    """News for the notice line; ``kind`` decides its look."""

    text: str
    kind: NoticeKind = "info"


class Changes(msgspec.Struct):
    """What has to be drawn again.

    Args:
        nodes: paths of the shown run whose node changed.
        whole: the shown run or plan as a whole changed (another one, a revision).
        rows: the list of runs changed.
        files: the list of workflow files, or a finding in one, changed.
        logs: attempts of the shown run that wrote lines, with the new lines.
        notices: news, oldest first.
        started: runs that somebody else has started, oldest first.
    """

    nodes: set[str] = msgspec.field(default_factory=set)
    whole: bool = False
    rows: bool = False
    files: bool = False
    logs: list[tuple[AttemptKey, Sequence[LogLine]]] = msgspec.field(default_factory=list)
    notices: list[Notice] = msgspec.field(default_factory=list)
    started: list[RunRow] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.nodes or self.whole or self.rows or self.files or self.logs or self.notices
        )
