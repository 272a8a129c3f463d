"""Workbooks and Parquet files whose structure is odd: sound containers with contents that no program writes."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import xlsxwriter
from pyarrow import parquet

from .hostile import xlsx
from .old_workbook import workbook

TEXT = "cuenta;nombre;vence;saldo\n" + "".join(f'A{n};"Peña; {n}";0{n}/10/2026;1.234,5{n}\n' for n in range(1, 9))
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REFERENCES = (
    *("A1", "B1", "C1", "A2", "B2", "A3", "C9", "D40", "AA7", "T5000", "SF300", "A1048576", "B9999999", "XFD1", "A0"),
    *("", "1A", "AAAA1", "a1", "A-1", "A1:B2", "ZZZ1", "A99999999999", "Ñ1", "A٣", "$A$1", "R1C1", " A1"),
)
_NUMBERS = ("", "0", "1", "7", "1048576", "9999999", "4294967296", "-1", "1e3", "9" * 30, "²", "x")
_VALUES = (
    *_NUMBERS,
    "1e308",
    "1e999",
    "NaN",
    "2958466",
    "45000.5",
    "#REF!",
    "&#x41;",
    "cuenta",
    "_x0000_",
    "TRUE",
    "é",
)
_KINDS = ("s", "s", "str", "inlineStr", "b", "e", "n", "d", "", "zz")
_FORMATS = ("dd/mm/yyyy", "[h]:mm:ss", "0.00", "[Red]" * 50, '"' * 9, "\\", "[$-409]d", "yyyy" * 2_000, "General;;;@")


def rich_workbook() -> bytes:
    """Return a workbook as programs write them, with everything that they write beside the cells."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    for name in ("Cartera", "Notas", "Oculta"):
        sheet = book.add_worksheet(name)
        for number, line in enumerate(TEXT.splitlines()):
            sheet.write_row(number, 0, line.split(";"))
        sheet.write_datetime(3, 2, date(2026, 10, 1), book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write_formula(4, 3, "=1+1", None, "")
        sheet.write_formula(5, 3, "=1/0", None, "#DIV/0!")
        sheet.write_boolean(6, 3, True)
        sheet.write_rich_string(7, 1, "Pe", book.add_format({"bold": True}), "ña")
        sheet.merge_range(20, 0, 22, 3, "Total")
        sheet.conditional_format(0, 3, 9, 3, {"type": "cell", "criteria": ">", "value": 1, "format": book.add_format()})
        sheet.write_comment(1, 1, "nota")
        sheet.autofilter(0, 0, 8, 3)
    book.define_name("Saldos", "=Cartera!$D$2:$D$9")
    sheet.hide()
    book.close()
    return buffer.getvalue()


def odd_workbook(numbers: random.Random) -> bytes:
    """Return a workbook whose cells, texts, formats and names stand where and as often as no program would put them."""
    rows = "".join(_odd_row(numbers) for _ in range(numbers.choice((0, 1, 3, 40))))
    reach, widest = numbers.choice(_REFERENCES), numbers.choice(_NUMBERS)
    before = f'<dimension ref="A1:{reach}"/><cols><col min="1" max="{widest}"/></cols>'
    merges = "".join(
        f'<mergeCell ref="{numbers.choice(_REFERENCES)}:{numbers.choice(_REFERENCES)}"/>'
        for _ in range(numbers.choice((0, 0, 1, 3_000)))
    )
    after = f"<mergeCells>{merges}</mergeCells>" + numbers.choice(
        ("", "", '<conditionalFormatting sqref="A1:XFD1048576"/>' * 500, "<!-- -->", "<autoFilter/>", "<x/>" * 300)
    )
    head = numbers.choice(
        ("", '<row r="1"><c r="A1" t="str"><v>cuenta</v></c><c r="B1" t="str"><v>saldo</v></c></row>')
    )
    sheet = f"<worksheet {_MAIN}>{before}<sheetData>{head}{rows}</sheetData>{after}</worksheet>"
    buffer = io.BytesIO(xlsx(sheet, sheets=numbers.choice((1, 1, 2, 200))))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        texts = "".join(f"<si><t>{numbers.choice(_VALUES)}</t></si>" for _ in range(numbers.choice((0, 1, 9))))
        count = _seldom(numbers, ("1", "9"), _NUMBERS)
        archive.writestr("xl/sharedStrings.xml", f'<sst {_MAIN} count="{count}" uniqueCount="{count}">{texts}</sst>')
        formats = "".join(
            f'<numFmt numFmtId="{numbers.choice(_NUMBERS)}" formatCode="{numbers.choice(_FORMATS).replace(chr(34), "&quot;")}"/>'
            for _ in range(numbers.choice((0, 1, 9)))
        )
        uses = "".join(f'<xf numFmtId="{numbers.choice(_NUMBERS)}"/>' for _ in range(numbers.choice((0, 1, 9))))
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet {_MAIN}><numFmts count="{count}">{formats}</numFmts><cellXfs count="{count}">{uses}</cellXfs>'
            "</styleSheet>",
        )
    return buffer.getvalue()


