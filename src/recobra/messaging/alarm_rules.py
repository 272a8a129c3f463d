"""Alarms about messages and providers; `recobra.strategy.alarms` raises and clears them."""

from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import InstallationAlarm, PortfolioAlarm, Severity

from .models import Contact, ProviderState, WebhookCall
from .sending_stop import is_stopped

ALARMS = (
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
        code="lost_calls",
        text=gettext_noop("There are calls of providers that could not be worked: what they say is not known."),
        severity=Severity.URGENT,
        page="console:providers",
        has_cause=lambda _at: WebhookCall.objects.filter(status=WebhookCall.Status.FAILED).exists(),
    ),
    InstallationAlarm(
        code="no_provider",
        text=gettext_noop("A provider answers with failures: nothing is sent by it until it works again."),
        severity=Severity.URGENT,
        page="console:providers",
        has_cause=lambda at: ProviderState.objects.filter(provider__enabled=True, open_until__gt=at).exists(),
    ),
)
