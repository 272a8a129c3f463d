"""A file of a few kilobytes neither stops nor holds up the console: it is refused, and says why."""

import csv
import io
import time

import pyarrow as pa
import pytest

from recobra.intake import operations
from recobra.intake.models import Load
from recobra.intake.operations import LoadRefused, preview_file
from recobra.kit import cage
from recobra.portfolio.models import ContactPoint
from recobra.tabular import caged, formats
from recobra.tabular.formats import limits
from recobra.tabular.formats.workbook import SheetLook, cell_text
from recobra.tabular.formats.xlsx.scan import QuickScan, scan_cells
from recobra.tabular.workspace import open_workspace

from .conftest import SHORT
from .hostile import HOSTILE, parquet_bytes, row_xml, sheet_xml, xlsx


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_at_once(kind, db, tmp_path):
    make, code = HOSTILE[kind]
    path = tmp_path / "secreto" / "cartera"
    path.parent.mkdir()
    path.write_bytes(make())
    begin = time.monotonic()
    with pytest.raises(LoadRefused) as refusal:
        preview_file(path)
    assert refusal.value.code == code
    assert "secreto" not in str(refusal.value)
    assert time.monotonic() - begin < 15


def test_a_load_reads_in_the_cage_too_and_says_what_ended_it(load, tmp_path, monkeypatch, settings):
    settings.READ_MEMORY_MB = 1
    with pytest.raises(LoadRefused) as refusal:
        load("cuenta;vence;saldo\n" + "A;01/10/2026;100,00\n" * 200_000, mapping=SHORT)
    assert refusal.value.code == "needs_memory"
    kept = Load.objects.get()
    assert (kept.status, kept.reason) == ("REFUSED", str(refusal.value))


def test_a_file_that_takes_too_long_is_refused_and_the_next_one_is_read(db, tmp_path, monkeypatch):
    path = tmp_path / "cartera.csv"
    path.write_bytes(b"cuenta;saldo\n" + b'1;"x\n' * 400_000)
    monkeypatch.setattr(
        caged, "_limits_for", lambda *_, **__: cage.CageLimits(seconds=1, memory_bytes=10**9, disk_bytes=10**9)
    )
    with pytest.raises(LoadRefused) as refusal:
        preview_file(path)
    assert refusal.value.code == "needs_time"
    assert "1" in str(refusal.value)
    monkeypatch.undo()
    path.write_text("cuenta;saldo\n1;2\n")
    assert preview_file(path)["rows"] == 1


def test_a_broken_parquet_file_does_not_say_where_it_lies(db, tmp_path):
    path = tmp_path / "secreto.parquet"
    path.write_bytes(parquet_bytes(pa.table({"cuenta": ["A"]}))[:-9])
    with pytest.raises(LoadRefused) as refusal:
        preview_file(path)
    assert "secreto" not in str(refusal.value)
    assert "/" not in str(refusal.value)


def test_a_name_that_turns_its_text_around_is_refused_and_addresses_are_cut_at_line_ends(load):
    mapping = SHORT | {"debtor": {"name": "nombre"}, "emails": ["correo"]}
    result = load(
        "cuenta;vence;saldo;nombre;correo\n"
        "A;01/10/2026;100,00;Rosa \u202etahc;a@b.pe\n"
        'B;01/10/2026;100,00;Ana;"ana@b.pe\nBcc: otro@b.pe"\n',
        mapping=mapping,
    )
    assert (result["accepted"], result["errors"][0]["errors"][0]["code"]) == (1, "signs")
    points = ContactPoint.objects.values_list("value", flat=True)
    assert "ana@b.pe" in points
    assert not [value for value in points if "\n" in value]


def test_the_names_of_columns_are_no_formulas_in_the_file_of_errors(load, tmp_path):
    head = '=HYPERLINK("http://x")'
    mapping = {"account": {"external_id": "cuenta"}, "balance": head}
    result = load(f"cuenta;'{head}'\nA;1,00\nB;nada\n".replace("'", ""), mapping=mapping)
    written = tmp_path / "errors.csv"
    operations.write_errors(load_id=result["load_id"], path=written)
    rows = list(csv.reader(io.StringIO(written.read_text("utf-8-sig")), delimiter=";"))
    assert len(rows) == 2
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_a_usual_workbook_is_read_whatever_its_programs_write_beside_the_cells(db, tmp_path):
    path = tmp_path / "libro.xlsx"
    rows = [row_xml(1, "A1", "B1"), row_xml(2, "A2", "B2"), row_xml(3, "A3", "B3")]
    path.write_bytes(xlsx(sheet_xml(*rows).replace('<c r="A2"', '<c s="1" r="A2"')))
    assert preview_file(path)["sample"] == [["A2", "B2"], ["A3", "B3"]]


def test_a_part_is_judged_alike_however_it_is_cut_into_pieces():

    text = sheet_xml(*[row_xml(number, f"A{number}", f"ZZ{number}") for number in range(1, 40)]).encode()
    for size in (7, 50, 64, 65, 1_000):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        scan = QuickScan()
        for piece in pieces:
            scan.feed(piece)
        scan.close()
        assert scan.is_sure
        assert scan_cells(pieces, {}) == SheetLook()


