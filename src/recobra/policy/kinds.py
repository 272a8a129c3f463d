"""Kinds of values that a setting of a policy may have: how each stands in a document, and what is wrong with it.

A document is JSON. A kind reads it into the value that the product works with, writes it back, and names every fault
with its place, what was found and what is expected.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recobra_core.money import CONCEPTS, Waterfall
from recobra_core.stages import Bucket
from recobra_core.stages.limits import BUCKETS_MAX, DEFAULT_BUCKETS

DAYS_MAX: Final = 3_650
"""The most days that a setting may state: ten years."""
AMOUNT_MAX: Final = 10**15
HOLIDAYS_MAX: Final = 366
LONGEST_NAME: Final = 60
# The null character, and halves of one, which neither UTF-8 nor the database takes.
_UNKEPT: Final = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a value. `place` is where inside the setting, such as «2» for its second row, else ''."""

    found: str
    expected: str
    place: str = ""


class Unreadable(Exception):
    """A value that is none of its kind; `faults` names all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.found}: {fault.expected}" for fault in faults))


class Kind(ABC):
    """A kind of value. `field` names the form field by which people state it."""

    field: ClassVar[str]

    @abstractmethod
    def read(self, raw: object) -> Any:
        """Return the value of a document. Raises Unreadable."""

    @abstractmethod
    def write(self, value: Any) -> Any:
        """Return a value as a document has it."""


@dataclass(frozen=True, slots=True)
class WholeNumber(Kind):
    """A whole number, such as of days, from `least` to `most`."""

    field: ClassVar = "number"
    least: int
    most: int = DAYS_MAX

    def read(self, raw: object) -> int:
        """Return the number. Raises Unreadable."""
        if isinstance(raw, int) and not isinstance(raw, bool) and self.least <= raw <= self.most:
            return raw
        expected = _("a whole number from %(least)d to %(most)d") % {"least": self.least, "most": self.most}
        raise Unreadable([Fault(found=show(raw), expected=expected)])

    def write(self, value: int) -> int:
        """Return the number."""
        return value


@dataclass(frozen=True, slots=True)
class Amount(Kind):
    """An amount in minor units of the portfolio's currency, more than zero."""

    field: ClassVar = "amount"

    def read(self, raw: object) -> int:
        """Return the minor units. Raises Unreadable."""
        if isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw < AMOUNT_MAX:
            return raw
        raise Unreadable([Fault(found=show(raw), expected=_("an amount above zero, as the country writes it"))])

    def write(self, value: int) -> int:
        """Return the minor units."""
        return value


@dataclass(frozen=True, slots=True)
class TimeOfDay(Kind):
    """A time of day, to the minute."""

    field: ClassVar = "time"

    def read(self, raw: object) -> time:
        """Return the time. Raises Unreadable."""
        try:
            read = time.fromisoformat(raw if isinstance(raw, str) else "").replace(second=0, microsecond=0)
        except ValueError:
            read = None
        # The clock is the portfolio's: a time with a zone of its own compares with no other.
        if read is None or read.tzinfo is not None:
            raise Unreadable([Fault(found=show(raw), expected=_("a time such as 09:00"))])
        return read

    def write(self, value: time) -> str:
        """Return the time as hours and minutes."""
        return f"{value:%H:%M}"


@dataclass(frozen=True, slots=True)
class WaterfallOrder(Kind):
    """The order in which a payment is applied."""

    field: ClassVar = "waterfall"

    def read(self, raw: object) -> Waterfall:
        """Return the order; `in_advance` applies by concept only, and is the same order unless given."""
        table = raw if isinstance(raw, Mapping) else {}
        by = table.get("by", "due_date")
        faults = []
        if by not in ("due_date", "concept"):
            expected = _("the oldest due date first, or one concept after the other")
            faults.append(Fault(found=show(by), expected=expected))
        for place in ("concepts", "in_advance"):
            order = table.get(place)
            if place in table and order is not None and not _names_each_concept(order):
                faults.append(
                    Fault(place=place, found=_show_order(order), expected=_("each of the five concepts once"))
                )
        if by == "due_date" and table.get("in_advance") is not None:
            expected = _("no order of its own for what is not due, unless concepts come first")
            faults.append(Fault(place="in_advance", found=_show_order(table["in_advance"]), expected=expected))
        if faults or not isinstance(raw, Mapping):
            raise Unreadable(faults or [Fault(found=show(raw), expected=_("an order of application"))])
        in_advance = table.get("in_advance")
        return Waterfall(
            by=by,
            concepts=tuple(table.get("concepts") or CONCEPTS),
            in_advance=tuple(in_advance) if in_advance else None,
        )

    def write(self, value: Waterfall) -> dict[str, Any]:
        """Return the order as a table."""
        table: dict[str, Any] = {"by": value.by, "concepts": list(value.concepts)}
        return table | ({"in_advance": list(value.in_advance)} if value.in_advance else {})


def _show_order(order: object) -> str:
    """Return the codes of an order for its fault, one after the other; what is no list as it is."""
    if isinstance(order, str) or not isinstance(order, Sequence):
        return show(order)
    return ", ".join(map(str, order[: len(CONCEPTS)]))


def _names_each_concept(order: object) -> bool:
    return isinstance(order, Sequence) and not isinstance(order, str) and sorted(map(str, order)) == sorted(CONCEPTS)


