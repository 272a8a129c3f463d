"""Payments by file: every row is recorded, known already, or rejected with all its errors.

Files are read by `tabular`, in every format, encoding and notation that a file of receivables may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit import tables
from recobra.kit.language import screen_language
from recobra.payments.facts import PaymentFileLoaded
from recobra.payments.file_mapping import PaymentOptions, parse_mapping
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Portfolio
from recobra.tabular import amounts, caged, dates, formats, identifiers, totals, written_days
from recobra.tabular.records import RowFault, find_columns, list_faults, match_columns
from recobra.tabular.refusals import READERS_BUSY, FileRefused, explain_fault
from recobra.tabular.sql_text import cell
from recobra.tabular.workspace import Workspace, open_workspace
from recobra_core.documents import DocumentError
from recobra_core.money import MoneyError, exponent_of, to_minor

from .alike_numbers import find_alike_accounts, find_recorded
from .mappings import save_payment_mapping
from .movements import Movement, SortedRows, fetch_known, sort_rows
from .record import LONGEST_REFERENCE, ROWS, PaymentRefused, is_day_of_payment, record_payments

MAX_ROWS: Final = 1_000_000  # rows are checked in memory
MAX_SHOWN_CHARACTERS: Final = 200  # of a wrong cell, in its error
# By target, the names of its column as `fold_words` leaves them.
_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("account", "cuenta", "nro cuenta", "numero cuenta", "credito", "factura", "documento", "contrato"),
    "amount": ("amount", "monto", "importe", "valor", "pago"),
    "date": ("date", "fecha", "fecha pago", "fecha de pago", "paid date"),
    "reference": ("reference", "referencia", "operacion", "recibo", "nro operacion", "numero operacion"),
    "currency": ("currency", "moneda", "divisa"),
}
_OPTIONAL: Final = frozenset({"currency"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """How a payment file is laid out and writes amounts and dates; `auto` finds it in the file."""

    format: str = "auto"  # a key of `formats.SOURCES`
    decimal: str = "auto"  # comma or point
    date_order: str = "auto"  # dmy, mdy or ymd


DETECT: Final = Notation()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row of the file: its texts by target, and what they stand for.

    `number` and `paid_date` are None where the text is none; `currencies` are those that its
    cells name, '' or None where one names none. `decimal_mark` is the file's: comma or point.
    """

    line: int
    texts: dict[str, str]
    number: str | None
    currencies: list[str | None]
    paid_date: date | None
    decimal_mark: str


@dataclass(kw_only=True)
class _PaymentFile:
    """A file while it is checked: what the database knows of its rows, and the results so far by line."""

    portfolio: Portfolio
    today: date
    accounts: dict[str, tuple[int, int]]  # account id and debtor id by account number
    alike: dict[str, tuple[str, str]]  # by unknown number, the first and the last account that it is like
    is_joining: bool  # whether an unknown number is the account that it is like
    row_count: int
    movements: dict[int, Movement] = field(default_factory=dict)
    errors: list[RowFault] = field(default_factory=list)


@requires(Right.LOAD_FILES)
@transaction.atomic
def load_file(
    *,
    path: Path,
    portfolio_code: str,
    notation: Notation = DETECT,
    mapping: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    actor: Actor,
) -> dict[str, Any]:
    """Load a file of payments (account, amount, date, reference). Raises PaymentRefused where it is no such thing.

    `mapping` says which columns these are, and is kept; without one they have their usual names. `dry_run` finds the
    same and writes nothing. Returns rows, accepted, rejected, known (recorded before), repeated (the same line again),
    amount_minor, currency, set_aside (totals and hidden rows) and errors. The same file twice changes nothing.
    """
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None:
        raise PaymentRefused(_("There is no portfolio «%(code)s».") % {"code": portfolio_code})
    check_scope(actor, portfolio.code)
    caged.prepare()
    layout = _Layout.of_mapping(mapping, notation) if mapping else _Layout(notation=notation)
    try:
        rows, faults, aside = _read_file(path, portfolio, layout)
    except FileRefused as refusal:
        raise PaymentRefused(str(refusal)) from refusal
    # Of two loads of one file at once, the second finds the mapping and the payments of the first.
    tables.lock_id_sequence("portfolio_account")
    if mapping:
        save_payment_mapping(portfolio_id=portfolio.pk, document=mapping, actor=actor)
    file = _check_rows(rows, faults, portfolio, actor.now, is_joining=layout.options.id_zeros == "strip")
    known = fetch_known(portfolio=portfolio, references=(movement.reference for movement in file.movements.values()))
    found = sort_rows(rows=file.movements, known=known, currency=portfolio.currency)
    _leave_recorded_out(file, found)
    payments = [_payment_row(file, movement) for line, movement in file.movements.items() if line in found.new_lines]
    file_errors = sorted([*file.errors, *found.errors], key=lambda error: error.line)
    record_payments(
        portfolio_id=portfolio.pk,
        rows=pa.Table.from_pylist(payments, schema=ROWS),
        source=Payment.Source.FILE,
        load_id=None,
        actor=actor,
    )
    loaded = PaymentFileLoaded(
        rows=file.row_count + aside,
        accepted=len(payments),
        rejected=len({error.line for error in file_errors}),
        known=found.known,
        repeated=found.repeated,
        amount_minor=sum(payment["amount_minor"] for payment in payments),
        currency=portfolio.currency,
    )
    record_fact(loaded, actor=actor, portfolio_id=portfolio.pk)
    errors = [
        {"line": error.line, "column": error.column, "found": error.found, "expected": error.expected}
        for error in file_errors
    ]
    if dry_run:
        transaction.set_rollback(True)
    return {**vars(loaded), "set_aside": aside, "errors": errors}


