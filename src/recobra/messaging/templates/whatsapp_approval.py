"""Approval of WhatsApp templates by Meta: they are submitted, and its decisions are recorded.

Meta calls us when it decides. Asking now and then finds the decisions whose call was lost.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.channels.whatsapp import templates as meta
from recobra.messaging.channels.whatsapp.number import fetch_number
from recobra.messaging.facts import TemplateRegistered
from recobra.messaging.models import Provider, Template, TemplateRegistration
from recobra.messaging.providers.routing import build_config
from recobra.messaging.templates.provider_decisions import record_decision, record_quality
from recobra.messaging.templates.selection import templates_in_force
from recobra.messaging.templates.variables import VARIABLES
from recobra.messaging.templates.whatsapp_form import number_variables
from recobra.portfolio.models import Channel, Portfolio

KIND: Final = "whatsapp"
SUBMITTED_AT_ONCE: Final = 25
"""How many templates one request submits: Meta takes a hundred an hour."""
_CALLS_AT_ONCE: Final = 5
_log = logging.getLogger(__name__)
# Meta's reviewers read a template with values; these belong to no person.
_EXAMPLES: Final = {
    "nombre": "Rosa Quispe",
    "acreedor": "Banco Sur",
    "agencia": "Cobros Andinos",
    "total_vencido": "S/ 120.50",
    "total_por_vencer": "S/ 120.50",
    "mora_desde": "15/10/2026",
    "fecha": "23/11/2026",
    "referencia": "A-1024",
    "como_parar": "BAJA",
    "agencia_telefono": "+51 1 555 0100",
}


class NotRegistered(Exception):
    """The template could not be submitted for approval; the text says why and is shown as it is."""


@requires(Right.EDIT_TEMPLATES)
def register_template(
    *,
    template_id: int,
    provider_id: int,
    category: str = TemplateRegistration.Category.UTILITY.value,
    actor: Actor,
) -> TemplateRegistration:
    """Submit a WhatsApp template in force for the approval of a provider's account. Raises NotRegistered."""
    if category not in TemplateRegistration.Category:
        raise NotRegistered(_("Choose a category."))
    registration = _claim(template_id, _find_provider(provider_id), actor)
    error = _submit([registration], category, actor).get(registration.pk)
    if error:
        raise NotRegistered(error)
    return TemplateRegistration.objects.select_related("template", "provider").get(pk=registration.pk)


@requires(Right.EDIT_TEMPLATES)
def register_missing(*, provider_id: int, actor: Actor) -> dict[str, str]:
    """Submit, as of utility, the next templates in force that a provider does not know; return errors by name.

    SUBMITTED_AT_ONCE of them at most. Raises NotRegistered where there is no such provider.
    """
    provider = _find_provider(provider_id)
    registrations = [
        _claim(template.pk, provider, actor) for template in unregistered_templates(provider)[:SUBMITTED_AT_ONCE]
    ]
    errors = _submit(registrations, TemplateRegistration.Category.UTILITY.value, actor)
    names = {registration.pk: registration.template.name for registration in registrations}
    return {names[registration_id]: error for registration_id, error in errors.items()}


def unregistered_templates(provider: Provider) -> QuerySet[Template]:
    """Return the templates in force that a WhatsApp provider does not know, of the countries that are collected in."""
    countries = ["", *Portfolio.objects.order_by().values_list("country", flat=True).distinct()]
    if provider.country:
        countries = ["", provider.country]
    known = TemplateRegistration.objects.filter(provider=provider).exclude(status="")
    in_force = templates_in_force().filter(channel=Channel.WHATSAPP, country__in=countries)
    return in_force.exclude(pk__in=known.values("template_id")).order_by("code", "country", "tone", "pk")


@requires(Right.SERVE)
def synchronise_templates(*, actor: Actor) -> int:
    """Fetch what every WhatsApp provider says of our templates and of its number; return how many decisions were new.

    A provider that does not answer is logged and asked again next time.
    """
    changed = 0
    for provider in Provider.objects.filter(kind=KIND, enabled=True).order_by("pk"):
        try:
            changed += _synchronise(provider, actor)
        except Unsuitable as error:
            _log.warning("The templates of provider %s could not be asked for: %s", provider.code, error)
    return changed


@requires(Right.EDIT_TEMPLATES)
def ask_provider(*, provider_id: int, actor: Actor) -> int:
    """Fetch what one WhatsApp provider says of our templates and its number, now; return how many decisions were new.

    Raises NotRegistered where it does not answer.
    """
    try:
        return _synchronise(_find_provider(provider_id), actor)
    except Unsuitable as error:
        raise NotRegistered(str(error)) from error


def _synchronise(provider: Provider, actor: Actor) -> int:
    """Store what a provider says of our templates and, as far as it says, of its number. Raises Unsuitable."""
    config = build_config(provider)
    templates = asyncio.run(meta.list_templates(config))
    try:
        number = asyncio.run(fetch_number(config))
    except Unsuitable as error:
        _log.warning("The number of provider %s could not be asked for: %s", provider.code, error)
    else:
        Provider.objects.filter(pk=provider.pk).update(
            number_quality=number.quality, number_tier=number.tier, number_asked_at=actor.now
        )
    return sum(_record_listed(provider, template, actor) for template in templates)


