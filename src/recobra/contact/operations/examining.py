"""What is to become of each contact of a leased batch: written out and ready to go, put off, or ended with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from duckdb import DuckDBPyConnection

from recobra.contact import reasons
from recobra.contact.channels import CHANNELS, Message
from recobra.contact.models import Template
from recobra.contact.rendering import render
from recobra.contact.rendering.statement import Document, Statement
from recobra.contact.tokens import unsubscribe_url
from recobra.portfolio.models import Creditor

from .judging import Leased, Verdict, judge, load, load_statements

PLAN_LASTS = timedelta(days=3)
"""A plan that no cycle has looked at for longer is not carried out: what it was decided on is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A contact that may go: the words it will say and the documents it names."""

    contact: Leased
    message: Message
    template_id: int
    documents: tuple[Document, ...]


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
    """A batch, divided."""

    ready: list[Ready] = field(default_factory=list)
    unsent: list[Unsent] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    contact: Leased
    template: Template
    statement: Statement
    hold: str


def examine(contact_ids: Sequence[int], *, now: datetime, duck: DuckDBPyConnection) -> Examined:
    """Judge a leased batch as of `now`, and write the messages of those that may go."""
    examined = Examined()
    cases = _cases(load(contact_ids, now=now), now, examined)
    verdicts = (
        judge([c.contact for c in cases], holds={c.contact.debtor_id: c.hold for c in cases}, now=now, duck=duck)
        if cases
        else {}
    )
    creditors = Creditor.objects.in_bulk({case.contact.creditor_id for case in cases})
    for case in cases:
        refusal = _refusal(case.contact, verdicts[case.contact.contact_id], now)
        if refusal:
            examined.unsent.append(refusal)
        else:
            _write(case, creditors, now, examined)
    return examined


def _cases(batch: list[Leased], now: datetime, examined: Examined) -> list[_Case]:
    """Leave out what needs no judge: no channel, no template, nothing owed."""
    templates = render.templates_in_force({(c.template_code, c.channel) for c in batch})
    owed = load_statements(batch, now=now)
    cases = []
    for contact in batch:
        template = templates.get((contact.template_code, contact.channel))
        whole = owed[contact.debtor_id]
        if contact.channel not in CHANNELS:
            examined.unsent.append(_ended(contact, "BLOCKED", reasons.NO_CHANNEL))
        elif template is None:
            examined.unsent.append(_ended(contact, "BLOCKED", reasons.NO_TEMPLATE))
        elif not whole.speaks_of(notice=render.is_notice(template)):
            examined.unsent.append(_ended(contact, "CANCELLED", reasons.NOTHING_OWED))
        else:
            free = whole.without_held()
            all_held = not free.speaks_of(notice=render.is_notice(template))
            hold = whole.hold_reason or ("ACCOUNTS" if all_held else "")
            cases.append(_Case(contact=contact, template=template, statement=free, hold=hold))
    return cases


def _refusal(contact: Leased, verdict: Verdict, now: datetime) -> Unsent | None:
    if verdict.allowed:
        age = (contact.local_date or now.date()) - contact.planned_for
        return _ended(contact, "BLOCKED", reasons.EXPIRED) if age > PLAN_LASTS else None
    return Unsent(
        contact_id=contact.contact_id,
        status="DUE" if verdict.opens_at else "BLOCKED",
        reason="" if verdict.opens_at else verdict.reason,
        rule=verdict.rule,
        article=verdict.article,
        due_at=verdict.opens_at,
    )


def _write(case: _Case, creditors: Mapping[int, Creditor], now: datetime, examined: Examined) -> None:
    contact = case.contact
    try:
        words = render.render(
            case.template, case.statement, day=contact.local_date, country=contact.country,
            debtor_name=contact.debtor_name, creditor=creditors[contact.creditor_id],
            sender=settings.MAIL_FROM, reference=str(contact.public_id),
            unsubscribe_url=unsubscribe_url(contact.public_id),
        )  # fmt: skip
    except render.NotRendered as error:
        examined.unsent.append(_ended(contact, "FAILED", reasons.NOT_RENDERED, article=str(error)))
        return
    message = Message(
        public_id=contact.public_id,
        address=contact.address,
        subject=words.subject,
        text=words.text,
        html=words.html,
        date=now,
    )
    documents = case.statement.overdue or case.statement.upcoming
    examined.ready.append(Ready(contact=contact, message=message, template_id=case.template.pk, documents=documents))


def _ended(contact: Leased, status: str, reason: str, article: str = "") -> Unsent:
    return Unsent(contact_id=contact.contact_id, status=status, reason=reason, article=article)
