"""Carteras: the portfolios of each creditor; a new one, its name, and whether it is worked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id, parse_page
from recobra.intake.queries import last_loads
from recobra.kit.countries import country_name
from recobra.kit.language import screen_language
from recobra.portfolio import queries, setup
from recobra.portfolio.description import PortfolioSettings
from recobra.portfolio.queries import DisableReason, Portfolio
from recobra.portfolio.setup import PortfolioRefused
from recobra.strategy import operations as strategy
from recobra.strategy.queries import published_names, strategy_codes
from recobra_core.documents import DocumentError, read_document
from recobra_core.law import load_countries
from recobra_core.money import EXPONENTS

PAGE_ROWS: Final = 50
SETTINGS: Final = ("name", "industry", "country", "currency", "time_zone")
# Whether a portfolio is worked, as the filter says it.
STATES: Final = {"": None, "activas": False, "desactivadas": True}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the form of a new portfolio holds, each as its field has it; '' where nothing was chosen."""

    creditor: str = ""
    settings_of: str = ""
    name: str = ""
    code: str = ""
    industry: str = "CONSUMER"
    country: str = ""
    currency: str = ""
    time_zone: str = ""
    strategy: str = ""


@require_GET
@needs(Right.OPEN_PORTFOLIOS)
def list_portfolios(request: StaffRequest) -> HttpResponse:
    """List the portfolios (`?q=`, `?acreedor=`, `?pais=`, `?estado=`), a page at a time."""
    asked = {name: request.GET.get(name, "") for name in ("q", "acreedor", "pais", "estado")}
    number = parse_page(request.GET.get("pagina", ""))
    found = queries.find_portfolios(
        request.user,
        text=asked["q"],
        creditor_id=parse_id(asked["acreedor"]),
        country=asked["pais"],
        is_disabled=STATES.get(asked["estado"]),
    )
    # One row more tells whether there is a next page.
    rows = list(found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS + 1])
    shown = rows[:PAGE_ROWS]
    codes = strategy_codes([portfolio.pk for portfolio in shown])
    names = dict(published_names())
    loaded = last_loads([portfolio.pk for portfolio in shown])
    context = {
        "rows": [
            {
                "portfolio": portfolio,
                "country": country_name(portfolio.country),
                "strategy": names.get(codes.get(portfolio.pk, ""), ""),
                "loaded_on": loaded.get(portfolio.pk),
            }
            for portfolio in shown
        ],
        "asked": asked,
        "is_filtered": any(asked.values()),
        "page": number,
        "following": number + 1 if len(rows) > PAGE_ROWS else None,
        "creditors": queries.creditors_for(request.user),
        "countries": [(code, country_name(code)) for code in queries.countries_of(request.user)],
    }
    template = "_list.html" if request.htmx and not request.htmx.boosted else "index.html"  # type: ignore[attr-defined]
    return render(request, f"console/portfolios/{template}", context)


@require_http_methods(["GET", "POST"])
@needs(Right.OPEN_PORTFOLIOS)
def create_portfolio(request: StaffRequest) -> HttpResponse:
    """Show the form of a new portfolio (`?acreedor=`, `?como=`), and open it; htmx gets the fields anew."""
    if request.method == "GET":
        draft = _complete_draft(request, _read_draft(request.GET), changed=request.GET.get("cambio", ""))
        template = "_fields.html" if request.htmx and not request.htmx.boosted else "new.html"  # type: ignore[attr-defined]
        return render(request, f"console/portfolios/{template}", _form_context(request, draft, {}))
    draft = _read_draft(request.POST)
    if not draft.code:
        draft = replace(draft, code=_propose_code(draft))
    creditor_id = parse_id(draft.creditor)
    creditor = queries.creditors_for(request.user).filter(pk=creditor_id).first() if creditor_id else None
    errors = {} if creditor else {"creditor": _("Choose a creditor.")}
    try:
        settings = read_document(PortfolioSettings, {name: getattr(draft, name) for name in SETTINGS})
        if creditor is not None:
            portfolio = strategy.open_followed_portfolio(
                creditor_id=creditor.pk,
                code=draft.code,
                settings=settings,
                strategy=draft.strategy,
                settings_of=parse_id(draft.settings_of),
                actor=actor_of(request),
            )
            messages.success(request, _("The portfolio is open: load its first file."))
            return redirect("console:portfolio", portfolio.pk)
    except DocumentError as error:
        expected = _("Expected: %(expected)s.")
        for fault in error.faults:
            errors[fault.path] = expected % {"expected": getattr(fault.expected, screen_language())}
    except PortfolioRefused as refusal:
        errors |= refusal.errors
    return render(request, "console/portfolios/new.html", _form_context(request, draft, errors), status=422)


def _read_draft(given: Mapping[str, str]) -> Draft:
    """Return what an address or a form says; `acreedor` and `como` of an address name creditor and example."""
    shorter = {"creditor": given.get("acreedor", ""), "settings_of": given.get("como", "")}
    return Draft(**{name: given.get(name, shorter.get(name, value)).strip() for name, value in asdict(Draft()).items()})


