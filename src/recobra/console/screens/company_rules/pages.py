"""Pages of company rules: the list, the history of one, its form and the preview of its effect today."""

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
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.console.screens.company_rules import description
from recobra.console.screens.company_rules import form as shapes
from recobra.console.screens.countries.description import country_names, weekday_names
from recobra.console.screens.place import installation_place
from recobra.insight.queries import company_rule_preview
from recobra.kit import clock
from recobra.kit.countries import country_name
from recobra.policy import company_rules as operations
from recobra.policy import queries
from recobra.policy.company_rules import CompanyRuleRefused
from recobra.portfolio.queries import portfolios_for
from recobra_core import law
from recobra_core.documents import DocumentError
from recobra_core.law.model import WEEKDAYS

# Fields beside which the form shows what they loosen; the loosenings of others stand below the rule.
_FIELDS_WITH_NOTES = frozenset({"channels", "windows", "caps", "closed_days"})
_CODE_LENGTH_MAX = 50


@require_GET
@needs(Right.SEE_COMPLIANCE)
def list_rules(request: StaffRequest) -> HttpResponse:
    """List the rules in force in words, and those out of force."""
    versions = list(queries.rules_for(request.user))
    in_force = [(rule, description.describe_version(rule)) for rule in versions if rule.retired_at is None]
    codes_in_force = {rule.code for rule, _lines in in_force}
    # The newest version comes first, so it is the last to be put into the dictionary.
    newest = {rule.code: rule for rule in reversed(versions) if rule.code not in codes_in_force}
    context = {"in_force": in_force, "retired": list(newest.values()), "place": installation_place()}
    return render(request, "console/house_rules/index.html", context)


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Show a rule with all of its versions."""
    rule = queries.rule_for(request.user, rule_id)
    versions = queries.rules_for(request.user).filter(code=rule.code)
    context = {
        "rule": rule,
        "versions": [(version, description.describe_version(version)) for version in versions],
        "place": installation_place(),
        "may_change": _has_right_to_change(request, rule),
    }
    return render(request, "console/house_rules/detail.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_RULES)
def create_rule(request: StaffRequest) -> HttpResponse:
    """Create a rule for a portfolio or for all of them."""
    return _handle_form(request, None)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_RULES)
def edit_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Save a new version of a rule; the one before stays in its history."""
    rule = queries.rule_for(request.user, rule_id)
    if not _has_right_to_change(request, rule):
        raise PermissionDenied
    return _handle_form(request, rule)


def _handle_form(request: StaffRequest, rule: queries.HouseRule | None) -> HttpResponse:
    """Show the form of a rule, None for a new one; add an empty part to it (`add`), or save it."""
    context: dict[str, Any] = {"rule": rule, "errors": {}, "loosened": {}, "problem": ""}
    if request.method == "GET":
        if rule:
            decision = str(rule.document.get("decision", ""))
            context["shape"] = shapes.from_rules(description.read_rules(rule), decision=decision)
        else:
            context["shape"] = {"visits": False, "decision": "", "rules": [shapes.empty_rule()]}
        return _render_form(request, rule, context)
    context["shape"] = shapes.from_post(request.POST)
    if "add" in request.POST:
        return _render_form(request, rule, context)
    if not _save_rule(request, rule, context):
        return _render_form(request, rule, context, status=422)
    messages.success(request, _("The rule is in force. It judges every contact from now on."))
    return redirect("console:house-rules")


