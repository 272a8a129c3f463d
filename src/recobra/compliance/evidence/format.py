"""How the dossier's plain values are said to people: hours by the debtor's clock, names instead of codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import format_date, format_datetime
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

_DAY: Final = "d MMM y"
_INSTANT: Final = f"{_DAY}, HH:mm:ss"
_KEPT: Final = gettext_noop("kept in the mailbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """A clock on the debtor's wall; `zone` is the name of a known time zone."""

    zone: str

    def instant(self, text: str) -> str:
        """Return ISO 8601 such as «20 nov 2026, 10:00:02 (America/Lima)», '' for ''."""
        return f"{self.bare(text)} ({self.zone})" if text else ""

    def bare(self, text: str) -> str:
        """Return ISO 8601 without the zone, for a column that names it in its head."""
        if not text:
            return ""
        return format_datetime(datetime.fromisoformat(text), _INSTANT, tzinfo=ZoneInfo(self.zone), locale=_language())

    def at(self, zones: str) -> LocalTime:
        """Return the clock of a contact judged for these zones (joined by `|`): the debtor's own if among them."""
        known = [zone for zone in zones.split("|") if find_zone(zone)]
        return self if not known or self.zone in known else LocalTime(zone=known[0])


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return a time zone by its name, None where nobody knows it."""
    return ZoneInfo(name) if name in available_timezones() else None


def format_day(text: str) -> str:
    """Return an ISO date such as «20 nov 2026», '' for ''."""
    return format_date(date.fromisoformat(text), _DAY, locale=_language()) if text else ""


def country_name(code: str, subdivision: str) -> str:
    """Return a country by its name, with the code of the state or region where that is known."""
    return " · ".join(filter(None, (str(Locale(_language()).territories.get(code, code)), subdivision)))


def provider_answer(text: str) -> str:
    """Return what a provider answered; the words of the built-in mailbox are ours and are translated."""
    return text.replace(_KEPT, _(_KEPT)) if text.endswith(_KEPT) else text


def _language() -> str:
    return (get_language() or "es").partition("-")[0]
