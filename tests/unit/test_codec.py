"""Rows and back, with every kind of damage noticed."""

from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.events import AnyEvent, RunPaused
from studio.errors import DamagedError, StorageError
from studio.ids import VersionHash
from studio.ports import Definition
from studio.storage.codec import (
    KNOWN_TAGS,
    TAGS,
    EventColumns,
    UnknownEventError,
    decode_definition,
    decode_record,
    decode_run,
    encode_definition,
    encode_records,
    encode_run,
    event_checksum,
)
from tests.storage_samples import records, run_row, run_started, whole_run


def test_a_record_survives_the_way_there_and_back() -> None:
    batch = whole_run(0, 7)
    assert [decode_record(row) for row in encode_records(batch)] == batch


def test_every_event_has_a_tag_of_its_own() -> None:
    assert len(TAGS) == len(KNOWN_TAGS)
    assert set(TAGS) == set(AnyEvent.__args__)
    assert "attempt_started" in KNOWN_TAGS


def test_the_checksum_is_crc32_of_numbers_and_bytes() -> None:
    (row,) = encode_records(records(4, RunPaused(), run=3))
    position, run, at, data, checksum = row
    packed = (5).to_bytes(8, "little") + (3).to_bytes(8, "little")
    assert (position, run, data) == (5, 3, b'{"event":"run_paused"}')
    assert event_checksum(position, run, at, data) == checksum
    assert crc32(data, crc32(packed + bytes.fromhex("00000000004a8f40"))) == event_checksum(
        5, 3, 1001.25, data
    )


@given(st.integers(0, 3), st.integers(0, 63), st.integers(0, 200))
def test_any_flipped_bit_is_noticed(column: int, bit: int, byte: int) -> None:
    (row,) = encode_records(records(0, run_started()))
    position, run, at, data, checksum = row
    if column == 3:
        index = byte % len(data)
        data = data[:index] + bytes([data[index] ^ (1 << bit % 8)]) + data[index + 1 :]
    hurt: EventColumns = (
        position ^ (1 << bit % 62) if column == 0 else position,
        run ^ (1 << bit % 62) if column == 1 else run,
        at + 0.5 if column == 2 else at,
        data,
        checksum,
    )
    with pytest.raises(DamagedError):
        decode_record(hurt)


def _row(data: bytes) -> EventColumns:
    return (9, 1, 2.0, data, event_checksum(9, 1, 2.0, data))


def test_a_newer_event_is_unknown_not_damaged() -> None:
    with pytest.raises(UnknownEventError) as caught:
        decode_record(_row(b'{"event":"node_teleported","node":"a"}'))
    assert (caught.value.tag, caught.value.position) == ("node_teleported", 9)
    assert not isinstance(caught.value, DamagedError)


def test_a_newer_field_of_a_known_event_is_passed_over() -> None:
    assert decode_record(_row(b'{"event":"run_paused","mood":"calm"}')).event == RunPaused()


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"event":"run_started"}', b'{"node":"a"}', b'{"event":7}', b"\xff"]
)
def test_bytes_that_are_no_event_are_damaged(data: bytes) -> None:
    with pytest.raises(DamagedError):
        decode_record(_row(data))


@pytest.mark.parametrize("value", ["\ud800", {1, object()}, 1 + 2j])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    event = msgspec.structs.replace(run_started(), params={"x": value})
    with pytest.raises(StorageError, match="JSON"):
        encode_records(records(0, event))


def test_run_rows_and_definitions_carry_checksums() -> None:
    row = run_row(5)
    run, *_, data, checksum = encode_run(row)
    assert decode_run(run, data, checksum) == row
    for hurt in ((run + 1, data), (run, data.replace(b"etl", b"elt"))):
        with pytest.raises(DamagedError):
            decode_run(*hurt, checksum)
    definition = Definition(VersionHash("v1"), "etl", b"body")
    version, workflow, body, checksum = encode_definition(definition)
    assert decode_definition((version, workflow, body, checksum)) == definition
    for bad in (("v2", workflow, body), (version, "x", body), (version, workflow, b"bodx")):
        with pytest.raises(DamagedError):
            decode_definition((*bad, checksum))
