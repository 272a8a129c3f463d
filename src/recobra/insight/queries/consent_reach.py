"""How many debtors can be reached by each channel, and for how many of them it is authorised, by country."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Count, Exists, OuterRef, Q

from recobra.access.queries import User
from recobra.portfolio.models import Account, ContactPoint
from recobra.portfolio.queries import portfolios_for
from recobra_core.channels import CHANNELS_BY_KIND
from recobra_core.law.clauses import OF_OTHERS

_NO_FIXED_LINE = frozenset({"sms", "whatsapp"})


@dataclass(frozen=True, kw_only=True)
class ChannelReach:
    """Debtors with an open account whom a channel can reach, and those who authorised it, or whose creditor says so."""

    channel: str
    reachable: int
    authorised: int

    @property
    def unauthorised(self) -> int:
        """How many can be reached and have authorised nothing."""
        return self.reachable - self.authorised


def consent_by_country(user: User) -> dict[str, list[ChannelReach]]:
    """Return what the debtors of a user's portfolios authorised, by country and channel."""
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)]
    owing = Account.objects.filter(debtor=OuterRef("debtor_id"), status="OPEN", portfolio__in=portfolio_ids)
    usable = ContactPoint.objects.filter(
        Exists(owing), valid=True, retired_at__isnull=True, opted_out_at__isnull=True
    ).exclude(place__in=OF_OTHERS)
    found: dict[str, list[ChannelReach]] = {}
    for kind, channels in CHANNELS_BY_KIND.items():
        rows = usable.filter(kind=kind).order_by().values("debtor__country").annotate(**_count_channels(channels))
        for row in map(_as_mapping, rows):
            found.setdefault(row["debtor__country"], []).extend(
                ChannelReach(channel=channel, reachable=row[channel], authorised=row[f"{channel}_authorised"])
                for channel in channels
            )
    return found


def _as_mapping(row: object) -> Mapping[str, Any]:
    """Return a row whose columns are named at run time, which the types of Django do not know."""
    return cast("Mapping[str, Any]", row)


def _count_channels(channels: Iterable[str]) -> dict[str, Count]:
    """Return, by channel, the counts of debtors whom it reaches, and of those who authorised it."""
    counts = {}
    for channel in channels:
        reaches = ~Q(unusable_for__contains=[channel]) & ~Q(denied_for__contains=[channel])
        if channel in _NO_FIXED_LINE:
            reaches &= ~Q(line="FIXED")
        is_authorised = Q(granted_for__contains=[channel]) | Q(consent=True)
        counts[channel] = Count("debtor_id", distinct=True, filter=reaches)
        counts[f"{channel}_authorised"] = Count("debtor_id", distinct=True, filter=reaches & is_authorised)
    return counts
