"""The dossier: everything about the contacts with one debtor, as one structure of plain values (format 1).

Instants are ISO 8601 in UTC; `local` is the debtor's own clock with its zone. Nothing is left out silently: too many
facts are refused, and `masked` says whether personal data are masked.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.compliance.evidence.redaction import Redaction
from recobra.compliance.models import Incident
from recobra.consent.address_digest import list_known_forms
from recobra.consent.models import ConsentEntry
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.journal.models import Entry
from recobra.journal.proof import find_proofs
from recobra.journal.queries import OPENED
from recobra.kit.zones import find_zone, first_zone
from recobra.messaging.models import Contact
from recobra.portfolio.models import Account, Debtor
from recobra.portfolio.queries import with_joined
from recobra_core.law import zones_for
from recobra_core.zones import split_zones

FORMAT: Final = "recobra-evidence/1"
CONTACTS_LIMIT: Final = 5_000
ENTRIES_LIMIT: Final = 50_000


class EvidenceRefused(Exception):
    """The evidence cannot be exported; the text says why and is shown as it is."""


def collect_dossier(*, debtor: Debtor, redaction: Redaction, signer: str, now: datetime) -> dict[str, Any]:
    """Return the dossier of a debtor; `signer` is the fingerprint of the certificate it will be signed with.

    The caller must have found the debtor through a query of its user. Raises EvidenceRefused.
    """
    all_contacts = (
        Contact.objects.filter(debtor=debtor)
        .select_related("template", "portfolio", "provider", "point", "letter", "visit")
        .prefetch_related("items__account", "receipts")
        .order_by("planned_at", "id")
    )
    redaction = redaction.about([debtor.national_id, *debtor.joined.values_list("national_id", flat=True)])
    # One more than the limit, to notice that there are too many.
    contacts = list(all_contacts[: CONTACTS_LIMIT + 1])
    both = with_joined([debtor.pk])
    entries = list(Entry.objects.filter(debtor_id__in=both).exclude(kind=OPENED).order_by("id")[: ENTRIES_LIMIT + 1])
    if len(contacts) > CONTACTS_LIMIT or len(entries) > ENTRIES_LIMIT:
        raise EvidenceRefused(_("There are too many facts about this debtor for one document."))
    # What was said about the debtor's numbers and addresses counts, in whichever form and of whichever debtor.
    own_consent = Q(debtor__in=both)
    for kind, value in debtor.points.values_list("kind", "value"):
        own_consent |= Q(kind=kind, value__in=list_known_forms(value, kind=kind))
    accounts = debtor.accounts.select_related("portfolio").order_by("id")
    consent = ConsentEntry.objects.filter(own_consent).order_by("at", "id")
    conversations = (
        Conversation.objects.filter(debtor=debtor).prefetch_related("messages__attachments").order_by("opened_at")
    )
    incidents = Incident.objects.filter(debtor=debtor).order_by("happened_at")
    journal, seals = _dump_journal(entries)
    return {
        "about": {
            "format": FORMAT,
            "made_at": _iso_instant(now),
            "made_for": redaction.reader,
            "masked": redaction.is_masked,
            "signer": signer,
            "contacts": len(contacts),
            "facts": len(entries),
        },
        "debtor": _dump_debtor(debtor, redaction),
        "accounts": [_dump_account(account, redaction) for account in accounts],
        "contacts": [_dump_contact(contact, redaction) for contact in contacts],
        "consent": [_dump_consent_entry(entry, redaction) for entry in consent],
        "conversations": [_dump_conversation(conversation, redaction) for conversation in conversations],
        "incidents": [_dump_incident(incident, redaction) for incident in incidents],
        "journal": journal,
        "seals": seals,
    }


def _dump_debtor(debtor: Debtor, redaction: Redaction) -> dict[str, Any]:
    """Return who the debtor is, and to whom the debt is owed."""
    return {
        "reference": redaction.reference(debtor.external_id),
        "name": debtor.name,
        "kind": debtor.kind,
        "country": debtor.country,
        "subdivision": debtor.subdivision,
        "time_zone": _time_zone(debtor),
        "national_id_kind": debtor.national_id_kind,
        "national_id": redaction.document(debtor.national_id),
        "creditor": debtor.creditor.name,
        "creditor_tax_id": debtor.creditor.tax_id,
        "agency": debtor.creditor.agency_name,
    }


def _dump_account(account: Account, redaction: Redaction) -> dict[str, Any]:
    """Return an account that the debtor has with this creditor, without its balance."""
    return {
        "number": redaction.reference(account.external_id),
        "portfolio": account.portfolio.code,
        "product": account.product,
        "status": account.status,
        "opened": _iso_day(account.opened_date),
    }


def _time_zone(debtor: Debtor) -> str:
    """Return the zone of the debtor's clock: a portfolio's where several are possible and it is one of them."""
    joined_zones = zones_for(
        country=debtor.country, subdivision=debtor.subdivision or None, stated_zone=debtor.time_zone or None
    )
    possible = split_zones(joined_zones)
    portfolio_zones = list(debtor.accounts.order_by("id").values_list("portfolio__time_zone", flat=True))
    preferred = [zone for zone in portfolio_zones if zone in possible]
    # Stored names may be empty, or of a zone that is not known here.
    for zone in (*preferred, *possible, *portfolio_zones):
        if find_zone(zone):
            return zone
    return "UTC"


def _dump_contact(contact: Contact, redaction: Redaction) -> dict[str, Any]:
    """Return a contact with its text, the gate's verdict and what became of it; `local` is when it left, there."""
    recipient = contact.address
    if not recipient and contact.point is not None:
        # It was not handed over, and has only the point that it was planned for.
        recipient = contact.point.value
    template = contact.template_code
    if contact.template is not None:
        template = f"{contact.template.code} v{contact.template.version}"
    zone = first_zone(contact.zones)
    left_at = contact.sent_at or contact.handed_over_at
    return {
        "id": str(contact.public_id),
        "channel": contact.channel,
        "purpose": contact.purpose,
        "status": contact.status,
        "portfolio": contact.portfolio.code,
        "recipient": redaction.address(recipient),
        "author": contact.author,
        "template": template,
        "variant": contact.variant,
        "zones": contact.zones,
        "planned_at": _iso_instant(contact.planned_at),
        "handed_over_at": _iso_instant(contact.handed_over_at),
        "sent_at": _iso_instant(contact.sent_at),
        "local": f"{left_at.astimezone(zone).isoformat()} ({zone.key})" if left_at and zone else "",
        "subject": redaction.text(contact.subject),
        "content": redaction.text(contact.body),
        "html": redaction.text(contact.html),
        "items": [
            {"account": redaction.reference(item.account.external_id), "overdue_minor": item.overdue_minor}
            for item in contact.items.all()
        ],
        "judgement": _dump_judgement(contact, redaction),
        "provider": contact.provider.code if contact.provider else "",
        "provider_reference": contact.provider_reference,
        "message_id": contact.message_id,
        "provider_answer": redaction.text(contact.answer),
        "attempts": contact.attempts,
        "receipts": [
            {
                "kind": receipt.kind,
                "at": _iso_instant(receipt.at),
                "received_at": _iso_instant(receipt.received_at),
                "permanent": receipt.permanent,
            }
            for receipt in contact.receipts.all()
        ],
        "letter": _dump_letter(contact),
        "visit": _dump_visit(contact, redaction),
        "replied_at": _iso_instant(contact.replied_at),
        "complained_at": _iso_instant(contact.complained_at),
    }


