"""The dossier as a document for people: its values under headings, in the language in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _

from recobra.compliance.evidence.format import LocalTime, describe_residence, format_day, provider_answer
from recobra.compliance.models import Incident
from recobra.compliance.report import Block, Report, Section, Table
from recobra.consent.models import ConsentEntry
from recobra.conversations.models import ConversationMessage
from recobra.journal.labels import actor_label, fact_label
from recobra.messaging.channels.letter.pdf import US_LETTER
from recobra.messaging.models import Contact, Letter, Receipt
from recobra.messaging.queries import cite_article, explain_reason
from recobra.portfolio.models import Account, Channel, ContactPoint
from recobra.workbench.models import Visit
from recobra_core.zones import split_zones

Facts = tuple[tuple[str, str], ...]


def evidence_report(dossier: dict[str, Any], *, digest: str) -> Report:
    """Return the report of a dossier; `digest` is the SHA-256 of its canonical JSON, printed under every page."""
    about = dossier["about"]
    debtor = dossier["debtor"]
    clock = LocalTime(zone=debtor["time_zone"])
    hours_note = _(
        "Hours are those of the debtor's clock, in the zone that is named. A character that cannot be printed is named."
    )
    masked_note = _("Personal data are masked for this reader: the texts are not exact copies.")
    return Report(
        title=_("Evidence of contacts"),
        subtitle=f"{debtor['name']} · {debtor['creditor']}",
        paper="us-letter" if debtor["country"] in US_LETTER else "a4",
        facts=(
            (_("Debtor"), debtor["name"]),
            (_("Debtor number"), debtor["reference"]),
            (_("Identity document"), f"{debtor['national_id_kind']} {debtor['national_id']}".strip()),
            (_("Country"), describe_residence(debtor["country"], debtor["subdivision"])),
            (_("Creditor"), " · ".join(filter(None, (debtor["creditor"], debtor["creditor_tax_id"])))),
            (_("Collected by"), debtor["agency"]),
            (_("Made"), clock.format_instant(about["made_at"])),
            (_("Made for"), actor_label(about["made_for"])),
            (_("Contacts"), str(about["contacts"])),
            (_("Facts in the journal"), str(about["facts"])),
            (_("Signed by certificate (SHA-256)"), about["signer"]),
        ),
        notes=(hours_note, masked_note) if about["masked"] else (hours_note,),
        sections=(
            _build_section(_("Accounts"), _account_blocks(dossier["accounts"])),
            _build_section(_("Contacts"), (_contact_block(contact, clock) for contact in dossier["contacts"])),
            _build_section(
                _("Consent and opt-out"), (_consent_entry_block(entry, clock) for entry in dossier["consent"])
            ),
            _build_section(_("Conversations"), (_conversation_block(row, clock) for row in dossier["conversations"])),
            _build_section(_("Incidents"), (_incident_block(incident, clock) for incident in dossier["incidents"])),
            _journal_section(dossier["journal"], dossier["seals"], clock),
        ),
        footer=f"{about['format']} · SHA-256 {digest}",
    )


def _build_section(title: str, blocks: Iterable[Block]) -> Section:
    return Section(title=title, blocks=tuple(blocks), empty=_("None."))


def _account_blocks(accounts: list[dict[str, Any]]) -> tuple[Block, ...]:
    """Return one block with the table of accounts, none where there are no accounts."""
    if not accounts:
        return ()
    rows = tuple(
        (
            account["number"],
            account["portfolio"],
            _choice_label(Account.Status, account["status"]),
            format_day(account["opened"]),
        )
        for account in accounts
    )
    head = (_("Account"), _("Portfolio"), _("Status"), _("Opened"))
    return (Block(tables=(Table(head=head, rows=rows, widths=(2, 2, 1, 1)),)),)


def _contact_block(contact: dict[str, Any], clock: LocalTime) -> Block:
    """Return a contact: when and how it went out, the gate's verdict, its exact texts and its receipts."""
    clock = clock.for_zones(contact["zones"])
    judgement = contact["judgement"]
    at = clock.format_instant(contact["sent_at"] or contact["planned_at"])
    channel = _choice_label(Channel, contact["channel"])
    status = _choice_label(Contact.Status, contact["status"])
    return Block(
        title=f"{at} · {channel} · {status}",
        facts=(
            (_("Identifier"), contact["id"]),
            (_("Recipient"), contact["recipient"]),
            (_("Purpose"), _choice_label(Contact.Purpose, contact["purpose"])),
            (_("Planned"), clock.format_instant(contact["planned_at"])),
            (_("Handed over"), clock.format_instant(contact["handed_over_at"])),
            (_("Sent"), clock.format_instant(contact["sent_at"])),
            (_("Possible time zones"), ", ".join(split_zones(contact["zones"]))),
            (_("Template"), contact["template"]),
            (_("Written by"), actor_label(contact["author"])),
            (_("Accounts"), ", ".join(item["account"] for item in contact["items"])),
            (_("Judged"), clock.format_instant(judgement["judged_at"])),
            (_("Rule"), judgement["rule"]),
            (_("Article"), cite_article(judgement["article"])),
            (_("Version of the rules"), str(judgement.get("rules_version", ""))),
            (_("Reason"), _(explain_reason(judgement["reason"])) if judgement["reason"] else ""),
            (_("Provider"), contact["provider"]),
            (_("Provider's reference"), contact["provider_reference"]),
            (_("Message-ID"), contact["message_id"]),
            (_("Provider's answer"), provider_answer(contact["provider_answer"])),
            *_hand_delivery(contact["letter"], contact["visit"], clock),
            (_("Answered"), clock.format_instant(contact["replied_at"])),
            (_("Complained"), clock.format_instant(contact["complained_at"])),
        ),
        texts=_non_empty(
            (_("Subject"), contact["subject"]),
            (_("Content as sent"), contact["content"]),
            (_("Note"), contact["visit"].get("note", "")),
        ),
        tables=_receipt_tables(contact["receipts"], clock),
    )


