-- Schema version 1 of history.sqlite. See docs/explanation/durability.md.
-- Each statement is executed by itself inside one transaction.

-- One row per history event. `position` is gapless and is the concurrency control: two writers cannot
-- both take the next one. `checksum` is CRC-32 over position, run, at and data.
CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    at REAL NOT NULL,
    data BLOB NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

-- The position rides along in every index entry, so the events of a run come out in order.
CREATE INDEX event_by_run ON event (run);

-- What lists show, written in the transaction of the events it sums up. `data` is the whole row; the
-- other columns repeat what lists filter by.
CREATE TABLE run (
    run INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    data BLOB NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

CREATE INDEX run_by_workflow ON run (workflow);

CREATE INDEX run_by_state ON run (state);

CREATE INDEX run_by_workflow_and_state ON run (workflow, state);

CREATE INDEX run_still_open ON run (run) WHERE open = 1;

CREATE TABLE definition (
    version TEXT PRIMARY KEY,
    workflow TEXT NOT NULL,
    body BLOB NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

-- Every event tag ever written, so that a program that does not know one of them finds out at once
-- and opens the history read-only instead of folding half of it.
CREATE TABLE vocabulary (
    tag TEXT PRIMARY KEY
) STRICT;

-- Positions lost to damage, from first to last, and the runs they may have belonged to (JSON array of
-- numbers). Written by salvage only.
CREATE TABLE gap (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    runs TEXT NOT NULL
) STRICT;
