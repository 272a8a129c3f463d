"""What may be read of contacts, templates and the mailbox, narrowed to what the user may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as policy
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import get_language, gettext

from recobra.access.models import User
from recobra.access.queries import portfolio_codes
from recobra.messaging import reasons
from recobra.messaging.models import Contact, ContactItem, MailboxMessage, Provider, Template
from recobra.messaging.templates import selection
from recobra.messaging.templates.render import is_notice
from recobra.messaging.templates.variables import FIELDS, VARIABLES
from recobra.messaging.tokens import contact_of
from recobra.portfolio.models import Account, Channel, Hold
from recobra.portfolio.statement import fetch_statements
from recobra_core.law import SENTENCES
from recobra_core.law.description import translate_text

__all__ = ["Channel", "Status", "contact_of", "template_fields", "template_variables"]

Status = Contact.Status
_WITHOUT_A_PERSON = ("email", "sms", "whatsapp", "ivr", "letter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list of contacts is narrowed to; what is empty does not narrow."""

    portfolio_codes: Sequence[str] = field(default_factory=tuple)
    statuses: Sequence[str] = field(default_factory=tuple)
    channel: str = ""
    template_code: str = ""
    debtor_id: int | None = None
    planned_from: date | None = None
    planned_to: date | None = None
    reason: str = ""


def channels_open() -> tuple[str, ...]:
    """Return the channels by which messages can leave without a person, in the order of `Channel`.

    E-mail is always one: without a server its messages wait. In demonstration mode the sandbox takes all of them.
    """
    if settings.DEMO:
        return _WITHOUT_A_PERSON
    found = set(Provider.objects.filter(enabled=True).order_by().values_list("channel", flat=True).distinct())
    return tuple(channel for channel in _WITHOUT_A_PERSON if channel in found or channel == Channel.EMAIL)


def contacts_for(user: User, filters: Filters | None = None) -> QuerySet[Contact]:
    """Return the contacts a user may see, newest first."""
    found = Contact.objects.select_related("debtor", "portfolio", "template").order_by("-planned_for", "-pk")
    codes = portfolio_codes(user)
    if codes is not None:
        found = found.filter(portfolio__code__in=codes)
    return found if filters is None else _narrowed(found, filters)


def contact_for(user: User, contact_id: int) -> Contact | None:
    """Return one contact, None where the user may not see it or there is none."""
    return contacts_for(user).filter(pk=contact_id).first()


def beyond(user: User, debtor_id: int) -> bool:
    """Return whether a debtor owes in portfolios the user may not see: a message speaks of all that is owed."""
    codes = portfolio_codes(user)
    return codes is not None and Account.objects.filter(debtor=debtor_id).exclude(portfolio__code__in=codes).exists()


def items_for(user: User, contact: Contact) -> list[ContactItem]:
    """Return the accounts a contact spoke of that the user may see, with their portfolios."""
    codes = portfolio_codes(user)
    found = contact.items.select_related("account__portfolio").order_by("pk")
    return list(found if codes is None else found.filter(account__portfolio__code__in=codes))


def of_what_is_not_due(contact: Contact) -> bool:
    """Return whether the amounts of a contact are of documents not due yet.

    So are those of a notice to who owed nothing overdue that day; else what is overdue is kept with the contact.
    """
    if contact.template is None or not is_notice(contact.template):
        return False
    owed = fetch_statements({contact.debtor_id: contact.local_date or contact.planned_for})
    return not owed[contact.debtor_id].without_held().overdue


def uncertain_for(user: User) -> QuerySet[Contact]:
    """Return the contacts whose end a person or the provider must say."""
    return contacts_for(user, Filters(statuses=[Contact.Status.UNCERTAIN]))


def counts_for(user: User, *, day: date) -> dict[str, int]:
    """Return how many contacts planned for a day stand in each status."""
    rows = contacts_for(user, Filters(planned_from=day, planned_to=day)).order_by().values("status")
    found = {row["status"]: row["n"] for row in rows.annotate(n=Count("pk"))}
    return {status: found.get(status, 0) for status in Contact.Status.values}


def templates(*, in_force: bool = True) -> QuerySet[Template]:
    """Return templates; in force is the newest approved version of each that was not retired."""
    found = selection.templates_in_force() if in_force else Template.objects.all()
    return found.order_by("code", "channel", "language", "country", "tone", "variant", "-version")


