"""Deudores parecidos: debtors that look like one, side by side; a person joins them, tells them apart, or undoes it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs, record_reading
from recobra.console.parameters import parse_id, parse_page
from recobra.insight.queries import debtor_file
from recobra.kit import clock
from recobra.portfolio import debtor_joins
from recobra.portfolio.debtor_pairs import have_two_documents, pair_of, pairs_for, surveys_for
from recobra.portfolio.queries import DebtorJoin, debtor_for, find_by_number, find_kept

from .place import installation_place

PAGE_ROWS = 50


@require_GET
@needs(Right.JOIN_DEBTORS)
def list_pairs(request: StaffRequest) -> HttpResponse:
    """Show the pairs that wait for a decision, the surest first, and what was left out."""
    number = parse_page(request.GET.get("pagina", ""))
    # One row more tells whether there is a next page.
    rows = list(pairs_for(request.user)[(number - 1) * PAGE_ROWS : number * PAGE_ROWS + 1])
    surveys = surveys_for(request.user)
    context = {
        "rows": rows[:PAGE_ROWS],
        "page": number,
        "following": number + 1 if len(rows) > PAGE_ROWS else None,
        "surveys": [(survey, sum(survey.left_out.values())) for survey in surveys],
        "place": installation_place(),
    }
    return render(request, "console/debtor_pairs/index.html", context)


@require_GET
@needs(Right.JOIN_DEBTORS)
def show_pair(request: StaffRequest, debtor_id: int, other_id: int) -> HttpResponse:
    """Show two debtors side by side, proposed or not, with what a person may decide about them."""
    elsewhere = _find_elsewhere(request, debtor_id, other_id)
    if elsewhere is not None:
        return elsewhere
    now = clock.now()
    sides = [debtor_file.debtor_file_for(request.user, each, now) for each in (debtor_id, other_id)]
    # The guard writes down who looked at the first.
    record_reading(request, other_id)
    pair = pair_of(debtor_id, other_id)
    context = {
        "sides": sides,
        "has_two_documents": have_two_documents(sides[0].debtor, sides[1].debtor, pair),
        "pair": pair,
        "reasons": DebtorJoin.Reason.choices,
        "place": installation_place(),
    }
    return render(request, "console/debtor_pairs/pair.html", context)


@require_POST
@needs(Right.JOIN_DEBTORS)
def join_pair(request: StaffRequest, debtor_id: int, other_id: int) -> HttpResponse:
    """Join two debtors: the one that was chosen stays."""
    elsewhere = _find_elsewhere(request, debtor_id, other_id)
    if elsewhere is not None:
        return elsewhere
    kept_id = parse_id(request.POST.get("queda", ""))
    if kept_id not in {debtor_id, other_id}:
        messages.error(request, _("Choose which of the two files stays."))
        return redirect("console:debtor-pair", debtor_id, other_id)
    joined_id = other_id if kept_id == debtor_id else debtor_id
    try:
        debtor_joins.join_debtors(
            kept_id=kept_id, joined_id=joined_id, reason=request.POST.get("motivo", ""), actor=actor_of(request)
        )
    except debtor_joins.JoinRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:debtor-pair", debtor_id, other_id)
    messages.success(request, _("Joined: everything of both is here. What was planned is decided anew."))
    return redirect("console:debtor", kept_id)


@require_POST
@needs(Right.JOIN_DEBTORS)
def find_pair_different(request: StaffRequest, debtor_id: int, other_id: int) -> HttpResponse:
    """Keep that two debtors are different people."""
    elsewhere = _find_elsewhere(request, debtor_id, other_id)
    if elsewhere is not None:
        return elsewhere
    try:
        debtor_joins.find_different(first_id=debtor_id, second_id=other_id, actor=actor_of(request))
    except debtor_joins.JoinRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:debtor-pair", debtor_id, other_id)
    messages.success(request, _("Kept: they are different people, and are not proposed again."))
    return redirect("console:alike-debtors")


@require_POST
@needs(Right.JOIN_DEBTORS)
def find_other(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Lead from a debtor's file to the comparison with another one, named by customer number or document."""
    debtor = debtor_for(request.user, debtor_id)
    found = find_by_number(request.user, debtor, request.POST.get("cliente", "").strip())
    if len(found) == 1:
        return redirect("console:debtor-pair", debtor_id, found[0].pk)
    if found:
        messages.error(request, _("Several debtors have this document: write the customer number."))
    else:
        messages.error(request, _("No other debtor of this creditor that you may see has this number or document."))
    return redirect("console:debtor", debtor_id)


@require_POST
@needs(Right.JOIN_DEBTORS)
def part_debtor(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Undo the last join of a debtor."""
    debtor_for(request.user, debtor_id)
    join = debtor_joins.find_last_join(debtor_id)
    if join is None or join.pk != parse_id(request.POST.get("union", "")):
        messages.error(request, _("This join was undone already, or another one came later."))
        return redirect("console:debtor", debtor_id)
    try:
        debtor_joins.part_debtors(join_id=join.pk, reason=request.POST.get("motivo", ""), actor=actor_of(request))
    except debtor_joins.JoinRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:debtor", debtor_id)
    messages.success(request, _("They are two debtors again, each with the own accounts and numbers."))
    return redirect("console:debtor", debtor_id)


def _find_elsewhere(request: StaffRequest, debtor_id: int, other_id: int) -> HttpResponse | None:
    """Return the way to the file that stayed where one of two was joined meanwhile, None where both are themselves.

    Raises Debtor.DoesNotExist for whom the user may not see.
    """
    for each in (debtor_id, other_id):
        kept_id = find_kept(request.user, each)
        if kept_id is not None:
            messages.error(request, _("One of them was joined with another debtor meanwhile."))
            return redirect("console:debtor", kept_id)
        debtor_for(request.user, each)
    return None


urlpatterns = [
    path("deudores-parecidos/", list_pairs, name="alike-debtors"),
    path("deudores-parecidos/<int:debtor_id>/<int:other_id>/", show_pair, name="debtor-pair"),
    path("deudores-parecidos/<int:debtor_id>/<int:other_id>/unir/", join_pair, name="debtor-pair-join"),
    path("deudores-parecidos/<int:debtor_id>/<int:other_id>/distintos/", find_pair_different, name="debtor-pair-apart"),
    path("ficha/<int:debtor_id>/parecido/", find_other, name="debtor-find-other"),
    path("ficha/<int:debtor_id>/separar/", part_debtor, name="debtor-part"),
]
