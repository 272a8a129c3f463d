"""WhatsApp templates at Meta: ours are put up for its approval, and its decisions are asked for and noted.

Meta calls us when it decides; asking now and then finds what such a call did not bring.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import record
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.channels.whatsapp import templates as meta
from recobra.messaging.models import Provider, Template
from recobra.messaging.providers.routing import build_config
from recobra.messaging.templates.variables import VARIABLES
from recobra.messaging.templates.whatsapp_form import number_variables

ACTOR: Final = "provider"
PENDING: Final = "PENDING"
_log = logging.getLogger(__name__)
# Meta's reviewers read a template with values; they are nobody's.
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
    """The template could not be put up for approval; the text says why and is shown as it is."""


def register_template(
    *, template_id: int, provider_id: int, actor: str, actor_id: int | None = None, now: datetime
) -> Template:
    """Put an approved WhatsApp template up for Meta's approval. Raises NotRegistered."""
    template = _claimed(template_id)
    body, names = number_variables(template.text)
    try:
        config = _config(provider_id)
        told = asyncio.run(_submitted(config, template, body, [_example(name) for name in names]))
    except Unsuitable as error:
        Template.objects.filter(pk=template.pk, provider_status="").update(provider_name="")
        raise NotRegistered(str(error)) from error
    with transaction.atomic():
        template.provider_status, template.provider_reference = told.status, told.reference
        template.provider_asked_at = now
        template.save(update_fields=["provider_status", "provider_reference", "provider_asked_at"])
        payload = {"template_id": template.pk, "name": template.provider_name, "status": told.status}
        record("template.registered", at=now, actor=actor, actor_id=actor_id, payload=payload)
    return template


def synchronise_templates(*, now: datetime) -> int:
    """Ask every WhatsApp provider for its decisions and note them; return how many were new.

    A provider that does not answer is asked again next time, and its silence is logged.
    """
    changed = 0
    for provider in Provider.objects.filter(kind="whatsapp", enabled=True).order_by("pk"):
        try:
            found = asyncio.run(meta.list_templates(build_config(provider)))
        except Unsuitable as error:
            _log.warning("The templates of provider %s could not be asked for: %s", provider.code, error)
            continue
        changed += sum(_noted(each, now) for each in found)
    return changed


def _claimed(template_id: int) -> Template:
    """Give a template its name at Meta, so that no second request for it is made. Raises NotRegistered."""
    with transaction.atomic():
        template = Template.objects.select_for_update().get(pk=template_id)
        if template.channel != "whatsapp" or template.status != Template.Status.APPROVED or template.retired_at:
            raise NotRegistered(_("Only a WhatsApp template in force is put up for Meta's approval."))
        if template.provider_name:
            raise NotRegistered(_("This template has already been put up for Meta's approval."))
        template.provider_name = f"{re.sub(r'[^a-z0-9]+', '_', template.code.lower())}_{template.pk}"
        template.save(update_fields=["provider_name"])
    return template


def _config(provider_id: int) -> Config:
    provider = Provider.objects.filter(pk=provider_id, kind="whatsapp").first()
    if provider is None:
        raise Unsuitable(_("This kind of provider is not installed."))
    return build_config(provider)


async def _submitted(config: Config, template: Template, body: str, examples: list[str]) -> meta.MetaTemplate:
    """Ask for approval; an answer that was lost is looked for, since Meta takes a name once. Raises Unsuitable."""
    try:
        return await meta.submit_template(
            config,
            name=template.provider_name,
            language=template.language,
            text=body,
            examples=examples,
            buttons=[each["title"] for each in template.buttons],
        )
    except Unsuitable:
        known = [each for each in await meta.list_templates(config) if each.name == template.provider_name]
        if not known:
            raise
        return known[0]


def _noted(told: meta.MetaTemplate, now: datetime) -> bool:
    with transaction.atomic():
        ours = Template.objects.filter(provider_name=told.name, language__in={told.language, told.language[:2]})
        template = ours.select_for_update().exclude(provider_status=told.status).first()
        if template is None:
            return False
        template.provider_status, template.provider_asked_at = told.status, now
        template.save(update_fields=["provider_status", "provider_asked_at"])
        payload = {"name": told.name, "language": told.language, "status": told.status}
        record("template.decided_by_provider", at=now, actor=ACTOR, payload=payload)
    return True


def _example(name: str) -> str:
    meanings: Mapping[str, str] = {variable.name: str(variable.meaning) for variable in VARIABLES}
    return _EXAMPLES.get(name) or meanings.get(name, name)