def preview_file(path: Path, *, sheet: str, header_line: int, columns: Sequence[str], shown_rows: int) -> caged.Preview:
    """Return what a file holds and its first rows, found by its columns' usual names too. Raises PaymentRefused."""
    options = formats.ReadOptions(
        sheet=sheet,
        header_line=header_line,
        columns=[*columns, *chain(*_HEADERS.values())],
        is_any_sheet=True,
        may_be_empty=True,
    )
    try:
        return caged.preview_file(path, options, shown_rows=shown_rows)
    except FileRefused as refusal:
        raise PaymentRefused(str(refusal), is_passing=refusal.code == READERS_BUSY) from refusal


def guess_columns(headers: Sequence[str]) -> dict[int, str]:
    """Return by the position of a column the target that its name usually has."""
    matches = match_columns(headers, _HEADERS)
    return {positions[0]: target for target, positions in matches.items() if positions}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where a file has its columns (by their usual names, or those of a mapping) and how it is to be read."""

    notation: Notation
    columns: Mapping[str, Sequence[str]] | None = None
    options: PaymentOptions = field(default_factory=PaymentOptions)

    @classmethod
    def of_mapping(cls, document: Mapping[str, Any], notation: Notation) -> _Layout:
        """Return the layout of a mapping; what is said beside it about the notation comes first."""
        try:
            mapping = parse_mapping(document)
        except DocumentError as error:
            text = _("The mapping has problems: %(problems)s")
            raise PaymentRefused(text % {"problems": " ".join(error.messages(screen_language()))}) from error
        options = mapping.options
        return cls(
            notation=replace(
                notation,
                decimal=options.decimal if notation.decimal == "auto" else notation.decimal,
                date_order=options.date_order if notation.date_order == "auto" else notation.date_order,
            ),
            columns=mapping.columns(),
            options=options,
        )

    def find_columns(self, headers: tuple[str, ...]) -> dict[str, list[int]]:
        """Return the positions of each target's columns. Raises PaymentRefused, or FileRefused by a mapping."""
        if self.columns is None:
            return _find_columns(headers)
        positions = find_columns(headers, chain(*self.columns.values()))
        return {target: [positions[name] for name in columns] for target, columns in self.columns.items()}


def _read_file(path: Path, portfolio: Portfolio, layout: _Layout) -> tuple[list[_Row], list[RowFault], int]:
    """Return the rows of a file, those that are none, and how many were set aside. Raises FileRefused."""
    found = formats.detect_format(path)
    if layout.notation.format not in {"auto", found}:
        refusal = _("The file is %(found)s, and %(expected)s was asked for.")
        raise PaymentRefused(refusal % {"found": found.upper(), "expected": layout.notation.format.upper()})
    with open_workspace() as duck:
        options = formats.ReadOptions(
            may_be_empty=True,
            encoding=layout.options.encoding,
            sheet=layout.options.sheet,
            header_line=layout.options.header_line,
            columns=list(chain(*(_HEADERS if layout.columns is None else layout.columns).values())),
        )
        sheet = caged.read_file(path, duck, options)
        positions = layout.find_columns(sheet.headers)
        totals.set_totals_aside(
            duck, sheet, key=positions["account"][0], blank=[*positions["date"], *positions["reference"]]
        )
        if duck.count(sheet.raw) > MAX_ROWS:
            raise FileRefused("too_many_rows", limit=MAX_ROWS)
        read = {position: target for target, columns in positions.items() for position in columns}
        faults = list_faults(duck, sheet, read, amounts=positions["amount"])
        wrong = {fault.line for fault in faults}
        rows = _parse_rows(duck, sheet, positions, portfolio, layout.notation)
        return [row for row in rows if row.line not in wrong], faults, duck.count(sheet.aside)


