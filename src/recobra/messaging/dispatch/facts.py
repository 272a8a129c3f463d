"""Facts of the contacts of a leased batch, read at this moment: what the gate judges and what messages are filled with.

`messaging.templates.facts` turns them into the values of a template's variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from recobra.kit.zones import local_date
from recobra.messaging.models import Template
from recobra.messaging.silence import find_digested
from recobra.messaging.templates.render import is_notice
from recobra.messaging.templates.selection import TemplatePool, accounts_with_legal_decision, load_template_pool
from recobra.payments.owed import fetch_statements
from recobra.policy.company_rules import company_rules_in_force
from recobra.portfolio import address_forms
from recobra.portfolio.sql import stated_consent
from recobra.portfolio.statement import Document, Statement
from recobra_core import law
from recobra_core.law.clauses import STAGES

SERVICE_WINDOW = timedelta(hours=24)
"""How long after a debtor's own message a channel such as WhatsApp takes free text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedContact:
    """A leased contact with the facts that judge and fill it.

    `point_kind` is the kind of the contact point. `written_text` and `written_html` are the words of a person or a
    bot, `written_buttons` the choices under them as JSON; without them the words are those of `template`.
    `in_window` says that the debtor wrote by this channel a short time ago; `can_prove_identity` that the page of the
    statement has a number of four figures or more to know its debtor by.

    `consent_…` are the arguments of `recobra_core.law.resolve_consent`, which the gate's statement calls.

    `stage` is the furthest of the accounts on which the debtor owes, None where nobody has classified one.

    `statement` is what the debtor owes without what is on hold, `has_debt` whether anything that the message would
    speak of is owed, on hold or not. `hold_reason` says why the debtor is on hold, '' where it is not.
    """

    contact_id: int
    public_id: UUID
    debtor_id: int
    creditor_id: int
    portfolio_id: int
    portfolio_disabled: bool
    channel: str
    template_code: str
    purpose: str
    zones: str
    attempts: int
    point_id: int | None
    point_kind: str
    address: str
    place: str
    stage: str | None
    country: str
    subdivision: str
    debtor_name: str
    language: str
    planned_for: date
    closes_at: datetime | None
    preferred_from: time | None
    preferred_to: time | None
    replies_to_at: datetime | None
    subject: str
    tone: str
    written_text: str
    written_html: str
    written_buttons: str
    opted_out: bool | None
    consent_last_word: str | None
    consent_is_denied: bool | None
    consent_is_granted: bool | None
    consent_stated: str | None
    point_valid: bool | None
    in_window: bool
    can_prove_identity: bool
    local_date: date | None
    template: Template | None
    statement: Statement
    has_debt: bool
    hold_reason: str
    oldest_due_date: date | None
    company_rules: law.CompanyRules | None

    @property
    def is_written(self) -> bool:
        """Return whether its words are there already, without any template."""
        return bool(self.written_text)

    @property
    def documents(self) -> tuple[Document, ...]:
        """Return the documents that the message names; words that somebody has written name none."""
        return () if self.template is None else self.statement.documents_for(notice=is_notice(self.template))


# The columns are named like the fields of LeasedContact. `target` is where the message goes, with all the forms in
# which that address or number may be written: what was said of it anywhere, in any form, holds for a debtor that was
# loaded with it later. An answer may go to a number that is nobody's contact point: the one that has just written to
# us. OFFSET 0 keeps PostgreSQL from computing the forms again in every subquery.
_CONTACTS = f"""
    SELECT contact.id AS contact_id, contact.public_id, contact.debtor_id, debtor.creditor_id, contact.portfolio_id,
        portfolio.disabled_at IS NOT NULL AS portfolio_disabled,
        contact.channel, contact.template_code, contact.purpose, contact.zones, contact.attempts, contact.point_id,
        target.kind AS point_kind, target.value AS address, coalesce(point.place, '') AS place,
        (SELECT state.stage FROM portfolio_account account
         JOIN strategy_accountstate state ON state.account_id = account.id
         WHERE account.debtor_id = contact.debtor_id AND state.balance_minor > 0
         ORDER BY array_position(%s::text[], state.stage::text) DESC NULLS LAST LIMIT 1) AS stage,
        coalesce(nullif(debtor.country, ''), portfolio.country) AS country, debtor.subdivision,
        debtor.name AS debtor_name, coalesce(nullif(debtor.language, ''), 'es') AS language,
        contact.planned_for, contact.closes_at, debtor.preferred_from, debtor.preferred_to, contact.replies_to_at,
        contact.subject, contact.tone,
        CASE WHEN contact.template_code = '' THEN contact.body ELSE '' END AS written_text,
        CASE WHEN contact.template_code = '' THEN contact.html ELSE '' END AS written_html,
        contact.buttons::text AS written_buttons,
        CASE WHEN target.value <> '' THEN point.opted_out_at IS NOT NULL
            OR EXISTS (
                SELECT FROM consent_silence silence
                WHERE silence.value = ANY(target.forms) AND silence.kind = target.kind)
            OR EXISTS (
                SELECT FROM portfolio_contactpoint same
                WHERE same.value = ANY(target.forms) AND same.kind = target.kind AND same.opted_out_at IS NOT NULL)
            END AS opted_out,
        (SELECT CASE entry.act WHEN 'GRANTED' THEN 'granted' ELSE 'denied' END
         FROM consent_consententry entry
         WHERE entry.value = ANY(target.forms) AND entry.kind = target.kind AND entry.channel = contact.channel
            AND entry.act IN ('GRANTED', 'WITHDRAWN')
         ORDER BY entry.at DESC, entry.id DESC LIMIT 1) AS consent_last_word,
        contact.channel = ANY (point.denied_for) AS consent_is_denied,
        contact.channel = ANY (point.granted_for) AS consent_is_granted,
        {stated_consent("point")} AS consent_stated,
        CASE WHEN point.id IS NOT NULL
                THEN point.valid AND point.retired_at IS NULL AND contact.channel <> ALL (point.unusable_for)
            WHEN contact.purpose = 'REPLY' AND conversation.id IS NOT NULL THEN true END AS point_valid,
        coalesce(greatest(conversation.last_inbound_at, contact.replies_to_at) > %s, false) AS in_window,
        greatest(length(regexp_replace(debtor.national_id, '[^0-9]', '', 'g')),
            length(regexp_replace(debtor.external_id, '[^0-9]', '', 'g'))) >= 4 AS can_prove_identity
    FROM messaging_contact contact
    JOIN portfolio_debtor debtor ON debtor.id = contact.debtor_id
    JOIN portfolio_portfolio portfolio ON portfolio.id = contact.portfolio_id
    LEFT JOIN portfolio_contactpoint point ON point.id = contact.point_id AND point.debtor_id = contact.debtor_id
    -- The conversation that the contact answers, else the one that is going on with its contact point.
    LEFT JOIN LATERAL (
        SELECT candidate.id, candidate.address, candidate.last_inbound_at FROM conversations_conversation candidate
        WHERE candidate.id = contact.conversation_id
            OR (contact.conversation_id IS NULL AND candidate.channel = contact.channel
                AND candidate.address = point.value AND candidate.status <> 'CLOSED')
        ORDER BY candidate.id DESC LIMIT 1) conversation ON true
    CROSS JOIN LATERAL (
        SELECT written.value, {address_forms.forms_sql("written.value")} AS forms,
            coalesce(point.kind, {address_forms.point_kind_sql("contact.channel")}) AS kind
        FROM (SELECT coalesce(point.value, conversation.address, '') AS value) written OFFSET 0) target
    WHERE contact.id = ANY(%s) ORDER BY contact.priority, contact.due_at, contact.id"""