def _hand_delivery(letter: dict[str, Any], visit: dict[str, Any], clock: LocalTime) -> Facts:
    """Return the facts of a letter or a visit, none for other channels."""
    if letter:
        status = f"{_choice_label(Letter.Status, letter['status'])} · {clock.format_instant(letter['changed_at'])}"
        return (
            (_("Letter"), letter["reference"]),
            (_("Courier's number"), letter["tracking"]),
            (_("State of the letter"), status),
        )
    if visit:
        result = _choice_label(Visit.Result, visit["result"])
        parts = (result, clock.format_instant(visit["noted_at"]), actor_label(visit["noted_by"]))
        return ((_("Visit"), " · ".join(filter(None, parts))),)
    return ()


def _receipt_tables(receipts: list[dict[str, Any]], clock: LocalTime) -> tuple[Table, ...]:
    """Return one table of a contact's receipts, none where there are no receipts."""
    if not receipts:
        return ()
    rows = tuple(
        (
            _choice_label(Receipt.Kind, receipt["kind"]),
            clock.format_without_zone(receipt["at"]),
            clock.format_without_zone(receipt["received_at"]),
        )
        for receipt in receipts
    )
    return (Table(head=(_("Delivery"), _time_heading(clock), _("Told to us")), rows=rows, widths=(1, 1, 1)),)


def _consent_entry_block(entry: dict[str, Any], clock: LocalTime) -> Block:
    """Return an entry of the ledger of consent, with the text that was shown and what was said."""
    return Block(
        title=f"{clock.format_instant(entry['at'])} · {_choice_label(ConsentEntry.Act, entry['act'])}",
        facts=(
            (_choice_label(ContactPoint.Kind, entry["kind"]), entry["value"]),
            (_("Channel"), _choice_label(Channel, entry["channel"]) if entry["channel"] else ""),
            (_("Source"), _choice_label(ConsentEntry.Source, entry["source"])),
            (_("Recorded by"), actor_label(entry["actor"])),
        ),
        texts=_non_empty((_("Text shown"), entry["text_shown"]), (_("Said"), entry["said"])),
    )


