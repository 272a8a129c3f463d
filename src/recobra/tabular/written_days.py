"""Days as people and programs write them in words: months by their names, hours with an offset, blanks between.

Whoever reads a column of days first has such texts written anew as `2026-12-31`, or as day, month and year in figures
where their order is open; then `dates` reads all of them alike. The texts are few or alike: each is read once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from recobra.tabular.sql_text import cell
from recobra.tabular.workspace import Relation, Workspace
from recobra_core.folding import strip_accents

# What `dates.date_sql` reads by itself.
_PLAIN: Final = (
    r"^(\d{4}-\d{2}-\d{2}($|[T ][\d:.,]*$)|\d{1,2}[/.\-]\d{1,2}[/.\-](\d{4}|\d\d)( .*)?$|\d{8}(\.0*)?$"
    r"|[2-7]\d{4}([.,]\d*)?$)"
)
_LONGEST_TEXT: Final = 60
# Names of the months, and how they are shortened, in Spanish, English and Portuguese without accents.
_MONTH_NAMES: Final = (
    "ene enero jan january janeiro",
    "feb febrero february fev fevereiro",
    "mar marzo march marco",
    "abr abril apr april",
    "may mayo mai maio",
    "jun junio june junho",
    "jul julio july julho",
    "ago agosto aug august",
    "sep sept set septiembre setiembre september setembro",
    "oct octubre october out outubro",
    "nov noviembre november novembro",
    "dic diciembre dec december dez dezembro",
)
MONTHS: Final[Mapping[str, int]] = {
    name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()
}
_NAME: Final = r"(?P<month>[a-z]{3,10})"
_YEAR: Final = r"(?P<year>\d{4}|\d\d)(?!\d)"
_DAY: Final = r"(?P<day>\d{1,2})(?:[ºo°]|ro|st|nd|rd|th)?"
_FORMS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # «lunes, 5 de octubre del 2026», «31-ene-26»
        rf"(?:[a-z]+[.,]*\s+)?{_DAY}[\s./-]*(?:de\s+)?{_NAME}[\s./,-]*(?:del?\s+)?{_YEAR}",
        # «Jan 28, 2026»
        rf"(?:[a-z]+,\s*)?{_NAME}[.\s/-]+{_DAY}[\s,./-]+{_YEAR}",
        # «2026-oct-05»
        rf"{_YEAR}[\s./-]+{_NAME}[\s./-]+{_DAY}(?!\d)",
    )
)
_INSTANT: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d:?\d\d.*?)\s*(Z|[+-]\d\d(?::?\d\d)?)?", re.IGNORECASE)
_MIDNIGHT: Final = re.compile(r"00:?00(:?00([.,]0*)?)?")
_FIGURES: Final = re.compile(r"(\d{1,2})\s*[/.\s-]\s*(\d{1,2})\s*[/.\s-]\s*(\d{4}|\d\d)(?:[,t\s].*)?")


def rewrite_days(duck: Workspace, raw: Relation, position: int, *, zone: str) -> None:
    """Write the days of a column anew that are in words; an instant with an offset is a day of `zone`."""
    raw_text = f"c{position}"
    text = cell(position)
    # The commonest forms first, which spares most texts the pattern.
    is_common = f"({raw_text} LIKE '____-__-__' OR {raw_text} LIKE '__/__/____')"
    odd = duck.fetch_all(
        f"SELECT DISTINCT {raw_text} FROM {raw} WHERE NOT {is_common} AND length({raw_text}) <= {_LONGEST_TEXT} "
        f"AND {text} IS NOT NULL AND NOT regexp_matches({text}, '{_PLAIN}')"
    )
    rewritten = [(text, day) for (text,) in odd if (day := rewrite_day(text, zone=zone))]
    if not rewritten:
        return
    texts, days = zip(*rewritten, strict=True)
    table = pa.table({"written": pa.array(texts, pa.string()), "day": pa.array(days, pa.string())})
    known = duck.create_from_arrow("rewritten_days", table)
    duck.execute(f"UPDATE {raw} SET c{position} = day FROM {known} WHERE c{position} = written")
    duck.drop(known)


def rewrite_day(written: str, *, zone: str) -> str:
    """Return a day in figures, '' for a text that holds none."""
    text = " ".join(strip_accents(written, keep="º°").lower().split())
    if instant := _INSTANT.fullmatch(text):
        return _local_day(instant, zone)
    for form in _FORMS:
        match = form.match(text)
        month = MONTHS.get(match["month"]) if match else None
        if match and month:
            year = match["year"] if len(match["year"]) == 4 else f"20{match['year']}"
            return f"{year}-{month:02}-{int(match['day']):02}"
    figures = _FIGURES.fullmatch(text)
    return "/".join(figures.groups()) if figures else ""


def _local_day(instant: re.Match[str], zone: str) -> str:
    """Return the day of an instant; midnight is the day as it is written, since programs write days so."""
    year, month, day, hour, offset = instant.groups()
    written = f"{year}-{month}-{day}"
    if not offset or _MIDNIGHT.fullmatch(hour):
        return written
    try:
        at = datetime.fromisoformat(f"{written}T{hour.replace(',', '.')}{offset.upper()}")
    except ValueError:
        return written
    return at.astimezone(UTC).astimezone(ZoneInfo(zone)).date().isoformat()
