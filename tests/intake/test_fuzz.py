"""No damaged file breaks its reader: it is read, or refused in words (see `tests/fuzz.py`)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice

import duckdb
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from recobra.conversations.attachments import ACCEPTED_TYPES
from recobra.conversations.media_type import sniff_media_type
from recobra.tabular import formats
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import open_workspace
from tests import extent, fuzz

from .hostile import HOSTILE, row_xml, sheet_xml, xlsx
from .odd_files import TEXT, media_files, odd_old_workbook, odd_workbook, parquet_files, rich_workbook
from .old_workbook import workbook

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]
FILES = extent.choose(daily=120, whole=3_500)
BYTES = extent.choose(daily=30, whole=1_000)
MEDIA = extent.choose(daily=50, whole=500)
FILES_AT_ONCE = 25  # in one DuckDB, which takes longer to be opened than a small file to be read
SEEDS = {
    "csv": TEXT.encode(),
    "latin": TEXT.encode("cp1252"),
    "utf16": TEXT.encode("utf-16"),
    "gzip": gzip.compress(TEXT.encode()),
    "xlsx": rich_workbook(),
    "xls": workbook([["cuenta", "saldo"], *([f"A{n}", float(n)] for n in range(20))]),
    **parquet_files(),
}


def _files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield files: two thirds damaged at random, a third sound outside and odd inside."""
    numbers = fuzz.chance("files")
    damaged = fuzz.damaged_files(SEEDS, count, numbers)
    for position in range(count):
        if position % 3:
            yield next(damaged)
        elif position % 2:
            yield "odd xlsx", odd_workbook(numbers)
        else:
            yield "odd xls", odd_old_workbook(numbers)


def _read(path, duck, one):
    """Read a file as the child would, and tell what became of it."""
    try:
        sheet = formats.read(path, duck, formats.ReadOptions())
    except FileRefused as refusal:
        str(refusal)  # fails where a sentence lacks its facts
        one.end = refusal.code
        return
    one.end = f"read as {sheet.kind}"
    duck.count(sheet.raw)


def _is_usable(duck):
    """Tell if a DuckDB still answers: some damaged Parquet, refused in words, ends it, and a load has its own."""
    try:
        duck.execute("SELECT 1")
    except duckdb.FatalException:
        return False
    return True


def test_no_damaged_file_breaks_its_reader(db, tmp_path):
    path = tmp_path / "cartera"
    files = _files(FILES)
    with fuzz.watch("files") as watched:
        while some := list(islice(files, FILES_AT_ONCE)):
            while some:
                with open_workspace() as duck:
                    while some and _is_usable(duck):
                        name, content = some.pop(0)
                        path.write_bytes(content)
                        with watched.input(name, content) as one:
                            _read(path, duck, one)
    # Damage that is always refused alike, or never seen, would prove nothing.
    assert len(watched.ends) > 6, fuzz.SEED


@pytest.mark.django_db
def test_no_bytes_at_all_break_a_reader(tmp_path):
    path = tmp_path / "cartera"
    magics = (b"", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b\x08")
    text = st.text(max_size=500).map(lambda text: text.encode("utf-8", "replace"))
    with fuzz.watch("bytes") as watched, open_workspace() as duck:

        @seed(fuzz.SEED)
        @settings(max_examples=BYTES, deadline=None, database=None)
        @given(st.sampled_from(magics), st.one_of(st.binary(max_size=2_000), text))
        def read(magic, rest):
            path.write_bytes(magic + rest)
            with watched.input(repr(magic), magic + rest) as one:
                _read(path, duck, one)

        read()


def test_no_damaged_picture_or_document_breaks_who_looks_at_its_type():
    with fuzz.watch("pictures and documents", seconds_max=2) as watched:
        for name, content in fuzz.damaged_files(media_files(), MEDIA, fuzz.chance("media")):
            with watched.input(name, content) as one:
                found = sniff_media_type(content)
                one.end = "taken" if found in ACCEPTED_TYPES else "refused"
                # What a browser would run is never taken for anything that is kept.
                assert not (name in {"html", "svg", "exe"} and one.end == "taken" and content.startswith(b"<"))


_HEAD = (row_xml(1, "A1", "B1"), row_xml(2, "A2", "B2"))
EMPTY = {
    "a million empty rows": lambda: xlsx(sheet_xml(*_HEAD, *(f'<row r="{n}"/>' for n in range(3, 1_000_000)))),
    "a far cell with a format alone": lambda: xlsx(sheet_xml(*_HEAD, '<row r="1048576"><c r="T1048576" s="3"/></row>')),
    "a dimension to the end": lambda: xlsx(
        sheet_xml(*_HEAD).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    ),
    "merged cells over all of it": lambda: xlsx(
        sheet_xml(*_HEAD).replace(
            "</sheetData>",
            "</sheetData><mergeCells>"
            + "".join(f'<mergeCell ref="A{n}:XFD1048576"/>' for n in range(3, 200_000))
            + "</mergeCells>",
        )
    ),
    "a value at the end of the column": lambda: xlsx(sheet_xml(*_HEAD, row_xml(1_048_576, "D1048576"))),
    "lines of one far column": lambda: b"cuenta;saldo\n" + b"A;1" + b";" * 4_000_000 + b"\nB;2\n",
}


@pytest.mark.long
@pytest.mark.parametrize("kind", EMPTY)
def test_what_is_empty_costs_next_to_nothing(kind, db, tmp_path):
    path = tmp_path / "cartera"
    path.write_bytes(EMPTY[kind]())
    with fuzz.watch(kind, seconds_max=8, memory_max=800 << 20) as watched, open_workspace() as duck:
        with watched.input(kind) as one:
            _read(path, duck, one)
        assert one.end.startswith("read")


@pytest.mark.long
def test_hostile_files_are_refused_within_their_limits_in_process_too(db, tmp_path):
    path = tmp_path / "cartera"
    with fuzz.watch("hostile files", memory_max=1_000_000_000) as watched:
        for kind, (make, code) in HOSTILE.items():
            path.write_bytes(make())
            with watched.input(kind) as one, open_workspace() as duck:
                _read(path, duck, one)
                assert one.end == code
