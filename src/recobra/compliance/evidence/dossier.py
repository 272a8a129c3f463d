"""Gather everything about the contacts with one debtor into one structure of plain values (format 1).

Instants are ISO 8601 in UTC; `local` is the debtor's own clock with its zone. Nothing is left out in silence: what is
too much is refused, what is masked is said in `masked`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.compliance.evidence.format import find_zone
from recobra.compliance.evidence.redaction import Redaction
from recobra.compliance.models import Incident
from recobra.consent.models import ConsentEntry
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.journal.models import Entry
from recobra.journal.proof import find_proofs
from recobra.messaging.models import Contact, ContactItem, Receipt
from recobra.portfolio.models import Account, Debtor
from recobra_core.law import zones_for

FORMAT: Final = "recobra-evidence/1"
CONTACTS_LIMIT: Final = 5_000
ENTRIES_LIMIT: Final = 50_000


class EvidenceRefused(Exception):
    """The evidence cannot be given out; the text says why and is shown as it is."""


def collect_dossier(*, debtor: Debtor, eyes: Redaction, signer: str, now: datetime) -> dict[str, Any]:
    """Return the dossier of a debtor; `signer` is the fingerprint of the certificate it will be signed with.

    The caller must have found the debtor through a query of its user. Raises EvidenceRefused.
    """
    contacts = list(_contacts(debtor)[: CONTACTS_LIMIT + 1])
    entries = list(Entry.objects.filter(debtor_id=debtor.pk).order_by("id")[: ENTRIES_LIMIT + 1])
    if len(contacts) > CONTACTS_LIMIT or len(entries) > ENTRIES_LIMIT:
        raise EvidenceRefused(_("There are too many facts about this debtor for one document."))
    journal, seals = _journal(entries)
    return {
        "about": {
            "format": FORMAT,
            "made_at": _iso(now),
            "made_for": eyes.name,
            "masked": eyes.masked,
            "signer": signer,
            "contacts": len(contacts),
            "facts": len(entries),
        },
        "debtor": _debtor(debtor, eyes),
        "accounts": [_account(each) for each in debtor.accounts.select_related("portfolio").order_by("id")],
        "contacts": [_contact(each, eyes) for each in contacts],
        "consent": [_consent(each, eyes) for each in _consents(debtor)],
        "conversations": [_conversation(each, eyes) for each in _conversations(debtor)],
        "incidents": [_incident(each, eyes) for each in Incident.objects.filter(debtor=debtor).order_by("happened_at")],
        "journal": journal,
        "seals": seals,
    }


def _contacts(debtor: Debtor) -> Any:
    found = Contact.objects.filter(debtor=debtor).select_related(
        "template", "portfolio", "provider", "point", "letter", "visit"
    )
    return found.prefetch_related("items__account", "receipts").order_by("planned_at", "id")


def _conversations(debtor: Debtor) -> Iterable[Conversation]:
    return Conversation.objects.filter(debtor=debtor).prefetch_related("messages__attachments").order_by("opened_at")


def _consents(debtor: Debtor) -> Iterable[ConsentEntry]:
    """Return what was said about this debtor's numbers and addresses, by whichever debtor it came in."""
    own = Q(debtor=debtor)
    for kind, value in debtor.points.values_list("kind", "value"):
        own |= Q(kind=kind, value=value)
    return ConsentEntry.objects.filter(own).order_by("at", "id")


def _debtor(debtor: Debtor, eyes: Redaction) -> dict[str, Any]:
    return {
        "reference": debtor.external_id,
        "name": debtor.name,
        "kind": debtor.kind,
        "country": debtor.country,
        "subdivision": debtor.subdivision,
        "time_zone": _zone(debtor),
        "national_id_kind": debtor.national_id_kind,
        "national_id": eyes.document(debtor.national_id),
        "creditor": debtor.creditor.name,
        "creditor_tax_id": debtor.creditor.tax_id,
        "agency": debtor.creditor.agency_name,
    }


def _zone(debtor: Debtor) -> str:
    """Return the zone of the debtor's clock: a portfolio's where several are possible and it is one of them."""
    possible = zones_for(
        country=debtor.country, subdivision=debtor.subdivision or None, stated_zone=debtor.time_zone or None
    ).split("|")
    ours = list(debtor.accounts.order_by("id").values_list("portfolio__time_zone", flat=True))
    among = [zone for zone in ours if zone in possible]
    return next(zone for zone in (*among, *possible, *ours, "UTC") if find_zone(zone))


def _account(account: Account) -> dict[str, Any]:
    return {
        "number": account.external_id,
        "portfolio": account.portfolio.code,
        "product": account.product,
        "status": account.status,
        "opened": _day(account.opened_date),
    }