def templates_for(*, channel: str = "", country: str = "") -> QuerySet[Template]:
    """Return the templates in force of a channel and for a country, the general ones included; '' does not narrow."""
    found = templates()
    found = found.filter(channel=channel) if channel else found
    return found.filter(country__in=("", country)) if country else found


def template(template_id: int) -> Template | None:
    """Return one version of a template."""
    return Template.objects.filter(pk=template_id).first()


def template_before(template: Template) -> Template | None:
    """Return the version that is in force when this one is retired, None where no other is left."""
    kin = Template.objects.filter(**{name: getattr(template, name) for name in selection.VERSION_KEY})
    approved = kin.filter(status=Template.Status.APPROVED, retired_at__isnull=True)
    return approved.exclude(pk=template.pk).order_by("-version").first()


def template_variables() -> list[tuple[str, str]]:
    """Return the variables a template may use, with what they stand for."""
    return [(variable.name, str(variable.meaning)) for variable in VARIABLES]


def template_fields() -> list[tuple[str, str]]:
    """Return what groups and documents in a template are made of."""
    return [(each.name, str(each.meaning)) for each in FIELDS]


def explain(reason: str) -> str:
    """Return the sentence that a stored reason stands for; what is nobody's key is shown as it is."""
    return str(reasons.SENTENCES.get(reason) or SENTENCES.get(reason) or reason)


def cite(article: str) -> str:
    """Return a stored article, a fine of the law or the reason of a hold, in the reader's language.

    What is stored stays in the words of the law's data; what these do not know is shown as it is.
    """
    if article in Hold.Reason:
        return str(Hold.Reason(article).label)
    told = translate_text(article, language="en" if (get_language() or "").startswith("en") else "es")
    return gettext(article) if article and told == article else told


def mailbox_for(user: User, *, text: str = "") -> QuerySet[MailboxMessage]:
    """Return what the built-in mailbox received about contacts a user may see, newest first, without the contents.

    Letters to debtors who owe beyond the user's portfolios are left out: subject and words tell of those debts.
    """
    found = MailboxMessage.objects.defer("raw").order_by("-pk")
    codes = portfolio_codes(user)
    if codes is not None:
        others = Account.objects.filter(debtor=OuterRef("debtor_id")).exclude(portfolio__code__in=codes)
        seen = contacts_for(user).filter(~Exists(others)).order_by().annotate(named=Cast("public_id", TextField()))
        found = found.filter(contact_public_id__in=seen.values("named"))
    return found.filter(subject__icontains=text) | found.filter(recipients__icontains=text) if text else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message of the mailbox, taken apart for the screen. `html` is not to be trusted: show it in a sandbox."""

    message_id: int
    received_at: datetime
    sender: str
    recipients: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


def letter_for(user: User, mailbox_message_id: int) -> Letter | None:
    """Return one message of the mailbox, None where the user may not see it or there is none."""
    kept = mailbox_for(user).filter(pk=mailbox_message_id).first()
    if kept is None:
        return None
    message = message_from_bytes(bytes(kept.raw), policy=policy)
    return Letter(
        message_id=kept.pk,
        received_at=kept.received_at,
        sender=kept.sender,
        recipients=kept.recipients,
        subject=kept.subject,
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def address_of(public_id: UUID) -> str | None:
    """Return the address a contact goes to, for the page on which its owner opts out; None where there is none.

    Only its owner should recognise it (`r…@correo.example`, `…677`): links get forwarded.
    """
    found = Contact.objects.filter(public_id=public_id).values_list("point__value", "address").first()
    value = next(filter(None, found or ()), "")
    if not value:
        return None
    name, at, domain = value.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else f"…{value[-3:]}"


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body else ""


def _narrowed(found: QuerySet[Contact], filters: Filters) -> QuerySet[Contact]:
    conditions = {
        "portfolio__code__in": list(filters.portfolio_codes),
        "status__in": list(filters.statuses),
        "channel": filters.channel,
        "template_code": filters.template_code,
        "debtor_id": filters.debtor_id,
        "planned_for__gte": filters.planned_from,
        "planned_for__lte": filters.planned_to,
        "reason": filters.reason,
    }
    return found.filter(**{name: value for name, value in conditions.items() if value})
