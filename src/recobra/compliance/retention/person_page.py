"""What a person reads: everything that is held, in words, amounts and days as people write them; HTML and PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from babel import Locale
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from recobra.compliance.report import Block, Report, Section, report_pdf
from recobra.journal.labels import fact_label
from recobra.kit.language import screen_language
from recobra.kit.money_format import format_minor
from recobra.messaging import reasons
from recobra.messaging.queries import cite_article
from recobra.portfolio.models import Debtor
from recobra_core import law

_SENTENCES: Final[Mapping[str, object]] = {**law.SENTENCES, **reasons.SENTENCES}
Table = Sequence[Mapping[str, object]]
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;display:block;overflow-x:auto;font-size:14px}"
    "th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top}"
)
_TITLES: Final[Mapping[str, str | Promise]] = {
    "portfolio.Debtor": gettext_lazy("Who you are to us"),
    "portfolio.ContactPoint": gettext_lazy("How you may be reached"),
    "portfolio.Account": gettext_lazy("Your accounts"),
    "portfolio.Party": gettext_lazy("Accounts of others in which you stand"),
    "portfolio.Instalment": gettext_lazy("Instalments"),
    "portfolio.Posting": gettext_lazy("Ledger"),
    "portfolio.Hold": gettext_lazy("Holds"),
    "portfolio.DebtorNote": gettext_lazy("Notes about you"),
    "portfolio.LegalDecision": gettext_lazy("Decisions to go to law"),
    "payments.Payment": gettext_lazy("Payments"),
    "agreements.Promise": gettext_lazy("Promises to pay"),
    "agreements.PromiseShare": gettext_lazy("Promises to pay, by account"),
    "messaging.Contact": gettext_lazy("Messages to you"),
    "messaging.Letter": gettext_lazy("Letters"),
    "messaging.Receipt": gettext_lazy("What became of the messages"),
    "conversations.Conversation": gettext_lazy("Conversations"),
    "conversations.ConversationMessage": gettext_lazy("What was said"),
    "conversations.Attachment": gettext_lazy("Files that you sent"),
    "conversations.IdentityAttempt": gettext_lazy("Wrong answers about your identity"),
    "conversations.Dispute": gettext_lazy("Your objections"),
    "consent.ConsentEntry": gettext_lazy("Your authorisations and opt-outs"),
    "workbench.Task": gettext_lazy("Tasks about your case"),
    "workbench.Visit": gettext_lazy("Visits"),
    "compliance.Incident": gettext_lazy("Incidents and complaints"),
    "compliance.PersonRequest": gettext_lazy("Your requests"),
    "journal.Entry": gettext_lazy("What happened, and who did it or looked"),
}
_COLUMNS: Final[Mapping[str, str | Promise]] = {
    "account_number": gettext_lazy("Account"),
    "act": gettext_lazy("What was said"),
    "actor": gettext_lazy("Who"),
    "address": gettext_lazy("Address or number"),
    "amount_minor": gettext_lazy("Amount"),
    "answered_at": gettext_lazy("Answered"),
    "approved_at": gettext_lazy("Approved"),
    "area": gettext_lazy("Area"),
    "article": gettext_lazy("Article"),
    "asked_on": gettext_lazy("Asked"),
    "at": gettext_lazy("When"),
    "attributes": gettext_lazy("Other data"),
    "body": gettext_lazy("Text"),
    "booked_at": gettext_lazy("Known since"),
    "changed_at": gettext_lazy("Last change"),
    "channel": gettext_lazy("Channel"),
    "closed_at": gettext_lazy("Closed"),
    "concept": gettext_lazy("Concept"),
    "consent": gettext_lazy("Consent"),
    "contact__public_id": gettext_lazy("Message"),
    "contract": gettext_lazy("Contract"),
    "conversation": gettext_lazy("Conversation"),
    "conversation_id": gettext_lazy("Conversation"),
    "corrective_action": gettext_lazy("Corrective action"),
    "country": gettext_lazy("Country"),
    "courier_answer": gettext_lazy("Answer of the courier"),
    "created_at": gettext_lazy("Recorded"),
    "creditor_name": gettext_lazy("Creditor"),
    "currency": gettext_lazy("Currency"),
    "customer_number": gettext_lazy("Customer number"),
    "delivered_at": gettext_lazy("Delivered"),
    "denied_for": gettext_lazy("Denied for"),
    "description": gettext_lazy("Description"),
    "digest": gettext_lazy("Digest (SHA-256)"),
    "direction": gettext_lazy("Direction"),
    "disputed_minor": gettext_lazy("Disputed amount"),
    "due_date": gettext_lazy("Due"),
    "ends_on": gettext_lazy("Until"),
    "grace_days": gettext_lazy("Days of grace"),
    "granted_for": gettext_lazy("Granted for"),
    "grounds": gettext_lazy("Grounds"),
    "happened_at": gettext_lazy("When"),
    "identified_at": gettext_lazy("Identity proved"),
    "instalment_number": gettext_lazy("Instalment"),
    "intent": gettext_lazy("Understood as"),
    "is_verified": gettext_lazy("Verified"),
    "kind": gettext_lazy("Kind"),
    "language": gettext_lazy("Language"),
    "lifted_at": gettext_lazy("Lifted"),
    "media_type": gettext_lazy("Kind of file"),
    "name": gettext_lazy("Name"),
    "national_id": gettext_lazy("Identity document"),
    "national_id_kind": gettext_lazy("Kind of document"),
    "note": gettext_lazy("Note"),
    "noted_at": gettext_lazy("Recorded"),
    "number": gettext_lazy("Number"),
    "opened_at": gettext_lazy("Opened"),
    "opened_date": gettext_lazy("Opening date"),
    "opted_out_at": gettext_lazy("Opted out"),
    "outcome": gettext_lazy("Outcome"),
    "paid_date": gettext_lazy("Paid"),
    "part": gettext_lazy("Part"),
    "path": gettext_lazy("File"),
    "place": gettext_lazy("Where"),
    "planned_for": gettext_lazy("Planned for"),
    "portfolio_name": pgettext_lazy("one", "Portfolio"),
    "preferred_channel": gettext_lazy("Preferred channel"),
    "preferred_from": gettext_lazy("Preferred from"),
    "preferred_to": gettext_lazy("Preferred until"),
    "product": gettext_lazy("Product"),
    "promised_on": gettext_lazy("Promised for"),
    "public_id": gettext_lazy("Message"),
    "purpose": gettext_lazy("Purpose"),
    "read_at": gettext_lazy("Read"),
    "reason": gettext_lazy("Reason"),
    "received_at": gettext_lazy("Received"),
    "reference": gettext_lazy("Reference"),
    "registered_on": gettext_lazy("Recorded"),
    "replied_at": gettext_lazy("Answered"),
    "result": gettext_lazy("Result"),
    "retired_at": gettext_lazy("Out of use since"),
    "retired_because": gettext_lazy("Why it is out of use"),
    "reversal_reason": gettext_lazy("Reason of the reversal"),
    "reversed_at": gettext_lazy("Reversed"),
    "revoked_at": gettext_lazy("Revoked"),
    "route_date": gettext_lazy("Day of the visit"),
    "rule": gettext_lazy("Rule"),
    "said": gettext_lazy("Your words"),
    "sent_at": gettext_lazy("Sent"),
    "size": gettext_lazy("Size in bytes"),
    "source": gettext_lazy("Source"),
    "starts_on": gettext_lazy("From"),
    "status": gettext_lazy("Status"),
    "subdivision": gettext_lazy("Region"),
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("Text"),
    "text_shown": gettext_lazy("Text shown"),
    "time_zone": gettext_lazy("Time zone"),
    "title": gettext_lazy("Task"),
    "tracking": gettext_lazy("Tracking number"),
    "unapplied_minor": gettext_lazy("Not applied"),
    "valid": gettext_lazy("Valid"),
    "value": gettext_lazy("Address or number"),
    "value_date": gettext_lazy("Effective"),
}
"""The columns in words; `tests/compliance/test_retention.py` names one that a copy has and that is not here."""


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """A table as a person reads it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class PersonPage:
    """Everything that is held on a debtor, in words; `empty` names the tables of which nothing is held."""

    title: str
    name: str
    creditor: str
    made: str
    says: str
    tables: tuple[ShownTable, ...]
    empty: str