def _seldom(numbers: random.Random, usual: tuple[str, ...], odd: tuple[str, ...]) -> str:
    """Return a usual text, one time in eight an odd one: what is odd everywhere is refused at its first fault."""
    return numbers.choice(odd if numbers.random() < 0.125 else usual)


def _odd_row(numbers: random.Random) -> str:
    number = _seldom(numbers, ("", "", ' r="7"'), (f' r="{numbers.choice(_NUMBERS)}"', ' spans="1:99999999"'))
    return f"<row{number}>{''.join(_odd_cell(numbers) for _ in range(numbers.choice((0, 1, 2, 9))))}</row>"


def _odd_cell(numbers: random.Random) -> str:
    reference = _seldom(
        numbers, ("", ' r="A1"', ' r="B2"', ' r="C3"', ' r="D9"'), tuple(f' r="{r}"' for r in _REFERENCES)
    )
    value = _seldom(numbers, ("0", "1", "45000.5"), _VALUES)
    inside = numbers.choice(
        (
            f"<v>{value}</v>",
            f"<v>{value}</v>",
            "",
            "<f>1+1</f>",
            f"<is><t>{value}</t></is>",
            f"<f/><v>{value}</v>",
            "<v/>",
        )
    )
    style = _seldom(numbers, ("0", "1"), _NUMBERS)
    return f'<c{reference} t="{_seldom(numbers, ("s", "n", "str", "b"), _KINDS)}" s="{style}">{inside}</c>'


def odd_old_workbook(numbers: random.Random) -> bytes:
    """Return an old workbook with records put over its own: far cells, false lengths, counts without end."""
    book = bytearray(workbook([["cuenta", "saldo"], *([f"A{n}", float(n)] for n in range(20))]))
    # Behind the header, the allocation table and the directory; what lies beyond the stream stays as it is.
    for _ in range(numbers.choice((1, 2, 5))):
        at = numbers.randrange(1536, 1536 + 1200)
        record = numbers.choice(
            (0x0200, 0x0203, 0x0204, 0x00BD, 0x00BE, 0x00FC, 0x00FD, 0x003C, 0x0085, 0x0006, 0x0208, 0x041E)
        )
        body = struct.pack("<HHHd", numbers.choice((0, 7, 65535)), numbers.choice((0, 200, 255, 65535)), 0, 1.0)
        put = struct.pack("<HH", record, numbers.choice((len(body), 0, 65535, 8224))) + body
        book[at : at + len(put)] = put
    return bytes(book)


def parquet_files() -> dict[str, bytes]:
    """Return tables of every type, as several programs pack them."""
    at = datetime(2026, 11, 23, 15, tzinfo=UTC)
    table = pa.table(
        {
            "cuenta": [f"A{n}" for n in range(60)],
            "saldo": pa.array([Decimal("1.50")] * 60, pa.decimal128(18, 2)),
            "vence": pa.array([date(2026, 10, 1)] * 59 + [None]),
            "at": pa.array([at] * 60, pa.timestamp("us", "UTC")),
            "espera": pa.array([timedelta(seconds=1)] * 60, pa.duration("us")),
            "tipo": pa.array(["a", "b"] * 30).dictionary_encode(),
            "si": [True, False] * 30,
            "bytes": [b"\0\xff"] * 60,
            "n": pa.array(range(60), pa.uint64()),
        }
    )
    made = {}
    for name, options in {
        "plain": {"compression": "none", "use_dictionary": False},
        "snappy": {"compression": "snappy", "row_group_size": 7},
        "zstd": {"compression": "zstd", "data_page_version": "2.0"},
    }.items():
        buffer = io.BytesIO()
        parquet.write_table(table, buffer, **options)
        made[f"parquet {name}"] = buffer.getvalue()
    return made


def media_files() -> dict[str, bytes]:
    """Return the beginnings of what debtors send: a document, pictures, sounds, a film."""
    return {
        "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n"
        b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF",
        "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff\x08\x02\x00\x00\x00" + b"\0" * 60,
        "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xe1\x00\x18Exif\0\0"
        + b"\0" * 40,
        "webp": b"RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00" + b"\0" * 24,
        "ogg": b"OggS\x00\x02" + b"\0" * 22 + b"\x01\x13OpusHead\x01\x01" + b"\0" * 20,
        "mp3": b"ID3\x04\x00\x00\x00\x00\x00\x23TIT2" + b"\0" * 50 + b"\xff\xfb\x90\x64",
        "mp4": b"\x00\x00\x00\x20ftypmp42\x00\x00\x00\x00mp42isom" + b"\0" * 40,
        "html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "zip": b"PK\x03\x04" + b"\0" * 60,
        "exe": b"MZ\x90\x00" + b"\0" * 60,
    }
