"""Scan of a text's bytes before anything is parsed: size, lines, damage, encoding. The result is UTF-8."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from recobra.tabular.formats import limits
from recobra.tabular.refusals import FileRefused

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 18
LONG_BYTES = 1 << 12  # a divisor of CHUNK_BYTES
LEGACY = ["cp1252", "cp850", "latin_1", "mac_roman"]  # encodings of Spanish before Unicode
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 26})  # all but tab, line feed, form feed, return and Ctrl-Z


@dataclass(frozen=True)
class Text:
    """A UTF-8 file on disk, with how many physical lines it has (blank ones at the end left out).

    `has_long_lines` where one has more than twice LONG_BYTES; shorter ones may count too.
    """

    path: Path
    encoding: str
    lines: int
    is_damaged: bool
    has_long_lines: bool


@dataclass
class _ByteCounts:
    """Counts of one pass over a text.

    `trailing` counts the line ends after the last record; `invalid_at` is the first byte that is no UTF-8, -1 where
    all are.
    """

    newlines: int = 0
    returns: int = 0
    size: int = 0
    trailing: int = 0
    multibyte: bool = False
    invalid_at: int = -1
    has_long_lines: bool = False

    @property
    def lines(self) -> int:
        r"""Return how many physical lines there are; the ends are `\r` alone in texts of old Macintoshes."""
        ends = self.newlines or self.returns
        return ends - self.trailing + 1


def to_utf8(path: Path, *, folder: Path, encoding: str = "") -> Text:
    """Return the file as UTF-8 text, rewritten only where it is not so already. Raises FileRefused."""
    source = _unpack(path, folder)
    with source.open("rb") as handle:
        sample = handle.read(SAMPLE_BYTES)
    chosen = encoding or _detect_unicode(sample)
    if not chosen or codecs.lookup(_canonical_name(chosen)).name == "utf-8":
        _refuse_binary(sample)
        counts = _count_bytes(source)
        if counts.invalid_at < 0:
            return Text(source, "utf-8", counts.lines, is_damaged=False, has_long_lines=counts.has_long_lines)
        if encoding:
            raise FileRefused("encoding", encoding=encoding, position=counts.invalid_at)
        if counts.multibyte and not _is_mostly_legacy(source, counts):
            return _rewrite(source, folder, "utf-8", errors="replace")
        chosen = _guess_legacy(source)
    return _rewrite(source, folder, chosen, errors="strict")


def _canonical_name(encoding: str) -> str:
    """Return Python's name of an encoding. Raises FileRefused where there is no such encoding."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise FileRefused("unknown_encoding", encoding=encoding) from None


def _unpack(path: Path, folder: Path) -> Path:
    """Return the path of the text: the file itself, or what it holds where it is gzip. Raises FileRefused."""
    with path.open("rb") as handle:
        if handle.read(2) != b"\x1f\x8b":
            return path
    target = folder / "unpacked.csv"
    packed_size = path.stat().st_size
    size = 0
    try:
        with gzip.open(path) as packed, target.open("wb") as out:
            while chunk := packed.read(CHUNK_BYTES):
                size += len(chunk)
                is_suspicious = size > limits.PACKING_FREE_BYTES and size > packed_size * limits.PACKING_RATIO
                if is_suspicious or size > limits.BYTES:
                    raise FileRefused("zip_bomb", unpacked=size, packed=packed_size)
                out.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise FileRefused("gzip") from None
    if size == 0:
        raise FileRefused("empty")
    return target


def _detect_unicode(sample: bytes) -> str:
    """Return the Unicode encoding that the first bytes show, '' where they show none."""
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    # Without a mark: Latin letters in UTF-16 have a zero byte each, always on the same side.
    head = sample[:2000]
    if len(head) < 8:
        return ""
    zeros_at_even = head[::2].count(0)
    zeros_at_odd = head[1::2].count(0)
    # Half of the bytes of one side, since a text has other letters too.
    many = len(head) // 4
    if zeros_at_odd > many > zeros_at_even:
        return "utf-16-le"
    if zeros_at_even > many > zeros_at_odd:
        return "utf-16-be"
    return ""


