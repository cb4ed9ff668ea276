"""Pictures for photo_index.yaml: written, examined and indexed with the standard library alone."""

import hashlib
import random
import struct
import time
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SEED = 41


class DamagedPicture(ValueError):
    category = "validation"


def make_pictures(folder: str, count: int, damaged: int, ctx: Any) -> list[str]:
    chance = random.Random(SEED)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.png"):
        old.unlink()
    files = [target / f"img_{number:04}.png" for number in range(1, count + 1)]
    contents: list[bytes] = []
    for number, file in enumerate(files, 1):
        copied = contents and chance.random() < 0.05
        picture = chance.choice(contents) if copied else draw(chance)
        contents.append(picture)
        file.write_bytes(picture)
        if number % 20 == 0:
            ctx.progress(number / count, f"{number} of {count}")
    for file in chance.sample(files, min(damaged, count)):
        file.write_bytes(damage(chance, file.read_bytes()))
    return [file.as_posix() for file in files]


def draw(chance: random.Random) -> bytes:
    """A grey PNG with a gradient and some noise."""
    width, height = chance.choice([(48, 32), (32, 48), (40, 40)])
    base, slope = chance.randrange(150), chance.random() * 2
    rows = b"".join(
        b"\0" + bytes(min(255, int(base + slope * x) + chance.randrange(20)) for x in range(width))
        for _ in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        SIGNATURE
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def damage(chance: random.Random, picture: bytes) -> bytes:
    """What happens to files: cut off, a changed byte, or something else altogether."""
    match chance.randrange(3):
        case 0:
            return picture[: len(picture) // 2]
        case 1:
            changed = bytearray(picture)
            changed[60] ^= 0xFF
            return bytes(changed)
        case _:
            return b"<html>404 Not Found</html>\n"


def examine(file: str, pace: float) -> dict[str, Any]:
    time.sleep(pace)
    picture = Path(file).read_bytes()
    width, height, pixels = decode(picture, Path(file).name)
    shape = "square" if width == height else "wide" if width > height else "tall"
    return {
        "file": Path(file).name,
        "shape": shape,
        "bytes": len(picture),
        "brightness": round(sum(pixels) / len(pixels), 1),
        "digest": hashlib.sha256(picture).hexdigest()[:16],
    }


def decode(picture: bytes, name: str) -> tuple[int, int, bytes]:
    """Width, height and grey values of a PNG. Raises DamagedPicture."""
    if not picture.startswith(SIGNATURE):
        raise DamagedPicture(f"{name} is not a PNG: it begins with {picture[:8]!r}")
    position, header, data, ended = len(SIGNATURE), b"", b"", False
    while position < len(picture) and not ended:
        if position + 12 > len(picture):
            raise DamagedPicture(f"{name} ends within a chunk, at byte {len(picture)}")
        (size,) = struct.unpack_from(">I", picture, position)
        kind = picture[position + 4 : position + 8]
        body = picture[position + 8 : position + 8 + size]
        end = position + 12 + size
        if end > len(picture):
            raise DamagedPicture(f"{name} is cut off: {end - len(picture)} bytes are missing")
        (checksum,) = struct.unpack_from(">I", picture, end - 4)
        if zlib.crc32(kind + body) != checksum:
            raise DamagedPicture(f"{name} is changed: wrong checksum of chunk {kind!r}")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            data += body
        ended = kind == b"IEND"
        position = end
    if not ended:
        raise DamagedPicture(f"{name} ends before its last chunk")
    width, height = struct.unpack_from(">II", header)
    rows = zlib.decompress(data)
    pixels = b"".join(rows[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height))
    return width, height, pixels


def find_copies(pictures: list[dict[str, Any]]) -> list[list[str]]:
    by_digest: dict[str, list[str]] = defaultdict(list)
    for picture in pictures:
        by_digest[picture["digest"]].append(picture["file"])
    return sorted(names for names in by_digest.values() if len(names) > 1)


def write_index(
    file: str,
    files: list[str],
    pictures: list[dict[str, Any]],
    shapes: dict[str, dict[str, float]],
    copies: list[list[str]],
) -> dict[str, Any]:
    readable = {picture["file"] for picture in pictures}
    unreadable = [name for name in (Path(one).name for one in files) if name not in readable]
    lines = ["# Pictures", "", "| shape | pictures | bytes | brightness |", "|---|---:|---:|---:|"]
    lines += [
        f"| {shape} | {one['pictures']} | {one['bytes']} | {one['brightness']:.1f} |"
        for shape, one in sorted(shapes.items())
    ]
    lines += ["", f"Unreadable: {', '.join(unreadable) or 'none'}", "", "Copies:", ""]
    lines += [f"- {' = '.join(names)}" for names in copies] or ["- none"]
    target = Path(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"file": target.as_posix(), "unreadable": unreadable}
