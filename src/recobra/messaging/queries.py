"""Read access to contacts, templates and the mailbox, narrowed to what the user may see."""

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
from django.utils.translation import gettext

from recobra.access.models import User
from recobra.access.queries import portfolio_codes
from recobra.kit.language import screen_language
from recobra.messaging import reasons
from recobra.messaging.models import Contact, ContactItem, MailboxMessage, Provider, Template, TemplateRegistration
from recobra.messaging.templates import library, selection
from recobra.messaging.templates.render import is_notice
from recobra.messaging.templates.variables import FIELDS, OWN_PREFIX, VARIABLES
from recobra.messaging.tokens import read_unsubscribe_token
from recobra.payments.owed import fetch_statements
from recobra.portfolio.models import Account, Channel, Hold
from recobra.portfolio.own_columns import message_columns
from recobra_core.law import SENTENCES
from recobra_core.law.description import translate_text

__all__ = [
    "Channel",
    "Contact",
    "MailboxMessage",
    "Status",
    "Template",
    "read_unsubscribe_token",
    "template_fields",
    "template_variables",
]

Status = Contact.Status
_AUTOMATIC_CHANNELS = ("email", "sms", "whatsapp", "ivr", "letter")


def has_template(code: str) -> bool:
    """Tell if a template has a code, in any version."""
    return Template.objects.filter(code=code).exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Filters of a list of contacts; an empty one does not narrow it."""

    portfolio_codes: Sequence[str] = field(default_factory=tuple)
    statuses: Sequence[str] = field(default_factory=tuple)
    channel: str = ""
    template_code: str = ""
    debtor_id: int | None = None
    planned_from: date | None = None
    planned_to: date | None = None
    reason: str = ""


def open_channels() -> tuple[str, ...]:
    """Return the channels by which messages can leave without a person, in the order of `Channel`.

    E-mail is always one: without a server its messages wait. In demonstration mode the sandbox takes all of them.
    """
    if settings.DEMO:
        return _AUTOMATIC_CHANNELS
    configured = set(Provider.objects.filter(enabled=True).order_by().values_list("channel", flat=True).distinct())
    return tuple(channel for channel in _AUTOMATIC_CHANNELS if channel in configured or channel == Channel.EMAIL)


def contacts_for(user: User, filters: Filters | None = None) -> QuerySet[Contact]:
    """Return the contacts a user may see, newest first."""
    contacts = Contact.objects.select_related("debtor", "portfolio", "template").order_by("-planned_for", "-pk")
    codes = portfolio_codes(user)
    if codes is not None:
        contacts = contacts.filter(portfolio__code__in=codes)
    if filters is None:
        return contacts
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
    return contacts.filter(**{name: value for name, value in conditions.items() if value})


def contact_for(user: User, contact_id: int) -> Contact | None:
    """Return one contact, None where the user may not see it or there is none."""
    return contacts_for(user).filter(pk=contact_id).first()


def owes_elsewhere(user: User, debtor_id: int) -> bool:
    """Return whether a debtor owes in portfolios the user may not see: a message speaks of all that is owed."""
    codes = portfolio_codes(user)
    return codes is not None and Account.objects.filter(debtor=debtor_id).exclude(portfolio__code__in=codes).exists()


def items_for(user: User, contact: Contact) -> list[ContactItem]:
    """Return the accounts a contact spoke of that the user may see, with their portfolios."""
    codes = portfolio_codes(user)
    items = contact.items.select_related("account__portfolio").order_by("pk")
    return list(items if codes is None else items.filter(account__portfolio__code__in=codes))


def is_upcoming_only(contact: Contact) -> bool:
    """Return whether a contact named only amounts that were not due yet.

    A notice did to a debtor who owed nothing overdue that day; every other contact keeps its overdue amounts.
    """
    if contact.template is None or not is_notice(contact.template):
        return False
    owed = fetch_statements({contact.debtor_id: contact.local_date or contact.planned_for})
    return not owed[contact.debtor_id].without_held().overdue


def uncertain_for(user: User) -> QuerySet[Contact]:
    """Return the contacts of which a person or the provider must say how they ended."""
    return contacts_for(user, Filters(statuses=[Contact.Status.UNCERTAIN]))


def counts_for(user: User, *, day: date) -> dict[str, int]:
    """Return the number of contacts planned for a day by status, 0 included."""
    contacts = contacts_for(user, Filters(planned_from=day, planned_to=day)).order_by()
    rows = contacts.values("status").annotate(count=Count("pk")).values_list("status", "count")
    counts = dict(rows)
    return {status: counts.get(status, 0) for status in Contact.Status.values}


def template_versions(*, in_force: bool = True) -> QuerySet[Template]:
    """Return templates; in force is the newest approved version of each that was not retired."""
    versions = selection.templates_in_force() if in_force else Template.objects.all()
    versions = versions.prefetch_related("registrations")
    return versions.order_by("code", "channel", "language", "country", "tone", "variant", "-version")


def channel_templates(*, channel: str = "", country: str = "") -> QuerySet[Template]:
    """Return the templates in force of a channel and for a country, the general ones included; '' does not narrow."""
    templates = template_versions()
    if channel:
        templates = templates.filter(channel=channel)
    return templates.filter(country__in=("", country)) if country else templates


def template_version(template_id: int) -> Template | None:
    """Return one version of a template."""
    return Template.objects.filter(pk=template_id).first()


def previous_version(template: Template) -> Template | None:
    """Return the version that is in force when this one is retired, None where no other is left."""
    approved = selection.versions_of(template).filter(status=Template.Status.APPROVED, retired_at__isnull=True)
    return approved.exclude(pk=template.pk).first()


def whatsapp_providers() -> QuerySet[Provider]:
    """Return the providers that templates are registered with, those that are switched off included."""
    return Provider.objects.filter(kind="whatsapp").order_by("rank", "code")


def registrations_of(template: Template) -> QuerySet[TemplateRegistration]:
    """Return what each provider says of a version of a template."""
    return TemplateRegistration.objects.filter(template=template).select_related("provider")


def version_that_begins(template: Template) -> Template | None:
    """Return the newest version of a template in force with which a WhatsApp conversation may begin, if any."""
    approved = selection.versions_of(template).filter(status=Template.Status.APPROVED, retired_at__isnull=True)
    return approved.exclude(selection.needs_registration()).first()


def template_codes() -> list[tuple[str, str]]:
    """Return the codes of templates in force, each with a name: another channel or language of one is written so."""
    names = {template.code: template.name for template in template_versions().reverse()}
    return sorted(names.items())


def template_languages() -> tuple[str, ...]:
    """Return the languages in which templates may be written."""
    return library.languages()


def template_variables() -> list[tuple[str, str]]:
    """Return the names and meanings of the variables that a template may use."""
    variables = [(variable.name, str(variable.meaning)) for variable in VARIABLES]
    own = [
        (f"{OWN_PREFIX}{name}", gettext("own column: %(name)s") % {"name": label})
        for name, label in message_columns().items()
    ]
    return [*variables, *own]


def template_fields() -> list[tuple[str, str]]:
    """Return the names and meanings of the fields of a group and of a document in a template."""
    return [(field.name, str(field.meaning)) for field in FIELDS]


def explain_reason(reason: str) -> str:
    """Return the sentence of a stored reason; one without a sentence is returned as it is."""
    return str(reasons.SENTENCES.get(reason) or SENTENCES.get(reason) or reason)


def cite_article(article: str) -> str:
    """Return a stored article, a fine of the law or the reason of a hold in the reader's language.

    What is stored is in the words of the law's data; what these do not know is returned as it is.
    """
    if article in Hold.Reason:
        return str(Hold.Reason(article).label)
    words = translate_text(article, language=screen_language())
    if article and words == article:
        return gettext(article)
    return words


def mailbox_messages_for(user: User, *, text: str = "") -> QuerySet[MailboxMessage]:
    """Return the messages of the built-in mailbox about contacts a user may see, newest first, without contents.

    Those to debtors who owe beyond the user's portfolios are left out: subject and words tell of those debts.
    """
    messages = MailboxMessage.objects.defer("raw").order_by("-pk")
    codes = portfolio_codes(user)
    if codes is not None:
        elsewhere = Account.objects.filter(debtor=OuterRef("debtor_id")).exclude(portfolio__code__in=codes)
        contacts = contacts_for(user).filter(~Exists(elsewhere)).order_by()
        public_ids = contacts.annotate(public_id_text=Cast("public_id", TextField())).values("public_id_text")
        messages = messages.filter(contact_public_id__in=public_ids)
    if not text:
        return messages
    return messages.filter(subject__icontains=text) | messages.filter(recipients__icontains=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMessage:
    """A message of the mailbox in its parts. `html` is not to be trusted: show it in a sandbox."""

    message_id: int
    received_at: datetime
    sender: str
    recipients: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


def mailbox_message_for(user: User, mailbox_message_id: int) -> OpenedMessage | None:
    """Return one message of the mailbox, None where the user may not see it or there is none."""
    received = mailbox_messages_for(user).filter(pk=mailbox_message_id).first()
    if received is None:
        return None
    message = message_from_bytes(bytes(received.raw), policy=policy)
    return OpenedMessage(
        message_id=received.pk,
        received_at=received.received_at,
        sender=received.sender,
        recipients=received.recipients,
        subject=received.subject,
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_read_part(message, "plain"),
        html=_read_part(message, "html"),
    )


def masked_address(public_id: UUID) -> str | None:
    """Return the address a contact goes to, for the page on which its owner opts out; None where there is none.

    It is masked (`r…@correo.example`, `…677`) so that only its owner recognises it: links get forwarded.
    """
    row = Contact.objects.filter(public_id=public_id).values_list("point__value", "address").first()
    if row is None:
        return None
    point_value, sent_to = row
    address = point_value or sent_to
    if not address:
        return None
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else f"…{address[-3:]}"


def _read_part(message: EmailMessage, kind: str) -> str:
    """Return the text of a part of a message, '' where it has none; `kind` is plain or html."""
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body else ""
