"""No damaged list breaks its reader, by the way that it takes: through the cage, into the database (`tests/fuzz.py`)."""

from __future__ import annotations

import csv
import io

import pytest
import xlsxwriter
from django.db import transaction

from recobra.access.user_file import UserFileRefused, load_users
from recobra.intake import operations
from recobra.intake.operations import LoadRefused, preview_file
from recobra.messaging.channels.letter.operations import LettersRefused, import_tracking
from recobra.payments.operations import PaymentRefused
from recobra.payments.operations.files import load_file as load_payments
from recobra.tabular.refusals import FileRefused
from tests import extent, fuzz
from tests.people import acting

from .conftest import MAPPING, TODAY
from .odd_files import TEXT
from .test_fuzz import SEEDS

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]
PREVIEWS = extent.choose(daily=20, whole=500)
LISTS = 150
PAYMENTS = (
    ("cuenta", "monto", "fecha", "referencia", "moneda"),
    [("0001", "10,50", "01/11/2026", "R-{n}", "PEN"), ("0002", "1.234,00", "2026-11-02", "R-{n}", "")],
)
TRACKING = (
    ("referencia", "estado", "fecha", "detalle", "guía"),
    [
        ("PE-0000012345", "entregado", "2026-11-25T10:00:00-05:00", "portería", "G{n}"),
        ("PE-2", "devuelto", "2026-11-26", "", ""),
    ],
)
USERS = (
    ("usuario", "rol", "nombre", "apellido", "correo", "idioma", "equipo", "carteras"),
    [
        ("u{n}", "Gestor", "Ana", "Paz", "u{n}@sur.example", "es", "", "PE-CONSUMO"),
        ("s{n}", "Supervisor", "", "", "s{n}@sur.example", "", "", "*"),
    ],
)
LOADS = (
    (
        "prestamo",
        "producto",
        "cliente",
        "nombre",
        "dni",
        "telefono",
        "correo",
        "direccion",
        "ciudad",
        "vencimiento",
        "saldo",
    ),
    [
        (
            "L{n}",
            "Préstamo",
            "C{n}",
            "Rosa Quispe",
            "45678901",
            "987 654 321",
            "r@example.com",
            "Av. Grau 1",
            "Lima",
            "01/10/2026",
            "1.234,50",
        ),
        ("M{n}", "tarjeta", "D{n}", "José Peña", "", "", "", "", "", "", "99"),
    ],
)


def _table(kind, numbers, position):
    """Return a list of a kind with some of its cells, names and rows changed, as a text or as a workbook."""
    header, rows = kind
    table = [list(header)]
    for n in range(numbers.choice((0, 1, 4, 12))):
        cells = [cell.format(n=f"{position}-{n}") for cell in rows[n % len(rows)]]
        table.append(cells)
    for _ in range(numbers.choice((0, 1, 2, 6))):
        row = numbers.choice(table)
        if row and (row is not table[0] or numbers.random() < 0.2):
            row[numbers.randrange(len(row))] = fuzz.damage_text(numbers.choice(row), numbers)
    if numbers.random() < 0.2:
        numbers.choice(table).append("de más")
    if numbers.random() < 0.3:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            sheet = book.add_worksheet()
            for n, row in enumerate(table):
                sheet.write_row(n, 0, [cell.encode("utf-8", "replace").decode()[:32_000] for cell in row])
        content = buffer.getvalue()
    else:
        text = io.StringIO()
        csv.writer(text, delimiter=numbers.choice(";,\t")).writerows(table)
        content = text.getvalue().encode(numbers.choice(("utf-8", "utf-8-sig", "cp1252", "utf-16")), "replace")
    return fuzz.damage(content, numbers) if numbers.random() < 0.2 else content


def _try_lists(reader, kind, read, refusals):
    """Give a reader its lists, each in a transaction that is taken back."""
    numbers = fuzz.chance(reader)
    shown: list[str] = []
    with fuzz.watch(reader, seconds_max=30) as watched:
        for position in range(LISTS):
            content = _table(kind, numbers, position)
            with watched.input(f"{reader} {position}", content) as one, transaction.atomic():
                try:
                    one.end = read(content)
                except refusals as refusal:
                    one.end = getattr(refusal, "code", "refused whole")
                    shown.append(str(refusal))
                transaction.set_rollback(True)
    assert len(watched.ends) > 1, fuzz.SEED
    assert "" not in shown, fuzz.SEED


def test_no_damaged_file_breaks_the_cage(db, tmp_path):
    path = tmp_path / "cartera"
    shown: list[str] = []
    with fuzz.watch("previews in the cage", seconds_max=3 * fuzz.SECONDS_MAX) as watched:
        for name, content in fuzz.damaged_files(SEEDS, PREVIEWS, fuzz.chance("cage")):
            path.write_bytes(content)
            with watched.input(name, content) as one:
                try:
                    one.end = f"read as {preview_file(path)['kind']}"
                except LoadRefused as refusal:
                    one.end = refusal.code
                    shown.append(str(refusal))
    assert not [text for text in shown if str(tmp_path) in text], fuzz.SEED
    # The library's own faults end a child and no more; a sound file is read after all of them.
    path.write_text(TEXT)
    assert preview_file(path)["rows"] == 8
    assert len(watched.ends) > 2, fuzz.SEED


@pytest.mark.long
def test_no_damaged_list_of_payments_breaks_its_reader(load, company, now, tmp_path):
    load()
    path = tmp_path / "pagos"

    def read(content):
        path.write_bytes(content)
        answer = load_payments(path=path, portfolio_code=company.code, actor=acting("ana", now=now))
        return f"{min(answer['accepted'], 1)} accepted, {min(answer['rejected'], 1)} rejected"

    _try_lists("payments in the cage", PAYMENTS, read, PaymentRefused)


@pytest.mark.long
def test_no_damaged_list_of_a_courier_breaks_its_reader(company, now):
    def read(content):
        answer = import_tracking(content=content, actor=acting("bruno", now=now))
        return "read with errors" if answer.errors else "read"

    _try_lists("a courier's answers in the cage", TRACKING, read, LettersRefused)


@pytest.mark.long
def test_no_damaged_list_of_users_breaks_its_reader(company, now):
    def read(content):
        load_users(content=content, portfolios={company.code}, actor=acting("dario", now=now))
        return "read"

    _try_lists("users in the cage", USERS, read, (UserFileRefused, FileRefused))


@pytest.mark.long
def test_no_damaged_portfolio_breaks_its_load(company, now, tmp_path):
    path = tmp_path / "cartera"

    def read(content):
        path.write_bytes(content)
        answer = operations.load_file(
            path=path, portfolio_code=company.code, mapping=MAPPING, as_of=TODAY, actor=acting("dario", now=now)
        )
        return f"{min(answer['accepted'], 1)} accepted, {min(answer['rejected'], 1)} rejected"

    _try_lists("loads in the cage", LOADS, read, LoadRefused)
