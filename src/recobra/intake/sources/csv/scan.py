"""One pass over the bytes before anything is parsed: size, lines, damage, encoding; UTF-8 is what comes out."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from recobra.intake.refusals import LoadRefused
from recobra.intake.sources import limits

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 18
LEGACY = ["cp1252", "cp850", "latin_1", "mac_roman"]
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 26})


@dataclass(frozen=True)
class Text:
    """A UTF-8 file on disk, with how many physical lines it has (blank ones at the end left out)."""

    path: Path
    encoding: str
    lines: int
    damaged: bool


@dataclass
class _Count:
    newlines: int = 0
    returns: int = 0
    size: int = 0
    trailing: int = 0
    multibyte: bool = False
    invalid_at: int = -1

    @property
    def lines(self) -> int:
        ends = self.newlines or self.returns
        return ends - self.trailing + 1


def to_utf8(path: Path, *, work_dir: Path, encoding: str = "") -> Text:
    """Return the file as UTF-8 text, rewritten only where it is not so already. Raises LoadRefused."""
    source = _unpacked(path, work_dir)
    sample = _sample(source)
    chosen = encoding or _by_mark(sample)
    if not chosen or codecs.lookup(_known(chosen)).name == "utf-8":
        _refuse_binary(sample)
        count = _count(source)
        if count.invalid_at < 0:
            return Text(source, "utf-8", count.lines, damaged=False)
        if encoding:
            raise LoadRefused("encoding", encoding=encoding, position=count.invalid_at)
        if count.multibyte and not _mostly_legacy(source, count):
            return _rewritten(source, work_dir, "utf-8", errors="replace")
        chosen = _legacy(source)
    return _rewritten(source, work_dir, chosen, errors="strict")


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise LoadRefused("unknown_encoding", encoding=encoding) from None


def _unpacked(path: Path, work_dir: Path) -> Path:
    with path.open("rb") as handle:
        if handle.read(2) != b"\x1f\x8b":
            return path
    target = work_dir / "unpacked.csv"
    size = 0
    try:
        with gzip.open(path) as packed, target.open("wb") as out:
            while chunk := packed.read(CHUNK_BYTES):
                size += len(chunk)
                _refuse_bomb(size, path.stat().st_size)
                out.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise LoadRefused("gzip") from None
    if size == 0:
        raise LoadRefused("empty")
    return target


def _refuse_bomb(unpacked: int, packed: int) -> None:
    if unpacked > limits.BYTES or (unpacked > limits.PACKING_FREE_BYTES and unpacked > packed * limits.PACKING_RATIO):
        raise LoadRefused("zip_bomb", unpacked=unpacked, packed=packed)


def _sample(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(SAMPLE_BYTES)


def _by_mark(sample: bytes) -> str:
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    head = sample[:2000]
    if len(head) >= 8 and head[1::2].count(0) > len(head) // 4 > head[::2].count(0):
        return "utf-16-le"
    if len(head) >= 8 and head[::2].count(0) > len(head) // 4 > head[1::2].count(0):
        return "utf-16-be"
    return ""


def _refuse_binary(sample: bytes) -> None:
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > max(len(sample) // 50, 8):
        raise LoadRefused("binary")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            yield chunk


def _count(path: Path) -> _Count:
    count = _Count()
    decoder = codecs.getincrementaldecoder("utf-8")()
    tail = b""
    for chunk in _chunks(path):
        if 0 in chunk:
            before = count.newlines + chunk[: chunk.index(0)].count(b"\n")
            raise LoadRefused("nul", line=before + 1)
        if count.invalid_at < 0:
            _check_utf8(count, decoder, chunk)
        count.newlines += chunk.count(b"\n")
        count.returns += chunk.count(b"\r")
        count.size += len(chunk)
        tail = (tail + chunk)[-4096:]
    if count.size > limits.BYTES:
        raise LoadRefused("too_big", limit=limits.BYTES)
    end = tail[len(tail.rstrip(b"\r\n \x1a")) :]
    count.trailing = end.count(b"\n") or (0 if count.newlines else end.count(b"\r"))
    return count


def _check_utf8(count: _Count, decoder: codecs.IncrementalDecoder, chunk: bytes) -> None:
    if chunk.isascii() and not decoder.getstate()[0]:
        return
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(chunk)
        count.multibyte = True
    except UnicodeDecodeError as error:
        count.invalid_at = max(count.size - pending + error.start, 0)
        good = chunk[: max(error.start - pending, 0)]
        count.multibyte = count.multibyte or not good.isascii()


def _mostly_legacy(path: Path, count: _Count) -> bool:
    """Tell damage in UTF-8 text (a few bad bytes) from another encoding that happens to contain valid pairs."""
    text = _sample_around(path, count.invalid_at).decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if ord(character) > 127) - bad
    return bad > good


def _sample_around(path: Path, position: int) -> bytes:
    with path.open("rb") as handle:
        handle.seek(max(position - SAMPLE_BYTES // 2, 0))
        return handle.read(SAMPLE_BYTES)


def _legacy(path: Path) -> str:
    """Return the likeliest of the encodings before Unicode, judged by the lines that are not plain ASCII."""
    lines: list[bytes] = []
    for chunk in _chunks(path):
        lines.extend(line for line in chunk.splitlines() if not line.isascii())
        if len(lines) > 2000:
            break
    best = from_bytes(b"\n".join(lines[:2000]), cp_isolation=LEGACY).best()
    return best.encoding if best else "latin_1"


def _rewritten(source: Path, work_dir: Path, encoding: str, *, errors: str) -> Text:
    target = work_dir / "utf8.csv"
    decoder = codecs.getincrementaldecoder(_known(encoding))(errors)
    done = 0
    try:
        with target.open("wb") as out:
            for chunk in _chunks(source):
                out.write(decoder.decode(chunk).encode())
                done += len(chunk)
            out.write(decoder.decode(b"", final=True).encode())
    except UnicodeDecodeError as error:
        raise LoadRefused("encoding", encoding=encoding, position=done + error.start) from None
    _refuse_binary(_sample(target))
    return Text(target, encoding, _count(target).lines, damaged=errors == "replace")
