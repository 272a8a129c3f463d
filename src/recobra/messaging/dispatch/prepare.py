"""What is to become of each contact of a leased batch: written out and ready to go, put off, or ended with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from recobra.messaging import reasons
from recobra.messaging.channels import Button, Message, TemplateCall
from recobra.messaging.dispatch.facts import Leased, first_zone, load
from recobra.messaging.dispatch.gate_check import Case, Verdict, judge, rules_version
from recobra.messaging.dispatch.preferred_hours import preferred_instant
from recobra.messaging.dispatch.throttle import DEADLINE_SECONDS
from recobra.messaging.models import Contact, Template
from recobra.messaging.providers.routing import Route, Routes
from recobra.messaging.templates import render
from recobra.messaging.templates.selection import accounts_with_legal_decision
from recobra.messaging.tokens import statement_url, unsubscribe_url
from recobra.policy import company_rules as house_rules
from recobra.portfolio.models import Creditor
from recobra.portfolio.statement import Document, Statement, fetch_statements

PLAN_LASTS = timedelta(days=3)
"""A plan that no cycle has looked at for longer is not carried out: what it was decided on is too old."""
LEAVES_WITHIN = timedelta(seconds=DEADLINE_SECONDS)
"""What is handed over may leave so much later; its hours must last as long."""
BY_HAND = frozenset({Contact.Purpose.REPLY, Contact.Purpose.MANUAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A contact that may go: its words, the documents it names, the ways it may leave by and the proof of its right.

    `judged_at` is the instant it was judged as of, `until` when the last way it may take must have begun.
    """

    contact: Leased
    message: Message
    template_id: int | None
    variant: str
    documents: tuple[Document, ...]
    ways: tuple[Route, ...]
    verdict: Mapping[str, Any]
    judged_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A contact that does not go now: its next status, and why. DUE is put off until `due_at`."""

    contact_id: int
    status: str
    reason: str
    rule: str = ""
    article: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A batch, divided; `waiting` has a way out that rests."""

    ready: list[Ready] = field(default_factory=list)
    unsent: list[Unsent] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    case: Case
    template: Template | None
    statement: Statement


def examine(contact_ids: Sequence[int], *, now: datetime, ways: Routes) -> Examined:
    """Judge a leased batch as of `now`, and write the messages of those that may go."""
    examined = Examined()
    batch = load(contact_ids, now=now)
    rules = house_rules.company_rules_in_force({contact.portfolio_id for contact in batch})
    drafts = _drafts(batch, rules.name_by_portfolio, now, ways, examined)
    verdicts = judge([draft.case for draft in drafts], houses=rules.houses, now=now)
    creditors = Creditor.objects.in_bulk({draft.case.contact.creditor_id for draft in drafts})
    for draft in drafts:
        verdict = verdicts[draft.case.contact.contact_id]
        refusal = _refusal(draft.case.contact, verdict, now)
        if refusal:
            examined.unsent.append(refusal)
        else:
            possible = tuple(ways.open_routes(draft.case.contact.channel, draft.case.contact.country))
            written = _written(draft, verdict, creditors[draft.case.contact.creditor_id], possible, now)
            _put(written, examined)
    return examined


def _drafts(
    batch: list[Leased], houses: Mapping[int, str], now: datetime, ways: Routes, examined: Examined
) -> list[_Draft]:
    """Leave out what needs no judge: no way out, no template, nothing owed."""
    templates = render.load_template_pool({(c.template_code, c.channel) for c in batch if not c.is_written})
    owed = fetch_statements({c.debtor_id: c.local_date or now.date() for c in batch})
    legal = _decided(owed.values())
    drafts = []
    for contact in batch:
        whole = owed[contact.debtor_id]
        template = _template(contact, templates, now, legal=_all_decided(whole, legal))
        notice = template is not None and render.is_notice(template)
        if not ways.has_route(contact.channel, contact.country):
            examined.unsent.append(_ended(contact, "BLOCKED", reasons.NO_CHANNEL))
        elif template is None and not contact.is_written:
            examined.unsent.append(_ended(contact, "BLOCKED", reasons.NO_TEMPLATE))
        elif contact.purpose not in BY_HAND and not whole.documents_for(notice=notice):
            examined.unsent.append(_ended(contact, "CANCELLED", reasons.NOTHING_OWED))
        else:
            drafts.append(_draft(contact, template, whole, house=houses.get(contact.portfolio_id, ""), notice=notice))
    return drafts


def _template(contact: Leased, templates: render.TemplatePool, now: datetime, *, legal: bool) -> Template | None:
    if contact.is_written:
        return None
    return templates.pick_template(
        code=contact.template_code,
        channel=contact.channel,
        country=contact.country,
        language=contact.language,
        debtor_id=contact.debtor_id,
        on=contact.local_date or now.date(),
        legal_decision=legal,
    )


def _decided(owed: Iterable[Statement]) -> frozenset[int]:
    return accounts_with_legal_decision({d.account_id for whole in owed for d in (*whole.overdue, *whole.upcoming)})


def _all_decided(whole: Statement, accounts: frozenset[int]) -> bool:
    """Return whether going to law was decided for every account that a message would ask for."""
    return bool(whole.overdue) and accounts.issuperset(d.account_id for d in whole.overdue)


