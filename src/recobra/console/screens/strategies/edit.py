"""Editor of drafts: by fields, by rows of conditions, or as YAML. Only «Save the draft» saves."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import yaml
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.kit.language import screen_language
from recobra.messaging.queries import template_versions
from recobra.portfolio.queries import Portfolio
from recobra.strategy import operations, queries, queries_groups
from recobra.strategy.operations import StrategyChanged, StrategyRefused
from recobra_core.decide.steps import CHANNELS, EVENTS, STAGES
from recobra_core.documents import DocumentError
from recobra_core.yaml_source import parse_yaml

from . import form, rule_field
from .pages import reach_context

_PLACE = re.compile(r"^(steps|segments)\[(\d+)\]")


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def edit_draft(request: StaffRequest, code: str) -> HttpResponse:
    """Show the draft, or the version in force to start from, as fields; apply a button (`do`), or save."""
    listed = queries.strategy_for(request.user, code)
    if request.method == "GET":
        base = listed.draft or listed.shown
        return _render_editor(request, listed, form.from_document(base.document), seen=operations.mark_of(listed.draft))
    shape = _settle_rules(request, form.from_post(request.POST) | {"code": code}, listed)
    action = request.POST.get("do", "")
    if action != "save":
        return _render_editor(request, listed, form.apply_action(shape, action), seen=request.POST.get("seen", ""))
    return _save_draft(request, listed, form.to_document(shape), shape)


def _save_draft(
    request: StaffRequest, listed: queries.StrategyListing, document: dict[str, Any], shape: form.Shape
) -> HttpResponse:
    """Save a document and open the editor again; with a conflict or problems show the posted fields (`shape`)."""
    # The form carries the mark of the draft that it began with: somebody may have saved another one since.
    seen = request.POST.get("seen", "")
    typed = [
        f"{group}[{index}].rule: {member['typed'].error}"
        for group in ("segments", "steps")
        for index, member in enumerate(shape[group])
        if member.get("typed")
    ]
    if typed:
        return _render_editor(request, listed, shape, seen=seen, problems=typed, status=422)
    try:
        operations.save_draft(document=document, seen=seen, actor=actor_of(request))
    except StrategyChanged as refusal:
        listed = queries.strategy_for(request.user, listed.code)
        current = operations.mark_of(listed.draft)
        return _render_editor(request, listed, shape, seen=current, problems=refusal.problems, status=409)
    except StrategyRefused as refusal:
        return _render_editor(request, listed, shape, seen=seen, problems=refusal.problems, status=422)
    _confirm_saved(request, listed.code)
    return redirect("console:strategy-edit", listed.code)


def _confirm_saved(request: StaffRequest, code: str) -> None:
    """Confirm that the draft is saved, with links to the next steps."""
    listed = queries.strategy_for(request.user, code)
    links = []
    if listed.draft and listed.published:
        compare = reverse("console:strategy-compare", args=[code])
        links.append((f"{compare}?de={listed.published.number}&a={listed.draft.number}", _("Compare")))
    if listed.draft:
        links.append((reverse("console:strategy-publish", args=[code, listed.draft.number]), _("Publish")))
    text = _("The draft is saved. It is not in force until you publish it.")
    messages.success(request, format_html("{} {}", text, format_html_join(" · ", '<a href="{}">{}</a>', links)))


def _render_editor(
    request: StaffRequest,
    listed: queries.StrategyListing,
    shape: form.Shape,
    *,
    seen: str,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the editor of `shape`, or its form alone for htmx, with the verdict about each rule.

    `seen` is the mark of the draft that the fields come from.
    """
    catalogue = queries.rule_catalogue()
    place = _place_of(request, listed)
    covered = rule_field.find_covered(shape["segments"], catalogue)
    for group in ("segments", "steps"):
        members = []
        for index, member in enumerate(shape[group]):
            verdict = rule_field.judge_member(member, catalogue, place)
            if group == "segments":
                verdict = replace(verdict, covered_by=covered.get(index, ""))
                member["group_note"] = rule_field.describe_group(member["from_group"], member["rule"])
            members.append(member | {"prefix": f"{group}-{index}", "verdict": verdict})
        shape[group] = members
    context = {
        "listed": listed,
        "place": place,
        "saved_groups": queries_groups.groups_for(request.user),
        "shape": shape,
        "seen": seen,
        "problems": [_locate_problem(problem, shape) for problem in problems or []],
        **editor_choices(shape),
        "columns": rule_field.builder_columns(catalogue),
    }
    if request.htmx:  # type: ignore[attr-defined]
        # htmx swaps only responses of success.
        return render(request, "console/strategies/_editor.html", context)
    return render(request, "console/strategies/edit.html", context, status=status)


def _place_of(request: StaffRequest, listed: queries.StrategyListing) -> Portfolio | None:
    """Return the portfolio in whose writing amounts are typed: the first that follows the strategy."""
    return rule_field.rule_place(request, str(listed.portfolios[0].pk) if listed.portfolios else "")


def _settle_rules(request: StaffRequest, shape: form.Shape, listed: queries.StrategyListing) -> form.Shape:
    """Return the posted fields with the rules that their conditions say; `typed` are conditions that are no rule."""
    catalogue = queries.rule_catalogue()
    place = _place_of(request, listed)
    for group in ("segments", "steps"):
        for index, member in enumerate(shape[group]):
            member["rule"], member["typed"] = rule_field.settle_rule(
                request.POST,
                f"{group}-{index}",
                unknown=rule_field.unknown_mode(member["unknown"]),
                catalogue=catalogue,
                place=place,
            )
    for segment in shape["segments"]:
        # A rule that was changed by hand is no longer the group's.
        if not rule_field.describe_group(segment["from_group"], segment["rule"]):
            segment["from_group"] = ""
    return shape