def describe_person(debtor: Debtor, tables: Mapping[str, Table], now: datetime) -> PersonPage:
    """Return what is held on a debtor in words; `tables` are rows in plain values by model."""
    filled = {model: rows for model, rows in tables.items() if rows}
    return PersonPage(
        title=_("What is held about you"),
        name=debtor.name,
        creditor=debtor.creditor.name,
        made=f"{now:%Y-%m-%d %H:%M} UTC",
        says=_(
            "This is everything that is held about you. Names of the company's people, and numbers and addresses of "
            "others, are left out. You may ask for what is wrong to be corrected, for your data to be erased, and "
            "object to their use."
        ),
        tables=tuple(_show_table(debtor, model, rows) for model, rows in filled.items()),
        empty=", ".join(str(_TITLES[model]) for model in tables if model not in filled) or "—",
    )


def write_html(page: PersonPage) -> str:
    """Return the page as HTML."""
    return format_html(
        '<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width"><title>{title}</title><style>{style}</style>'
        "<h1>{title}</h1><p><strong>{name}</strong> · {creditor} · {made}</p><p>{says}</p>{sections}"
        "<h2>{nothing}</h2><p>{empty}</p></html>",
        language=screen_language(),
        title=page.title,
        style=_STYLE,
        name=page.name,
        creditor=page.creditor,
        made=page.made,
        says=page.says,
        sections=format_html_join("", "{}", ((_write_section(table),) for table in page.tables)),
        nothing=_("Nothing is held of"),
        empty=page.empty,
    )


