"""The courier's two files: the letters of a batch, and their tracking."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

from recobra.messaging.channels.letter.pdf import Letter

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
TRACKING_COLUMNS: Final = ("reference", "status", "at")
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
    "en tránsito": CourierStatus.IN_TRANSIT,
    "en transito": CourierStatus.IN_TRANSIT,
}
"""The words of couriers for a status, in lower case."""


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
        # An apostrophe before whatever a spreadsheet would run as a formula.
        writer.writerow([f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def read_tracking(content: bytes) -> tuple[list[TrackingRow], list[TrackingError]]:
    """Read a tracking file: `reference`, `status`, `at` (ISO 8601, UTC without a zone); `detail`, `tracking` optional.

    CSV with comma or semicolon, in UTF-8. A bad line becomes an error and never stops the file. A file that is no such
    table has errors on line 1.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [TrackingError(line=1, column="", found=f"byte {error.start}", expected="UTF-8")]
    # A courier's spreadsheet writes the separator of its own country.
    header, _line_end, _rows = text.partition("\n")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        missing = [name for name in TRACKING_COLUMNS if name not in names]
        if missing:
            return [], [
                TrackingError(
                    line=1,
                    column=name,
                    found=header.strip()[:MAX_FOUND_CHARACTERS],
                    expected=_("a column of this name"),
                )
                for name in missing
            ]
        return _read_rows(reader)
    except csv.Error as error:
        return [], [TrackingError(line=reader.line_num, column="", found=str(error), expected=_("a CSV table"))]


def _read_rows(reader: csv.DictReader[str]) -> tuple[list[TrackingRow], list[TrackingError]]:
    """Return the good rows of a tracking file and the errors of the others, up to ROWS_LIMIT."""
    rows: list[TrackingRow] = []
    errors: list[TrackingError] = []
    for count, fields in enumerate(reader, start=1):
        line = reader.line_num
        if count > ROWS_LIMIT:
            errors.append(
                TrackingError(line=line, column="", found="more rows", expected=_("up to %s rows") % ROWS_LIMIT)
            )
            break
        values = {name: (fields.get(name) or "").strip() for name in (*TRACKING_COLUMNS, "detail", "tracking")}
        row_errors = _check_row(values, line)
        if row_errors:
            errors.extend(row_errors)
        else:
            rows.append(
                TrackingRow(
                    line=line,
                    reference=values["reference"],
                    status=STATUS_WORDS[values["status"].lower()],
                    at=_parse_instant(values["at"]),
                    detail=values["detail"][:MAX_DETAIL_CHARACTERS],
                    tracking=values["tracking"][:MAX_TRACKING_CHARACTERS],
                )
            )
    return rows, errors


def _check_row(values: Mapping[str, str], line: int) -> list[TrackingError]:
    """Return the errors of one row, none where it is good."""
    expected_by_column = {}
    if not values["reference"]:
        expected_by_column["reference"] = _("a letter's reference")
    if values["status"].lower() not in STATUS_WORDS:
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
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


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
