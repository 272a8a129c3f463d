"""Mappings of payment files: never edited, only superseded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.payments.facts import PaymentMappingSaved
from recobra.payments.file_mapping import parse_mapping
from recobra.payments.models import PaymentMapping
from recobra.portfolio.scope import check_portfolio


@requires(Right.LOAD_FILES)
@transaction.atomic
def save_payment_mapping(*, portfolio_id: int, document: Mapping[str, Any], actor: Actor) -> PaymentMapping:
    """Save a mapping as the newest version of its name, unless it is that already. Raises DocumentError."""
    check_portfolio(actor, portfolio_id)
    name = parse_mapping(document).name
    newest = PaymentMapping.objects.filter(portfolio_id=portfolio_id, name=name).order_by("-version").first()
    if newest is not None and newest.document == dict(document):
        return newest
    mapping = PaymentMapping.objects.create(
        portfolio_id=portfolio_id,
        name=name,
        version=newest.version + 1 if newest else 1,
        document=dict(document),
        created_at=actor.now,
        created_by=actor.name,
    )
    saved = PaymentMappingSaved(mapping_id=mapping.pk, version=mapping.version)
    record_fact(saved, actor=actor, portfolio_id=portfolio_id)
    return mapping
