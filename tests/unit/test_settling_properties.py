"""Whatever happens to a file, what is taken was quiet, and the last state is taken in the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.loading.settling import (
    REPLACED_QUIET,
    WRITTEN_QUIET,
    Reading,
    Removed,
    Settling,
    Stamp,
)

FILE = "/p/a.yaml"

HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["write", "replace", "delete", "touch"]),
        st.sampled_from([0.001, 0.01, 0.04, 0.06, 0.2, 0.3]),
        st.booleans(),  # whether an event tells of it
    ),
    max_size=30,
)


@given(HAPPENINGS)
def test_only_quiet_states_are_taken_and_the_last_one_always_is(
    happenings: list[tuple[str, float, bool]],
) -> None:
    settling = Settling()
    first = Stamp(1, 1, 10, 1)
    settling.begin({FILE: first}, {FILE: "1"}, 0.0)
    now, tick, present = 0.0, 1, True
    stamp: Stamp | None = first
    last_write, replaced = -1.0, False
    believed: str | None = "1"

    def take() -> None:
        nonlocal believed
        for path in settling.due(now):
            reading = Reading(stamp, str(stamp.mtime_ns)) if stamp is not None else None
            change = settling.settle(path, reading, now)
            if change is None:
                continue
            quiet = REPLACED_QUIET if replaced else WRITTEN_QUIET
            # A file that is gone cannot be read half; only content has to be quiet.
            assert isinstance(change, Removed) or now - last_write >= quiet - 1e-9
            believed = None if isinstance(change, Removed) else change.digest

    for kind, pause, heard in happenings:
        tick += 1
        if kind == "delete":
            stamp, present, replaced = None, False, False
        elif kind == "touch" and stamp is not None:
            stamp = stamp._replace(ctime_ns=tick)
        else:
            replaced = kind == "replace"
            inode = tick if replaced or not present else (stamp.inode if stamp else tick)
            stamp, present = Stamp(tick, tick, 10, inode), True
        if kind != "touch":
            last_write = now
        if heard:
            settling.noticed(FILE, stamp, now, replaced=replaced and kind == "replace")
        now += pause
        take()
    for _ in range(4):
        settling.swept({FILE: stamp} if stamp is not None else {}, now)
        now += 1.0
        take()
    assert settling.next_due is None
    assert believed == (str(stamp.mtime_ns) if stamp is not None else None)
