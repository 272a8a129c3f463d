"""Read campaigns: the list, one with its progress and result, and what it would do before it does anything."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from recobra.access import operations as access
from recobra.access.roles import Right
from recobra.console import labels, spreadsheet
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens import template_markup
from recobra.console.screens.campaigns import description
from recobra.console.screens.strategies import rule_field
from recobra.insight.queries import campaigns as results
from recobra.kit import clock
from recobra.messaging.queries import cite_article
from recobra.strategy import queries as strategies
from recobra.strategy import queries_campaigns as queries
from recobra.strategy import schedule


@require_GET
@needs(Right.SEE_STRATEGIES)
def list_campaigns(request: StaffRequest) -> HttpResponse:
    """Show every campaign of the user's portfolios, newest first."""
    rows = [(each, queries.campaign_progress(each)) for each in queries.campaigns_for(request.user)[:200]]
    return render(request, "console/campaigns/index.html", {"rows": rows})


@require_GET
@needs(Right.SEE_STRATEGIES)
def show_campaign(request: StaffRequest, code: str) -> HttpResponse:
    """Show a campaign: what it says, how far it is, and what it brought within the days chosen (`?dias=`)."""
    campaign = queries.campaign_for(request.user, code)
    asked = request.GET.get("dias", "")
    days = int(asked) if asked.isdecimal() and int(asked) in results.DAYS else results.DAYS[1]
    found = queries.campaign_progress(campaign)
    context = _campaign_context(campaign) | {
        "progress": found,
        "states": [
            (state, labels.label_of("contact", state), found.states[state])
            for state in _STATES
            if state in found.states
        ],
        "waiting": [(description.explain(reason), count) for reason, count in found.waiting],
        "days": days,
        "all_days": results.DAYS,
        "end_reason": description.END_REASONS.get(campaign.reason, campaign.reason),
        **_result_context(campaign, days),
    }
    return render(request, "console/campaigns/detail.html", context)


_STATES = ("SENT", "DUE", "LEASED", "UNCERTAIN", "FAILED")


def _campaign_context(campaign: Any) -> dict[str, Any]:
    verdict = rule_field.judge_rule(campaign.rule, "no", strategies.rule_catalogue())
    names = {code: name for code, name, _by in queries.template_choices({campaign.portfolio.country})}
    return {
        "campaign": campaign,
        "place": campaign.portfolio,
        "rule_words": verdict.words or campaign.rule,
        "template_name": names.get(campaign.template_code, campaign.template_code),
        "channel_names": [labels.label_of("channel", each) for each in campaign.channels],
        "control_share": campaign.control_bps / 10_000,
    }


def _result_context(campaign: Any, days: int) -> dict[str, Any]:
    found = results.campaign_result(campaign=campaign, days=days, now=clock.now())
    if found is None:
        return {}
    compared = [
        (
            description.MEASURES[each.key],
            each,
            *description.FINDINGS[each.finding],
            *(getattr(arm, each.key) for arm in _arms(found)),
        )
        for each in found.comparisons
    ]
    plain = [(description.MEASURES[key], getattr(found.treated, key)) for key in results.ONLY_TREATED]
    finding, tone = description.FINDINGS[_amount_finding(found)]
    amount = found.amount and [round(each) for each in (found.amount.estimate, found.amount.low, found.amount.high)]
    return {
        "result": found,
        "compared": compared,
        "plain": plain,
        "amount": amount,
        "amount_finding": finding,
        "amount_tone": tone,
    }


def _amount_finding(found: results.CampaignResult) -> str:
    """Say of amounts only what their interval excludes: there is no width that is small for every debt."""
    if found.amount is None or found.amount.holds_zero:
        return "not_enough"
    return "better" if found.amount.estimate > 0 else "worse"


def _arms(found: results.CampaignResult) -> tuple[results.Arm, results.Arm]:
    return found.treated, found.control


@require_GET
@needs(Right.SEE_STRATEGIES)
def show_preflight(request: StaffRequest, code: str) -> HttpResponse:
    """Show what a campaign would do; the figures come after the page, as they take a while."""
    campaign = queries.campaign_for(request.user, code)
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "console/campaigns/preflight.html", _campaign_context(campaign))
    found = queries.preflight(campaign=campaign, as_of=schedule.today(clock.now()))
    context = {
        "campaign": campaign,
        "place": campaign.portfolio,
        "found": found,
        "barred": [(description.explain(each.reason), each.article, each.debtors) for each in found.barred],
        "channels": [
            (labels.label_of("channel", code), count, found.prices[code]) for code, count in found.channels.items()
        ],
        "unpriced": [labels.label_of("channel", each) for each in found.unpriced],
        "findings": [_finding(each.read, each.channels) for each in found.findings],
    }
    return render(request, "console/campaigns/_preflight.html", context)


def _finding(read: Any, channels: Sequence[str]) -> dict[str, str]:
    return template_markup.describe_finding(
        read, where=", ".join(labels.label_of("channel", each) for each in channels)
    )


@require_GET
@needs(Right.EXPORT)
def export_barred(request: StaffRequest, code: str) -> HttpResponseBase:
    """Write the list of those who would get no message, with the reason; it is recorded that it left the house."""
    campaign, now = queries.campaign_for(request.user, code), clock.now()
    found = queries.preflight(campaign=campaign, as_of=schedule.today(now))
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    rows = spreadsheet.write_csv(file, _barred_rows(found.barred_debtors))
    access.record_export(user=request.user, what="campaign", rows=rows, conditions={"campaign": code}, now=now)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{code}-{now:%Y-%m-%d-%H%M}.csv")


def _barred_rows(rows: list[tuple[int, str, str]]) -> spreadsheet.Rows:
    numbers = queries.debtor_numbers([pk for pk, *_why in rows])
    yield [_("Debtor"), _("Reason"), _("Article")]
    for pk, reason, article in rows:
        yield [numbers.get(pk, str(pk)), description.explain(reason), cite_article(article)]


urlpatterns = [
    path("campanas/", list_campaigns, name="campaigns"),
    path("campanas/<slug:code>/", show_campaign, name="campaign"),
    path("campanas/<slug:code>/previa/", show_preflight, name="campaign-preflight"),
    path("campanas/<slug:code>/previa/lista.csv", export_barred, name="campaign-barred"),
]
