"""The form of a campaign: a new draft, or one that was not launched yet."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from babel.numbers import format_decimal
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console import labels, spreadsheet
from recobra.console.actions import actor_of
from recobra.console.forms import MoneyField, day_field
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.countries.description import channel_names
from recobra.console.screens.place import Installation
from recobra.console.screens.strategies import rule_field
from recobra.kit import clock
from recobra.kit.typed_numbers import number_locale
from recobra.portfolio.queries import Portfolio, portfolios_for
from recobra.strategy import queries, queries_campaigns, queries_groups, schedule
from recobra.strategy.operations import campaigns
from recobra.strategy.operations.campaigns import CampaignChanged, CampaignDraft, CampaignRefused
from recobra.strategy.queries_campaigns import Campaign

RULE_PREFIX = "group"
CHANNELS_MAX = 3
CONTROL_PERCENT_MAX = 90
BPS_PER_PERCENT = 100
# Codes that would hide other pages under campanas/.
RESERVED_CODES = {"nueva", "regla"}
_SELECT = {"class": "form-select"}
_CONTROL = {"class": "form-control"}


class CampaignForm(forms.Form):
    """The message, portfolio, channels, days and budget of a campaign; its rule has a field of its own."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs=_CONTROL))
    code = forms.SlugField(
        label=gettext_lazy("Code (it never changes and draws the control group)"),
        max_length=50,
        widget=forms.TextInput(attrs=_CONTROL),
    )

    def __init__(self, *args: Any, portfolios: list[Portfolio], **options: Any) -> None:
        """Offer the user's `portfolios`, and the templates and currencies of the one chosen."""
        super().__init__(*args, **options)
        self.portfolios = {str(portfolio.pk): portfolio for portfolio in portfolios}
        self.fields["portfolio"] = forms.ChoiceField(
            label=_("Portfolio"),
            choices=[(pk, portfolio.name) for pk, portfolio in self.portfolios.items()],
            widget=forms.Select(attrs=_SELECT),
        )
        chosen = self._portfolio()
        # A template of another country could not be sent to the portfolio's debtors.
        countries = {portfolio.country for portfolio in ([chosen] if chosen else portfolios)}
        self.fields["template"] = forms.ChoiceField(
            label=_("Message"),
            choices=[("", "—"), *_template_choices(countries)],
            widget=forms.Select(attrs=_SELECT),
        )
        channels = [(code, labels.label_of("channel", code)) for code in queries_campaigns.CHANNELS]
        channel_labels = (_("First channel"), _("If not by that"), _("And else"))
        for number, label in enumerate(channel_labels, start=1):
            # Only the first channel has to be chosen.
            is_first = number == 1
            self.fields[f"channel_{number}"] = forms.ChoiceField(
                label=label,
                choices=channels if is_first else [("", "—"), *channels],
                required=is_first,
                widget=forms.Select(attrs=_SELECT),
            )
        self.fields["starts_on"] = day_field(_("First day"))
        self.fields["ends_on"] = day_field(_("Last day"))
        prices = queries_campaigns.price_currencies()
        currencies = list(dict.fromkeys([*(portfolio.currency for portfolio in portfolios), *prices]))
        place = self._place(currencies)
        self.fields["budget"] = MoneyField(label=_("Budget (empty: none)"), place=place, required=False)
        self.fields["budget_currency"] = forms.ChoiceField(
            label=_("Currency of the budget"),
            choices=[(code, code) for code in currencies],
            widget=forms.Select(attrs=_SELECT),
            required=False,
        )
        self.fields["control"] = forms.IntegerField(
            label=_("Control group, %"),
            min_value=0,
            max_value=CONTROL_PERCENT_MAX,
            widget=forms.NumberInput(attrs={**_CONTROL, "inputmode": "numeric"}),
        )

    def _place(self, currencies: Collection[str]) -> Installation:
        """Return the formats in which the budget is read: the portfolio's country and the budget's currency."""
        currency = self.data.get("budget_currency", "")
        if currency not in currencies:
            # What was posted is refused by its own field.
            currency = self.initial.get("budget_currency")
        # Without a choice the form shows the first portfolio.
        portfolio = self._portfolio() or next(iter(self.portfolios.values()), None)
        if portfolio is None:
            return Installation(time_zone="UTC", country="", currency=currency or "USD")
        return Installation(time_zone="UTC", country=portfolio.country, currency=currency or portfolio.currency)

    def _portfolio(self) -> Portfolio | None:
        """Return the portfolio that was posted, else that of the draft; None where neither is the user's."""
        initial_id = self.initial.get("portfolio", "")
        portfolio_id = self.data.get("portfolio", initial_id)
        return self.portfolios.get(str(portfolio_id))

    def clean_code(self) -> str:
        """Refuse codes that are addresses of other pages."""
        code = str(self.cleaned_data["code"])
        if code in RESERVED_CODES:
            raise forms.ValidationError(_("Choose another code."))
        return code

    def to_draft(self, rule: str, from_group: str) -> CampaignDraft:
        """Return the draft of a valid form, with the rule and the version of the group that it comes from."""
        data = self.cleaned_data
        chosen_channels = [data[f"channel_{number}"] for number in range(1, CHANNELS_MAX + 1)]
        # Without the empty choices, and each channel once.
        channels = tuple(dict.fromkeys(channel for channel in chosen_channels if channel))
        return CampaignDraft(
            code=data["code"],
            name=data["name"],
            portfolio_id=int(data["portfolio"]),
            rule=rule,
            from_group=from_group,
            template_code=data["template"],
            channels=channels,
            starts_on=data["starts_on"],
            ends_on=data["ends_on"],
            budget_minor=data["budget"],
            budget_currency=data["budget_currency"] if data["budget"] else "",
            control_bps=data["control"] * BPS_PER_PERCENT,
        )