def _render_form(
    request: StaffRequest, rule: queries.HouseRule | None, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render the form: each part of the rule with its errors and loosenings beside the fields.

    `context` has the fields (`shape`), the `errors` and what is `loosened` by part, and a `problem` of the whole.
    """
    rules = []
    for index, shape in enumerate(context["shape"]["rules"]):
        loosened = context["loosened"].get(index, {})
        rules.append(
            {
                "prefix": f"r{index}-",
                "rule": shape,
                "week": list(enumerate(shape["week"])),
                "loosened": loosened,
                "errors": context["errors"].get(index, {}),
                "other": [entries for field, entries in loosened.items() if field not in _FIELDS_WITH_NOTES],
            }
        )
    weekdays = [(code, short, full) for code, (short, full) in zip(WEEKDAYS, weekday_names(), strict=True)]
    page = {
        "portfolios": portfolios_for(request.user),
        "all_too": queries.has_every_portfolio(request.user),
        "countries": country_names(),
        "channels": labels.choices("channel"),
        "days": weekdays,
        "periods": labels.choices("cap_period"),
        "scopes": labels.choices("cap_scope"),
        "stages": labels.choices("stage"),
        "code": request.POST.get("code", ""),
        "chosen": request.POST.get("portfolio", ""),
        "place": installation_place(),
        "title": rule.code if rule else _("New company rule"),
    }
    page |= context
    page["forms"] = rules
    page["company"] = context["loosened"].get(shapes.WHOLE_COMPANY, {})
    return render(request, "console/house_rules/form.html", page, status=status)


def _save_rule(request: StaffRequest, rule: queries.HouseRule | None, context: dict[str, Any]) -> bool:
    """Save the rule and return True, or add the errors to the page's context and return False."""
    try:
        code, portfolio_id = _read_subject(request, rule)
        document = shapes.to_document(context["shape"])
        operations.save_company_rule(code=code, portfolio_id=portfolio_id, document=document, actor=actor_of(request))
    except shapes.FormUnreadable as error:
        context["errors"] = error.errors
    except CompanyRuleRefused as refusal:
        context["problem"] = str(refusal)
        context["loosened"] = shapes.group_loosenings(refusal.loosenings)
    else:
        return True
    context["problem"] = context["problem"] or _("It was not saved: see the fields below.")
    return False


def _read_subject(request: StaffRequest, rule: queries.HouseRule | None) -> tuple[str, int | None]:
    """Return the code of the rule and the id of its portfolio, None for a rule of all portfolios.

    A new version keeps both. Raises CompanyRuleRefused for a code that cannot be used, PermissionDenied.
    """
    if rule is not None:
        return rule.code, rule.portfolio_id
    code = slugify(request.POST.get("code", ""))[:_CODE_LENGTH_MAX]
    if not code or code == law.LAW_ALONE:
        raise CompanyRuleRefused(_("A short name is needed, such as «trato-suave»."))
    if queries.is_code_taken(code):
        raise CompanyRuleRefused(_("There is a rule of this name already: write a new version of it."))
    return code, _read_portfolio(request)


def _read_portfolio(request: StaffRequest) -> int | None:
    """Return the id of the portfolio chosen, None for all. Raises PermissionDenied outside the user's scope."""
    code = request.POST.get("portfolio", "")
    if not code:
        if not queries.has_every_portfolio(request.user):
            raise PermissionDenied
        return None
    portfolio_ids = {portfolio.code: portfolio.pk for portfolio in portfolios_for(request.user)}
    if code not in portfolio_ids:
        raise PermissionDenied
    return portfolio_ids[code]


@require_POST
@needs(Right.EDIT_RULES)
def preview_rule(request: StaffRequest) -> HttpResponse:
    """Show what the rule, while it is written, would change today."""
    context: dict[str, Any] = {"problem": "", "changes": [], "lines": []}
    rule_id = parse_id(request.POST.get("rule", ""))
    rule = None if rule_id is None else queries.rule_for(request.user, rule_id)
    try:
        document = shapes.to_document(shapes.from_post(request.POST))
        rules = law.read_company_rules({**document, "name": "preview"})
    except (shapes.FormUnreadable, DocumentError):
        context["problem"] = _("The rule cannot be read yet: complete the fields.")
    else:
        portfolio_id = rule.portfolio_id if rule else _read_portfolio(request)
        changes = company_rule_preview.preview_rule(
            request.user, rules=rules, portfolio_id=portfolio_id, now=clock.now()
        )
        context["changes"] = [(country_name(change.country), change) for change in changes]
        context["lines"] = description.describe_rules(rules)
    return render(request, "console/house_rules/_preview.html", context)


@require_POST
@needs(Right.EDIT_RULES)
def retire_rule(request: StaffRequest, rule_id: int) -> HttpResponse:
    """Take a rule out of force."""
    rule = queries.rule_for(request.user, rule_id)
    if not _has_right_to_change(request, rule):
        raise PermissionDenied
    operations.retire_company_rule(house_rule_id=rule.pk, actor=actor_of(request))
    messages.success(request, _("The rule is out of force; the law goes on judging."))
    return redirect("console:house-rules")


def _has_right_to_change(request: StaffRequest, rule: queries.HouseRule) -> bool:
    """Return whether the user may change a rule; one of all portfolios only who sees them all."""
    return rule.portfolio_id is not None or queries.has_every_portfolio(request.user)


urlpatterns = [
    path("reglas/", list_rules, name="house-rules"),
    path("reglas/nueva/", create_rule, name="house-rule-new"),
    path("reglas/previa/", preview_rule, name="house-rule-preview"),
    path("reglas/<int:rule_id>/", show_rule, name="house-rule"),
    path("reglas/<int:rule_id>/editar/", edit_rule, name="house-rule-edit"),
    path("reglas/<int:rule_id>/retirar/", retire_rule, name="house-rule-retire"),
]
