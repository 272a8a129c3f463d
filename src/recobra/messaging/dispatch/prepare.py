"""Preparation of a leased batch: each contact is ready to go with its message, or put off, or ended with a reason."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from recobra.kit.encryption import Undecryptable
from recobra.kit.zones import first_zone
from recobra.messaging import reasons
from recobra.messaging.channels import Button, Message, TemplateCall
from recobra.messaging.dispatch.facts import LeasedContact, load_contacts
from recobra.messaging.dispatch.gate_check import Verdict, judge_contacts, rules_version
from recobra.messaging.dispatch.throttle import DEADLINE_SECONDS
from recobra.messaging.models import Contact, TemplateRegistration
from recobra.messaging.providers.number_limits import count_left
from recobra.messaging.providers.routing import Route, Routes
from recobra.messaging.templates import render
from recobra.messaging.tokens import statement_url, unsubscribe_url
from recobra.portfolio.models import Channel, Creditor

_log = logging.getLogger(__name__)

PLAN_LASTS = timedelta(days=3)
"""A contact planned longer ago, and not replanned by a cycle since, is not sent: its facts are too old."""
LEAVES_WITHIN = timedelta(seconds=DEADLINE_SECONDS)
"""A message may leave so long after it was handed over, so its permitted hours must last as long."""
BY_HAND = frozenset({Contact.Purpose.REPLY, Contact.Purpose.MANUAL})
"""Purposes outside the daily plan: they need no debt, and the debtor's preferred hours do not hold them back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedContact:
    """A contact that may go: its facts as they were judged, its message, and the route it leaves by.

    `route` is the preferred one of `routes`, until the dispatcher takes another because that one rests. `verdict` is
    kept as proof of what was judged as of `judged_at`. The message must be handed over before `hand_over_until`.
    """

    contact: LeasedContact
    message: Message
    route: Route
    routes: tuple[Route, ...]
    verdict: Mapping[str, Any]
    judged_at: datetime
    hand_over_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The end of a contact that does not go now: its next status and why. DUE is put off until `due_at`."""

    contact_id: int
    status: str
    reason: str = ""
    rule: str = ""
    article: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBatch:
    """A batch, divided. `waiting` are contacts, by id, whose routes all rest, or which cannot be read."""

    ready: list[PreparedContact] = field(default_factory=list)
    not_sent: list[NotSent] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)


def prepare_batch(contact_ids: Sequence[int], *, now: datetime, routes: Routes) -> PreparedBatch:
    """Judge a leased batch as of `now`, and write the messages of those that may go."""
    batch = PreparedBatch()
    candidates = []
    for contact in load_contacts(contact_ids, now=now):
        obstacle = _find_obstacle(contact, routes)
        if obstacle is None:
            candidates.append(contact)
        else:
            batch.not_sent.append(obstacle)
    verdicts = judge_contacts(candidates, now=now)
    creditors = _load_creditors({contact.creditor_id for contact in candidates})
    registered_names = _load_registered_names({contact.template.pk for contact in candidates if contact.template})
    first_contacts_left = count_left(now=now)
    for contact in candidates:
        verdict = verdicts[contact.contact_id]
        refusal = _refuse_or_put_off(contact, verdict, now)
        if refusal is not None:
            batch.not_sent.append(refusal)
            continue
        if contact.creditor_id not in creditors:
            batch.waiting.append(contact.contact_id)
            continue
        assert verdict.until is not None, "what is allowed is so by an hour"
        names = registered_names.get(contact.template.pk, {}) if contact.template else {}
        if not _may_begin(contact, routes, names):
            batch.not_sent.append(_end_contact(contact, "BLOCKED", reasons.NO_TEMPLATE))
            continue
        open_routes = _find_open_routes(contact, routes, names, first_contacts_left)
        try:
            message = _write_message(
                contact,
                creditors[contact.creditor_id],
                registered_name=names.get(open_routes[0].provider_id, "") if open_routes else "",
                judged_at=now,
                expires_at=verdict.until,
            )
        except Undecryptable as error:
            _log.error("Contact %s waits: %s", contact.contact_id, error)
            batch.waiting.append(contact.contact_id)
            continue
        except render.NotRendered as error:
            batch.not_sent.append(_end_contact(contact, "FAILED", reasons.NOT_RENDERED, article=str(error)))
            continue
        if not open_routes:
            batch.waiting.append(contact.contact_id)
            continue
        prepared = PreparedContact(
            contact=contact,
            message=message,
            route=open_routes[0],
            routes=open_routes,
            verdict=_proof_of_verdict(contact, verdict, now),
            judged_at=now,
            hand_over_until=verdict.until - LEAVES_WITHIN,
        )
        batch.ready.append(prepared)
        if not contact.in_window and prepared.route.provider_id in first_contacts_left:
            first_contacts_left[prepared.route.provider_id] -= 1
    return batch


def _load_creditors(ids: set[int]) -> dict[int, Creditor]:
    """Return the creditors by id, without those whose place of payment cannot be read: their messages wait."""
    creditors = {}
    for creditor in Creditor.objects.filter(pk__in=ids):
        if creditor.has_readable_instructions():
            creditors[creditor.pk] = creditor
        else:
            _log.error("Where debtors of %s pay is encrypted with another key: save it again.", creditor.code)
    return creditors


def _load_registered_names(template_ids: set[int]) -> dict[int, dict[int | None, str]]:
    """Return by template and provider the names with which conversations may begin."""
    names: dict[int, dict[int | None, str]] = {}
    registered = TemplateRegistration.objects.sendable().filter(template_id__in=template_ids)
    for template_id, provider_id, name in registered.values_list("template_id", "provider_id", "name"):
        names.setdefault(template_id, {})[provider_id] = name
    return names


def _may_begin(contact: LeasedContact, routes: Routes, names: Mapping[int | None, str]) -> bool:
    """Tell if a template may leave: within 24 hours of the debtor's message, or by a provider that approved it."""
    configured = routes.configured_routes(contact.channel, contact.country)
    if contact.channel != Channel.WHATSAPP or contact.template is None or contact.in_window or not configured:
        return True
    return any(route.provider_id in names for route in configured)


