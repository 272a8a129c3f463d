"""Templates: kept when they are right, superseded instead of edited, tried on real data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from uuid import UUID

import yaml
from django.conf import settings
from django.db import connection, transaction

from recobra.contact.models import Template
from recobra.contact.rendering import render
from recobra.contact.rendering.check import Mistake, mistakes
from recobra.contact.rendering.statement import statements
from recobra.contact.tokens import unsubscribe_url
from recobra.journal.operations import record
from recobra.portfolio.models import Account, Debtor

from .judging import local_date

_NOBODY = UUID(int=0)


class TemplateRefused(Exception):
    """The template has mistakes; `mistakes` lists them all, the text is shown as it is."""

    def __init__(self, found: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, found)))
        self.mistakes = tuple(found)


@transaction.atomic
def save_template(
    *,
    code: str,
    channel: str,
    name: str,
    subject: str,
    text: str,
    html: str,
    language: str = "es",
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> Template:
    """Keep a new version of a template, which takes the place of the one before. Raises TemplateRefused."""
    found = mistakes(subject=subject, text=text, html=html)
    if found:
        raise TemplateRefused(found)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"template {code} {channel} {language}"])
    last = Template.objects.filter(code=code, channel=channel, language=language).order_by("-version").first()
    saved = Template.objects.create(
        code=code, channel=channel, language=language, name=name, subject=subject, text=text, html=html,
        version=last.version + 1 if last else 1, created_at=now, created_by=actor,
    )  # fmt: skip
    payload = {"template_id": saved.pk, "code": code, "channel": channel, "version": saved.version}
    record("template.saved", at=now, actor=actor, actor_id=actor_id, payload=payload)
    return saved


@transaction.atomic
def retire_template(*, template_id: int, actor: str, actor_id: int | None = None, now: datetime) -> None:
    """Take a version out of use; what was sent with it keeps it. The version before, if any, is in force again.

    One that is retired already stays as it is. Raises Template.DoesNotExist.
    """
    template = Template.objects.select_for_update().get(pk=template_id)
    if template.retired_at is not None:
        return
    template.retired_at = now
    template.save(update_fields=["retired_at"])
    payload = {
        "template_id": template.pk, "code": template.code, "channel": template.channel, "version": template.version,
    }  # fmt: skip
    record("template.retired", at=now, actor=actor, actor_id=actor_id, payload=payload)


@transaction.atomic
def ensure_library(*, now: datetime, language: str = "es") -> int:
    """Add the starter templates that this installation has never had; return how many were added."""
    folder = resources.files("recobra.contact") / "library" / language
    known = set(Template.objects.filter(language=language).values_list("code", "channel"))
    added = 0
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.startswith("_"):
            continue
        document = yaml.safe_load(file.read_text("utf-8"))
        if (document["code"], document["channel"]) not in known:
            save_template(**document, language=language, actor="library", now=now)
            added += 1
    return added


def preview(*, template: Template, debtor_id: int, now: datetime) -> render.Words:
    """Return the message a debtor would get from a template, kept or not, at this moment.

    Raises TemplateRefused where the template has mistakes and NotRendered where the data do not fit.
    """
    found = mistakes(subject=template.subject, text=template.text, html=template.html)
    if found:
        raise TemplateRefused(found)
    debtor = Debtor.objects.select_related("creditor").get(pk=debtor_id)
    first = Account.objects.filter(debtor=debtor).select_related("portfolio").order_by("pk").first()
    zone = debtor.time_zone or (first.portfolio.time_zone if first else "")
    country = debtor.country or (first.portfolio.country if first else "")
    day = local_date(zone, now) or now.date()
    return render.render(
        template, statements({debtor.pk: day})[debtor.pk].without_held(), day=day, country=country,
        debtor_name=debtor.name, creditor=debtor.creditor, sender=settings.MAIL_FROM, reference=str(_NOBODY),
        unsubscribe_url=unsubscribe_url(_NOBODY),
    )  # fmt: skip
