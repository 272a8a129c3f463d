"""The list of company rules, the history of one, its form, and what it would change today."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console import compliance_labels, labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.company_rules import description
from recobra.console.screens.company_rules import form as shapes
from recobra.console.screens.countries.description import country_name, country_names, weekday_names
from recobra.console.screens.place import Installation
from recobra.insight.queries.company_rule_preview import preview_rule
from recobra.kit import clock
from recobra.policy import company_rules as operations
from recobra.policy import queries
from recobra.policy.company_rules import CompanyRuleRefused
from recobra.portfolio.queries import portfolios_for
from recobra.strategy import schedule
from recobra_core import law
from recobra_core.law.model import WEEKDAYS

__all__ = ["compliance_labels", "urlpatterns"]
_FIELDS_WITH_NOTES = frozenset({"channels", "windows", "caps", "closed_days"})


@require_GET
@needs(Right.SEE_COMPLIANCE)
def list_rules(request: StaffRequest) -> HttpResponse:
    """List the rules in force in words, and those that were taken out."""
    every = list(queries.rules_for(request.user))
    in_force = [
        (rule, description.describe_rules(description.read_rules(rule))) for rule in every if rule.retired_at is None
    ]
    codes = {rule.code for rule, _lines in in_force}
    newest = {rule.code: rule for rule in reversed(every) if rule.code not in codes}
    context = {"in_force": in_force, "gone": list(newest.values()), "place": _place()}
    return render(request, "console/house_rules/index.html", context)


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Show a rule with every version that ever judged."""
    rule = queries.rule_for(request.user, rule_id)
    versions = [
        (each, description.describe_rules(description.read_rules(each)))
        for each in queries.rules_for(request.user).filter(code=rule.code)
    ]
    context = {"rule": rule, "versions": versions, "place": _place(), "may_change": _has_right_to_change(request, rule)}
    return render(request, "console/house_rules/detail.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_RULES)
def create_rule(request: StaffRequest) -> HttpResponse:
    """Write a new rule for a portfolio or for all."""
    return _handle_form(request, None)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_RULES)
def edit_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Write a new version of a rule; the one before stays in its history."""
    rule = queries.rule_for(request.user, rule_id)
    if not _has_right_to_change(request, rule):
        raise PermissionDenied
    return _handle_form(request, rule)


def _handle_form(request: StaffRequest, rule: Any) -> HttpResponse:
    context: dict[str, Any] = {"rule": rule, "errors": {}, "loosened": {}, "problem": ""}
    if request.method == "GET":
        house = description.read_rules(rule) if rule else None
        context["shape"] = shapes.from_rules(house) if house else {"visits": False, "rules": [shapes.empty_rule()]}
        return _render_form(request, rule, context)
    context["shape"] = shapes.from_post(request.POST)
    if "add" not in request.POST and _save_rule(request, rule, context):
        messages.success(request, _("The rule is in force. It judges every contact from now on."))
        return redirect("console:house-rules")
    return _render_form(request, rule, context, status=200 if "add" in request.POST else 422)


def _render_form(request: StaffRequest, rule: Any, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Draw the form: each rule with what is wrong in it beside the field."""
    drawn = []
    for place, shape in enumerate(context["shape"]["rules"]):
        loose = context["loosened"].get(place, {})
        drawn.append(
            {
                "prefix": f"r{place}-",
                "rule": shape,
                "week": list(enumerate(shape["week"])),
                "loose": loose,
                "wrong": context["errors"].get(place, {}),
                "other": [description for field, description in loose.items() if field not in _FIELDS_WITH_NOTES],
            }
        )
    around = {**_around(request, rule), **context, "drawn": drawn, "company": context["loosened"].get(-1, {})}
    return render(request, "console/house_rules/form.html", around, status=status)


def _save_rule(request: StaffRequest, rule: Any, context: dict[str, Any]) -> bool:
    """Put the rule in force, or note in the page's context why not."""
    try:
        code, portfolio_id = _read_subject(request, rule)
        document = shapes.to_document(context["shape"])
        operations.save_company_rule(
            code=code,
            portfolio_id=portfolio_id,
            document=document,
            actor=request.user.username,
            actor_id=request.user.pk,
            now=clock.now(),
        )
    except shapes.FormUnreadable as unreadable:
        context["errors"] = unreadable.errors
    except CompanyRuleRefused as refused:
        context |= {"problem": str(refused), "loosened": shapes.group_loosenings(refused.loosenings)}
    else:
        return True
    context["problem"] = context["problem"] or _("It was not saved: see the fields below.")
    return False