def _contact(contact: Contact, eyes: Redaction) -> dict[str, Any]:
    zone = contact.zones.partition("|")[0]
    recipient = contact.address or (contact.point.value if contact.point else "")
    template = f"{contact.template.code} v{contact.template.version}" if contact.template else contact.template_code
    return {
        "id": str(contact.public_id),
        "channel": contact.channel,
        "purpose": contact.purpose,
        "status": contact.status,
        "portfolio": contact.portfolio.code,
        "recipient": eyes.address(recipient),
        "author": contact.author,
        "template": template,
        "variant": contact.variant,
        "zones": contact.zones,
        "planned_at": _iso(contact.planned_at),
        "handed_over_at": _iso(contact.handed_over_at),
        "sent_at": _iso(contact.sent_at),
        "local": _local(contact.sent_at or contact.handed_over_at, zone),
        "subject": eyes.text(contact.subject),
        "content": eyes.text(contact.body),
        "html": eyes.text(contact.html),
        "items": [_item(each) for each in contact.items.all()],
        "judgement": _judgement(contact, eyes),
        "provider": contact.provider.code if contact.provider else "",
        "provider_reference": contact.provider_reference,
        "message_id": contact.message_id,
        "provider_answer": eyes.text(contact.answer),
        "attempts": contact.attempts,
        "receipts": [_receipt(each) for each in contact.receipts.all()],
        "letter": _letter(contact),
        "visit": _visit(contact, eyes),
        "replied_at": _iso(contact.replied_at),
        "complained_at": _iso(contact.complained_at),
    }


def _judgement(contact: Contact, eyes: Redaction) -> dict[str, Any]:
    """Return the gate's answer with all it judged by; `facts` hold codes and counts, masked where they are words."""
    verdict = dict(contact.verdict)
    facts = verdict.pop("facts", {})
    return {
        "judged_at": _iso(contact.judged_at),
        "reason": contact.reason,
        "rule": contact.rule,
        "article": contact.article,
        "facts": {name: eyes.text(value) if isinstance(value, str) else value for name, value in facts.items()},
        **{name: value for name, value in verdict.items() if name in ("zone", "local", "rules_version")},
    }


def _item(item: ContactItem) -> dict[str, Any]:
    return {"account": item.account.external_id, "overdue_minor": item.overdue_minor}


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "kind": receipt.kind,
        "at": _iso(receipt.at),
        "received_at": _iso(receipt.received_at),
        "permanent": receipt.permanent,
    }


def _letter(contact: Contact) -> dict[str, Any]:
    """Return how a letter went, {} for another channel; its words are the contact's."""
    letter = getattr(contact, "letter", None)
    if letter is None:
        return {}
    return {
        "reference": letter.reference,
        "status": letter.status,
        "batch": letter.batch_id,
        "tracking": letter.tracking,
        "courier_answer": letter.courier_answer,
        "changed_at": _iso(letter.changed_at),
    }


def _visit(contact: Contact, eyes: Redaction) -> dict[str, Any]:
    """Return what came of a visit, {} for another channel."""
    visit = getattr(contact, "visit", None)
    if visit is None:
        return {}
    return {
        "route_date": _day(visit.route_date),
        "result": visit.result,
        "note": eyes.text(visit.note),
        "noted_at": _iso(visit.noted_at),
        "noted_by": visit.noted_by,
    }


def _consent(entry: ConsentEntry, eyes: Redaction) -> dict[str, Any]:
    return {
        "at": _iso(entry.at),
        "act": entry.act,
        "channel": entry.channel,
        "kind": entry.kind,
        "value": eyes.address(entry.value),
        "source": entry.source,
        "actor": entry.actor,
        "text_shown": entry.text_shown,
        "said": eyes.text(entry.said),
    }


def _conversation(conversation: Conversation, eyes: Redaction) -> dict[str, Any]:
    return {
        "channel": conversation.channel,
        "address": eyes.address(conversation.address),
        "opened_at": _iso(conversation.opened_at),
        "closed_at": _iso(conversation.closed_at),
        "identified_at": _iso(conversation.identified_at),
        "messages": [_message(each, eyes) for each in conversation.messages.all()],
    }


def _message(message: ConversationMessage, eyes: Redaction) -> dict[str, Any]:
    """Return what was said; notes among colleagues are part of the file too."""
    return {
        "at": _iso(message.at),
        "direction": message.direction,
        "author": message.author,
        "text": eyes.text(message.text),
        "intent": message.intent,
        "attachments": [{"name": a.name, "sha256": a.digest, "size": a.size} for a in message.attachments.all()],
    }


def _incident(incident: Incident, eyes: Redaction) -> dict[str, Any]:
    return {
        "kind": incident.kind,
        "happened_at": _iso(incident.happened_at),
        "recorded_at": _iso(incident.recorded_at),
        "recorded_by": incident.recorded_by,
        "rule": incident.rule,
        "article": incident.article,
        "description": eyes.text(incident.description),
        "corrective_action": eyes.text(incident.corrective_action),
        "closed_at": _iso(incident.closed_at),
    }


def _journal(entries: list[Entry]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    covered, seals = find_proofs(entry_ids=[entry.pk for entry in entries])
    rows = [
        {
            "id": entry.pk,
            "at": _iso(entry.at),
            "kind": entry.kind,
            "actor": entry.actor,
            "version": entry.version,
            "digest": row.digest,
            "intact": row.intact,
            "sealed_on": _day(row.sealed_on),
        }
        for entry, row in zip(entries, covered, strict=True)
    ]
    return rows, [asdict(seal) | {"day": seal.day.isoformat()} for seal in seals]


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _local(at: datetime | None, zone: str) -> str:
    known = find_zone(zone)
    return f"{at.astimezone(known).isoformat()} ({zone})" if at and known else ""
