"""Approval of WhatsApp templates by Meta: they are submitted, and its decisions are recorded.

Meta calls us when it decides. Asking now and then finds the decisions whose call was lost.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.channels.whatsapp import templates as meta
from recobra.messaging.facts import TemplateDecidedByProvider, TemplateRegistered
from recobra.messaging.models import Provider, Template
from recobra.messaging.providers.routing import build_config
from recobra.messaging.templates.variables import VARIABLES
from recobra.messaging.templates.whatsapp_form import number_variables

PENDING: Final = "PENDING"
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
def register_template(*, template_id: int, provider_id: int, actor: Actor) -> Template:
    """Submit an approved WhatsApp template for Meta's approval. Raises NotRegistered."""
    template = _claim_name(template_id)
    body, names = number_variables(template.text)
    try:
        config = _load_config(provider_id)
        examples = [_example_of(name) for name in names]
        registered = asyncio.run(_submit_or_find(config, template, body, examples))
    except Unsuitable as error:
        # The name is free again, so that the template can be submitted once more.
        Template.objects.filter(pk=template.pk, provider_status="").update(provider_name="")
        raise NotRegistered(str(error)) from error
    with transaction.atomic():
        template.provider_status = registered.status
        template.provider_reference = registered.reference
        template.provider_asked_at = actor.now
        template.save(update_fields=["provider_status", "provider_reference", "provider_asked_at"])
        registered_fact = TemplateRegistered(
            template_id=template.pk, name=template.provider_name, status=registered.status
        )
        record_fact(registered_fact, actor=actor)
    return template


@requires(Right.SERVE)
def synchronise_templates(*, actor: Actor) -> int:
    """Fetch the decisions of every WhatsApp provider and record them; return how many were new.

    A provider that does not answer is logged and asked again next time.
    """
    changed = 0
    for provider in Provider.objects.filter(kind="whatsapp", enabled=True).order_by("pk"):
        try:
            templates = asyncio.run(meta.list_templates(build_config(provider)))
        except Unsuitable as error:
            _log.warning("The templates of provider %s could not be asked for: %s", provider.code, error)
            continue
        changed += sum(_record_decision(template, actor) for template in templates)
    return changed


def _claim_name(template_id: int) -> Template:
    """Give a template its name at Meta, so that it is submitted only once. Raises NotRegistered."""
    with transaction.atomic():
        template = Template.objects.select_for_update().get(pk=template_id)
        if template.channel != "whatsapp" or template.status != Template.Status.APPROVED or template.retired_at:
            raise NotRegistered(_("Only a WhatsApp template in force is put up for Meta's approval."))
        if template.provider_name:
            raise NotRegistered(_("This template has already been put up for Meta's approval."))
        # Meta takes small letters, digits and low lines; the row's number makes the name unique.
        code = re.sub(r"[^a-z0-9]+", "_", template.code.lower())
        template.provider_name = f"{code}_{template.pk}"
        template.save(update_fields=["provider_name"])
    return template


def _example_of(variable_name: str) -> str:
    """Return an example of a variable's value: one of ours, else its meaning."""
    if variable_name in _EXAMPLES:
        return _EXAMPLES[variable_name]
    for variable in VARIABLES:
        if variable.name == variable_name:
            return str(variable.meaning)
    return variable_name


def _load_config(provider_id: int) -> Config:
    """Return the settings of a WhatsApp provider. Raises Unsuitable."""
    provider = Provider.objects.filter(pk=provider_id, kind="whatsapp").first()
    if provider is None:
        raise Unsuitable(_("This kind of provider is not installed."))
    return build_config(provider)


async def _submit_or_find(config: Config, template: Template, body: str, examples: list[str]) -> meta.MetaTemplate:
    """Submit a template, or find it at Meta where the reply was lost. Raises Unsuitable."""
    try:
        return await meta.submit_template(
            config,
            name=template.provider_name,
            language=template.language,
            text=body,
            examples=examples,
            buttons=[button["title"] for button in template.buttons],
        )
    except Unsuitable:
        # Meta takes a name once: if the first request arrived, the template is there.
        matches = [found for found in await meta.list_templates(config) if found.name == template.provider_name]
        if not matches:
            raise
        return matches[0]


def _record_decision(decided: meta.MetaTemplate, actor: Actor) -> bool:
    """Record Meta's status of a template; return whether it was new."""
    with transaction.atomic():
        # Meta may answer with a country where we gave a language: es_PE for es.
        candidates = Template.objects.filter(
            provider_name=decided.name, language__in={decided.language, decided.language[:2]}
        )
        template = candidates.select_for_update().exclude(provider_status=decided.status).first()
        if template is None:
            return False
        template.provider_status = decided.status
        template.provider_asked_at = actor.now
        template.save(update_fields=["provider_status", "provider_asked_at"])
        fact = TemplateDecidedByProvider(name=decided.name, language=decided.language, status=decided.status)
        record_fact(fact, actor=actor)
    return True
