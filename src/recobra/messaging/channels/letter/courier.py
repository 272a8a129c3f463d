"""The courier's two files: the letters of a batch, and their tracking."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

from recobra.kit.spreadsheet_text import escape_formula
from recobra.messaging.channels import webhooks
from recobra.messaging.channels.letter.pdf import Letter
from recobra.tabular.records import Record, match_columns, read_records
from recobra.tabular.refusals import FileRefused
from recobra_core.folding import fold_name

COLUMNS: Final = (
    "reference",
    "name",
    "address_1",
    "address_2",
    "address_3",
    "city",
    "subdivision",
    "postal_code",
    "country",
    "sheets",
)
# By target, the names of its column as `fold_words` leaves them; the first that a file has counts.
_TRACKING_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": ("reference", "referencia"),
    "status": ("status", "estado", "situacao"),
    "at": ("at", "fecha y hora", "fecha de entrega", "fecha", "data"),
    "detail": ("detail", "detalle", "observacion", "observaciones", "motivo"),
    "tracking": ("tracking", "guia", "nro guia", "numero de guia", "seguimiento"),
}
_OPTIONAL: Final = frozenset({"detail", "tracking"})
ROWS_LIMIT: Final = 100_000
MAX_FOUND_CHARACTERS: Final = 80
MAX_DETAIL_CHARACTERS: Final = 200
MAX_TRACKING_CHARACTERS: Final = 80


class CourierStatus(StrEnum):
    """A courier's status of a letter."""

    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"
    IN_TRANSIT = "IN_TRANSIT"


STATUS_WORDS: Final[Mapping[str, CourierStatus]] = {
    "delivered": CourierStatus.DELIVERED,
    "entregado": CourierStatus.DELIVERED,
    "entregada": CourierStatus.DELIVERED,
    "entregue": CourierStatus.DELIVERED,
    "returned": CourierStatus.RETURNED,
    "devuelto": CourierStatus.RETURNED,
    "devuelta": CourierStatus.RETURNED,
    "devolvido": CourierStatus.RETURNED,
    "in_transit": CourierStatus.IN_TRANSIT,
    "in transit": CourierStatus.IN_TRANSIT,
    "en camino": CourierStatus.IN_TRANSIT,
    "en transito": CourierStatus.IN_TRANSIT,
}
"""The words of couriers for a status, folded by `fold_name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingRow:
    """One row of a tracking file; `detail` is the courier's own words, `tracking` its number of the letter."""

    line: int
    reference: str
    status: CourierStatus
    at: datetime
    detail: str
    tracking: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingError:
    """A fault of a tracking file; line 1 is the header."""

    line: int
    column: str
    found: str
    expected: str


def write_courier_csv(letters: Sequence[Letter], *, sheets: Mapping[str, int]) -> bytes:
    """Return a CSV with one row per letter, in UTF-8 with a byte order mark; `sheets` by reference."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for letter in letters:
        cells = _build_row(letter, sheets[letter.reference])
        writer.writerow([escape_formula(cell) for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def read_tracking(content: bytes) -> tuple[list[TrackingRow], list[TrackingError]]:
    """Read a tracking file: `reference`, `status`, `at` (ISO 8601, UTC without a zone); `detail`, `tracking` optional.

    Columns may have the names of `_TRACKING_HEADERS`.
    Any file that a portfolio may come in: CSV of any separator and encoding, or a workbook. A bad line becomes an error
    and never stops the file. A file that is no such table has errors on line 1.
    """
    try:
        # One row more than the limit shows that there are too many.
        records = read_records(content, limit=ROWS_LIMIT + 1, columns=_TRACKING_HEADERS)
    except FileRefused as refusal:
        return [], [TrackingError(line=1, column="", found=str(refusal), expected=_("a table: CSV or a workbook"))]
    header = ", ".join(records.headers)[:MAX_FOUND_CHARACTERS]
    matches = match_columns(records.headers, _TRACKING_HEADERS)
    columns = {target: fold_name(records.headers[positions[0]]) for target, positions in matches.items() if positions}
    missing = [target for target in _TRACKING_HEADERS if target not in columns and target not in _OPTIONAL]
    if missing:
        return [], [
            TrackingError(
                line=1,
                column=target,
                found=header,
                expected=_("a column with one of these names: %s") % ", ".join(_TRACKING_HEADERS[target]),
            )
            for target in missing
        ]
    rows, errors = _read_rows(records.rows, columns)
    errors += [
        TrackingError(
            line=fault.line, column=fault.column, found=fault.found[:MAX_FOUND_CHARACTERS], expected=fault.expected
        )
        for fault in records.faults
    ]
    return rows, errors


def _read_rows(records: Sequence[Record], columns: Mapping[str, str]) -> tuple[list[TrackingRow], list[TrackingError]]:
    """Return the good rows of a tracking file and the errors of the others, up to ROWS_LIMIT.

    `columns` are the file's by target.
    """
    rows: list[TrackingRow] = []
    errors: list[TrackingError] = []
    for record in records[:ROWS_LIMIT]:
        values = {target: record.cells.get(columns.get(target, ""), "") for target in _TRACKING_HEADERS}
        row_errors = _check_row(values, record.line)
        if row_errors:
            errors.extend(row_errors)
        else:
            rows.append(
                TrackingRow(
                    line=record.line,
                    reference=values["reference"],
                    status=STATUS_WORDS[fold_name(values["status"])],
                    at=_parse_instant(values["at"]),
                    detail=values["detail"][:MAX_DETAIL_CHARACTERS],
                    tracking=values["tracking"][:MAX_TRACKING_CHARACTERS],
                )
            )
    if len(records) > ROWS_LIMIT:
        line = records[ROWS_LIMIT].line
        errors.append(
            TrackingError(line=line, column="", found=_("more rows"), expected=_("up to %s rows") % ROWS_LIMIT)
        )
    return rows, errors


def _check_row(values: Mapping[str, str], line: int) -> list[TrackingError]:
    """Return the errors of one row, none where it is good."""
    expected_by_column = {}
    if not values["reference"]:
        expected_by_column["reference"] = _("a letter's reference")
    if fold_name(values["status"]) not in STATUS_WORDS:
        expected_by_column["status"] = _("delivered, returned or in transit")
    try:
        _parse_instant(values["at"])
    except ValueError:
        expected_by_column["at"] = _("a date and time such as 2026-11-23T15:00:00Z")
    return [
        TrackingError(line=line, column=column, found=values[column][:MAX_FOUND_CHARACTERS], expected=expected)
        for column, expected in expected_by_column.items()
    ]


def _parse_instant(text: str) -> datetime:
    """Return an ISO 8601 instant in UTC, which is also assumed without a zone. Raises ValueError."""
    at = webhooks.parse_iso_time(text)
    if at is None:
        raise ValueError(text)
    return at


def _build_row(letter: Letter, sheets: int) -> list[str]:
    """Return the cells of a letter in the order of COLUMNS; further address lines share the third."""
    address = letter.address
    # Padded, because an address may have fewer than two lines.
    first, second, *rest = [*address.lines, "", ""]
    cells = [
        letter.reference,
        letter.recipient,
        first,
        second,
        ", ".join(line for line in rest if line),
        address.city,
        address.subdivision,
        address.postal_code,
        address.country,
        str(sheets),
    ]
    return [" ".join(cell.split()) for cell in cells]