def _find_open_routes(
    contact: LeasedContact, routes: Routes, names: Mapping[int | None, str], first_contacts_left: Mapping[int, int]
) -> tuple[Route, ...]:
    """Return the routes by which a message may go now, the preferred one first.

    Of a template with `names` at providers those that know it, whose number may still begin a conversation; within 24
    hours of the debtor's message any, which takes the words themselves.
    """
    open_routes = tuple(routes.open_routes(contact.channel, contact.country))
    registered = tuple(route for route in open_routes if route.provider_id in names)
    if contact.in_window:
        return registered or open_routes
    if not names or all(route.provider_id is None for route in open_routes):
        return open_routes
    return tuple(route for route in registered if first_contacts_left.get(route.provider_id or 0, 1) > 0)


def find_preferred_time(contact: LeasedContact, now: datetime) -> datetime | None:
    """Return when the debtor would rather be written to, None where that is now or cannot be respected.

    Before the preferred hours the message waits for them, provided the window is still open then. After them it waits
    for those of the next day, but only once: a preference delays a message and never prevents it.
    """
    zone = first_zone(contact.zones)
    begin = contact.preferred_from
    end = contact.preferred_to
    if zone is None or begin is None or end is None or begin >= end:
        return None
    local = now.astimezone(zone)
    if begin <= local.time() < end:
        return None
    preferred_at = datetime.combine(local.date(), begin, zone)
    if local.time() < begin:
        is_open_then = contact.closes_at is None or preferred_at < contact.closes_at
        return preferred_at if is_open_then else None
    is_first_day = local.date() == contact.planned_for
    return preferred_at + timedelta(days=1) if is_first_day else None


def _find_obstacle(contact: LeasedContact, routes: Routes) -> NotSent | None:
    """Return the end of a contact that need not be judged, else None.

    There is no channel or no template, nothing is owed, or its portfolio is disabled: then only who wrote is answered.
    """
    if contact.portfolio_disabled and contact.purpose != Contact.Purpose.REPLY:
        return _end_contact(contact, "CANCELLED", reasons.PORTFOLIO_DISABLED)
    if not routes.has_route(contact.channel, contact.country):
        return _end_contact(contact, "BLOCKED", reasons.NO_CHANNEL)
    if contact.template is None and not contact.is_written:
        return _end_contact(contact, "BLOCKED", reasons.NO_TEMPLATE)
    if contact.purpose not in BY_HAND and not contact.has_debt:
        return _end_contact(contact, "CANCELLED", reasons.NOTHING_OWED)
    return None


