"""Types of the documents of the law and of the company's rules: weeks, channels, days of effect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from recobra_core.channels import CHANNELS
from recobra_core.documents import A_MAPPING, Day, DocumentModel, Expected, choice, expects, one_of, refuse, refuse_all
from recobra_core.law.model import ALWAYS, WEEKDAYS, Window

MINUTES_A_DAY = 24 * 60
_HOURS = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")


def _read_week(value: Any) -> tuple[Window | None, ...]:
    """Read `mon-fri: "07:00-20:00"` as seven windows; a weekday that is not listed is closed."""
    if not isinstance(value, Mapping):
        raise refuse(A_MAPPING)
    week: list[Window | None] = [None] * len(WEEKDAYS)
    refusals: list[PydanticCustomError] = []
    for key, hours in value.items():
        first, _, last = str(key).partition("-")
        # One weekday alone is a span of one day.
        last = last or first
        if first not in WEEKDAYS or last not in WEEKDAYS:
            expected = Expected("a weekday or two, such as mon-fri", "un día de la semana o dos, como mon-fri")
            refusals.append(refuse(expected, found=f"«{key}»", at=(str(key),)))
            continue
        window = _parse_window(hours)
        if isinstance(window, Expected):
            refusals.append(refuse(window, found=f"«{hours}»", at=(str(key),)))
            continue
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last) + 1):
            if week[weekday] is not None:
                expected = Expected("each weekday once", "cada día de la semana una sola vez")
                refusals.append(refuse(expected, found=f"«{WEEKDAYS[weekday]}»", at=(str(key),)))
                break
            week[weekday] = window
    if refusals:
        raise refuse_all(refusals)
    return tuple(week)


def _parse_window(hours: object) -> Window | Expected:
    """Read hours such as `07:00-20:00` as minutes of the day; return what was expected where they are none."""
    match = _HOURS.fullmatch(hours) if isinstance(hours, str) else None
    if not match:
        return Expected("hours such as '07:00-20:00'", "un horario como '07:00-20:00'")
    opens_hour, opens_minute, closes_hour, closes_minute = map(int, match.groups())
    opens = opens_hour * 60 + opens_minute
    closes = closes_hour * 60 + closes_minute
    if not 0 <= opens < closes <= MINUTES_A_DAY:
        return Expected(
            "an opening before its closing, until 24:00", "una apertura anterior al cierre, hasta las 24:00"
        )
    return Window(opens=opens, closes=closes)


def _read_number(value: Any) -> Decimal:
    """Return a number that is written as text. Raises ValueError."""
    try:
        return Decimal(value if isinstance(value, str) else "")
    except InvalidOperation:
        raise ValueError from None


def _read_year_day(value: Any) -> tuple[int, int]:
    """Return month and day of `02-10`. Raises ValueError."""
    day = date.fromisoformat(f"2023-{value}")
    return day.month, day.day


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContext:
    """The name of a country's file, and the caps that it names: its rules speak of them."""

    file: str
    caps: tuple[str, ...] = ()


def _check_file_name(code: str, info: ValidationInfo) -> str:
    """Refuse a country in a file of another name."""
    assert isinstance(info.context, FileContext)
    file = info.context.file
    if file != f"{code}.yaml":
        raise refuse(Expected(f"the name of the file, {file}", f"el nombre del archivo, {file}"))
    return code


def _check_cap(name: str, info: ValidationInfo) -> str:
    """Refuse a cap that the country does not name."""
    assert isinstance(info.context, FileContext)
    if name not in info.context.caps:
        raise refuse(one_of(info.context.caps), options=info.context.caps)
    return name


Week = Annotated[
    tuple[Window | None, ...],
    PlainValidator(_read_week),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string", "pattern": f"^{_HOURS.pattern}$"}}),
]
YearDay = Annotated[
    tuple[int, int], PlainValidator(_read_year_day), expects("a day such as '02-10'", "un día como '02-10'")
]
"""Month and day that come every year; 29 February does not."""
Channel = Annotated[str, choice(*CHANNELS)]
CountryCode = Annotated[str, AfterValidator(_check_file_name)]
CapName = Annotated[str, AfterValidator(_check_cap)]
Basis = Annotated[str, choice("law", "analogy", "default")]
Number = Annotated[Decimal, PlainValidator(_read_number), expects("a number such as '0.09'", "un número como '0.09'")]
"""A number written as text, so that it stays exact."""


class Clause(DocumentModel):
    """What every entry of a file says: since when, on what ground, where it is written and how sure that is."""

    effective_from: Day = ALWAYS
    basis: Basis
    source: str
    certainty: str
    note: str | None = None
