"""Alarms about messages and providers; `recobra.strategy.alarms` raises and clears them."""

from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import InstallationAlarm, PortfolioAlarm, Severity
from recobra.portfolio.models import Portfolio

from .channels.adapter import Unsuitable
from .channels.email.adapter import find_server
from .models import Contact, Provider, ProviderState, ReplyMailbox, TemplateRegistration, WebhookCall
from .providers.routing import implicit_routes, load_routes
from .sending_stop import is_stopped

_PLANNED_WITHIN = timedelta(days=3)


def _lacks_mail_server(at: datetime) -> bool:
    """Tell if e-mail is due that would leave by the mail server of the settings, which cannot be used."""
    (route,) = implicit_routes("email")
    try:
        find_server(route.config)
    except Unsuitable:
        routes = load_routes()
        countries = Portfolio.objects.order_by().values_list("country", flat=True).distinct()
        without = [country for country in countries if route in routes.open_routes("email", country)]
        due = Contact.objects.filter(status=Contact.Status.DUE, channel="email", due_at__lte=at)
        return due.filter(portfolio__country__in=without).exists()
    return False


def _find_mute(at: datetime) -> QuerySet[Contact, int]:
    """Return the portfolios of which everything that the last days planned was refused for want of authorisation."""
    recent = Contact.objects.filter(planned_for__gt=at.date() - _PLANNED_WITHIN, planned_for__lte=at.date())
    refused = Q(status=Contact.Status.BLOCKED, reason="no_consent")
    counts = recent.values("portfolio_id").annotate(all=Count("pk"), refused=Count("pk", filter=refused))
    return counts.filter(all=F("refused")).values_list("portfolio_id", flat=True)


ALARMS = (
    PortfolioAlarm(
        code="no_consent",
        text=gettext_noop("Nobody may be contacted: the law asks for authorisations, and none is in the ledger."),
        severity=Severity.URGENT,
        page="console:consents",
        find=_find_mute,
    ),
    PortfolioAlarm(
        code="uncertain",
        text=gettext_noop("There are messages of which it is not known whether they arrived."),
        severity=Severity.NOTICE,
        page="console:messages-uncertain",
        find=lambda _at: Contact.objects.filter(status=Contact.Status.UNCERTAIN).values_list("portfolio_id", flat=True),
    ),
    PortfolioAlarm(
        code="late_messages",
        text=gettext_noop("There are messages that could not be sent on their day."),
        severity=Severity.URGENT,
        page="console:messages",
        page_query="dia=todos&estado=DUE",
        find=lambda at: (
            Contact.objects.filter(status=Contact.Status.DUE, closes_at__lt=at)
            .exclude(purpose=Contact.Purpose.REPLY)
            .values_list("portfolio_id", flat=True)
        ),
    ),
    InstallationAlarm(
        code="sending_stopped",
        text=gettext_noop("A backup was restored: nothing is sent until somebody confirms it."),
        severity=Severity.URGENT,
        page="console:installation",
        has_cause=lambda _at: is_stopped(),
    ),
    InstallationAlarm(
        code="no_mail_server",
        text=gettext_noop("E-mail waits: there is no mail server that it can be sent by."),
        severity=Severity.URGENT,
        page="console:providers",
        has_cause=_lacks_mail_server,
    ),
    InstallationAlarm(
        code="mailbox_unread",
        text=gettext_noop("A mailbox is not read: what debtors answer to e-mails is not known."),
        severity=Severity.URGENT,
        page="console:providers",
        lasting=timedelta(minutes=30),
        has_cause=lambda since: ReplyMailbox.objects.filter(failed_since__lt=since).exists(),
    ),
    InstallationAlarm(
        code="lost_calls",
        text=gettext_noop("There are calls of providers that could not be worked: what they say is not known."),
        severity=Severity.URGENT,
        page="console:providers",
        has_cause=lambda _at: WebhookCall.objects.filter(status=WebhookCall.Status.FAILED).exists(),
    ),
    InstallationAlarm(
        code="account_stopped",
        text=gettext_noop("A provider restricted or closed our account: nothing is sent by it."),
        severity=Severity.URGENT,
        page="console:providers",
        has_cause=lambda _at: Provider.objects.filter(enabled=True, stopped_at__isnull=False).exists(),
    ),
    InstallationAlarm(
        code="account_warned",
        text=gettext_noop("A provider says that our account is in danger."),
        severity=Severity.NOTICE,
        page="console:providers",
        has_cause=lambda _at: Provider.objects.filter(enabled=True, warned_at__isnull=False).exists(),
    ),
    InstallationAlarm(
        code="template_quality",
        text=gettext_noop("People reject a template in use: the provider may pause it."),
        severity=Severity.NOTICE,
        page="console:templates",
        has_cause=lambda _at: TemplateRegistration.objects.in_use().filter(quality="RED").exists(),
    ),
    InstallationAlarm(
        code="template_refused",
        text=gettext_noop("A provider refused or paused a template: what was to leave with it goes another way."),
        severity=Severity.NOTICE,
        page="console:templates",
        has_cause=lambda _at: (
            TemplateRegistration.objects.in_use().filter(status__in=TemplateRegistration.REFUSED).exists()
        ),
    ),
    InstallationAlarm(
        code="no_provider",
        text=gettext_noop("A provider answers with failures: nothing is sent by it until it works again."),
        severity=Severity.URGENT,
        page="console:providers",
        has_cause=lambda at: ProviderState.objects.filter(provider__enabled=True, open_until__gt=at).exists(),
    ),
)