def _template_choices(countries: set[str]) -> list[tuple[str, str]]:
    """Return the templates that may be sent in some countries: code, and name with channels, «Reminder (SMS)»."""
    choices = []
    for code, name, joined_channels in queries_campaigns.template_choices(countries):
        choices.append((code, f"{name} ({channel_names(joined_channels.split(','))})"))
    return choices


@require_http_methods(["GET", "POST"])
@needs(Right.RUN_CAMPAIGNS)
def create_campaign(request: StaffRequest) -> HttpResponse:
    """Create a draft."""
    today = schedule.today(clock.now())
    initial = {"starts_on": today, "ends_on": today, "control": 10, "channel_1": "email"}
    return _handle_form(request, initial=initial, rule="", campaign=None)


@require_http_methods(["GET", "POST"])
@needs(Right.RUN_CAMPAIGNS)
def edit_campaign(request: StaffRequest, code: str) -> HttpResponse:
    """Change a draft; a campaign that was launched is only shown."""
    campaign = queries_campaigns.campaign_for(request.user, code)
    if campaign.status != queries_campaigns.Status.DRAFT:
        return redirect("console:campaign", code)
    initial = {
        "name": campaign.name,
        "code": campaign.code,
        "portfolio": campaign.portfolio_id,
        "template": campaign.template_code,
        "starts_on": campaign.starts_on,
        "ends_on": campaign.ends_on,
        "budget_currency": campaign.budget_currency,
        "control": campaign.control_bps // BPS_PER_PERCENT,
        "budget": _budget_text(campaign),
    }
    for number, channel in enumerate(campaign.channels[:CHANNELS_MAX], start=1):
        initial[f"channel_{number}"] = channel
    return _handle_form(request, initial=initial, rule=campaign.rule, campaign=campaign)


