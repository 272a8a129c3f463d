"""Rules that read a column of a portfolio's own: of strategies, campaigns, saved groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from .models import Campaign, SavedGroup, StrategyVersion
from .policies import OWN_PREFIX


def find_rules(name: str) -> Iterator[str]:
    """Yield the strategies, campaigns and groups, drafts and those in force, of which a rule reads a column."""
    for version in StrategyVersion.objects.exclude(status=StrategyVersion.Status.RETIRED).order_by("code", "number"):
        if any(names_column(rule, name) for rule in _rules_of(version.document)):
            words = {"name": version.document.get("name", version.code), "number": version.number}
            yield _("strategy «%(name)s», version %(number)s") % words
    for campaign in Campaign.objects.exclude(status=Campaign.Status.ENDED).order_by("code"):
        if names_column(campaign.rule, name):
            yield _("campaign «%(name)s»") % {"name": campaign.name}
    for group in SavedGroup.objects.filter(retired_at__isnull=True).order_by("name"):
        if names_column(group.rule, name):
            yield _("group «%(name)s»") % {"name": group.name}


def names_column(rule: str, name: str) -> bool:
    """Return whether the text of a rule names a column of a portfolio's own."""
    return re.search(rf"\b{OWN_PREFIX}{re.escape(name)}\b", rule) is not None


def _rules_of(document: dict[str, Any]) -> Iterator[str]:
    for group in ("segments", "steps"):
        for member in document.get(group) or []:
            if isinstance(member, dict) and isinstance(member.get("rule"), str):
                yield member["rule"]


FINDERS = (find_rules,)