def _parse_rows(
    duck: Workspace, sheet: formats.Sheet, positions: Mapping[str, list[int]], portfolio: Portfolio, notation: Notation
) -> list[_Row]:
    """Return the rows that are not blank, in their order, with amounts and dates read. Raises FileRefused."""
    for position in positions["date"]:
        written_days.rewrite_days(duck, sheet.raw, position, zone=portfolio.time_zone)
    joined = {target: ", ".join(map(cell, columns)) for target, columns in positions.items()}
    cells = {target: f"nullif(concat_ws(' ', {parts}), '')" for target, parts in joined.items()}
    label = sheet.headers[positions["amount"][0]]
    decimal_mark = notation.decimal
    if decimal_mark == "auto":
        decimal_mark = amounts.detect_decimal_mark(
            duck,
            sheet.raw,
            [(label, cells["amount"])],
            decimals=exponent_of(portfolio.currency),
            is_typed=sheet.is_typed,
        )
    date_order = notation.date_order
    if date_order == "auto":
        column = sheet.headers[positions["date"][0]]
        date_order = dates.detect_order(duck, sheet.raw, cells["date"], country=portfolio.country, column=column)
    is_filled = " OR ".join(f"{cell(position)} IS NOT NULL" for position in range(len(sheet.headers)))
    named_currencies = [amounts.currency_sql("amount")]
    if "currency" in cells:
        # What names no currency that is known stands as it is, so that the row is refused.
        known_currency = f"nullif({amounts.currency_sql('currency')}, '')"
        named_currencies.append(f"coalesce({known_currency}, upper(trim(currency)))")
    named_cells = [f"coalesce({text}, '') AS \"{target}\"" for target, text in cells.items()]
    rows = duck.fetch_all(
        f"""
        WITH texts AS (
            SELECT line, {", ".join(named_cells)}
            FROM {sheet.raw} WHERE {is_filled}
        )
        SELECT
            line,
            {", ".join(f'"{target}"' for target in cells)},
            {amounts.number_sql("amount", decimal_mark, is_typed=sheet.is_typed)},
            [{", ".join(named_currencies)}],
            {dates.date_sql('"date"', date_order)}
        FROM texts ORDER BY line
        """
    )
    parsed = []
    for line, *texts, number, currencies, paid_date in rows:
        by_target = dict(zip(cells, texts, strict=True))
        row = _Row(
            line=line,
            texts=by_target,
            number=number,
            currencies=currencies,
            paid_date=paid_date,
            decimal_mark=decimal_mark,
        )
        parsed.append(row)
    return parsed


def _find_columns(headers: tuple[str, ...]) -> dict[str, list[int]]:
    """Return the position of each target's column by its name, in Spanish or English. Raises PaymentRefused."""
    positions: dict[str, list[int]] = {}
    for target, matching in match_columns(headers, _HEADERS).items():
        if not matching and target in _OPTIONAL:
            continue
        if len(matching) != 1:
            raise PaymentRefused(
                _("The file needs exactly one column for «%(target)s» (%(names)s); its header is: %(header)s.")
                % {"target": target, "names": ", ".join(_HEADERS[target]), "header": ", ".join(headers)[:300]}
            )
        positions[target] = matching
    return positions


def _check_rows(
    rows: list[_Row], faults: list[RowFault], portfolio: Portfolio, now: datetime, *, is_joining: bool
) -> _PaymentFile:
    """Return the file with each row checked."""
    numbers = {row.texts["account"] for row in rows}
    accounts = _fetch_accounts(portfolio, numbers)
    alike = find_alike_accounts(portfolio=portfolio, numbers=numbers - accounts.keys() - {""})
    if is_joining:
        accounts |= _fetch_accounts(portfolio, {first for first, last in alike.values() if first == last})
    file = _PaymentFile(
        portfolio=portfolio,
        today=portfolio.local_day(now),
        accounts=accounts,
        alike=alike,
        is_joining=is_joining,
        row_count=len(rows) + len(faults),
        errors=faults,
    )
    for row in rows:
        _check_row(file, row)
    return file


