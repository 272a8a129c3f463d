"""Calidad de datos: the score of each portfolio's files, and what its accounts lack before they can be worked."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_page
from recobra.insight.queries.readiness import count_readiness
from recobra.intake.queries import newest_quality, quality_trend
from recobra.kit import clock
from recobra.portfolio.debtor_pairs import count_pairs
from recobra.portfolio.queries import find_portfolios
from recobra_core.law.limitation import NEAR_DAYS

PAGE_ROWS: Final = 10


@require_GET
@needs(Right.SEE_LOADS)
def show_quality(request: StaffRequest) -> HttpResponse:
    """Show the user's portfolios (`?q=`), each with its score, the parts and the trend, and what its accounts lack.

    A page has a few: the accounts of each are counted.
    """
    text = request.GET.get("q", "").strip()
    number = parse_page(request.GET.get("pagina", ""))
    # One row more tells whether there is a next page.
    found = list(find_portfolios(request.user, text=text)[(number - 1) * PAGE_ROWS : number * PAGE_ROWS + 1])
    portfolios = found[:PAGE_ROWS]
    ids = [portfolio.pk for portfolio in portfolios]
    trends, newest = quality_trend(ids), newest_quality(ids)
    rows = [
        (readiness, newest.get(readiness.portfolio.pk), trends.get(readiness.portfolio.pk, []))
        for readiness in count_readiness(portfolios, clock.now())
    ]
    context = {
        "rows": rows,
        "text": text,
        "page": number,
        "following": number + 1 if len(found) > PAGE_ROWS else None,
        "near_days": NEAR_DAYS,
        "alike": count_pairs(request.user),
    }
    return render(request, "console/data_quality.html", context)


urlpatterns = [path("datos/", show_quality, name="data-quality")]
