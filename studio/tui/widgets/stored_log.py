"""What the disk has of a log, read in a thread, and what of the news it does not have yet."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from studio.application.reading import Reading
from studio.errors import StudioError
from studio.projections.screen.log import KeyLike, LineLike, in_order, newest

Batch = tuple[KeyLike, Sequence[LineLike]]
Wanted = Callable[[str], bool]
Cover = Callable[[Sequence[Any]], list[Any]]


class Stored(NamedTuple):
    """What the disk had of a log.

    Args:
        batches: lines in the order they are shown.
        seen: lines of each attempt there are on disk so far, those read before included.
        last: the time of the last line of each attempt, and how many lines have it.
        skipped: older lines left on disk.
        problem: why it could not be read; empty when it could.
    """

    batches: list[Batch]
    seen: dict[KeyLike, int]
    last: dict[KeyLike, tuple[float, int]]
    skipped: int = 0
    problem: str = ""


def read_stored(
    reading: Reading,
    run: int,
    wanted: Wanted,
    seen: Mapping[KeyLike, int],
    *,
    by_time: bool,
    cover: Cover = list,
) -> Stored:
    """Read the newest lines of the attempts that are wanted; runs in a thread.

    Args:
        wanted: whether the log of a node, by path, belongs to what is shown.
        seen: lines of each attempt that were read before; only what follows them is read.
        by_time: bring the lines of all attempts into one order.
        cover: covers what is sensitive in the lines that are kept.
    """
    found = Stored([], dict(seen), {})
    skipped = 0
    try:
        for key, lines in reading.logs(run):
            if not wanted(key.node):
                continue
            known = seen.get(key, 0)
            kept, before = newest(islice(lines, known, None))
            skipped += before
            kept = cover(kept)
            if kept:
                found.batches.append((key, kept))
                found.seen[key] = known + before + len(kept)
                at = kept[-1].at
                found.last[key] = (at, sum(line.at == at for line in kept))
    except StudioError as error:
        return found._replace(batches=[], problem=str(error))
    if not by_time:
        return found._replace(skipped=skipped)
    ordered, before = in_order(found.batches)
    return found._replace(batches=[*ordered], skipped=skipped + before)


def unread(lines: Sequence[LineLike], last: tuple[float, int]) -> Sequence[LineLike]:
    """Lines of a batch that were not on disk yet when it was read.

    Args:
        last: time of the last line on disk, and how many lines have it: a batch has one time, and the disk may have
            been read while it was being written.
    """
    at, count = last
    behind = next((index for index, line in enumerate(lines) if line.at >= at), len(lines))
    while behind < len(lines) and count > 0 and lines[behind].at == at:
        behind += 1
        count -= 1
    return lines[behind:]
