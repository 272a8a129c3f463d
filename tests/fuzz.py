"""Damaged inputs for every reader: what a program wrote, changed at random. A run is repeated by its seed."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import random
import resource
import secrets
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHOSEN_SEED = "RECOBRA_FUZZ_SEED"
SEED = int(os.environ.get(CHOSEN_SEED) or secrets.randbelow(2**32))
"""Print it with whatever fails: RECOBRA_FUZZ_SEED=… repeats the run."""

REPORT = "RECOBRA_FUZZ_REPORT"
SECONDS_MAX = 20.0  # for one input, however busy the machine
MEMORY_MAX = 1_500_000_000  # what all inputs of a reader may add to this process
ODD_VALUES = (
    *(None, True, -1, 0, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "\0", "\ud83d", "x" * 40_000),
    *("9" * 5_000, "-62135596800", "253402300799", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "²"),
    *("=1+1", "{{ 7*7 }}", "%(x)s", "\u202e", [], {}, [[[[[[]]]]]], {"": None}, [None] * 500),
)
ODD_TEXTS = (
    *("", "\0", "9" * 5_000, "-1", "0", "1e400", "NaN", "٣٤", "²", "1_0", "²٣" * 20, "\ud83d", "\u202e", "ñ" * 9_000),
    *("0001-01-01", "9999-12-31", "9999-12", "2026-W53-7", "0001-01-01T00:00+05:00", "31/02/2026", "24:00", "-0"),
    *("%_%\\", "' OR 1=1 --", "<script>", "{{7*7}}", "../../etc/passwd", "[]", "(" * 400, "dpd > " + "1+" * 290 + "1"),
    *(
        '{"a": [null, 1e999]}',
        "https://[",
        "smtp://[:",
        "https://a:b@10.0.0.1/?x#y",
        "a@b@c",
        "=1+1",
        "\r\nX: y",
        "é\u0301",
    ),
)
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
        is_packed = zipfile.is_zipfile(io.BytesIO(seeds[name]))
        change = damage_inside if is_packed and numbers.random() < 0.8 else damage
        yield name, change(seeds[name], numbers)


def damage_value(value: object, numbers: random.Random) -> object:
    """Return a document in plain types with one to three of its places changed: another type, absent, or far too much."""
    changed = copy.deepcopy(value)
    for _ in range(numbers.choice((1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            return numbers.choice(ODD_VALUES)
        holder, key = numbers.choice(places)
        kind = numbers.randrange(5)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder[key], str):
            holder[key] = damage(holder[key].encode("utf-8", "replace"), numbers).decode("utf-8", "replace")
        elif kind == 2 and isinstance(holder, dict):
            holder[numbers.choice(("", "x", "código", key + "2"))] = holder.pop(key)
        elif kind == 3:
            holder[key] = [holder[key]] * numbers.choice((0, 1, 300))
        else:
            holder[key] = copy.deepcopy(numbers.choice(ODD_VALUES))
    return changed


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a document: what holds it, and its key there."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def damage_text(text: str, numbers: random.Random) -> str:
    """Return what somebody could send in place of a text: the text damaged, or an odd one."""
    if numbers.random() < 0.5:
        return numbers.choice(ODD_TEXTS)
    return damage(text.encode("utf-8", "replace"), numbers).decode("utf-8", "replace")


@dataclass
class Input:
    """One input; `end` is what became of it: read, or refused for which reason."""

    end: str = "read"


@dataclass
class Watch:
    """What became of the inputs of one reader: how each ended, how long each took, which broke it."""

    reader: str
    seconds_max: float
    ends: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    slowest: str = ""
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def input(self, name: str, content: object = "") -> Iterator[Input]:
        """Watch one input; an error that nobody expected, or too much time, is a failure of its reader."""
        one = Input()
        begin = time.monotonic()
        try:
            yield one
        except Exception as error:  # noqa: BLE001 - all inputs are tried, and every failure is told at the end
            one.end = "crashed"
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.fail(name, content, f"{type(error).__name__}: {str(error)[:200]} in {place.filename}:{place.lineno}")
        taken = time.monotonic() - begin
        self.ends[one.end] += 1
        if taken > self.slowest_seconds:
            self.slowest_seconds, self.slowest = taken, name
        if taken > self.seconds_max:
            self.fail(name, content, f"took {taken:.1f} s")

    def fail(self, name: str, content: object, what: str) -> None:
        """Note a failure."""
        self.failures.append(f"{self.reader}, {name}: {what}; {str(content)[:300]!r}")


@contextmanager
def watch(reader: str, *, seconds_max: float = SECONDS_MAX, memory_max: int = MEMORY_MAX) -> Iterator[Watch]:
    """Watch a reader while it gets its inputs; fail at the end with every input that broke it.

    Where RECOBRA_FUZZ_REPORT names a folder, the figures are left there for `make fuzz`.
    """
    watched = Watch(reader, seconds_max)
    _forget_peak()
    before = peak_memory_bytes()
    begin, begin_cpu = time.monotonic(), time.process_time()
    yield watched
    memory = peak_memory_bytes() - before
    figures = {
        "reader": reader,
        "inputs": watched.ends.total(),
        "seconds": round(time.monotonic() - begin, 1),
        "processor_seconds": round(time.process_time() - begin_cpu, 1),
        "ends": dict(watched.ends.most_common()),
        "slowest_seconds": round(watched.slowest_seconds, 2),
        "slowest": watched.slowest,
        "memory_mb": memory >> 20,
        "failures": len(watched.failures),
        "told": watched.failures[:20],
    }
    if folder := os.environ.get(REPORT):
        (Path(folder) / f"{reader}.json".replace(" ", "-").replace("/", "-")).write_text(json.dumps(figures))
    told = "\n".join(watched.failures[:20])
    assert not watched.failures, f"{len(watched.failures)} of {figures['inputs']}, seed {SEED}:\n{told}"
    assert memory < memory_max, f"{reader} took {memory >> 20} MB, seed {SEED}"


def _forget_peak() -> None:
    """Let the peak of this process's memory be counted from now on, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes() -> int:
    """Return the most memory that this process held since the peak was forgotten."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
