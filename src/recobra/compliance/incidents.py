"""The register of incidents: attempts, breaches and complaints, and what was done about each."""

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
    """Record an incident by hand. Raises IncidentRefused, also for a second one of a contact, kind and rule.

    `portfolio_id` says which portfolio it belongs to, and so which people see it, where the debtor has several.
    """
    if kind not in Incident.Kind.values:
        raise IncidentRefused(_("Say what kind of incident it is."))
    if country not in law.load_countries():
        raise IncidentRefused(_("There are no contact rules for this country."))
    if happened_at > now:
        raise IncidentRefused(_("An incident cannot lie in the future."))
    if not description.strip() or len(description) > TEXT_LIMIT:
        raise IncidentRefused(_("Say what happened."))
    contact = Contact.objects.filter(pk=contact_id).first() if contact_id is not None else None
    if contact_id is not None and contact is None:
        raise IncidentRefused(_("There is no such message."))
    if contact is not None and Incident.objects.filter(contact=contact, kind=kind, rule=rule).exists():
        raise IncidentRefused(_("This incident is in the register already."))
    debtor_id = contact.debtor_id if contact else debtor_id
    if debtor_id is not None and not Debtor.objects.filter(pk=debtor_id).exists():
        raise IncidentRefused(_("There is no such debtor."))
    incident = Incident.objects.create(
        kind=kind,
        country=country,
        happened_at=happened_at,
        recorded_at=now,
        recorded_by=actor,
        actor=actor,
        debtor_id=debtor_id,
        contact=contact,
        portfolio_id=_portfolio_id(contact, debtor_id, portfolio_id),
        rule=rule,
        article=article,
        description=description.strip(),
        potential_fine=statutory_fine(country),
    )
    _record_facts([incident], at=now, actor=actor, actor_id=actor_id)
    return incident


@transaction.atomic
def close_incident(
    *, incident_id: int, corrective_action: str, actor: str, actor_id: int | None = None, now: datetime
) -> Incident:
    """Close an incident with its corrective action. Raises IncidentRefused."""
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
    """Record contacts that the gate stopped at its last check as attempts; return how many are new."""
    # What the plan left out was never attempted, and callers do not pass it. What ended for want of a template or a
    # provider broke no rule: the query leaves it out.
    return _insert_incidents("ATTEMPT", _STOPPED, [list(contact_ids)], at=at, actor=actor)


@transaction.atomic
def record_complaints(*, contact_ids: Collection[int], at: datetime, actor: str) -> int:
    """Record complaints that came in as receipts; return how many are new."""
    return _insert_incidents("COMPLAINT", _COMPLAINED, [list(contact_ids)], at=at, actor=actor)


@transaction.atomic
def record_breaches(*, since: datetime, now: datetime, actor: str) -> int:
    """Record messages that were handed over after an opt-out as breaches; return how many are new.

    Messages of uncertain delivery count: they may have arrived. Answers to a debtor who wrote again do not.
    """
    return _insert_incidents("BREACH", _AFTER_SILENCE, [OPTED_OUT_RULE, since], at=now, actor=actor)


def statutory_fine(country: str) -> str:
    """Return the sanction that a country's law threatens, in the words of its file; '' where none is known."""
    rules = law.load_countries().get(country)
    sanctions = rules.articles.get("sanctions") if rules else None
    return str(sanctions["rule"]) if sanctions and sanctions.get("rule") else ""


_COUNTRY = "coalesce(nullif(d.country, ''), f.country)"
_FROM = """FROM messaging_contact c JOIN portfolio_debtor d ON d.id = c.debtor_id
        JOIN portfolio_portfolio f ON f.id = c.portfolio_id"""
# Columns of each: contact, portfolio, debtor, country, instant, rule, article, actor, description.
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
_INSERT = """
    INSERT INTO compliance_incident (kind, country, happened_at, recorded_at, recorded_by, actor, debtor_id, contact_id,
        portfolio_id, rule, article, description, potential_fine, corrective_action, closed_by)
    SELECT %s, country, at, %s, %s, who, debtor_id, id, portfolio_id, rule, article, description, '', '', ''
    FROM ({found}) AS found(id, portfolio_id, debtor_id, country, at, rule, article, who, description)
    ON CONFLICT (contact_id, kind, rule) DO NOTHING
    RETURNING id, portfolio_id, debtor_id, contact_id, country, kind"""


def _insert_incidents(kind: str, query: str, parameters: list[Any], *, at: datetime, actor: str) -> int:
    """Insert the rows of a query as incidents of a kind, leaving out those in the register; return how many are new."""
    rows = tables.fetch(_INSERT.format(found=query), [kind, at, actor, *parameters], _ROWS).to_pylist()
    # The sanction is in the law's files, which SQL cannot read.
    for country in {row["country"] for row in rows}:
        ids = [row["incident_id"] for row in rows if row["country"] == country]
        Incident.objects.filter(pk__in=ids).update(potential_fine=statutory_fine(country))
    incidents = Incident.objects.filter(pk__in=[row["incident_id"] for row in rows]).order_by("pk")
    _record_facts(incidents, at=at, actor=actor)
    return len(rows)


def _record_facts(incidents: Iterable[Incident], *, at: datetime, actor: str, actor_id: int | None = None) -> None:
    facts = [
        {
            "portfolio_id": incident.portfolio_id,
            "debtor_id": incident.debtor_id,
            "contact_id": incident.contact_id,
            "payload": json.dumps({"incident_id": incident.pk, "kind": incident.kind, "rule": incident.rule}),
        }
        for incident in incidents
    ]
    rows = pa.Table.from_pylist(facts, schema=SUBJECTS)
    record_all(Facts(kind="incident.recorded", at=at, actor=actor, actor_id=actor_id, rows=rows))


def _portfolio_id(contact: Contact | None, debtor_id: int | None, portfolio_id: int | None) -> int | None:
    """Return the contact's portfolio, else the named one, else that of the debtor's oldest account."""
    if contact is not None:
        return contact.portfolio_id
    if portfolio_id is not None:
        return portfolio_id
    oldest = Account.objects.filter(debtor=debtor_id).order_by("pk").first() if debtor_id is not None else None
    return oldest.portfolio_id if oldest else None