def _find_provider(provider_id: int) -> Provider:
    """Return a WhatsApp provider. Raises NotRegistered."""
    provider = Provider.objects.filter(pk=provider_id, kind=KIND).first()
    if provider is None:
        raise NotRegistered(_("This kind of provider is not installed."))
    return provider


def _claim(template_id: int, provider: Provider, actor: Actor) -> TemplateRegistration:
    """Give a template its name at a provider, so that it is submitted only once. Raises NotRegistered."""
    with transaction.atomic():
        template = Template.objects.select_for_update().get(pk=template_id)
        if template.channel != Channel.WHATSAPP or template.status != Template.Status.APPROVED or template.retired_at:
            raise NotRegistered(_("Only a WhatsApp template in force is put up for Meta's approval."))
        # Meta takes small letters, digits and low lines; the row's number makes the name unique.
        code = re.sub(r"[^a-z0-9]+", "_", template.code.lower())
        registration, _is_new = TemplateRegistration.objects.select_related("template", "provider").get_or_create(
            template=template,
            provider=provider,
            defaults={"name": f"{code}_{template.pk}", "asked_at": actor.now},
        )
        # One whose answer never came is handed in again: Meta takes a name once.
        if registration.status:
            raise NotRegistered(_("This template has already been put up for Meta's approval."))
    return registration


def _submit(registrations: Sequence[TemplateRegistration], category: str, actor: Actor) -> dict[int, str]:
    """Submit claimed templates to one provider and store its answers; return the errors by registration.

    What was not taken is free to be submitted once more.
    """
    if not registrations:
        return {}
    try:
        config = build_config(registrations[0].provider)
    except Unsuitable as error:
        answers: list[meta.MetaTemplate | BaseException] = [error] * len(registrations)
    else:
        answers = asyncio.run(_submit_all(config, registrations, category))
    errors = {}
    for registration, answer in zip(registrations, answers, strict=True):
        if isinstance(answer, Unsuitable):
            TemplateRegistration.objects.filter(pk=registration.pk, status="").delete()
            errors[registration.pk] = str(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            _store_answer(registration.pk, answer, category, actor)
    return errors


async def _submit_all(
    config: Config, registrations: Sequence[TemplateRegistration], category: str
) -> list[meta.MetaTemplate | BaseException]:
    """Return Meta's answer to each template, or what went wrong with it, a few at once."""
    turns = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def submit(registration: TemplateRegistration) -> meta.MetaTemplate:
        body, names = number_variables(registration.template.text)
        examples = [_example_of(name) for name in names]
        async with turns:
            return await _submit_or_find(config, registration, body, examples, category)

    return await asyncio.gather(*map(submit, registrations), return_exceptions=True)


def _store_answer(registration_id: int, answer: meta.MetaTemplate, category: str, actor: Actor) -> None:
    """Store what Meta answered to a template, unless its call has come before its answer."""
    with transaction.atomic():
        locked = TemplateRegistration.objects.select_for_update(of=["self"]).select_related("template", "provider")
        registration = locked.get(pk=registration_id)
        registration.reference = answer.reference
        if not registration.status:
            registration.status, registration.reason = answer.status, answer.reason
            registration.category = answer.category or category
            registration.asked_at = actor.now
        registration.save(update_fields=["status", "category", "reason", "reference", "asked_at"])
        registered = TemplateRegistered(
            template_id=registration.template_id,
            name=registration.name,
            status=registration.status,
            provider=registration.provider.code,
        )
        record_fact(registered, actor=actor)


def _example_of(variable_name: str) -> str:
    """Return an example of a variable's value: one of ours, else its meaning."""
    if variable_name in _EXAMPLES:
        return _EXAMPLES[variable_name]
    for variable in VARIABLES:
        if variable.name == variable_name:
            return str(variable.meaning)
    return variable_name


async def _submit_or_find(
    config: Config, registration: TemplateRegistration, body: str, examples: Sequence[str], category: str
) -> meta.MetaTemplate:
    """Submit a template, or find it at Meta where the reply was lost. Raises Unsuitable."""
    template = registration.template
    try:
        return await meta.submit_template(
            config,
            name=registration.name,
            language=template.language,
            text=body,
            examples=examples,
            buttons=[button["title"] for button in template.buttons],
            category=category,
        )
    except Unsuitable:
        # Meta takes a name once: if the first request arrived, the template is there.
        matches = [found for found in await meta.list_templates(config) if found.name == registration.name]
        if not matches:
            raise
        found = matches[0]
        if found.text and found.text.split() != body.split():
            message = _(
                "Meta has another template of the name «%(name)s»: delete it there, or save a new version here."
            )
            raise Unsuitable(message % {"name": registration.name}) from None
        return found


def _record_listed(provider: Provider, listed: meta.MetaTemplate, actor: Actor) -> bool:
    """Record what a provider's list says of a template; return whether its status was new."""
    with transaction.atomic():
        # Meta may answer with a country where we gave a language: es_PE for es.
        registrations = TemplateRegistration.objects.filter(
            provider=provider, name=listed.name, template__language__in={listed.language, listed.language[:2]}
        )
        locked = registrations.select_related("template", "provider").select_for_update(of=["self"])
        registration = locked.first()
        # One without a status is being submitted at this moment.
        if registration is None or not registration.status:
            return False
        record_quality(registration, listed.quality, actor=actor)
        return record_decision(
            registration,
            status=listed.status,
            reason=listed.reason,
            category=listed.category,
            at=actor.now,
            actor=actor,
        )