def _fetch_accounts(portfolio: Portfolio, numbers: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return account id and debtor id by number of those accounts that the portfolio has."""
    accounts = Account.objects.filter(portfolio=portfolio, external_id__in=numbers)
    return {
        number: (account_id, debtor_id)
        for number, account_id, debtor_id in accounts.values_list("external_id", "pk", "debtor_id")
    }


def _find_account(file: _PaymentFile, number: str) -> tuple[str, str]:
    """Return the known number of a row's account, '' where there is none, and what was expected then."""
    if number in file.accounts:
        return number, ""
    code = file.portfolio.code
    first, last = file.alike.get(number, ("", ""))
    if not first:
        return "", _("an account of portfolio %(code)s") % {"code": code}
    if first != last:
        words = _("an account of portfolio %(code)s; it is like several: %(first)s … %(last)s")
        return "", words % {"code": code, "first": first, "last": last}
    if file.is_joining:
        return first, ""
    words = _("an account of portfolio %(code)s; only zeros, or a spreadsheet, tell it from %(known)s")
    return "", words % {"code": code, "known": first}


def _check_row(file: _PaymentFile, row: _Row) -> None:
    """Add a row to the movements, or all of its errors to the errors."""
    expected: dict[str, str] = {}  # by column: what a wrong cell should have held
    number, missing_account = _find_account(file, row.texts["account"])
    account = file.accounts.get(number)
    reference = row.texts["reference"]
    amount_minor = _amount_minor(row, file.portfolio.currency)
    if account is None:
        expected["account"] = missing_account
    usual = {"", None, file.portfolio.currency}
    if not usual.issuperset(row.currencies):
        column = "currency" if row.currencies[0] in usual else "amount"
        expected[column] = _("the portfolio's currency: %(code)s") % {"code": file.portfolio.currency}
    elif amount_minor is None or amount_minor <= 0:
        example = amounts.example_amount(row.decimal_mark)
        expected["amount"] = _("a positive amount, written as the file's own: %(example)s") % {"example": example}
    if row.paid_date is None or not is_day_of_payment(row.paid_date, today=file.today):
        expected["date"] = _("a day from 1900 on and not in the future, such as 2026-11-22 or 22/11/2026")
    if not 0 < len(reference) <= LONGEST_REFERENCE:
        expected["reference"] = _("the number of the receipt or operation")
    for column in ("account", "reference"):
        if identifiers.is_scientific(row.texts[column]):
            expected[column] = explain_fault("scientific", {})
    if expected or account is None or amount_minor is None or row.paid_date is None:
        for column, words in expected.items():
            found = row.texts[column][:MAX_SHOWN_CHARACTERS]
            file.errors.append(RowFault(line=row.line, column=column, found=found, expected=words))
        return
    _account_id, debtor_id = account
    file.movements[row.line] = Movement(
        reference=reference,
        debtor_id=debtor_id,
        account=number,
        amount_minor=amount_minor,
        paid_date=row.paid_date,
    )


def _leave_recorded_out(file: _PaymentFile, found: SortedRows) -> None:
    """Take new rows of which only the number of the operation is written otherwise for known ones, or for errors."""
    new = {line: file.movements[line] for line in found.new_lines}
    for line, reference in find_recorded(portfolio=file.portfolio, movements=new).items():
        found.new_lines.discard(line)
        if file.is_joining:
            found.known += 1
            continue
        words = _("another operation than «%(reference)s», recorded for the same account, amount and day")
        expected = words % {"reference": reference}
        found.errors.append(RowFault(line=line, column="reference", found=new[line].reference, expected=expected))


def _payment_row(file: _PaymentFile, movement: Movement) -> dict[str, Any]:
    """Return a movement as a row of ROWS."""
    account_id, debtor_id = file.accounts[movement.account]
    return {
        "account_id": account_id,
        "debtor_id": debtor_id,
        "amount_minor": movement.amount_minor,
        "paid_date": movement.paid_date,
        "reference": movement.reference,
    }


def _amount_minor(row: _Row, currency: str) -> int | None:
    """Return a row's amount in minor units, None where it is no amount of the currency."""
    if row.number is None:
        return None
    try:
        return to_minor(Decimal(row.number), currency)
    except MoneyError:
        return None
