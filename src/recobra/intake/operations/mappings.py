"""Mappings of columns: never edited, only superseded."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Any

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.intake.facts import MappingSaved
from recobra.intake.mapping import parse_mapping
from recobra.intake.models import Mapping
from recobra.journal.operations import record_fact
from recobra.portfolio.scope import check_portfolio


@requires(Right.LOAD_FILES)
@transaction.atomic
def save_mapping(*, portfolio_id: int, document: MappingOf[str, Any], actor: Actor) -> Mapping:
    """Save a mapping as the newest version of its name, unless it is that already. Raises DocumentError."""
    check_portfolio(actor, portfolio_id)
    name = parse_mapping(document).name
    # Control totals belong to one file, not to the mapping.
    saved = {key: value for key, value in document.items() if key != "control"}
    versions = Mapping.objects.filter(portfolio_id=portfolio_id, name=name).order_by("-version")
    newest = versions.first()
    if newest is not None and newest.document == saved:
        return newest
    mapping = Mapping.objects.create(
        portfolio_id=portfolio_id,
        name=name,
        version=newest.version + 1 if newest else 1,
        document=saved,
        created_at=actor.now,
        created_by=actor.name,
    )
    record_fact(MappingSaved(mapping_id=mapping.pk, version=mapping.version), actor=actor, portfolio_id=portfolio_id)
    return mapping
