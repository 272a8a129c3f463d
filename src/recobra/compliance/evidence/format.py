"""Formatting of the dossier's plain values for people: the debtor's local time, names instead of codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from recobra.kit.countries import country_name
from recobra.kit.date_format import format_date
from recobra.kit.language import active_language
from recobra.kit.zones import find_zone
from recobra_core.zones import split_zones

_DAY: Final = "d MMM y"
_INSTANT: Final = f"{_DAY}, HH:mm:ss"
_KEPT_IN_MAILBOX: Final = gettext_noop("kept in the mailbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """The debtor's local time; `zone` is the name of a known time zone."""

    zone: str

    def format_instant(self, text: str) -> str:
        """Format ISO 8601 as «20 nov 2026, 10:00:02 (America/Lima)», '' for ''."""
        if not text:
            return ""
        return f"{self.format_without_zone(text)} ({self.zone})"

    def format_without_zone(self, text: str) -> str:
        """Format ISO 8601 without the zone, for a column that names it in its head; '' for ''."""
        if not text:
            return ""
        return format_datetime(
            datetime.fromisoformat(text), _INSTANT, tzinfo=ZoneInfo(self.zone), locale=active_language()
        )

    def for_zones(self, zones: str) -> LocalTime:
        """Return the local time of a contact judged for `zones` (`join_zones`): the debtor's own if among them."""
        known = [zone for zone in split_zones(zones) if find_zone(zone)]
        if not known or self.zone in known:
            return self
        return LocalTime(zone=known[0])


def format_day(text: str) -> str:
    """Format an ISO date as «20 nov 2026», '' for ''."""
    if not text:
        return ""
    return format_date(date.fromisoformat(text), _DAY, active_language())


def describe_residence(code: str, subdivision: str) -> str:
    """Return the name of a country, with the code of the state or region where that is known."""
    return " · ".join(filter(None, (country_name(code), subdivision)))


def provider_answer(text: str) -> str:
    """Return a provider's answer; only the text of the built-in mailbox, which is ours, is translated."""
    if not text.endswith(_KEPT_IN_MAILBOX):
        return text
    return text.replace(_KEPT_IN_MAILBOX, _(_KEPT_IN_MAILBOX))