def _refuse_or_put_off(contact: LeasedContact, verdict: Verdict, now: datetime) -> NotSent | None:
    """Return what becomes of a contact that the gate, its age or the hour keeps from going now; None if it may go."""
    if not verdict.allowed:
        may_go_later = verdict.opens_at is not None
        return NotSent(
            contact_id=contact.contact_id,
            status="DUE" if may_go_later else "BLOCKED",
            reason="" if may_go_later else verdict.reason,
            rule=verdict.rule,
            article=verdict.article,
            due_at=verdict.opens_at,
        )
    if (contact.local_date or now.date()) - contact.planned_for > PLAN_LASTS:
        return _end_contact(contact, "BLOCKED", reasons.EXPIRED)
    assert verdict.until is not None, "what is allowed is so by an hour"
    due_at = None
    if verdict.until - now <= LEAVES_WITHIN:
        # It might leave only after its hours. Judged anew at their very end, the gate says what becomes of it.
        due_at = verdict.until
    elif contact.purpose not in BY_HAND:
        due_at = find_preferred_time(contact, now)
    return NotSent(contact_id=contact.contact_id, status="DUE", due_at=due_at) if due_at else None


def _write_message(
    contact: LeasedContact, creditor: Creditor, *, registered_name: str, judged_at: datetime, expires_at: datetime
) -> Message:
    """Return the message of a contact: the words that somebody wrote, or its template filled in.

    `registered_name` is that of the template at the provider, '' for words that it takes as they are.
    Raises NotRendered, and Undecryptable for words of another installation's key.
    """
    template = contact.template
    call = None
    if template is None:
        words = render.RenderedMessage(
            subject=Contact.open_text("subject", contact.public_id, contact.subject),
            text=Contact.open_text("body", contact.public_id, contact.written_text),
            html=Contact.open_text("html", contact.public_id, contact.written_html),
        )
        language = contact.language
        buttons = json.loads(contact.written_buttons)
    elif not template.has_readable_words():
        raise Undecryptable(f"The words of {template} are encrypted with another key.")
    else:
        words = render.render(
            template,
            contact.statement,
            day=contact.local_date,
            country=contact.country,
            debtor_name=contact.debtor_name,
            creditor=creditor,
            sender=settings.MAIL_FROM,
            reference=str(contact.public_id),
            unsubscribe_url=unsubscribe_url(contact.public_id),
            statement_url=statement_url(contact.contact_id) if contact.can_prove_identity else "",
        )
        language = template.language
        buttons = template.buttons
        if registered_name:
            call = TemplateCall(name=registered_name, language=language, parameters=words.parameters)
    return Message(
        public_id=contact.public_id,
        address=contact.address,
        subject=words.subject,
        text=words.text,
        html=words.html,
        date=judged_at,
        channel=contact.channel,
        purpose=contact.purpose,
        country=contact.country,
        language=language,
        on_behalf_of=creditor.name,
        name=contact.debtor_name,
        in_window=contact.in_window,
        expires_at=expires_at,
        template=call,
        buttons=tuple(Button(code=button["code"], title=button["title"]) for button in buttons),
    )


def _proof_of_verdict(contact: LeasedContact, verdict: Verdict, now: datetime) -> dict[str, Any]:
    """Return the judged facts, the rules and the answer as stored with the contact, without personal data."""
    zone = first_zone(contact.zones)
    return {
        "judged_at": now.isoformat(),
        "zone": contact.zones,
        "local": now.astimezone(zone).isoformat() if zone else None,
        "facts": {
            "opted_out": contact.opted_out,
            "consent": verdict.consent,
            "point_valid": contact.point_valid,
            "place": contact.place,
            "purpose": contact.purpose,
            "held": bool(contact.hold_reason),
            "hold_reason": contact.hold_reason,
            "oldest_due_date": contact.oldest_due_date and contact.oldest_due_date.isoformat(),
            "house": contact.company_rules.name if contact.company_rules else "",
            "country": contact.country,
            "subdivision": contact.subdivision,
            "replies_to_at": contact.replies_to_at and contact.replies_to_at.isoformat(),
        },
        "rule": verdict.rule,
        "article": verdict.article,
        "rules_version": rules_version(),
    }


def _end_contact(contact: LeasedContact, status: str, reason: str, article: str = "") -> NotSent:
    """Return the end of a contact that is not sent: its status, why, and the article or error text that says so."""
    return NotSent(contact_id=contact.contact_id, status=status, reason=reason, article=article)