def _budget_text(campaign: Campaign) -> str:
    """Return the budget as MoneyField reads it: as the portfolio's country writes it."""
    if campaign.budget_minor is None:
        return ""
    amount = spreadsheet.amount_cell(campaign.budget_minor, campaign.budget_currency)
    assert amount is not None
    return str(format_decimal(amount, locale=number_locale(campaign.portfolio.country)))


def _handle_form(
    request: StaffRequest, *, initial: dict[str, Any], rule: str, campaign: Campaign | None
) -> HttpResponse:
    """Show the form with its rule, or save the draft; `campaign` is None for a new one."""
    portfolios = [
        portfolio
        for portfolio in portfolios_for(request.user)
        if portfolio.disabled_at is None or (campaign is not None and campaign.portfolio_id == portfolio.pk)
    ]
    is_posted = request.method == "POST"
    form = CampaignForm(request.POST if is_posted else None, initial=initial, portfolios=portfolios)
    problems: list[str] = []
    seen = campaigns.mark_of(campaign) if campaign else ""
    catalogue = queries.rule_catalogue()
    place = rule_field.rule_place(request, str(campaign.portfolio_id) if campaign and not is_posted else "")
    typed = None
    from_group = campaign.from_group if campaign else ""
    if is_posted:
        seen = request.POST.get("seen", seen)
        rule, typed = rule_field.settle_rule(request.POST, RULE_PREFIX, unknown="no", catalogue=catalogue, place=place)
        problems = [typed.error] if typed else []
        from_group = request.POST.get(f"{RULE_PREFIX}-from_group", "")
    group_note = rule_field.describe_group(from_group, rule)
    from_group = from_group if group_note else ""
    if form.is_valid() and typed is None:
        try:
            draft = campaigns.save_draft(
                draft=form.to_draft(rule, from_group),
                campaign_id=campaign.pk if campaign else None,
                seen=seen,
                actor=actor_of(request),
            )
        except CampaignChanged as refusal:
            problems = refusal.problems
            # Whoever saves again has read it.
            assert campaign is not None, "a new one was changed by nobody"
            campaign.refresh_from_db()
            seen = campaigns.mark_of(campaign)
        except CampaignRefused as refusal:
            problems = refusal.problems
        else:
            messages.success(request, _("The draft is saved. Nothing is sent until it is launched."))
            return redirect("console:campaign-preflight", draft.code)
    verdict = typed or rule_field.judge_rule(rule, "no", catalogue, place)
    context = {
        "form": form,
        "campaign": campaign,
        "seen": seen,
        "problems": problems,
        "prefix": RULE_PREFIX,
        "member": {"rule": rule, "verdict": verdict, "from_group": from_group, "group_note": group_note},
        "groups": queries_groups.groups_for(request.user),
        "columns": rule_field.builder_columns(catalogue),
        "rule_url": reverse("console:campaign-rule"),
        "count_url": reverse("console:campaign-rule-count"),
    }
    return render(request, "console/campaigns/form.html", context, status=422 if is_posted else 200)


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def check_rule(request: StaffRequest) -> HttpResponse:
    """Check the rule while it is written. An account of which a fact is unknown is not in the group."""
    return rule_field.render_verdict(
        request,
        unknown="no",
        rule_url=reverse("console:campaign-rule"),
        count_url=reverse("console:campaign-rule-count"),
    )


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def count_rule(request: StaffRequest) -> HttpResponse:
    """Count what the rule matches today in the portfolio of the campaign."""
    chosen = request.POST.get("portfolio", "")
    portfolios = [portfolio for portfolio in portfolios_for(request.user) if str(portfolio.pk) == chosen]
    return rule_field.render_count(request, unknown="no", portfolios=portfolios)


urlpatterns = [
    path("campanas/nueva/", create_campaign, name="campaign-create"),
    path("campanas/regla/", check_rule, name="campaign-rule"),
    path("campanas/regla/cuentas/", count_rule, name="campaign-rule-count"),
    path("campanas/<slug:code>/editar/", edit_campaign, name="campaign-edit"),
]
