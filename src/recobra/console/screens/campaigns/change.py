"""Launch, pause, resumption and end of campaigns."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.strategy import queries_campaigns as queries
from recobra.strategy.operations import campaigns
from recobra.strategy.operations.campaigns import CampaignRefused


def _perform(
    request: StaffRequest, code: str, operation: Callable[..., object], done: str, **more: str | None
) -> HttpResponse:
    """Run an operation on a campaign, with `more`, and return to its page, with `done` or the refusal as message.

    A draft that is refused returns to its pre-flight, where the problems are explained.
    """
    campaign = queries.campaign_for(request.user, code)
    try:
        operation(campaign_id=campaign.pk, actor=actor_of(request), **more)
    except CampaignRefused as refusal:
        for problem in refusal.problems:
            messages.error(request, problem)
        is_draft = campaign.status == queries.Status.DRAFT
        return redirect("console:campaign-preflight" if is_draft else "console:campaign", code)
    messages.success(request, done)
    return redirect("console:campaign", code)


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def launch_campaign(request: StaffRequest, code: str) -> HttpResponse:
    """Fix the members and plan the first messages."""
    seen = request.POST.get("seen")
    return _perform(request, code, campaigns.launch, _("The campaign is launched."), seen=seen)


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def pause_campaign(request: StaffRequest, code: str) -> HttpResponse:
    """Pause the campaign and cancel its messages that have not left."""
    return _perform(request, code, campaigns.pause, _("The campaign is paused; what had not left was taken back."))


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def resume_campaign(request: StaffRequest, code: str) -> HttpResponse:
    """Resume the campaign where it was paused."""
    return _perform(request, code, campaigns.resume, _("The campaign goes on."))


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def end_campaign(request: StaffRequest, code: str) -> HttpResponse:
    """End the campaign for good."""
    return _perform(request, code, campaigns.end, _("The campaign has ended; what had not left was taken back."))


urlpatterns = [
    path("campanas/<slug:code>/lanzar/", launch_campaign, name="campaign-launch"),
    path("campanas/<slug:code>/pausar/", pause_campaign, name="campaign-pause"),
    path("campanas/<slug:code>/reanudar/", resume_campaign, name="campaign-resume"),
    path("campanas/<slug:code>/terminar/", end_campaign, name="campaign-end"),
]