def load_contacts(contact_ids: Sequence[int], *, now: datetime) -> list[LeasedContact]:
    """Return leased contacts with their facts, the most urgent first."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTACTS, [list(STAGES), now - SERVICE_WINDOW, list(contact_ids)])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    # Silences of which only a digest is left stand in no statement: their numbers were anonymised, and may be back.
    digested = find_digested({(row["point_kind"], row["address"]) for row in rows if row["opted_out"] is False})
    for row in rows:
        row["local_date"] = local_date(row["zones"], now)
        if (row["point_kind"], row["address"]) in digested:
            row["opted_out"] = True
    # Everything below is read once for the whole batch.
    rules = company_rules_in_force({row["portfolio_id"] for row in rows})
    templates = load_template_pool({(row["template_code"], row["channel"]) for row in rows if not row["written_text"]})
    statements = fetch_statements({row["debtor_id"]: row["local_date"] or now.date() for row in rows})
    owing_account_ids: set[int] = set()
    for statement in statements.values():
        owing_account_ids.update(document.account_id for document in (*statement.overdue, *statement.upcoming))
    decided_ids = accounts_with_legal_decision(owing_account_ids)
    contacts = []
    for row in rows:
        statement = statements[row["debtor_id"]]
        unheld = statement.without_held()
        template = _choose_template(row, templates, statement, decided_ids, now)
        notice = template is not None and is_notice(template)
        has_debt = bool(statement.documents_for(notice=notice))
        # Where every account that the message would speak of is on hold, so is the contact.
        all_held = has_debt and not unheld.documents_for(notice=notice)
        rules_name = rules.name_by_portfolio.get(row["portfolio_id"], "")
        contact = LeasedContact(
            **row,  # the query names its columns like the fields
            template=template,
            statement=unheld,
            has_debt=has_debt,
            hold_reason=statement.hold_reason or ("ACCOUNTS" if all_held else ""),
            oldest_due_date=_oldest_due_date(unheld) or _oldest_due_date(statement),
            company_rules=rules.rules_by_name.get(rules_name),
        )
        contacts.append(contact)
    return contacts


def _choose_template(
    row: Mapping[str, Any], templates: TemplatePool, statement: Statement, decided_ids: frozenset[int], now: datetime
) -> Template | None:
    """Return the template of a contact, None where none fits or somebody has written its words.

    `row` is the contact as _CONTACTS returns it. `decided_ids` are the accounts with a legal decision.
    """
    if row["written_text"]:
        return None
    # A text of the legal stage may go only where going to law was decided for every account that it would ask for.
    overdue_ids = {document.account_id for document in statement.overdue}
    legal_decision = bool(overdue_ids) and decided_ids.issuperset(overdue_ids)
    return templates.pick_template(
        code=row["template_code"],
        channel=row["channel"],
        country=row["country"],
        language=row["language"],
        debtor_id=row["debtor_id"],
        on=row["local_date"] or now.date(),
        tone=row["tone"],
        legal_decision=legal_decision,
        begins=not row["in_window"],
    )


def _oldest_due_date(statement: Statement) -> date | None:
    """Return the oldest due date of what is overdue, else of what falls due next."""
    documents = statement.overdue or statement.upcoming
    return documents[0].due_date if documents else None