def write_pdf(page: PersonPage, *, now: datetime) -> bytes:
    """Return the page as a PDF, to be printed and handed over."""
    sections = [Section(title=table.title, blocks=_write_blocks(table)) for table in page.tables]
    report = Report(
        title=page.title,
        subtitle=f"{page.name} · {page.creditor}",
        paper="a4",
        facts=((_("Made at"), page.made),),
        sections=(*sections, Section(title=_("Nothing is held of"), blocks=(), empty=page.empty)),
        footer=f"{page.title} · {page.made}",
        notes=(page.says,),
    )
    return report_pdf(report, at=now)


def _write_blocks(table: ShownTable) -> tuple[Block, ...]:
    """Return a block for each row, for a sheet is narrower than most tables; what is empty is left out."""
    rows = [tuple(zip(table.head, row, strict=True)) for row in table.rows]
    return tuple(Block(title=f"{n}." if len(rows) > 1 else "", facts=row) for n, row in enumerate(rows, start=1))


def _show_table(debtor: Debtor, model: str, rows: Table) -> ShownTable:
    return ShownTable(
        title=str(_TITLES[model]),
        head=tuple(str(_COLUMNS.get(name, name.replace("_", " "))) for name in rows[0]),
        rows=tuple(_show_row(debtor, model, row) for row in rows),
    )


def _show_row(debtor: Debtor, model: str, row: Mapping[str, object]) -> tuple[str, ...]:
    currency = str(row.get("currency") or "")
    return tuple(_shown(debtor, model, name, value, currency) for name, value in row.items())


def _write_section(table: ShownTable) -> SafeString:
    """Return a table under its heading."""
    head = format_html_join("", "<th>{}</th>", ((name,) for name in table.head))
    body = format_html_join("", "<tr>{}</tr>", ((_write_cells(row),) for row in table.rows))
    return format_html("<h2>{}</h2><table><tr>{}</tr>{}</table>", table.title, head, body)


def _write_cells(row: tuple[str, ...]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((text,) for text in row))


def _shown(debtor: Debtor, model: str, name: str, value: object, currency: str) -> str:
    """Return a value as the page writes it: codes in words, amounts in the currency of their row."""
    if value is None or value == "":
        return ""
    if name.endswith("_minor") and currency and isinstance(value, int):
        return format_minor(value, currency, Locale("es", debtor.country))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {each}" for key, each in value.items())
    return _choice(model, name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def _choice(model: str, name: str, value: str) -> str:
    """Return a code of a model in words; an instant loses what nobody reads."""
    if (model, name) in _IN_WORDS:
        return _IN_WORDS[model, name](value)
    try:
        field = apps.get_model(model)._meta.get_field(name)  # noqa: SLF001 - Django's own name for it
    except FieldDoesNotExist:
        return value
    if field.get_internal_type() == "DateTimeField":
        return value[:16].replace("T", " ")
    choices = dict(getattr(field, "flatchoices", None) or ())
    return str(choices.get(value, value))


def _describe_actor(value: str) -> str:
    """Say whether a person of the company did it; which of its services did is of no use to the reader."""
    return _("a person of the company") if value == "staff" else _("the company's system")


def _explain(reason: str) -> str:
    """Return the sentence of the reason for which a message was held back."""
    return _(str(_SENTENCES[reason])) if reason in _SENTENCES else reason


_IN_WORDS: Final[Mapping[tuple[str, str], Callable[[str], str]]] = {
    ("journal.Entry", "kind"): fact_label,
    ("journal.Entry", "actor"): _describe_actor,
    ("messaging.Contact", "reason"): _explain,
    ("messaging.Contact", "article"): cite_article,
    ("compliance.Incident", "article"): cite_article,
}
"""Columns whose codes no field of a model puts into words."""
