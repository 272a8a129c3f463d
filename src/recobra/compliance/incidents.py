"""The register of incidents: what was attempted, what happened, who complained, and what was done about it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.compliance.models import Incident
from recobra.journal.operations import SUBJECTS, Facts, record, record_all
from recobra.kit import tables
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Account, Debtor
from recobra_core import law

TEXT_LIMIT: Final = 4_000
OPTED_OUT_RULE: Final = "ALL/opted-out"
_ROWS = pa.schema(
    [
        ("incident_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("contact_id", pa.int64()),
        ("country", pa.string()),
        ("kind", pa.string()),
    ]
)


class IncidentRefused(Exception):
    """The incident cannot be recorded or closed; the text says why and is shown as it is."""


@transaction.atomic
def record_incident(
    *,
    kind: str,
    country: str,
    happened_at: datetime,
    description: str,
    debtor_id: int | None = None,
    portfolio_id: int | None = None,
    contact_id: int | None = None,
    rule: str = "",
    article: str = "",
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> Incident:
    """Record an incident by hand; a contact has one of a kind and rule. Raises IncidentRefused.

    `portfolio_id` says in which portfolio of the debtor's it stands: a debtor of several is seen by different people.
    """
    _check(kind, country, happened_at, description, now)
    contact = Contact.objects.filter(pk=contact_id).first() if contact_id is not None else None
    if contact_id is not None and contact is None:
        raise IncidentRefused(_("There is no such message."))
    if contact is not None and Incident.objects.filter(contact=contact, kind=kind, rule=rule).exists():
        raise IncidentRefused(_("This incident is in the register already."))
    about = contact.debtor_id if contact else debtor_id
    if about is not None and not Debtor.objects.filter(pk=about).exists():
        raise IncidentRefused(_("There is no such debtor."))
    incident = Incident.objects.create(
        kind=kind,
        country=country,
        happened_at=happened_at,
        recorded_at=now,
        recorded_by=actor,
        actor=actor,
        debtor_id=about,
        contact=contact,
        portfolio_id=_portfolio(contact, about, portfolio_id),
        rule=rule,
        article=article,
        description=description.strip(),
        potential_fine=statutory_fine(country),
    )
    _tell([incident], at=now, actor=actor, actor_id=actor_id)
    return incident


@transaction.atomic
def close_incident(
    *, incident_id: int, corrective_action: str, actor: str, actor_id: int | None = None, now: datetime
) -> Incident:
    """Close an incident with what was done so that it does not happen again. Raises IncidentRefused."""
    incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
    if incident is None or incident.closed_at is not None:
        raise IncidentRefused(_("There is no such open incident."))
    if not corrective_action.strip() or len(corrective_action) > TEXT_LIMIT:
        raise IncidentRefused(_("Say what was done about it."))
    incident.corrective_action, incident.closed_at, incident.closed_by = corrective_action.strip(), now, actor
    incident.save(update_fields=["corrective_action", "closed_at", "closed_by"])
    record(
        "incident.closed",
        at=now,
        actor=actor,
        actor_id=actor_id,
        portfolio_id=incident.portfolio_id,
        debtor_id=incident.debtor_id,
        contact_id=incident.contact_id,
        payload={"incident_id": incident.pk},
    )
    return incident


@transaction.atomic
def record_attempts(*, contact_ids: Collection[int], at: datetime, actor: str) -> int:
    """Enter contacts that the gate stopped after somebody or something wanted to send them; return how many are new.

    For refusals of the last check: what the plan itself left out never was an attempt. What ended for want of a
    template or a provider names no rule and is none either.
    """
    return _enter("ATTEMPT", _STOPPED, [list(contact_ids)], at=at, actor=actor)


@transaction.atomic
def record_complaints(*, contact_ids: Collection[int], at: datetime, actor: str) -> int:
    """Enter complaints that came in as receipts; return how many are new."""
    return _enter("COMPLAINT", _COMPLAINED, [list(contact_ids)], at=at, actor=actor)


@transaction.atomic
def record_breaches(*, since: datetime, now: datetime, actor: str) -> int:
    """Look for messages handed over after their number or address asked for silence; return how many are new.

    Also those of which nobody knows whether they arrived: they may have. Answers to a debtor who wrote again are none.
    """
    return _enter("BREACH", _AFTER_SILENCE, [OPTED_OUT_RULE, since], at=now, actor=actor)


def statutory_fine(country: str) -> str:
    """Return what the country's law threatens, in the words of its file; '' where none is known."""
    known = law.load_countries().get(country)
    found = known.articles.get("sanctions") if known else None
    return str(found["rule"]) if found and found.get("rule") else ""


