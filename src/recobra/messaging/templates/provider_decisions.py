"""What a provider says of our templates: whether they may be sent, and how people take them."""

from __future__ import annotations

import logging
from typing import Final

from django.db.models import Q, QuerySet

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import TemplateEvent, TemplateQualityEvent
from recobra.messaging.facts import TemplateDecidedByProvider, TemplateRatedByProvider
from recobra.messaging.models import Template

_log: Final = logging.getLogger(__name__)


def _templates_of(event: TemplateEvent | TemplateQualityEvent) -> QuerySet[Template]:
    """Return our templates that the provider speaks of."""
    # The provider may name a language with its country («es_PE») where the template has the language alone.
    languages = {event.language, event.language[:2]}
    templates = Template.objects.filter(provider_name=event.name, language__in=languages)
    if not event.name or not templates.exists():
        _log.warning("The provider speaks of a template that is not ours.")
        return Template.objects.none()
    return templates


@consequence
def apply_template_decision(*, event: TemplateEvent, actor: Actor) -> None:
    """Store what the provider decided about a template of ours, unless a later decision is known."""
    is_older = Q(provider_asked_at=None) | Q(provider_asked_at__lt=event.at)
    outdated = _templates_of(event).filter(is_older).exclude(provider_status=event.status)
    if outdated.update(provider_status=event.status, provider_asked_at=event.at):
        decided = TemplateDecidedByProvider(name=event.name, language=event.language, status=event.status)
        record_fact(decided, actor=actor)


@consequence
def apply_template_quality(*, event: TemplateQualityEvent, actor: Actor) -> None:
    """Store how the provider rates a template of ours now."""
    if _templates_of(event).exclude(provider_quality=event.quality).update(provider_quality=event.quality):
        rated = TemplateRatedByProvider(name=event.name, language=event.language, quality=event.quality)
        record_fact(rated, actor=actor)
