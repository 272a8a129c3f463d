"""Pages about campaigns: the list, progress and result, and the pre-flight before a launch."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console import labels, spreadsheet
from recobra.console.export_file import send_list
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.console.screens import template_markup
from recobra.console.screens.campaigns import description
from recobra.console.screens.countries.description import channel_names
from recobra.console.screens.strategies import rule_field
from recobra.insight.queries import campaigns as results
from recobra.kit import clock
from recobra.messaging.queries import cite_article
from recobra.strategy import queries as strategies
from recobra.strategy import queries_campaigns as queries
from recobra.strategy import schedule
from recobra.strategy.operations.campaigns import mark_of

CAMPAIGNS_SHOWN = 200
_DAYS_DEFAULT = results.DAYS[1]
# Basis points in a whole.
_BPS = 10_000
_STATES = ("SENT", "DUE", "LEASED", "UNCERTAIN", "FAILED")


@require_GET
@needs(Right.SEE_STRATEGIES)
def list_campaigns(request: StaffRequest) -> HttpResponse:
    """Show every campaign of the user's portfolios, newest first."""
    campaigns = queries.campaigns_for(request.user)[:CAMPAIGNS_SHOWN]
    rows = [(campaign, queries.campaign_progress(campaign)) for campaign in campaigns]
    return render(request, "console/campaigns/index.html", {"rows": rows})


@require_GET
@needs(Right.SEE_STRATEGIES)
def show_campaign(request: StaffRequest, code: str) -> HttpResponse:
    """Show a campaign: its message, its progress, and its result within the days chosen (`?dias=`)."""
    campaign = queries.campaign_for(request.user, code)
    days = parse_id(request.GET.get("dias", ""))
    if days is None or days not in results.DAYS:
        days = _DAYS_DEFAULT
    progress = queries.campaign_progress(campaign)
    shown_states = [state for state in _STATES if state in progress.states]
    context = _campaign_context(campaign) | {
        "progress": progress,
        "states": [(state, labels.label_of("contact", state), progress.states[state]) for state in shown_states],
        "waiting": [(description.explain(reason), count) for reason, count in progress.waiting],
        "days": days,
        "all_days": results.DAYS,
        "end_reason": description.END_REASONS.get(campaign.reason, campaign.reason),
        **_result_context(campaign, days),
    }
    return render(request, "console/campaigns/detail.html", context)


def _campaign_context(campaign: queries.Campaign) -> dict[str, Any]:
    """Return the context of a campaign in words: its rule, its template and its channels."""
    verdict = rule_field.judge_rule(campaign.rule, "no", strategies.rule_catalogue(), campaign.portfolio)
    names = {code: name for code, name, _channels in queries.template_choices({campaign.portfolio.country})}
    return {
        "campaign": campaign,
        "place": campaign.portfolio,
        "rule_words": verdict.words or campaign.rule,
        "template_name": names.get(campaign.template_code, campaign.template_code),
        "channel_names": [labels.label_of("channel", channel) for channel in campaign.channels],
        "control_share": campaign.control_bps / _BPS,
    }


def _result_context(campaign: queries.Campaign, days: int) -> dict[str, Any]:
    """Return the context of a campaign's result, empty as long as there is none.

    `compared` are rows of a measure, its comparison, the finding with its tone, and the counts of both groups;
    `plain` are measures without a comparison; `amount` is estimate, low and high in minor units.
    """
    result = results.campaign_result(campaign=campaign, days=days, now=clock.now())
    if result is None:
        return {}
    compared = []
    for comparison in result.comparisons:
        measure = description.MEASURES[comparison.key]
        finding, tone = description.FINDINGS[comparison.finding]
        treated_count = getattr(result.treated, comparison.key)
        control_count = getattr(result.control, comparison.key)
        compared.append((measure, comparison, finding, tone, treated_count, control_count))
    # Nobody in the control group can be sent a message, so these measures have nothing to be compared with.
    uncompared = [(description.MEASURES[key], getattr(result.treated, key)) for key in results.ONLY_TREATED]
    amount_finding, amount_tone = description.FINDINGS[_amount_finding(result)]
    amount = None
    if result.amount is not None:
        amount = [round(result.amount.estimate), round(result.amount.low), round(result.amount.high)]
    return {
        "result": result,
        "compared": compared,
        "plain": uncompared,
        "amount": amount,
        "amount_finding": amount_finding,
        "amount_tone": amount_tone,
    }


def _amount_finding(result: results.CampaignResult) -> str:
    """Return the finding about the amounts paid, a key of FINDINGS; it is never «no difference»."""
    # No width of an interval is small for every debt, so it only counts whether zero is outside.
    if result.amount is None or result.amount.holds_zero:
        return "not_enough"
    return "better" if result.amount.estimate > 0 else "worse"


@require_GET
@needs(Right.SEE_STRATEGIES)
def show_preflight(request: StaffRequest, code: str) -> HttpResponse:
    """Show what a campaign would do; htmx asks for the figures after the page, as they take a while."""
    campaign = queries.campaign_for(request.user, code)
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "console/campaigns/preflight.html", _campaign_context(campaign))
    preflight = queries.preflight(campaign=campaign, as_of=schedule.today(clock.now()))
    context = {
        "campaign": campaign,
        "place": campaign.portfolio,
        "preflight": preflight,
        "seen": mark_of(campaign),
        "barred": [(description.explain(group.reason), group.article, group.debtors) for group in preflight.barred],
        "channels": [
            (labels.label_of("channel", channel), count, preflight.prices[channel])
            for channel, count in preflight.channels.items()
        ],
        "unpriced": [labels.label_of("channel", channel) for channel in preflight.unpriced],
        "findings": [
            template_markup.describe_finding(finding.read, where=channel_names(finding.channels))
            for finding in preflight.findings
        ],
    }
    return render(request, "console/campaigns/_preflight.html", context)


@require_GET
@needs(Right.EXPORT)
def export_barred(request: StaffRequest, code: str) -> HttpResponseBase:
    """Download the debtors who would get no message, with the reasons, and record the export."""
    campaign = queries.campaign_for(request.user, code)
    now = clock.now()
    preflight = queries.preflight(campaign=campaign, as_of=schedule.today(now))
    return send_list(
        request,
        _barred_rows(preflight.barred_debtors),
        file_format="csv",
        title=code,
        filename=f"{code}-{now:%Y-%m-%d-%H%M}.csv",
        what="campaign",
        conditions={"campaign": code},
    )


def _barred_rows(barred: list[queries.BarredDebtor]) -> spreadsheet.Rows:
    """Yield a header, and a row for each debtor under the creditor's own number."""
    numbers = queries.debtor_numbers([debtor.debtor_id for debtor in barred])
    yield [_("Debtor"), _("Reason"), _("Article")]
    for debtor in barred:
        number = numbers.get(debtor.debtor_id, str(debtor.debtor_id))
        yield [number, description.explain(debtor.reason), cite_article(debtor.article)]


urlpatterns = [
    path("campanas/", list_campaigns, name="campaigns"),
    path("campanas/<slug:code>/", show_campaign, name="campaign"),
    path("campanas/<slug:code>/previa/", show_preflight, name="campaign-preflight"),
    path("campanas/<slug:code>/previa/lista.csv", export_barred, name="campaign-barred"),
]
