"""The courier's two files: which letters go out, and what became of them."""

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


class CourierStatus(StrEnum):
    """What a courier says of a letter."""

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
"""The words of couriers, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingRow:
    """One line of a tracking file; `detail` is the courier's own words, `tracking` its own number of the letter."""

    line: int
    reference: str
    fate: CourierStatus
    at: datetime
    detail: str
    tracking: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingError:
    """What is wrong in a tracking file; line 1 is the head."""

    line: int
    column: str
    found: str
    expected: str


def write_courier_csv(letters: Sequence[Letter], *, sheets: Mapping[str, int]) -> bytes:
    """Return one row per letter, as UTF-8 with a mark; `sheets` by reference.

    A text that a spreadsheet would run as a formula is written with an apostrophe before it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for letter in letters:
        writer.writerow([_harmless(cell) for cell in _row(letter, sheets[letter.reference])])
    return text.getvalue().encode("utf-8-sig")


def read_tracking(content: bytes) -> tuple[list[TrackingRow], list[TrackingError]]:
    """Read a courier's answer: `reference`, `status` and `at` (ISO 8601, without a zone UTC).

    `detail` and `tracking` if given. Comma or semicolon, UTF-8. A bad line becomes an error and never stops the file.
    A file that is no such table has one error on line 1.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [TrackingError(line=1, column="", found=f"byte {error.start}", expected="UTF-8")]
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        missing = [name for name in TRACKING_COLUMNS if name not in names]
        if missing:
            return [], [
                TrackingError(line=1, column=name, found=head.strip()[:80], expected=_("a column of this name"))
                for name in missing
            ]
        return _lines(reader)
    except csv.Error as error:
        return [], [TrackingError(line=reader.line_num, column="", found=str(error), expected=_("a CSV table"))]


def _lines(reader: csv.DictReader[str]) -> tuple[list[TrackingRow], list[TrackingError]]:
    rows: list[TrackingRow] = []
    errors: list[TrackingError] = []
    for count, fields in enumerate(reader, start=1):
        line = reader.line_num
        if count > ROWS_LIMIT:
            errors.append(
                TrackingError(line=line, column="", found="more rows", expected=_("up to %s rows") % ROWS_LIMIT)
            )
            break
        given = {name: (fields.get(name) or "").strip() for name in (*TRACKING_COLUMNS, "detail", "tracking")}
        wrong = _wrong(given, line)
        if wrong:
            errors.extend(wrong)
        else:
            rows.append(
                TrackingRow(
                    line=line,
                    reference=given["reference"],
                    fate=STATUS_WORDS[given["status"].lower()],
                    at=_instant(given["at"]),
                    detail=given["detail"][:200],
                    tracking=given["tracking"][:80],
                )
            )
    return rows, errors


def _wrong(given: Mapping[str, str], line: int) -> list[TrackingError]:
    found = []
    if not given["reference"]:
        found.append(("reference", _("a letter's reference")))
    if given["status"].lower() not in STATUS_WORDS:
        found.append(("status", _("delivered, returned or in transit")))
    try:
        _instant(given["at"])
    except ValueError:
        found.append(("at", _("a date and time such as 2026-11-23T15:00:00Z")))
    return [
        TrackingError(line=line, column=column, found=given[column][:80], expected=expected)
        for column, expected in found
    ]


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _row(letter: Letter, sheets: int) -> list[str]:
    place = letter.address
    first, second, *rest = (*place.lines, "", "")
    third = ", ".join(line for line in rest if line)
    whole = [letter.reference, letter.recipient, first, second, third, place.city, place.subdivision]
    return [" ".join(cell.split()) for cell in (*whole, place.postal_code, place.country, str(sheets))]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell
