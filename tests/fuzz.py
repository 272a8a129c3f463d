"""Damaged inputs for every reader: what a program wrote, changed at random. A run is repeated by its seed."""

from __future__ import annotations

import io
import os
import random
import resource
import secrets
import zipfile
from collections.abc import Iterator

SEED = int(os.environ.get("RECOBRA_FUZZ_SEED") or secrets.randbelow(2**32))
"""Print it with whatever fails: RECOBRA_FUZZ_SEED=… repeats the run."""

_NUMBERS = (b"\x00", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", b"\xfe\xff\xff\xff")
_TEXTS = (
    *(b'"', b"'", b"\n", b"\r", b"\0", b";", b",", b"\t", b"=", b"<", b">", b"&amp;", b"</c>", b'<c r="', b"<f>"),
    *(b"XFD1048576", b"A0", b"-1", b"1e999", b"9" * 30, b"\xed\xa0\xbd", b"\xe2\x80\xae", b"%s", b"{{1/0}}"),
    *(b"&a", b"*a", b"!!python/name:os", b"[" * 30, b"{", b"? ", b": ", b"- ", b"|", b"<<: "),
)


def chance(name: str) -> random.Random:
    """Return the random numbers of one test, the same for the same seed."""
    return random.Random(f"{SEED} {name}")


def damage(content: bytes, numbers: random.Random) -> bytes:
    """Return a content with some changes: bytes turned, cut out, doubled, put in, or the end taken off."""
    changed = bytearray(content)
    for _ in range(numbers.choice((1, 1, 2, 5, 20))):
        at = numbers.randrange(len(changed) + 1)
        length = numbers.choice((1, 4, 16, 200))
        kind = numbers.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << numbers.randrange(8)
        elif kind == 1:
            del changed[at : at + length]
        elif kind == 2:
            changed[at:at] = changed[at : at + length] * numbers.choice((1, 3, 50))
        elif kind == 3:
            changed[at : at + 4] = numbers.choice(_NUMBERS)
        elif kind == 4:
            changed[at:at] = numbers.choice(_TEXTS)
        elif numbers.random() < 0.2:
            del changed[at:]
    return bytes(changed)


def damage_inside(archive: bytes, numbers: random.Random) -> bytes:
    """Return a ZIP with one of its parts damaged, and the packing around it sound."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        parts = {member.filename: source.read(member) for member in source.infolist()}
    name = numbers.choice(sorted(parts))
    parts[name] = damage(parts[name], numbers)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for part, content in parts.items():
            target.writestr(part, content)
    return buffer.getvalue()


def damaged_files(seeds: dict[str, bytes], count: int, numbers: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield so many damaged files with the name of the sound one."""
    for position in range(count):
        name = sorted(seeds)[position % len(seeds)]
        is_packed = seeds[name].startswith(b"PK")
        change = damage_inside if is_packed and numbers.random() < 0.8 else damage
        yield name, change(seeds[name], numbers)


def peak_memory_bytes() -> int:
    """Return the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
