"""Payments by CSV file: every row is recorded, known already, or rejected with all its errors."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import record
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Portfolio
from recobra_core.money import MoneyError, to_minor

from .record import ROWS, PaymentRefused, local_day, record_payments

MAX_BYTES = 200 * 1024 * 1024
MAX_AMOUNT_DIGITS = 15
SHOWN_CHARACTERS = 200  # of a wrong cell, in its error
_HEADERS = {
    "account": ("account", "cuenta", "nro_cuenta", "numero_cuenta", "credito", "factura", "documento", "contrato"),
    "amount": ("amount", "monto", "importe", "valor", "pago"),
    "date": ("date", "fecha", "fecha_pago", "fecha_de_pago", "paid_date"),
    "reference": ("reference", "referencia", "operacion", "recibo", "nro_operacion", "numero_operacion"),
}
# A currency sign, a whole part with or without thousands marks, and decimals: `S/ 1.234,56`, `1234.5`, `12€`.
_AMOUNT = re.compile(
    r"(?:(?:RD|[A-Z][a-z]?)?[$€₡₲/]?\.?)?(?P<whole>[1-9]\d{0,2}(?P<group>[.,])\d{3}(?:(?P=group)\d{3})*|\d+)"
    r"(?:(?P<mark>[.,])(?P<fraction>\d+))?€?"
)
_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%d.%m.%Y")


@dataclass(frozen=True, kw_only=True)
class RowError:
    """One error in one cell of the file."""

    line: int
    column: str
    found: str
    expected: str


@dataclass(kw_only=True)
class _PaymentFile:
    """A file while it is checked: what the database knows of its rows, and the results so far."""

    portfolio: Portfolio
    today: date
    accounts: dict[str, tuple[int, int]]  # account id and debtor id by account number
    used_references: set[str]
    row_count: int
    payments: list[dict[str, Any]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    known: int = 0


@transaction.atomic
def load_file(
    *, path: Path, portfolio_code: str, actor: str, actor_id: int | None = None, now: datetime
) -> dict[str, Any]:
    """Load a CSV of payments (account, amount, date, reference). Raises PaymentRefused where the file is no such thing.

    Returns rows, accepted, rejected, known (references recorded before), amount_minor, currency and errors.
    The same file twice changes nothing: a reference is recorded once per portfolio.
    """
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None:
        raise PaymentRefused(_("There is no portfolio «%(code)s».") % {"code": portfolio_code})
    file = _check_file(_read_text(path), portfolio, now)
    record_payments(
        portfolio_id=portfolio.pk,
        rows=pa.Table.from_pylist(file.payments, schema=ROWS),
        source=Payment.Source.FILE,
        load_id=None,
        actor=actor,
        actor_id=actor_id,
        now=now,
    )
    figures = {
        "rows": file.row_count,
        "accepted": len(file.payments),
        "rejected": len({error.line for error in file.errors}),
        "known": file.known,
        "amount_minor": sum(payment["amount_minor"] for payment in file.payments),
        "currency": portfolio.currency,
    }
    record("payments.file_loaded", at=now, actor=actor, actor_id=actor_id, portfolio_id=portfolio.pk, payload=figures)
    return {**figures, "errors": [vars(error) for error in file.errors]}


def _read_text(path: Path) -> str:
    """Return the text of a file, whatever its encoding. Raises PaymentRefused."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise PaymentRefused(_("The file cannot be read: %(why)s.") % {"why": error.strerror}) from error
    if size > MAX_BYTES:
        raise PaymentRefused(_("The file is larger than %(mb)s MB.") % {"mb": MAX_BYTES // 1024**2})
    if not content.strip():
        raise PaymentRefused(_("The file is empty."))
    if b"\x00" in content:
        raise PaymentRefused(_("The file is not text; a CSV file was expected."))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # what Excel writes in this region


def _check_file(text: str, portfolio: Portfolio, now: datetime) -> _PaymentFile:
    """Return the file with each row checked. Raises PaymentRefused where a column is missing."""
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = csv.reader(io.StringIO(text, newline=""), dialect)
    rows: list[tuple[int, dict[str, str]]] = []  # line, and its cells by target
    try:
        positions = _find_columns(next(lines))
        for line, cells in enumerate(lines, start=2):
            if any(cell.strip() for cell in cells):
                rows.append((line, {target: _cell(cells, position) for target, position in positions.items()}))
    except csv.Error as error:
        raise PaymentRefused(_("The file is not text; a CSV file was expected.")) from error
    accounts = Account.objects.filter(portfolio=portfolio, external_id__in={row["account"] for _line, row in rows})
    recorded = Payment.objects.filter(portfolio=portfolio, reference__in={row["reference"] for _line, row in rows})
    file = _PaymentFile(
        portfolio=portfolio,
        today=local_day(portfolio, now),
        accounts={
            number: (account_id, debtor_id)
            for number, account_id, debtor_id in accounts.values_list("external_id", "pk", "debtor_id")
        },
        used_references=set(recorded.values_list("reference", flat=True)),
        row_count=len(rows),
    )
    for line, row in rows:
        _check_row(file, line, row)
    return file


def _find_columns(header: list[str]) -> dict[str, int]:
    """Return the position of each target's column by its name, in Spanish or English. Raises PaymentRefused."""
    unaccented = str.maketrans("áéíóúñ", "aeioun")
    names = []
    for cell in header:
        plain = cell.strip().lower().translate(unaccented)
        # «Fecha de pago» becomes «fecha_de_pago».
        names.append(re.sub(r"[^a-z]+", "_", plain).strip("_"))
    positions: dict[str, int] = {}
    for target, known in _HEADERS.items():
        matching = [position for position, name in enumerate(names) if name in known]
        if len(matching) != 1:
            raise PaymentRefused(
                _("The file needs exactly one column for «%(target)s» (%(names)s); its header is: %(header)s.")
                % {"target": target, "names": ", ".join(known), "header": ", ".join(header)[:300]}
            )
        positions[target] = matching[0]
    return positions


def _cell(cells: list[str], position: int) -> str:
    """Return a trimmed cell, '' where the row ends before it."""
    return cells[position].strip() if position < len(cells) else ""


def _check_row(file: _PaymentFile, line: int, row: dict[str, str]) -> None:
    """Add a row to the payments, or all of its errors to the errors; count one that was recorded before as known."""
    expected: dict[str, str] = {}  # by column: what a wrong cell should have held
    account = file.accounts.get(row["account"])
    amount_minor = _parse_amount(row["amount"], file.portfolio.currency)
    paid_date = _parse_date(row["date"])
    if account is None:
        expected["account"] = _("an account of portfolio %(code)s") % {"code": file.portfolio.code}
    if amount_minor is None or amount_minor <= 0:
        expected["amount"] = _("a positive amount such as 1.234,56 or 1234.56")
    if paid_date is None or paid_date > file.today:
        expected["date"] = _("a day not in the future, such as 2026-11-22 or 22/11/2026")
    if not row["reference"]:
        expected["reference"] = _("the number of the receipt or operation")
    if expected or account is None:
        file.errors += [
            RowError(line=line, column=column, found=row[column][:SHOWN_CHARACTERS], expected=words)
            for column, words in expected.items()
        ]
        return
    if row["reference"] in file.used_references:
        file.known += 1
        return
    file.used_references.add(row["reference"])
    account_id, debtor_id = account
    file.payments.append(
        {
            "account_id": account_id,
            "debtor_id": debtor_id,
            "amount_minor": amount_minor,
            "paid_date": paid_date,
            "reference": row["reference"],
        }
    )


def _parse_amount(text: str, currency: str) -> int | None:
    """Return an amount in minor units, None where the text is no amount.

    A single mark before exactly three digits groups thousands: in euro, `1.234` is 123400 and `1.23` is 123.
    """
    bare = re.sub(r"[\s']", "", text).removeprefix(currency).removesuffix(currency)
    match = _AMOUNT.fullmatch(bare)
    # 1.234.56: one mark cannot both group thousands and begin the decimals.
    if match is None or match["group"] == match["mark"] is not None:
        return None
    whole = re.sub(r"\D", "", match["whole"])
    try:
        minor = to_minor(Decimal(f"{whole}.{match['fraction'] or '0'}"), currency)
    except MoneyError:
        return None
    return minor if len(str(minor)) <= MAX_AMOUNT_DIGITS else None


def _parse_date(text: str) -> date | None:
    """Return the day that a text says in any of the known forms, None where it says none."""
    for date_format in _DATE_FORMATS:
        try:
            return datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    return None
