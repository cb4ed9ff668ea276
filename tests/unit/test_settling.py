"""The settle rules: what is taken, when, and what is never taken."""

from __future__ import annotations

import pytest

from studio.loading.settling import (
    REPLACED_QUIET,
    WRITTEN_QUIET,
    Appeared,
    FileChange,
    Reading,
    Removed,
    Saved,
    Settling,
    Stamp,
)

FILE = "/p/orders.yaml"


def stamp(version: int, *, inode: int = 1, size: int = 100) -> Stamp:
    return Stamp(version, version, size, inode)


@pytest.fixture
def settling() -> Settling:
    made = Settling()
    made.begin({FILE: stamp(1)}, {}, 0.0)
    return made


def take(settling: Settling, now: float, *found: Stamp | None) -> list[FileChange | None]:
    return [
        settling.settle(path, None if one is None else Reading(one, f"hash of {one.mtime_ns}"), now)
        for path, one in zip(settling.due(now), found, strict=True)
    ]


def test_what_was_there_at_the_beginning_is_no_news(settling: Settling) -> None:
    assert settling.next_due is None
    settling.swept({FILE: stamp(1)}, 5.0)
    assert settling.next_due is None


def test_a_file_that_was_renamed_in_is_taken_after_the_short_quiet(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2, inode=2), 10.0, replaced=True)
    assert settling.next_due == 10.0 + REPLACED_QUIET
    assert settling.due(10.0 + REPLACED_QUIET - 0.001) == []
    assert take(settling, 10.0 + REPLACED_QUIET, stamp(2, inode=2)) == [Saved(FILE, "hash of 2")]
    assert settling.next_due is None


def test_a_file_written_in_place_is_taken_after_the_long_quiet(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2), 10.0)
    assert settling.due(10.0 + WRITTEN_QUIET - 0.001) == []
    assert take(settling, 10.0 + WRITTEN_QUIET, stamp(2)) == [Saved(FILE, "hash of 2")]


def test_every_further_write_starts_the_quiet_again(settling: Settling) -> None:
    for step in range(100):
        settling.noticed(FILE, stamp(2 + step), 10.0 + step * 0.01)
        assert settling.due(10.0 + step * 0.01) == []
    last = 10.0 + 99 * 0.01
    assert settling.due(last + WRITTEN_QUIET - 0.001) == []
    assert take(settling, last + WRITTEN_QUIET, stamp(101)) == [Saved(FILE, "hash of 101")]


def test_an_event_that_tells_nothing_new_does_not_delay(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2, inode=2), 10.0, replaced=True)
    chmod = stamp(2, inode=2)._replace(ctime_ns=9)
    settling.noticed(FILE, chmod, 10.04)
    assert take(settling, 10.0 + REPLACED_QUIET, chmod) == [Saved(FILE, "hash of 2")]


def test_a_write_into_a_file_that_was_renamed_in_makes_it_one_written_in_place(
    settling: Settling,
) -> None:
    settling.noticed(FILE, stamp(2, inode=2), 10.0, replaced=True)
    settling.noticed(FILE, stamp(3, inode=2), 10.02, replaced=True)
    assert settling.next_due == 10.02 + WRITTEN_QUIET


def test_an_empty_file_is_never_taken_for_one_that_was_renamed_in_whole(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2, inode=2, size=0), 10.0, replaced=True)
    assert settling.next_due == 10.0 + WRITTEN_QUIET


def test_what_changed_while_it_was_read_waits_on(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2), 10.0)
    assert take(settling, 10.25, stamp(3)) == [None]
    assert settling.next_due == 10.25 + WRITTEN_QUIET
    assert take(settling, 10.5, stamp(3)) == [Saved(FILE, "hash of 3")]


def test_a_file_that_is_replaced_again_and_again_keeps_the_short_quiet(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2, inode=2), 10.0, replaced=True)
    assert take(settling, 10.05, stamp(3, inode=3)) == [None]
    assert settling.next_due == 10.05 + REPLACED_QUIET


def test_a_touch_is_no_save(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2), 10.0)
    take(settling, 10.25, stamp(2))
    settling.noticed(FILE, stamp(3), 11.0)
    same = [settling.settle(path, Reading(stamp(3), "hash of 2"), 11.25) for path in (FILE,)]
    assert same == [None]


def test_delete_and_create_is_one_save(settling: Settling) -> None:
    settling.noticed(FILE, None, 10.0)
    settling.noticed(FILE, stamp(2, inode=2), 10.1)
    assert take(settling, 10.1 + WRITTEN_QUIET, stamp(2, inode=2)) == [Saved(FILE, "hash of 2")]


def test_a_file_that_stays_away_is_removed_and_may_appear_again(settling: Settling) -> None:
    settling.noticed(FILE, None, 10.0)
    assert take(settling, 10.25, None) == [Removed(FILE)]
    settling.noticed(FILE, stamp(2), 20.0)
    assert take(settling, 20.25, stamp(2)) == [Appeared(FILE, "hash of 2")]


def test_a_file_that_came_and_went_is_no_news(settling: Settling) -> None:
    settling.noticed("/p/new.yaml", stamp(2), 10.0)
    settling.noticed("/p/new.yaml", None, 10.1)
    assert take(settling, 10.35, None) == [None]
    assert settling.next_due is None


def test_a_sweep_finds_what_no_event_told_of(settling: Settling) -> None:
    settling.swept({FILE: stamp(2), "/p/new.py": stamp(1)}, 10.0)
    assert settling.next_due == 10.0 + WRITTEN_QUIET
    assert take(settling, 10.25, stamp(1), stamp(2)) == [
        Appeared("/p/new.py", "hash of 1"),
        Saved(FILE, "hash of 2"),
    ]
    settling.swept({"/p/new.py": stamp(1)}, 12.0)
    assert take(settling, 12.25, None) == [Removed(FILE)]


def test_a_sweep_does_not_delay_what_waits_already(settling: Settling) -> None:
    settling.noticed(FILE, stamp(2, inode=2), 10.0, replaced=True)
    settling.swept({FILE: stamp(3, inode=3)}, 10.04)
    assert settling.next_due == 10.0 + REPLACED_QUIET


def test_a_save_before_the_beginning_is_found_by_its_content() -> None:
    settling = Settling()
    settling.begin(
        {"/p/a.yaml": stamp(2), "/p/b.yaml": stamp(5)},
        {"/p/a.yaml": "hash of 1", "/p/b.yaml": "hash of 5", "/p/c.yaml": "gone"},
        0.0,
    )
    found = take(settling, WRITTEN_QUIET, stamp(2), stamp(5), None)
    assert found == [Saved("/p/a.yaml", "hash of 2"), None, Removed("/p/c.yaml")]