def _complete_draft(request: StaffRequest, draft: Draft, *, changed: str) -> Draft:
    """Return a draft with what follows from the field that was `changed`; '' is a form that was just opened.

    The settings are those of the portfolio to copy, or of the creditor's newest one; currency and time zone follow the
    country, and the code follows the name.
    """
    if changed in {"", "creditor", "settings_of"}:
        example = _find_example(request, draft, changed)
        if example is not None:
            draft = replace(
                draft,
                creditor=draft.creditor or str(example.creditor_id),
                settings_of=str(example.pk),
                industry=example.industry,
                country=example.country,
                currency=example.currency,
                time_zone=example.time_zone,
                strategy=strategy_codes([example.pk]).get(example.pk, ""),
            )
        elif changed == "creditor":
            draft = replace(draft, settings_of="")
    law = load_countries().get(draft.country)
    if law is not None and (changed == "country" or not draft.currency):
        draft = replace(draft, currency=law.currency, time_zone=law.time_zones[0])
    if changed == "name" and not draft.code:
        draft = replace(draft, code=_propose_code(draft))
    return draft


def _find_example(request: StaffRequest, draft: Draft, changed: str) -> Portfolio | None:
    """Return the portfolio whose settings a draft begins with, None for none."""
    settings_of = parse_id(draft.settings_of)
    if settings_of is not None and changed != "creditor":
        return queries.portfolio_for(request.user, settings_of)
    creditor_id = parse_id(draft.creditor)
    if creditor_id is None or changed == "settings_of":
        return None
    return queries.find_portfolios(request.user, creditor_id=creditor_id).order_by("-pk").first()


def _propose_code(draft: Draft) -> str:
    return setup.propose_code(draft.name, taken=setup.portfolio_codes_taken(), prefix=draft.country)


def _form_context(request: StaffRequest, draft: Draft, errors: Mapping[str, str]) -> dict[str, Any]:
    """Return the context of the form of a new portfolio."""
    countries = load_countries()
    law = countries.get(draft.country)
    all_zones = {zone for each in countries.values() for zone in each.time_zones}
    return {
        "draft": draft,
        "errors": errors,
        "creditors": queries.creditors_for(request.user).filter(disabled_at__isnull=True),
        "examples": queries.find_portfolios(request.user),
        "industries": Portfolio.Industry.choices,
        "countries": sorted(((code, country_name(code)) for code in countries), key=lambda each: each[1]),
        "currencies": sorted(EXPONENTS),
        "time_zones": law.time_zones if law else sorted(all_zones),
        "strategies": published_names(),
        "code_length": setup.CODE_LENGTH_MAX,
        "name_length": setup.NAME_LENGTH_MAX,
    }


@require_http_methods(["GET", "POST"])
@needs(Right.OPEN_PORTFOLIOS)
def edit_portfolio(request: StaffRequest, portfolio_id: int) -> HttpResponse:
    """Show a portfolio with where each of its settings is changed, and save its name."""
    portfolio = queries.portfolio_for(request.user, portfolio_id)
    errors: dict[str, str] = {}
    name = portfolio.name
    if request.method == "POST":
        name = request.POST.get("name", "")
        try:
            setup.rename_portfolio(portfolio_id=portfolio.pk, name=name, actor=actor_of(request))
        except PortfolioRefused as refusal:
            errors = refusal.errors
        else:
            messages.success(request, _("Saved."))
            return redirect("console:portfolio", portfolio.pk)
    code = strategy_codes([portfolio.pk]).get(portfolio.pk, "")
    context = {
        "portfolio": portfolio,
        "place": portfolio,
        "country": country_name(portfolio.country),
        "strategy_code": code,
        "strategy_name": dict(published_names()).get(code, ""),
        "loaded_on": last_loads([portfolio.pk]).get(portfolio.pk),
        "name": name,
        "name_length": setup.NAME_LENGTH_MAX,
        "errors": errors,
        "reasons": DisableReason.choices,
    }
    return render(request, "console/portfolios/detail.html", context, status=422 if errors else 200)


@require_POST
@needs(Right.OPEN_PORTFOLIOS)
def disable_portfolio(request: StaffRequest, portfolio_id: int) -> HttpResponse:
    """Let a portfolio be worked no more, for the reason that was chosen."""
    portfolio = queries.portfolio_for(request.user, portfolio_id)
    try:
        setup.disable_portfolio(
            portfolio_id=portfolio.pk, reason=request.POST.get("reason", ""), actor=actor_of(request)
        )
    except PortfolioRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The portfolio is disabled, and what was planned for it is cancelled."))
    return redirect("console:portfolio", portfolio.pk)


@require_POST
@needs(Right.OPEN_PORTFOLIOS)
def enable_portfolio(request: StaffRequest, portfolio_id: int) -> HttpResponse:
    """Let a portfolio be worked again."""
    portfolio = queries.portfolio_for(request.user, portfolio_id)
    try:
        setup.enable_portfolio(portfolio_id=portfolio.pk, actor=actor_of(request))
    except PortfolioRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The portfolio is enabled: the next cycle plans for it again."))
    return redirect("console:portfolio", portfolio.pk)


urlpatterns = [
    path("carteras/", list_portfolios, name="portfolios"),
    path("carteras/nueva/", create_portfolio, name="portfolio-new"),
    path("carteras/<int:portfolio_id>/", edit_portfolio, name="portfolio"),
    path("carteras/<int:portfolio_id>/desactivar/", disable_portfolio, name="portfolio-disable"),
    path("carteras/<int:portfolio_id>/activar/", enable_portfolio, name="portfolio-enable"),
]
