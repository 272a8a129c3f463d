"""The dossier as a document for people: the same values under headings, in the language in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from recobra.compliance.evidence.format import LocalTime, country_name, format_day, provider_answer
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

Facts = tuple[tuple[str, str], ...]


def evidence_report(dossier: dict[str, Any], *, digest: str) -> Report:
    """Return the report of a dossier; `digest` is the SHA-256 of its canonical JSON, printed under every page."""
    about, debtor = dossier["about"], dossier["debtor"]
    clock = LocalTime(zone=debtor["time_zone"])
    return Report(
        title=_("Evidence of contacts"),
        subtitle=f"{debtor['name']} · {debtor['creditor']}",
        paper="us-letter" if debtor["country"] in US_LETTER else "a4",
        facts=_lead(about, debtor, clock),
        notes=_notes(about),
        sections=(
            _section(_("Accounts"), _accounts(dossier["accounts"])),
            _section(_("Contacts"), (_contact(each, clock) for each in dossier["contacts"])),
            _section(_("Consent and opt-out"), (_consent(each, clock) for each in dossier["consent"])),
            _section(_("Conversations"), (_talk(each, clock) for each in dossier["conversations"])),
            _section(_("Incidents"), (_incident(each, clock) for each in dossier["incidents"])),
            _journal(dossier["journal"], dossier["seals"], clock),
        ),
        footer=f"{about['format']} · SHA-256 {digest}",
    )


def _section(title: str, blocks: Iterable[Block]) -> Section:
    return Section(title=title, blocks=tuple(blocks), empty=_("None."))


def _lead(about: dict[str, Any], debtor: dict[str, Any], clock: LocalTime) -> Facts:
    return (
        (_("Debtor"), debtor["name"]),
        (_("Debtor number"), debtor["reference"]),
        (_("Identity document"), f"{debtor['national_id_kind']} {debtor['national_id']}".strip()),
        (_("Country"), country_name(debtor["country"], debtor["subdivision"])),
        (_("Creditor"), " · ".join(filter(None, (debtor["creditor"], debtor["creditor_tax_id"])))),
        (_("Collected by"), debtor["agency"]),
        (_("Made"), clock.instant(about["made_at"])),
        (_("Made for"), actor_label(about["made_for"])),
        (_("Contacts"), str(about["contacts"])),
        (_("Facts in the journal"), str(about["facts"])),
        (_("Signed by certificate (SHA-256)"), about["signer"]),
    )


def _notes(about: dict[str, Any]) -> tuple[str, ...]:
    whole = _(
        "Hours are those of the debtor's clock, in the zone that is named. A character that cannot be printed is named."
    )
    if not about["masked"]:
        return (whole,)
    return (whole, _("Personal data are masked for this reader: the texts are not exact copies."))


def _accounts(accounts: list[dict[str, Any]]) -> tuple[Block, ...]:
    if not accounts:
        return ()
    rows = tuple(
        (a["number"], a["portfolio"], _label(Account.Status, a["status"]), format_day(a["opened"])) for a in accounts
    )
    head = (_("Account"), _("Portfolio"), _("Status"), _("Opened"))
    return (Block(tables=(Table(head=head, rows=rows, widths=(2, 2, 1, 1)),)),)


def _contact(contact: dict[str, Any], clock: LocalTime) -> Block:
    judged, clock = contact["judgement"], clock.at(contact["zones"])
    channel, status = _label(Channel, contact["channel"]), _label(Contact.Status, contact["status"])
    return Block(
        title=f"{clock.instant(contact['sent_at'] or contact['planned_at'])} · {channel} · {status}",
        facts=(
            (_("Identifier"), contact["id"]),
            (_("Recipient"), contact["recipient"]),
            (_("Purpose"), _label(Contact.Purpose, contact["purpose"])),
            (_("Planned"), clock.instant(contact["planned_at"])),
            (_("Handed over"), clock.instant(contact["handed_over_at"])),
            (_("Sent"), clock.instant(contact["sent_at"])),
            (_("Possible time zones"), contact["zones"].replace("|", ", ")),
            (_("Template"), contact["template"]),
            (_("Written by"), actor_label(contact["author"])),
            (_("Accounts"), ", ".join(item["account"] for item in contact["items"])),
            (_("Judged"), clock.instant(judged["judged_at"])),
            (_("Rule"), judged["rule"]),
            (_("Article"), cite_article(judged["article"])),
            (_("Version of the rules"), str(judged.get("rules_version", ""))),
            (_("Reason"), _(explain_reason(judged["reason"])) if judged["reason"] else ""),
            (_("Provider"), contact["provider"]),
            (_("Provider's reference"), contact["provider_reference"]),
            (_("Message-ID"), contact["message_id"]),
            (_("Provider's answer"), provider_answer(contact["provider_answer"])),
            *_by_hand(contact["letter"], contact["visit"], clock),
            (_("Answered"), clock.instant(contact["replied_at"])),
            (_("Complained"), clock.instant(contact["complained_at"])),
        ),
        texts=_texts(
            (_("Subject"), contact["subject"]),
            (_("Content as sent"), contact["content"]),
            (_("Note"), contact["visit"].get("note", "")),
        ),
        tables=_receipts(contact["receipts"], clock),
    )


def _by_hand(letter: dict[str, Any], visit: dict[str, Any], clock: LocalTime) -> Facts:
    """Return how a letter or a visit went."""
    if letter:
        status = f"{_label(Letter.Status, letter['status'])} · {clock.instant(letter['changed_at'])}"
        number = (_("Courier's number"), letter["tracking"])
        return ((_("Letter"), letter["reference"]), number, (_("State of the letter"), status))
    if visit:
        came = _label(Visit.Result, visit["result"])
        return (
            (
                _("Visit"),
                " · ".join(filter(None, (came, clock.instant(visit["noted_at"]), actor_label(visit["noted_by"])))),
            ),
        )
    return ()


def _receipts(receipts: list[dict[str, Any]], clock: LocalTime) -> tuple[Table, ...]:
    if not receipts:
        return ()
    rows = tuple((_label(Receipt.Kind, r["kind"]), clock.bare(r["at"]), clock.bare(r["received_at"])) for r in receipts)
    return (Table(head=(_("Delivery"), _when(clock), _("Told to us")), rows=rows, widths=(1, 1, 1)),)


def _consent(entry: dict[str, Any], clock: LocalTime) -> Block:
    return Block(
        title=f"{clock.instant(entry['at'])} · {_label(ConsentEntry.Act, entry['act'])}",
        facts=(
            (_label(ContactPoint.Kind, entry["kind"]), entry["value"]),
            (_("Channel"), _label(Channel, entry["channel"]) if entry["channel"] else ""),
            (_("Source"), _label(ConsentEntry.Source, entry["source"])),
            (_("Recorded by"), actor_label(entry["actor"])),
        ),
        texts=_texts((_("Text shown"), entry["text_shown"]), (_("Said"), entry["said"])),
    )


def _talk(talk: dict[str, Any], clock: LocalTime) -> Block:
    rows = tuple(
        (
            clock.bare(message["at"]),
            " · ".join(
                filter(
                    None, (_label(ConversationMessage.Direction, message["direction"]), actor_label(message["author"]))
                )
            ),
            "\n".join((message["text"], *(f"{a['name']} (SHA-256 {a['sha256']})" for a in message["attachments"]))),
        )
        for message in talk["messages"]
    )
    return Block(
        title=f"{clock.instant(talk['opened_at'])} · {_label(Channel, talk['channel'])}",
        facts=(
            (_("Number or address"), talk["address"]),
            (_("Identity checked"), clock.instant(talk["identified_at"])),
            (_("Closed"), clock.instant(talk["closed_at"])),
        ),
        tables=(Table(head=(_when(clock), _("Who"), _("Text")), rows=rows, widths=(3, 2, 7)),),
    )


def _incident(incident: dict[str, Any], clock: LocalTime) -> Block:
    return Block(
        title=f"{clock.instant(incident['happened_at'])} · {_label(Incident.Kind, incident['kind'])}",
        facts=(
            (_("Rule"), incident["rule"]),
            (_("Article"), cite_article(incident["article"])),
            (_("Recorded"), f"{clock.instant(incident['recorded_at'])} · {actor_label(incident['recorded_by'])}"),
            (_("Closed"), clock.instant(incident["closed_at"])),
        ),
        texts=_texts(
            (_("Description"), incident["description"]), (_("Corrective action"), incident["corrective_action"])
        ),
    )


def _journal(entries: list[dict[str, Any]], seals: list[dict[str, Any]], clock: LocalTime) -> Section:
    altered = [str(e["id"]) for e in entries if not e["intact"]]
    notes = (
        _("Each fact has a digest; each day is sealed over the digests of all its facts and the day before."),
        "" if any(e["sealed_on"] for e in entries) else _("None of these facts is sealed yet."),
        _("ALTERED since they were recorded: %s.") % ", ".join(altered) if altered else "",
    )
    tables = (_facts(entries, clock), *_seals(seals))
    return Section(
        title=_("Journal and its seals"),
        note=" ".join(filter(None, notes)),
        blocks=tuple(Block(tables=(table,)) for table in tables) if entries else (),
        empty=_("None."),
    )


def _facts(entries: list[dict[str, Any]], clock: LocalTime) -> Table:
    """Return the journal's rows; the column of the seals only where one of them is sealed."""
    sealed = any(e["sealed_on"] for e in entries)
    head = (_("No."), _when(clock), _("Fact"), _("Who"), "SHA-256", *((_("Sealed, day in UTC"),) if sealed else ()))
    rows = tuple(
        (str(e["id"]), clock.bare(e["at"]), fact_label(e["kind"]), actor_label(e["actor"]), e["digest"])
        + ((format_day(e["sealed_on"]) or _("not yet"),) if sealed else ())
        for e in entries
    )
    return Table(head=head, rows=rows, widths=(0, 3, 3, 2, 6, 2)[: len(head)], small=True)


def _seals(seals: list[dict[str, Any]]) -> tuple[Table, ...]:
    if not seals:
        return ()
    head = (_("Day in UTC"), _("Facts"), _("Seal (SHA-256)"), _("Seal of the day before"))
    rows = tuple((format_day(seal["day"]), str(seal["entries"]), seal["digest"], seal["previous"]) for seal in seals)
    return (Table(head=head, rows=rows, widths=(0, 0, 1, 1), small=True),)


def _when(clock: LocalTime) -> str:
    return f"{_('When')} ({clock.zone})"


def _texts(*texts: tuple[str, str]) -> Facts:
    return tuple(pair for pair in texts if pair[1].strip())


def _label(words: Any, value: str) -> str:
    return str(words(value).label) if value in words.values else value
