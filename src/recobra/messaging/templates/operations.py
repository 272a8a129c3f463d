"""Operations on templates: drafts are checked against the law; `approval` puts them in force.

A version is never edited: the next one takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.approvals.operations import ApprovalRefused, withdraw_of_subject
from recobra.journal.facts import F, make
from recobra.journal.operations import record_fact, record_facts
from recobra.kit.zones import local_date
from recobra.messaging.facts import TemplateApproved, TemplateRetired, TemplateSaved, TemplateWeighed
from recobra.messaging.models import Template
from recobra.messaging.templates import law_findings, library, render
from recobra.messaging.templates.check import Mistake, find_mistakes
from recobra.messaging.templates.selection import VERSION_KEY
from recobra.messaging.templates.whatsapp_form import number_variables
from recobra.messaging.tokens import statement_url, unsubscribe_url
from recobra.payments.owed import fetch_statements
from recobra.portfolio.models import Account, Debtor

_NO_CONTACT = UUID(int=0)
_CODE: Final = re.compile(r"(?=.{1,50}$)[a-z0-9]+(-[a-z0-9]+)*")
LIBRARY = "library"
"""The author and approver of the starter library, which is reviewed with each release."""

Status = Template.Status
# What every fact about a template says.
_FIELDS = pa.schema(
    [("template_id", pa.int64()), ("code", pa.string()), ("channel", pa.string()), ("version", pa.int64())]
)


class TemplateRefused(Exception):
    """The template has mistakes; `mistakes` lists them all, the text is shown as it is."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


class TemplateBlocked(ApprovalRefused):
    """The law bars the template in every country that it is for; `findings` are those that block it."""

    def __init__(self, findings: Sequence[law_findings.TemplateFinding]) -> None:
        sentences = (
            f"{law_findings.translate_sentence(finding.finding.sentence)} {finding.finding.article}".strip()
            for finding in findings
        )
        super().__init__("\n".join(dict.fromkeys(sentences)))
        self.findings = tuple(findings)


class WrongStatus(Exception):
    """The status of the template does not allow this step; the text is shown as it is."""


def lint_template(template: Template, *, now: datetime) -> Sequence[law_findings.TemplateFinding]:
    """Return the law's findings against a template, saved or not, in its country or in all of its language."""
    return law_findings.lint_everywhere(
        subject=template.subject,
        text=template.text,
        html=template.html,
        channel=template.channel,
        country=template.country,
        language=template.language,
        legal=template.legal,
        on=now.date(),
    )


@requires(Right.EDIT_TEMPLATES)
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
    country: str = "",
    tone: str = "",
    stage: str = "",
    variant: str = "",
    weight: int = 1,
    legal: bool = False,
    buttons: Iterable[Mapping[str, str]] = (),
    actor: Actor,
) -> Template:
    """Save a new version of a template as a draft, with the law's findings. Raises TemplateRefused."""
    template = Template(
        code=code,
        channel=channel,
        language=language,
        country=country,
        tone=tone,
        stage=stage,
        variant=variant,
        weight=weight,
        legal=legal,
        buttons=[dict(button) for button in buttons],
        name=name,
        subject=subject,
        text=text,
        html=html,
        created_at=actor.now,
        created_by=actor.name,
        created_by_id=actor.user_id,
        status=Status.DRAFT,
    )
    _check_draft(template, actor.now)
    key = {field: getattr(template, field) for field in VERSION_KEY}
    # Two people who save the same template at once get two versions.
    lock_name = " ".join(["template", *(str(value) for value in key.values())])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [lock_name])
    last = Template.objects.filter(**key).order_by("-version").first()
    template.version = last.version + 1 if last else 1
    template.save()
    record_about(kind=TemplateSaved, template=template, actor=actor)
    return template


@requires(Right.EDIT_TEMPLATES)
@transaction.atomic
def create_template(
    *,
    code: str,
    channel: str,
    language: str,
    country: str = "",
    tone: str = "",
    variant: str = "",
    words: Mapping[str, Any],
    actor: Actor,
) -> Template:
    """Save the first version of a template as a draft; `words` are further arguments of `save_template`.

    Raises TemplateRefused, also for a code that is none and for a template that is there already.
    """
    key: dict[str, Any] = {
        "code": code,
        "channel": channel,
        "language": language,
        "country": country,
        "tone": tone,
        "variant": variant,
    }
    mistakes = []
    if not _CODE.fullmatch(code):
        expected = _("Small letters, digits and hyphens, 50 at most.")
        mistakes.append(Mistake(part="code", line=1, found=f"«{code}»", expected=expected))
    elif Template.objects.filter(**key).exists():
        expected = _("Choose another code, or edit the one that is there.")
        found = _("there is a template of this code, channel, language, country and tone")
        mistakes.append(Mistake(part="code", line=1, found=found, expected=expected))
    if language not in library.languages():
        expected = ", ".join(library.languages())
        mistakes.append(Mistake(part="language", line=1, found=f"«{language}»", expected=expected))
    if mistakes:
        raise TemplateRefused(mistakes)
    return save_template(**key, **words, actor=actor)


@requires(Right.APPROVE_TEMPLATES)
@transaction.atomic
def weigh_template(*, template_id: int, weight: int, actor: Actor) -> Template:
    """Set the weight of a variant among its others, from 0 (never drawn) to 100. Raises WrongStatus."""
    template = Template.objects.select_for_update().get(pk=template_id)
    if not 0 <= weight <= 100:
        raise WrongStatus(_("A weight runs from 0 to 100."))
    template.weight = weight
    template.save(update_fields=["weight"])
    record_fact(make(TemplateWeighed, {**_fields_about(template), "weight": weight}), actor=actor)
    return template


