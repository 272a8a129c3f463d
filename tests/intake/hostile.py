"""Files of a few kilobytes that ask their reader for a machine, each with the code of its refusal."""

from __future__ import annotations

import io
import struct
import zipfile

import pyarrow as pa
from pyarrow import parquet

from .old_workbook import workbook

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = f"""<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"
 ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml"
 ContentType="application/xml"/><Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"""


def xlsx(sheet: str | bytes, *, sheets: int = 1, target: str = "worksheets/sheet1.xml", parts: int = 0) -> bytes:
    """Return a workbook with one part for all of its sheets."""
    listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, sheets + 1))
    links = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATIONS}/worksheet" Target="{target}"/>' for n in range(1, sheets + 1)
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>'
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'
        )
        archive.writestr(f"xl/{target}", sheet)
        for number in range(parts):
            archive.writestr(f"xl/media/{number}.png", b"")
    return buffer.getvalue()


def sheet_xml(*rows: str) -> str:
    """Return a sheet of rows."""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def row_xml(number: int, *references: str) -> str:
    """Return a row with a text in each of the cells."""
    cells = "".join(f'<c r="{reference}" t="inlineStr"><is><t>{reference}</t></is></c>' for reference in references)
    return f'<row r="{number}">{cells}</row>'


_FAR = sheet_xml(row_xml(1, "A1"), row_xml(1048576, "XFD1048576"))


def _with_texts(attribute: str) -> bytes:
    """Return a workbook with shared texts; `attribute` tells how many they are."""
    buffer = io.BytesIO(xlsx(sheet_xml(row_xml(1, "A1"))))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}" {attribute}><si><t>a</t></si></sst>')
    return buffer.getvalue()