def _dump_judgement(contact: Contact, redaction: Redaction) -> dict[str, Any]:
    """Return the gate's verdict with the facts it judged by; `facts` hold codes and counts, and words are masked."""
    facts = {}
    for name, value in contact.verdict.get("facts", {}).items():
        facts[name] = redaction.text(value) if isinstance(value, str) else value
    judgement = {
        "judged_at": _iso_instant(contact.judged_at),
        "reason": contact.reason,
        "rule": contact.rule,
        "article": contact.article,
        "facts": facts,
    }
    # Missing where a contact ended before the law's rules were asked.
    for name in ("zone", "local", "rules_version"):
        if name in contact.verdict:
            judgement[name] = contact.verdict[name]
    return judgement


def _dump_letter(contact: Contact) -> dict[str, Any]:
    """Return what became of a letter, {} for another channel; its text is the contact's."""
    letter = getattr(contact, "letter", None)
    if letter is None:
        return {}
    return {
        "reference": letter.reference,
        "status": letter.status,
        "batch": letter.batch_id,
        "tracking": letter.tracking,
        "courier_answer": letter.courier_answer,
        "changed_at": _iso_instant(letter.changed_at),
    }


def _dump_visit(contact: Contact, redaction: Redaction) -> dict[str, Any]:
    """Return the result of a visit, {} for another channel."""
    visit = getattr(contact, "visit", None)
    if visit is None:
        return {}
    return {
        "route_date": _iso_day(visit.route_date),
        "result": visit.result,
        "note": redaction.text(visit.note),
        "noted_at": _iso_instant(visit.noted_at),
        "noted_by": visit.noted_by,
    }