@requires(Right.EDIT_TEMPLATES)
@transaction.atomic
def retire_template(*, template_id: int, actor: Actor) -> None:
    """Retire a version; the approved version before it, if any, is in force again.

    Messages that were sent with it still name it. Retiring twice changes nothing. Raises Template.DoesNotExist.
    """
    template = Template.objects.select_for_update().get(pk=template_id)
    if template.retired_at is not None:
        return
    withdraw_of_subject(kind="template", subject=str(template_id), reason=_("The version was retired."), actor=actor)
    template.retired_at = actor.now
    template.save(update_fields=["retired_at"])
    record_about(kind=TemplateRetired, template=template, actor=actor)


@requires(Right.EDIT_TEMPLATES)
@transaction.atomic
def ensure_library(*, language: str = "es", actor: Actor) -> int:
    """Add, as approved, the starter templates that this installation never had, and new words of those that it has.

    Return how many were added. What a person wrote, or retired, stays in force as it is; so does a version of the
    library whose words cannot be read. Messages keep the version they were sent with.
    """
    known: dict[tuple[str, ...], Template] = {}
    for template in Template.objects.filter(language=language).order_by("version"):
        known[template.code, template.channel, template.country, template.tone] = template
    added = []
    for document in library.load_starter_templates(language):
        last = known.get((document["code"], document["channel"], document["country"], document["tone"]))
        if last is not None and not _is_outdated(last, document):
            continue
        template = Template(
            **document,
            language=language,
            version=last.version + 1 if last else 1,
            created_at=actor.now,
            created_by=LIBRARY,
            status=Status.APPROVED,
        )
        _check_draft(template, actor.now)
        refuse_blocked(template=template, now=actor.now)
        added.append(template)
    # Rows and facts in bulk: the library has some ninety templates.
    Template.objects.bulk_create(added)
    rows = pa.Table.from_pylist([_fields_about(template) for template in added], schema=_FIELDS)
    record_facts(TemplateSaved, rows, actor=actor)
    record_facts(TemplateApproved, rows, actor=actor)
    return len(added)


def _is_outdated(last: Template, document: Mapping[str, Any]) -> bool:
    """Tell if the last version of a template is the library's own, in force, and in other words than it has now."""
    is_own = last.created_by == LIBRARY and last.retired_at is None and last.status == Status.APPROVED
    if not is_own or last.variant or not last.has_readable_words():
        return False
    return any(getattr(last, name) != document[name] for name in ("subject", "text", "html"))


def preview_message(*, template: Template, debtor_id: int, now: datetime) -> render.RenderedMessage:
    """Return the message that a debtor would get from a template, saved or not, at this moment.

    Raises TemplateRefused where the template has mistakes and NotRendered where the data do not fit.
    """
    _refuse_mistakes(template)
    debtor = Debtor.objects.select_related("creditor").get(pk=debtor_id)
    first_account = Account.objects.filter(debtor=debtor).select_related("portfolio").order_by("pk").first()
    zone = debtor.time_zone
    country = debtor.country
    if first_account is not None:
        zone = zone or first_account.portfolio.time_zone
        country = country or first_account.portfolio.country
    day = local_date(zone, now) or now.date()
    # No contact exists yet: the links are those of nobody.
    return render.render(
        template,
        fetch_statements({debtor.pk: day})[debtor.pk].without_held(),
        day=day,
        country=country,
        debtor_name=debtor.name,
        creditor=debtor.creditor,
        sender=settings.MAIL_FROM,
        reference=str(_NO_CONTACT),
        unsubscribe_url=unsubscribe_url(_NO_CONTACT),
        statement_url=statement_url(0),
    )


def _check_draft(template: Template, now: datetime) -> None:
    """Set the parameters of a template that is not saved yet, and the law's findings. Raises TemplateRefused."""
    _refuse_mistakes(template)
    template.parameters = []
    if template.channel == "whatsapp":
        _body, variables = number_variables(template.text)
        template.parameters = list(variables)
    template.findings = [finding.as_json() for finding in lint_template(template, now=now)]


def _refuse_mistakes(template: Template) -> None:
    """Raise TemplateRefused with all the mistakes of a template, if it has any."""
    mistakes = find_mistakes(
        subject=template.subject,
        text=template.text,
        html=template.html,
        channel=template.channel,
        buttons=template.buttons,
    )
    if mistakes:
        raise TemplateRefused(mistakes)


def refuse_blocked(*, template: Template, now: datetime) -> None:
    """Renew the findings of a template. Raises TemplateBlocked where the law bars it everywhere it is for."""
    findings = lint_template(template, now=now)
    template.findings = [finding.as_json() for finding in findings]
    blocked = law_findings.blocked_countries(findings, country=template.country, language=template.language)
    countries = [template.country] if template.country else law_findings.countries_by_language(template.language)
    # Blocked in some countries only, a template is not picked there: `selection.is_lawful`.
    if set(countries) <= set(blocked):
        raise TemplateBlocked([finding for finding in findings if finding.finding.severity == "block"])


@consequence
def record_about(*, kind: type[F], template: Template, actor: Actor) -> None:
    """Record what became of a template."""
    record_fact(make(kind, _fields_about(template)), actor=actor)


def _fields_about(template: Template) -> dict[str, object]:
    """Return what the journal says of a template."""
    return {
        "template_id": template.pk,
        "code": template.code,
        "channel": template.channel,
        "version": template.version,
    }