def _draft(contact: Leased, template: Template | None, whole: Statement, *, house: str, notice: bool) -> _Draft:
    free = whole.without_held()
    all_held = bool(whole.documents_for(notice=notice)) and not free.documents_for(notice=notice)
    case = Case(
        contact=contact,
        hold=whole.hold_reason or ("ACCOUNTS" if all_held else ""),
        oldest_due_date=_oldest(free) or _oldest(whole),
        house=house,
    )
    return _Draft(case=case, template=template, statement=free)


def _oldest(statement: Statement) -> date | None:
    documents = statement.overdue or statement.upcoming
    return documents[0].due_date if documents else None


def _refusal(contact: Leased, verdict: Verdict, now: datetime) -> Unsent | None:
    if verdict.allowed:
        age = (contact.local_date or now.date()) - contact.planned_for
        if age > PLAN_LASTS:
            return _ended(contact, "BLOCKED", reasons.EXPIRED)
        later = _closing(verdict, now) or (None if contact.purpose in BY_HAND else preferred_instant(contact, now))
        return Unsent(contact_id=contact.contact_id, status="DUE", reason="", due_at=later) if later else None
    return Unsent(
        contact_id=contact.contact_id,
        status="DUE" if verdict.opens_at else "BLOCKED",
        reason="" if verdict.opens_at else verdict.reason,
        rule=verdict.rule,
        article=verdict.article,
        due_at=verdict.opens_at,
    )


def _closing(verdict: Verdict, now: datetime) -> datetime | None:
    """Return when to judge anew what might leave only after its hours; then the gate says how it ends."""
    assert verdict.until is not None, "what is allowed is so by an hour"
    return verdict.until if verdict.until - now <= LEAVES_WITHIN else None


def _put(written: Ready | Unsent, examined: Examined) -> None:
    if isinstance(written, Unsent):
        examined.unsent.append(written)
    elif not written.ways:
        examined.waiting.append(written.contact.contact_id)
    else:
        examined.ready.append(written)


def _written(
    draft: _Draft, verdict: Verdict, creditor: Creditor, ways: tuple[Route, ...], now: datetime
) -> Ready | Unsent:
    contact, template = draft.case.contact, draft.template
    try:
        words = _words(draft, creditor)
    except render.NotRendered as error:
        return _ended(contact, "FAILED", reasons.NOT_RENDERED, article=str(error))
    message = Message(
        public_id=contact.public_id,
        address=contact.address,
        subject=words.subject,
        text=words.text,
        html=words.html,
        date=now,
        channel=contact.channel,
        purpose=contact.purpose,
        country=contact.country,
        language=template.language if template else contact.language,
        on_behalf_of=creditor.name,
        name=contact.debtor_name,
        in_window=contact.in_window,
        expires_at=verdict.until,
        template=_call(template, words),
        buttons=tuple(
            Button(code=each["code"], title=each["title"])
            for each in (template.buttons if template else json.loads(contact.given_buttons))
        ),
    )
    assert verdict.until is not None, "what is allowed is so by an hour"
    documents = () if template is None else draft.statement.documents_for(notice=render.is_notice(template))
    return Ready(
        contact=contact,
        message=message,
        template_id=template.pk if template else None,
        variant=template.variant if template else "",
        documents=documents,
        ways=ways,
        verdict=_proof(draft.case, verdict, now),
        judged_at=now,
        until=verdict.until - LEAVES_WITHIN,
    )


_APPROVED = "APPROVED"
"""Meta's word for a registered template that may be sent."""


def _call(template: Template | None, words: render.RenderedMessage) -> TemplateCall | None:
    if template is None or template.provider_status != _APPROVED:
        return None
    return TemplateCall(name=template.provider_name, language=template.language, parameters=words.parameters)


def _words(draft: _Draft, creditor: Creditor) -> render.RenderedMessage:
    """Return what the message says. Raises NotRendered."""
    contact = draft.case.contact
    if draft.template is None:
        return render.RenderedMessage(subject=contact.subject, text=contact.given, html=contact.given_html)
    return render.render(
        draft.template,
        draft.statement,
        day=contact.local_date,
        country=contact.country,
        debtor_name=contact.debtor_name,
        creditor=creditor,
        sender=settings.MAIL_FROM,
        reference=str(contact.public_id),
        unsubscribe_url=unsubscribe_url(contact.public_id),
        statement_url=statement_url(contact.contact_id) if contact.can_prove else "",
    )


def _proof(case: Case, verdict: Verdict, now: datetime) -> dict[str, Any]:
    """Return what was judged, by which rules, with which answer, for whoever asks later; nothing of it is personal."""
    contact = case.contact
    zone = first_zone(contact.zones)
    facts = {
        "opted_out": contact.opted_out,
        "consent": contact.consent,
        "point_valid": contact.point_valid,
        "place": contact.place,
        "purpose": contact.purpose,
        "held": bool(case.hold),
        "hold_reason": case.hold,
        "oldest_due_date": case.oldest_due_date and case.oldest_due_date.isoformat(),
        "house": case.house,
        "country": contact.country,
        "subdivision": contact.subdivision,
        "replies_to_at": contact.replies_to_at and contact.replies_to_at.isoformat(),
    }
    return {
        "judged_at": now.isoformat(),
        "zone": contact.zones,
        "local": now.astimezone(zone).isoformat() if zone else None,
        "facts": facts,
        "rule": verdict.rule,
        "article": verdict.article,
        "rules_version": rules_version(),
    }


def _ended(contact: Leased, status: str, reason: str, article: str = "") -> Unsent:
    return Unsent(contact_id=contact.contact_id, status=status, reason=reason, article=article)
