"""What a provider says of our templates: whether they may be sent, why not, and how people take them."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import TemplateEvent, TemplateQualityEvent
from recobra.messaging.facts import TemplateDecidedByProvider, TemplateRatedByProvider
from recobra.messaging.models import TemplateRegistration
from recobra.messaging.providers.account_news import find_account_providers

_log: Final = logging.getLogger(__name__)
# Words of Meta's calls for what its lists call otherwise.
_SAME_STATUS: Final = {"REINSTATED": "APPROVED"}
_DETAIL_MAX: Final = 1_000


@consequence
def apply_template_decision(*, event: TemplateEvent, provider_id: int | None, actor: Actor) -> int:
    """Store what the provider decided about a template of ours, unless a later decision is known; return how many.

    A word without a status, as of a category alone, changes no status.
    """
    status = _SAME_STATUS.get(event.status, event.status)
    changed = 0
    for registration in _find_registrations(event.name, event.language, event.account_id, provider_id):
        if registration.status and registration.asked_at > event.at:
            continue
        is_news = record_decision(
            registration,
            status=status,
            reason=event.reason,
            detail=event.detail,
            category=event.category,
            at=event.at,
            actor=actor,
        )
        changed += is_news
    return changed


@consequence
def apply_template_quality(*, event: TemplateQualityEvent, provider_id: int | None, actor: Actor) -> None:
    """Store how the provider rates a template of ours now."""
    for registration in _find_registrations(event.name, event.language, event.account_id, provider_id):
        record_quality(registration, event.quality, actor=actor)


@consequence
def record_decision(
    registration: TemplateRegistration,
    *,
    status: str,
    reason: str,
    category: str,
    at: datetime,
    actor: Actor,
    detail: str = "",
) -> bool:
    """Store the status of a locked registration as of an instant; return whether it is another than before.

    What was said of a status stays while the status does: lists say less than calls.
    """
    is_news = registration.status != status
    registration.asked_at = at
    registration.category = category or registration.category
    if is_news or reason:
        registration.reason = reason
    if is_news or detail:
        registration.detail = detail[:_DETAIL_MAX]
    registration.status = status
    registration.save(update_fields=["status", "reason", "detail", "category", "asked_at"])
    if is_news:
        decided = TemplateDecidedByProvider(
            name=registration.name,
            language=registration.template.language,
            status=status,
            provider=registration.provider.code,
            reason=reason,
        )
        record_fact(decided, actor=actor)
    return is_news


@consequence
def record_quality(registration: TemplateRegistration, quality: str, *, actor: Actor) -> bool:
    """Store how people take a template, as a provider says; return whether it is news."""
    if not quality or registration.quality == quality:
        return False
    registration.quality = quality
    registration.save(update_fields=["quality"])
    rated = TemplateRatedByProvider(
        name=registration.name,
        language=registration.template.language,
        quality=quality,
        provider=registration.provider.code,
    )
    record_fact(rated, actor=actor)
    return True


def _find_registrations(
    name: str, language: str, account_id: str, provider_id: int | None
) -> QuerySet[TemplateRegistration]:
    """Return, locked, our registrations of a name in an account that the provider speaks of."""
    # The provider may name a language with its country («es_PE») where the template has the language alone.
    named = TemplateRegistration.objects.filter(
        name=name,
        template__language__in={language, language[:2]},
        provider__in=find_account_providers(account_id, provider_id),
    )
    if not name or not named.exists():
        _log.warning("The provider speaks of a template that is not ours.")
        return TemplateRegistration.objects.none()
    return named.select_related("template", "provider").select_for_update(of=["self"]).order_by("pk")