def _read_subject(request: StaffRequest, rule: Any) -> tuple[str, int | None]:
    """Return which rule is written, and for which portfolio. Raises CompanyRuleRefused, PermissionDenied."""
    if rule is not None:
        return rule.code, rule.portfolio_id
    code = slugify(request.POST.get("code", ""))[:50]
    if not code or code == law.LAW_ALONE:
        raise CompanyRuleRefused(_("A short name is needed, such as «trato-suave»."))
    if queries.is_code_taken(code):
        raise CompanyRuleRefused(_("There is a rule of this name already: write a new version of it."))
    return code, _read_portfolio(request)


def _read_portfolio(request: StaffRequest) -> int | None:
    """Return the portfolio that was chosen, None for all. Raises PermissionDenied outside the user's scope."""
    chosen = request.POST.get("portfolio", "")
    found = next((each.pk for each in portfolios_for(request.user) if each.code == chosen), None)
    if found is None and (chosen or not queries.has_every_portfolio(request.user)):
        raise PermissionDenied
    return found


@require_POST
@needs(Right.EDIT_RULES)
def preview_rule(request: StaffRequest) -> HttpResponse:
    """Show what the rule as it is being written would change today."""
    context: dict[str, Any] = {"problem": "", "changes": [], "lines": []}
    rule_id = request.POST.get("rule", "")
    rule = queries.rule_for(request.user, int(rule_id)) if rule_id.isdecimal() and len(rule_id) < 19 else None
    try:
        document = shapes.to_document(shapes.from_post(request.POST))
        house = law.read_company_rules({**document, "name": "preview"})
    except (shapes.FormUnreadable, law.LawFileError):
        context["problem"] = _("The rule cannot be read yet: complete the fields.")
    else:
        portfolio_id = rule.portfolio_id if rule else _read_portfolio(request)
        changes = preview_rule(request.user, rules=house, portfolio_id=portfolio_id, now=clock.now())
        context["changes"] = [(country_name(each.country), each) for each in changes]
        context["lines"] = description.describe_rules(house)
    return render(request, "console/house_rules/_preview.html", context)


@require_POST
@needs(Right.EDIT_RULES)
def retire_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Take a rule out of force."""
    rule = queries.rule_for(request.user, rule_id)
    if not _has_right_to_change(request, rule):
        raise PermissionDenied
    operations.retire_company_rule(
        house_rule_id=rule.pk, actor=request.user.username, actor_id=request.user.pk, now=clock.now()
    )
    messages.success(request, _("The rule is out of force; the law goes on judging."))
    return redirect("console:house-rules")


def _has_right_to_change(request: StaffRequest, rule: Any) -> bool:
    return rule.portfolio_id is not None or queries.has_every_portfolio(request.user)


def _around(request: StaffRequest, rule: Any) -> dict[str, Any]:
    days = [(code, short, whole) for code, (short, whole) in zip(WEEKDAYS, weekday_names(), strict=True)]
    return {
        "portfolios": portfolios_for(request.user),
        "all_too": queries.has_every_portfolio(request.user),
        "countries": country_names(),
        "channels": labels.choices("channel"),
        "days": days,
        "periods": labels.choices("cap_period"),
        "scopes": labels.choices("cap_scope"),
        "code": request.POST.get("code", ""),
        "chosen": request.POST.get("portfolio", ""),
        "place": _place(),
        "title": rule.code if rule else _("New company rule"),
    }


def _place() -> Installation:
    return Installation(time_zone=schedule.installation_zone().key)


urlpatterns = [
    path("reglas/", list_rules, name="house-rules"),
    path("reglas/nueva/", create_rule, name="house-rule-new"),
    path("reglas/previa/", preview_rule, name="house-rule-preview"),
    path("reglas/<int:rule_id>/", show_rule, name="house-rule"),
    path("reglas/<int:rule_id>/editar/", edit_rule, name="house-rule-edit"),
    path("reglas/<int:rule_id>/retirar/", retire_rule, name="house-rule-retire"),
]
