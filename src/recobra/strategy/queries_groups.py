"""Public reads of saved groups: those that a user may choose, what uses them, and who is in one today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from urllib.parse import parse_qs

from django.core.cache import cache
from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.access.models import SavedView
from recobra.access.queries import User
from recobra.portfolio.queries import Portfolio, portfolios_for

from .models import Campaign, StrategyVersion
from .models import SavedGroup as SavedGroup  # noqa: PLC0414 - the doors name the types from here
from .operations.rule_matches import find_matches

MEMBERS_CACHE_SECONDS = 60
FILTER = "grupo"
"""The name of the list's filter by group in an address, as saved views keep it."""


def groups_for(user: User) -> list[SavedGroup]:
    """Return the groups in force that are of all portfolios or of one that the user may see, by name."""
    seen = Q(portfolio__isnull=True) | Q(portfolio__in=portfolios_for(user))
    groups = SavedGroup.objects.select_related("portfolio").filter(seen, retired_at__isnull=True)
    return sorted(groups, key=lambda group: group.name.lower())


def group_for(user: User, code: str) -> SavedGroup:
    """Return a group in force that the user may see. Raises SavedGroup.DoesNotExist."""
    seen = Q(portfolio__isnull=True) | Q(portfolio__in=portfolios_for(user))
    return SavedGroup.objects.select_related("portfolio").get(seen, code=code, retired_at__isnull=True)


def versions_of(group: SavedGroup) -> list[SavedGroup]:
    """Return all versions of a group, newest first."""
    return list(SavedGroup.objects.filter(code=group.code).order_by("-version"))


def find_version(reference: str) -> SavedGroup | None:
    """Return the version of a group that a segment or a campaign names, None where there is none."""
    code, _colon, version = reference.rpartition(":")
    return SavedGroup.objects.filter(code=code, version=int(version)).first() if version.isdecimal() else None


def newest_version(code: str) -> int:
    """Return the number of the newest version of a group."""
    return SavedGroup.objects.filter(code=code).order_by("-version").values_list("version", flat=True)[0]


def list_uses(code: str) -> list[str]:
    """Return what uses a group, in words, each with the version that it keeps."""
    return list(_find_uses(code))


def _find_uses(code: str) -> Iterator[str]:
    for version in StrategyVersion.objects.exclude(status=StrategyVersion.Status.RETIRED).order_by("code", "number"):
        for segment in version.document.get("segments") or []:
            used, _colon, number = str(segment.get("from_group") or "").rpartition(":")
            if used == code:
                words = {"name": version.document.get("name", version.code), "number": version.number}
                words |= {"segment": segment.get("name", ""), "version": number}
                use = _("strategy «%(name)s», version %(number)s: segment «%(segment)s» (group version %(version)s)")
                yield use % words
    for campaign in Campaign.objects.exclude(status=Campaign.Status.ENDED).order_by("code"):
        used, _colon, number = campaign.from_group.rpartition(":")
        if used == code:
            yield _("campaign «%(name)s» (group version %(version)s)") % {"name": campaign.name, "version": number}
    for view in SavedView.objects.filter(query__contains=f"{FILTER}={code}").order_by("name"):
        if parse_qs(view.query).get(FILTER) == [code]:
            yield _("view «%(name)s» of the list") % {"name": view.name}


def portfolios_of(user: User, group: SavedGroup) -> list[Portfolio]:
    """Return the portfolios of a group that the user may see."""
    return [each for each in portfolios_for(user) if group.portfolio_id in (None, each.pk)]


def members_of(user: User, group: SavedGroup, *, as_of: date) -> tuple[int, ...]:
    """Return the ids of the accounts in a group as of a day, within the user's portfolios, as of a minute ago."""
    ids = [portfolio.pk for portfolio in portfolios_of(user, group)]
    if not ids:
        return ()

    def find() -> tuple[int, ...]:
        return tuple(find_matches(rule=group.rule, unknown="no", portfolio_ids=ids, as_of=as_of))

    scope = sha256(repr(ids).encode()).hexdigest()
    return cache.get_or_set(f"group:{group.pk}:{as_of}:{scope}", find, MEMBERS_CACHE_SECONDS) or ()
