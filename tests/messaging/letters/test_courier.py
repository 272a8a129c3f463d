"""The courier's files."""

import csv
import io
from datetime import UTC, datetime

import pytest

from recobra.messaging.channels.letter.courier import CourierStatus, read_tracking, write_courier_csv
from recobra.messaging.channels.letter.pdf import Address
from tests.messaging.letters.sample import letter


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_courier_gets_one_row_per_letter():
    (row,) = rows(write_courier_csv([letter()], sheets={"PE-0000012345": 2}))
    assert row == {
        "reference": "PE-0000012345",
        "name": "Rosa Quispe Mamani",
        "address_1": "Av. Los Próceres 1250, dpto. 402",
        "address_2": "Urb. San Martín",
        "address_3": "",
        "city": "Lima",
        "subdivision": "",
        "postal_code": "15046",
        "country": "PE",
        "sheets": "2",
    }


def test_a_cell_is_no_formula_and_no_second_line():
    (row,) = rows(
        write_courier_csv(
            [letter(recipient="=1+1", address=Address(lines=("A\nB", "C", "D", "E")))], sheets={"PE-0000012345": 1}
        )
    )
    assert row["name"] == "'=1+1"
    assert row["address_1"] == "A B"
    assert row["address_3"] == "D, E"


def test_what_became_of_letters_is_read_in_the_couriers_words():
    found, errors = read_tracking(
        "Reference;Status;At;Detail\nPE-1;ENTREGADO;2026-11-25T10:00:00-05:00;portería\nPE-2;devuelto;2026-11-26;\n".encode()
    )
    assert errors == []
    assert [(row.reference, row.status, row.at) for row in found] == [
        ("PE-1", CourierStatus.DELIVERED, datetime(2026, 11, 25, 15, tzinfo=UTC)),
        ("PE-2", CourierStatus.RETURNED, datetime(2026, 11, 26, tzinfo=UTC)),
    ]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "0001-01-01", "1999-12-31"])
def test_a_day_that_no_letter_was_delivered_on_is_an_error_of_its_row(at):
    found, errors = read_tracking(f"referencia;estado;fecha\nPE-1;entregado;{at}\nPE-2;devuelto;2026-11-26\n".encode())
    assert [row.reference for row in found] == ["PE-2"]
    assert [(error.line, error.column) for error in errors] == [(2, "at")]


def test_columns_may_have_spanish_names_and_the_own_name_counts_first():
    found, errors = read_tracking(
        "Referencia;Estado;Fecha;At;Observación;Nro. Guía\nPE-1;entregado;ayer;2026-11-26;portería;G-7\n".encode()
    )
    assert errors == []
    assert [(row.reference, row.status, row.at, row.detail, row.tracking) for row in found] == [
        ("PE-1", CourierStatus.DELIVERED, datetime(2026, 11, 26, tzinfo=UTC), "portería", "G-7")
    ]


def test_a_bad_line_says_where_and_what_and_stops_nothing():
    found, errors = read_tracking(b"reference,status,at\n,lost,ayer\nPE-2,delivered,2026-11-25\n")
    assert [row.reference for row in found] == ["PE-2"]
    assert [(e.line, e.column, e.found) for e in errors] == [
        (2, "reference", ""),
        (2, "status", "lost"),
        (2, "at", "ayer"),
    ]
    assert all(error.expected for error in errors)


def test_a_file_that_is_no_tracking_file_is_one_answer():
    for content in (b"", b"\xff\xfe", b"%PDF-1.7\n" + bytes(range(32)) * 20):
        (error,) = read_tracking(content)[1]
        assert (error.line, error.column) == (1, "")
        assert error.found
        assert error.expected
    assert [e.column for e in read_tracking(b"name\nx\n")[1]] == ["reference", "status", "at"]


def test_the_couriers_file_may_come_as_any_file_may():
    content = "Reference\tStatus\tAt\tDetail\nPE-1\tEn Tránsito\t2026-11-25T10:00:00Z\tbuzón\nPE-2\tdelivered\n"
    found, errors = read_tracking(content.encode("cp1252"))
    assert [(row.status, row.detail) for row in found] == [(CourierStatus.IN_TRANSIT, "buzón")]
    assert [error.line for error in errors] == [3]
