"""What the store of large results promises."""

import errno
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from studio.errors import DamagedError, NotFoundError, StorageError
from studio.ports import Values
from studio.storage.blobs import BlobFolder
from studio.storage.private_folders import make_private

BODY = b'"' + b"x" * 300_000 + b'"'
ADDRESS = sha256(BODY).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Values:
    return BlobFolder(tmp_path)


def _place(folder: Path) -> Path:
    return folder / "blobs" / ADDRESS[:2] / ADDRESS


def test_bytes_come_back_by_their_address(store: Values, tmp_path: Path) -> None:
    assert store.put(BODY) == ADDRESS
    assert store.get(ADDRESS) == BODY
    assert store.put(BODY) == ADDRESS
    assert store.put(b"") == sha256(b"").hexdigest()
    assert BlobFolder(tmp_path).get(ADDRESS) == BODY
    assert stat.S_IMODE(_place(tmp_path).stat().st_mode) == 0o600
    assert list((tmp_path / "blobs" / "drafts").iterdir()) == []


@pytest.mark.parametrize(
    "address", ["", "0" * 64, "../" * 22, "/etc/passwd", ADDRESS.upper(), "a\0b"]
)
def test_what_is_not_there_is_not_found(store: Values, address: str) -> None:
    store.put(BODY)
    with pytest.raises(NotFoundError):
        store.get(address)


@pytest.mark.parametrize("content", [b"", BODY[:-1], BODY.replace(b"x", b"y", 1)])
def test_damage_is_noticed_and_healed_by_storing_again(
    store: Values, tmp_path: Path, content: bytes
) -> None:
    store.put(BODY)
    _place(tmp_path).write_bytes(content)
    with pytest.raises(DamagedError):
        store.get(ADDRESS)
    store.put(BODY)
    assert store.get(ADDRESS) == BODY


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_leaves_nothing_under_the_address(
    store: Values, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr("studio.storage.blobs.os.fsync", fail)
        with pytest.raises(StorageError) as caught:
            store.put(BODY)
    assert caught.value.errno == number
    assert not _place(tmp_path).exists()
    with pytest.raises(NotFoundError):
        store.get(ADDRESS)
    store.put(BODY)
    assert store.get(ADDRESS) == BODY


def test_drafts_of_a_crash_are_swept(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path)
    assert store.sweep() == 0
    store.put(BODY)
    (tmp_path / "blobs" / "drafts" / "4711-1").write_bytes(b"half")
    assert store.sweep() == 1
    assert store.get(ADDRESS) == BODY


def test_folders_are_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    before = os.umask(0o022)
    try:
        make_private(folder)
    finally:
        os.umask(before)
    made = (folder, folder.parent, folder.parent.parent)
    assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o700] * 3
    make_private(folder)
