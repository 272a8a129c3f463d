"""Public reads of campaigns, scoped to the user's portfolios."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import QuerySet

from recobra.access.queries import User
from recobra.messaging.models import Provider, Template
from recobra.messaging.templates.selection import templates_in_force
from recobra.portfolio.queries import portfolios_for

from .models import Campaign as Campaign  # noqa: PLC0414 - the doors name the type from here
from .operations.campaigns import CHANNELS as CHANNELS  # noqa: PLC0414 - the doors name it from here
from .operations.campaigns_day import current_budget_problems, spent_by_currency
from .operations.campaigns_preflight import preflight as preflight  # noqa: PLC0414

Status = Campaign.Status
_WRITTEN_CHANNELS = ("email", "sms", "whatsapp", "letter")

_PROGRESS = """
    SELECT m.arm, CASE
        WHEN m.arm = 'CONTROL' THEN 'CONTROL'
        WHEN c.status IN ('SENT', 'UNCERTAIN', 'DUE', 'LEASED', 'FAILED') THEN c.status ELSE 'WAITING' END AS state,
        CASE WHEN c.id IS NULL OR c.status IN ('BLOCKED', 'CANCELLED') THEN coalesce(nullif(m.reason, ''), c.reason, '')
            ELSE '' END AS why, count(*)
    FROM strategy_campaignmember m LEFT JOIN messaging_contact c ON c.id = m.contact_id
    WHERE m.campaign_id = %s GROUP BY 1, 2, 3 ORDER BY 4 DESC"""


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
    is_active = campaign.status in {Status.RUNNING, Status.PAUSED}
    # A campaign with a budget shows it even before anything is spent.
    nothing_spent = {campaign.budget_currency: 0} if campaign.budget_minor is not None else {}
    progress = CampaignProgress(
        spent=nothing_spent | spent_by_currency(campaign),
        problems=current_budget_problems(campaign) if is_active else [],
    )
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS, [campaign.pk])
        rows = cursor.fetchall()
    for arm, state, reason, count in rows:
        progress.members += count
        if arm == "CONTROL":
            progress.control += count
        else:
            progress.states[state] = progress.states.get(state, 0) + count
        if state == "WAITING":
            progress.waiting.append((reason, count))
    return progress


def template_choices(countries: Collection[str] = ()) -> list[tuple[str, str, str]]:
    """Return code, name and channels of the templates in force in some countries (in all, without any), by name."""
    templates = templates_in_force().filter(country__in=("", *countries)) if countries else templates_in_force()
    families: dict[str, list[Template]] = {}
    for template in sorted(templates, key=_naming_rank):
        families.setdefault(template.code, []).append(template)
    rows = [
        (code, family[0].name, ",".join(sorted({template.channel for template in family})))
        for code, family in families.items()
    ]
    return sorted(rows, key=lambda row: (row[1], row[0]))


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
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, external_id FROM portfolio_debtor WHERE id = ANY(%s)", [list(debtor_ids)])
        return dict(cursor.fetchall())


def price_currencies() -> list[str]:
    """Return the currencies in which enabled providers are paid."""
    providers = Provider.objects.filter(enabled=True).order_by("price_currency")
    return list(providers.values_list("price_currency", flat=True).distinct())