@dataclass(frozen=True, slots=True)
class BucketTable(Kind):
    """The buckets of days past due: rows of the last day and the name; each begins where the one before ends.

    The first holds what is not due yet, and the last has no end.
    """

    field: ClassVar = "buckets"

    def read(self, raw: object) -> tuple[Bucket, ...]:
        """Return the buckets. Raises Unreadable, with the number of each row that is wrong."""
        rows = raw if isinstance(raw, Sequence) and not isinstance(raw, str) else []
        if not 2 <= len(rows) <= BUCKETS_MAX:
            expected = _("from 2 to %(most)d buckets") % {"most": BUCKETS_MAX}
            raise Unreadable([Fault(found=show(len(rows)), expected=expected)])
        faults: list[Fault] = []
        buckets: list[Bucket] = []
        previous_end: int | None = None
        for number, row in enumerate(rows, 1):
            table = row if isinstance(row, Mapping) else {}
            end = table.get("to_days")
            if fault := _find_end_fault(end, previous_end, number=number, count=len(rows)):
                faults.append(fault)
            name = table.get("name", "")
            if not _is_name(name):
                expected = _("a name of at most %(most)d letters") % {"most": LONGEST_NAME}
                faults.append(Fault(place=str(number), found=show(name), expected=expected))
            start = None if number == 1 or previous_end is None else previous_end + 1
            buckets.append(_build_bucket(start, end if isinstance(end, int) else None, str(name).strip()))
            previous_end = end if isinstance(end, int) else previous_end
        if faults:
            raise Unreadable(faults)
        return tuple(buckets)

    def write(self, value: Sequence[Bucket]) -> list[dict[str, Any]]:
        """Return the rows of the buckets; '' stands for the name that a bucket has by its days alone."""
        rows = []
        for bucket in value:
            automatic = _build_bucket(bucket.from_days, bucket.to_days, "")
            rows.append({"to_days": bucket.to_days, "name": "" if bucket == automatic else bucket.label_es})
        return rows


def _find_end_fault(end: object, previous: int | None, *, number: int, count: int) -> Fault | None:
    """Return what is wrong with the last day of a bucket, the `number`-th of `count`; None where nothing is."""
    if number == count:
        is_right = end is None
        expected = _("no last day: the last bucket has no end")
    elif number == 1:
        is_right = _is_whole(end) and end == 0
        expected = _("0: the first bucket holds what is not due yet")
    else:
        least = (previous or 0) + 1
        is_right = isinstance(end, int) and _is_whole(end) and least <= end <= DAYS_MAX
        expected = _("a last day from %(least)d to %(most)d") % {"least": least, "most": DAYS_MAX}
    return None if is_right else Fault(place=str(number), found=show(end), expected=expected)


def _build_bucket(start: int | None, end: int | None, name: str) -> Bucket:
    """Return the bucket of some days under its own name or, with '', under the one that its days give it.

    The key is made of the days, so that the same days are the same bucket in every version and portfolio.
    """
    for standard in DEFAULT_BUCKETS:
        if (standard.from_days, standard.to_days) == (start, end):
            if not name:
                return standard
            return Bucket(key=standard.key, from_days=start, to_days=end, label_en=name, label_es=name)
    key = f"d{start}_{'' if end is None else end}"
    label_en = f"{start} days or more" if end is None else f"{start}–{end} days"
    label_es = f"{start} días o más" if end is None else f"{start}–{end} días"
    return Bucket(key=key, from_days=start, to_days=end, label_en=name or label_en, label_es=name or label_es)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day on which the company does not work."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class HolidayList(Kind):
    """Days on which the company does not work, each with its name."""

    field: ClassVar = "holidays"

    def read(self, raw: object) -> tuple[Holiday, ...]:
        """Return the days in their order. Raises Unreadable, with the number of each row that is wrong."""
        if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > HOLIDAYS_MAX:
            found = show(raw if isinstance(raw, str) or not isinstance(raw, Sequence) else len(raw))
            most = ngettext("at most %(count)d day", "at most %(count)d days", HOLIDAYS_MAX) % {"count": HOLIDAYS_MAX}
            raise Unreadable([Fault(found=found, expected=most)])
        faults: list[Fault] = []
        holidays: dict[date, Holiday] = {}
        for number, row in enumerate(raw, 1):
            table = row if isinstance(row, Mapping) else {}
            day = _read_day(table.get("day"))
            name = table.get("name", "")
            if day is None:
                expected = _("a day such as 24/12/2026")
                faults.append(Fault(place=str(number), found=show(table.get("day")), expected=expected))
            elif day in holidays:
                faults.append(Fault(place=str(number), found=day.isoformat(), expected=_("each day once")))
            elif not _is_name(name):
                expected = _("a name of at most %(most)d letters") % {"most": LONGEST_NAME}
                faults.append(Fault(place=str(number), found=show(name), expected=expected))
            else:
                holidays[day] = Holiday(day=day, name=name.strip())
        if faults:
            raise Unreadable(faults)
        return tuple(holidays[day] for day in sorted(holidays))

    def write(self, value: Sequence[Holiday]) -> list[dict[str, str]]:
        """Return the days as rows."""
        return [{"day": holiday.day.isoformat(), "name": holiday.name} for holiday in value]


def _is_name(raw: object) -> bool:
    """Tell if a text, '' too, is a name: short, and of characters that the database keeps."""
    return isinstance(raw, str) and len(raw) <= LONGEST_NAME and not _UNKEPT.search(raw)


def _is_whole(raw: object) -> bool:
    """Tell if a value is a whole number; true and 0.0 equal one and are none."""
    return isinstance(raw, int) and not isinstance(raw, bool)


def _read_day(raw: object) -> date | None:
    try:
        return date.fromisoformat(raw if isinstance(raw, str) else "")
    except ValueError:
        return None


_LONGEST_SHOWN: Final = 40


def show(raw: object) -> str:
    """Return a value as a fault quotes it, short enough for a line; '' for none."""
    if raw is None:
        return ""
    text = str(raw)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