def _refuse_binary(sample: bytes) -> None:
    """Raise FileRefused where more than a few bytes are control characters that no text has."""
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > max(len(sample) // 50, 8):
        raise FileRefused("binary")


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces that fit the memory."""
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            yield chunk


def _count_bytes(path: Path) -> _ByteCounts:
    """Return the counts of a whole file. Raises FileRefused at a NUL byte and beyond the limit of size."""
    counts = _ByteCounts()
    decoder = codecs.getincrementaldecoder("utf-8")()
    tail = b""
    for chunk in _chunks(path):
        if 0 in chunk:
            before = counts.newlines + chunk[: chunk.index(0)].count(b"\n")
            raise FileRefused("nul", line=before + 1)
        if counts.invalid_at < 0:
            _check_utf8(counts, decoder, chunk)
        counts.newlines += chunk.count(b"\n")
        counts.returns += chunk.count(b"\r")
        counts.size += len(chunk)
        counts.has_long_lines = counts.has_long_lines or _has_long_line(chunk)
        tail = (tail + chunk)[-4096:]
    if counts.size > limits.BYTES:
        raise FileRefused("too_big", limit=limits.BYTES)
    # Blank lines at the end are no records, so the count of lines must leave them out.
    end = tail[len(tail.rstrip(b"\r\n \x1a")) :]
    counts.trailing = end.count(b"\n") or (0 if counts.newlines else end.count(b"\r"))
    return counts


def _has_long_line(chunk: bytes) -> bool:
    """Return whether a stretch of LONG_BYTES has no line end: a line of twice as many always covers one."""
    starts = range(0, len(chunk) - LONG_BYTES + 1, LONG_BYTES)
    return any(chunk.find(b"\n", start, start + LONG_BYTES) < 0 for start in starts)


def _check_utf8(counts: _ByteCounts, decoder: codecs.IncrementalDecoder, chunk: bytes) -> None:
    """Note in `counts` where the text first fails to be UTF-8, and whether it has characters beyond ASCII."""
    cut_character, _flags = decoder.getstate()
    if chunk.isascii() and not cut_character:
        return
    pending = len(cut_character)  # bytes of a character that the last chunk cut in two
    try:
        decoder.decode(chunk)
        counts.multibyte = True
    except UnicodeDecodeError as error:
        counts.invalid_at = max(counts.size - pending + error.start, 0)
        good = chunk[: max(error.start - pending, 0)]
        counts.multibyte = counts.multibyte or not good.isascii()


def _is_mostly_legacy(path: Path, counts: _ByteCounts) -> bool:
    """Return whether text with bad bytes is in another encoding that happens to contain valid pairs of UTF-8."""
    with path.open("rb") as handle:
        handle.seek(max(counts.invalid_at - SAMPLE_BYTES // 2, 0))
        text = handle.read(SAMPLE_BYTES).decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if ord(character) > 127) - bad
    return bad > good


def _guess_legacy(path: Path) -> str:
    """Return the likeliest of the encodings before Unicode, judged by the lines that are not plain ASCII."""
    lines: list[bytes] = []
    size = 0
    for chunk in _chunks(path):
        lines.extend(line for line in chunk.splitlines() if not line.isascii())
        size += len(chunk)
        if len(lines) > 2000 or (lines and size > limits.PACKING_FREE_BYTES):
            break
    best = from_bytes(b"\n".join(lines[:2000])[:SAMPLE_BYTES], cp_isolation=LEGACY).best()
    return best.encoding if best else "latin_1"


def _rewrite(source: Path, folder: Path, encoding: str, *, errors: str) -> Text:
    """Return the text written anew as UTF-8; `errors` is `strict`, or `replace` to put U+FFFD for bad bytes."""
    target = folder / "utf8.csv"
    decoder = codecs.getincrementaldecoder(_canonical_name(encoding))(errors)
    decoded_bytes = 0
    try:
        with target.open("wb") as out:
            for chunk in _chunks(source):
                out.write(decoder.decode(chunk).encode())
                decoded_bytes += len(chunk)
            out.write(decoder.decode(b"", final=True).encode())
    except UnicodeDecodeError as error:
        raise FileRefused("encoding", encoding=encoding, position=decoded_bytes + error.start) from None
    with target.open("rb") as handle:
        _refuse_binary(handle.read(SAMPLE_BYTES))
    counts = _count_bytes(target)
    return Text(target, encoding, counts.lines, is_damaged=errors == "replace", has_long_lines=counts.has_long_lines)