def _old_workbook_with(record: int, body: bytes, last: bytes = b"") -> bytes:
    """Return an old workbook whose first cell became another record, of the same length; `last` ends it."""
    book = workbook([["x" * (len(body) // 2)]])
    at = book.index(struct.pack("<H", 0x0204))
    length = struct.unpack_from("<H", book, at + 2)[0]
    return (
        book[:at]
        + struct.pack("<HH", record, length)
        + body.ljust(length - len(last), b"\0")
        + last
        + book[at + 4 + length :]
    )


def _old_workbook_in_circles() -> bytes:
    """Return an old workbook whose stream never ends."""
    book = bytearray(workbook([["cuenta"], ["A"]]))
    # The allocation table is the first sector; the last sector of the stream goes on with its first.
    book[512 + 4 * 9 : 512 + 4 * 10] = struct.pack("<I", 2)
    return bytes(book)


def _old_workbook_that_reserves() -> bytes:
    """Return an old workbook whose directory says that the stream has nearly all there is."""
    book = bytearray(workbook([["cuenta"], ["A"]]))
    at = book.index("Workbook".encode("utf-16-le"))
    book[at + 120 : at + 124] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(book)


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _nested(depth: int) -> bytes:
    kind, value = pa.int64(), 1
    for _ in range(depth):
        kind, value = pa.list_(kind), [value]
    return parquet_bytes(pa.table({"cuenta": pa.array([value], kind)}))


def _dictionary_bomb() -> bytes:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 400_000, pa.int32()), pa.array(["x" * 8_000]))
    return parquet_bytes(pa.table({"cuenta": column}))


HOSTILE = {
    "a cell at the far end of the sheet": (lambda: xlsx(_FAR), "sheet_span"),
    "500 columns of a million rows": (
        lambda: xlsx(sheet_xml(row_xml(1, "A1"), row_xml(9, "SF1048576"))),
        "sheet_span",
    ),
    "a far cell in single quotation marks": (
        lambda: xlsx(_FAR.replace('r="XFD1048576"', "r='XFD1048576'")),
        "sheet_span",
    ),
    "a far cell by its second attribute": (
        lambda: xlsx(_FAR.replace('r="XFD1048576" t="inlineStr"', 't="inlineStr" r="XFD1048576"')),
        "sheet_span",
    ),
    "a cell below the end of any sheet": (lambda: xlsx(_FAR.replace("XFD1048576", "A4294967295")), "sheet_span"),
    "a far cell by an entity": (lambda: xlsx(_FAR.replace('"XFD', '"&#88;FD')), "sheet_span"),
    "a far cell in UTF-16": (
        lambda: xlsx(('<?xml version="1.0" encoding="utf-16"?>' + _FAR).encode("utf-16")),
        "sheet_span",
    ),
    "a far cell in a part that is no XML by its name": (lambda: xlsx(_FAR, target="media/sheet.png"), "workbook"),
    "an encoding that does not exist": (
        lambda: xlsx('<?xml version="1.0" encoding="UVF-8"?><!-- -->' + sheet_xml(row_xml(1, "A1"))),
        "workbook",
    ),
    "an encoding that is no alphabet": (
        lambda: xlsx('<?xml version="1.0" encoding="idna"?><!-- -->' + sheet_xml(row_xml(1, "A1"))),
        "workbook",
    ),
    "a document type": (lambda: xlsx('<!DOCTYPE x [<!ENTITY a "b">]>' + _FAR), "workbook"),
    "cells that never end": (lambda: xlsx(sheet_xml('<row r="1"><f>' + '<c r="A1"' * 100_000)), "workbook"),
    "openings of cells alone": (lambda: xlsx(sheet_xml('<row r="1"><f>' + "<c " * 100_000)), "workbook"),
    "one value below an empty million": (
        lambda: xlsx(sheet_xml(row_xml(1, "A1"), row_xml(9_999_999, "A9999999"))),
        "sheet_sparse",
    ),
    "one value at the end of every column": (
        lambda: xlsx(sheet_xml(row_xml(1, "A1"), row_xml(1_048_576, "T1048576"))),
        "sheet_sparse",
    ),
    "an empty text at the end of every column": (
        lambda: xlsx(
            sheet_xml(row_xml(1, "A1"), '<row r="1048576"><c r="T1048576" t="str"><v/></c></row>'), sheets=200
        ),
        "sheet_sparse",
    ),
    "texts without number": (lambda: _with_texts('uniqueCount="99999999999"'), "workbook"),
    "texts without number, said in another way": (lambda: _with_texts("uniqueCount = '4294967296'"), "workbook"),
    "thousands of sheets": (lambda: xlsx(sheet_xml(row_xml(1, "A1")), sheets=20_000), "too_many_sheets"),
    "thousands of parts": (lambda: xlsx(sheet_xml(row_xml(1, "A1")), parts=6_000), "too_many_parts"),
    "an old workbook with a far cell": (
        lambda: _old_workbook_with(0x0203, struct.pack("<HHHd", 65535, 16383, 0, 1.0)),
        "sheet_span",
    ),
    "an old workbook with one value far below": (
        lambda: _old_workbook_with(0x0203, struct.pack("<HHHd", 65535, 199, 0, 1.0)),
        "sheet_sparse",
    ),
    "an old workbook with a far last column": (
        lambda: _old_workbook_with(0x00BE, struct.pack("<HHH", 65535, 0, 0), struct.pack("<H", 16383)),
        "sheet_span",
    ),
    "an old workbook of great dimensions": (
        lambda: _old_workbook_with(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0)),
        "sheet_span",
    ),
    "an old workbook of countless texts": (
        lambda: _old_workbook_with(0x00FC, struct.pack("<II", 1, 0x7FFFFFFF)),
        "workbook",
    ),
    "an old workbook that runs in circles": (_old_workbook_in_circles, "workbook"),
    "an old workbook that reserves all memory": (_old_workbook_that_reserves, "workbook"),
    "lists nested sixty deep": (lambda: _nested(60), "parquet_type"),
    "a list": (lambda: _nested(1), "parquet_type"),
    "a structure": (lambda: parquet_bytes(pa.table({"cuenta": [{"x": 1}]})), "parquet_type"),
    "empty columns of a hundred thousand rows": (
        lambda: parquet_bytes(pa.table({f"c{n}": pa.nulls(100_000, pa.string()) for n in range(400)})),
        "parquet_sparse",
    ),
    "one long text for all rows": (_dictionary_bomb, "parquet_bomb"),
    "ten megabytes of quotation marks": (lambda: b"cuenta;saldo\n" + b'"\n' * 5_000_000, "too_many_broken"),
    "ten megabytes of half rows": (lambda: b"cuenta;saldo\n" + b"x\n" * 5_000_000, "too_many_broken"),
    "a header of ten megabytes": (lambda: b";" * 10_000_000, "too_many_columns"),
    "a single name of ten megabytes": (lambda: b"<a>" * 3_000_000 + b"\n1\n", "long_name"),
}