def _conversation_block(conversation: dict[str, Any], clock: LocalTime) -> Block:
    """Return a conversation as a table of its messages, each with the digests of its attachments."""
    rows = []
    for message in conversation["messages"]:
        direction = _choice_label(ConversationMessage.Direction, message["direction"])
        direction_and_author = " · ".join(filter(None, (direction, actor_label(message["author"]))))
        files = [f"{file['name']} (SHA-256 {file['sha256']})" for file in message["attachments"]]
        text = "\n".join([message["text"], *files])
        rows.append((clock.format_without_zone(message["at"]), direction_and_author, text))
    return Block(
        title=f"{clock.format_instant(conversation['opened_at'])} · {_choice_label(Channel, conversation['channel'])}",
        facts=(
            (_("Number or address"), conversation["address"]),
            (_("Identity checked"), clock.format_instant(conversation["identified_at"])),
            (_("Closed"), clock.format_instant(conversation["closed_at"])),
        ),
        tables=(Table(head=(_time_heading(clock), _("Who"), _("Text")), rows=tuple(rows), widths=(3, 2, 7)),),
    )


def _incident_block(incident: dict[str, Any], clock: LocalTime) -> Block:
    """Return an incident of the register, with what was done about it."""
    recorded = f"{clock.format_instant(incident['recorded_at'])} · {actor_label(incident['recorded_by'])}"
    return Block(
        title=f"{clock.format_instant(incident['happened_at'])} · {_choice_label(Incident.Kind, incident['kind'])}",
        facts=(
            (_("Rule"), incident["rule"]),
            (_("Article"), cite_article(incident["article"])),
            (_("Recorded"), recorded),
            (_("Closed"), clock.format_instant(incident["closed_at"])),
        ),
        texts=_non_empty(
            (_("Description"), incident["description"]), (_("Corrective action"), incident["corrective_action"])
        ),
    )


def _journal_section(entries: list[dict[str, Any]], seals: list[dict[str, Any]], clock: LocalTime) -> Section:
    """Return the facts of the journal with their digests, the altered ones named, and the seals that cover them."""
    altered = [str(entry["id"]) for entry in entries if not entry["intact"]]
    is_sealed = any(entry["sealed_on"] for entry in entries)
    notes = (
        _("Each fact has a digest; each day is sealed over the digests of all its facts and the day before."),
        "" if is_sealed else _("None of these facts is sealed yet."),
        _("ALTERED since they were recorded: %s.") % ", ".join(altered) if altered else "",
    )
    tables = [_journal_table(entries, clock, is_sealed=is_sealed)]
    if seals:
        head = (_("Day in UTC"), _("Facts"), _("Seal (SHA-256)"), _("Seal of the day before"))
        rows = tuple(
            (format_day(seal["day"]), str(seal["entries"]), seal["digest"], seal["previous"]) for seal in seals
        )
        tables.append(Table(head=head, rows=rows, widths=(0, 0, 1, 1), small=True))
    return Section(
        title=_("Journal and its seals"),
        note=" ".join(filter(None, notes)),
        blocks=tuple(Block(tables=(table,)) for table in tables) if entries else (),
        empty=_("None."),
    )


def _journal_table(entries: list[dict[str, Any]], clock: LocalTime, *, is_sealed: bool) -> Table:
    """Return the journal's rows, with a column of seals only where at least one entry is sealed."""
    head: tuple[str, ...] = (_("No."), _time_heading(clock), _("Fact"), _("Who"), "SHA-256")
    rows = []
    for entry in entries:
        cells = [
            str(entry["id"]),
            clock.format_without_zone(entry["at"]),
            fact_label(entry["kind"]),
            actor_label(entry["actor"]),
            entry["digest"],
        ]
        if is_sealed:
            cells.append(format_day(entry["sealed_on"]) or _("not yet"))
        rows.append(tuple(cells))
    widths: tuple[int, ...] = (0, 3, 3, 2, 6)
    if is_sealed:
        head = (*head, _("Sealed, day in UTC"))
        widths = (*widths, 2)
    return Table(head=head, rows=tuple(rows), widths=widths, small=True)


def _time_heading(clock: LocalTime) -> str:
    return f"{_('When')} ({clock.zone})"


def _non_empty(*texts: tuple[str, str]) -> Facts:
    """Return the pairs of label and text whose text is not blank."""
    return tuple((label, text) for label, text in texts if text.strip())


def _choice_label(choices: type[TextChoices], value: str) -> str:
    """Return the label of a choice; a value that is no choice any more stands for itself."""
    return str(choices(value).label) if value in choices.values else value