def test_a_far_cell_that_has_a_format_and_no_value_is_nothing(db, tmp_path):
    path = tmp_path / "libro.xlsx"
    rows = [row_xml(1, "A1", "B1"), row_xml(2, "A2", "B2"), '<row r="1048576"><c r="T1048576" s="3"/></row>']
    path.write_bytes(xlsx(sheet_xml(*rows)))
    assert preview_file(path)["sample"] == [["A2", "B2"]]


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_row_with_a_null_character_is_set_aside_whatever_the_format(kind, load, tmp_path):
    path = tmp_path / f"cartera.{kind}"
    if kind == "parquet":
        path.write_bytes(
            parquet_bytes(pa.table({"cuenta": ["A", "B\0"], "vence": ["2026-10-01"] * 2, "saldo": [1, 2]}))
        )
    else:
        names = (
            row_xml(1, "A1", "B1", "C1")
            .replace(">A1<", ">cuenta<")
            .replace(">B1<", ">vence<")
            .replace(">C1<", ">saldo<")
        )
        rows = [
            f'<row r="{n}"><c r="A{n}" t="str"><v>{name}</v></c><c r="B{n}" t="str"><v>2026-10-01</v></c>'
            f'<c r="C{n}"><v>{n}</v></c></row>'
            for n, name in ((2, "A"), (3, "B_x0000_"))
        ]
        path.write_bytes(xlsx(sheet_xml(names, *rows)))
    result = load(path, mapping=SHORT)
    assert (result["accepted"], result["errors"][0]["errors"][0]["code"]) == (1, "null_sign")


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("cuenta;saldo\nA1;" + '"' * 51 + 'x; 1";y\r2\nA2;3\n', (1, 2)),  # a return within a line that is broken too
        (
            'cuenta;saldo\n"' + "x" * 9_000_000 + "\n" + "y" * 9_000_000 + '";1\nA2;3\n',
            (1, 2),
        ),  # a field over two lines
    ],
    ids=["return", "long field"],
)
def test_a_line_that_cannot_be_split_is_set_aside(text, ends, db, tmp_path):
    path = tmp_path / "cartera.csv"
    path.write_bytes(text.encode())
    with open_workspace() as duck:
        sheet = formats.read(path, duck, formats.ReadOptions())
        assert (duck.count(sheet.raw), duck.count(sheet.broken)) == ends


@pytest.mark.parametrize("last", ['"LOS ANDES', 'TUBOS 1/2"'])
def test_two_lines_with_a_stray_mark_swallow_nobody_between_them(last, db, tmp_path):
    path = tmp_path / "cartera.csv"
    rows = ["A;ANA;1", 'B;"EL SOL;2', "C;CARLA;3", f"D;{last};4", 'E;"dos\nlineas";5']
    path.write_text("\n".join(["cuenta;nombre;saldo", *rows]))
    with open_workspace() as duck:
        sheet = formats.read(path, duck, formats.ReadOptions())
        assert [row[0] for row in duck.fetch_all(f"SELECT c0 FROM {sheet.raw} ORDER BY line")] == ["A", "C", "E"]
        assert duck.count(sheet.broken) == 2


def test_a_line_that_lost_thousands_of_line_ends_spoils_itself_alone(db, tmp_path, settings):
    settings.READ_MEMORY_MB = 500
    path = tmp_path / "cartera.csv"
    joined = "".join(f"A{number};CALLE LOS PINOS {number};100,00" for number in range(6_000))
    path.write_text("\n".join(["cuenta;calle;saldo", "A;CALLE 1;100,00", *[joined] * 8, "B;CALLE 2;100,00"]))
    seen = preview_file(path)
    assert (seen["rows"], seen["broken"]) == (10, 8)


def test_a_long_text_is_cut_where_a_person_looks_at_it(db, tmp_path):
    path = tmp_path / "cartera.csv"
    path.write_text("\n".join(["cuenta;nota", *("A;" + "x" * 3_000_000 for _row in range(5))]))
    assert all(len(note) < 1_000 for _account, note in preview_file(path)["sample"])


def test_a_row_of_zeros_is_a_row(db, tmp_path):
    path = tmp_path / "libro.xlsx"
    zeros = '<row r="2"><c r="A2"><v>0</v></c><c r="B2"><v>0</v></c></row><row r="3"/>'
    path.write_bytes(xlsx(sheet_xml(row_xml(1, "A1", "B1"), zeros)))
    assert preview_file(path)["sample"] == [["0", "0"]]


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"x" * 400, b"PAR1" + b"x" * 400], ids=["workbook", "parquet"])
def test_a_damaged_file_is_told_of_in_words_of_its_user(content, db, tmp_path):
    path = tmp_path / "cartera"
    path.write_bytes(content)
    with pytest.raises(LoadRefused) as refusal:
        preview_file(path)
    assert not [word for word in ("Error", "Exception", "Bad", "Zip", "XML", "(") if word in str(refusal.value)]
    assert str(refusal.value).count(".") > 1  # what is wrong, and what to do


@pytest.mark.parametrize(
    ("number", "text"), [(1200.0, "1200"), (1e30, "1" + "0" * 30), (float("inf"), "Infinity"), (0.1, "0.1")]
)
def test_every_number_of_a_workbook_has_a_text(number, text):
    assert cell_text(number) == text


def test_a_few_broken_rows_among_many_good_ones_are_not_too_many(db, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "BROKEN_ROWS", 100)
    path = tmp_path / "cartera.csv"
    path.write_text("cuenta;saldo\n" + "1;2\n" * 500 + "x\n" * 90)

    with open_workspace() as duck:
        sheet = formats.read(path, duck, formats.ReadOptions())
        assert (duck.count(sheet.raw), duck.count(sheet.broken)) == (500, 90)
