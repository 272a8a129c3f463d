"""Public reads of campaigns, scoped to the user's portfolios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, OuterRef, QuerySet, Subquery

from recobra.access.queries import User
from recobra.kit.tables import is_any_of
from recobra.messaging.models import Contact, Provider, Template
from recobra.messaging.templates.selection import templates_in_force
from recobra.portfolio.models import Debtor
from recobra.portfolio.queries import portfolios_for

from .models import Campaign as Campaign  # noqa: PLC0414 - the doors name the type from here
from .models import CampaignMember
from .operations.campaigns import CHANNELS as CHANNELS  # noqa: PLC0414 - the doors name it from here
from .operations.campaigns_day import current_budget_problems, spent_by_currency
from .operations.campaigns_preflight import BarredDebtor as BarredDebtor  # noqa: PLC0414
from .operations.campaigns_preflight import preflight as preflight  # noqa: PLC0414

Status = Campaign.Status
_WRITTEN_CHANNELS = ("email", "sms", "whatsapp", "letter")

# A contact that was blocked or cancelled is none: its debtor waits for another.
_ENDED = {Contact.Status.BLOCKED, Contact.Status.CANCELLED}


@dataclass(kw_only=True)
class CampaignProgress:
    """Progress of a launched campaign, in debtors: `waiting` by reason, most first; `spent` in micros by currency.

    `problems` are the reasons why its budget cannot be kept any more; nothing is sent until they are gone.
    """

    members: int = 0
    control: int = 0
    states: dict[str, int] = field(default_factory=dict)
    waiting: list[tuple[str, int]] = field(default_factory=list)
    spent: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def treated(self) -> int:
        """Return how many debtors are to be written to."""
        return self.members - self.control

    @property
    def written(self) -> int:
        """Return how many messages have left."""
        return self.states.get("SENT", 0) + self.states.get("UNCERTAIN", 0)


def campaigns_for(user: User) -> QuerySet[Campaign]:
    """Return the campaigns of a user's portfolios, newest first."""
    return Campaign.objects.select_related("portfolio").filter(portfolio__in=portfolios_for(user))


def campaign_for(user: User, code: str) -> Campaign:
    """Return one campaign. Raises Campaign.DoesNotExist, also where the user may not see it."""
    return campaigns_for(user).get(code=code)


def campaign_progress(campaign: Campaign) -> CampaignProgress:
    """Return how far a campaign is."""
    progress = CampaignProgress()
    if campaign.budget_minor is not None:
        # A campaign with a budget shows it even before anything is spent.
        progress.spent[campaign.budget_currency] = 0
    progress.spent |= spent_by_currency(campaign)
    if campaign.status in {Status.RUNNING, Status.PAUSED}:
        progress.problems = current_budget_problems(campaign)
    contacts = Contact.objects.filter(pk=OuterRef("contact_id"))
    members = CampaignMember.objects.filter(campaign=campaign).annotate(
        contact_status=Subquery(contacts.values("status")), contact_reason=Subquery(contacts.values("reason"))
    )
    rows = members.values_list("arm", "contact_status", "reason", "contact_reason").annotate(count=Count("pk"))
    waiting: Counter[str] = Counter()
    for arm, status, reason, contact_reason, count in rows:
        progress.members += count
        if arm == CampaignMember.Arm.CONTROL:
            progress.control += count
            continue
        is_waiting = status is None or status in _ENDED
        state = "WAITING" if is_waiting else status
        progress.states[state] = progress.states.get(state, 0) + count
        if is_waiting:
            waiting[reason or contact_reason or ""] += count
    progress.waiting = waiting.most_common()
    return progress


def template_choices(countries: Collection[str] = ()) -> list[tuple[str, str, str]]:
    """Return code, name and channels of the templates in force in some countries, ordered by name.

    Without countries it is those of all. The channels are joined by commas.
    """
    templates = templates_in_force()
    if countries:
        templates = templates.filter(country__in=("", *countries))
    templates_by_code: dict[str, list[Template]] = {}
    for template in sorted(templates, key=_naming_rank):
        templates_by_code.setdefault(template.code, []).append(template)
    choices = []
    for code, same_code in templates_by_code.items():
        name = same_code[0].name
        channels = sorted({template.channel for template in same_code})
        choices.append((code, name, ",".join(channels)))
    return sorted(choices, key=lambda choice: (choice[1], choice[0]))


def _naming_rank(template: Template) -> tuple[bool, bool, bool, int, str, str, str]:
    """Return the order in which the templates of a code may name it.

    General before one of a country, written before spoken, without a tone before one of a tone.
    """
    spoken = template.channel not in _WRITTEN_CHANNELS
    rank = len(_WRITTEN_CHANNELS) if spoken else _WRITTEN_CHANNELS.index(template.channel)
    return (
        bool(template.country),
        spoken,
        bool(template.tone),
        rank,
        template.tone,
        template.variant,
        template.country,
    )


def debtor_numbers(debtor_ids: Sequence[int]) -> dict[int, str]:
    """Return the creditor's own number of each debtor, for exported lists."""
    debtors = Debtor.objects.filter(is_any_of("pk", debtor_ids))
    return dict(debtors.values_list("pk", "external_id"))


def price_currencies() -> list[str]:
    """Return the currencies in which enabled providers are paid."""
    providers = Provider.objects.filter(enabled=True).order_by("price_currency")
    return list(providers.values_list("price_currency", flat=True).distinct())