def _dump_consent_entry(entry: ConsentEntry, redaction: Redaction) -> dict[str, Any]:
    """Return an entry of the ledger of consent; `text_shown` is our own text, `said` the debtor's."""
    return {
        "at": _iso_instant(entry.at),
        "act": entry.act,
        "channel": entry.channel,
        "kind": entry.kind,
        "value": redaction.address(entry.value),
        "source": entry.source,
        "actor": entry.actor,
        "text_shown": entry.text_shown,
        "said": redaction.text(entry.said),
    }


def _dump_conversation(conversation: Conversation, redaction: Redaction) -> dict[str, Any]:
    """Return a conversation with all of its messages."""
    return {
        "channel": conversation.channel,
        "address": redaction.address(conversation.address),
        "opened_at": _iso_instant(conversation.opened_at),
        "closed_at": _iso_instant(conversation.closed_at),
        "identified_at": _iso_instant(conversation.identified_at),
        # All of them: notes among colleagues are part of the file too.
        "messages": [_dump_message(message, redaction) for message in conversation.messages.all()],
    }


def _dump_message(message: ConversationMessage, redaction: Redaction) -> dict[str, Any]:
    """Return a message, with the digests of its attachments in the place of the files."""
    return {
        "at": _iso_instant(message.at),
        "direction": message.direction,
        "author": message.author,
        "text": redaction.text(message.text),
        "intent": message.intent,
        "attachments": [
            {"name": attachment.name, "sha256": attachment.digest, "size": attachment.size}
            for attachment in message.attachments.all()
        ],
    }


def _dump_incident(incident: Incident, redaction: Redaction) -> dict[str, Any]:
    """Return an incident of the register, with what was done about it."""
    return {
        "kind": incident.kind,
        "happened_at": _iso_instant(incident.happened_at),
        "recorded_at": _iso_instant(incident.recorded_at),
        "recorded_by": incident.recorded_by,
        "rule": incident.rule,
        "article": incident.article,
        "description": redaction.text(incident.description),
        "corrective_action": redaction.text(incident.corrective_action),
        "closed_at": _iso_instant(incident.closed_at),
    }


def _dump_journal(entries: list[Entry]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return two lists: the journal's entries with their digests, and the seals of the days that cover them.

    `intact` says whether an entry still has the digest with which it was recorded.
    """
    proofs, seals = find_proofs(entry_ids=[entry.pk for entry in entries])
    rows = [
        {
            "id": entry.pk,
            "at": _iso_instant(entry.at),
            "kind": entry.kind,
            "actor": entry.actor,
            "version": entry.version,
            "digest": proof.digest,
            "intact": proof.intact,
            "sealed_on": _iso_day(proof.sealed_on),
        }
        for entry, proof in zip(entries, proofs, strict=True)
    ]
    return rows, [asdict(seal) | {"day": seal.day.isoformat()} for seal in seals]


def _iso_instant(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _iso_day(day: date | None) -> str:
    return day.isoformat() if day else ""