def editor_choices(shape: form.Shape) -> dict[str, Any]:
    """Return the choices of the editor's lists."""
    # Last wins: of several templates with one code the general one names it.
    names = {template.code: template.name for template in template_versions().reverse()}
    # A template that is gone stays in the list, so that saving does not change the step unseen.
    for step in shape["steps"]:
        if step["template"]:
            names.setdefault(step["template"], step["template"])
    segments = form.assign_keys(shape["segments"])
    return {
        "templates": sorted(names.items()),
        "tones": labels.choices("template_tone"),
        "channels": [(code, labels.label_of("channel", code)) for code in CHANNELS],
        "stages": [(code, labels.label_of("stage", code)) for code in STAGES],
        "events": [(code, labels.label_of("event", code)) for code in EVENTS],
        "segments": [(segment["key"], segment["name"]) for segment in segments if segment["name"]],
    }


def _locate_problem(problem: str, shape: form.Shape) -> dict[str, str]:
    """Return a problem as people read it, and the anchor of its fields ('' for none).

    «steps[2].rule: …», counted from 0, becomes «Step 3 «Second reminder».rule: …» with the anchor «steps-2».
    """
    match = _PLACE.match(problem)
    if not match:
        return {"text": problem, "anchor": ""}
    group = match[1]
    index = int(match[2])
    name = shape[group][index]["name"] if index < len(shape[group]) else ""
    noun = _("Step") if group == "steps" else _("Segment")
    rest = problem[match.end() :]
    return {"text": f"{noun} {index + 1} «{name}»{rest}", "anchor": f"{group}-{index}"}


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def edit_yaml(request: StaffRequest, code: str) -> HttpResponse:
    """Show the draft as YAML, and save it."""
    listed = queries.strategy_for(request.user, code)
    problems: list[str] = []
    base = listed.draft or listed.shown
    text = yaml.safe_dump(base.document, allow_unicode=True, sort_keys=False, width=110)
    if request.method == "POST":
        text = request.POST.get("text", "")
        problems = _save_yaml(request, listed, text)
        if not problems:
            _confirm_saved(request, code)
            return redirect("console:strategy-yaml", code)
        listed = queries.strategy_for(request.user, code)
    context = {"listed": listed, "text": text, "seen": operations.mark_of(listed.draft), "problems": problems}
    return render(request, "console/strategies/yaml.html", context, status=422 if problems else 200)


def _save_yaml(request: StaffRequest, listed: queries.StrategyListing, text: str) -> list[str]:
    """Save a YAML text as the draft; return the problems that prevent it, none once it is saved."""
    try:
        source = parse_yaml(text)
        if isinstance(source.value, dict) and source.value.get("code") != listed.code:
            return [_("The code must stay «%(code)s».") % {"code": listed.code}]
        operations.save_draft(document=source, seen=request.POST.get("seen", ""), actor=actor_of(request))
    except DocumentError as error:
        return error.messages(screen_language())
    except StrategyRefused as refusal:
        return refusal.problems
    return []


@require_POST
@needs(Right.EDIT_STRATEGIES)
def preview_reach(request: StaffRequest, code: str) -> HttpResponse:
    """Count the accounts that the fields, not yet saved, would touch today."""
    listed = queries.strategy_for(request.user, code)
    document = form.to_document(_settle_rules(request, form.from_post(request.POST) | {"code": code}, listed))
    codes = {portfolio.code for portfolio in listed.portfolios}
    return render(request, "console/strategies/_reach.html", reach_context(request, document, codes))


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def create_strategy(request: StaffRequest) -> HttpResponse:
    """Create a strategy from an existing one or from one that came with the product."""
    # The keys are in the form: «propia:» are the user's own strategies, «lista:» those that came with the product.
    bases = {f"propia:{listed.code}": listed.shown.document for listed in queries.strategies_for(request.user)}
    bases |= {f"lista:{strategy.code}": strategy.to_document() for strategy in queries.ready_made_strategies()}
    problems: list[str] = []
    if request.method == "POST":
        code = request.POST.get("code", "").strip()
        base = bases.get(request.POST.get("base", ""))
        if base is None or f"propia:{code}" in bases:
            problems = [_("Choose what to start from, and a code that no strategy has yet.")]
        else:
            document = base | {"code": code, "name": request.POST.get("name", "").strip()}
            try:
                operations.save_draft(document=document, seen="", actor=actor_of(request))
            except StrategyChanged:
                problems = [_("Choose what to start from, and a code that no strategy has yet.")]
            except StrategyRefused as refusal:
                problems = refusal.problems
            else:
                return redirect("console:strategy-edit", code)
    choices = [(key, document["name"], key.startswith("lista:")) for key, document in bases.items()]
    context = {"bases": choices, "problems": problems, "posted": request.POST}
    return render(request, "console/strategies/create.html", context, status=422 if problems else 200)


urlpatterns = [
    path("estrategias/nueva/", create_strategy, name="strategy-create"),
    path("estrategias/regla/", rule_field.check_rule, name="strategy-rule"),
    path("estrategias/regla/cuentas/", rule_field.count_rule, name="strategy-rule-count"),
    path("estrategias/<slug:code>/editar/", edit_draft, name="strategy-edit"),
    path("estrategias/<slug:code>/editar/yaml/", edit_yaml, name="strategy-yaml"),
    path("estrategias/<slug:code>/editar/alcance/", preview_reach, name="strategy-try"),
]
