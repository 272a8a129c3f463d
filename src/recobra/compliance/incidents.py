"""The register of incidents: attempts, breaches and complaints, and what was done about each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import OutOfScope, check_scope, consequence, requires
from recobra.access.roles import Right
from recobra.compliance.breach_costs import BreachCosts
from recobra.compliance.facts import IncidentClosed, IncidentRecorded
from recobra.compliance.models import Incident
from recobra.journal.operations import record_fact, record_facts
from recobra.kit import tables
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Account, Debtor
from recobra.portfolio.scope import check_debtor, check_portfolio
from recobra_core import law
from recobra_core.money import exponent_of

TEXT_LIMIT: Final = 4_000
OPTED_OUT_RULE: Final = "ALL/opted-out"
_REPEATED_WITHIN: Final = timedelta(days=1)
_VALUED: Final = ("breach", "potential_fine", "fine_most", "fine_unit", "fine_source")
"""The fields of an incident that `_value_breach` gives."""
# What `_INSERT` returns.
_INSERTED = pa.schema(
    [
        ("incident_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("contact_id", pa.int64()),
        ("country", pa.string()),
        ("kind", pa.string()),
    ]
)


# A fact about an incident, with its subjects.
_RECORDED = pa.schema(
    [
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("contact_id", pa.int64()),
        ("incident_id", pa.int64()),
        ("incident_kind", pa.string()),
        ("rule", pa.string()),
    ]
)


class IncidentRefused(Exception):
    """The incident cannot be recorded or closed; the text says why and is shown as it is."""


@requires(Right.RECORD_INCIDENT)
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
    breach: str | None = None,
    actor: Actor,
) -> Incident:
    """Record an incident by hand. Raises IncidentRefused, also for a second one of a contact, kind and rule.

    The same words of the same person about the same debtor and instant, within a day, are a form that was sent twice.
    `portfolio_id` says which portfolio it belongs to, and so which people see it, where the debtor has several.
    `breach` is its kind where the person knows it; None: it follows from the rule.
    """
    if debtor_id is not None:
        check_debtor(actor, debtor_id)
    if portfolio_id is not None:
        check_portfolio(actor, portfolio_id)
    if contact_id is not None and actor.portfolio_codes is not None:
        of_contact = Contact.objects.filter(pk=contact_id).values_list("portfolio__code", flat=True).first()
        check_scope(actor, of_contact or "")
    tables.lock_id_sequence("compliance_incident")
    # Who says no instant means that of the form, which is another one each time.
    instant = F("recorded_at") if happened_at == actor.now else happened_at
    about = Q(kind=kind, country=country, debtor_id=debtor_id, contact_id=contact_id)
    same = Incident.objects.filter(about, happened_at=instant).filter(
        description=description.strip(), actor=actor.name, recorded_at__gt=actor.now - _REPEATED_WITHIN
    )
    if same.exists():
        raise IncidentRefused(_("This incident is in the register already."))
    return enter_incident(
        kind=kind,
        country=country,
        happened_at=happened_at,
        description=description,
        debtor_id=debtor_id,
        portfolio_id=portfolio_id,
        contact_id=contact_id,
        rule=rule,
        article=article,
        breach=breach,
        actor=actor,
    )


@consequence
@transaction.atomic
def enter_incident(
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
    breach: str | None = None,
    actor: Actor,
) -> Incident:
    """Record an incident that follows from what a debtor said, as `record_incident` does. Raises IncidentRefused."""
    if kind not in Incident.Kind.values:
        raise IncidentRefused(_("Say what kind of incident it is."))
    if country not in law.load_countries():
        raise IncidentRefused(_("There are no contact rules for this country."))
    if breach is None:
        breach = law.breach_of(rule, article)
    elif breach not in law.BREACHES:
        raise IncidentRefused(_("Say which rule was broken."))
    if happened_at > actor.now:
        raise IncidentRefused(_("An incident cannot lie in the future."))
    if not description.strip() or len(description) > TEXT_LIMIT:
        raise IncidentRefused(_("Say what happened."))
    contact = None
    if contact_id is not None:
        contact = Contact.objects.filter(pk=contact_id).first()
        if contact is None:
            raise IncidentRefused(_("There is no such message."))
        if Incident.objects.filter(contact=contact, kind=kind, rule=rule).exists():
            raise IncidentRefused(_("This incident is in the register already."))
        debtor_id = contact.debtor_id
    if debtor_id is not None and not Debtor.objects.filter(pk=debtor_id).exists():
        raise IncidentRefused(_("There is no such debtor."))
    incident = Incident.objects.create(
        kind=kind,
        country=country,
        happened_at=happened_at,
        recorded_at=actor.now,
        recorded_by=actor.name,
        actor=actor.name,
        debtor_id=debtor_id,
        contact=contact,
        portfolio_id=_portfolio_id(contact, debtor_id, portfolio_id),
        rule=rule,
        article=article,
        description=description.strip(),
        **_value_breach(country=country, breach=breach, happened_at=happened_at, costs=BreachCosts([country])),
    )
    _record_facts([incident], actor=actor)
    return incident


@requires(Right.RECORD_INCIDENT)
@transaction.atomic
def close_incident(*, incident_id: int, corrective_action: str, actor: Actor) -> Incident:
    """Close an incident with its corrective action. Raises IncidentRefused."""
    incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
    if incident is None or incident.closed_at is not None:
        raise IncidentRefused(_("There is no such open incident."))
    _check_reach(incident, actor)
    if not corrective_action.strip() or len(corrective_action) > TEXT_LIMIT:
        raise IncidentRefused(_("Say what was done about it."))
    incident.corrective_action = corrective_action.strip()
    incident.closed_at = actor.now
    incident.closed_by = actor.name
    incident.save(update_fields=["corrective_action", "closed_at", "closed_by"])
    record_fact(
        IncidentClosed(incident_id=incident.pk),
        actor=actor,
        portfolio_id=incident.portfolio_id,
        debtor_id=incident.debtor_id,
        contact_id=incident.contact_id,
    )
    return incident


@consequence
@transaction.atomic
def record_attempts(*, contact_ids: Collection[int], actor: Actor) -> int:
    """Record contacts that the gate stopped at its last check as attempts; return how many are new."""
    # What the plan left out was never attempted, and callers do not pass it. What ended for want of a template or a
    # provider broke no rule: the query leaves it out.
    return _insert_incidents("ATTEMPT", _STOPPED, [list(contact_ids)], actor=actor)


@consequence
@transaction.atomic
def record_complaints(*, contact_ids: Collection[int], actor: Actor) -> int:
    """Record complaints that came in as receipts; return how many are new."""
    return _insert_incidents("COMPLAINT", _COMPLAINED, [list(contact_ids)], actor=actor)


@requires(Right.SERVE)
@transaction.atomic
def record_breaches(*, since: datetime, actor: Actor) -> int:
    """Record messages that were handed over after an opt-out or a wrong person as breaches; return how many are new.

    Messages of uncertain delivery count: they may have arrived. Answers to a debtor who wrote again do not.
    """
    return _insert_incidents("BREACH", _AFTER_SILENCE, [OPTED_OUT_RULE, since], actor=actor)


def _value_breach(*, country: str, breach: str, happened_at: datetime, costs: BreachCosts) -> dict[str, Any]:
    """Return the fields of an incident that say what it may cost by the law of its day, or else by the company."""
    day = happened_at.astimezone(ZoneInfo(law.load_countries()[country].time_zones[0])).date()
    penalty = law.find_penalty(country=country, breach=breach, day=day)
    if penalty is None:
        return {"breach": breach}
    valued: dict[str, Any] = {
        "breach": breach,
        "potential_fine": penalty.text,
        "fine_most": penalty.most,
        "fine_unit": penalty.unit,
        "fine_source": penalty.source,
    }
    own = costs.find(country=country, breach=breach, day=day) if penalty.most is None else None
    if own is not None:
        amount = Decimal(own.amount_minor).scaleb(-exponent_of(own.currency))
        valued |= {"fine_most": amount, "fine_unit": own.currency}
    return valued


# Whom an incident of a contact concerns. A debtor without a country is in that of the portfolio.
_SUBJECT = """contact.id AS contact_id, contact.portfolio_id, contact.debtor_id,
        coalesce(nullif(debtor.country, ''), portfolio.country) AS country"""
_FROM = """FROM messaging_contact contact
        JOIN portfolio_debtor debtor ON debtor.id = contact.debtor_id
        JOIN portfolio_portfolio portfolio ON portfolio.id = contact.portfolio_id"""
# Each of the three selects the contacts of one kind of incident, with the columns that `_INSERT` reads by name.
_STOPPED = f"""
    SELECT {_SUBJECT}, coalesce(contact.judged_at, contact.due_at) AS happened_at,
        contact.rule, contact.article, contact.author AS actor, contact.reason AS description
    {_FROM}
    WHERE contact.id = ANY(%s) AND contact.status = 'BLOCKED' AND contact.rule <> ''"""
_COMPLAINED = f"""
    SELECT {_SUBJECT}, contact.complained_at AS happened_at,
        '' AS rule, '' AS article, 'debtor' AS actor, 'complained' AS description
    {_FROM}
    WHERE contact.id = ANY(%s) AND contact.complained_at IS NOT NULL"""
_AFTER_SILENCE = f"""
    SELECT {_SUBJECT}, contact.handed_over_at AS happened_at,
        %s AS rule, '' AS article, contact.author AS actor, 'opted_out' AS description
    {_FROM}
    JOIN portfolio_contactpoint point ON point.id = contact.point_id AND point.debtor_id = contact.debtor_id
    WHERE contact.handed_over_at >= %s AND contact.status IN ('SENT', 'UNCERTAIN') AND contact.purpose <> 'REPLY'
        -- The last wish about the number, in any spelling, before the message left; «not me» is never taken back.
        AND (SELECT entry.act FROM consent_consententry entry
             WHERE entry.value = ANY({address_forms.forms_sql("point.value")}) AND entry.kind = point.kind
                AND entry.at < contact.handed_over_at AND entry.act IN ('OPTED_OUT', 'RESUMED', 'NOT_ME')
             ORDER BY entry.act = 'NOT_ME' DESC, entry.at DESC, entry.id DESC LIMIT 1) IN ('OPTED_OUT', 'NOT_ME')"""
_INSERT = """
    INSERT INTO compliance_incident (kind, country, happened_at, recorded_at, recorded_by, actor, debtor_id, contact_id,
        portfolio_id, rule, article, description, breach, potential_fine, fine_unit, fine_source, corrective_action,
        closed_by)
    SELECT %s, country, happened_at, %s, %s, actor, debtor_id, contact_id,
        portfolio_id, rule, article, description, '', '', '', '', '', ''
    FROM ({selected}) AS selected
    ON CONFLICT (contact_id, kind, rule) DO NOTHING
    RETURNING id, portfolio_id, debtor_id, contact_id, country, kind"""


def _insert_incidents(kind: str, query: str, parameters: Sequence[object], *, actor: Actor) -> int:
    """Insert the rows of a query as incidents of a kind, leaving out those in the register; return how many are new."""
    inserted = tables.fetch(_INSERT.format(selected=query), [kind, actor.now, actor.name, *parameters], _INSERTED)
    incidents = list(Incident.objects.filter(pk__in=inserted["incident_id"].to_pylist()).order_by("pk"))
    # What the law threatens is in its files, which SQL cannot read.
    costs = BreachCosts({incident.country for incident in incidents})
    for incident in incidents:
        breach = law.breach_of(incident.rule, incident.article)
        for name, value in _value_breach(
            country=incident.country, breach=breach, happened_at=incident.happened_at, costs=costs
        ).items():
            setattr(incident, name, value)
    Incident.objects.bulk_update(incidents, _VALUED, batch_size=1_000)
    _record_facts(incidents, actor=actor)
    return len(incidents)


def _record_facts(incidents: Iterable[Incident], *, actor: Actor) -> None:
    """Record one fact in the journal for each new incident."""
    rows = [
        {
            "portfolio_id": incident.portfolio_id,
            "debtor_id": incident.debtor_id,
            "contact_id": incident.contact_id,
            "incident_id": incident.pk,
            "incident_kind": str(incident.kind),
            "rule": incident.rule,
        }
        for incident in incidents
    ]
    record_facts(IncidentRecorded, pa.Table.from_pylist(rows, schema=_RECORDED), actor=actor)


def _check_reach(incident: Incident, actor: Actor) -> None:
    """Raise OutOfScope for an incident out of reach; one of no portfolio is within that of who recorded it."""
    if incident.portfolio_id is not None:
        check_portfolio(actor, incident.portfolio_id)
    elif actor.portfolio_codes is not None and incident.recorded_by != actor.name:
        raise OutOfScope(_("There is no such open incident."))


def _portfolio_id(contact: Contact | None, debtor_id: int | None, portfolio_id: int | None) -> int | None:
    """Return the contact's portfolio, else the named one, else that of the debtor's oldest account."""
    if contact is not None:
        return contact.portfolio_id
    if portfolio_id is not None:
        return portfolio_id
    if debtor_id is None:
        return None
    oldest = Account.objects.filter(debtor=debtor_id).order_by("pk").first()
    return oldest.portfolio_id if oldest else None
