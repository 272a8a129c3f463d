"""The dossier as a document for people: the same values under headings, in the language in force."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from recobra.contact.models import Channel, ConsentEntry, Contact, ConversationMessage, Incident, Letter, Receipt, Visit
from recobra.contact.paper.letter import US_LETTER
from recobra.contact.paper.report import Block, Report, Section, Table
from recobra.contact.queries import cite, explain
from recobra.portfolio.models import Account, ContactPoint

Facts = tuple[tuple[str, str], ...]


def evidence_report(dossier: dict[str, Any], *, digest: str) -> Report:
    """Return the report of a dossier; `digest` is the SHA-256 of its canonical JSON, printed under every page."""
    about, debtor = dossier["about"], dossier["debtor"]
    return Report(
        title=_("Evidence of contacts"),
        subtitle=f"{debtor['name']} · {debtor['creditor']}",
        paper="us-letter" if debtor["country"] in US_LETTER else "a4",
        facts=_lead(about, debtor),
        notes=_notes(about),
        sections=(
            Section(title=_("Accounts"), blocks=_accounts(dossier["accounts"]), empty=_("None.")),
            Section(title=_("Contacts"), blocks=tuple(map(_contact, dossier["contacts"])), empty=_("None.")),
            Section(title=_("Consent and opt-out"), blocks=tuple(map(_consent, dossier["consent"])), empty=_("None.")),
            Section(title=_("Conversations"), blocks=tuple(map(_talk, dossier["conversations"])), empty=_("None.")),
            Section(title=_("Incidents"), blocks=tuple(map(_incident, dossier["incidents"])), empty=_("None.")),
            _journal(dossier["journal"], dossier["seals"]),
        ),
        footer=f"{about['format']} · SHA-256 {digest}",
    )


def _lead(about: dict[str, Any], debtor: dict[str, Any]) -> Facts:
    return (
        (_("Debtor"), debtor["name"]), (_("Debtor number"), debtor["reference"]),
        (_("Identity document"), f"{debtor['national_id_kind']} {debtor['national_id']}".strip()),
        (_("Country"), " ".join((debtor["country"], debtor["subdivision"])).strip()),
        (_("Creditor"), " · ".join(filter(None, (debtor["creditor"], debtor["creditor_tax_id"])))),
        (_("Collected by"), debtor["agency"]), (_("Made"), _instant(about["made_at"])),
        (_("Made for"), about["made_for"]), (_("Contacts"), str(about["contacts"])),
        (_("Facts in the journal"), str(about["facts"])), (_("Signed by certificate (SHA-256)"), about["signer"]),
    )  # fmt: skip


def _notes(about: dict[str, Any]) -> tuple[str, ...]:
    whole = _("All instants are in UTC unless a zone stands beside them. A character that cannot be printed is named.")
    if not about["masked"]:
        return (whole,)
    return (whole, _("Personal data are masked for this reader: the texts are not exact copies."))


def _accounts(accounts: list[dict[str, Any]]) -> tuple[Block, ...]:
    if not accounts:
        return ()
    rows = tuple((a["number"], a["portfolio"], _label(Account.Status, a["status"]), a["opened"]) for a in accounts)
    head = (_("Account"), _("Portfolio"), _("Status"), _("Opened"))
    return (Block(tables=(Table(head=head, rows=rows, widths=(2, 2, 1, 1)),)),)


def _contact(contact: dict[str, Any]) -> Block:
    judged = contact["judgement"]
    channel, status = _label(Channel, contact["channel"]), _label(Contact.Status, contact["status"])
    return Block(
        title=f"{_instant(contact['sent_at'] or contact['planned_at'])} · {channel} · {status}",
        facts=(
            (_("Identifier"), contact["id"]), (_("Recipient"), contact["recipient"]),
            (_("Purpose"), _label(Contact.Purpose, contact["purpose"])),
            (_("Planned"), _instant(contact["planned_at"])), (_("Handed over"), _instant(contact["handed_over_at"])),
            (_("Sent"), _instant(contact["sent_at"])), (_("Local time of the debtor"), contact["local"]),
            (_("Possible time zones"), contact["zones"].replace("|", ", ")),
            (_("Template"), contact["template"]), (_("Written by"), contact["author"]),
            (_("Accounts"), ", ".join(item["account"] for item in contact["items"])),
            (_("Judged"), _instant(judged["judged_at"])), (_("Rule"), judged["rule"]),
            (_("Article"), cite(judged["article"])), (_("Version of the rules"), str(judged.get("rules_version", ""))),
            (_("Reason"), _(explain(judged["reason"])) if judged["reason"] else ""),
            (_("Provider"), contact["provider"]), (_("Provider's reference"), contact["provider_reference"]),
            (_("Message-ID"), contact["message_id"]), (_("Provider's answer"), contact["provider_answer"]),
            *_by_hand(contact["letter"], contact["visit"]),
            (_("Answered"), _instant(contact["replied_at"])), (_("Complained"), _instant(contact["complained_at"])),
        ),
        texts=_texts(
            (_("Subject"), contact["subject"]), (_("Content as sent"), contact["content"]),
            (_("Note"), contact["visit"].get("note", "")),
        ),
        tables=_receipts(contact["receipts"]),
    )  # fmt: skip


def _by_hand(letter: dict[str, Any], visit: dict[str, Any]) -> Facts:
    """Return how a letter or a visit went."""
    if letter:
        status = f"{_label(Letter.Status, letter['status'])} · {_instant(letter['changed_at'])}"
        number = (_("Courier's number"), letter["tracking"])
        return ((_("Letter"), letter["reference"]), number, (_("State of the letter"), status))
    if visit:
        came = _label(Visit.Result, visit["result"])
        return ((_("Visit"), " · ".join(filter(None, (came, _instant(visit["noted_at"]), visit["noted_by"])))),)
    return ()


def _receipts(receipts: list[dict[str, Any]]) -> tuple[Table, ...]:
    if not receipts:
        return ()
    rows = tuple((_label(Receipt.Kind, r["kind"]), _instant(r["at"]), _instant(r["received_at"])) for r in receipts)
    return (Table(head=(_("Delivery"), _("When"), _("Told to us")), rows=rows, widths=(1, 1, 1)),)


def _consent(entry: dict[str, Any]) -> Block:
    return Block(
        title=f"{_instant(entry['at'])} · {_label(ConsentEntry.Act, entry['act'])}",
        facts=(
            (_label(ContactPoint.Kind, entry["kind"]), entry["value"]),
            (_("Channel"), _label(Channel, entry["channel"]) if entry["channel"] else ""),
            (_("Source"), _label(ConsentEntry.Source, entry["source"])), (_("Recorded by"), entry["actor"]),
        ),
        texts=_texts((_("Text shown"), entry["text_shown"]), (_("Said"), entry["said"])),
    )  # fmt: skip


def _talk(talk: dict[str, Any]) -> Block:
    rows = tuple(
        (
            _instant(message["at"]),
            " · ".join(filter(None, (_label(ConversationMessage.Direction, message["direction"]), message["author"]))),
            "\n".join((message["text"], *(f"{a['name']} (SHA-256 {a['sha256']})" for a in message["attachments"]))),
        )
        for message in talk["messages"]
    )
    return Block(
        title=f"{_instant(talk['opened_at'])} · {_label(Channel, talk['channel'])}",
        facts=(
            (_("Number or address"), talk["address"]), (_("Identity checked"), _instant(talk["identified_at"])),
            (_("Closed"), _instant(talk["closed_at"])),
        ),
        tables=(Table(head=(_("When"), _("Who"), _("Text")), rows=rows, widths=(3, 2, 7)),),
    )  # fmt: skip


def _incident(incident: dict[str, Any]) -> Block:
    return Block(
        title=f"{_instant(incident['happened_at'])} · {_label(Incident.Kind, incident['kind'])}",
        facts=(
            (_("Rule"), incident["rule"]), (_("Article"), cite(incident["article"])),
            (_("Recorded"), f"{_instant(incident['recorded_at'])} · {incident['recorded_by']}"),
            (_("Closed"), _instant(incident["closed_at"])),
        ),
        texts=_texts(
            (_("Description"), incident["description"]), (_("Corrective action"), incident["corrective_action"])
        ),
    )  # fmt: skip


def _journal(entries: list[dict[str, Any]], seals: list[dict[str, Any]]) -> Section:
    rows = tuple(
        (str(e["id"]), _instant(e["at"]), e["kind"], e["actor"], e["digest"], e["sealed_on"] or _("not yet"))
        for e in entries
    )
    head = (_("No."), _("When"), _("Fact"), _("Who"), "SHA-256", _("Sealed"))
    sealed = tuple((seal["day"], str(seal["entries"]), seal["digest"], seal["previous"]) for seal in seals)
    seal_head = (_("Day"), _("Facts"), _("Seal (SHA-256)"), _("Seal of the day before"))
    altered = [str(e["id"]) for e in entries if not e["intact"]]
    return Section(
        title=_("Journal and its seals"),
        note=_("Each fact has a digest; each day is sealed over the digests of all its facts and the day before.")
        + (" " + _("ALTERED since they were recorded: %s.") % ", ".join(altered) if altered else ""),
        blocks=(
            Block(tables=(Table(head=head, rows=rows, widths=(0, 3, 3, 2, 6, 0), small=True),)),
            Block(tables=(Table(head=seal_head, rows=sealed, widths=(0, 0, 1, 1), small=True),)),
        ),
    )


def _texts(*texts: tuple[str, str]) -> Facts:
    return tuple(pair for pair in texts if pair[1].strip())


def _label(words: Any, value: str) -> str:
    return str(words(value).label) if value in words.values else value


def _instant(text: str) -> str:
    """`2026-11-23T15:00:00.123456+00:00` as `2026-11-23 15:00:00`; UTC is said once, at the front."""
    return f"{text[:10]} {text[11:19]}".strip()
