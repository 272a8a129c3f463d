"""Payments by CSV file: every row is taken, known already, or answered with what is wrong in it."""

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

from .record import ROWS, PaymentRefused, local_day, record_inferred

MAX_BYTES = 200 * 1024 * 1024
MAX_AMOUNT_DIGITS = 15
_HEADERS = {
    "account": ("account", "cuenta", "nro_cuenta", "numero_cuenta", "credito", "factura", "documento", "contrato"),
    "amount": ("amount", "monto", "importe", "valor", "pago"),
    "date": ("date", "fecha", "fecha_pago", "fecha_de_pago", "paid_date"),
    "reference": ("reference", "referencia", "operacion", "recibo", "nro_operacion", "numero_operacion"),
}
_AMOUNT = re.compile(
    r"(?:(?:RD|[A-Z][a-z]?)?[$€₡₲/]?\.?)?(?P<whole>[1-9]\d{0,2}(?P<group>[.,])\d{3}(?:(?P=group)\d{3})*|\d+)"
    r"(?:(?P<mark>[.,])(?P<fraction>\d+))?€?"
)
_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%d.%m.%Y")


@dataclass(frozen=True, kw_only=True)
class RowError:
    """What is wrong in one place of the file."""

    line: int
    column: str
    found: str
    expected: str


@dataclass(kw_only=True)
class _Reading:
    """What is known while the file is read, and what has come of its rows so far."""

    portfolio: Portfolio
    today: date
    accounts: dict[str, tuple[int, int]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    rows: list[dict[str, Any]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    known: int = 0
    total: int = 0


@transaction.atomic
def load_file(
    *, path: Path, portfolio_code: str, actor: str, actor_id: int | None = None, now: datetime
) -> dict[str, Any]:
    """Load a CSV of payments (account, amount, date, reference). Raises PaymentRefused where the file is no such thing.

    Returns rows, accepted, rejected, known (references taken before), amount_minor, currency and errors.
    The same file twice changes nothing: a reference is taken once per portfolio.
    """
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None:
        raise PaymentRefused(_("There is no portfolio «%(code)s».") % {"code": portfolio_code})
    reading = _read(_text(path), portfolio, now)
    rows = pa.Table.from_pylist(reading.rows, schema=ROWS)
    record_inferred(
        portfolio_id=portfolio.pk,
        rows=rows,
        source=Payment.Source.FILE,
        load_id=None,
        actor=actor,
        actor_id=actor_id,
        now=now,
    )
    figures = {
        "rows": reading.total,
        "accepted": len(reading.rows),
        "rejected": len({error.line for error in reading.errors}),
        "known": reading.known,
        "amount_minor": sum(row["amount_minor"] for row in reading.rows),
        "currency": portfolio.currency,
    }
    record("payments.file_loaded", at=now, actor=actor, actor_id=actor_id, portfolio_id=portfolio.pk, payload=figures)
    return {**figures, "errors": [vars(error) for error in reading.errors]}


def _text(path: Path) -> str:
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
        return content.decode("cp1252", errors="replace")


def _read(text: str, portfolio: Portfolio, now: datetime) -> _Reading:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = csv.reader(io.StringIO(text, newline=""), dialect)
    try:
        places = _places(next(lines))
        raw = [(number, cells) for number, cells in enumerate(lines, start=2) if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise PaymentRefused(_("The file is not text; a CSV file was expected.")) from error
    reading = _Reading(
        portfolio=portfolio,
        today=local_day(portfolio, now),
        accounts=_accounts(portfolio, {_cell(cells, places["account"]) for _line, cells in raw}),
        taken=_taken(portfolio, {_cell(cells, places["reference"]) for _line, cells in raw}),
        total=len(raw),
    )
    for line, cells in raw:
        _take(reading, line, {name: _cell(cells, at) for name, at in places.items()})
    return reading


def _places(header: list[str]) -> dict[str, int]:
    names = [re.sub(r"[^a-z]+", "_", _plain(cell)).strip("_") for cell in header]
    places: dict[str, int] = {}
    for target, known in _HEADERS.items():
        found = [at for at, name in enumerate(names) if name in known]
        if len(found) != 1:
            raise PaymentRefused(
                _("The file needs exactly one column for «%(target)s» (%(names)s); its header is: %(header)s.")
                % {"target": target, "names": ", ".join(known), "header": ", ".join(header)[:300]}
            )
        places[target] = found[0]
    return places


def _plain(cell: str) -> str:
    return cell.strip().lower().translate(str.maketrans("áéíóúñ", "aeioun"))


def _cell(cells: list[str], at: int) -> str:
    return cells[at].strip() if at < len(cells) else ""


def _accounts(portfolio: Portfolio, numbers: set[str]) -> dict[str, tuple[int, int]]:
    rows = Account.objects.filter(portfolio=portfolio, external_id__in=numbers)
    return {number: (pk, debtor) for number, pk, debtor in rows.values_list("external_id", "pk", "debtor_id")}


def _taken(portfolio: Portfolio, references: set[str]) -> set[str]:
    rows = Payment.objects.filter(portfolio=portfolio, reference__in=references)
    return set(rows.values_list("reference", flat=True))


def _take(reading: _Reading, line: int, row: dict[str, str]) -> None:
    """Judge one row; all its faults are told, not only the first."""
    errors: list[RowError] = []

    def fault(column: str, expected: str) -> None:
        errors.append(RowError(line=line, column=column, found=row[column][:200], expected=expected))

    account = reading.accounts.get(row["account"])
    amount = _amount(row["amount"], reading.portfolio.currency)
    paid = _date(row["date"])
    if account is None:
        fault("account", _("an account of portfolio %(code)s") % {"code": reading.portfolio.code})
    if amount is None or amount <= 0:
        fault("amount", _("a positive amount such as 1.234,56 or 1234.56"))
    if paid is None or paid > reading.today:
        fault("date", _("a day not in the future, such as 2026-11-22 or 22/11/2026"))
    if not row["reference"]:
        fault("reference", _("the number of the receipt or operation"))
    reading.errors.extend(errors)
    if errors or account is None:
        return
    if row["reference"] in reading.taken:
        reading.known += 1
        return
    reading.taken.add(row["reference"])
    reading.rows.append(
        {
            "account_id": account[0],
            "debtor_id": account[1],
            "amount_minor": amount,
            "paid_date": paid,
            "reference": row["reference"],
        }
    )


def _amount(text: str, currency: str) -> int | None:
    """Return minor units, or None. A mark before exactly three last digits groups thousands, if it is the only kind."""
    found = _AMOUNT.fullmatch(re.sub(r"[\s']", "", text).removeprefix(currency).removesuffix(currency))
    if found is None or found["group"] == found["mark"] is not None:
        return None
    whole = re.sub(r"\D", "", found["whole"])
    try:
        minor = to_minor(Decimal(f"{whole}.{found['fraction'] or '0'}"), currency)
    except MoneyError:
        return None
    return minor if len(str(minor)) <= MAX_AMOUNT_DIGITS else None


def _date(text: str) -> date | None:
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    return None