_COUNTRY = "coalesce(nullif(d.country, ''), f.country)"
_FROM = """FROM messaging_contact c JOIN portfolio_debtor d ON d.id = c.debtor_id
        JOIN portfolio_portfolio f ON f.id = c.portfolio_id"""
# Each gives: contact, portfolio, debtor, country, instant, rule, article, who acted.
_STOPPED = f"""
    SELECT c.id, c.portfolio_id, c.debtor_id, {_COUNTRY}, coalesce(c.judged_at, c.due_at),
        c.rule, c.article, c.author, c.reason
    {_FROM}
    WHERE c.id = ANY(%s) AND c.status = 'BLOCKED' AND c.rule <> ''"""
_COMPLAINED = f"""
    SELECT c.id, c.portfolio_id, c.debtor_id, {_COUNTRY}, c.complained_at, '', '', 'debtor',
        'complained'
    {_FROM}
    WHERE c.id = ANY(%s) AND c.complained_at IS NOT NULL"""
_AFTER_SILENCE = f"""
    SELECT c.id, c.portfolio_id, c.debtor_id, {_COUNTRY}, c.handed_over_at, %s, '', c.author,
        'opted_out'
    {_FROM}
    JOIN portfolio_contactpoint p ON p.id = c.point_id AND p.debtor_id = c.debtor_id
    WHERE c.handed_over_at >= %s AND c.status IN ('SENT', 'UNCERTAIN') AND c.purpose <> 'REPLY'
        AND (SELECT e.act FROM consent_consententry e
             WHERE e.value = ANY({address_forms.forms_sql("p.value")}) AND e.kind = p.kind AND e.at < c.handed_over_at
                AND e.act IN ('OPTED_OUT', 'RESUMED') ORDER BY e.at DESC, e.id DESC LIMIT 1) = 'OPTED_OUT'"""
_ENTER = """
    INSERT INTO compliance_incident (kind, country, happened_at, recorded_at, recorded_by, actor, debtor_id, contact_id,
        portfolio_id, rule, article, description, potential_fine, corrective_action, closed_by)
    SELECT %s, country, at, %s, %s, who, debtor_id, id, portfolio_id, rule, article, description, '', '', ''
    FROM ({found}) AS found(id, portfolio_id, debtor_id, country, at, rule, article, who, description)
    ON CONFLICT (contact_id, kind, rule) DO NOTHING
    RETURNING id, portfolio_id, debtor_id, contact_id, country, kind"""


def _enter(kind: str, found: str, parameters: list[Any], *, at: datetime, actor: str) -> int:
    entered = tables.fetch(_ENTER.format(found=found), [kind, at, actor, *parameters], _ROWS)
    rows = entered.to_pylist()
    for country in {row["country"] for row in rows}:
        ids = [row["incident_id"] for row in rows if row["country"] == country]
        Incident.objects.filter(pk__in=ids).update(potential_fine=statutory_fine(country))
    _tell(Incident.objects.filter(pk__in=[row["incident_id"] for row in rows]).order_by("pk"), at=at, actor=actor)
    return len(rows)


def _tell(incidents: Iterable[Incident], *, at: datetime, actor: str, actor_id: int | None = None) -> None:
    facts = [
        {
            "portfolio_id": each.portfolio_id,
            "debtor_id": each.debtor_id,
            "contact_id": each.contact_id,
            "payload": json.dumps({"incident_id": each.pk, "kind": each.kind, "rule": each.rule}),
        }
        for each in incidents
    ]
    rows = pa.Table.from_pylist(facts, schema=SUBJECTS)
    record_all(Facts(kind="incident.recorded", at=at, actor=actor, actor_id=actor_id, rows=rows))


def _portfolio(contact: Contact | None, debtor_id: int | None, given: int | None) -> int | None:
    """Return whose incident it is: the message's portfolio, the one given, or that of the debtor's oldest account."""
    if contact is not None:
        return contact.portfolio_id
    if given is not None:
        return given
    oldest = Account.objects.filter(debtor=debtor_id).order_by("pk").first() if debtor_id is not None else None
    return oldest.portfolio_id if oldest else None


def _check(kind: str, country: str, happened_at: datetime, description: str, now: datetime) -> None:
    if kind not in Incident.Kind.values:
        raise IncidentRefused(_("Say what kind of incident it is."))
    if country not in law.load_countries():
        raise IncidentRefused(_("There are no contact rules for this country."))
    if happened_at > now:
        raise IncidentRefused(_("An incident cannot lie in the future."))
    if not description.strip() or len(description) > TEXT_LIMIT:
        raise IncidentRefused(_("Say what happened."))
